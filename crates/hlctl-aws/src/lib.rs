//! The way to AWS: clients, the meaning of errors, and the only place that repeats a call.

#[macro_use]
extern crate hlctl_model;

pub mod answers;
pub mod call;
pub mod classify;
pub mod cli;
pub mod clients;
pub mod clock;
pub mod credentials;
pub mod gate;
pub mod hint;
mod limited;
pub mod ops;
pub mod origin;
mod own_host;
pub mod request_id;
pub mod shared_config;
pub mod trust;

pub use call::{CALLS, Call, Caller};
pub use classify::{AwsError, ErrorKind};
pub use clients::{Clients, Endpoint, SetupError};
pub use clock::Skew;
pub use gate::Gate;
pub use ops::{Met, Operation};
pub use trust::Trust;

pub use hlctl_model::{Certainty, Deeds, Hold, HoldObserver, HoldReason, Permit};
