//! What a plan would no longer forbid or guard.
//!
//! An adoption replaces the policies that are there with hlctl's. A `Deny` that somebody added to one of them must not disappear
//! unnoticed, so each is named in words.

use serde_json::Value;

use crate::plan::{Action, Plan};
use hlctl_model::AttributeChange;

/// Each protection that the plan takes away, in words, with its address.
pub fn taken_away(plan: &Plan) -> Vec<String> {
    let changes = plan.changes.iter().filter(|change| change.action.changes_aws());
    changes
        .flat_map(|change| {
            let statements: Vec<&Value> =
                change.attributes.iter().filter(|one| one.document).filter_map(|one| one.after.as_ref()).collect();
            change
                .attributes
                .iter()
                .filter_map(move |one| {
                    refusal(one, &statements).or_else(|| guard(one)).or_else(|| deletion(change.action, one))
                })
                .map(|words| format!("{}: {words}", change.address))
        })
        .collect()
}

/// A statement that denies something which no statement of the new policy denies.
fn refusal(change: &AttributeChange, after: &[&Value]) -> Option<String> {
    let before = change.before.as_ref().filter(|statement| change.document && statement["Effect"] == "Deny")?;
    if after.iter().any(|after| covers(after, before)) {
        return None;
    }
    let list = |name: &str| texts(&before[name]).join(", ");
    let what = match (list("Action"), list("NotAction")) {
        (actions, _) if !actions.is_empty() => actions,
        (_, others) => format!("all but {others}"),
    };
    let condition = before.get("Condition").map(|condition| format!(" where {condition}")).unwrap_or_default();
    let name = change.part.as_deref().unwrap_or("a statement");
    Some(format!("{}'s {name:?} no longer refuses {what}{condition}", change.attribute))
}

/// A setting that guards data and is switched off.
fn guard(change: &AttributeChange) -> Option<String> {
    let is_off = change.after.as_ref().is_none_or(|after| matches!(after, Value::Null | Value::Bool(false)));
    let words = match (change.attribute.as_str(), change.before.as_ref()?) {
        ("kms_key_arn" | "kms_master_key_id", Value::String(key)) if is_off => {
            format!("no longer encrypted with {key}")
        }
        ("source_account", Value::String(account)) if is_off => format!("no longer confined to the account {account}"),
        ("deletion_protection", before) if *before == "ACTIVE" => "no longer protected against deletion".to_owned(),
        ("mfa", before) if *before == "ON" => "users no longer need a second factor".to_owned(),
        ("reserved_concurrency", before) if *before == 0 => "the function may run again".to_owned(),
        ("password_policy", before) => return weaker_passwords(change.part.as_deref()?, before, change.after.as_ref()),
        (name, Value::Bool(true)) if is_off => format!("{name} is switched off"),
        _ => return None,
    };
    Some(words)
}

/// A member of a password policy that asks for less.
fn weaker_passwords(member: &str, before: &Value, after: Option<&Value>) -> Option<String> {
    let number = |value: Option<&Value>| value.and_then(Value::as_i64).unwrap_or_default();
    let (was, is) = (number(Some(before)), number(after));
    let is_weaker = match member {
        "temporary_password_validity_days" => is > was,
        _ if before.is_boolean() => *before == true && after != Some(&Value::Bool(true)),
        _ => is < was,
    };
    is_weaker.then(|| format!("passwords: {member} was {before}"))
}

/// What is deleted earlier than before, or no longer where somebody wanted it deleted. What was kept for ever has no number of days.
fn deletion(action: Action, one: &AttributeChange) -> Option<String> {
    if action == Action::Create {
        return None;
    }
    let (what, by) = match one.attribute.as_str() {
        "retention_in_days" => ("logs", String::new()),
        "rules" => ("objects", format!(", by the rule {:?}", one.part.as_deref()?)),
        _ => return None,
    };
    let is_rule = one.attribute == "rules";
    let days = |value: Option<&Value>| match value {
        Some(rule) if is_rule => rule["expiration_days"].as_i64().filter(|_| rule["status"] == "Enabled"),
        other => other.and_then(Value::as_i64),
    };
    match (days(one.before.as_ref()), days(one.after.as_ref())) {
        (was, Some(is)) if was.is_none_or(|was| is < was) => {
            let was = was.map_or_else(|| "for ever".to_owned(), |days| format!("for {days} days"));
            Some(format!("{what} that were kept {was} are deleted after {is}{by}"))
        }
        (Some(was), None) => Some(format!("{what} are no longer deleted after {was} days{by}")),
        _ => None,
    }
}

