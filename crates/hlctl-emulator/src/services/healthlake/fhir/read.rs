//! Read, vread and history.

use serde_json::json;

use super::answer::{Answer, Written};
use super::bundle_text::BundleText;
use super::context::{Context, Input};
use super::draft::Draft;
use super::refusal::{Outcome, Refusal};
use super::search::{self, Row, Token};
use super::smart::{Reach, Verb};
use super::write::{check_reach, missing};
use super::{resource, search::address};
use crate::store::resources::{Collection, Version};

pub(super) fn read(draft: &Draft<'_>, cx: &Context<'_>, kind: &'static str, id: &str) -> Outcome<Answer> {
    let reach = cx.permit.reach(Verb::Read, kind)?;
    let current = draft.current(kind, id)?;
    let body = check_reach(current.as_ref(), &reach, kind, id)?;
    match (current, body) {
        (Some(current), Some(body)) => {
            let version = Written { kind, id: id.to_owned(), version: current.version, at: current.at };
            Ok(Answer::of(200, Some(body), Some(version)))
        }
        (current, _) => Err(missing(current.as_ref(), kind, id)),
    }
}

pub(super) fn version_read(
    collection: &Collection,
    cx: &Context<'_>,
    kind: &'static str,
    id: &str,
    wanted: &str,
) -> Outcome<Answer> {
    let reach = cx.permit.reach(Verb::Read, kind)?;
    let number = wanted.parse::<usize>().ok().filter(|number| number.to_string() == wanted);
    let found = number.and_then(|number| collection.versions(kind, id).get(number.checked_sub(1)?).zip(Some(number)));
    let Some((version, number)) = found else {
        return Err(Refusal::not_found(format!("{kind}/{id} has no version {wanted}.")));
    };
    let Some(body) = collection.body(version)? else {
        return Err(Refusal::gone(format!("Version {wanted} of {kind}/{id} is its deletion.")));
    };
    if !reach.admits(kind, &Row::new(id, version.at, &body)) {
        return Err(Refusal::forbidden(format!("The token's scopes do not reach {kind}/{id}.")));
    }
    let version = Some(Written { kind, id: id.to_owned(), version: number, at: version.at });
    Ok(Answer::of(200, Some(body), version))
}

/// A version in a history.
struct Item<'c> {
    id: &'c str,
    number: usize,
    version: &'c Version,
}

/// The versions of a resource, or of all of a type, newest first.
pub(super) fn history(
    collection: &Collection,
    cx: &Context<'_>,
    kind: &'static str,
    id: Option<&str>,
    input: &Input,
) -> Outcome<Answer> {
    // SMART counts the history of a resource as reading and that of a type as searching.
    let reach = cx.permit.reach(if id.is_some() { Verb::Read } else { Verb::Search }, kind)?;
    let path = id.map_or_else(|| format!("{kind}/_history"), |id| format!("{kind}/{id}/_history"));
    let asked = Asked::parse(&path, input)?;
    let mut items = items(collection, kind, id);
    if items.is_empty() && id.is_some() {
        return Err(missing(None, kind, id.unwrap_or_default()));
    }
    items.sort_by_key(|item| std::cmp::Reverse(item.version.sequence));
    items.retain(|item| asked.fits(collection, kind, item));
    let mut bundle = BundleText::new("history");
    let mut total = 0;
    for item in &items {
        let body = collection.body(item.version)?;
        let visible = match (&reach, &body) {
            (Reach::All, _) => true,
            (_, Some(body)) => reach.admits(kind, &Row::new(item.id, item.version.at, body)),
            (_, None) => false,
        };
        if !visible {
            continue;
        }
        if total >= asked.start && total < asked.start.saturating_add(asked.count) {
            bundle.entry(&entry(cx.base, kind, item), body.as_deref());
        }
        total += 1;
    }
    bundle.total(total);
    bundle.link("self", &address(cx.base, &path, &asked.query));
    let end = asked.start.saturating_add(asked.count);
    if end < total {
        let token = Token::write(&path, &asked.query, end);
        let next = [("_count".to_owned(), asked.count.to_string()), ("page".to_owned(), token)];
        bundle.link("next", &address(cx.base, &path, &next));
    }
    Ok(Answer::ok(bundle.finish(&cx.ids.uuid())))
}

fn items<'c>(collection: &'c Collection, kind: &str, id: Option<&'c str>) -> Vec<Item<'c>> {
    let numbered = |id, versions: &'c [Version]| {
        versions.iter().enumerate().map(move |(place, version)| Item { id, number: place + 1, version })
    };
    match id {
        Some(id) => numbered(id, collection.versions(kind, id)).collect(),
        None => (0..)
            .map_while(|place| collection.at(kind, place))
            .flat_map(|(id, versions)| numbered(id, versions))
            .collect(),
    }
}

fn entry(base: &str, kind: &str, item: &Item<'_>) -> serde_json::Value {
    let method = item.version.method.name();
    let url = if method == "POST" { kind.to_owned() } else { format!("{kind}/{}", item.id) };
    let status = match (item.version.is_deletion(), item.number) {
        (true, _) => "204",
        (false, 1) => "201",
        (false, _) => "200",
    };
    json!({
        "fullUrl": format!("{base}{kind}/{}", item.id),
        "request": {"method": method, "url": url},
        "response": {
            "status": status,
            "etag": format!("W/\"{}\"", item.number),
            "lastModified": resource::instant(item.version.at),
        },
    })
}

/// The parameters of a history.
struct Asked {
    /// Without the token, which has become the start.
    query: Vec<(String, String)>,
    count: usize,
    start: usize,
    since: Option<search::Range>,
    at: Option<search::Range>,
}

impl Asked {
    fn parse(path: &str, input: &Input) -> Outcome<Self> {
        let (mut query, mut start) = (input.conditions(), 0);
        if let Some((_, page)) = query.iter().find(|(name, _)| name == "page") {
            let token = Token::read(page, path)?;
            token.check_count(&query, 100)?;
            (query, start) = (token.asked, token.start);
        }
        let mut asked = Self { query: Vec::new(), count: 100, start, since: None, at: None };
        let date = |name: &str, value: &str| {
            search::parse_date(value).ok_or_else(|| Refusal::invalid(format!("{name}=\"{value}\" is not a date.")))
        };
        for (name, value) in &query {
            match name.as_str() {
                "_count" => asked.count = search::count(value)?.max(1),
                "_since" => asked.since = Some(date(name, value)?),
                "_at" => asked.at = Some(date(name, value)?),
                _ => {
                    return Err(Refusal::invalid(format!(
                        "Unknown parameter \"{name}\" of a history: there are _count, _since and _at."
                    )));
                }
            }
        }
        asked.query = query;
        Ok(asked)
    }

    /// Whether a version was made since `_since` and was current at `_at`.
    fn fits(&self, collection: &Collection, kind: &str, item: &Item<'_>) -> bool {
        let next = collection.versions(kind, item.id).get(item.number);
        self.since.is_none_or(|since| since.from <= item.version.at.into())
            && self
                .at
                .is_none_or(|at| at.to > item.version.at.into() && next.is_none_or(|next| at.from < next.at.into()))
    }
}
