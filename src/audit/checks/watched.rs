//! What hlctl does not set and only watches.

use super::super::{CheckResult, Evidence, Judgement};
use super::by_faults;
use hlctl_resources::Kind;
use hlctl_resources::answers::{NOT_LOOKED_AT, UNKNOWN_MEMBERS, notes, unexpected};

/// Whether the state has accepted it or not.
pub(in crate::audit) fn nothing(evidence: &Evidence) -> Vec<CheckResult> {
    let judged = Kind::ALL.iter().flat_map(|kind| {
        evidence.each_or(*kind, (Judgement::NotApplicable, "it is not there"), |_, attributes| {
            let found = unexpected(attributes);
            let is_whole = !attributes.contains_key(NOT_LOOKED_AT) && !attributes.contains_key(UNKNOWN_MEMBERS);
            match (found.is_empty(), is_whole) {
                (true, false) => (Judgement::NotCheckable, notes(attributes).join("; ")),
                _ => by_faults(&found, "everything that is watched is as hlctl leaves it"),
            }
        })
    });
    judged.collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use serde_json::json;

    use super::super::tests::evidence;
    use super::*;

    fn judged(attributes: serde_json::Value) -> Vec<Judgement> {
        let evidence = evidence(&[("s3_bucket.data", attributes)]);
        nothing(&evidence).iter().map(|verdict| verdict.judgement).collect()
    }

    #[test]
    fn what_opens_a_door_fails_and_what_was_not_looked_at_does_not_pass() {
        assert_eq!(judged(json!({"name": "b"})), [Judgement::Pass]);
        assert_eq!(judged(json!({"watched": {"GetBucketReplication.Role": "r"}})), [Judgement::Fail]);
        assert_eq!(judged(json!({"not_looked_at": {"GetBucketAcl": "AccessDenied"}})), [Judgement::NotCheckable]);
    }
}
