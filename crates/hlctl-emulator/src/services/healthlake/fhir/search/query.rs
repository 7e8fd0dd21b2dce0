//! A search as a whole: its conditions, and what is to be done with what they find.

use super::chain::Condition;
use super::filter::Filter;
use super::parameter::{self, Kind, Parameter};
use super::shape::Shape;
use super::sort::is_sortable;
use super::token::Token;
use super::value::split;
use crate::services::healthlake::fhir::refusal::{Outcome, Refusal};
use crate::services::healthlake::fhir::types;

/// The most resources on a page; asking for more is invalid (HealthLake developer guide, FHIR R4 search parameters).
const MOST: usize = 100;
/// Resources on a page of which the caller says nothing.
const USUAL: usize = 100;
/// The most keys to sort by (same page).
const MOST_KEYS: usize = 5;

/// A parsed search.
pub(in super::super) struct Query {
    pub(super) kind: &'static str,
    /// What was asked, for links and further pages.
    pub(super) asked: Vec<(String, String)>,
    pub(super) filters: Vec<Filter>,
    /// Conditions on other resources, which become filters once there is something to look at.
    pub(super) chains: Vec<Condition>,
    pub(super) count: usize,
    /// Whether the number of all matches is wanted.
    pub(super) total: bool,
    pub(super) sort: Vec<Order>,
    pub(super) include: Vec<Include>,
    pub(super) reverse_include: Vec<Include>,
    /// What of each resource is given.
    pub(super) shape: Shape,
    /// Where the page begins.
    pub(super) start: usize,
}

/// A key to sort by.
pub(super) struct Order {
    pub(super) by: SortKey,
    pub(super) descending: bool,
}

pub(super) enum SortKey {
    Id,
    Updated,
    Parameter(&'static Parameter),
}

/// References of resources of a type that are followed.
pub(super) struct Include {
    pub(super) kind: &'static str,
    pub(super) parameter: &'static Parameter,
    /// Only to this type.
    pub(super) target: Option<&'static str>,
    /// Whether references of what is included are followed as well.
    pub(super) iterates: bool,
}

/// What a search takes from its surroundings.
#[derive(Clone, Copy)]
pub(in super::super) struct Setting<'a> {
    /// What stands before the type in an address of this datastore.
    pub(in super::super) home: &'a str,
    /// Whether unknown parameters are passed over (`Prefer: handling=lenient`).
    pub(in super::super) lenient: bool,
}

impl Query {
    pub(in super::super) fn parse(
        kind: &'static str,
        parameters: &[(String, String)],
        setting: Setting<'_>,
    ) -> Outcome<Self> {
        let page = parameters.iter().find(|(name, _)| name == "page");
        let Some((_, page)) = page else {
            return Self::begin(kind, parameters.to_vec(), setting);
        };
        let token = Token::read(page, kind)?;
        token.check_count(parameters, USUAL)?;
        let mut query = Self::begin(kind, token.asked, setting)?;
        query.start = token.start;
        for (name, value) in parameters {
            match name.as_str() {
                "_count" => query.count = page_size(value)?,
                "page" => {}
                other => {
                    return Err(Refusal::invalid(format!(
                        "Search parameter \"{other}\" cannot be added to a page: the page already includes the whole \
                         search."
                    )));
                }
            }
        }
        Ok(query)
    }

    fn begin(kind: &'static str, asked: Vec<(String, String)>, setting: Setting<'_>) -> Outcome<Self> {
        let mut query = Self {
            kind,
            asked: Vec::new(),
            filters: Vec::new(),
            chains: Vec::new(),
            count: USUAL,
            total: false,
            sort: Vec::new(),
            include: Vec::new(),
            reverse_include: Vec::new(),
            shape: Shape::default(),
            start: 0,
        };
        for (name, value) in &asked {
            query.take(name, value, setting)?;
        }
        query.asked = asked;
        Ok(query)
    }

    fn take(&mut self, name: &str, value: &str, setting: Setting<'_>) -> Outcome<()> {
        if value.is_empty() {
            return Ok(());
        }
        match name {
            "_count" => self.count = page_size(value)?,
            "_summary" => self.shape.summarize(value)?,
            "_elements" => self.shape.choose(value),
            "_total" => self.total = total(value)?,
            "_sort" => self.sort = sort(self.kind, value)?,
            "_include" if value == "*" => self.include.extend(all_of(self.kind)),
            "_include" => self.include.extend(includes(name, value, Some(self.kind))?),
            "_include:iterate" => self.include.extend(includes(name, value, None)?.map(Include::iterating)),
            "_revinclude" => self.reverse_include.extend(includes(name, value, None)?),
            _ => match Condition::parse(self.kind, name, value, setting.home)? {
                Some(Condition::Plain(filter)) => self.filters.push(filter),
                Some(chain) => self.chains.push(chain),
                None if setting.lenient => {}
                None => return Err(unknown(self.kind, name)),
            },
        }
        Ok(())
    }
}

