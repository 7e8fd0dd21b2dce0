//! `hlctl drift --json`

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::FORMAT_VERSION;
use crate::drift::{self, AttributeVerdict, DriftReport, DriftVerdict};

/// What others have changed. `docs/drift.md` describes it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Drift {
    format_version: u32,
    /// Whether others have changed anything.
    has_drift: bool,
    /// One for each resource.
    resources: Vec<Finding>,
    counts: Counts,
    /// What could not be looked into, and what else there is to know.
    notes: Vec<String>,
}

/// What was found of a resource.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DriftFinding")]
struct Finding {
    address: String,
    kind: String,
    /// The name a user knows it by.
    name: Option<String>,
    verdict: DriftVerdict,
    /// Why, where the attributes do not say it.
    reason: Option<String>,
    /// What to do about it, where an apply does not fix it.
    hint: Option<String>,
    /// Those that differ part by part, the others whole and without values.
    attributes: Vec<AttributeFinding>,
    /// What is attached to it and was not created by hlctl, in words.
    foreign: Vec<String>,
    /// The commands that remove it, in the same order.
    removals: Vec<Option<String>>,
    /// The last change that CloudTrail knows of.
    last_change: Option<LastChange>,
}

/// An attribute, or a part of one.
#[derive(Debug, Serialize, JsonSchema)]
struct AttributeFinding {
    attribute: String,
    /// The member of a map, or the statement of a policy.
    part: Option<String>,
    verdict: AttributeVerdict,
    /// What the configuration asks for.
    config: Option<Value>,
    /// What the state remembers.
    state: Option<Value>,
    /// What AWS says.
    aws: Option<Value>,
}

/// A change that CloudTrail knows of.
#[derive(Debug, Serialize, JsonSchema)]
struct LastChange {
    /// The event's name.
    event: String,
    /// Who, as CloudTrail names them.
    user: String,
    /// When, in UTC.
    time: String,
    /// The event's id.
    id: String,
}

/// How many resources of each verdict.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DriftCounts")]
struct Counts {
    clean: usize,
    /// As wanted, as far as it may be looked at.
    partly_checked: usize,
    pending: usize,
    drifted: usize,
    missing: usize,
    foreign: usize,
    unreadable: usize,
}

impl From<&DriftReport> for Drift {
    fn from(report: &DriftReport) -> Self {
        let count = |verdict| report.with(verdict).count();
        Self {
            format_version: FORMAT_VERSION,
            has_drift: report.has_drift(),
            resources: report.findings.iter().map(Finding::from).collect(),
            counts: Counts {
                clean: count(DriftVerdict::Clean),
                partly_checked: count(DriftVerdict::PartlyChecked),
                pending: count(DriftVerdict::Pending),
                drifted: count(DriftVerdict::Drifted),
                missing: count(DriftVerdict::Missing),
                foreign: count(DriftVerdict::Foreign),
                unreadable: count(DriftVerdict::Unreadable),
            },
            notes: report.notes.clone(),
        }
    }
}

impl From<&drift::DriftFinding> for Finding {
    fn from(found: &drift::DriftFinding) -> Self {
        Self {
            address: found.address.to_string(),
            kind: found.kind.clone(),
            name: found.name.clone(),
            verdict: found.verdict,
            reason: found.reason.clone(),
            hint: found.hint.clone(),
            attributes: found.attributes.iter().map(AttributeFinding::from).collect(),
            foreign: found.foreign.clone(),
            removals: found.removals.clone(),
            last_change: found.last_change.as_ref().map(|last| LastChange {
                event: last.event.clone(),
                user: last.user.clone(),
                time: last.time.clone(),
                id: last.id.clone(),
            }),
        }
    }
}

impl From<&drift::AttributeFinding> for AttributeFinding {
    fn from(found: &drift::AttributeFinding) -> Self {
        Self {
            attribute: found.attribute.clone(),
            part: found.part.clone(),
            verdict: found.verdict,
            config: found.config.clone(),
            state: found.state.clone(),
            aws: found.aws.clone(),
        }
    }
}
