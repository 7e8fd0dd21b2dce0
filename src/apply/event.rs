//! What an apply tells those who watch it.

use std::time::Duration;

use crate::address::Address;
use crate::error::ResourceError;
use crate::plan::Action;
use crate::resource::Progress;
use crate::wait::Signal;

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A step began.
    Started {
        /// The resource.
        address: Address,
        /// What is being done.
        action: Action,
    },
    /// A step is coming along.
    Progress {
        /// The resource.
        address: Address,
        /// How far.
        progress: Progress,
    },
    /// AWS has given the resource its identity, so that those that need it may start.
    Identified {
        /// The resource.
        address: Address,
    },
    /// A step ended.
    Ended {
        /// The resource.
        address: Address,
        /// What was being done.
        action: Action,
        /// How it ended.
        outcome: Outcome,
        /// How long it took.
        took: Duration,
    },
    /// A signal asked to stop.
    Stopping(Signal),
}

/// How a step ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// As planned.
    Done,
    /// AWS is still working on it.
    Unfinished(ResourceError),
    /// It failed.
    Failed(ResourceError),
    /// It was not started, because of another resource or of a stop.
    Skipped {
        /// The resource that failed; `None` for a stop.
        because: Option<Address>,
    },
}

/// Watches an apply.
pub trait Observer {
    /// Hears of each event, in order.
    fn hear(&mut self, event: &Event);

    /// Called ten times a second while an apply is waiting, for what moves by itself.
    fn tick(&mut self) {}
}
