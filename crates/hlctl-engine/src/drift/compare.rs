//! Judges one resource from three sides. Pure.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{AttributeFinding, AttributeVerdict};
use crate::plan::parts;
use hlctl_model::{Attributes, Rule, SECRET};

/// What the three sides say of one resource.
#[derive(Clone, Copy, Debug)]
pub struct Sides<'a> {
    /// What the configuration asks for; `None` where it is gone, or asks for the resource no longer.
    pub config: Option<&'a Attributes>,
    /// What the state remembers.
    pub state: &'a Attributes,
    /// What AWS says.
    pub aws: &'a Attributes,
}

/// Compares every attribute that the configuration asks for or the state remembers. What nobody asked for is left alone, as
/// in a plan.
pub fn compare(rules: &[Rule], sides: Sides<'_>) -> Vec<AttributeFinding> {
    let asked = sides.config.into_iter().flat_map(Attributes::keys);
    let names: BTreeSet<&String> = match sides.config {
        Some(_) => asked.collect(),
        None => sides.state.keys().collect(),
    };
    names.into_iter().flat_map(|name| attribute(rules, name, sides)).collect()
}

fn attribute(rules: &[Rule], name: &str, sides: Sides<'_>) -> Vec<AttributeFinding> {
    let rule = rules.iter().find(|rule| rule.attribute == name);
    let is_document = rule.is_some_and(|rule| rule.document);
    let is_enough = |config, aws| rule.is_some_and(|rule| rule.is_enough(config, aws));
    let of = |side: &Attributes| parts(is_document, side.get(name));
    let (state, aws) = (of(sides.state), of(sides.aws));
    let config = sides.config.map_or_else(|| state.clone(), of);
    // What the state has never heard of cannot have been changed since.
    let remembered = sides.state.contains_key(name);
    let keys: BTreeSet<&Option<String>> = config.keys().chain(state.keys()).chain(aws.keys()).collect();
    let findings = keys.into_iter().map(|part| {
        let (config, state, aws) = (config.get(part), state.get(part), aws.get(part));
        AttributeFinding {
            attribute: name.to_owned(),
            part: part.clone(),
            verdict: match is_enough(config, aws) {
                true => AttributeVerdict::Clean,
                false => judge(config, state.or(if remembered { None } else { aws }), aws),
            },
            config: config.filter(|_| sides.config.is_some()).cloned(),
            state: state.cloned(),
            aws: aws.cloned(),
        }
    });
    let (clean, others): (Vec<_>, Vec<_>) = findings.partition(|finding| finding.verdict == AttributeVerdict::Clean);
    if others.is_empty() && !clean.is_empty() { vec![as_it_should_be(name)] } else { others }
}

/// Three values say less than one word where they are the same.
fn as_it_should_be(name: &str) -> AttributeFinding {
    AttributeFinding {
        attribute: name.to_owned(),
        part: None,
        verdict: AttributeVerdict::Clean,
        config: None,
        state: None,
        aws: None,
    }
}

