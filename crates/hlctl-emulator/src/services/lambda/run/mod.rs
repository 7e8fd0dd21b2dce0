//! Running functions, each in execution environments of its own.
//!
//! An environment is a process, a Runtime API for it alone on a port of 127.0.0.1, and the pipe that its
//! output comes through. It is started when an invocation finds none that is idle, serves one invocation at a
//! time, and ends when it has been idle for some minutes, when its function changes, when it misbehaves or
//! when the emulator does; then its whole process group is killed. A shell that watches the emulator does the
//! same should the emulator be killed.
//!
//! Choices made: a failed or overlong initialisation fails the invocation that asked for it and is not tried a
//! second time within it; memory is enforced on Linux, by looking at what the processes hold resident twenty
//! times a second, since limits on address space would stop runtimes that reserve more than they use; CPU is not
//! shared out by memory; nothing is frozen between invocations; environments share the machine's `/tmp`.

mod api;
mod bootstrap;
mod environment;
mod group;
mod interpreter;
mod log;
mod memory;
mod output;
mod pool;
mod report;
mod surroundings;
mod watchdog;

use std::sync::{Arc, Weak};

use super::job::{Job, Outcome, Refusal};
use crate::emulator::Core;
use interpreter::Interpreters;
use pool::Pools;
use watchdog::Watchdog;

/// Runs the functions of one emulator. Whatever it has started ends with it.
pub(crate) struct Engine {
    shared: Arc<Shared>,
}

/// What invocations under way work with. It does not keep the emulator alive.
struct Shared {
    core: Weak<Core>,
    pools: Pools,
    interpreters: Interpreters,
    watchdog: Watchdog,
}

impl Engine {
    pub(crate) fn new(core: Weak<Core>) -> Self {
        let shared = Shared {
            core,
            pools: Pools::default(),
            interpreters: Interpreters::default(),
            watchdog: Watchdog::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Does ahead of an invocation what need not be done again for the next.
    pub(super) async fn prepare(&self, job: &Job) {
        // What is missing is reported when it is needed.
        let _ = bootstrap::interpreter(job, &self.shared.interpreters).await;
    }

    /// Invokes a function. Should the caller stop waiting, the invocation goes on to its end.
    pub(super) async fn invoke(&self, job: Job) -> Result<Outcome, Refusal> {
        if let Some(core) = self.shared.core.upgrade()
            && let Some(place) = core.files.temporary_place()
        {
            self.shared.watchdog.remove_at_end(place);
        }
        pool::invoke(Arc::clone(&self.shared), job).await
    }

    /// Ends what would be idle for too long after `time`.
    #[cfg(test)]
    pub(super) fn pass(&self, time: std::time::Duration) {
        self.shared.pools.sweep(tokio::time::Instant::now() + time);
    }

    /// Ends the idle environments of a function that has changed or gone, and the busy ones when they are done.
    pub(super) fn retire(&self, function: &str) {
        self.shared.pools.retire(function);
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.shared.pools.close();
        self.shared.watchdog.end();
    }
}
