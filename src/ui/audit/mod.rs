//! An audit for people, for programs, and as SARIF.

mod sarif;

use std::fmt::Write;

use super::json::Audit;
use super::printer::style::{ADD, CHANGE, DESTROY, FAINT, STRONG};
use crate::audit::{AuditFinding, Check, CheckStatus, Reviewed};

pub use sarif::{ConfigPlaces, sarif};

/// What an audit is not, in words. It is part of every form.
pub const WHAT_IT_IS_NOT: &str = "These are technical checks of what hlctl deployed. They are neither legal advice nor a risk \
     analysis (45 CFR 164.308(a)(1)(ii)(A)), and say nothing about people, contracts, other systems, or AWS's own part.";

/// As text. What passed, and what does not apply, is counted, and with `all` listed too.
pub fn text(reviewed: &Reviewed, all: bool) -> String {
    let mut text = String::new();
    for finding in &reviewed.findings {
        match finding.status {
            CheckStatus::Fail | CheckStatus::NotCheckable => in_full(&mut text, finding),
            CheckStatus::Waived => waived(&mut text, finding),
            CheckStatus::Pass | CheckStatus::NotApplicable if all => in_a_line(&mut text, finding),
            CheckStatus::Pass | CheckStatus::NotApplicable => {}
        }
    }
    if all && !text.is_empty() {
        text.push('\n');
    }
    for waiver in &reviewed.unused {
        let resource = waiver.resource.as_deref().map(|resource| format!(" of {resource}")).unwrap_or_default();
        let _ = writeln!(
            text,
            "{CHANGE}note{CHANGE:#}: the waiver of {}{resource} no longer applies to anything\n",
            waiver.check
        );
    }
    let counts = CheckStatus::ALL.into_iter().map(|status| format!("{} {}", reviewed.count(status), status.word()));
    let _ = writeln!(text, "{STRONG}{}{STRONG:#}", counts.collect::<Vec<_>>().join(", "));
    let _ = write!(text, "{FAINT}{WHAT_IT_IS_NOT}{FAINT:#}");
    text
}

fn place(finding: &AuditFinding) -> String {
    finding.address.as_ref().map_or_else(|| "the stack".to_owned(), ToString::to_string)
}

fn in_full(text: &mut String, finding: &AuditFinding) {
    let check = finding.check;
    let style = if finding.status == CheckStatus::Fail { DESTROY } else { CHANGE };
    let _ = writeln!(
        text,
        "{style}{}{style:#}  {} ({}, {})",
        finding.status.word(),
        check.title,
        check.id,
        check.severity.as_str()
    );
    let _ = writeln!(text, "  where  {}", place(finding));
    let _ = writeln!(text, "  seen   {}", finding.seen.replace('\n', "\n         "));
    let _ = writeln!(text, "  why    {}", check.why);
    let _ = writeln!(text, "  fix    {}", check.remediation);
    let _ = writeln!(text, "  {FAINT}see    {}{FAINT:#}\n", mapping(check));
}

fn waived(text: &mut String, finding: &AuditFinding) {
    let check = finding.check;
    let _ = writeln!(text, "{CHANGE}waived{CHANGE:#}  {} ({}, {})", check.title, check.id, check.severity.as_str());
    let _ = writeln!(text, "  where  {}\n  seen   {}", place(finding), finding.seen.replace('\n', "\n         "));
    if let Some(waiver) = &finding.waiver {
        let _ = writeln!(text, "  until  {}: {}\n", waiver.expires, waiver.reason);
    }
}

fn in_a_line(text: &mut String, finding: &AuditFinding) {
    let style = if finding.status == CheckStatus::Pass { ADD } else { FAINT };
    let (word, check) = (finding.status.word(), finding.check);
    let _ =
        writeln!(text, "{style}{word}{style:#}  {}  {} ({}): {}", place(finding), check.title, check.id, finding.seen);
}

fn mapping(check: &Check) -> String {
    let mut parts = vec![format!("45 CFR {}", check.cfr.join(", "))];
    parts.extend(check.prowler.iter().map(|id| format!("Prowler {id}")));
    parts.extend(check.security_hub.iter().map(|id| format!("Security Hub {id}")));
    parts.join("; ")
}

/// For programs.
pub fn json(reviewed: &Reviewed) -> Audit {
    Audit::of(reviewed, WHAT_IT_IS_NOT)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::audit::{CHECKS, Evidence, judge, review};
    use hlctl_resources::Identity;

    pub(super) fn reviewed() -> Reviewed {
        let identity =
            Identity { account: "1".into(), region: "r".into(), partition: "aws".into(), caller: String::new() };
        let attributes = serde_json::Map::from_iter([
            ("rotation_enabled".to_owned(), Value::Bool(false)),
            ("enabled".to_owned(), Value::Bool(true)),
        ]);
        let looked = [
            ("kms_key.s3", crate::audit::EvidenceRead::Seen { attributes, ending: None }),
            ("s3_bucket_versioning.data", crate::audit::EvidenceRead::Unreadable("denied".to_owned())),
        ];
        let looked = looked
            .into_iter()
            .map(|(address, looked)| (hlctl_model::address::Address::parse(address), looked))
            .collect();
        let evidence = Evidence { identity, production: true, looked, foreign: Default::default() };
        let waiver = hlctl_config::Waiver {
            check: "HLCTL-15".to_owned(),
            resource: None,
            reason: "the deployer may not read it".to_owned(),
            expires: jiff::civil::date(2030, 1, 1),
            place: None,
        };
        review(judge(&evidence), &[waiver], jiff::civil::date(2026, 1, 1))
    }

    #[test]
    fn the_text_says_what_why_and_how_to_fix_it_and_what_it_is_not() {
        let text = anstream::adapter::strip_str(&text(&reviewed(), false)).to_string();
        for part in [
            "failed  KMS keys rotate every year (HLCTL-02, medium)",
            "where  kms_key.s3",
            "rotation_enabled = false",
            "45 CFR 164.312(a)(2)(iv); Prowler kms_cmk_rotation_enabled; Security Hub KMS.4",
            "until  2030-01-01: the deployer may not read it",
            "1 failed, 1 not checkable, 1 waived",
            WHAT_IT_IS_NOT,
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
        assert!(!text.to_lowercase().contains("compliant"));
    }

    #[test]
    fn the_json_has_every_check() {
        let json = crate::ui::json::value(&json(&reviewed()));
        for check in CHECKS {
            assert!(
                json["findings"].as_array().is_some_and(|all| all.iter().any(|finding| finding["check"] == check.id)),
                "{}",
                check.id
            );
        }
        assert_eq!(json["clean"], false);
        assert_eq!(json["counts"]["waived"], 1);
    }
}