fn judge(config: Option<&Value>, state: Option<&Value>, aws: Option<&Value>) -> AttributeVerdict {
    let is_secret = |value: Option<&Value>| value.and_then(Value::as_str) == Some(SECRET);
    if is_secret(aws) && is_secret(state) {
        return if is_secret(config) { AttributeVerdict::NotCheckable } else { AttributeVerdict::Pending };
    }
    if aws == config {
        return AttributeVerdict::Clean;
    }
    if aws != state {
        return AttributeVerdict::Drifted;
    }
    AttributeVerdict::Pending
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::needless_pass_by_value,
        reason = "a test may panic, and values are written in place"
    )]

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use hlctl_model::UNKNOWN;

    const RULES: &[Rule] = &[Rule::document("policy")];

    fn attributes(value: Value) -> Attributes {
        value.as_object().unwrap().clone()
    }

    fn verdicts(config: Option<Value>, state: Value, aws: Value) -> Vec<(String, AttributeVerdict)> {
        let config = config.map(attributes);
        let (state, aws) = (attributes(state), attributes(aws));
        let found = compare(RULES, Sides { config: config.as_ref(), state: &state, aws: &aws });
        let name = |found: &AttributeFinding| match &found.part {
            Some(part) => format!("{}[{part}]", found.attribute),
            None => found.attribute.clone(),
        };
        found.iter().map(|found| (name(found), found.verdict)).collect()
    }

    fn one(config: Value, state: Value, aws: Value) -> AttributeVerdict {
        let verdicts = verdicts(Some(json!({"a": config})), json!({"a": state}), json!({"a": aws}));
        assert_eq!(verdicts.len(), 1, "{verdicts:?}");
        verdicts[0].1
    }

    #[test]
    fn each_attribute_is_judged_from_three_sides() {
        assert_eq!(one(json!(1), json!(1), json!(1)), AttributeVerdict::Clean);
        assert_eq!(one(json!(1), json!(1), json!(2)), AttributeVerdict::Drifted);
        assert_eq!(one(json!(2), json!(1), json!(1)), AttributeVerdict::Pending);
        assert_eq!(one(json!(3), json!(1), json!(2)), AttributeVerdict::Drifted);
        // Somebody has done by hand what the configuration asks for.
        assert_eq!(one(json!(2), json!(1), json!(2)), AttributeVerdict::Clean);
        assert_eq!(one(json!(1), json!(1), Value::Null), AttributeVerdict::Drifted);
        assert_eq!(one(json!(UNKNOWN), json!(1), json!(1)), AttributeVerdict::Pending);
    }

    #[test]
    fn a_secret_cannot_be_checked_but_one_that_is_not_there_is_missed() {
        assert_eq!(one(json!(SECRET), json!(SECRET), json!(SECRET)), AttributeVerdict::NotCheckable);
        assert_eq!(one(json!("(sensitive, changed)"), json!(SECRET), json!(SECRET)), AttributeVerdict::Pending);
        assert_eq!(one(json!(SECRET), json!(SECRET), Value::Null), AttributeVerdict::Drifted);
    }

    #[test]
    fn a_variable_that_somebody_added_is_drift_even_if_it_is_not_shown() {
        let found = verdicts(
            Some(json!({"environment": {"A": "1"}})),
            json!({"environment": {"A": "1"}}),
            json!({"environment": {"A": "1", "B": SECRET}}),
        );
        assert_eq!(found, [("environment[B]".to_owned(), AttributeVerdict::Drifted)]);
    }

    #[test]
    fn maps_and_documents_are_judged_part_by_part() {
        let policy = |action: &str| json!({"Version": "2012-10-17", "Statement": [{"Sid": "A", "Action": [action]}]});
        let found = verdicts(
            Some(json!({"tags": {"a": "1", "b": "2"}, "policy": policy("x")})),
            json!({"tags": {"a": "1"}, "policy": policy("x")}),
            json!({"tags": {"a": "9"}, "policy": policy("y")}),
        );
        let expected = [
            ("policy[A]", AttributeVerdict::Drifted),
            ("tags[a]", AttributeVerdict::Drifted),
            ("tags[b]", AttributeVerdict::Pending),
        ];
        assert_eq!(found, expected.map(|(name, verdict)| (name.to_owned(), verdict)));
    }

    #[test]
    fn without_a_configuration_the_state_alone_is_the_measure() {
        let found = verdicts(None, json!({"a": 1, "b": 2}), json!({"a": 1, "b": 3, "c": 4}));
        let expected = [("a", AttributeVerdict::Clean), ("b", AttributeVerdict::Drifted)];
        assert_eq!(found, expected.map(|(name, verdict)| (name.to_owned(), verdict)));
    }

    #[test]
    fn what_the_configuration_newly_asks_for_is_no_drift() {
        let found = verdicts(Some(json!({"nlp": "ENABLED"})), json!({}), json!({"nlp": "DISABLED"}));
        assert_eq!(found, [("nlp".to_owned(), AttributeVerdict::Pending)]);
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (0..3).prop_map(Value::from),
            "[ab]".prop_map(Value::from),
            Just(json!(SECRET)),
            Just(json!(UNKNOWN)),
        ];
        leaf.prop_recursive(2, 8, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[xy]", inner, 0..3).prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    fn side() -> impl Strategy<Value = Attributes> {
        prop::collection::btree_map(prop_oneof![Just("policy".to_owned()), "[pq]"], value(), 0..3)
            .prop_map(|map| map.into_iter().collect())
    }

    proptest! {
        #[test]
        fn what_aws_has_as_the_configuration_asks_is_never_drift(config in side(), state in side()) {
            let found = compare(RULES, Sides { config: Some(&config), state: &state, aws: &config });
            prop_assert!(found.iter().all(|found| found.verdict != AttributeVerdict::Drifted), "{found:?}");
        }

        #[test]
        fn what_aws_has_as_the_state_remembers_is_never_drift(config in side(), state in side()) {
            let found = compare(RULES, Sides { config: Some(&config), state: &state, aws: &state });
            prop_assert!(found.iter().all(|found| found.verdict != AttributeVerdict::Drifted), "{found:?}");
        }

        #[test]
        fn any_three_sides_can_be_compared(config in side(), state in side(), aws in side()) {
            compare(RULES, Sides { config: Some(&config), state: &state, aws: &aws });
            compare(RULES, Sides { config: None, state: &state, aws: &aws });
        }
    }
}
