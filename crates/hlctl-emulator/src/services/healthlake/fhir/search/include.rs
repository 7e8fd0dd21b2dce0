//! What `_include` and `_revinclude` add to a page.

use std::collections::{BTreeSet, HashSet};

use serde_json::Value;

use super::parameter::{Kind, Parameter};
use super::query::{Include, Query};
use super::run::{Go, Hit, View, Wanted};
use super::{path, value};
use crate::services::healthlake::fhir::document::value_of;
use crate::services::healthlake::fhir::refusal::Outcome;
use crate::services::healthlake::fhir::smart::{Permit, Verb};
use crate::store::resources::Collection;

/// A resource next to the matches, with its type.
pub(super) type Included = (&'static str, Hit);

/// What is added to a page of `hits`, each resource once. What the caller may not read is not added.
pub(super) fn included(
    collection: &Collection,
    permit: &Permit,
    query: &Query,
    hits: &[Hit],
    view: View,
    home: &str,
) -> Outcome<Vec<Included>> {
    let mut seen: HashSet<(&'static str, String)> = hits.iter().map(|hit| (query.kind, hit.id.clone())).collect();
    let mut added = Vec::new();
    let mut add = |found: Vec<Included>| {
        for (kind, hit) in found {
            if seen.insert((kind, hit.id.clone())) {
                added.push((kind, hit));
            }
        }
    };
    for include in query.include.iter().filter(|include| include.kind == query.kind) {
        add(forward(collection, permit, include, hits, view, home)?);
    }
    for include in &query.reverse_include {
        add(backward(collection, permit, include, query.kind, hits, view, home)?);
    }
    // References of what was included lead on to a second level and no further (HealthLake developer guide).
    let mut further = Vec::new();
    for include in query.include.iter().filter(|include| include.iterates) {
        let hits: Vec<Hit> =
            added.iter().filter(|(kind, _)| *kind == include.kind).map(|(_, hit)| hit.clone()).collect();
        further.extend(forward(collection, permit, include, &hits, view, home)?);
    }
    further.retain(|(kind, hit)| seen.insert((kind, hit.id.clone())));
    added.extend(further);
    Ok(added)
}

/// The resources that the matches refer to.
fn forward(
    collection: &Collection,
    permit: &Permit,
    include: &Include,
    hits: &[Hit],
    view: View,
    home: &str,
) -> Outcome<Vec<Included>> {
    let mut targets = BTreeSet::new();
    for hit in hits {
        let resource = value_of(&hit.body);
        targets.extend(
            leads_to(&resource, include.parameter, home)
                .into_iter()
                .filter(|(kind, _)| include.target.is_none_or(|target| target == *kind)),
        );
    }
    let mut found = Vec::new();
    for (kind, id) in targets {
        let Ok(reach) = permit.reach(Verb::Read, kind) else {
            continue;
        };
        let Some(place) = collection.place(kind, &id) else {
            continue;
        };
        let wanted = Wanted { kind, filters: &[], reach: &reach, view };
        found.extend(wanted.at(collection, place)?.map(|hit| (kind, hit)));
    }
    Ok(found)
}

/// The resources that refer to the matches.
fn backward(
    collection: &Collection,
    permit: &Permit,
    include: &Include,
    searched: &'static str,
    hits: &[Hit],
    view: View,
    home: &str,
) -> Outcome<Vec<Included>> {
    let Ok(reach) = permit.reach(Verb::Read, include.kind) else {
        return Ok(Vec::new());
    };
    let ids: HashSet<&str> = hits.iter().map(|hit| hit.id.as_str()).collect();
    let wanted = Wanted { kind: include.kind, filters: &[], reach: &reach, view };
    let mut found = Vec::new();
    wanted.each(collection, 0, &mut |hit| {
        if names_any(&hit.body, &ids) {
            let resource = value_of(&hit.body);
            let leads = leads_to(&resource, include.parameter, home);
            if leads.iter().any(|(kind, id)| *kind == searched && ids.contains(id.as_str())) {
                found.push((include.kind, hit));
            }
        }
        Go::On
    })?;
    Ok(found)
}

/// The types and ids of the resources that a resource refers to by a parameter.
pub(super) fn leads_to(resource: &Value, parameter: &Parameter, home: &str) -> Vec<(&'static str, String)> {
    let Kind::Reference(targets) = parameter.kind else {
        return Vec::new();
    };
    path::all(resource, parameter.paths)
        .into_iter()
        .filter_map(|element| element.as_str().or_else(|| element.get("reference").and_then(Value::as_str)))
        .filter_map(|text| value::local(text, home))
        .filter(|(kind, _)| targets.is_empty() || targets.contains(kind))
        .map(|(kind, id)| (kind, id.to_owned()))
        .collect()
}

/// Whether some reference in the JSON ends in one of `ids`. Cheaper than reading the JSON.
pub(in super::super) fn names_any(body: &[u8], ids: &HashSet<&str>) -> bool {
    const MARK: &[u8] = b"\"reference\":\"";
    memchr::memmem::find_iter(body, MARK).any(|start| {
        let text = &body[start + MARK.len()..];
        let end = memchr::memchr(b'"', text).unwrap_or(text.len());
        let Ok(reference) = std::str::from_utf8(&text[..end]) else {
            return false;
        };
        let reference = reference.split_once("/_history/").map_or(reference, |(before, _)| before);
        reference.rsplit('/').next().is_some_and(|id| ids.contains(id))
    })
}
