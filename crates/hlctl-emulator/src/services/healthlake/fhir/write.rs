//! Create, update, patch and delete.
//!
//! Where AWS documents nothing, this is what happens here: an update without an id in the resource is refused; an
//! update of a resource that is deleted brings it back (201); an idempotency key is kept for as long as the
//! datastore; a patch that does not apply is answered with 422; conditions see all that is written,
//! whatever searches see; a resource that was never there cannot be deleted (404, as the developer guide has it).

use bytes::Bytes;
use jiff::Timestamp;

use super::answer::{Answer, Written};
use super::conditions::{check_key, check_preconditions, existing, only_match};
use super::context::{Context, Input};
use super::document::{Document, Patch};
use super::draft::{Change, Current, Draft};
use super::refusal::{Outcome, Refusal};
use super::search::Row;
use super::smart::{Reach, Verb};
use crate::store::resources::Method;

pub(super) fn create(draft: &mut Draft<'_>, cx: &Context<'_>, kind: &'static str, mut input: Input) -> Outcome<Answer> {
    let reach = cx.permit.reach(Verb::Create, kind)?;
    let resource = cx.accept(input.take_content()?, kind)?;
    if let Some(key) = &input.idempotency_key {
        check_key(draft, cx, key)?;
    }
    if let Some(hit) = existing(draft, cx, kind, &input)? {
        let version = Some(Written { kind, id: hit.id, version: hit.version, at: hit.at });
        return Ok(Answer::of(200, Some(hit.body), version));
    }
    let id = input.id.take().unwrap_or_else(|| cx.ids.uuid());
    let change = Change {
        kind,
        id,
        at: cx.now,
        method: Method::Post,
        resource: Some(resource),
        key: input.idempotency_key.take().map(|key| key.to_ascii_lowercase()),
    };
    store(draft, change, &reach, 201)
}

pub(super) fn update(
    draft: &mut Draft<'_>,
    cx: &Context<'_>,
    kind: &'static str,
    id: &str,
    mut input: Input,
) -> Outcome<Answer> {
    refuse_audit(kind)?;
    let reach = cx.permit.reach(Verb::Update, kind)?;
    let resource = cx.accept(input.take_content()?, kind)?;
    match resource.text("id") {
        Some(own) if own == id => {}
        Some(own) => {
            return Err(Refusal::invalid(format!("The resource's id {own} is not that of the address, {id}.")));
        }
        None => return Err(Refusal::invalid(format!("The resource has no id; it must be {id}."))),
    }
    let current = draft.current(kind, id)?;
    check_preconditions(current.as_ref(), &input)?;
    let exists = check_reach(current.as_ref(), &reach, kind, id)?.is_some();
    let change =
        Change { kind, id: id.to_owned(), at: cx.now, method: Method::Put, resource: Some(resource), key: None };
    store(draft, change, &reach, if exists { 200 } else { 201 })
}

/// Updates what the query finds, or creates it.
pub(super) fn update_by_query(
    draft: &mut Draft<'_>,
    cx: &Context<'_>,
    kind: &'static str,
    mut input: Input,
) -> Outcome<Answer> {
    let found = only_match(draft, cx, kind, &input.conditions())?;
    let own = input.content.as_ref().and_then(|content| content.get("id")?.as_text()).map(ToOwned::to_owned);
    match (found, own) {
        (Some(hit), Some(own)) if own != hit.id => {
            Err(Refusal::invalid(format!("The resource's id {own} is not that of the one that fits, {}.", hit.id)))
        }
        (Some(hit), _) => {
            if let Some(content) = &mut input.content {
                content.set("id", hit.id.as_str().into());
            }
            update(draft, cx, kind, &hit.id, input)
        }
        (None, Some(own)) => update(draft, cx, kind, &own, input),
        (None, None) => create(draft, cx, kind, input),
    }
}

pub(super) fn patch(
    draft: &mut Draft<'_>,
    cx: &Context<'_>,
    kind: &'static str,
    id: &str,
    mut input: Input,
) -> Outcome<Answer> {
    refuse_audit(kind)?;
    let reach = cx.permit.reach(Verb::Update, kind)?;
    let patch = Patch::read(&input.take_content()?)?;
    let current = draft.current(kind, id)?;
    check_preconditions(current.as_ref(), &input)?;
    let Some(body) = check_reach(current.as_ref(), &reach, kind, id)? else {
        return Err(missing(current.as_ref(), kind, id));
    };
    let mut document = stored(&body)?;
    patch.apply(&mut document)?;
    if document.get("id").and_then(Document::as_text) != Some(id) {
        return Err(Refusal::unprocessable("A patch cannot change the id."));
    }
    let change = Change {
        kind,
        id: id.to_owned(),
        at: cx.now,
        method: Method::Patch,
        resource: Some(cx.accept(document, kind)?),
        key: None,
    };
    store(draft, change, &reach, 200)
}

