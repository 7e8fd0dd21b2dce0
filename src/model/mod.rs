//! Words that all layers share: what a plan says of a resource, and how values are put into words. No AWS.

pub mod change;
pub mod text;

pub use change::{Action, AttributeChange};
