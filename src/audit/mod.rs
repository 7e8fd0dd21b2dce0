//! Technical checks of what is deployed, those of HealthLake included that no scanner has.
//!
//! [`Evidence`] is read from AWS, by what the state knows. Every check of [`CHECKS`] judges it; judging is pure. Waivers of the
//! configuration then excuse what fails, until they run out.

mod catalogue;
mod checks;
mod evidence;
mod waivers;

pub use catalogue::CHECKS;
pub use evidence::{Evidence, EvidenceError, EvidenceRead, gather};
pub use waivers::{AuditFinding, CheckStatus, Reviewed, review};

use hlctl_model::address::Address;

/// One check.
#[derive(Debug)]
pub struct Check {
    /// Its id, which never changes: `HLCTL-01`.
    pub id: &'static str,
    /// Its name, for people.
    pub name: &'static str,
    /// How bad it is to fail it.
    pub severity: Severity,
    /// What is so where it passes.
    pub title: &'static str,
    /// Why that matters.
    pub why: &'static str,
    /// What to write into the configuration, or to do.
    pub remediation: &'static str,
    /// The key of the configuration that decides it.
    pub key: Option<&'static str>,
    /// The parts of the HIPAA Security Rule, 45 CFR, that it has to do with.
    pub cfr: &'static [&'static str],
    /// Prowler's checks of the same.
    pub prowler: &'static [&'static str],
    /// AWS Security Hub's controls of the same.
    pub security_hub: &'static [&'static str],
    /// Judges.
    pub(crate) judge: fn(&Evidence) -> Vec<CheckResult>,
}

/// How bad it is to fail a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Data may be open to everyone.
    Critical,
    /// One mistake elsewhere away from harm.
    High,
    /// A safeguard is missing.
    Medium,
    /// Good practice.
    Low,
}

impl Severity {
    /// In a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

/// What a check says of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckResult {
    /// The resource.
    pub address: Address,
    /// Whether it passes.
    pub judgement: Judgement,
    /// What was seen.
    pub seen: String,
}

/// Whether a resource passes a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It does.
    Pass,
    /// It does not.
    Fail,
    /// Nobody can say, since it could not be read.
    NotCheckable,
    /// The question does not arise.
    NotApplicable,
}

impl Judgement {
    /// Pass if it holds, else fail.
    fn of(holds: bool) -> Self {
        if holds { Self::Pass } else { Self::Fail }
    }
}

/// Judges by every check. A check without anything to judge has no verdicts.
pub fn judge(evidence: &Evidence) -> Vec<(&'static Check, Vec<CheckResult>)> {
    CHECKS.iter().map(|check| (check, (check.judge)(evidence))).collect()
}
