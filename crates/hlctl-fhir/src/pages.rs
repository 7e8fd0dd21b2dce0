//! From page to page of an answer, one page in memory at a time.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::client::{Fhir, FhirRequest};
use super::refusal::{FhirError, Issue, issues};

/// A Bundle, with its entries as they came.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bundle<'b> {
    /// `Bundle`, or it is none.
    #[serde(borrow)]
    pub resource_type: Cow<'b, str>,
    /// How many there are in all, if the store counts them.
    pub total: Option<u64>,
    #[serde(default)]
    link: Vec<Link>,
    /// The entries.
    #[serde(borrow, default)]
    pub entry: Vec<&'b RawValue>,
}

#[derive(Debug, Deserialize)]
struct Link {
    relation: String,
    url: String,
}

/// An entry.
#[derive(Debug, Deserialize)]
pub struct BundleEntry<'e> {
    /// The resource, as it came.
    #[serde(borrow)]
    pub resource: Option<&'e RawValue>,
    search: Option<Search>,
    /// Of a history or a batch: what was asked.
    #[serde(default)]
    pub request: Value,
    /// Of a history or a batch: what became of it.
    #[serde(default)]
    pub response: Value,
}

#[derive(Debug, Deserialize)]
struct Search {
    mode: Option<String>,
}

impl<'b> Bundle<'b> {
    /// Reads a Bundle.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(body: &'b [u8], about: &str) -> Result<Self, FhirError> {
        let wrong = |problem: String| FhirError::NotFhir { about: about.to_owned(), problem };
        let bundle: Self = serde_json::from_slice(body).map_err(|error| wrong(error.to_string()))?;
        match bundle.resource_type.as_ref() {
            "Bundle" => Ok(bundle),
            other => Err(wrong(format!("it is a {}", crate::oauth::tell(other)))),
        }
    }

    /// The entries, read.
    ///
    /// # Errors
    /// One of them is none.
    pub fn entries(&self, about: &str) -> Result<Vec<BundleEntry<'b>>, FhirError> {
        let read = |raw: &&'b RawValue| serde_json::from_str(raw.get());
        let entries: Result<Vec<_>, _> = self.entry.iter().map(read).collect();
        entries.map_err(|error| FhirError::NotFhir { about: about.to_owned(), problem: error.to_string() })
    }

    /// Where it goes on.
    pub fn next(&self) -> Option<&str> {
        self.link.iter().find(|link| link.relation == "next").map(|link| link.url.as_str())
    }
}

impl BundleEntry<'_> {
    /// What the store has to say of the search, instead of a resource that was found.
    pub fn remarks(&self) -> Option<Vec<Issue>> {
        let is_remark = self.search.as_ref().and_then(|search| search.mode.as_deref()) == Some("outcome");
        let resource = self.resource.filter(|_| is_remark)?;
        Some(issues(&serde_json::from_str(resource.get()).unwrap_or_default()))
    }
}

/// One page.
#[derive(Debug)]
pub struct Page {
    /// The Bundle as it came.
    pub body: Bytes,
    /// Whether there is another.
    pub goes_on: bool,
}

/// The pages of an answer.
#[derive(Debug)]
pub struct Pages<'f> {
    fhir: &'f Fhir,
    next: Option<FhirRequest>,
    circle: Circle,
}

impl<'f> Pages<'f> {
    /// Those of this request.
    pub fn of(fhir: &'f Fhir, first: FhirRequest) -> Self {
        Self { fhir, next: Some(first), circle: Circle::default() }
    }

    /// The next page.
    ///
    /// # Errors
    /// The store refuses, or its answer is none that can be gone through.
    pub async fn next(&mut self) -> Result<Option<Page>, FhirError> {
        let Some(ask) = self.next.take() else { return Ok(None) };
        let body = self.fhir.send(&ask).await?.body;
        let link = Bundle::parse(&body, ask.about())?.next().map(str::to_owned);
        if let Some(link) = link {
            let address = self.fhir.base.follow(&link)?;
            if self.circle.closes_with(&address) {
                return Err(FhirError::Circles);
            }
            self.next = Some(ask.onwards(address));
        }
        Ok(Some(Page { body, goes_on: self.next.is_some() }))
    }
}

/// Finds out whether addresses repeat, without keeping them all: one is kept, and twice as long each time (Brent's algorithm).
#[derive(Debug, Default)]
struct Circle {
    kept: Option<u64>,
    since: u64,
    limit: u64,
}

impl Circle {
    fn closes_with(&mut self, address: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        address.hash(&mut hasher);
        let address = hasher.finish();
        if self.kept == Some(address) {
            return true;
        }
        if self.since >= self.limit {
            (self.kept, self.since, self.limit) = (Some(address), 0, (self.limit * 2).max(1));
        } else {
            self.since += 1;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn entries_keep_every_letter() {
        let body = br#"{"resourceType":"Bundle","link":[{"relation":"next","url":"x\u0026y"}],
            "entry":[{"resource":{"b":1.500, "a":0}}, {"search":{"mode":"outcome"},"resource":
            {"resourceType":"OperationOutcome","issue":[{"severity":"warning","code":"x","diagnostics":"Odd"}]}}]}"#;
        let bundle = Bundle::parse(body, "x").unwrap();
        assert_eq!(bundle.next(), Some("x&y"));
        let entries = bundle.entries("x").unwrap();
        assert_eq!(entries[0].resource.unwrap().get(), r#"{"b":1.500, "a":0}"#);
        assert!(entries[0].remarks().is_none());
        assert_eq!(entries[1].remarks().unwrap()[0].text, "Odd");
    }

    #[test]
    fn what_is_not_fhir_is_refused() {
        for body in ["", "[]", "{}", r#"{"resourceType":"Patient"}"#, r#"{"resourceType":"Bundle","entry":{}}"#] {
            assert!(Bundle::parse(body.as_bytes(), "GET Patient").is_err(), "{body}");
        }
    }

    proptest! {
        #[test]
        fn every_circle_is_found_and_no_straight_way_is_one(lead in 0_usize..40, round in 1_usize..40) {
            let mut circle = Circle::default();
            let mut at = 0;
            let mut steps = 0;
            while !circle.closes_with(&at.to_string()) {
                at = if at + 1 == lead + round { lead } else { at + 1 };
                steps += 1;
                prop_assert!(steps <= 6 * (lead + round) + 6);
            }
            prop_assert!(steps >= round);
            let mut straight = Circle::default();
            for at in 0..200 {
                prop_assert!(!straight.closes_with(&at.to_string()));
            }
        }
    }
}
