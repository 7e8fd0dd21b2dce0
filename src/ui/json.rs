//! The same things for programs. `docs/json.md` describes the shapes.

use serde_json::{Value, json};

use crate::apply::{Outcome, Report};
use crate::error::CommandError;
use crate::model::text::shortened;
use crate::plan::Plan;

/// Version of all JSON that hlctl prints; a change that could break a reader raises it.
pub const FORMAT_VERSION: u32 = 1;

/// A plan.
pub fn plan(plan: &Plan) -> Value {
    json!({
        "format_version": FORMAT_VERSION,
        "changes": plan.changes,
        "refusals": plan.refusals,
        "warnings": plan.warnings,
        "counts": plan.counts(),
        "has_changes": plan.changes_aws(),
    })
}

/// What kept a command from printing anything else.
pub fn error(error: &CommandError) -> Value {
    json!({
        "format_version": FORMAT_VERSION,
        "error": {
            "message": shortened(&error.to_string()),
            "hint": error.hint(),
            "exit_code": error.exit_code() as u8,
        },
    })
}

/// How an apply or a destroy went.
pub fn report(report: &Report) -> Value {
    let outputs = crate::module::outputs(|address| report.state.recorded(address));
    let outcomes: Vec<Value> = report
        .outcomes
        .iter()
        .map(|(address, action, outcome)| {
            let (status, detail) = match outcome {
                Outcome::Done => ("done", Value::Null),
                Outcome::Unfinished(error) => {
                    ("unfinished", json!({"message": error.to_string(), "hint": error.hint()}))
                }
                Outcome::Failed(error) => {
                    ("failed", json!({"message": error.to_string(), "hint": error.hint_at(address)}))
                }
                Outcome::Skipped { because } => ("skipped", json!({"because": because})),
            };
            json!({"address": address, "action": action, "status": status, "detail": detail})
        })
        .collect();
    json!({
        "format_version": FORMAT_VERSION,
        "resources": outcomes,
        "outputs": outputs,
    })
}
