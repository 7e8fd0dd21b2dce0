//! The engine's look for drift, at AWS's resources; and CloudTrail, which knows who it was.

pub mod trail;

pub use hlctl_engine::drift::{
    AttributeFinding, AttributeVerdict, DriftFinding, DriftReport, DriftVerdict, LastChange, to_fix,
};
use hlctl_engine::state::State;
use hlctl_model::address::Address;
use hlctl_model::graph::Graph;
use hlctl_model::invocation::CommandLine;
use hlctl_resources::Context;

use crate::module::standby::counterpart;
use crate::module::{Stack, WayBack};
use crate::plan::PlanError;

/// What was read, and what came of it.
pub type DriftResult = hlctl_engine::drift::DriftResult<Context>;

/// Reads every resource of the configuration and the state, and what is attached to those, and judges. `stack` is empty where
/// there is no configuration.
///
/// # Errors
/// The state has a resource of a kind that this hlctl does not know. What cannot be read is part of the report.
pub async fn look(cx: &Context, stack: &Stack, graph: &Graph, state: &State) -> Result<DriftResult, PlanError> {
    let way_back = |address: &Address, remains: &hlctl_resources::Remains| match counterpart(address) {
        None => WayBack::of(state, &remains.id).reported(),
        Some(_) => {
            let restore = CommandLine::new("restore --at latest").option("--from", &remains.id);
            format!("to restore it: {restore}")
        }
    };
    hlctl_engine::drift::look(cx, stack, graph, state, &way_back).await
}
