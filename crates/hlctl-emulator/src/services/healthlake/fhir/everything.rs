//! `Patient/{id}/$everything`: a patient with all that refers to it, and those whom that refers to.
//!
//! As the developer guide has it, the resources are sorted by type and id, and there is always a total. Where it
//! says nothing: of the resources that refer to the patient, those of types that can belong to a patient are taken,
//! and practitioners, organizations, locations, medications and devices to which these refer; `start` and `end`
//! are held against the dates of care, and what has none is kept.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::Value;

use super::answer::Answer;
use super::bundle_text::BundleText;
use super::context::{Context, Input};
use super::document::value_of;
use super::draft::Draft;
use super::refusal::{Outcome, Refusal};
use super::search::{self, Go, Hit, Kind, Range, Token, View, Wanted, address};
use super::smart::Verb;
use super::{read, resource, types};
use crate::store::resources::Collection;

/// Types that belong to no patient and are given along with what refers to them.
const SUPPORTING: &[&str] = &["Device", "Location", "Medication", "Organization", "Practitioner", "PractitionerRole"];

/// Dates that do not say when care was given.
const NOT_OF_CARE: &[&str] = &["birthdate", "death-date", "issued", "recorded-date", "last-date"];

type Found = BTreeMap<(&'static str, String), Hit>;

pub(super) fn everything(draft: &Draft<'_>, cx: &Context<'_>, id: &str, input: &Input) -> Outcome<Answer> {
    read::read(draft, cx, "Patient", id)?;
    let path = format!("Patient/{id}/$everything");
    let asked = Asked::parse(&path, input)?;
    let found: Vec<_> = gather(draft.collection(), cx, id, &asked)?
        .into_iter()
        .filter(|((kind, _), hit)| asked.wants(kind, hit))
        .collect();
    let mut bundle = BundleText::new("searchset");
    bundle.total(found.len());
    bundle.link("self", &address(cx.base, &path, &asked.query));
    let end = asked.start.saturating_add(asked.count);
    if end < found.len() {
        let token = Token::write(&path, &asked.query, end);
        let next = [("_count".to_owned(), asked.count.to_string()), ("page".to_owned(), token)];
        bundle.link("next", &address(cx.base, &path, &next));
    }
    for ((kind, id), hit) in found.iter().skip(asked.start).take(asked.count) {
        bundle.found(cx.base, kind, id, &hit.body, "match");
    }
    Ok(Answer::ok(bundle.finish(&cx.ids.uuid())))
}

fn gather(collection: &Collection, cx: &Context<'_>, patient: &str, asked: &Asked) -> Outcome<Found> {
    let mut found = Found::new();
    let mut supporting = BTreeSet::new();
    let view = View::immediate(cx.now);
    let ids = HashSet::from([patient]);
    let kinds: Vec<&'static str> = collection.kinds().filter_map(types::named).collect();
    for kind in kinds.into_iter().filter(|kind| types::is_of_patients(kind)) {
        let Ok(reach) = cx.permit.reach(Verb::Read, kind) else {
            continue;
        };
        let wanted = Wanted { kind, filters: &[], reach: &reach, view };
        wanted.each(collection, 0, &mut |hit| {
            let own = kind == "Patient" && hit.id == patient;
            if !own && (kind == "Patient" || !search::names_any(&hit.body, &ids)) {
                return Go::On;
            }
            let value = value_of(&hit.body);
            let mut belongs = own;
            let mut others = Vec::new();
            resource::references(&value, &mut |reference| match resource::target(reference) {
                Some(("Patient", id)) => belongs |= id == patient,
                Some((kind, id)) if SUPPORTING.contains(&kind) => others.push((kind, id.to_owned())),
                _ => {}
            });
            if belongs && (own || asked.in_time(kind, &value)) {
                supporting.extend(others);
                found.insert((kind, hit.id.clone()), hit);
            }
            Go::On
        })?;
    }
    for (kind, id) in supporting {
        if let Some(hit) = one(collection, cx, kind, &id)? {
            found.insert((kind, id), hit);
        }
    }
    Ok(found)
}

/// The resource as it is, if the caller may read it.
fn one(collection: &Collection, cx: &Context<'_>, kind: &'static str, id: &str) -> Outcome<Option<Hit>> {
    let (Ok(reach), Some(place)) = (cx.permit.reach(Verb::Read, kind), collection.place(kind, id)) else {
        return Ok(None);
    };
    Wanted { kind, filters: &[], reach: &reach, view: View::immediate(cx.now) }.at(collection, place)
}

/// The parameters of the operation.
struct Asked {
    query: Vec<(String, String)>,
    count: usize,
    start: usize,
    since: Option<Range>,
    from: Option<Range>,
    to: Option<Range>,
    kinds: Option<Vec<String>>,
}

impl Asked {
    fn parse(path: &str, input: &Input) -> Outcome<Self> {
        let (mut query, mut start) = (input.conditions(), 0);
        if let Some((_, page)) = query.iter().find(|(name, _)| name == "page") {
            let token = Token::read(page, path)?;
            token.check_count(&query, 100)?;
            (query, start) = (token.asked, token.start);
        }
        let mut asked = Self { query: Vec::new(), count: 100, start, since: None, from: None, to: None, kinds: None };
        for (name, value) in &query {
            asked.take(name, value)?;
        }
        asked.query = query;
        Ok(asked)
    }

    fn take(&mut self, name: &str, value: &str) -> Outcome<()> {
        let date = || {
            search::parse_date(value)
                .map(Some)
                .ok_or_else(|| Refusal::invalid(format!("{name}=\"{value}\" is not a date.")))
        };
        match name {
            "_count" => self.count = search::count(value)?.max(1),
            "_since" => self.since = date()?,
            "start" => self.from = date()?,
            "end" => self.to = date()?,
            "_type" => self.kinds = Some(value.split(',').map(ToOwned::to_owned).collect()),
            _ => {
                return Err(Refusal::invalid(format!(
                    "Unknown parameter \"{name}\" of $everything: there are start, end, _since, _type and _count."
                )));
            }
        }
        Ok(())
    }

    fn wants(&self, kind: &str, hit: &Hit) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kinds.iter().any(|wanted| wanted == kind))
            && self.since.is_none_or(|since| since.from <= hit.at.into())
    }

    /// Whether some date of care lies between `start` and `end`.
    fn in_time(&self, kind: &str, value: &Value) -> bool {
        if self.from.is_none() && self.to.is_none() {
            return true;
        }
        let mut ranges = search::parameters_of(kind)
            .filter(|parameter| parameter.kind == Kind::Date && !NOT_OF_CARE.contains(&parameter.name))
            .flat_map(|parameter| search::elements(value, parameter.paths))
            .filter_map(search::range_of)
            .peekable();
        ranges.peek().is_none()
            || ranges.any(|range| {
                self.from.is_none_or(|from| range.to > from.from) && self.to.is_none_or(|to| range.from < to.to)
            })
    }
}