/// A resource whose JSON is kept. What cannot be read is not patched, for what came of it would be another resource.
fn stored(body: &[u8]) -> Outcome<Document> {
    Document::parse(body).map_err(|error| Refusal::failed(format!("The stored resource cannot be read: {error}.")))
}

/// Deleting what is deleted already succeeds and changes nothing.
pub(super) fn delete(
    draft: &mut Draft<'_>,
    cx: &Context<'_>,
    kind: &'static str,
    id: &str,
    input: &Input,
) -> Outcome<Answer> {
    refuse_audit(kind)?;
    let reach = cx.permit.reach(Verb::Delete, kind)?;
    let current = draft.current(kind, id)?;
    check_preconditions(current.as_ref(), input)?;
    let gone = |version| Answer::of(204, None, version);
    if check_reach(current.as_ref(), &reach, kind, id)?.is_none() {
        return match current {
            Some(_) => Ok(gone(None)),
            None => Err(missing(None, kind, id)),
        };
    }
    let change = Change { kind, id: id.to_owned(), at: cx.now, method: Method::Delete, resource: None, key: None };
    let (written, _) = draft.change(change)?;
    Ok(gone(Some(written)))
}

/// Deletes what the query finds.
pub(super) fn delete_by_query(
    draft: &mut Draft<'_>,
    cx: &Context<'_>,
    kind: &'static str,
    input: &Input,
) -> Outcome<Answer> {
    match only_match(draft, cx, kind, &input.conditions())? {
        Some(hit) => delete(draft, cx, kind, &hit.id, input),
        None => Err(Refusal::not_found(format!("No {kind} fits."))),
    }
}

/// Adds a change whose outcome the caller may reach.
fn store(draft: &mut Draft<'_>, change: Change, reach: &Reach<'_>, status: u16) -> Outcome<Answer> {
    let (kind, id, at) = (change.kind, change.id.clone(), change.at);
    if let (Reach::Within(_), Some(resource)) = (reach, &change.resource) {
        admit(reach, kind, &id, at, &resource.to_bytes())?;
    }
    let (written, body) = draft.change(change)?;
    Ok(Answer::of(status, body, Some(written)))
}

fn admit(reach: &Reach<'_>, kind: &str, id: &str, at: Timestamp, body: &[u8]) -> Outcome<()> {
    if reach.admits(kind, &Row::new(id, at, body)) {
        return Ok(());
    }
    Err(Refusal::forbidden(format!("The token's scopes do not reach {kind}/{id}.")))
}

/// The JSON of a resource that is there, if the caller may reach it.
pub(super) fn check_reach(
    current: Option<&Current>,
    reach: &Reach<'_>,
    kind: &str,
    id: &str,
) -> Outcome<Option<Bytes>> {
    let Some((at, body)) = current.and_then(|current| current.body.clone().map(|body| (current.at, body))) else {
        return Ok(None);
    };
    admit(reach, kind, id, at, &body)?;
    Ok(Some(body))
}

pub(super) fn missing(current: Option<&Current>, kind: &str, id: &str) -> Refusal {
    match current {
        Some(_) => Refusal::gone(format!("{kind}/{id} has been deleted.")),
        None => Refusal::not_found(format!("{kind}/{id} was not found.")),
    }
}

/// AuditEvents are never changed (HealthLake developer guide).
fn refuse_audit(kind: &str) -> Outcome<()> {
    if kind == "AuditEvent" {
        return Err(Refusal::not_supported(405, "An AuditEvent can be neither changed nor deleted."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn what_is_kept_and_cannot_be_read_is_no_empty_resource() {
        let refusal = stored(br#"{"resourceType":"Patient","active":true,"active":false}"#).unwrap_err();
        assert_eq!((refusal.status, refusal.text()), (500, "The stored resource cannot be read: active comes twice."));
        assert!(stored(br#"{"resourceType":"Patient"}"#).unwrap().get("resourceType").is_some());
    }
}
