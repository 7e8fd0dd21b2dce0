//! The engine's applies, of AWS's resources.

use hlctl_engine::apply as engine;
use hlctl_resources::{Context, ResourceError};

/// Why an apply was not started, or what it did could not be recorded.
pub type ApplyError = engine::ApplyError<ResourceError>;
/// Something that happened.
pub type Event = engine::Event<ResourceError>;
/// How a step ended.
pub type Outcome = engine::Outcome<ResourceError>;
/// How an apply went.
pub type Report = engine::Report<ResourceError>;
/// Everything an apply needs.
pub type Run<'a> = engine::Run<'a, Context>;

pub use engine::{Observer, run};
