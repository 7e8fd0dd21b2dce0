//! Compares what two stores hold, type by type.

use std::collections::BTreeSet;
use std::sync::Arc;

use url::Url;

use super::StoreOperation;
use crate::commands::endpoint_resolver::EndpointResolver;
use crate::commands::smart::is_smart;
use crate::data::check::resource_types;
use crate::error::CommandError;
use crate::sandbox;
use crate::ui::{json, table};
use hlctl_engine::state::State;
use hlctl_fhir::oauth::{Http, OauthError};
use hlctl_fhir::{Authority, BaseUrl, Counted, Fhir, ResourceCounts, counts};
use hlctl_model::text::counted;

/// What an old and a new store hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Comparison {
    /// The old one's resources by type; `None` where it cannot be asked any more.
    pub(super) old: Option<ResourceCounts>,
    /// The new one's.
    pub(super) new: ResourceCounts,
    /// The types that one of them says it does not have.
    pub(super) unsupported: BTreeSet<&'static str>,
    /// Why it is not known what one of them holds.
    pub(super) failure: Option<Uncounted>,
}

/// Why it is not known what a store holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Uncounted {
    /// What went wrong.
    pub(super) text: String,
    /// What to do about it.
    pub(super) hint: Option<String>,
}

impl Comparison {
    /// The types of which they hold unlike numbers.
    pub(super) fn differing(&self) -> Vec<(&str, u64, u64)> {
        let Some(old) = &self.old else { return Vec::new() };
        let kinds: BTreeSet<&String> = old.keys().chain(self.new.keys()).collect();
        let count = |counts: &ResourceCounts, kind: &String| counts.get(kind).copied().unwrap_or_default();
        let rows = kinds.into_iter().map(|kind| (kind.as_str(), count(old, kind), count(&self.new, kind)));
        rows.filter(|(_, old, new)| old != new).collect()
    }

    /// For people.
    pub(super) fn reported(&self) -> String {
        if let Some(failure) = &self.failure {
            return format!("The contents of the stores could not be compared: {}", failure.text);
        }
        self.result() + &self.left_out()
    }

    /// The types that are not in the numbers.
    fn left_out(&self) -> String {
        if self.unsupported.is_empty() {
            return String::new();
        }
        let names: Vec<&str> = self.unsupported.iter().copied().collect();
        format!("\nNot counted, since a store says that it does not have the type: {}.", names.join(", "))
    }

    fn result(&self) -> String {
        let sum = |counts: &ResourceCounts| counts.values().sum::<u64>();
        let new = sum(&self.new);
        let Some(old) = &self.old else {
            return format!(
                "The new store holds {}. The old one could not be counted: it no longer exists.",
                counted(new, "resource")
            );
        };
        let differing = self.differing();
        if differing.is_empty() {
            return format!(
                "Both stores hold the same number of resources of each type: {} of {}.",
                counted(new, "resource"),
                counted(self.new.len() as u64, "type")
            );
        }
        let head = ["TYPE", "OLD", "NEW"].map(str::to_owned).to_vec();
        let row = |(kind, old, new): (&str, u64, u64)| vec![kind.to_owned(), old.to_string(), new.to_string()];
        let rows: Vec<_> = std::iter::once(head).chain(differing.into_iter().map(row)).collect();
        let old = counted(sum(old), "resource");
        format!("The old store holds {old}, the new one {new}. They differ in:\n{}", table(&rows))
    }

    /// For programs.
    pub(super) fn document(&self) -> json::Comparison {
        json::Comparison {
            old: self.old.clone(),
            new: self.new.clone(),
            unsupported: self.unsupported.clone(),
            failure: self.failure.as_ref().map(|failure| failure.text.clone()),
        }
    }
}

/// Counts what both hold; `old` is `None` where there is none any more. Who makes stores need not be allowed to search
/// them: then they are not compared.
pub(super) async fn compare(
    operation: &StoreOperation<'_>,
    state: &State,
    old: Option<&str>,
    new: &str,
) -> Result<Comparison, CommandError> {
    let counted = async { Ok(count_both(operation, state, old, new).await) };
    match operation.session.interruptible(counted).await? {
        Ok((old, new)) => {
            let unsupported = old.iter().chain([&new]).flat_map(|counted| &counted.unsupported).copied().collect();
            let old = old.map(|counted| counted.counts);
            Ok(Comparison { old, new: new.counts, unsupported, failure: None })
        }
        Err(CommandError::Fhir(error)) => {
            let failure = Uncounted { text: error.to_string(), hint: error.hint() };
            Ok(Comparison { failure: Some(failure), ..Comparison::default() })
        }
        Err(error) => Err(error),
    }
}

async fn count_both(
    operation: &StoreOperation<'_>,
    state: &State,
    old: Option<&str>,
    new: &str,
) -> Result<(Option<Counted>, Counted), CommandError> {
    let endpoints = match &operation.connection.emulator {
        Some(emulator) => EndpointResolver::all_at(&sandbox::serve(emulator.clone()).await?)?,
        None => EndpointResolver::of(&operation.connection.clients)?,
    };
    let count = async |endpoint: &str| {
        let named = Url::parse(endpoint).map_err(|_| OauthError::Address(endpoint.to_owned()))?;
        let base = BaseUrl::new(named, endpoints.of_store(endpoint)?);
        let signer = operation.connection.signer()?;
        let http = Http::new(&operation.connection.clients.trust)?;
        let fhir = Fhir::new(base, http, Authority::Signature(signer), is_smart(state));
        Ok::<_, CommandError>(counts(&Arc::new(fhir), resource_types::searchable()).await?)
    };
    let old = match old {
        Some(endpoint) => Some(count(endpoint).await?),
        None => None,
    };
    Ok((old, count(new).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(counts: &[(&str, u64)]) -> ResourceCounts {
        counts.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect()
    }

    #[test]
    fn types_that_only_one_has_differ() {
        let comparison = Comparison {
            old: Some(counted(&[("Patient", 3), ("Observation", 2)])),
            new: counted(&[("Patient", 3), ("Condition", 1)]),
            ..Comparison::default()
        };
        assert_eq!(comparison.differing(), [("Condition", 0, 1), ("Observation", 2, 0)]);
    }

    #[test]
    fn a_store_that_cannot_be_asked_differs_in_nothing_that_is_known() {
        let comparison = Comparison { new: counted(&[("Patient", 3)]), ..Comparison::default() };
        assert!(comparison.differing().is_empty());
        assert!(comparison.reported().contains("could not be counted"));
    }

    #[test]
    fn types_that_are_not_in_the_numbers_are_named() {
        let same = counted(&[("Patient", 3)]);
        let unsupported = BTreeSet::from(["Invoice", "Account"]);
        let comparison = Comparison { old: Some(same.clone()), new: same, unsupported, failure: None };
        assert!(
            comparison.reported().ends_with("does not have the type: Account, Invoice."),
            "{}",
            comparison.reported()
        );
    }
}
