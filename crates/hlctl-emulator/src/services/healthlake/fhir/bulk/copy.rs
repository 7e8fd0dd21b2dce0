//! The resources of one datastore as they were, in another: what a restore does.

use jiff::Timestamp;

use super::issue::{Place, current};
use crate::error::Error;
use crate::services::healthlake::fhir::document::Document;
use crate::services::healthlake::fhir::resource::{self, Resource};
use crate::store::resources::{Method, Resources, Write};

/// How far a step of a copy has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::services::healthlake) enum Copied {
    Some,
    All,
}

/// Copies the next resources, at most `most`: the newest version that each had at the instant `at`, as the first
/// version of the copy, with the time at which it was last changed.
pub(in crate::services::healthlake) fn copy(
    resources: &mut Resources,
    (from, to): (&str, &str),
    at: Timestamp,
    place: &mut Place,
    most: usize,
) -> Result<Copied, Error> {
    let collection = resources.of_store(from)?;
    let here = place.kind.as_deref();
    let Some(kind) = collection.kinds().find(|kind| here.is_none_or(|here| *kind >= here)).map(ToOwned::to_owned)
    else {
        return Ok(Copied::All);
    };
    if place.kind.as_ref() != Some(&kind) {
        *place = Place { kind: Some(kind.clone()), place: 0 };
    }
    let end = place.place.saturating_add(most).min(collection.count(&kind));
    let reader = collection.reader();
    let mut writes = Vec::new();
    for (id, versions) in (place.place..end).filter_map(|place| collection.at(&kind, place)) {
        let Some(version) = current(versions, at) else { continue };
        let Some(body) = reader.body(version)? else { continue };
        writes.push(Write {
            kind: kind.clone(),
            id: id.to_owned(),
            at: version.at,
            method: Method::Put,
            body: Some(as_first_version(&body, id, version.at)),
            key: None,
        });
    }
    *place = if end >= collection.count(&kind) {
        Place { kind: Some(format!("{kind} ")), place: 0 }
    } else {
        Place { kind: Some(kind), place: end }
    };
    let copies = resources.of_store(to)?;
    // Some may be there already, if a process was killed before it could note how far it had come.
    writes.retain(|write| copies.versions(&write.kind, &write.id).is_empty());
    copies.commit(writes)?;
    Ok(Copied::Some)
}

fn as_first_version(body: &[u8], id: &str, at: Timestamp) -> Vec<u8> {
    match Document::parse(body).map(Resource::unchecked) {
        Ok(Ok(resource)) => resource::stamped(resource, id, 1, at),
        _ => body.to_vec(),
    }
}
