//! What fails and is excused, for a while. Pure; the day is an argument.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::{Check, CheckResult, Judgement, Severity};
use hlctl_config::Waiver;
use hlctl_model::address::Address;

/// A check's result for one resource, or for the stack where it has no such resource.
#[derive(Clone, Debug)]
pub struct AuditFinding {
    /// The check.
    pub check: &'static Check,
    /// The resource.
    pub address: Option<Address>,
    /// How it came out.
    pub status: CheckStatus,
    /// What was seen.
    pub seen: String,
    /// The waiver that excuses it, or that did until it ran out.
    pub waiver: Option<Waiver>,
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckStatus {
    /// It failed.
    Fail,
    /// It could not be checked.
    NotCheckable,
    /// It failed or could not be checked, and is excused.
    Waived,
    /// It passed.
    Pass,
    /// The question does not arise.
    NotApplicable,
}

impl CheckStatus {
    /// All of them, the worst first.
    pub const ALL: [Self; 5] = [Self::Fail, Self::NotCheckable, Self::Waived, Self::Pass, Self::NotApplicable];

    /// For programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::NotCheckable => "not_checkable",
            Self::Waived => "waived",
            Self::Pass => "pass",
            Self::NotApplicable => "not_applicable",
        }
    }

    /// For people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fail => "failed",
            Self::NotCheckable => "not checkable",
            Self::Waived => "waived",
            Self::Pass => "passed",
            Self::NotApplicable => "not applicable",
        }
    }
}

/// Everything that an audit has to say.
#[derive(Clone, Debug)]
pub struct Reviewed {
    /// One for each check and resource, the worst first.
    pub findings: Vec<AuditFinding>,
    /// Waivers that excuse nothing: what they were for passes, or is gone.
    pub unused: Vec<Waiver>,
}

impl Reviewed {
    /// How many came out so.
    pub fn count(&self, status: CheckStatus) -> usize {
        self.findings.iter().filter(|finding| finding.status == status).count()
    }

    /// Whether every check passed, does not apply or is excused. What could not be checked is no pass.
    pub fn is_clean(&self) -> bool {
        self.count(CheckStatus::Fail) == 0 && self.count(CheckStatus::NotCheckable) == 0
    }
}

/// Lays the waivers over the verdicts. `today` decides which have run out.
pub fn review(judged: Vec<(&'static Check, Vec<CheckResult>)>, waivers: &[Waiver], today: Date) -> Reviewed {
    let mut used = BTreeSet::new();
    let mut findings = Vec::new();
    for (check, verdicts) in judged {
        if verdicts.is_empty() {
            let seen = "the stack has no such resource".to_owned();
            findings.push(AuditFinding {
                check,
                address: None,
                status: CheckStatus::NotApplicable,
                seen,
                waiver: None,
            });
        }
        for verdict in verdicts {
            let status = match verdict.judgement {
                Judgement::Pass => CheckStatus::Pass,
                Judgement::Fail => CheckStatus::Fail,
                Judgement::NotCheckable => CheckStatus::NotCheckable,
                Judgement::NotApplicable => CheckStatus::NotApplicable,
            };
            let mut finding =
                AuditFinding { check, address: Some(verdict.address), status, seen: verdict.seen, waiver: None };
            if matches!(status, CheckStatus::Fail | CheckStatus::NotCheckable) {
                used.extend(excuse(&mut finding, waivers, today));
            }
            findings.push(finding);
        }
    }
    findings.sort_by_key(|finding| (finding.status, severity_of(finding), finding.check.id, finding.address.clone()));
    let unused = waivers.iter().enumerate().filter(|(place, _)| !used.contains(place));
    Reviewed { findings, unused: unused.map(|(_, waiver)| waiver.clone()).collect() }
}

fn severity_of(finding: &AuditFinding) -> Severity {
    finding.check.severity
}

/// Excuses a finding by the waiver that lasts longest of those that are for it. The places of all that are for it.
fn excuse(finding: &mut AuditFinding, waivers: &[Waiver], today: Date) -> Vec<usize> {
    let address = finding.address.as_ref().map(Address::as_str);
    let fits = |waiver: &Waiver| {
        waiver.check == finding.check.id && waiver.resource.as_deref().is_none_or(|resource| Some(resource) == address)
    };
    let fitting: Vec<(usize, &Waiver)> = waivers.iter().enumerate().filter(|(_, waiver)| fits(waiver)).collect();
    if let Some((_, waiver)) = fitting.iter().max_by_key(|(_, waiver)| waiver.expires) {
        if today <= waiver.expires {
            finding.status = CheckStatus::Waived;
        } else {
            finding.seen.push_str(&format!("; its waiver expired on {}", waiver.expires));
        }
        finding.waiver = Some((*waiver).clone());
    }
    fitting.into_iter().map(|(place, _)| place).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use jiff::civil::date;

    use super::super::CHECKS;
    use super::*;

    fn waiver(resource: Option<&str>, expires: Date) -> Waiver {
        Waiver {
            check: CHECKS[1].id.to_owned(),
            resource: resource.map(str::to_owned),
            reason: "because".to_owned(),
            expires,
            place: None,
        }
    }

    fn failing() -> Vec<(&'static Check, Vec<CheckResult>)> {
        let verdict =
            |name: &str, judgement| CheckResult { address: Address::parse(name), judgement, seen: "x".to_owned() };
        vec![
            (&CHECKS[0], vec![]),
            (
                &CHECKS[1],
                vec![
                    verdict("kms_key.a", Judgement::Fail),
                    verdict("kms_key.b", Judgement::NotCheckable),
                    verdict("kms_key.c", Judgement::Pass),
                ],
            ),
        ]
    }

    fn statuses(reviewed: &Reviewed) -> Vec<&'static str> {
        reviewed.findings.iter().map(|finding| finding.status.as_str()).collect()
    }

    const DAY: Date = date(2026, 5, 4);

    #[test]
    fn what_could_not_be_checked_is_no_pass() {
        let reviewed = review(failing(), &[], DAY);
        assert_eq!(statuses(&reviewed), ["fail", "not_checkable", "pass", "not_applicable"]);
        assert!(!reviewed.is_clean());
        let excused = review(failing(), &[waiver(Some("kms_key.a"), DAY)], DAY);
        assert_eq!(statuses(&excused), ["not_checkable", "waived", "pass", "not_applicable"]);
        assert!(!excused.is_clean());
    }

    #[test]
    fn a_waiver_counts_on_its_last_day_and_not_on_the_next() {
        let on = |today| review(failing(), &[waiver(None, DAY)], today);
        assert!(on(DAY).is_clean());
        let after = on(DAY.tomorrow().unwrap());
        assert_eq!(statuses(&after)[0], "fail");
        assert_eq!(after.findings[0].seen, "x; its waiver expired on 2026-05-04");
        assert!(after.unused.is_empty(), "it is not unused, it is over");
    }

    #[test]
    fn a_waiver_for_one_resource_is_for_no_other() {
        let reviewed = review(failing(), &[waiver(Some("kms_key.c"), DAY)], DAY);
        assert_eq!(reviewed.count(CheckStatus::Waived), 0);
        assert_eq!(reviewed.unused.len(), 1);
    }

    #[test]
    fn of_two_waivers_the_longer_counts() {
        let waivers = [waiver(None, DAY), waiver(None, DAY.tomorrow().unwrap())];
        assert!(review(failing(), &waivers, DAY.tomorrow().unwrap()).is_clean());
    }
}
