//! Carries a plan out. One task coordinates: it asks the pure scheduler what may start, takes one result, writes the
//! state, tells the observer, and repeats. Nobody else writes the state.

mod error;
pub mod event;
mod job;
pub mod run;
pub mod schedule;
pub mod steps;
mod writer;

pub use error::ApplyError;
pub use event::{Event, Observer, Outcome};
pub use run::{Report, Run, run};
