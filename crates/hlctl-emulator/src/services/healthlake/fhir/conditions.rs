//! What a write depends on: idempotency keys, searches for what is there, and versions.

use bytes::Bytes;
use uuid::Uuid;

use super::address;
use super::context::{Context, Input};
use super::draft::{Current, Draft};
use super::refusal::{Outcome, Refusal};
use super::search::{self, Hit, Row, View, Wanted};
use super::smart::Verb;

/// Refuses a key that is no UUID, or that a resource has been created under.
pub(super) fn check_key(draft: &Draft<'_>, cx: &Context<'_>, key: &str) -> Outcome<()> {
    if Uuid::try_parse(key).is_err() || key.len() != 36 {
        return Err(Refusal::invalid(format!("x-amz-fhir-idempotency-key \"{key}\" is not a UUID.")));
    }
    let collection = draft.collection();
    let Some((kind, id)) = collection.by_key(&key.to_ascii_lowercase()) else {
        return Ok(());
    };
    let refusal = Refusal::conflict(format!("{kind}/{id} has been created with this idempotency key."));
    let Some(first) = collection.versions(kind, id).first() else {
        return Err(refusal);
    };
    // The original is shown to those who may read it.
    let readable = |body: &Bytes| {
        cx.permit.reach(Verb::Read, kind).is_ok_and(|reach| reach.admits(kind, &Row::new(id, first.at, body)))
    };
    Err(match collection.body(first)?.filter(readable) {
        Some(body) => refusal.with_body(body),
        None => refusal,
    })
}

/// The resource that keeps a conditional create from creating another.
pub(super) fn existing(draft: &Draft<'_>, cx: &Context<'_>, kind: &'static str, input: &Input) -> Outcome<Option<Hit>> {
    let Some(conditions) = &input.if_none_exist else {
        return Ok(None);
    };
    let query = address::parameters(conditions.trim_start_matches('?').as_bytes());
    only_match(draft, cx, kind, &query)
}

/// The one resource that fits; a refusal if several do.
pub(super) fn only_match(
    draft: &Draft<'_>,
    cx: &Context<'_>,
    kind: &'static str,
    query: &[(String, String)],
) -> Outcome<Option<Hit>> {
    let filters = search::conditions(kind, query, cx.home)?;
    let reach = cx.permit.reach(Verb::Search, kind)?;
    let wanted = Wanted { kind, filters: &filters, reach: &reach, view: View::immediate(cx.now) };
    let (mut hits, next) = wanted.page(draft.collection(), 0, 1)?;
    if next.is_some() {
        return Err(Refusal::precondition(format!(
            "More than one {kind} fits: the conditions are not selective enough."
        )));
    }
    Ok(hits.pop())
}

/// `If-Match: W/"n"` and `If-None-Match: *`.
pub(super) fn check_preconditions(current: Option<&Current>, input: &Input) -> Outcome<()> {
    let there = current.filter(|current| current.body.is_some());
    if let Some(wanted) = &input.if_match {
        let number = wanted.trim().trim_start_matches("W/").trim_matches('"');
        let found = there.map(|current| current.version.to_string());
        if found.as_deref() != Some(number) {
            let found = found.map_or("none".to_owned(), |found| format!("W/\"{found}\""));
            return Err(Refusal::precondition(format!("If-Match is {wanted}, but the current version is {found}.")));
        }
    }
    match input.if_none_match.as_deref().map(str::trim) {
        Some("*") if there.is_some() => Err(Refusal::precondition("If-None-Match is *, but the resource is there.")),
        Some("*") | None => Ok(()),
        Some(other) => Err(Refusal::invalid(format!("If-None-Match can only be *, not {other}."))),
    }
}
