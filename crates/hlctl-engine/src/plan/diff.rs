//! What differs between what is wanted and what is. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use hlctl_model::{AttributeChange, Attributes, Rule};

/// Compares what is wanted with what is, or with nothing. Attributes that nobody asked for are left alone.
pub fn diff(rules: &[Rule], wanted: &Attributes, seen: Option<&Attributes>) -> Vec<AttributeChange> {
    wanted
        .iter()
        .flat_map(|(name, after)| {
            let rule = rules.iter().find(|rule| rule.attribute == name);
            let before = seen.and_then(|seen| seen.get(name)).filter(|before| !before.is_null());
            let is_new = seen.is_none();
            let after = Some(after).filter(|after| !after.is_null());
            if !is_new && rule.is_some_and(|rule| rule.is_enough(after, before)) {
                return Vec::new();
            }
            let change = Differing {
                attribute: name,
                replaces: rule.and_then(|rule| rule.replaces).filter(|_| !is_new),
                document: rule.is_some_and(|rule| rule.document),
            };
            change.between(before, after)
        })
        .collect()
}

/// The parts by which an attribute is compared: the members of a map, the statements of a document, or the value as a whole,
/// which has no name. What is absent, or null, has none.
pub fn parts(is_document: bool, value: Option<&Value>) -> BTreeMap<Option<String>, Value> {
    let named = |members: Map<String, Value>| members.into_iter().map(|(name, value)| (Some(name), value)).collect();
    match value.filter(|value| !value.is_null()) {
        None => BTreeMap::new(),
        Some(document) if is_document => named(statements(Some(document))),
        Some(Value::Object(members)) => named(members.clone()),
        Some(whole) => BTreeMap::from([(None, whole.clone())]),
    }
}

struct Differing<'a> {
    attribute: &'a str,
    replaces: Option<&'static str>,
    document: bool,
}

impl Differing<'_> {
    fn between(&self, before: Option<&Value>, after: Option<&Value>) -> Vec<AttributeChange> {
        if before == after {
            return Vec::new();
        }
        if self.document {
            return self.members(&statements(before), &statements(after));
        }
        match (before, after) {
            (None | Some(Value::Object(_)), Some(Value::Object(after))) => {
                let before = before.and_then(Value::as_object).cloned().unwrap_or_default();
                self.members(&before, after)
            }
            _ => vec![self.change(None, before.cloned(), after.cloned())],
        }
    }

    fn members(&self, before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<AttributeChange> {
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        names
            .into_iter()
            .filter(|name| before.get(*name) != after.get(*name))
            .map(|name| self.change(Some(name.clone()), before.get(name).cloned(), after.get(name).cloned()))
            .collect()
    }

    fn change(&self, part: Option<String>, before: Option<Value>, after: Option<Value>) -> AttributeChange {
        AttributeChange {
            attribute: self.attribute.to_owned(),
            part,
            before,
            after,
            replaces: self.replaces.map(str::to_owned),
            document: self.document,
        }
    }
}

/// A document's version, and its statements by their ids, or by their places where they have none.
fn statements(document: Option<&Value>) -> Map<String, Value> {
    let Some(document) = document else {
        return Map::new();
    };
    let Some(list) = document.get("Statement").and_then(Value::as_array) else {
        return Map::from_iter([("whole document".to_owned(), document.clone())]);
    };
    let version = document.get("Version").cloned().unwrap_or_else(|| "2008-10-17".into());
    let mut by_id: Map<String, Value> = Map::from_iter([("Version".to_owned(), version)]);
    for (place, statement) in list.iter().enumerate() {
        let id = statement.get("Sid").and_then(Value::as_str).filter(|id| !id.is_empty() && !by_id.contains_key(*id));
        let id = id.map_or_else(|| format!("statement {}", place + 1), str::to_owned);
        by_id.insert(id, statement.clone());
    }
    by_id
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const RULES: &[Rule] = &[Rule::replaces("name", "no"), Rule::document("policy")];

    fn attributes(value: Value) -> Attributes {
        match value {
            Value::Object(members) => members,
            other => panic!("{other} is no object"),
        }
    }

    #[test]
    fn equal_attributes_differ_in_nothing() {
        let same = attributes(json!({"name": "a", "tags": {"k": "v"}, "policy": {"Statement": []}, "none": null}));
        assert_eq!(diff(RULES, &same, Some(&same)), []);
    }

    #[test]
    fn a_map_differs_member_by_member() {
        let changes = diff(
            RULES,
            &attributes(json!({"tags": {"a": "1", "b": "2"}})),
            Some(&attributes(json!({"tags": {"b": "3", "c": "4"}}))),
        );
        let reported: Vec<_> =
            changes.iter().map(|change| (change.part.as_deref(), &change.before, &change.after)).collect();
        assert_eq!(
            reported,
            [
                (Some("a"), &None, &Some(json!("1"))),
                (Some("b"), &Some(json!("3")), &Some(json!("2"))),
                (Some("c"), &Some(json!("4")), &None),
            ]
        );
    }

    #[test]
    fn a_document_differs_statement_by_statement() {
        let before = json!({"policy": {"Statement": [{"Sid": "A", "Action": ["x"]}, {"Sid": "B"}]}});
        let after = json!({"policy": {"Statement": [{"Sid": "A", "Action": ["y"]}, {"Sid": "B"}]}});
        let changes = diff(RULES, &attributes(after), Some(&attributes(before)));
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].part.as_deref(), Some("A"));
    }

    #[test]
    fn only_existing_things_can_need_replacing() {
        let wanted = attributes(json!({"name": "b"}));
        assert!(diff(RULES, &wanted, None)[0].replaces.is_none());
        assert!(diff(RULES, &wanted, Some(&attributes(json!({"name": "a"}))))[0].replaces.is_some());
    }

    #[test]
    fn what_nobody_asked_for_is_left_alone() {
        assert_eq!(diff(RULES, &Attributes::new(), Some(&attributes(json!({"extra": 1})))), []);
    }
}
