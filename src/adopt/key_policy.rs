//! Whom the policy of a key lets in.
//!
//! hlctl's own policy names the account and one administrator at most (`kms_admin_iam_arn`), who may not use the key by it. What others
//! may do, and what an administrator may do beyond that, is named in the report and given to nobody.

use serde_json::Value;

use super::protections::{matches, texts};
use crate::module::KEY_ADMINISTRATION;

/// What makes somebody an administrator of a key (KMS developer guide, "Allows key administrators to administer the KMS key").
const ADMINISTRATION: [&str; 2] = ["kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"];

/// The principals that a key's policy allows something, other than the account itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct LetIn {
    /// Those that may administer the key, without any condition.
    pub administrators: Vec<String>,
    /// Principals with what they may do and an administrator of hlctl's may not.
    pub others: Vec<(String, String)>,
}

impl LetIn {
    /// Reads the policy of a key of this account; one that is no JSON lets nobody in.
    pub fn of(policy: &str, account: &str) -> Self {
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
            let more = more_than_administration(statement, &actions);
            let is_own = |name: &str| name == account || name.ends_with(&format!(":iam::{account}:root"));
            for name in principals(&statement["Principal"]).into_iter().filter(|name| !is_own(name)) {
                if !administers || !name.starts_with("arn:") || name.ends_with(":root") {
                    found.others.push((name, allowed(statement, &actions)));
                    continue;
                }
                found.others.extend(more.clone().map(|more| (name.clone(), more)));
                if !found.administrators.contains(&name) {
                    found.administrators.push(name);
                }
            }
        }
        found
    }
}

/// The names of a statement's principals, of accounts, services and others; `*` is everybody.
fn principals(principal: &Value) -> Vec<String> {
    match principal {
        Value::Object(kinds) => kinds.values().flat_map(texts).collect(),
        other => texts(other),
    }
}

/// What a statement allows, in words.
fn allowed(statement: &Value, actions: &[String]) -> String {
    match statement.get("NotAction") {
        Some(others) => format!("all but {}", texts(others).join(", ")),
        None => actions.join(", "),
    }
}

/// The actions that hlctl's statement for an administrator does not have.
fn more_than_administration(statement: &Value, actions: &[String]) -> Option<String> {
    let is_administration = |action: &String| KEY_ADMINISTRATION.iter().any(|pattern| matches(pattern, action));
    let more: Vec<String> = actions.iter().filter(|action| !is_administration(action)).cloned().collect();
    (!more.is_empty()).then(|| allowed(statement, &more))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ACCOUNT: &str = "111122223333";

    fn arn(name: &str) -> String {
        format!("arn:aws:iam::111122223333:role/{name}")
    }

    #[test]
    fn only_somebody_who_may_administer_the_key_is_an_administrator() {
        let policy = json!({"Statement": [
            {"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::111122223333:root", ACCOUNT]}, "Action": "kms:*"},
            {"Effect": "Deny", "Principal": {"AWS": arn("denied")}, "Action": "kms:*"},
            {"Effect": "Allow", "Principal": {"AWS": arn("reader")}, "Action": ["kms:Decrypt", "kms:Describe*"]},
            {"Effect": "Allow", "Principal": {"AWS": arn("bound")}, "Action": "kms:*", "Condition": {"Bool": {"a": "b"}}},
            {"Effect": "Allow", "Principal": {"AWS": [arn("one"), arn("two")]}, "Action": ["kms:Put*", "kms:ScheduleKeyDeletion"]},
            {"Effect": "Allow", "Principal": {"AWS": arn("one")}, "Action": ["kms:*"]},
        ]});
        let found = LetIn::of(&policy.to_string(), ACCOUNT);
        assert_eq!(found.administrators, [arn("one"), arn("two")]);
        let other = |name: String, what: &str| (name, what.to_owned());
        let others = [
            other(arn("reader"), "kms:Decrypt, kms:Describe*"),
            other(arn("bound"), "kms:*"),
            other(arn("one"), "kms:*"),
        ];
        assert_eq!(found.others, others);
        let one = json!({"Statement": {"Effect": "Allow", "Principal": {"AWS": arn("one")}, "Action": "*"}});
        assert_eq!(LetIn::of(&one.to_string(), ACCOUNT).administrators, [arn("one")]);
        assert_eq!(LetIn::of("no policy", ACCOUNT), LetIn::default());
    }

    #[test]
    fn other_accounts_services_and_everybody_are_named_and_administer_nothing() {
        let allow = |principal: Value| json!({"Effect": "Allow", "Principal": principal, "Action": "kms:*"});
        let policy = json!({"Statement": [
            allow(json!({"AWS": ["444455556666", "arn:aws:iam::444455556666:root"]})),
            allow(json!({"Service": "logs.amazonaws.com"})),
            allow(json!("*")),
            {"Effect": "Allow", "Principal": {"AWS": arn("one")}, "NotAction": ["kms:Decrypt"]},
        ]});
        let found = LetIn::of(&policy.to_string(), ACCOUNT);
        let names: Vec<&str> = found.others.iter().map(|(name, _)| name.as_str()).collect();
        let root = "arn:aws:iam::444455556666:root";
        assert_eq!(names, ["444455556666", root, "logs.amazonaws.com", "*", &arn("one")]);
        assert_eq!(found.others[4].1, "all but kms:Decrypt");
        assert_eq!(found.administrators, Vec::<String>::new());
    }
}
