//! The order that `_sort` asks for. What has no value comes last, whichever way the order goes.

use std::cmp::Ordering;

use serde_json::Value;

use super::date::Instant;
use super::parameter::{Kind, Parameter};
use super::query::{Order, SortKey};
use super::run::{Go, Hit, Wanted};
use super::{date, path};
use crate::services::healthlake::fhir::document::value_of;
use crate::services::healthlake::fhir::refusal::Outcome;
use crate::store::resources::Collection;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Text(String),
    Instant(Instant),
}

/// The places of all matches in the order asked for; those that are equal stay in the order of first creation.
///
/// Only the keys are kept meanwhile: all matches together may be much.
pub(super) fn sorted(collection: &Collection, wanted: &Wanted<'_>, orders: &[Order]) -> Outcome<Vec<usize>> {
    let mut keyed: Vec<(Vec<Option<Key>>, usize)> = Vec::new();
    wanted.each(collection, 0, &mut |hit| {
        keyed.push((keys(&hit, orders), hit.place));
        Go::On
    })?;
    keyed.sort_by(|(one, _), (other, _)| {
        let pairs = one.iter().zip(other).zip(orders);
        pairs.map(|((one, other), order)| compare(one, other, order)).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
    });
    Ok(keyed.into_iter().map(|(_, place)| place).collect())
}

fn compare(one: &Option<Key>, other: &Option<Key>, order: &Order) -> Ordering {
    match (one, other) {
        (Some(one), Some(other)) if order.descending => other.cmp(one),
        (Some(one), Some(other)) => one.cmp(other),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

fn keys(hit: &Hit, orders: &[Order]) -> Vec<Option<Key>> {
    let value = value_of(&hit.body);
    orders
        .iter()
        .map(|order| match order.by {
            SortKey::Id => Some(Key::Text(hit.id.clone())),
            SortKey::Updated => Some(Key::Instant(hit.at.into())),
            SortKey::Parameter(parameter) => smallest(&value, parameter),
        })
        .collect()
}

/// The least of the parameter's values, by which R4 sorts.
fn smallest(value: &Value, parameter: &Parameter) -> Option<Key> {
    let elements = path::all(value, parameter.paths);
    let keys = elements.iter().filter_map(|element| match parameter.kind {
        Kind::Date => date::of_element(element).map(|range| Key::Instant(range.from)),
        _ => first_text(element).map(Key::Text),
    });
    keys.min()
}

fn first_text(element: &Value) -> Option<String> {
    match element {
        Value::String(text) => Some(text.to_lowercase()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Array(items) => items.first().and_then(first_text),
        _ => None,
    }
}

/// Elements of resources that are of a primitive type, by which a search can sort. `name` is one where it is no HumanName.
const PRIMITIVE: &[&str] = &[
    "active",
    "actual",
    "alias",
    "criticality",
    "deceased?",
    "description",
    "disposition",
    "gender",
    "intent",
    "lifecycleStatus",
    "lotNumber",
    "manufacturer",
    "modelNumber",
    "name",
    "publisher",
    "questionnaire",
    "status",
    "title",
    "url",
    "use",
    "valueString",
    "version",
];

/// Types whose `name` is a HumanName, or has parts of its own.
const WITH_PARTS_OF_NAMES: &[&str] = &["Patient", "Person", "Practitioner", "RelatedPerson"];

/// Whether a search can sort by a parameter: nested elements are not supported (HealthLake developer guide, FHIR R4 search
/// parameters).
pub(super) fn is_sortable(kind: &str, parameter: &Parameter) -> bool {
    let is_plain = |path: &str| {
        let is_primitive = match path {
            "name" => !WITH_PARTS_OF_NAMES.contains(&kind),
            // A code in some types, and a CodeableConcept in those of the money.
            "priority" => ["MedicationRequest", "ServiceRequest", "Task", "RequestGroup"].contains(&kind),
            _ => PRIMITIVE.contains(&path),
        };
        is_primitive || (parameter.kind == Kind::Date && !path.contains(['.', '[']))
    };
    matches!(parameter.kind, Kind::Date | Kind::Text | Kind::Token | Kind::Uri)
        && parameter.paths.iter().all(|path| is_plain(path))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use crate::services::healthlake::fhir::search::parameter::find;

    #[test]
    fn nested_elements_are_not_sorted_by() {
        for (kind, name, expected) in [
            ("Patient", "birthdate", true),
            ("Patient", "gender", true),
            ("Patient", "name", false),
            ("Patient", "family", false),
            ("Patient", "address-city", false),
            ("Patient", "identifier", false),
            ("Patient", "_tag", false),
            ("Organization", "name", true),
            ("Observation", "date", true),
            ("Observation", "status", true),
            ("Observation", "code", false),
            ("Observation", "value-quantity", false),
            ("Observation", "subject", false),
        ] {
            assert_eq!(is_sortable(kind, find(kind, name).unwrap()), expected, "{kind} {name}");
        }
    }
}
