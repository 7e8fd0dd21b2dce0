//! What an interaction works with.

use std::cell::Cell;

use jiff::Timestamp;

use super::bulk::{Level, examine};
use super::document::Document;
use super::refusal::{Outcome, Refusal};
use super::resource::Resource;
use super::search::{Setting, View};
use super::smart::Permit;
use crate::ids::Ids;

/// What is the same for all interactions of a request.
pub(super) struct Context<'a> {
    /// To the millisecond.
    pub(super) now: Timestamp,
    pub(super) ids: &'a Ids,
    /// The interface's address as the caller knows it.
    pub(super) base: &'a str,
    /// What stands before the type in an address of this datastore, whatever the host.
    pub(super) home: &'a str,
    pub(super) permit: &'a Permit,
    pub(super) view: View,
    /// Whether unknown search parameters are passed over.
    pub(super) lenient: bool,
    /// How strictly resources are looked at.
    pub(super) level: Level,
    /// The profiles that the datastore has been given.
    pub(super) profiles: &'a [String],
    /// Whether something is wrong with a resource that was kept all the same.
    pub(super) flawed: &'a Cell<bool>,
}

impl Context<'_> {
    pub(super) fn setting(&self) -> Setting<'_> {
        Setting { home: self.home, lenient: self.lenient }
    }

    /// A resource that is to be stored as one of `kind`.
    pub(super) fn accept(&self, document: Document, kind: &str) -> Outcome<Resource> {
        let resource = Resource::unchecked(document)?;
        // What a resource is of, and its id, decide where it is kept: no level overlooks them.
        resource.check_identity(kind)?;
        let (resource, flaw) = examine(resource, kind, self.level, self.profiles)?;
        self.flawed.set(self.flawed.get() || flaw.is_some());
        Ok(resource)
    }
}

/// What an interaction is given, by HTTP or by an entry of a Bundle.
#[derive(Default)]
pub(super) struct Input {
    pub(super) query: Vec<(String, String)>,
    /// The resource, or the patch.
    pub(super) content: Option<Document>,
    pub(super) if_match: Option<String>,
    pub(super) if_none_match: Option<String>,
    /// The query of a conditional create.
    pub(super) if_none_exist: Option<String>,
    pub(super) idempotency_key: Option<String>,
    /// The id that a create gives, where it has been promised already.
    pub(super) id: Option<String>,
}

impl Input {
    pub(super) fn take_content(&mut self) -> Outcome<Document> {
        self.content.take().ok_or_else(|| Refusal::invalid("The resource is missing."))
    }

    /// Parameters without those that say how to answer.
    pub(super) fn conditions(&self) -> Vec<(String, String)> {
        self.query.iter().filter(|(name, _)| name != "_format" && name != "_pretty").cloned().collect()
    }
}