/// Conditions only, as conditional requests and scopes have them.
pub(in super::super) fn conditions(
    kind: &'static str,
    parameters: &[(String, String)],
    home: &str,
) -> Outcome<Vec<Filter>> {
    let setting = Setting { home, lenient: false };
    let Query { filters, chains, .. } = Query::begin(kind, parameters.to_vec(), setting)?;
    if !chains.is_empty() {
        return Err(Refusal::not_supported(400, "Conditions cannot be on other resources."));
    }
    if filters.is_empty() {
        return Err(Refusal::invalid("The conditions are missing."));
    }
    Ok(filters)
}

fn unknown(kind: &str, name: &str) -> Refusal {
    let mut known: Vec<&str> = parameter::of(kind).map(|parameter| parameter.name).collect();
    known.extend(["_id", "_lastUpdated", "_count", "_sort", "_summary", "_elements", "_total"]);
    known.extend(["_include", "_include:iterate", "_revinclude", "_has"]);
    known.sort_unstable();
    Refusal::invalid(format!(
        "Unknown search parameter \"{name}\" for resource type \"{kind}\". Valid search parameters are: {}",
        known.join(", ")
    ))
}

/// `_count` of histories and of `$everything`: more than the most is the most.
pub(in super::super) fn count(value: &str) -> Outcome<usize> {
    Ok(number(value)?.min(MOST))
}

/// `_count` of searches.
fn page_size(value: &str) -> Outcome<usize> {
    match number(value)? {
        0 => Err(Refusal::not_supported(400, "_count=0 is not supported.")),
        count if count > MOST => {
            Err(Refusal::invalid(format!("Invalid value for _count: {count} is greater than {MOST}.")))
        }
        count => Ok(count),
    }
}

fn number(value: &str) -> Outcome<usize> {
    value.parse().map_err(|_| Refusal::invalid(format!("_count=\"{value}\" is not a number.")))
}

fn total(value: &str) -> Outcome<bool> {
    match value {
        "accurate" => Ok(true),
        "none" => Ok(false),
        _ => Err(Refusal::invalid(format!("Invalid value for _total: {value}. There are accurate and none."))),
    }
}

fn sort(kind: &str, value: &str) -> Outcome<Vec<Order>> {
    let refuse = |name: &str| Refusal::invalid(format!("{kind} cannot be sorted by \"{name}\"."));
    let key = |name: &str| match name {
        "_id" => Ok(SortKey::Id),
        "_lastUpdated" => Ok(SortKey::Updated),
        _ => match parameter::find(kind, name) {
            Some(parameter) if is_sortable(kind, parameter) => Ok(SortKey::Parameter(parameter)),
            Some(_) => Err(Refusal::not_supported(
                400,
                format!("{kind} cannot be sorted by \"{name}\": nested elements are not supported."),
            )),
            None => Err(refuse(name)),
        },
    };
    let names = split(value, ',');
    if names.len() > MOST_KEYS {
        return Err(Refusal::invalid(format!("_sort has {} keys; at most {MOST_KEYS} are supported.", names.len())));
    }
    names
        .iter()
        .map(|name| {
            let (name, descending) = name.strip_prefix('-').map_or((name.as_str(), false), |name| (name, true));
            Ok(Order { by: key(name)?, descending })
        })
        .collect()
}

impl Include {
    fn iterating(self) -> Self {
        Self { iterates: true, ..self }
    }
}

/// All references of a type (HealthLake developer guide: `_include=*`).
fn all_of(kind: &'static str) -> impl Iterator<Item = Include> {
    let references = parameter::of(kind).filter(|parameter| matches!(parameter.kind, Kind::Reference(_)));
    references.map(move |parameter| Include { kind, parameter, target: None, iterates: false })
}

/// Several in one parameter, as AWS Labs' own client (PyPI awslabs-healthlake-mcp-server) sends them.
fn includes(name: &str, value: &str, searched: Option<&str>) -> Outcome<impl Iterator<Item = Include> + use<>> {
    let all: Vec<Include> = value.split(',').map(|value| include(name, value, searched)).collect::<Outcome<_>>()?;
    Ok(all.into_iter())
}

/// `Type:parameter` or `Type:parameter:Target`.
fn include(name: &str, value: &str, searched: Option<&str>) -> Outcome<Include> {
    let refuse = |why: &str| Refusal::invalid(format!("{name}=\"{value}\": {why}"));
    let mut parts = value.split(':');
    let kind = parts.next().and_then(types::named).ok_or_else(|| refuse("it begins with no resource type."))?;
    if searched.is_some_and(|searched| searched != kind) {
        return Err(refuse("it must begin with the type that is searched for."));
    }
    let parameter = parts
        .next()
        .and_then(|name| parameter::find(kind, name))
        .filter(|parameter| matches!(parameter.kind, Kind::Reference(_)))
        .ok_or_else(|| refuse("the type has no such parameter that holds references."))?;
    let target = match parts.next() {
        None => None,
        Some(target) => Some(types::named(target).ok_or_else(|| refuse("it ends with no resource type."))?),
    };
    Ok(Include { kind, parameter, target, iterates: false })
}
