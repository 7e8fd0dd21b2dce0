//! A plan that only brings the state up to date with AWS. Pure.

use super::diff::diff;
use super::{Action, Change, Plan, Reason, Refusal};
use crate::state::State;
use hlctl_model::ResourceKind;

/// What has changed in AWS since hlctl last looked, as changes to the state alone.
pub fn refresh_only<K: ResourceKind>(plan: &Plan<K>, state: &State) -> Plan<K> {
    let changes =
        plan.changes.iter().filter(|change| !change.deposed).filter_map(|change| drifted(change, state)).collect();
    // What bars an apply bars no look, but goes on being said.
    let reported = |refusal: &Refusal| format!("{}: {}\n  {}", refusal.address, refusal.message, refusal.hint);
    let kept = plan.refusals.iter().filter(|refusal| plan.changes.iter().any(|change| is_kept(change, refusal)));
    let warnings = kept.map(reported).collect();
    let unknown_names = plan.unknown_names.clone();
    Plan { changes, graph: plan.graph.clone(), warnings, unknown_names, ..Plan::default() }
}

/// Whether a refusal is about something that is gone and yet not to be forgotten.
fn is_kept<K>(change: &Change<K>, refusal: &Refusal) -> bool {
    change.address == refusal.address && is_lost(change)
}

/// What is gone and can be brought back stays in the state, with its identity.
fn is_lost<K>(change: &Change<K>) -> bool {
    change.action == Action::NoOp && change.observed.is_none() && change.recorded.is_some()
}

fn drifted<K: ResourceKind>(change: &Change<K>, state: &State) -> Option<Change<K>> {
    let entry = state.resources.get(&change.address).filter(|_| !is_lost(change))?;
    let rules = change.kind.rules();
    let (action, attributes, reason) = match &change.observed {
        None => (Action::Forget, Vec::new(), Some(Reason::Gone)),
        Some(observed) => {
            let (accepted, observed) = change.kind.sides(&entry.attributes, observed);
            let known: Vec<&str> = accepted.keys().map(String::as_str).collect();
            let seen = observed
                .iter()
                .filter(|(name, _)| known.contains(&name.as_str()))
                .map(|(name, value)| (name.clone(), value.clone()));
            let mut attributes = diff(rules, &seen.collect(), Some(&accepted));
            attributes.iter_mut().for_each(|attribute| attribute.replaces = None);
            let action = if attributes.is_empty() { Action::NoOp } else { Action::Adopt };
            (action, attributes, (action == Action::Adopt).then_some(Reason::ChangedOutside))
        }
    };
    Some(Change { action, attributes, reason, impact: Vec::new(), ..change.clone() })
}
