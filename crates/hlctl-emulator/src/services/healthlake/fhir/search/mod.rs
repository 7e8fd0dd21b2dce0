//! The FHIR search interaction.
//!
//! Where AWS documents nothing or contradicts itself, this is what happens here. Unknown parameters are refused
//! unless `Prefer: handling=lenient` asks to pass over them. Texts are compared letter by letter, capitals and all,
//! as the developer guide says of strings; R4 would ignore case. A page has 100 resources unless `_count` says
//! otherwise, and `_count` cannot be 0 or more than that. `_sort` takes up to five keys, none of them nested: what is
//! sorted by is a date, or an element of the resource itself that is a primitive type. Matches come in the order in which they were first created. The number of all
//! matches is given only where `_total=accurate` asks for it. Pages are not snapshots: what is written
//! between two pages may show on the second. A page's token holds the whole search, encoded but not encrypted, and
//! goes with its `_count` alone.
//!
//! Left out: composite and special parameters, `_text`, `_content`, `createdAt`, `:iterate` of `_revinclude`, `:above`,
//! `:in` and `:of-type`.

mod chain;
mod date;
mod filter;
mod include;
mod parameter;
mod path;
mod quantity;
mod query;
mod run;
mod shape;
mod sort;
mod summaries;
mod tables;
mod token;
mod value;

pub(super) use date::{Range, parse as parse_date};
pub(super) use filter::{Filter, Row};
pub(super) use include::names_any;
pub(super) use parameter::{Kind, of as parameters_of};
pub(super) use path::all as elements;
pub(super) use query::{Query, Setting, conditions, count};
pub(super) use run::{Go, Hit, View, Wanted};
pub(super) use token::Token;

use chain::Surroundings;

use super::bundle_text::BundleText;
use super::refusal::Outcome;
use super::smart::{Permit, Verb};
use crate::store::resources::Collection;

/// The range of a date, dateTime, Period or Timing in a resource.
pub(super) fn range_of(element: &serde_json::Value) -> Option<Range> {
    date::of_element(element)
}

/// A searchset of what `query` finds and `permit` lets through, with links that begin with `base`.
pub(super) fn search(
    collection: &Collection,
    permit: &Permit,
    mut query: Query,
    view: View,
    (base, home): (&str, &str),
) -> Outcome<BundleText> {
    let around = Surroundings { collection, permit, view, home };
    for chain in std::mem::take(&mut query.chains) {
        query.filters.push(chain.resolve(&around)?);
    }
    let query = &query;
    let reach = permit.reach(Verb::Search, query.kind)?;
    let wanted = Wanted { kind: query.kind, filters: &query.filters, reach: &reach, view };
    let mut bundle = BundleText::new("searchset");
    bundle.link("self", &address(base, query.kind, &query.asked));
    let page = page(collection, &wanted, query)?;
    if let Some(total) = page.total {
        bundle.total(total);
    }
    if let Some(start) = page.next {
        let token = Token::write(query.kind, &query.asked, start);
        let next = [("_count".to_owned(), query.count.to_string()), ("page".to_owned(), token)];
        bundle.link("next", &address(base, query.kind, &next));
    }
    for hit in &page.hits {
        bundle.found(base, query.kind, &hit.id, &query.shape.of_match(query.kind, &hit.body), "match");
    }
    for (kind, hit) in include::included(collection, permit, query, &page.hits, view, home)? {
        bundle.found(base, kind, &hit.id, &query.shape.of_included(kind, &hit.body), "include");
    }
    Ok(bundle)
}

struct Page {
    hits: Vec<Hit>,
    next: Option<usize>,
    total: Option<usize>,
}

/// The page that begins at the query's start: a place in the collection, or a number of matches to pass over
/// where they are sorted.
fn page(collection: &Collection, wanted: &Wanted<'_>, query: &Query) -> Outcome<Page> {
    if query.sort.is_empty() {
        let (hits, next) = wanted.page(collection, query.start, query.count)?;
        let total = query.total.then(|| wanted.count(collection)).transpose()?;
        return Ok(Page { hits, next, total });
    }
    let places = sort::sorted(collection, wanted, &query.sort)?;
    let (count, end) = (places.len(), query.start.saturating_add(query.count));
    let page = places.into_iter().skip(query.start).take(query.count);
    let hits = page.filter_map(|place| wanted.at(collection, place).transpose()).collect::<Outcome<_>>()?;
    Ok(Page { hits, next: (end < count).then_some(end), total: query.total.then_some(count) })
}

/// An address below `base` with a query.
pub(super) fn address(base: &str, path: &str, query: &[(String, String)]) -> String {
    if query.is_empty() {
        return format!("{base}{path}");
    }
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    format!("{base}{path}?{query}")
}
