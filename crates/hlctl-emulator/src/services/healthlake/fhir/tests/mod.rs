//! Laws of the interface, without HTTP; and callers with tokens, with a judge that says what the test wants.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]

mod laws;
mod tokens;

use std::cell::Cell;

use jiff::Timestamp;
use serde_json::Value;

use super::bulk::Level;
use super::context::{Context, Input};
use super::document::Document;
use super::draft::Draft;
use super::interaction::Interaction;
use super::refusal::Outcome;
use super::search::View;
use super::smart::Permit;
use super::{address, bundle, perform};
use crate::ids::Ids;
use crate::store::resources::Resources;

const BASE: &str = "http://127.0.0.1/datastore/s/r4/";

/// A datastore without anything around it.
struct Shelf {
    resources: Resources,
    ids: Ids,
}

impl Shelf {
    fn new() -> Self {
        Self { resources: Resources::in_memory(), ids: Ids::seeded(1) }
    }

    /// Asks as a caller with AWS credentials does.
    fn ask(&mut self, method: &str, path: &str, content: Option<Value>) -> Outcome<Value> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let segments: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(ToOwned::to_owned).collect();
        let interaction = Interaction::parse(&method.parse().unwrap(), &segments)?;
        let input = Input {
            query: address::parameters(query.as_bytes()),
            content: content.map(Document::made_here),
            ..Input::default()
        };
        let cx = Context {
            now: Timestamp::UNIX_EPOCH,
            ids: &self.ids,
            base: BASE,
            home: "/datastore/s/r4/",
            permit: &Permit::Full,
            view: View::immediate(Timestamp::UNIX_EPOCH),
            lenient: false,
            level: Level::Strict,
            profiles: &[],
            flawed: &Cell::new(false),
        };
        let collection = self.resources.of_store("s").unwrap();
        let answer = if interaction == Interaction::Bundle {
            bundle::process(collection, &cx, input.content.unwrap_or_default(), bundle::Mode::Synchronous)?
        } else {
            let mut draft = Draft::new(collection);
            let answer = perform::perform(&mut draft, &cx, interaction, input)?;
            draft.commit()?;
            answer
        };
        Ok(answer.body.map(|body| serde_json::from_slice(&body).unwrap()).unwrap_or_default())
    }

    /// The ids that a search gives on all its pages.
    fn ids(&mut self, search: &str) -> Vec<String> {
        let mut ids = Vec::new();
        let mut address = search.to_owned();
        loop {
            let page =
                self.ask("GET", &address, None).unwrap_or_else(|refusal| panic!("{address}: {}", refusal.text()));
            let entries = page["entry"].as_array().map(Vec::as_slice).unwrap_or_default();
            ids.extend(entries.iter().map(|entry| entry["resource"]["id"].as_str().unwrap().to_owned()));
            let links = page["link"].as_array().unwrap();
            let Some(next) = links.iter().find(|link| link["relation"] == "next") else {
                return ids;
            };
            address = next["url"].as_str().unwrap().strip_prefix(BASE).unwrap().to_owned();
        }
    }
}
