//! The way to AWS: clients, the meaning of errors, and the only place that repeats a call.

mod action;
pub mod call;
pub mod classify;
pub mod cli;
pub mod clients;
pub mod clock;
pub mod credentials;
pub mod gate;
pub mod hint;
mod limited;
pub mod origin;
pub mod repeat;
pub mod shared_config;
pub mod trust;

#[cfg(test)]
pub(crate) use action::RENAMED;
pub use action::action_of;
pub use call::{CALLS, Caller, Operation};
pub use classify::{AwsError, ErrorKind};
pub use clients::{Clients, Endpoint, SetupError};
pub use clock::Skew;
pub use gate::Gate;
pub use repeat::Met;
pub use trust::Trust;

pub use crate::model::{Certainty, Deeds, Hold, HoldObserver, HoldReason, Permit};
