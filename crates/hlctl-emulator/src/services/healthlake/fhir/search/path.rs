//! The elements that a search parameter looks at.

use serde_json::Value;

/// All elements at `path` in `value`, such as `name.family` or `telecom[system=phone]`. Lists are gone through.
pub(super) fn elements<'v>(value: &'v Value, path: &str) -> Vec<&'v Value> {
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
