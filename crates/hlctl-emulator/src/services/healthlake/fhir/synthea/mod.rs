//! The data of a store that was created with `PreloadDataConfig SYNTHEA`: invented people with invented histories,
//! made here from word lists and codes. The same datastore id gives the same data.
//!
//! AWS loads what Synthea has generated; this is of that kind but not of that making, and smaller.

mod clinical;
mod codes;
mod illness;
mod people;
mod words;

use fastrand::Rng;
use jiff::civil::Date;
use jiff::{Span, Timestamp};
use serde_json::{Value, json};

use super::document::Document;
use super::resource::{self, Resource};
use crate::store::resources::{Method, Write};

/// How many patients there are.
const PATIENTS: usize = 36;

/// The day on which all histories end.
const TODAY: Date = jiff::civil::date(2025, 12, 31);

/// The resources of a datastore, as they were written when it became active.
pub(super) fn resources(store: &str, at: Timestamp) -> Vec<Write> {
    let mut maker = Maker { rng: Rng::with_seed(seed(store)), at, writes: Vec::new() };
    let clinics = people::clinics(&mut maker);
    for _ in 0..PATIENTS {
        let patient = people::patient(&mut maker, &clinics);
        clinical::history(&mut maker, &clinics, &patient);
    }
    maker.writes
}

/// FNV-1a, which stays the same from release to release.
fn seed(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Makes resources one after the other.
struct Maker {
    rng: Rng,
    at: Timestamp,
    writes: Vec<Write>,
}

impl Maker {
    /// An id that is used at once or later.
    fn id(&mut self) -> String {
        uuid::Builder::from_random_bytes(self.rng.u128(..).to_be_bytes()).into_uuid().hyphenated().to_string()
    }

    /// Adds a resource and gives the reference to it.
    fn add(&mut self, kind: &'static str, members: Value) -> Value {
        let id = self.id();
        self.add_as(kind, id, members)
    }

    /// Adds a resource under an id that has been drawn before.
    fn add_as(&mut self, kind: &'static str, id: String, members: Value) -> Value {
        // The label of data that are for tests (HL7, ActReason).
        let label = json!({"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"});
        let mut made = json!({"resourceType": kind, "meta": {"security": [label]}});
        if let (Value::Object(made), Value::Object(members)) = (&mut made, members) {
            made.extend(members);
        }
        let reference = json!({"reference": format!("{kind}/{id}")});
        let resource = Resource::unchecked(Document::made_here(made)).ok();
        self.writes.push(Write {
            kind: kind.to_owned(),
            at: self.at,
            method: Method::Post,
            body: resource.map(|resource| resource::stamped(resource, &id, 1, self.at)),
            key: None,
            id,
        });
        reference
    }

    fn pick<'w, T>(&mut self, items: &'w [T]) -> Option<&'w T> {
        self.rng.choice(items)
    }

    fn word(&mut self, words: &[&'static str]) -> &'static str {
        self.pick(words).copied().unwrap_or_default()
    }

    fn chance(&mut self, of: f64) -> bool {
        self.rng.f64() < of
    }

    /// A number from a range, with one decimal.
    fn measure(&mut self, low: f64, high: f64) -> f64 {
        ((low + self.rng.f64() * (high - low)) * 10.0).round() / 10.0
    }

    /// A day up to `days` before another.
    fn day_before(&mut self, day: Date, days: i64) -> Date {
        day.checked_sub(Span::new().days(self.rng.i64(0..=days.max(0)))).unwrap_or(day)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use std::collections::{BTreeMap, HashSet};

    use super::*;

    fn made(store: &str) -> Vec<Value> {
        let writes = resources(store, Timestamp::UNIX_EPOCH);
        writes.iter().map(|write| serde_json::from_slice(write.body.as_ref().unwrap()).unwrap()).collect()
    }

    #[test]
    fn each_datastore_has_its_own_people_and_always_the_same() {
        assert_eq!(made("a"), made("a"));
        assert_ne!(made("a"), made("b"));
    }

    #[test]
    fn every_resource_is_valid_and_every_reference_leads_somewhere() {
        let all = made("0123456789abcdef0123456789abcdef");
        let names: HashSet<String> = all
            .iter()
            .map(|value| format!("{}/{}", value["resourceType"].as_str().unwrap(), value["id"].as_str().unwrap()))
            .collect();
        assert_eq!(names.len(), all.len());
        for value in &all {
            let kind = value["resourceType"].as_str().unwrap();
            resource::checked(Document::made_here(value.clone()), kind)
                .unwrap_or_else(|refusal| panic!("{kind}: {}", refusal.text()));
            if kind == "Organization" {
                let at_home =
                    |member: &str| value[member].as_array().into_iter().flatten().any(|one| one["use"] == "home");
                assert!(!at_home("address") && !at_home("telecom"), "{value}");
            }
            resource::references(value, &mut |reference| assert!(names.contains(reference), "{reference}"));
        }
    }

    #[test]
    fn the_people_have_histories() {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for value in made("0123456789abcdef0123456789abcdef") {
            *counts.entry(value["resourceType"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        assert_eq!(counts["Patient"], PATIENTS);
        for (kind, least) in [
            ("Observation", 500),
            ("Encounter", 100),
            ("Condition", 40),
            ("Immunization", 30),
            ("MedicationRequest", 20),
            ("DiagnosticReport", 20),
            ("Procedure", 10),
            ("AllergyIntolerance", 3),
            ("Coverage", PATIENTS),
            ("DocumentReference", 20),
            ("Practitioner", 4),
            ("Organization", 3),
        ] {
            assert!(counts[kind] >= least, "{kind}: {counts:?}");
        }
    }
}
