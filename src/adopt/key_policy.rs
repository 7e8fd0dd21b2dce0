//! Whom the policy of a key lets in.
//!
//! hlctl's own policy names the account and one administrator at most (`kms_admin_iam_arn`). Anybody else is named in the report and
//! never made an administrator.

use serde_json::Value;

use super::protections::{matches, texts};

/// What makes somebody an administrator of a key (KMS developer guide, "Allows key administrators to administer the KMS key").
const ADMINISTRATION: [&str; 2] = ["kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"];

/// The principals that a key's policy allows something, other than the account itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct LetIn {
    /// Those that may administer the key, without any condition.
    pub administrators: Vec<String>,
    /// The others, each with what it may do.
    pub others: Vec<(String, String)>,
}

impl LetIn {
    /// Reads a policy; one that is no JSON lets nobody in.
    pub fn of(policy: &str) -> Self {
        let policy: Value = serde_json::from_str(policy).unwrap_or_default();
        let statements = match &policy["Statement"] {
            Value::Array(all) => all.iter().collect(),
            one => vec![one],
        };
        let mut found = Self::default();
        for statement in statements.into_iter().filter(|statement| statement["Effect"] == "Allow") {
            let actions = texts(&statement["Action"]);
            let allows = |action: &&str| actions.iter().any(|pattern| matches(pattern, action));
            let administers = ADMINISTRATION.iter().all(allows) && statement.get("Condition").is_none();
            let arns = texts(&statement["Principal"]["AWS"]).into_iter();
            for arn in arns.filter(|arn| arn.starts_with("arn:") && !arn.ends_with(":root")) {
                if !administers {
                    found.others.push((arn, actions.join(", ")));
                } else if !found.administrators.contains(&arn) {
                    found.administrators.push(arn);
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn arn(name: &str) -> String {
        format!("arn:aws:iam::111122223333:role/{name}")
    }

    #[test]
    fn only_somebody_who_may_administer_the_key_is_an_administrator() {
        let policy = json!({"Statement": [
            {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*"},
            {"Effect": "Deny", "Principal": {"AWS": arn("denied")}, "Action": "kms:*"},
            {"Effect": "Allow", "Principal": {"AWS": arn("reader")}, "Action": ["kms:Decrypt", "kms:Describe*"]},
            {"Effect": "Allow", "Principal": {"AWS": arn("bound")}, "Action": "kms:*", "Condition": {"Bool": {"a": "b"}}},
            {"Effect": "Allow", "Principal": {"AWS": ["AIDAEXAMPLE", arn("one"), arn("two")]},
                "Action": ["kms:Put*", "kms:ScheduleKeyDeletion"]},
            {"Effect": "Allow", "Principal": {"AWS": arn("one")}, "Action": "kms:*"},
        ]});
        let found = LetIn::of(&policy.to_string());
        assert_eq!(found.administrators, [arn("one"), arn("two")]);
        let others = [(arn("reader"), "kms:Decrypt, kms:Describe*".to_owned()), (arn("bound"), "kms:*".to_owned())];
        assert_eq!(found.others, others);
        let one = json!({"Statement": {"Effect": "Allow", "Principal": {"AWS": arn("one")}, "Action": "*"}});
        assert_eq!(LetIn::of(&one.to_string()).administrators, [arn("one")]);
        assert_eq!(LetIn::of("no policy"), LetIn::default());
    }
}
