//! Resources as they come in: base checks of R4, and what the server writes into them.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::document::{self, Document, Members, Unreadable};
use super::refusal::{Outcome, Refusal};
use super::types;

/// The most that one resource may have in a request (HealthLake quotas).
pub(super) const LARGEST: usize = 5 << 20;

/// A resource that can be stored.
#[derive(Clone, Debug)]
pub(super) struct Resource(Members);

impl Resource {
    /// An object of whatever content, if it has room for what the server writes into it.
    pub(super) fn unchecked(document: Document) -> Outcome<Self> {
        let Document::Object(members) = document else {
            return Err(Refusal::invalid("A resource must be a JSON object."));
        };
        if document::get(&members, "meta").is_some_and(|meta| meta.members().is_none()) {
            return Err(Refusal::invalid("meta must be an object."));
        }
        Ok(Self(members))
    }

    /// Whether it can be stored as one of `kind`.
    pub(super) fn check(&self, kind: &str) -> Outcome<()> {
        self.check_identity(kind)?;
        self.0.iter().try_for_each(|(name, element)| check_element(element, name))
    }

    /// Whether it says of itself that it is one of `kind`, and has a good id if it has one.
    pub(super) fn check_identity(&self, kind: &str) -> Outcome<()> {
        match document::get(&self.0, "resourceType").and_then(Document::as_text) {
            Some(name) if name == kind => {}
            Some(name) if types::named(name).is_none() => {
                return Err(Refusal::invalid(types::refusal(name)));
            }
            Some(name) => {
                return Err(Refusal::invalid(format!("The resource is a {name}, but the request is for a {kind}.")));
            }
            None => return Err(Refusal::invalid("resourceType is missing.")),
        }
        match document::get(&self.0, "id") {
            None => Ok(()),
            Some(Document::Text(id)) => check_id(id),
            Some(_) => Err(Refusal::invalid("id must be a string.")),
        }
    }

    /// The text of a member.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        document::get(&self.0, name).and_then(Document::as_text)
    }

    /// Adds an extension at the top.
    pub(super) fn extend(&mut self, extension: Document) {
        match self.0.iter_mut().find(|(name, _)| name == "extension") {
            Some((_, Document::List(extensions))) => extensions.push(extension),
            _ => document::set(&mut self.0, "extension", Document::List(vec![extension])),
        }
    }

    /// The members as values to look at.
    pub(super) fn values(&self) -> Map<String, Value> {
        document::values(&self.0)
    }

    /// The JSON, on one line.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut text = Vec::new();
        document::write_members(self.0.iter().map(|(name, member)| (name.as_str(), member)), &mut text);
        text
    }
}

