//! Words that all layers share: what a plan says of a resource, what AWS says of one, and how values are put into words. No AWS.

#[macro_use]
pub mod invocation;

pub mod address;
pub mod attributes;
pub mod change;
pub mod exit_code;
pub mod graph;
pub mod identity;
pub mod kind;
pub mod observed;
pub mod reference;
pub mod step;
pub mod text;

pub use attributes::{ADDRESS_TAG, Attributes, Rule, SECRET, STACK_TAG, WATCHED};
pub use change::{Action, AttributeChange};
pub use identity::{Identity, Settings};
pub use kind::{Parent, PlannedChange, ResourceKind, ResourceSpec};
pub use observed::{Attachment, Condition, Contents, Listed, Observed, Remains};
pub use reference::{Known, Reference, Text, UNKNOWN};
pub use step::{Certainty, Deeds, Hold, HoldObserver, HoldReason, Permit, Progress, RecoveryHint, StepReport};
