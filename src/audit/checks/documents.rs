//! What policy documents let happen. They are in the form that [`hlctl_resources::policy::normalise`] gives.

use serde_json::{Map, Value};

/// The statements that allow something.
pub(super) fn allowing(document: &Value) -> impl Iterator<Item = &Map<String, Value>> {
    statements(document).filter(|statement| statement.get("Effect").is_some_and(|effect| effect == "Allow"))
}

/// The statements that deny something.
pub(super) fn denying(document: &Value) -> impl Iterator<Item = &Map<String, Value>> {
    statements(document).filter(|statement| statement.get("Effect").is_some_and(|effect| effect == "Deny"))
}

fn statements(document: &Value) -> impl Iterator<Item = &Map<String, Value>> {
    document.get("Statement").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

/// How a statement is spoken of.
pub(super) fn name_of(statement: &Map<String, Value>) -> String {
    match statement.get("Sid").and_then(Value::as_str) {
        Some(sid) if !sid.is_empty() => format!("statement {sid}"),
        _ => "a statement without a name".to_owned(),
    }
}

/// The strings of a member that is one or a list of them.
pub(super) fn strings<'a>(statement: &'a Map<String, Value>, member: &str) -> Vec<&'a str> {
    match statement.get(member) {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Who a statement is about: pairs of a type and a principal. Everyone is `("AWS", "*")`.
pub(super) fn principals(statement: &Map<String, Value>) -> Vec<(&str, &str)> {
    match statement.get("Principal") {
        Some(Value::String(text)) => vec![("AWS", text)],
        Some(Value::Object(members)) => members
            .keys()
            .flat_map(|kind| strings(members, kind).into_iter().map(move |who| (kind.as_str(), who)))
            .collect(),
        _ => Vec::new(),
    }
}

/// Whether a principal of the type `AWS` is of this account. Ids of what was deleted have no account and count as others'.
pub(super) fn is_of_account(who: &str, account: &str) -> bool {
    who == account || who.split(':').nth(4) == Some(account)
}

/// The values of every condition on a key, whatever the operator; names of keys count in any case.
pub(super) fn conditions<'a>(statement: &'a Map<String, Value>, key: &str) -> Vec<&'a str> {
    let operators = statement.get("Condition").and_then(Value::as_object);
    let keys = operators.into_iter().flat_map(Map::values).filter_map(Value::as_object);
    keys.flat_map(|keys| {
        keys.iter().filter(|(name, _)| name.eq_ignore_ascii_case(key)).flat_map(|(name, _)| strings(keys, name))
    })
    .collect()
}

/// The values of the conditions on a key that ask for one of them: not those of negations, nor of what counts without the key as well.
pub(super) fn asked_for<'a>(statement: &'a Map<String, Value>, key: &str) -> Vec<&'a str> {
    const OPERATORS: [&str; 5] = ["StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike"];
    let operators = statement.get("Condition").and_then(Value::as_object);
    let asks = |name: &str| OPERATORS.iter().any(|operator| name.eq_ignore_ascii_case(operator));
    let keys = operators.into_iter().flatten().filter(|(name, _)| asks(name)).filter_map(|(_, keys)| keys.as_object());
    keys.flat_map(|keys| {
        keys.iter().filter(|(name, _)| name.eq_ignore_ascii_case(key)).flat_map(|(name, _)| strings(keys, name))
    })
    .collect()
}

/// Whether a statement has just this one condition.
pub(super) fn has_only_condition(
    statement: &Map<String, Value>,
    operator: &str,
    key: &str,
    holds: impl Fn(&str) -> bool,
) -> bool {
    let Some(operators) = statement.get("Condition").and_then(Value::as_object) else { return false };
    let Some(keys) = operators.get(operator).and_then(Value::as_object) else { return false };
    let values = conditions(statement, key);
    operators.len() == 1 && keys.len() == 1 && !values.is_empty() && values.iter().all(|value| holds(value))
}