/// Whether one statement denies all that another does.
fn covers(after: &Value, before: &Value) -> bool {
    let is_subset = |name: &str| {
        let (before, after) = (texts(&before[name]), texts(&after[name]));
        !before.is_empty() && before.iter().all(|text| after.iter().any(|pattern| matches(pattern, text)))
    };
    let same = |name: &str| before.get(name) == after.get(name);
    after["Effect"] == "Deny"
        && (is_everyone(&after["Principal"]) || same("Principal"))
        && (is_subset("Action") || (same("Action") && same("NotAction")))
        && (is_subset("Resource") || (same("Resource") && same("NotResource")))
        && condition_covers(after.get("Condition"), before.get("Condition"))
}

/// A condition narrows a refusal: without one it covers any. Of TLS's versions the newer refuses more.
fn condition_covers(after: Option<&Value>, before: Option<&Value>) -> bool {
    let Some(after) = after.and_then(Value::as_object) else { return true };
    let Some(before) = before.and_then(Value::as_object) else { return false };
    let oldest = |condition: &serde_json::Map<String, Value>| {
        let versions = condition.get("NumericLessThan").filter(|_| condition.len() == 1)?.as_object()?;
        let version = versions.get("s3:TlsVersion").filter(|_| versions.len() == 1)?;
        texts(version).first()?.parse::<f64>().ok()
    };
    match (oldest(after), oldest(before)) {
        (Some(after), Some(before)) => after >= before,
        _ => listed(&Value::Object(after.clone())) == listed(&Value::Object(before.clone())),
    }
}

/// The version of TLS below which a bucket's policy refuses all of S3 to everyone; none if it does not.
pub fn oldest_tls(policy: &Value) -> Option<String> {
    let statements = match &policy["Statement"] {
        Value::Array(all) => all.iter().collect(),
        one => vec![one],
    };
    statements.into_iter().find_map(|statement| {
        let is_for_all = statement["Effect"] == "Deny" && is_everyone(&statement["Principal"]);
        let condition =
            statement.get("Condition").and_then(Value::as_object).filter(|all| is_for_all && all.len() == 1)?;
        let is_whole = texts(&statement["Action"]) == ["s3:*"];
        texts(condition.get("NumericLessThan").filter(|_| is_whole)?.get("s3:TlsVersion")?).pop()
    })
}

fn is_everyone(principal: &Value) -> bool {
    *principal == "*" || texts(&principal["AWS"]) == ["*"]
}

/// The texts of a member that may be one or many; other scalars as JSON writes them.
pub(super) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::String(text) => vec![text.clone()],
        Value::Array(all) => all.iter().flat_map(texts).collect(),
        other => vec![other.to_string()],
    }
}

/// A condition with each value as a list of texts, by which `false`, `"false"` and `["false"]` are the same (IAM user guide,
/// "Condition element").
fn listed(condition: &Value) -> Value {
    match condition {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), listed(value))).collect(),
        other => texts(other).into(),
    }
}