/// R4's `id`: 1 to 64 letters, digits, hyphens and dots.
pub(super) fn check_id(id: &str) -> Outcome<()> {
    let fine = (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    if fine {
        Ok(())
    } else {
        Err(Refusal::invalid(format!("\"{id}\" is not an id: it must match [A-Za-z0-9\\-\\.]{{1,64}}.")))
    }
}

/// Reads a request's body.
pub(super) fn parse(body: &[u8]) -> Outcome<Document> {
    if body.len() > LARGEST {
        return Err(Refusal::too_large(format!("The request body has {} bytes; {LARGEST} are allowed.", body.len())));
    }
    parse_unlimited(body)
}

/// Reads a body of any length.
pub(super) fn parse_unlimited(body: &[u8]) -> Outcome<Document> {
    Document::parse(body).map_err(|error| {
        Refusal::invalid(match error {
            Unreadable::NotJson(why) => format!("The request body is not JSON: {why}"),
            other => format!("The request body is refused: {other}."),
        })
    })
}

/// Checks a resource that is to be stored as one of `kind`.
pub(super) fn checked(document: Document, kind: &str) -> Outcome<Resource> {
    let resource = Resource::unchecked(document)?;
    resource.check(kind)?;
    Ok(resource)
}

/// R4, JSON: no element is null, empty or a string of no characters; nulls stand in arrays only, where an
/// array next to it holds the extensions.
fn check_element(element: &Document, path: &str) -> Outcome<()> {
    match element {
        Document::Null => Err(Refusal::invalid(format!("{path} is null."))),
        Document::Text(text) if text.is_empty() => Err(Refusal::invalid(format!("{path} is an empty string."))),
        Document::List(items) if items.is_empty() => Err(Refusal::invalid(format!("{path} is an empty array."))),
        Document::Object(members) if members.is_empty() => Err(Refusal::invalid(format!("{path} is an empty object."))),
        Document::List(items) => items
            .iter()
            .enumerate()
            .filter(|(_, item)| **item != Document::Null)
            .try_for_each(|(place, item)| check_element(item, &format!("{path}[{place}]"))),
        Document::Object(members) => {
            members.iter().try_for_each(|(name, member)| check_element(member, &format!("{path}.{name}")))
        }
        _ => Ok(()),
    }
}

/// The resource as it is stored: with the server's id, version and time, and the members first that FHIR's examples
/// begin with.
pub(super) fn stamped(resource: Resource, id: &str, version: usize, at: Timestamp) -> Vec<u8> {
    let mut kind = None;
    let mut meta = vec![
        ("versionId".to_owned(), Document::Text(version.to_string())),
        ("lastUpdated".to_owned(), Document::Text(instant(at))),
    ];
    let mut rest = Vec::with_capacity(resource.0.len());
    for (name, member) in resource.0 {
        match (name.as_str(), member) {
            ("resourceType", member) => kind = Some(member),
            ("id", _) => {}
            ("meta", Document::Object(given)) => {
                meta.extend(given.into_iter().filter(|(name, _)| name != "versionId" && name != "lastUpdated"));
            }
            (_, member) => rest.push((name, member)),
        }
    }
    let (id, meta) = (Document::from(id), Document::Object(meta));
    let first = kind.iter().map(|kind| ("resourceType", kind)).chain([("id", &id), ("meta", &meta)]);
    let mut text = Vec::new();
    document::write_members(first.chain(rest.iter().map(|(name, member)| (name.as_str(), member))), &mut text);
    text
}

/// An instant as FHIR writes it, with milliseconds, as HealthLake does.
pub(super) fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// An instant without what [`instant`] does not show.
pub(super) fn to_the_millisecond(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

/// Calls `visit` with the text of each `reference` in a value.
pub(super) fn references<'v>(value: &'v Value, visit: &mut impl FnMut(&'v str)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| references(item, visit)),
        Value::Object(members) => {
            if let Some(text) = members.get("reference").and_then(Value::as_str) {
                visit(text);
            }
            members.values().for_each(|member| references(member, visit));
        }
        _ => {}
    }
}

/// The type and id that a reference leads to, if it leads to a resource by type and id. The address before
/// them and a version after them are left aside.
pub(super) fn target(reference: &str) -> Option<(&'static str, &str)> {
    let reference = reference.split_once("/_history/").map_or(reference, |(before, _)| before);
    let (before, id) = reference.rsplit_once('/')?;
    let kind = types::in_r4(before.rsplit('/').next()?)?;
    Some((kind, id))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use proptest::prelude::*;
    use serde_json::json;

    use super::document::tests::element;
    use super::*;

    fn document(value: &Value) -> Document {
        Document::parse(value.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn what_r4_forbids_is_refused_by_its_path() {
        for (resource, wanted) in [
            (json!([]), "object"),
            (json!({}), "resourceType"),
            (json!({"resourceType": "Patients"}), "Patients"),
            (json!({"resourceType": "Observation"}), "Observation"),
            (json!({"resourceType": "Patient", "id": "a_b"}), "a_b"),
            (json!({"resourceType": "Patient", "id": 1}), "id"),
            (json!({"resourceType": "Patient", "name": [{"family": ""}]}), "name[0].family"),
            (json!({"resourceType": "Patient", "name": []}), "name"),
            (json!({"resourceType": "Patient", "active": null}), "active"),
            (json!({"resourceType": "Patient", "meta": "x"}), "meta"),
        ] {
            let refusal = checked(document(&resource), "Patient").unwrap_err();
            assert_eq!(refusal.status, 400);
            assert!(refusal.text().contains(wanted), "{}", refusal.text());
        }
        let fine = json!({"resourceType": "Patient", "name": [{"given": [null, "B"], "_given": [{"id": "x"}, null]}]});
        checked(document(&fine), "Patient").unwrap();
    }

    #[test]
    fn a_stored_resource_begins_with_what_the_server_wrote() {
        let resource = r#"{"active":true,"meta":{"tag":[{"code":"t"}],"versionId":"9"},"resourceType":"Patient"}"#;
        let resource = checked(Document::parse(resource.as_bytes()).unwrap(), "Patient").unwrap();
        let body = stamped(resource, "a", 2, Timestamp::UNIX_EPOCH);
        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#"{"resourceType":"Patient","id":"a","meta":{"versionId":"2","lastUpdated":"1970-01-01T00:00:00.000Z","tag":[{"code":"t"}]},"active":true}"#
        );
    }

    proptest! {
        #[test]
        fn what_is_stored_is_what_came_in_but_for_what_the_server_writes(
            members in proptest::collection::hash_map("[a-z]{6,8}", element(), 0..6),
        ) {
            let mut given: Members = members.into_iter().collect();
            given.push(("resourceType".to_owned(), "Patient".into()));
            let resource = checked(Document::Object(given.clone()), "Patient").unwrap();
            let body = stamped(resource, "a", 1, Timestamp::UNIX_EPOCH);
            let Document::Object(kept) = Document::parse(&body).unwrap() else { panic!("no object") };
            given.pop();
            prop_assert_eq!(&kept[3..], &given[..]);
        }
    }

    #[test]
    fn references_lead_to_type_and_id() {
        assert_eq!(target("Patient/1"), Some(("Patient", "1")));
        assert_eq!(target("https://x/r4/Patient/1/_history/2"), Some(("Patient", "1")));
        assert_eq!(target("urn:uuid:1"), None);
        assert_eq!(target("#med"), None);
    }
}
