//! The order that `_sort` asks for. What has no value comes last, whichever way the order goes.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::Value;

use super::parameter::{Kind, Parameter};
use super::query::{Order, SortKey};
use super::run::{Go, Hit, Wanted};
use super::{date, path};
use crate::services::healthlake::fhir::refusal::Outcome;
use crate::store::resources::Collection;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Text(String),
    Instant(Timestamp),
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
    let value: Value = serde_json::from_slice(&hit.body).unwrap_or_default();
    orders
        .iter()
        .map(|order| match order.by {
            SortKey::Id => Some(Key::Text(hit.id.clone())),
            SortKey::Updated => Some(Key::Instant(hit.at)),
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
    const MEMBERS: [&str; 8] = ["family", "text", "code", "value", "line", "city", "given", "display"];
    match element {
        Value::String(text) => Some(text.to_lowercase()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Object(members) => match members.get("coding").and_then(|codings| codings.get(0)) {
            Some(coding) => first_text(coding),
            None => MEMBERS.iter().find_map(|name| members.get(*name)).and_then(first_text),
        },
        Value::Array(items) => items.first().and_then(first_text),
        _ => None,
    }
}
