//! `--events`: what happens during an apply or a destroy, a document on each line.

use schemars::JsonSchema;
use serde::Serialize;

use super::{EstimateDocument, FORMAT_VERSION, PendingChanges};
use crate::apply::Outcome;
use hlctl_model::Action;
use hlctl_model::address::Address;
use hlctl_model::text::shortened;
use hlctl_resources::ResourceError;

/// A line of `--events`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Event")]
pub struct EventDocument {
    format_version: u32,
    /// When it happened, in UTC.
    time: String,
    /// What happened.
    #[serde(flatten)]
    happening: Happening,
}

/// What happened.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Happening {
    /// The run begins.
    RunBegun {
        /// The command; null for a wait.
        command: Option<String>,
        /// The environment that it is for.
        #[serde(skip_serializing_if = "Option::is_none")]
        environment: Option<String>,
        /// Value of the `hlctl:stack` tag.
        stack: String,
        /// The account.
        account: String,
        /// The region.
        region: String,
        /// What it is to do.
        counts: PendingChanges,
    },
    /// A step begins.
    Begun {
        /// The resource.
        address: String,
        /// What is done.
        action: Action,
    },
    /// AWS is at work on it, or does not accept it yet. Comes with each change of the status, and once a minute.
    Waiting {
        /// The resource.
        address: String,
        /// What is done.
        action: Action,
        /// Its status as AWS names it, where that is known.
        status: Option<String>,
        /// Why AWS does not accept the call yet, in words.
        on_hold: Option<String>,
        /// Since the step began.
        elapsed_ms: u64,
        /// When it will be done.
        estimate: Option<EstimateDocument>,
    },
    /// A step is done.
    Done {
        /// The resource.
        address: String,
        /// What was done.
        action: Action,
        /// How long it took.
        elapsed_ms: u64,
    },
    /// AWS was left at work on it.
    Unfinished(StepFailure),
    /// A step failed.
    Failed(StepFailure),
    /// A step was not started.
    Skipped {
        /// The resource.
        address: String,
        /// What was to be done.
        action: Action,
        /// The resource that it waited for; null if the run was stopped.
        because: Option<String>,
    },
    /// A signal came: nothing new is started.
    Stopping,
    /// The run is over.
    RunEnded {
        /// Steps that were done.
        done: usize,
        /// Steps that AWS was left at work on.
        unfinished: usize,
        /// Steps that failed.
        failed: usize,
        /// Steps that were not started.
        skipped: usize,
        /// How long the run took.
        elapsed_ms: u64,
        /// The exit code, if something other than a step ended the run; null otherwise.
        exit_code: Option<u8>,
    },
}

/// How a step ended that is not done.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StepFailure {
    address: String,
    action: Action,
    elapsed_ms: u64,
    message: String,
    /// The next step.
    hint: Option<String>,
    /// AWS's id of the request that it answered with an error.
    request_id: Option<String>,
}

impl StepFailure {
    fn of(address: &Address, action: Action, elapsed_ms: u64, error: &ResourceError, hint: Option<String>) -> Self {
        Self {
            address: address.to_string(),
            action,
            elapsed_ms,
            message: shortened(&error.to_string()).into_owned(),
            hint,
            request_id: match error {
                ResourceError::Aws(error) => error.request_id.clone(),
                _ => None,
            },
        }
    }
}

impl Happening {
    /// The end of a step.
    pub fn ended(address: &Address, action: Action, outcome: &Outcome, elapsed_ms: u64) -> Self {
        match outcome {
            Outcome::Done => Self::Done { address: address.to_string(), action, elapsed_ms },
            Outcome::Unfinished(error) => {
                Self::Unfinished(StepFailure::of(address, action, elapsed_ms, error, error.hint()))
            }
            Outcome::Failed(error) => {
                Self::Failed(StepFailure::of(address, action, elapsed_ms, error, error.hint_at(address)))
            }
            Outcome::Skipped { because } => Self::Skipped {
                address: address.to_string(),
                action,
                because: because.as_ref().map(Address::to_string),
            },
        }
    }
}

impl EventDocument {
    /// What happens now.
    pub fn now(happening: Happening) -> Self {
        let time = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        Self { format_version: FORMAT_VERSION, time, happening }
    }
}
