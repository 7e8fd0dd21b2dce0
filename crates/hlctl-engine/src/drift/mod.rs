//! What others have changed: the configuration, the state and what the provider has, attribute by attribute. Changes nothing anywhere.
//!
//! [`look()`] reads, [`compare()`] judges (pure), and [`fix`] says which addresses an apply must be limited to (pure).

pub mod compare;
pub mod fix;
pub mod look;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use hlctl_model::WATCHED;
use hlctl_model::address::Address;

pub use compare::{Sides, compare};
pub use fix::to_fix;
pub use look::{DriftResult, look};

/// Everything that was found.
#[derive(Clone, Debug, Default)]
pub struct DriftReport {
    /// One finding for each resource, by address.
    pub findings: Vec<DriftFinding>,
    /// What could not be looked into, and what else there is to know.
    pub notes: Vec<String>,
}

/// What was found of one resource.
#[derive(Clone, Debug)]
pub struct DriftFinding {
    /// The resource.
    pub address: Address,
    /// Its kind's name.
    pub kind: String,
    /// The name a user knows it by, where it has one.
    pub name: Option<String>,
    /// How it stands.
    pub verdict: DriftVerdict,
    /// Why, where the attributes do not say it.
    pub reason: Option<String>,
    /// What to do about it, where an apply does not fix it.
    pub hint: Option<String>,
    /// Its attributes: those that differ part by part, the others whole and without values.
    pub attributes: Vec<AttributeFinding>,
    /// What is attached to it and hlctl did not create, in words.
    pub foreign: Vec<String>,
    /// The commands that remove it, in the same order.
    pub removals: Vec<Option<String>>,
    /// The last change to it that CloudTrail knows of.
    pub last_change: Option<LastChange>,
    /// By what CloudTrail may know it.
    pub names: Vec<String>,
}

impl DriftFinding {
    /// Whether there is something that an apply changes back; what is attached to it is left to those who attached it.
    pub fn is_fixable(&self) -> bool {
        let mut drifted = self.attributes.iter().filter(|attribute| attribute.verdict == AttributeVerdict::Drifted);
        drifted.any(|attribute| attribute.attribute != WATCHED)
    }
}

/// How a resource stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Verdict")]
pub enum DriftVerdict {
    /// As the configuration and the state say.
    Clean,
    /// The same, as far as AWS let hlctl look.
    PartlyChecked,
    /// The configuration asks for something that has not been applied yet.
    Pending,
    /// Others have changed it, or attached something to it.
    Drifted,
    /// It is gone.
    Missing,
    /// Somebody else has its name, or has ordered its end.
    Foreign,
    /// It could not be read.
    Unreadable,
}

impl DriftVerdict {
    /// Whether somebody other than hlctl has done something.
    pub fn is_drift(self) -> bool {
        matches!(self, Self::Drifted | Self::Missing | Self::Foreign)
    }
}

/// One attribute, or a part of one.
#[derive(Clone, Debug, PartialEq)]
pub struct AttributeFinding {
    /// The attribute.
    pub attribute: String,
    /// The member of a map, or the statement of a policy.
    pub part: Option<String>,
    /// How it stands.
    pub verdict: AttributeVerdict,
    /// What the configuration asks for.
    pub config: Option<Value>,
    /// What the state remembers.
    pub state: Option<Value>,
    /// What AWS says.
    pub aws: Option<Value>,
}

/// How an attribute stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttributeVerdict {
    /// As it should be.
    Clean,
    /// AWS does not tell it, a password for one.
    NotCheckable,
    /// The configuration asks for another value, which has not been applied yet.
    Pending,
    /// Others have changed it.
    Drifted,
}

/// The last change that CloudTrail knows of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastChange {
    /// The event's name, for example `PutBucketPolicy`.
    pub event: String,
    /// Who, as CloudTrail names them.
    pub user: String,
    /// When, in UTC.
    pub time: String,
    /// The event's id.
    pub id: String,
}

impl DriftReport {
    /// Whether others have changed anything.
    pub fn has_drift(&self) -> bool {
        self.findings.iter().any(|finding| finding.verdict.is_drift())
    }

    /// Those that stand like this.
    pub fn with(&self, verdict: DriftVerdict) -> impl Iterator<Item = &DriftFinding> {
        self.findings.iter().filter(move |finding| finding.verdict == verdict)
    }
}
