//! Lines of NDJSON on their way into a datastore.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::Value;

use super::rules::{self, Level};
use crate::error::Error;
use crate::services::healthlake::fhir::document::{Document, Unreadable};
use crate::services::healthlake::fhir::refusal::{Outcome, Refusal};
use crate::services::healthlake::fhir::resource::{self, Resource};
use crate::services::healthlake::fhir::types;
use crate::store::resources::{Collection, Method, Write};

/// The most that a Binary may have in an import; all others have what they may have in a request (HealthLake quotas).
const LARGEST_BINARY: usize = 164 << 20;

/// Resources that are to be written together.
pub(in crate::services::healthlake) struct Intake<'c> {
    collection: &'c mut Collection,
    level: Level,
    profiles: &'c [String],
    at: Timestamp,
    writes: Vec<Write>,
    /// How many versions each resource that is to be written then has.
    versions: HashMap<(&'static str, String), usize>,
}

/// What became of a line.
#[derive(Debug)]
pub(in crate::services::healthlake) enum Taken {
    /// It will be written.
    Accepted {
        kind: &'static str,
        id: String,
        version: usize,
        /// What `minimal` overlooked.
        flaw: Option<String>,
    },
    /// It will not, and why: an OperationOutcome.
    Refused { text: String, outcome: Value },
}

impl<'c> Intake<'c> {
    /// `profiles` are those that the datastore has been given.
    pub(in crate::services::healthlake) fn new(
        collection: &'c mut Collection,
        level: Level,
        profiles: &'c [String],
        now: Timestamp,
    ) -> Self {
        let at = resource::to_the_millisecond(now);
        Self { collection, level, profiles, at, writes: Vec::new(), versions: HashMap::new() }
    }

    /// Takes a line that is not blank.
    pub(in crate::services::healthlake) fn take(&mut self, line: &[u8]) -> Taken {
        match self.accept(line) {
            Ok(taken) => taken,
            Err(refusal) => Taken::Refused { outcome: refusal.outcome(), text: refusal.text().to_owned() },
        }
    }

    fn accept(&mut self, line: &[u8]) -> Outcome<Taken> {
        let document = Document::parse(line).map_err(|error| {
            Refusal::invalid(match error {
                Unreadable::NotJson(why) => format!("The line is not a JSON object: {why}"),
                Unreadable::DuplicateMember(path) => format!("{path} comes twice in the resource."),
                Unreadable::TooDeep => format!("The resource is refused: {error}."),
            })
        })?;
        let (kind, id) = identity(&document)?;
        let largest = if kind == "Binary" { LARGEST_BINARY } else { resource::LARGEST };
        if line.len() > largest {
            return Err(Refusal::too_large(format!("The resource has {} bytes; {largest} are allowed.", line.len())));
        }
        let (resource, flaw) = self.checked(document, kind)?;
        let version = self.next_version(kind, &id);
        self.writes.push(Write {
            kind: kind.to_owned(),
            body: Some(resource::stamped(resource, &id, version, self.at)),
            id: id.clone(),
            at: self.at,
            method: Method::Put,
            key: None,
        });
        Ok(Taken::Accepted { kind, id, version, flaw })
    }

    /// The resource, and what is wrong with it if that is overlooked.
    fn checked(&self, document: Document, kind: &str) -> Outcome<(Resource, Option<String>)> {
        rules::examine(Resource::unchecked(document)?, kind, self.level, self.profiles)
    }

    fn next_version(&mut self, kind: &'static str, id: &str) -> usize {
        let before = self.collection.versions(kind, id).len();
        let version = self.versions.entry((kind, id.to_owned())).or_insert(before);
        *version += 1;
        *version
    }

    /// Writes what was accepted.
    pub(in crate::services::healthlake) fn commit(self) -> Result<(), Error> {
        self.collection.commit(self.writes)
    }
}

