//! Changes that are made together or not at all.

use std::collections::HashMap;

use bytes::Bytes;
use jiff::Timestamp;

use super::answer::Written;
use super::refusal::{Outcome, Refusal};
use super::resource;
use crate::store::resources::{Collection, Method, Write};

/// The resources of a datastore with changes on top that nobody else sees yet.
pub(super) struct Draft<'c> {
    collection: &'c mut Collection,
    writes: Vec<Write>,
    /// The newest change to each resource.
    changed: HashMap<(&'static str, String), usize>,
}

/// The newest version of a resource.
pub(super) struct Current {
    pub(super) version: usize,
    pub(super) at: Timestamp,
    /// `None` if the resource is deleted.
    pub(super) body: Option<Bytes>,
}

/// A change to one resource.
pub(super) struct Change {
    pub(super) kind: &'static str,
    pub(super) id: String,
    pub(super) at: Timestamp,
    pub(super) method: Method,
    pub(super) resource: Option<resource::Resource>,
    pub(super) key: Option<String>,
}

impl<'c> Draft<'c> {
    pub(super) fn new(collection: &'c mut Collection) -> Self {
        Self { collection, writes: Vec::new(), changed: HashMap::new() }
    }

    /// What there was before the draft.
    pub(super) fn collection(&self) -> &Collection {
        self.collection
    }

    /// The newest version of a resource, changes included.
    pub(super) fn current(&self, kind: &'static str, id: &str) -> Outcome<Option<Current>> {
        let versions = self.collection.versions(kind, id);
        let place = self.changed.get(&(kind, id.to_owned()));
        if let Some(write) = place.and_then(|place| self.writes.get(*place)) {
            let body = write.body.clone().map(Bytes::from);
            return Ok(Some(Current { version: versions.len() + 1, at: write.at, body }));
        }
        let Some(newest) = versions.last() else {
            return Ok(None);
        };
        Ok(Some(Current { version: versions.len(), at: newest.at, body: self.collection.body(newest)? }))
    }

    /// Adds a change and gives the version that it leads to, with its JSON.
    pub(super) fn change(&mut self, change: Change) -> Outcome<(Written, Option<Bytes>)> {
        let key = (change.kind, change.id.clone());
        if self.changed.contains_key(&key) {
            return Err(Refusal::invalid(format!(
                "{}/{} is changed twice: a transaction changes a resource once.",
                change.kind, change.id
            )));
        }
        let version = self.collection.versions(change.kind, &change.id).len() + 1;
        let body = change.resource.map(|resource| resource::stamped(resource, &change.id, version, change.at));
        if body.as_ref().is_some_and(|body| body.len() > resource::LARGEST) {
            return Err(Refusal::too_large(format!("The resource is larger than {} bytes.", resource::LARGEST)));
        }
        let written = Written { kind: change.kind, id: change.id.clone(), version, at: change.at };
        self.changed.insert(key, self.writes.len());
        self.writes.push(Write {
            kind: change.kind.to_owned(),
            id: change.id,
            at: change.at,
            method: change.method,
            body: body.clone(),
            key: change.key,
        });
        Ok((written, body.map(Bytes::from)))
    }

    /// Makes all changes.
    pub(super) fn commit(self) -> Outcome<()> {
        self.collection.commit(self.writes).map_err(Refusal::from)
    }
}
