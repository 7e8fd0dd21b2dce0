//! What an apply tells those who watch it.

use std::fmt;
use std::time::Duration;

use crate::plan::Action;
use crate::wait::Signal;
use hlctl_model::address::Address;
use hlctl_model::{Hold, Progress};

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event<E> {
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
        outcome: Outcome<E>,
        /// How long it took.
        took: Duration,
    },
    /// A signal asked to stop.
    Stopping(Signal),
}

/// How a step ended.
#[derive(Clone, Debug)]
pub enum Outcome<E> {
    /// As planned.
    Done,
    /// AWS is still working on it.
    Unfinished(E),
    /// It failed.
    Failed(E),
    /// It was not started, because of another resource or of a stop.
    Skipped {
        /// The resource that failed; `None` for a stop.
        because: Option<Address>,
    },
}

/// Watches an apply.
pub trait Observer<E> {
    /// Hears of each event, in order.
    fn hear(&mut self, event: &Event<E>);

    /// Called ten times a second while an apply is waiting, for what moves by itself.
    fn tick(&mut self) {}
}

/// Logs each event before it passes it on.
pub(super) struct Logged<'a, E>(pub &'a mut dyn Observer<E>);

impl<E: fmt::Display> Observer<E> for Logged<'_, E> {
    fn hear(&mut self, event: &Event<E>) {
        match event {
            Event::Started { address, action } => tracing::info!(%address, action = action.name(), "step started"),
            Event::Progress { address, progress } => log_progress(address, progress),
            Event::Identified { address } => tracing::debug!(%address, "identity known"),
            Event::Ended { address, action, outcome, took } => log_end(address, *action, outcome, *took),
            Event::Stopping(signal) => tracing::warn!(?signal, "stopping: no new step is started"),
        }
        self.0.hear(event);
    }

    fn tick(&mut self) {
        self.0.tick();
    }
}

fn log_progress(address: &Address, progress: &Progress) {
    match progress {
        Progress::Status(status) => tracing::debug!(%address, status, "AWS is at work"),
        Progress::Since(since) => tracing::debug!(%address, since, "AWS began earlier"),
        Progress::OnHold(Some(hold)) => {
            let Hold { service, operation, reason, attempts } = hold;
            tracing::warn!(%address, operation = %format_args!("{service}:{operation}"), ?reason, attempts, "on hold");
        }
        Progress::OnHold(None) => tracing::info!(%address, "no longer on hold"),
        Progress::Emptied(objects) => tracing::debug!(%address, objects, "emptying"),
    }
}

fn log_end<E: fmt::Display>(address: &Address, action: Action, outcome: &Outcome<E>, took: Duration) {
    let (action, ms) = (action.name(), u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
    match outcome {
        Outcome::Done => tracing::info!(%address, action, ms, "step done"),
        Outcome::Unfinished(error) => tracing::warn!(%address, action, ms, %error, "step unfinished"),
        Outcome::Failed(error) => tracing::error!(%address, action, ms, %error, "step failed"),
        Outcome::Skipped { because: Some(other) } => tracing::warn!(%address, action, %other, "step skipped"),
        Outcome::Skipped { because: None } => tracing::warn!(%address, action, "step skipped: the run was stopped"),
    }
}
