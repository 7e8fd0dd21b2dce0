//! Plans and applies a stack of resources, whatever provider creates them: it knows no AWS type, and speaks to the resources through a
//! [`Provider`].

pub mod apply;
#[cfg(test)]
mod memory;
pub mod plan;
mod provider;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use provider::{FailedCall, LockedState, Provider, ProviderError, Task};

use crate::address::Address;

/// Everything that is wanted, by address.
pub type Stack<P> = BTreeMap<Address, <P as Provider>::Spec>;
