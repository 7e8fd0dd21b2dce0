//! Chained parameters (`subject:Patient.name`) and reverse ones (`_has:Observation:patient:code`).
//!
//! Before a search begins, each becomes a condition on the type that is searched for: the references that it may hold, or
//! the ids that others refer to. On each level between, at most 100 resources may match; more are refused (HealthLake
//! developer guide, FHIR R4 search parameters). How many levels there may be is on no page; here it is three.

use super::filter::Filter;
use super::include::leads_to;
use super::parameter::{self, Kind, Parameter};
use super::run::{Hit, View, Wanted};
use crate::services::healthlake::fhir::document::value_of;
use crate::services::healthlake::fhir::refusal::{Outcome, Refusal};
use crate::services::healthlake::fhir::smart::{Permit, Verb};
use crate::services::healthlake::fhir::types;
use crate::store::resources::Collection;

/// The most resources that may match between the condition and what is searched for.
const MOST_BETWEEN: usize = 100;
/// The most references on the way.
const MOST_LEVELS: usize = 3;

/// A condition, which may be on other resources than those searched for.
pub(super) enum Condition {
    Plain(Filter),
    /// Resources that refer by the parameter to one that meets the condition of its type.
    Chain {
        parameter: &'static Parameter,
        targets: Vec<(&'static str, Self)>,
    },
    /// Resources of `kind` that one of `other`, which meets the condition, refers to by the parameter.
    Has {
        kind: &'static str,
        other: &'static str,
        parameter: &'static Parameter,
        condition: Box<Self>,
    },
}

/// Where chains are followed.
pub(super) struct Surroundings<'s> {
    pub(super) collection: &'s Collection,
    pub(super) permit: &'s Permit,
    pub(super) view: View,
    pub(super) home: &'s str,
}

impl Condition {
    /// Reads `name=text`; `None` if the type has no such parameter.
    pub(super) fn parse(kind: &'static str, name: &str, text: &str, home: &str) -> Outcome<Option<Self>> {
        Self::below(kind, name, text, home, 0)
    }

    fn below(kind: &'static str, name: &str, text: &str, home: &str, level: usize) -> Outcome<Option<Self>> {
        let reverse = name.strip_prefix("_has:");
        let chained = name.split_once('.');
        if (reverse.is_some() || chained.is_some()) && level == MOST_LEVELS {
            let why =
                format!("Search parameter \"{name}\" is one of too many levels: at most {MOST_LEVELS} are followed.");
            return Err(Refusal::invalid(why));
        }
        match (reverse, chained) {
            (Some(rest), _) => has(kind, rest, text, home, level),
            (None, Some((first, rest))) => chain(kind, first, rest, text, home, level),
            (None, None) => Ok(Filter::parse(kind, name, text, home)?.map(Self::Plain)),
        }
    }

    /// The condition on the type that is searched for.
    pub(super) fn resolve(self, around: &Surroundings<'_>) -> Outcome<Filter> {
        match self {
            Self::Plain(filter) => Ok(filter),
            Self::Chain { parameter, targets } => {
                let mut found = Vec::new();
                let is_one = targets.len() == 1;
                for (kind, condition) in targets {
                    // Of several types, those that the caller may not search are not looked into.
                    if !is_one && around.permit.reach(Verb::Search, kind).is_err() {
                        continue;
                    }
                    let hits = around.matches(kind, condition)?;
                    found.extend(hits.into_iter().map(|hit| (kind, hit.id)));
                }
                Ok(Filter::leading_to(parameter, found, around.home))
            }
            Self::Has { kind, other, parameter, condition } => {
                let hits = around.matches(other, *condition)?;
                let led = hits.iter().flat_map(|hit| leads_to(&value_of(&hit.body), parameter, around.home));
                Ok(Filter::of_ids(led.filter(|(found, _)| *found == kind).map(|(_, id)| id).collect()))
            }
        }
    }
}

impl Surroundings<'_> {
    fn matches(&self, kind: &'static str, condition: Condition) -> Outcome<Vec<Hit>> {
        let filter = condition.resolve(self)?;
        let reach = self.permit.reach(Verb::Search, kind)?;
        let wanted = Wanted { kind, filters: std::slice::from_ref(&filter), reach: &reach, view: self.view };
        match wanted.page(self.collection, 0, MOST_BETWEEN)? {
            (hits, None) => Ok(hits),
            (_, Some(_)) => Err(Refusal::invalid(format!(
                "More than {MOST_BETWEEN} resources of type {kind} match within the chained search: narrow it down."
            ))),
        }
    }
}

fn chain(
    kind: &'static str,
    first: &str,
    rest: &str,
    text: &str,
    home: &str,
    level: usize,
) -> Outcome<Option<Condition>> {
    let (name, wanted) = first.split_once(':').map_or((first, None), |(name, wanted)| (name, Some(wanted)));
    let refuse = |why: &str| Refusal::invalid(format!("Search parameter \"{first}.{rest}\": {why}"));
    let Some(parameter) = parameter::find(kind, name) else {
        return Ok(None);
    };
    let Kind::Reference(possible) = parameter.kind else {
        return Err(refuse("only references can be chained."));
    };
    let kinds = match wanted {
        Some(wanted) => {
            let wanted = types::named(wanted).filter(|wanted| possible.is_empty() || possible.contains(wanted));
            vec![wanted.ok_or_else(|| refuse("the reference does not lead to that type."))?]
        }
        // Types that do not have the parameter fall out below.
        None if possible.is_empty() && level == 0 => types::all().collect(),
        None if possible.is_empty() => {
            return Err(refuse("the reference may lead to any type: name one, as in subject:Patient.name."));
        }
        None => possible.iter().filter_map(|name| types::named(name)).collect(),
    };
    let (mut targets, mut wrong) = (Vec::new(), None);
    for kind in kinds {
        match Condition::below(kind, rest, text, home, level + 1) {
            Ok(Some(condition)) => targets.push((kind, condition)),
            Ok(None) => {}
            Err(refusal) => wrong = wrong.or(Some(refusal)),
        }
    }
    match wrong {
        Some(refusal) if targets.is_empty() => Err(refusal),
        _ if targets.is_empty() => Ok(None),
        _ => Ok(Some(Condition::Chain { parameter, targets })),
    }
}

/// `Type:reference:parameter`, after `_has:`.
fn has(kind: &'static str, rest: &str, text: &str, home: &str, level: usize) -> Outcome<Option<Condition>> {
    let refuse = |why: &str| Refusal::invalid(format!("Search parameter \"_has:{rest}\": {why}"));
    let mut parts = rest.splitn(3, ':');
    let (Some(other), Some(reference), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(refuse("it is written as _has:Type:reference:parameter."));
    };
    let other = types::named(other).ok_or_else(|| Refusal::invalid(types::refusal(other)))?;
    let parameter = parameter::find(other, reference)
        .filter(|parameter| matches!(parameter.kind, Kind::Reference(targets) if targets.is_empty() || targets.contains(&kind)))
        .ok_or_else(|| refuse(&format!("{other} has no parameter {reference} that refers to {kind}.")))?;
    let condition = Condition::below(other, name, text, home, level + 1)?
        .ok_or_else(|| refuse(&format!("{other} has no search parameter \"{name}\".")))?;
    Ok(Some(Condition::Has { kind, other, parameter, condition: Box::new(condition) }))
}
