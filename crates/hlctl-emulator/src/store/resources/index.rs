//! What is known of each version but its JSON.

use std::collections::{BTreeMap, HashMap};

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Write;
use super::bodies::Span;

/// The request that led to a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Method {
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// One version of a resource. Its number is its place among the versions, from one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Version {
    pub(crate) at: Timestamp,
    pub(crate) method: Method,
    /// Grows from version to version in the whole datastore.
    pub(crate) sequence: u32,
    /// `None` for a deletion.
    pub(super) span: Option<Span>,
}

impl Version {
    pub(crate) fn is_deletion(&self) -> bool {
        self.span.is_none()
    }
}

/// A version as a line of the index file holds it.
#[derive(Serialize, Deserialize)]
pub(super) struct Record {
    #[serde(rename = "type")]
    kind: String,
    id: String,
    at: Timestamp,
    method: Method,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    span: Option<Span>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

impl Record {
    pub(super) fn new(write: Write, span: Option<Span>) -> Self {
        Self { kind: write.kind, id: write.id, at: write.at, method: write.method, span, key: write.key }
    }
}

/// Nearly all resources have one version only, which needs no list.
enum Versions {
    One(Version),
    Many(Vec<Version>),
}

impl Versions {
    fn as_slice(&self) -> &[Version] {
        match self {
            Self::One(version) => std::slice::from_ref(version),
            Self::Many(versions) => versions,
        }
    }

    fn push(&mut self, version: Version) {
        match self {
            Self::One(first) => *self = Self::Many(vec![*first, version]),
            Self::Many(versions) => versions.push(version),
        }
    }
}

#[derive(Default)]
pub(super) struct Index {
    /// By type, then by id in the order of first creation.
    kinds: BTreeMap<String, IndexMap<Box<str>, Versions>>,
    /// Type and id by idempotency key.
    keys: HashMap<Box<str>, (Box<str>, Box<str>)>,
    sequence: u32,
    body_end: u64,
}

impl Index {
    pub(super) fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// Where the JSON of the next version goes.
    pub(super) fn body_end(&self) -> u64 {
        self.body_end
    }

    pub(super) fn versions(&self, kind: &str, id: &str) -> &[Version] {
        self.kinds.get(kind).and_then(|ids| ids.get(id)).map_or(&[], Versions::as_slice)
    }

    pub(super) fn kinds(&self) -> impl Iterator<Item = &str> {
        self.kinds.keys().map(String::as_str)
    }

    pub(super) fn at(&self, kind: &str, place: usize) -> Option<(&str, &[Version])> {
        self.kinds.get(kind)?.get_index(place).map(|(id, versions)| (&**id, versions.as_slice()))
    }

    pub(super) fn count(&self, kind: &str) -> usize {
        self.kinds.get(kind).map_or(0, IndexMap::len)
    }

    pub(super) fn place(&self, kind: &str, id: &str) -> Option<usize> {
        self.kinds.get(kind)?.get_index_of(id)
    }

    pub(super) fn by_key(&self, key: &str) -> Option<(&str, &str)> {
        self.keys.get(key).map(|(kind, id)| (&**kind, &**id))
    }

    pub(super) fn apply(&mut self, records: Vec<Record>) {
        for record in records {
            self.apply_one(record);
        }
    }

    fn apply_one(&mut self, record: Record) {
        self.sequence += 1;
        if let Some(span) = record.span {
            self.body_end = self.body_end.max(span.next());
        }
        if let Some(key) = record.key {
            self.keys.insert(key.into(), (record.kind.as_str().into(), record.id.as_str().into()));
        }
        let version = Version { at: record.at, method: record.method, sequence: self.sequence, span: record.span };
        let ids = match self.kinds.get_mut(&record.kind) {
            Some(ids) => ids,
            None => self.kinds.entry(record.kind).or_default(),
        };
        match ids.get_mut(record.id.as_str()) {
            Some(versions) => versions.push(version),
            None => drop(ids.insert(record.id.into(), Versions::One(version))),
        }
    }
}
