//! How much of each resource an answer gives: `_summary` and `_elements` (R4 specification, Search, "Summary" and
//! "Elements"; HealthLake developer guide, FHIR R4 search parameters).
//!
//! What is cut is marked with the tag SUBSETTED, and never lacks its type, id and metadata. Where AWS documents nothing, this
//! is what happens here: `_elements` is about matches, `_summary` about what is included as well, and both together leave
//! what both give.

use bytes::Bytes;
use serde_json::json;

use super::summaries;
use crate::services::healthlake::fhir::document::Document;
use crate::services::healthlake::fhir::refusal::{Outcome, Refusal};

/// `_summary`, but for `false`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Summary {
    /// What R4 marks as a part of the summary.
    True,
    /// The narrative, and what must be there.
    Text,
    /// All but the narrative.
    Data,
}

/// What of a resource is given.
#[derive(Debug, Default)]
pub(super) struct Shape {
    summary: Option<Summary>,
    elements: Option<Vec<String>>,
}

/// Members of every resource that are never cut.
const ALWAYS: [&str; 3] = ["resourceType", "id", "meta"];

/// What stands behind the name of an element whose value may have one of several types.
const SUFFIXES: [&str; 22] = [
    "Age",
    "Attachment",
    "Boolean",
    "Canonical",
    "Code",
    "CodeableConcept",
    "Date",
    "DateTime",
    "Decimal",
    "Identifier",
    "Integer",
    "Money",
    "Period",
    "Quantity",
    "Range",
    "Ratio",
    "Reference",
    "SampledData",
    "String",
    "Time",
    "Timing",
    "Uri",
];

impl Shape {
    /// Takes `_summary`. Other values than these are invalid (HealthLake developer guide).
    pub(super) fn summarize(&mut self, value: &str) -> Outcome<()> {
        self.summary = match value {
            "false" => None,
            "true" => Some(Summary::True),
            "text" => Some(Summary::Text),
            "data" => Some(Summary::Data),
            _ => {
                return Err(Refusal::invalid(format!(
                    "Invalid value for _summary: {value}. There are true, text, data and false."
                )));
            }
        };
        Ok(())
    }

    /// Takes `_elements`.
    pub(super) fn choose(&mut self, value: &str) {
        let names = value.split(',').map(str::trim).filter(|name| !name.is_empty());
        self.elements.get_or_insert_default().extend(names.map(ToOwned::to_owned));
    }

    /// What is given of a resource that matches.
    pub(super) fn of_match(&self, kind: &str, body: &Bytes) -> Bytes {
        self.cut(kind, body, self.elements.as_deref())
    }

    /// What is given of a resource that is included.
    pub(super) fn of_included(&self, kind: &str, body: &Bytes) -> Bytes {
        self.cut(kind, body, None)
    }

    fn cut(&self, kind: &str, body: &Bytes, elements: Option<&[String]>) -> Bytes {
        if self.summary.is_none() && elements.is_none() {
            return body.clone();
        }
        let Ok(Document::Object(mut members)) = Document::parse(body) else {
            return body.clone();
        };
        let must = summaries::mandatory(kind);
        members.retain(|(name, _)| {
            // An element's id and extensions stand next to it.
            let name = name.trim_start_matches('_');
            let of_summary = match self.summary {
                None => true,
                Some(Summary::True) => summaries::of(kind).contains(&name),
                Some(Summary::Text) => name == "text" || is_any_of(name, must),
                Some(Summary::Data) => name != "text",
            };
            let chosen = elements.is_none_or(|elements| is_any_of(name, elements) || is_any_of(name, must));
            ALWAYS.contains(&name) || (of_summary && chosen)
        });
        let mut document = Document::Object(members);
        mark(&mut document);
        document.to_bytes().into()
    }
}

/// Whether an element is one of these, of which `value` stands for `valueQuantity` and the like.
fn is_any_of(name: &str, wanted: &[impl AsRef<str>]) -> bool {
    wanted.iter().any(|wanted| {
        name.strip_prefix(wanted.as_ref()).is_some_and(|rest| rest.is_empty() || SUFFIXES.contains(&rest))
    })
}

/// Says that the resource is incomplete.
fn mark(document: &mut Document) {
    let tag = Document::made_here(json!({
        "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
        "code": "SUBSETTED",
        "display": "Resource encoded in summary mode",
    }));
    let mut meta = document.remove("meta").unwrap_or_else(|| Document::Object(Vec::new()));
    let mut tags = match meta.remove("tag") {
        Some(Document::List(tags)) => tags,
        _ => Vec::new(),
    };
    tags.push(tag);
    meta.set("tag", Document::List(tags));
    document.set("meta", meta);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use serde_json::Value;

    const OBSERVATION: &str = r#"{"resourceType":"Observation","id":"a","meta":{"versionId":"1","tag":[{"code":"own"}]},"text":{"status":"generated","div":"<div/>"},"status":"final","_status":{"id":"s"},"code":{"text":"x"},"valueQuantity":{"value":105.00},"valueless":1,"note":[{"text":"n"}],"method":{"text":"m"}}"#;

    fn names(shape: &Shape) -> Vec<String> {
        let cut = shape.of_match("Observation", &Bytes::from_static(OBSERVATION.as_bytes()));
        let Document::Object(members) = Document::parse(&cut).unwrap() else { panic!("{cut:?}") };
        members.into_iter().map(|(name, _)| name).filter(|name| !ALWAYS.contains(&name.as_str())).collect()
    }

    #[test]
    fn each_summary_leaves_what_r4_says() {
        for (value, wanted) in [
            ("true", vec!["status", "_status", "code", "valueQuantity"]),
            ("text", vec!["text", "status", "_status", "code"]),
            ("data", vec!["status", "_status", "code", "valueQuantity", "valueless", "note", "method"]),
        ] {
            let mut shape = Shape::default();
            shape.summarize(value).unwrap();
            assert_eq!(names(&shape), wanted, "{value}");
        }
        assert!(Shape::default().summarize("count").is_err());
    }

    #[test]
    fn chosen_elements_come_with_those_that_must_be_there() {
        let mut shape = Shape::default();
        shape.choose("value, note,colour");
        assert_eq!(names(&shape), ["status", "_status", "code", "valueQuantity", "note"]);
    }

    #[test]
    fn what_is_cut_says_so_and_keeps_its_own_tags_and_digits() {
        let mut shape = Shape::default();
        shape.summarize("data").unwrap();
        let cut = shape.of_included("Observation", &Bytes::from_static(OBSERVATION.as_bytes()));
        assert!(std::str::from_utf8(&cut).unwrap().contains("105.00"));
        let value: Value = serde_json::from_slice(&cut).unwrap();
        let codes: Vec<_> = value["meta"]["tag"].as_array().unwrap().iter().map(|tag| &tag["code"]).collect();
        assert_eq!(codes, ["own", "SUBSETTED"]);
        assert_eq!(Shape::default().of_match("Observation", &Bytes::from_static(b"{}")), Bytes::from_static(b"{}"));
    }
}
