//! The identities that names alone decide. Pure.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::address::Address;
use crate::error::CommandError;
use crate::graph::Graph;
use crate::module::Stack;
use crate::resource::{Identity, Known, ResourceError};

/// What can be foretold of each resource, after what it builds on. What is known already is built on as it is.
///
/// # Errors
/// References go in a circle.
pub fn foretell(
    identity: &Identity,
    stack: &Stack,
    graph: &Graph,
    known: &Known,
) -> Result<BTreeMap<Address, Value>, CommandError> {
    let mut known = known.clone();
    let mut foretold = BTreeMap::new();
    for address in graph.order().map_err(|cycle| CommandError::Other(cycle.into()))? {
        let Some(spec) = stack.get(&address) else { continue };
        let told = spec.foretold(identity, &known);
        let told = told.map_err(|error: ResourceError| CommandError::Resource { address: address.clone(), error })?;
        if let Some(told) = told {
            if !known.contains(&address) {
                known.insert(address.clone(), told.clone());
            }
            foretold.insert(address, told);
        }
    }
    Ok(foretold)
}