/// Whether a pattern with a `*` at its end, or none, takes the text.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == text, |start| text.starts_with(start))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use serde_json::json;

    use super::*;

    fn deny(condition: &Value) -> Value {
        json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"],
            "Condition": condition})
    }

    fn change(name: &str, before: Option<Value>, after: Option<Value>, document: bool) -> AttributeChange {
        let part = document.then(|| "S".to_owned());
        AttributeChange { attribute: name.to_owned(), part, before, after, replaces: None, document }
    }

    #[test]
    fn a_refusal_under_another_name_and_in_another_form_is_the_same() {
        let (http, tls) =
            (json!({"Bool": {"aws:SecureTransport": "false"}}), json!({"NumericLessThan": {"s3:TlsVersion": "1.2"}}));
        let same = json!({"Effect": "Deny", "Principal": {"AWS": ["*"]}, "Action": ["s3:*"],
            "Resource": ["arn:aws:s3:::b/*", "arn:aws:s3:::b"], "Condition": {"Bool": {"aws:SecureTransport": ["false"]}}});
        assert!(covers(&same, &deny(&http)));
        assert!(covers(&deny(&json!({"NumericLessThan": {"s3:TlsVersion": ["1.3"]}})), &deny(&tls)));
        assert!(!covers(&deny(&tls), &deny(&json!({"NumericLessThan": {"s3:TlsVersion": ["1.3"]}}))));
        assert!(!covers(&deny(&http), &deny(&tls)));
        let mut narrow = deny(&http);
        narrow["Resource"] = json!("arn:aws:s3:::b");
        assert!(covers(&deny(&http), &narrow) && !covers(&narrow, &deny(&http)));
        narrow["Action"] = json!(["s3:GetObject"]);
        assert!(covers(&deny(&http), &narrow) && !covers(&narrow, &deny(&http)));
        let mut allowed = deny(&http);
        allowed["Effect"] = json!("Allow");
        assert!(!covers(&allowed, &deny(&http)));
    }

    #[test]
    fn a_refusal_that_goes_is_named_with_what_it_refuses() {
        let own = json!({"Effect": "Deny", "Principal": "*", "Action": ["s3:DeleteObject"], "Resource": ["arn:aws:s3:::b/*"]});
        let gone = change("policy", Some(own.clone()), None, true);
        let words = refusal(&gone, &[&deny(&json!({"Bool": {"aws:SecureTransport": ["false"]}}))]).unwrap();
        assert_eq!(words, "policy's \"S\" no longer refuses s3:DeleteObject");
        assert_eq!(refusal(&gone, &[&own]), None);
        let allow = change("policy", Some(json!({"Effect": "Allow", "Action": ["s3:*"]})), None, true);
        assert_eq!(refusal(&allow, &[]), None);
    }

    #[test]
    fn a_guard_that_is_switched_off_is_named() {
        let words = |name, before: Value, after: Value| guard(&change(name, Some(before), Some(after), false));
        assert!(words("rotation", json!(true), json!(false)).unwrap().contains("rotation is switched off"));
        assert!(words("kms_key_arn", json!("arn:k"), Value::Null).unwrap().contains("arn:k"));
        assert!(words("deletion_protection", json!("ACTIVE"), json!("INACTIVE")).is_some());
        assert_eq!(words("rotation", json!(false), json!(true)), None);
        assert_eq!(words("name", json!("a"), json!("b")), None);
    }

    #[test]
    fn what_is_deleted_earlier_than_before_is_named() {
        let of = |action, attribute: &str, before: Option<Value>, after: Option<Value>| {
            let part = (attribute == "rules").then(|| "r".to_owned());
            let one = AttributeChange {
                attribute: attribute.to_owned(),
                part,
                before,
                after,
                replaces: None,
                document: false,
            };
            deletion(action, &one)
        };
        let logs = |before, after| of(Action::Update, "retention_in_days", before, after);
        assert_eq!(logs(None, Some(json!(365))).unwrap(), "logs that were kept for ever are deleted after 365");
        assert_eq!(
            logs(Some(json!(400)), Some(json!(365))).unwrap(),
            "logs that were kept for 400 days are deleted after 365"
        );
        assert_eq!(logs(Some(json!(30)), Some(json!(365))), None);
        assert_eq!(of(Action::Create, "retention_in_days", None, Some(json!(365))), None);
        let rule = |status: &str, days: Value| Some(json!({"status": status, "expiration_days": days}));
        let rules = |before, after| of(Action::Update, "rules", before, after);
        let kept = rules(rule("Disabled", json!(1)), rule("Enabled", json!(9))).unwrap();
        assert_eq!(kept, "objects that were kept for ever are deleted after 9, by the rule \"r\"");
        assert!(rules(None, rule("Enabled", json!(9))).is_some());
        assert!(rules(rule("Enabled", json!(9)), None).unwrap().contains("no longer deleted after 9 days"));
        assert_eq!(rules(rule("Enabled", json!(9)), rule("Enabled", json!(9))), None);
        assert_eq!(rules(None, rule("Enabled", Value::Null)), None);
    }

    #[test]
    fn the_version_of_tls_that_a_policy_asks_for_is_found_in_either_form() {
        let policy = |statement: Value| oldest_tls(&json!({"Statement": statement}));
        let tls = deny(&json!({"NumericLessThan": {"s3:TlsVersion": "1.2"}}));
        assert_eq!(policy(json!([tls])).as_deref(), Some("1.2"));
        assert_eq!(policy(tls).as_deref(), Some("1.2"));
        assert_eq!(policy(deny(&json!({"Bool": {"aws:SecureTransport": "false"}}))), None);
    }
}
