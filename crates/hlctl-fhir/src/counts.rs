//! How many resources of each type a store holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use http::Method;
use serde::Deserialize;
use tokio::task::JoinSet;
use tracing::Instrument as _;

use super::client::{Fhir, FhirRequest};
use super::refusal::{ErrorResponse, FhirError};
use super::unsupported::is_unsupported_type;
use hlctl_aws::ops;

/// Searches at once; a store takes 100 a second ("AWS HealthLake endpoints and quotas").
const AT_ONCE: usize = 16;

/// Resource type to count; types without resources are left out.
pub type ResourceCounts = BTreeMap<String, u64>;

/// What a store was found to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// How many resources of each type.
    pub counts: ResourceCounts,
    /// The types that the store says it does not have.
    pub unsupported: BTreeSet<&'static str>,
}

#[derive(Deserialize)]
struct Total {
    total: Option<u64>,
}

/// What became of the count of one type.
enum Outcome {
    Count(u64),
    Unsupported(Box<ErrorResponse>),
}

/// Counts the resources of these types.
///
/// A type counts as having no resources only if the store says so: by a total of zero, or by refusing the type as
/// one that it does not have. A store that refuses all types has answered something else than was asked.
///
/// # Errors
/// What the store holds of some type is not known: it refuses, does not answer, or does not tell.
pub async fn counts(fhir: &Arc<Fhir>, types: impl Iterator<Item = &'static str>) -> Result<Counted, FhirError> {
    let mut counted = Counted::default();
    let mut is_answered = false;
    let mut refused = None;
    let mut searches = JoinSet::new();
    let mut left = types;
    loop {
        while searches.len() < AT_ONCE
            && let Some(kind) = left.next()
        {
            let fhir = Arc::clone(fhir);
            let counted = async move { count(&fhir, kind).await.map(|outcome| (kind, outcome)) };
            searches.spawn(counted.in_current_span());
        }
        let Some(joined) = searches.join_next().await else { break };
        let about = || "the count of resources".to_owned();
        let (kind, outcome) =
            joined.map_err(|error| FhirError::NotFhir { about: about(), problem: error.to_string() })??;
        match outcome {
            Outcome::Count(count) => {
                is_answered = true;
                if count > 0 {
                    counted.counts.insert(kind.to_owned(), count);
                }
            }
            Outcome::Unsupported(refusal) => {
                counted.unsupported.insert(kind);
                refused = Some(refusal);
            }
        }
    }
    match refused {
        Some(refusal) if !is_answered => Err(refusal.into()),
        _ => Ok(counted),
    }
}

/// Counts one type. `_summary=count`, which R4 has for this, is invalid in HealthLake, as is `_count=0` (HealthLake
/// Developer Guide, "FHIR R4 search parameters for HealthLake"): the one resource that comes along is not looked at.
async fn count(fhir: &Fhir, kind: &str) -> Result<Outcome, FhirError> {
    let parameters = [("_total", "accurate"), ("_count", "1")];
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let about = format!("the count of {kind}");
    let ask = FhirRequest::new(ops::fhir::SEARCH_WITH_GET, Method::GET, fhir.base.at(kind, &parameters), about.clone());
    let answer = match fhir.send(&ask).await {
        Ok(answer) => answer,
        Err(refusal) if is_unsupported_type(&refusal, kind) => return Ok(Outcome::Unsupported(refusal)),
        Err(refusal) => return Err(refusal.into()),
    };
    let wrong = |problem: String| FhirError::NotFhir { about: about.clone(), problem };
    let total: Total = serde_json::from_slice(&answer.body).map_err(|error| wrong(error.to_string()))?;
    total.total.map(Outcome::Count).ok_or_else(|| wrong("it has no total".to_owned()))
}
