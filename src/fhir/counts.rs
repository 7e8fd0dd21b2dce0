//! How many resources of each type a store holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::Method;
use serde::Deserialize;
use tokio::task::JoinSet;

use super::client::{Ask, Fhir};
use super::refusal::FhirError;

/// Searches at once; a store takes 100 a second ("AWS HealthLake endpoints and quotas").
const AT_ONCE: usize = 16;

/// Resource type to count; types without resources are left out.
pub type Counts = BTreeMap<String, u64>;

#[derive(Deserialize)]
struct Total {
    total: Option<u64>,
}

/// Counts the resources of these types. No resource is asked for: a store that heeds neither parameter that says so answers
/// with one, which is not looked at.
///
/// # Errors
/// The store refuses, or does not tell.
pub async fn counts(fhir: &Arc<Fhir>, types: &'static [&'static str]) -> Result<Counts, FhirError> {
    let mut counts = Counts::new();
    let mut searches = JoinSet::new();
    let mut left = types.iter();
    loop {
        while searches.len() < AT_ONCE
            && let Some(kind) = left.next()
        {
            let fhir = Arc::clone(fhir);
            searches.spawn(async move { count(&fhir, kind).await.map(|count| (*kind, count)) });
        }
        let Some(counted) = searches.join_next().await else { return Ok(counts) };
        let about = || "the count of resources".to_owned();
        let (kind, count) =
            counted.map_err(|error| FhirError::NotFhir { about: about(), problem: error.to_string() })??;
        if count > 0 {
            counts.insert(kind.to_owned(), count);
        }
    }
}

async fn count(fhir: &Fhir, kind: &str) -> Result<u64, FhirError> {
    let parameters = [("_summary", "count"), ("_total", "accurate"), ("_count", "1")];
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let about = format!("the count of {kind}");
    let ask = Ask::new("SearchWithGet", Method::GET, fhir.base.at(kind, &parameters), about.clone());
    let answer = fhir.send(&ask).await?;
    let wrong = |problem: String| FhirError::NotFhir { about: about.clone(), problem };
    let total: Total = serde_json::from_slice(&answer.body).map_err(|error| wrong(error.to_string()))?;
    total.total.ok_or_else(|| wrong("it has no total".to_owned()))
}
