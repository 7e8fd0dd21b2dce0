//! The elements that a search parameter looks at.

use serde_json::Value;

static TRUE: Value = Value::Bool(true);
static FALSE: Value = Value::Bool(false);

/// Whether a path is such as `deceased?`: that is true where an element of the choice is there and not false, and false everywhere else.
pub(super) fn is_computed(path: &str) -> bool {
    path.ends_with('?')
}

/// All elements at `path` in `value`, such as `name.family` or `telecom[system=phone]`. Lists are gone through.
/// Of a computed path it is the one value that it has.
pub(super) fn elements<'v>(value: &'v Value, path: &str) -> Vec<&'v Value> {
    if let Some(stem) = path.strip_suffix('?') {
        let is_choice = |name: &str| {
            name.strip_prefix(stem).is_some_and(|kind| kind.starts_with(|first: char| first.is_ascii_uppercase()))
        };
        let mut members = value.as_object().into_iter().flatten();
        let holds = members.any(|(name, member)| is_choice(name) && *member != FALSE);
        return vec![if holds { &TRUE } else { &FALSE }];
    }
    let mut found = vec![value];
    for step in path.split('.') {
        let (name, wanted) = match step.split_once('[') {
            Some((name, condition)) => (name, condition.trim_end_matches(']').split_once('=')),
            None => (step, None),
        };
        let mut next = Vec::new();
        for value in found {
            match value.get(name) {
                Some(Value::Array(items)) => next.extend(items),
                Some(item) => next.push(item),
                None => {}
            }
        }
        if let Some((member, text)) = wanted {
            next.retain(|item| item.get(member).and_then(Value::as_str) == Some(text));
        }
        found = next;
    }
    found
}

/// All elements at any of `paths`.
pub(in super::super) fn all<'v>(value: &'v Value, paths: &[&str]) -> Vec<&'v Value> {
    paths.iter().flat_map(|path| elements(value, path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_computed_path_is_true_where_there_is_something_that_is_not_false() {
        for (patient, wanted) in [
            (json!({"deceasedBoolean": true}), true),
            (json!({"deceasedDateTime": "2020"}), true),
            (json!({"deceasedBoolean": false}), false),
            (json!({"deceased": true, "deceasedly": true, "_deceasedDateTime": {"id": "x"}}), false),
            (json!({}), false),
        ] {
            assert_eq!(elements(&patient, "deceased?"), [&json!(wanted)], "{patient}");
        }
    }

    #[test]
    fn lists_are_gone_through_and_conditions_choose() {
        let patient = json!({
            "name": [{"given": ["A", "B"]}, {"given": ["C"]}],
            "telecom": [{"system": "phone", "value": "1"}, {"system": "email", "value": "2"}],
        });
        assert_eq!(elements(&patient, "name.given"), ["A", "B", "C"]);
        assert_eq!(elements(&patient, "telecom[system=email].value"), ["2"]);
        assert!(elements(&patient, "address.city").is_empty());
    }
}
