//! The engine's plans, of AWS's resources; and plans in files.

pub mod file;
#[cfg(test)]
mod tests;

use hlctl_engine::plan as engine;
pub use hlctl_engine::plan::{
    Action, AttributeChange, Blocker, Counts, Options, Refusal, UnknownName, can_bring_its_data, refresh_only,
};
use hlctl_resources::{Context, Kind, ResourceError};

/// One resource's part of the plan.
pub type Change = engine::Change<Kind>;
/// Everything that is to be done.
pub type Plan = engine::Plan<Kind>;
/// Why there is no plan.
pub type PlanError = engine::PlanError<ResourceError>;
/// What was found of one resource.
pub type Seen = engine::Seen<Context>;
/// Everything that a decision rests on.
pub type PlanInput<'a> = engine::decide::PlanInput<'a, Context>;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

pub use engine::refresh::known;
pub use engine::{build, refresh};

use crate::module::Stack;
use hlctl_engine::state::State;
use hlctl_model::address::Address;
use hlctl_model::graph::Graph;
use hlctl_resources::{Identity, Known};

/// The names and addresses of what a state holds, and the name of its stack.
pub fn names(state: &State) -> BTreeSet<String> {
    engine::names::<Kind>(state)
}

/// What can be predicted of each resource, after what it builds on.
///
/// # Errors
/// References go in a circle.
pub fn predict(
    identity: &Identity,
    stack: &Stack,
    graph: &Graph,
    known: &Known,
) -> Result<BTreeMap<Address, Value>, PlanError> {
    engine::predict::<Context>(identity, stack, graph, known)
}
