//! The full URLs of a transaction's entries, and what becomes of the references to them (R4 specification, "Transaction Processing
//! Rules" and "Resolving references in Bundles").
//!
//! Only what R4 calls a reference is rewritten: `Reference.reference`, elements of the types uri, url, oid and uuid, and links and
//! images of narratives. Every other text stays as it is, even one that equals a full URL.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use hlctl_r4::{Kind, Name, Primitive, Type};
use regex_lite::{Captures, Regex};

use super::document::{Document, Members};
use super::refusal::{Outcome, Refusal};
use super::resource;

/// What the full URLs of entries become.
#[derive(Debug, Default)]
pub(super) struct LocalNames(HashMap<String, String>);

impl LocalNames {
    /// Makes `reference` (`Type/id`) of a full URL. What is no absolute URL names nothing.
    pub(super) fn add(&mut self, full_url: &str, reference: String) -> Outcome<()> {
        if !is_absolute(full_url) {
            return Ok(());
        }
        match self.0.insert(full_url.to_owned(), reference) {
            None => Ok(()),
            Some(_) => Err(twice(full_url)),
        }
    }

    /// Rewrites the references in the content of an entry, whose full URL says what its relative references are relative to.
    pub(super) fn apply(&self, content: &mut Document, full_url: Option<&str>) {
        if !self.0.is_empty() {
            Walk { names: self, base: full_url.and_then(base_of) }.resource(content);
        }
    }

    /// What becomes of an address; its fragment stays.
    fn resolved(&self, address: &str) -> Option<String> {
        if let Some(found) = self.0.get(address) {
            return Some(found.clone());
        }
        let (address, fragment) = address.split_once('#')?;
        self.0.get(address).map(|found| format!("{found}#{fragment}"))
    }
}

/// What stands before `Type/id` in a full URL of that form; a `urn:` has no such thing.
fn base_of(full_url: &str) -> Option<&str> {
    let (kind, id) = resource::target(full_url).filter(|_| full_url.starts_with("http"))?;
    full_url.strip_suffix(id)?.strip_suffix('/')?.strip_suffix(kind)
}

/// Refuses entries of one full URL, unless they are versions of one resource (R4 specification, bdl-7).
pub(super) fn check_full_urls(entries: &[Document]) -> Outcome<()> {
    let mut seen = HashSet::new();
    for (place, entry) in entries.iter().enumerate() {
        let Some(url) = entry.get("fullUrl").and_then(Document::as_text) else { continue };
        let version = entry.get("resource").and_then(|resource| resource.get("meta")?.get("versionId")?.as_text());
        if !seen.insert((url, version)) {
            return Err(twice(url).about(&format!("entry[{place}]")));
        }
    }
    Ok(())
}

fn twice(full_url: &str) -> Refusal {
    Refusal::invalid(format!("An entry before has the full URL {full_url} too; each must have its own."))
}

/// Whether a text begins with the scheme of a URI (RFC 3986).
fn is_absolute(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once(':') else { return false };
    !rest.is_empty()
        && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// A way through a resource by the types of its elements.
struct Walk<'n> {
    names: &'n LocalNames,
    /// What stands before relative references.
    base: Option<&'n str>,
}

