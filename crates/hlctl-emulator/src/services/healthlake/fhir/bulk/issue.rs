//! Resources as lines of NDJSON.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::selection::Selection;
use crate::error::Error;
use crate::services::healthlake::fhir::document::value_of;
use crate::store::resources::{Collection, Version};

/// Where an export has got to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::services::healthlake) struct Place {
    /// The type that it is at; `None` before the first.
    pub(in crate::services::healthlake) kind: Option<String>,
    /// How many of that type it has gone through.
    pub(in crate::services::healthlake) place: usize,
}

/// What a step of an export gave.
pub(in crate::services::healthlake) struct Issued {
    /// The type of all that was given; `None` if there is nothing left at all.
    pub(in crate::services::healthlake) kind: Option<String>,
    pub(in crate::services::healthlake) lines: Vec<u8>,
    /// How many lines these are.
    pub(in crate::services::healthlake) given: u64,
    /// How many resources were gone through.
    pub(in crate::services::healthlake) seen: u64,
    /// Whether that was the end of the type.
    pub(in crate::services::healthlake) ends_kind: bool,
}

/// How many resources an export will go through.
pub(in crate::services::healthlake) fn total(collection: &Collection, selection: &Selection) -> u64 {
    collection.kinds().filter(|kind| selection.has_kind(kind)).map(|kind| collection.count(kind) as u64).sum()
}

/// The next resources of one type, as they were at the instant `at`: at most `most` are gone through, and no more
/// once there are `bytes`.
pub(in crate::services::healthlake) fn issue(
    collection: &Collection,
    selection: &Selection,
    at: Timestamp,
    place: &mut Place,
    (most, bytes): (u64, usize),
) -> Result<Issued, Error> {
    let mut issued = Issued { kind: None, lines: Vec::new(), given: 0, seen: 0, ends_kind: false };
    let here = place.kind.as_deref();
    let kind = collection.kinds().find(|kind| here.is_none_or(|here| *kind >= here) && selection.has_kind(kind));
    let Some(kind) = kind.map(ToOwned::to_owned) else {
        return Ok(issued);
    };
    if place.kind.as_ref() != Some(&kind) {
        *place = Place { kind: Some(kind.clone()), place: 0 };
    }
    let reader = collection.reader();
    while issued.seen < most && issued.lines.len() < bytes {
        let Some((id, versions)) = collection.at(&kind, place.place) else {
            break;
        };
        place.place += 1;
        issued.seen += 1;
        let Some(version) = current(versions, at).filter(|version| selection.has_age(version.at)) else { continue };
        let Some(body) = reader.body(version)? else { continue };
        let chosen = !selection.looks_inside() || selection.has(&kind, id, &value_of(&body));
        if chosen {
            issued.lines.extend_from_slice(&body);
            issued.lines.push(b'\n');
            issued.given += 1;
        }
    }
    issued.ends_kind = place.place >= collection.count(&kind);
    if issued.ends_kind {
        // No type's name has a space in it, so this comes right after the type and before all others.
        *place = Place { kind: Some(format!("{kind} ")), place: 0 };
    }
    issued.kind = Some(kind);
    Ok(issued)
}

/// The version that was the newest at an instant.
pub(super) fn current(versions: &[Version], at: Timestamp) -> Option<&Version> {
    versions.iter().rev().find(|version| version.at <= at)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use crate::store::resources::{Method, Resources, Write};

    fn write(kind: &str, id: &str, second: i64, body: Option<&str>) -> Write {
        Write {
            kind: kind.to_owned(),
            id: id.to_owned(),
            at: Timestamp::from_second(second).unwrap(),
            method: Method::Put,
            body: body.map(|body| body.as_bytes().to_vec()),
            key: None,
        }
    }

    /// Everything that is given in steps of one.
    fn all(collection: &Collection, selection: &Selection, second: i64) -> Vec<String> {
        let at = Timestamp::from_second(second).unwrap();
        let (mut place, mut given) = (Place::default(), Vec::new());
        loop {
            let issued = issue(collection, selection, at, &mut place, (1, 1)).unwrap();
            let Some(kind) = issued.kind else {
                return given;
            };
            let lines = String::from_utf8(issued.lines).unwrap();
            given.extend(lines.lines().map(|line| format!("{kind}{line}")));
        }
    }

    #[test]
    fn an_export_shows_one_instant_whatever_is_written_during_it() {
        let mut resources = Resources::in_memory();
        let collection = resources.of_store("s").unwrap();
        collection
            .commit(vec![
                write("Patient", "a", 1, Some("{1}")),
                write("Patient", "b", 1, Some("{2}")),
                write("Group", "a", 2, Some("{3}")),
                write("Patient", "a", 3, Some("{4}")),
                write("Patient", "b", 3, None),
                write("PatientX", "c", 3, Some("{5}")),
            ])
            .unwrap();
        let whole = Selection::default();
        assert_eq!(all(collection, &whole, 0), Vec::<String>::new());
        assert_eq!(all(collection, &whole, 2), ["Group{3}", "Patient{1}", "Patient{2}"]);
        assert_eq!(all(collection, &whole, 3), ["Group{3}", "Patient{4}", "PatientX{5}"]);
        let since = Selection { since: Some(Timestamp::from_second(3).unwrap()), ..Selection::default() };
        assert_eq!(all(collection, &since, 3), ["Patient{4}", "PatientX{5}"]);
        let kinds = Selection { kinds: vec!["Group".to_owned()], ..Selection::default() };
        assert_eq!(all(collection, &kinds, 9), ["Group{3}"]);
        assert_eq!(total(collection, &whole), 4);
    }
}
