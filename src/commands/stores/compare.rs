//! Compares what two stores hold, type by type.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use url::Url;

use super::Scene;
use crate::commands::places::Places;
use crate::commands::smart::is_smart;
use crate::commands::{interruptible, sandbox};
use crate::data::check::resource_types;
use crate::error::CommandError;
use crate::fhir::{Authority, Base, Counts, Fhir, Signer, counts};
use crate::oauth::{Http, OauthError};
use crate::state::State;
use crate::ui::table;

/// What an old and a new store hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Comparison {
    /// The old one's resources by type; `None` where it cannot be asked any more.
    pub(super) old: Option<Counts>,
    /// The new one's.
    pub(super) new: Counts,
    /// Why one of them cannot be asked.
    pub(super) failure: Option<String>,
}

impl Comparison {
    /// The types of which they hold unlike numbers.
    pub(super) fn differing(&self) -> Vec<(&str, u64, u64)> {
        let Some(old) = &self.old else { return Vec::new() };
        let kinds: BTreeSet<&String> = old.keys().chain(self.new.keys()).collect();
        let count = |counts: &Counts, kind: &String| counts.get(kind).copied().unwrap_or_default();
        let rows = kinds.into_iter().map(|kind| (kind.as_str(), count(old, kind), count(&self.new, kind)));
        rows.filter(|(_, old, new)| old != new).collect()
    }

    /// For people.
    pub(super) fn told(&self) -> String {
        if let Some(failure) = &self.failure {
            return format!("What the stores hold could not be compared: {failure}");
        }
        let sum = |counts: &Counts| counts.values().sum::<u64>();
        let new = sum(&self.new);
        let Some(old) = &self.old else {
            return format!("The new store holds {new} resources. The old one cannot be asked any more.");
        };
        let differing = self.differing();
        if differing.is_empty() {
            return format!(
                "Both stores hold the same numbers of each type: {new} resources of {} types.",
                self.new.len()
            );
        }
        let head = ["TYPE", "OLD", "NEW"].map(str::to_owned).to_vec();
        let row = |(kind, old, new): (&str, u64, u64)| vec![kind.to_owned(), old.to_string(), new.to_string()];
        let rows: Vec<_> = std::iter::once(head).chain(differing.into_iter().map(row)).collect();
        format!("The old store holds {} resources, the new one {new}. They differ in:\n{}", sum(old), table(&rows))
    }

    /// For programs.
    pub(super) fn as_json(&self) -> Value {
        json!({"old": self.old, "new": self.new, "failure": self.failure})
    }
}

/// Counts what both hold; `old` is `None` where there is none any more. Whoever makes stores need not be allowed to search
/// them: then they are not compared.
pub(super) async fn compare(
    scene: &Scene<'_>,
    state: &State,
    old: Option<&str>,
    new: &str,
) -> Result<Comparison, CommandError> {
    let counted = async { Ok(count_both(scene, state, old, new).await) };
    match interruptible(&scene.session.stop, counted).await? {
        Ok((old, new)) => Ok(Comparison { old, new, failure: None }),
        Err(CommandError::Fhir(error)) => Ok(Comparison { failure: Some(error.to_string()), ..Comparison::default() }),
        Err(error) => Err(error),
    }
}

async fn count_both(
    scene: &Scene<'_>,
    state: &State,
    old: Option<&str>,
    new: &str,
) -> Result<(Option<Counts>, Counts), CommandError> {
    let places = match &scene.connection.emulator {
        Some(emulator) => Places::all_at(&sandbox::serve(emulator.clone()).await?)?,
        None => Places::of(&scene.connection.clients)?,
    };
    let count = async |endpoint: &str| {
        let named = Url::parse(endpoint).map_err(|_| OauthError::Address(endpoint.to_owned()))?;
        let base = Base::new(named, places.of_store(endpoint)?);
        let signer = Signer::of(&scene.connection)?;
        let fhir = Fhir::new(base, Http::new()?, Authority::Signature(signer), is_smart(state));
        Ok::<_, CommandError>(counts(&Arc::new(fhir), resource_types::ALL).await?)
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

    fn counted(counts: &[(&str, u64)]) -> Counts {
        counts.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect()
    }

    #[test]
    fn types_that_only_one_has_differ() {
        let comparison = Comparison {
            old: Some(counted(&[("Patient", 3), ("Observation", 2)])),
            new: counted(&[("Patient", 3), ("Condition", 1)]),
            failure: None,
        };
        assert_eq!(comparison.differing(), [("Condition", 0, 1), ("Observation", 2, 0)]);
    }

    #[test]
    fn a_store_that_cannot_be_asked_differs_in_nothing_that_is_known() {
        let comparison = Comparison { new: counted(&[("Patient", 3)]), ..Comparison::default() };
        assert!(comparison.differing().is_empty());
        assert!(comparison.told().contains("cannot be asked"));
    }
}
