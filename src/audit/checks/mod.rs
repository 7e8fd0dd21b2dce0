//! The judgements, by what they are about. Pure.

pub(super) mod access;
pub(super) mod buckets;
pub(super) mod documents;
pub(super) mod pool;
pub(super) mod store;
pub(super) mod validator;
pub(super) mod watched;

use serde_json::Value;

use super::Judgement;
use hlctl_resources::Attributes;

/// Judges an attribute by its value, and tells it.
fn by_value(attributes: &Attributes, name: &str, holds: impl Fn(&Value) -> bool) -> (Judgement, String) {
    let value = attributes.get(name).unwrap_or(&Value::Null);
    (Judgement::of(holds(value)), reported(name, value))
}

fn reported(name: &str, value: &Value) -> String {
    match value {
        Value::Null => format!("{name} is not set"),
        value => format!("{name} = {value}"),
    }
}

/// Everything that is wrong, or that nothing is.
fn by_faults(faults: &[String], right: &str) -> (Judgement, String) {
    if faults.is_empty() { (Judgement::Pass, right.to_owned()) } else { (Judgement::Fail, faults.join("; ")) }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::collections::BTreeMap;

    use serde_json::Value;

    use super::super::{CHECKS, CheckResult, Evidence, EvidenceRead};
    use super::Judgement;
    use hlctl_model::address::Address;
    use hlctl_resources::Identity;

    pub(in crate::audit) const ACCOUNT: &str = "111122223333";

    pub(in crate::audit) fn evidence(resources: &[(&str, Value)]) -> Evidence {
        let looked = resources.iter().map(|(address, attributes)| {
            let looked = match attributes {
                Value::Object(attributes) => EvidenceRead::Seen { attributes: attributes.clone(), ending: None },
                Value::String(why) => EvidenceRead::Unreadable(why.clone()),
                _ => EvidenceRead::Absent,
            };
            (Address::parse(*address), looked)
        });
        let identity = Identity {
            account: ACCOUNT.into(),
            region: "us-east-1".into(),
            partition: "aws".into(),
            caller: String::new(),
        };
        Evidence { identity, production: true, looked: looked.collect(), foreign: BTreeMap::new() }
    }

    pub(in crate::audit) fn verdicts(check: &str, evidence: &Evidence) -> Vec<CheckResult> {
        (CHECKS.iter().find(|found| found.name == check).unwrap().judge)(evidence)
    }

    /// The judgement of the only resource.
    pub(in crate::audit) fn judged(check: &str, address: &str, attributes: Value) -> Judgement {
        let found = verdicts(check, &evidence(&[(address, attributes)]));
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].judgement
    }

    #[test]
    fn what_may_not_be_read_or_is_gone_is_neither_pass_nor_fail() {
        let evidence = evidence(&[("kms_key.a", "denied".into()), ("kms_key.b", Value::Null)]);
        let found = verdicts("key-rotation", &evidence);
        assert!(found.iter().all(|verdict| verdict.judgement == Judgement::NotCheckable), "{found:?}");
        assert_eq!(found[0].seen, "denied");
    }

    #[test]
    fn a_stack_without_a_kind_has_no_verdicts_on_it() {
        let nothing = evidence(&[]);
        assert!(CHECKS.iter().all(|check| (check.judge)(&nothing).is_empty()));
    }
}