impl Walk<'_> {
    fn resource(&self, resource: &mut Document) {
        let of = resource.get("resourceType").and_then(Document::as_text).and_then(Type::resource);
        match of {
            Some(of) => self.value(resource, Kind::Complex(of)),
            None => self.untyped(resource),
        }
    }

    fn value(&self, value: &mut Document, kind: Kind) {
        match (value, kind) {
            (Document::List(items), kind) => items.iter_mut().for_each(|item| self.value(item, kind)),
            (value @ Document::Object(_), Kind::Resource) => self.resource(value),
            (Document::Object(members), Kind::Complex(of)) => self.members(members, of),
            (Document::Text(text), Kind::Primitive(primitive)) => self.primitive(text, primitive),
            _ => {}
        }
    }

    fn members(&self, members: &mut Members, of: &'static Type) {
        for (name, member) in members {
            if of.name() == "Reference" && name == "reference" {
                self.reference(member);
                continue;
            }
            let element = |name: &str| Name::of(name).and_then(|name| of.element(name));
            let other_half = name.strip_prefix('_').and_then(element).and(Type::element_itself()).map(Kind::Complex);
            match element(name).map(hlctl_r4::Element::kind).or(other_half) {
                Some(kind) => self.value(member, kind),
                None => self.untyped(member),
            }
        }
    }

    fn primitive(&self, text: &mut String, primitive: Primitive) {
        let changed = match primitive {
            Primitive::Uri | Primitive::Url | Primitive::Oid | Primitive::Uuid => self.names.resolved(text),
            Primitive::Xhtml => self.narrative(text),
            _ => None,
        };
        if let Some(changed) = changed {
            *text = changed;
        }
    }

    fn reference(&self, member: &mut Document) {
        let Document::Text(text) = member else { return };
        let whole = || self.base.filter(|_| !is_absolute(text)).map(|base| format!("{base}{text}"));
        if let Some(changed) = self.names.resolved(text).or_else(|| self.names.resolved(&whole()?)) {
            *text = changed;
        }
    }

    /// What R4 does not describe, such as a JSON Patch: there a reference is known by its name.
    fn untyped(&self, value: &mut Document) {
        match value {
            Document::List(items) => items.iter_mut().for_each(|item| self.untyped(item)),
            Document::Object(members) => {
                let path = super::document::get(members, "path").and_then(Document::as_text);
                let sets_reference = path.is_some_and(|path| path.ends_with("/reference"));
                for (name, member) in members {
                    if name == "reference" || name == "value" && sets_reference {
                        self.reference(member);
                    }
                    self.untyped(member);
                }
            }
            _ => {}
        }
    }

    /// The `href` of links and the `src` of images.
    fn narrative(&self, text: &str) -> Option<String> {
        static LINK: LazyLock<Option<Regex>> = LazyLock::new(|| {
            let others = r#"(?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'))*?"#;
            Regex::new(&format!(r#"(<(?:a{others}\s+href|img{others}\s+src)\s*=\s*)(?:"([^"]*)"|'([^']*)')"#)).ok()
        });
        let replaced = LINK.as_ref()?.replace_all(text, |found: &Captures<'_>| {
            let address = found.get(2).or(found.get(3)).map_or("", |address| address.as_str());
            match self.names.resolved(&address.replace("&amp;", "&")) {
                Some(changed) => format!("{}\"{}\"", &found[1], changed.replace('&', "&amp;").replace('"', "&quot;")),
                None => found[0].to_owned(),
            }
        });
        (replaced != text).then(|| replaced.into_owned())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use serde_json::{Value, json};

    const NAME: &str = "urn:uuid:4f6a30fb-cd3c-4ab6-8757-532101f72065";

    fn applied(value: Value) -> Value {
        applied_in(value, Some(NAME))
    }

    fn applied_in(value: Value, full_url: Option<&str>) -> Value {
        let mut names = LocalNames::default();
        names.add(NAME, "Patient/1".to_owned()).unwrap();
        names.add("http://ex.org/fhir/Binary/2?a&b", "Binary/2".to_owned()).unwrap();
        names.add("http://ex.org/fhir/Patient/77", "Patient/4".to_owned()).unwrap();
        names.add("Patient/relative", "Patient/3".to_owned()).unwrap();
        let mut document = Document::made_here(value);
        names.apply(&mut document, full_url);
        document.to_value()
    }

    #[test]
    fn only_references_are_rewritten() {
        let given = |reference: &str, fragment: &str| {
            json!({
                "resourceType": "Observation",
                "identifier": [{"system": "urn:x", "value": NAME}],
                "code": {"text": NAME, "coding": [{"code": NAME, "display": NAME}]},
                "subject": {"reference": reference, "display": NAME, "identifier": {"value": NAME}},
                "focus": [{"reference": fragment}, {"reference": "Patient/relative"}],
                "valueString": NAME,
                "note": [{"text": NAME}],
                "extension": [
                    {"url": "http://x/uri", "valueUri": reference},
                    {"url": "http://x/url", "valueUrl": reference},
                    {"url": "http://x/oid", "valueOid": reference},
                    {"url": "http://x/uuid", "valueUuid": reference},
                    {"url": "http://x/canonical", "valueCanonical": NAME},
                    {"url": "http://x/string", "valueString": NAME},
                    {"url": "http://x/reference", "valueReference": {"reference": reference}},
                ],
                "_status": {"extension": [{"url": "http://x/uri", "valueUri": reference}]},
                "contained": [{"resourceType": "Provenance", "id": NAME, "target": [{"reference": reference}]}],
            })
        };
        assert_eq!(applied(given(NAME, &format!("{NAME}#part"))), given("Patient/1", "Patient/1#part"));
    }

    #[test]
    fn links_and_images_of_a_narrative_are_rewritten() {
        let patient = |div: &str| json!({"resourceType": "Patient", "text": {"status": "generated", "div": div}});
        let given = format!(
            "<div><a class='x>y' href='{NAME}'>{NAME}</a><img alt=\"{NAME}\" src = \"http://ex.org/fhir/Binary/2?a&amp;b\"/>\
             <abbr title=\"{NAME}\"/><a href=\"#here\">x</a></div>"
        );
        let wanted = format!(
            "<div><a class='x>y' href=\"Patient/1\">{NAME}</a><img alt=\"{NAME}\" src = \"Binary/2\"/>\
             <abbr title=\"{NAME}\"/><a href=\"#here\">x</a></div>"
        );
        assert_eq!(applied(patient(&given)), patient(&wanted));
    }

    #[test]
    fn a_patch_is_rewritten_where_it_sets_a_reference() {
        let patch = |reference: &str| {
            json!([
                {"op": "replace", "path": "/subject/reference", "value": reference},
                {"op": "add", "path": "/focus", "value": [{"reference": reference}]},
                {"op": "add", "path": "/valueString", "value": NAME},
            ])
        };
        assert_eq!(applied(patch(NAME)), patch("Patient/1"));
    }

    #[test]
    fn a_relative_reference_is_relative_to_the_full_url_of_its_entry() {
        let patient = |reference: &str| {
            json!({
                "resourceType": "Observation",
                "subject": {"reference": reference},
                "extension": [{"url": "http://x/uri", "valueUri": "Patient/77"}],
            })
        };
        for (reference, full_url, wanted) in [
            ("Patient/77", "http://ex.org/fhir/Observation/1", "Patient/4"),
            ("Patient/77#x", "http://ex.org/fhir/Observation/1", "Patient/4#x"),
            ("Patient/78", "http://ex.org/fhir/Observation/1", "Patient/78"),
            ("#77", "http://ex.org/fhir/Observation/1", "#77"),
            ("Patient/77", "http://other.example/fhir/Observation/1", "Patient/77"),
            ("Patient/77", NAME, "Patient/77"),
            ("http://ex.org/fhir/Patient/77", NAME, "Patient/4"),
        ] {
            assert_eq!(applied_in(patient(reference), Some(full_url)), patient(wanted), "{reference} in {full_url}");
        }
        assert_eq!(applied_in(patient("Patient/77"), None), patient("Patient/77"));
    }

    #[test]
    fn each_entry_has_a_full_url_of_its_own() {
        let checked = |entries: Value| {
            let entries: Vec<_> = entries.as_array().unwrap().iter().cloned().map(Document::made_here).collect();
            check_full_urls(&entries).map_err(|refusal| (refusal.status, refusal.text().to_owned()))
        };
        let version = |version: &str| json!({"fullUrl": NAME, "resource": {"meta": {"versionId": version}}});
        assert_eq!(checked(json!([{"fullUrl": NAME}, {"fullUrl": "urn:uuid:1"}, {}, {}])), Ok(()));
        assert_eq!(checked(json!([version("1"), version("2")])), Ok(()));
        for entries in [json!([{"fullUrl": NAME}, {}, {"fullUrl": NAME}]), json!([version("1"), {}, version("1")])] {
            let (status, text) = checked(entries).unwrap_err();
            assert_eq!(status, 400);
            assert!(text.contains("entry[2]") && text.contains(NAME), "{text}");
        }
        // In a transaction a name has one meaning.
        let mut names = LocalNames::default();
        names.add(NAME, "Patient/1".to_owned()).unwrap();
        assert_eq!(names.add(NAME, "Patient/2".to_owned()).unwrap_err().status, 400);
    }

    #[test]
    fn a_full_url_is_absolute() {
        for url in ["urn:uuid:1", "http://ex.org/fhir/Patient/1", "a+b:c"] {
            assert!(is_absolute(url), "{url}");
        }
        for url in ["", "Patient/1", "#a", "1:2", "a/b:c", ":a", "a:"] {
            assert!(!is_absolute(url), "{url}");
        }
    }
}
