//! Resources as they come in: base checks of R4, and what the server writes into them.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};
use serde_json::{Map, Value, json};

use super::refusal::{Outcome, Refusal};
use super::types;

/// The most that one resource may have in a request (HealthLake quotas).
pub(super) const LARGEST: usize = 5 << 20;

/// A resource that has passed the checks.
pub(super) type Resource = Map<String, Value>;

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
pub(super) fn parse(body: &[u8]) -> Outcome<Value> {
    if body.len() > LARGEST {
        return Err(Refusal::too_large(format!("The request body has {} bytes; {LARGEST} are allowed.", body.len())));
    }
    parse_unlimited(body)
}

/// Reads a body of any length.
pub(super) fn parse_unlimited(body: &[u8]) -> Outcome<Value> {
    serde_json::from_slice(body).map_err(|error| Refusal::invalid(format!("The request body is not JSON: {error}")))
}

/// Checks a resource that is to be stored as one of `kind`.
pub(super) fn checked(value: Value, kind: &str) -> Outcome<Resource> {
    let Value::Object(resource) = value else {
        return Err(Refusal::invalid("A resource must be a JSON object."));
    };
    match resource.get("resourceType").and_then(Value::as_str) {
        Some(name) if name == kind => {}
        Some(name) if types::named(name).is_none() => {
            return Err(Refusal::invalid(format!("Unknown resource type \"{name}\".")));
        }
        Some(name) => {
            return Err(Refusal::invalid(format!("The resource is a {name}, but the request is for a {kind}.")));
        }
        None => return Err(Refusal::invalid("resourceType is missing.")),
    }
    match resource.get("id") {
        None => {}
        Some(Value::String(id)) => check_id(id)?,
        Some(_) => return Err(Refusal::invalid("id must be a string.")),
    }
    if resource.get("meta").is_some_and(|meta| !meta.is_object()) {
        return Err(Refusal::invalid("meta must be an object."));
    }
    for (name, value) in &resource {
        check_element(value, name)?;
    }
    Ok(resource)
}

/// R4, JSON: no element is null, empty or a string of no characters; nulls stand in arrays only, where an
/// array beside it holds the extensions.
fn check_element(value: &Value, path: &str) -> Outcome<()> {
    match value {
        Value::Null => Err(Refusal::invalid(format!("{path} is null."))),
        Value::String(text) if text.is_empty() => Err(Refusal::invalid(format!("{path} is an empty string."))),
        Value::Array(items) if items.is_empty() => Err(Refusal::invalid(format!("{path} is an empty array."))),
        Value::Object(members) if members.is_empty() => Err(Refusal::invalid(format!("{path} is an empty object."))),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .filter(|(_, item)| !item.is_null())
            .try_for_each(|(place, item)| check_element(item, &format!("{path}[{place}]"))),
        Value::Object(members) => {
            members.iter().try_for_each(|(name, member)| check_element(member, &format!("{path}.{name}")))
        }
        _ => Ok(()),
    }
}

/// The resource as it is stored: with the server's id, version and time.
pub(super) fn stamped(mut resource: Resource, id: &str, version: usize, at: Timestamp) -> Vec<u8> {
    resource.insert("id".to_owned(), json!(id));
    let meta = resource.entry("meta").or_insert_with(|| json!({}));
    meta["versionId"] = json!(version.to_string());
    meta["lastUpdated"] = json!(instant(at));
    serde_json::to_vec(&InOrder(&resource)).unwrap_or_default()
}

/// Writes the members that FHIR's examples begin with first.
struct InOrder<'a>(&'a Resource);

impl Serialize for InOrder<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const FIRST: [&str; 3] = ["resourceType", "id", "meta"];
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for name in FIRST {
            if let Some(value) = self.0.get(name) {
                map.serialize_entry(name, value)?;
            }
        }
        for (name, value) in self.0.iter().filter(|(name, _)| !FIRST.contains(&name.as_str())) {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// An instant as FHIR writes it, with milliseconds, as HealthLake does.
pub(super) fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// An instant without what [`instant`] does not show.
pub(super) fn to_the_millisecond(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

/// Puts other texts in place of those that are keys of `names`, wherever they are.
pub(super) fn rename(value: &mut Value, names: &HashMap<String, String>) {
    match value {
        Value::String(text) => {
            if let Some(name) = names.get(text.as_str()) {
                name.clone_into(text);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, names)),
        Value::Object(members) => members.values_mut().for_each(|member| rename(member, names)),
        _ => {}
    }
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
    let kind = types::named(before.rsplit('/').next()?)?;
    Some((kind, id))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

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
            let refusal = checked(resource, "Patient").unwrap_err();
            assert_eq!(refusal.status, 400);
            assert!(refusal.text().contains(wanted), "{}", refusal.text());
        }
        let fine = json!({"resourceType": "Patient", "name": [{"given": [null, "B"], "_given": [{"id": "x"}, null]}]});
        checked(fine, "Patient").unwrap();
    }

    #[test]
    fn a_stored_resource_begins_with_what_the_server_wrote() {
        let resource =
            json!({"active": true, "meta": {"tag": [{"code": "t"}], "versionId": "9"}, "resourceType": "Patient"});
        let body = stamped(checked(resource, "Patient").unwrap(), "a", 2, Timestamp::UNIX_EPOCH);
        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#"{"resourceType":"Patient","id":"a","meta":{"lastUpdated":"1970-01-01T00:00:00.000Z","tag":[{"code":"t"}],"versionId":"2"},"active":true}"#
        );
    }

    #[test]
    fn references_lead_to_type_and_id() {
        assert_eq!(target("Patient/1"), Some(("Patient", "1")));
        assert_eq!(target("https://x/r4/Patient/1/_history/2"), Some(("Patient", "1")));
        assert_eq!(target("urn:uuid:1"), None);
        assert_eq!(target("#med"), None);
    }
}
