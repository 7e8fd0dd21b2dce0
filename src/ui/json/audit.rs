//! `hlctl audit --json`

use schemars::JsonSchema;
use serde::Serialize;

use super::FORMAT_VERSION;
use crate::audit::{self, CheckStatus, Reviewed};

/// How the checks came out.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Audit {
    format_version: u32,
    /// Whether every check passed, is waived or does not apply.
    clean: bool,
    counts: Counts,
    findings: Vec<Finding>,
    /// Waivers that excuse nothing.
    unused_waivers: Vec<UnusedWaiver>,
    /// What an audit is not.
    note: String,
}

/// How many findings of each status.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AuditCounts")]
struct Counts {
    fail: usize,
    not_checkable: usize,
    waived: usize,
    pass: usize,
    not_applicable: usize,
}

/// What a check says of a resource.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AuditFinding")]
struct Finding {
    /// The check's id, which never changes.
    check: &'static str,
    name: &'static str,
    /// `critical`, `high`, `medium` or `low`.
    severity: &'static str,
    title: &'static str,
    /// The resource, or null for the stack.
    address: Option<String>,
    /// `fail`, `not_checkable`, `waived`, `pass` or `not_applicable`.
    status: &'static str,
    /// What was seen.
    seen: String,
    why: &'static str,
    /// What to do.
    mend: &'static str,
    /// The key of the configuration that decides it.
    key: Option<&'static str>,
    /// Parts of the HIPAA Security Rule, 45 CFR.
    cfr: &'static [&'static str],
    /// Prowler's checks of the same.
    prowler: &'static [&'static str],
    /// AWS Security Hub's controls of the same.
    security_hub: &'static [&'static str],
    /// The waiver that excuses it, or that did until it expired.
    waiver: Option<Waiver>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Waiver {
    reason: String,
    /// The last day on which it counts.
    expires: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct UnusedWaiver {
    check: String,
    resource: Option<String>,
    expires: String,
}

impl Audit {
    /// The result of an audit, and what an audit is not.
    pub fn of(reviewed: &Reviewed, note: &str) -> Self {
        let count = |status| reviewed.count(status);
        Self {
            format_version: FORMAT_VERSION,
            clean: reviewed.is_clean(),
            counts: Counts {
                fail: count(CheckStatus::Fail),
                not_checkable: count(CheckStatus::NotCheckable),
                waived: count(CheckStatus::Waived),
                pass: count(CheckStatus::Pass),
                not_applicable: count(CheckStatus::NotApplicable),
            },
            findings: reviewed.findings.iter().map(Finding::from).collect(),
            unused_waivers: reviewed
                .unused
                .iter()
                .map(|waiver| UnusedWaiver {
                    check: waiver.check.clone(),
                    resource: waiver.resource.clone(),
                    expires: waiver.expires.to_string(),
                })
                .collect(),
            note: note.to_owned(),
        }
    }
}

impl From<&audit::AuditFinding> for Finding {
    fn from(finding: &audit::AuditFinding) -> Self {
        let check = finding.check;
        Self {
            check: check.id,
            name: check.name,
            severity: check.severity.as_str(),
            title: check.title,
            address: finding.address.as_ref().map(ToString::to_string),
            status: finding.status.as_str(),
            seen: finding.seen.clone(),
            why: check.why,
            mend: check.remediation,
            key: check.key,
            cfr: check.cfr,
            prowler: check.prowler,
            security_hub: check.security_hub,
            waiver: finding
                .waiver
                .as_ref()
                .map(|waiver| Waiver { reason: waiver.reason.clone(), expires: waiver.expires.to_string() }),
        }
    }
}
