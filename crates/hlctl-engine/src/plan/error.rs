//! Why there is no plan.

use std::error::Error;

use thiserror::Error as ErrorDerive;
use tokio::task::JoinError;

use hlctl_model::address::Address;
use hlctl_model::graph::Cycle;

/// Why what exists could not be read, or what is to be done could not be decided.
#[derive(Debug, ErrorDerive)]
pub enum PlanError<E: Error> {
    /// One resource failed.
    #[error("{address}: {error}")]
    Resource {
        /// The resource.
        address: Address,
        /// What happened.
        error: E,
    },
    /// Resources that could not be read.
    #[error("{}", .0.iter().map(|(address, error)| format!("{address}: {error}")).collect::<Vec<_>>().join("\n"))]
    Unreadable(Vec<(Address, E)>),
    /// A target or a replacement names a resource that is neither wanted nor in the state.
    #[error("there is no resource {} in this stack", if address.as_str().is_empty() { "with an empty address" } else { address.as_str() })]
    NoSuchResource {
        /// What was named.
        address: Address,
        /// An address that looks like it.
        nearest: Option<String>,
    },
    /// References form a cycle.
    #[error(transparent)]
    Cycle(#[from] Cycle),
    /// A task of this process did not end by itself.
    #[error(transparent)]
    Task(#[from] JoinError),
}

impl<E: Error> PlanError<E> {
    /// For one resource.
    pub fn of(address: &Address) -> impl FnOnce(E) -> Self {
        let address = address.clone();
        move |error| Self::Resource { address, error }
    }
}