/// The type and id, which every resource of an import has.
fn identity(document: &Document) -> Outcome<(&'static str, String)> {
    if document.members().is_none() {
        return Err(Refusal::invalid("A resource must be a JSON object."));
    }
    let name = match document.get("resourceType") {
        Some(Document::Text(name)) => name,
        None | Some(Document::Null) => return Err(Refusal::invalid("Missing required resourceType field")),
        _ => return Err(Refusal::invalid("resourceType must be a string.")),
    };
    let kind = types::named(name).ok_or_else(|| Refusal::invalid(types::refusal(name)))?;
    match document.get("id") {
        Some(Document::Text(id)) => {
            resource::check_id(id)?;
            Ok((kind, id.clone()))
        }
        None | Some(Document::Null) => Err(Refusal::invalid("Missing required id field")),
        _ => Err(Refusal::invalid("id must be a string.")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use crate::store::resources::Resources;

    fn take(level: Level, lines: &[&str]) -> (Resources, Vec<Taken>) {
        let mut resources = Resources::in_memory();
        let collection = resources.of_store("s").unwrap();
        let mut intake = Intake::new(collection, level, &[], Timestamp::UNIX_EPOCH);
        let taken = lines.iter().map(|line| intake.take(line.as_bytes())).collect();
        intake.commit().unwrap();
        (resources, taken)
    }

    fn refusal(taken: &Taken) -> &str {
        match taken {
            Taken::Refused { text, outcome } => {
                assert_eq!(outcome["issue"][0]["diagnostics"], text.as_str());
                text
            }
            Taken::Accepted { .. } => "",
        }
    }

    #[test]
    fn the_same_resource_twice_is_two_versions() {
        let line = r#"{"resourceType":"Patient","id":"a"}"#;
        let (mut resources, taken) = take(Level::Strict, &[line, line]);
        let versions: Vec<usize> = taken
            .iter()
            .map(|taken| match taken {
                Taken::Accepted { version, .. } => *version,
                Taken::Refused { .. } => 0,
            })
            .collect();
        assert_eq!(versions, [1, 2]);
        let collection = resources.of_store("s").unwrap();
        let newest = *collection.versions("Patient", "a").last().unwrap();
        let body = collection.body(&newest).unwrap().unwrap();
        assert!(std::str::from_utf8(&body).unwrap().contains(r#""versionId":"2""#));
    }

    #[test]
    fn what_cannot_be_kept_is_refused_at_every_level() {
        for level in [Level::Strict, Level::StructureOnly, Level::Minimal] {
            let (_, taken) = take(
                level,
                &[
                    "{",
                    "[]",
                    r#"{"id":"a"}"#,
                    r#"{"resourceType":"Patient"}"#,
                    r#"{"resourceType":"Patients","id":"a"}"#,
                    r#"{"resourceType":"Patient","id":"a b"}"#,
                    r#"{"resourceType":"Patient","id":7}"#,
                    r#"{"resourceType":"Basic","id":"a"}"#,
                    r#"{"resourceType":"Patient","id":"a","gender":"male","gender":"female"}"#,
                    r#"{"resourceType":"Patient","id":"a","name":[{"family":"x","family":"y"}]}"#,
                    &format!(
                        "{{\"resourceType\":\"Patient\",\"id\":\"a\",\"x\":{}{}}}",
                        "[".repeat(127),
                        "]".repeat(127)
                    ),
                ],
            );
            let wanted = [
                "not a JSON",
                "object",
                "resourceType",
                "Missing required id field",
                "Patients",
                "a b",
                "id",
                "\"Basic\" is not supported",
                "gender comes twice",
                "name[0].family comes twice",
                "nested too deep",
            ];
            for (taken, wanted) in taken.iter().zip(wanted) {
                assert!(refusal(taken).contains(wanted), "{taken:?}");
            }
        }
    }

    #[test]
    fn the_most_lenient_level_keeps_what_is_flawed_and_marks_it() {
        let line = r#"{"resourceType":"Patient","id":"a","gender":"m","meta":{"profile":["https://x.example/p"]}}"#;
        assert!(refusal(&take(Level::StructureOnly, &[line]).1[0]).contains("gender"));
        let (mut resources, taken) = take(Level::Minimal, &[line]);
        assert!(matches!(&taken[0], Taken::Accepted { flaw: Some(flaw), .. } if flaw.contains("gender")));
        let collection = resources.of_store("s").unwrap();
        let version = collection.versions("Patient", "a")[0];
        let body: Value = serde_json::from_slice(&collection.body(&version).unwrap().unwrap()).unwrap();
        assert_eq!(body["extension"][0]["url"], rules::FLAW);
        let outcome: Value = serde_json::from_str(body["extension"][0]["valueString"].as_str().unwrap()).unwrap();
        assert_eq!(outcome["resourceType"], "OperationOutcome");
        assert!(outcome["issue"][0]["diagnostics"].as_str().unwrap().contains("gender"), "{outcome}");
    }
}
