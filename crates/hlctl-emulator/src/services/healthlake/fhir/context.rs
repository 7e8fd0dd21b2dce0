//! What an interaction works with.

use jiff::Timestamp;

use super::document::Document;
use super::refusal::{Outcome, Refusal};
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
}

impl Context<'_> {
    pub(super) fn setting(&self) -> Setting<'_> {
        Setting { home: self.home, lenient: self.lenient }
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
