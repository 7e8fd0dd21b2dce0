//! What `--json` prints: a type for each document.
//!
//! `docs/json.md` describes them in words, and `docs/json.schema.json` is made of the types (`schema.rs`). The types are apart from
//! those that commands work with, so that a change there does not change what programs read. Members that may be missing are
//! those that say so; all others are there, if only as null.

mod audit;
mod checks;
mod drift;
mod event;
mod logs;
mod plan;
mod run;
#[cfg(test)]
mod schema;
mod stack;
mod status;
mod stores;
mod transform;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

pub use audit::Audit;
pub use checks::{
    Authorization, Doctor, DoctorFinding, Explanation, SecretId, SecretRotation, SmartCheck, SmartTest, Validation,
};
pub use drift::Drift;
pub use event::{EventDocument, Happening};
pub use logs::{LogEvent, LogEvents};
pub use plan::PlanDocument;
pub use run::RunDocument;
pub use stack::{
    Adopted, AdoptedResource, GraphDocument, GraphNode, ListedResource, StackEnd, Stacks, StateList, WrittenConfig,
};
pub use status::{
    AwsWork, EstimateDocument, JobStatus, LastRun, LockStatus, PendingChanges, RunResult, StackStatusDocument,
    StateCounts, StoreStatus, Unread, to_the_second,
};
pub use stores::{ComparedStore, Comparison, ListedStore, RestorePreview, RestorePreviewParts, StoreDocument, Stores};
pub use transform::{
    MappingWarning, ProfileRollback, ProfileVersions, Profiles, RefusedElement, TestedCase, TestedMapping,
    TransformDifference, TransformRun, TransformTest, TransformTry,
};

use crate::costs::Prices;
use crate::error::CommandError;
use hlctl_model::text::shortened;

/// Version of all JSON that hlctl prints; a change that could break a reader raises it.
pub const FORMAT_VERSION: u32 = 1;

/// What kept a command from printing anything else.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Failure")]
pub struct FailureDocument {
    format_version: u32,
    error: FailureDetail,
}

/// An error of a command.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FailureDetail {
    /// What went wrong.
    message: String,
    /// The next step.
    hint: Option<String>,
    /// The exit code of the command.
    exit_code: u8,
}

/// A document as a value. None of them has a map whose keys are no strings, which is all that could fail.
pub fn value(document: &impl Serialize) -> Value {
    serde_json::to_value(document).unwrap_or_default()
}

/// A plan.
pub fn plan(plan: &crate::plan::Plan, environment: Option<&str>, prices: Option<Prices>) -> PlanDocument {
    PlanDocument::of(plan, environment, prices)
}

/// How an apply or a destroy went.
pub fn report(report: &crate::apply::Report) -> RunDocument {
    report.into()
}

/// What kept a command from printing anything else.
pub fn error(error: &CommandError) -> FailureDocument {
    let error = FailureDetail {
        message: shortened(&error.to_string()).into_owned(),
        hint: error.hint(),
        exit_code: error.exit_code() as u8,
    };
    FailureDocument { format_version: FORMAT_VERSION, error }
}
