//! `hlctl apply --json`, `hlctl destroy --json` and the like.

use schemars::JsonSchema;
use serde::Serialize;

use super::FORMAT_VERSION;
use crate::apply::{Outcome, Report};
use crate::module::Outputs;
use hlctl_model::Action;
use hlctl_model::address::Address;

/// How an apply or a destroy went.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Run")]
pub struct RunDocument {
    format_version: u32,
    /// The environment that it was for.
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<String>,
    /// What became of each resource.
    resources: Vec<Ending>,
    /// As `outputs --json`.
    outputs: Outputs,
}

/// What became of a resource.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "StepEnd")]
struct Ending {
    address: String,
    action: Action,
    status: Status,
    /// Null if it is done.
    detail: Option<Detail>,
}

/// How a step ended.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "StepStatus")]
enum Status {
    Done,
    /// AWS was left at work on it.
    Unfinished,
    Failed,
    /// It was not started.
    Skipped,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "StepDetail")]
enum Detail {
    /// Of what is unfinished or failed.
    Error { message: String, hint: Option<String> },
    /// Of what was skipped: the resource that it waited for, or null if the run was stopped.
    Because { because: Option<String> },
}

impl From<&Report> for RunDocument {
    fn from(report: &Report) -> Self {
        let resources = report.outcomes.iter();
        Self {
            format_version: FORMAT_VERSION,
            environment: report.state.environment.clone(),
            resources: resources.map(|(address, action, outcome)| Ending::of(address, *action, outcome)).collect(),
            outputs: Outputs::of(&report.state),
        }
    }
}

impl Ending {
    fn of(address: &Address, action: Action, outcome: &Outcome) -> Self {
        let (status, detail) = match outcome {
            Outcome::Done => (Status::Done, None),
            Outcome::Unfinished(error) => {
                (Status::Unfinished, Some(Detail::Error { message: error.to_string(), hint: error.hint() }))
            }
            Outcome::Failed(error) => {
                (Status::Failed, Some(Detail::Error { message: error.to_string(), hint: error.hint_at(address) }))
            }
            Outcome::Skipped { because } => {
                (Status::Skipped, Some(Detail::Because { because: because.as_ref().map(Address::to_string) }))
            }
        };
        Self { address: address.to_string(), action, status, detail }
    }
}
