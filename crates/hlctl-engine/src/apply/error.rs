//! What keeps an apply from its end.

use std::error::Error;
use std::path::PathBuf;

use thiserror::Error as ErrorDerive;

use crate::plan::PlanError;
use crate::state::StateError;

/// Why an apply was not started, or what it did could not be recorded. What failed in AWS is in its report.
#[derive(Debug, ErrorDerive)]
pub enum ApplyError<E: Error> {
    /// The plan does not say which resources come of it.
    #[error(transparent)]
    Plan(#[from] PlanError<E>),
    /// A step cannot be made of what the state records.
    #[error(transparent)]
    Steps(E),
    /// The state cannot be written; nothing has been begun.
    #[error(transparent)]
    State(#[from] StateError),
    /// AWS was changed and the state could not be written.
    #[error("AWS was changed, and the state could not be written: {error}")]
    Unsaved {
        /// Why not.
        error: StateError,
        /// Where it was written instead.
        kept: Option<PathBuf>,
    },
}
