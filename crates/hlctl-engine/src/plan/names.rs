//! The names that `--allow-destroy` gives, and those that nothing in the stack has.

use std::collections::BTreeSet;

use super::Plan;
use crate::state::State;
use hlctl_config::nearest::nearest;
use hlctl_model::ResourceKind;

/// A name that nothing in the stack has: a slip of the pen would otherwise go unnoticed until the thing it meant is protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName {
    /// What was given.
    pub name: String,
    /// A name of the stack that looks like it.
    pub nearest: Option<String>,
}

/// Those of the names that nothing in the stack has. The name of the stack and that of its store stand for all of it.
pub(super) fn unknown_names<K: ResourceKind>(
    given: &BTreeSet<String>,
    plan: &Plan<K>,
    state: &State,
    store_name: Option<&str>,
) -> Vec<UnknownName> {
    let mut known = names::<K>(state);
    known.extend(plan.changes.iter().map(|change| change.address.to_string()));
    known.extend(plan.changes.iter().filter_map(|change| change.name.clone()));
    known.extend(store_name.map(str::to_owned));
    let unknown = given.iter().filter(|name| !known.contains(*name));
    let with_nearest = |name: &String| {
        let nearest = nearest(name, known.iter().map(String::as_str)).map(str::to_owned);
        UnknownName { name: name.clone(), nearest }
    };
    unknown.map(with_nearest).collect()
}

/// The names and addresses of what a state holds, and the name of its stack.
pub fn names<K: ResourceKind>(state: &State) -> BTreeSet<String> {
    let deposed = state.deposed.iter().map(|deposed| (&deposed.address, &deposed.entry));
    let mut names = BTreeSet::from([state.stack.clone()]);
    for (address, entry) in state.resources.iter().chain(deposed) {
        names.insert(address.to_string());
        let kind = entry.kind::<K>();
        let recorded = kind.zip(entry.recorded.as_ref());
        names.extend(recorded.and_then(|(kind, recorded)| kind.name(recorded).ok()));
    }
    names
}
