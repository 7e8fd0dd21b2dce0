//! The identities that names alone decide. Pure.

use std::collections::BTreeMap;

use serde_json::Value;

use super::PlanError;
use crate::{Provider, Stack};
use hlctl_model::address::Address;
use hlctl_model::graph::Graph;
use hlctl_model::{Identity, Known, ResourceSpec as _};

/// What can be predicted of each resource, after what it builds on. What is known already is built on as it is.
///
/// # Errors
/// References go in a circle.
pub fn predict<P: Provider>(
    identity: &Identity,
    stack: &Stack<P>,
    graph: &Graph,
    known: &Known,
) -> Result<BTreeMap<Address, Value>, PlanError<P::Error>> {
    let mut known = known.clone();
    let mut predicted = BTreeMap::new();
    for address in graph.order()? {
        let Some(spec) = stack.get(&address) else { continue };
        let reported = spec.predicted(identity, &known).map_err(PlanError::of(&address))?;
        if let Some(reported) = reported {
            if !known.contains(&address) {
                known.insert(address.clone(), reported.clone());
            }
            predicted.insert(address, reported);
        }
    }
    Ok(predicted)
}
