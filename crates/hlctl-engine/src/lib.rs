//! Plans and applies a stack of resources, whatever provider creates them: it knows no AWS type, and speaks to the resources through a
//! [`Provider`].

#[macro_use]
extern crate hlctl_model;

pub mod apply;
pub mod drift;
#[cfg(test)]
mod memory;
pub mod plan;
mod provider;
pub mod state;
#[cfg(test)]
mod tests;
pub mod wait;
pub mod whole_file;

use std::collections::BTreeMap;

pub use provider::{FailedCall, LockedState, Provider, ProviderError, Task};

use hlctl_model::address::Address;

/// Everything that is wanted, by address.
pub type Stack<P> = BTreeMap<Address, <P as Provider>::Spec>;
