//! What is written about an invocation.

use bytes::Bytes;

use super::Shared;
use super::environment::Failure;
use crate::services::lambda::job::{Job, Outcome};
use crate::services::logs::{Destination, deliver};
use crate::store::World;
use crate::store::files::Event;

/// Lambda answers with the last 4 KB of the log.
const TAIL: usize = 4096;

/// A name for the log stream of a new environment.
pub(super) fn stream_name(shared: &Shared, job: &Job) -> String {
    let Some(core) = shared.core.upgrade() else {
        return String::new();
    };
    let date = core.options.clock.now().strftime("%Y/%m/%d").to_string();
    format!("{date}/[{}]{}", job.version, core.options.ids.hex32())
}

fn function_exists(world: &World, job: &Job) -> bool {
    let lambda = world.accounts.get(&job.account).and_then(|account| account.lambda.get(&job.region));
    lambda.is_some_and(|lambda| lambda.functions.contains_key(&job.name))
}

/// Where the lines of an invocation go.
pub(super) struct Log<'a> {
    pub(super) shared: &'a Shared,
    pub(super) job: &'a Job,
    pub(super) stream: String,
}

impl Log<'_> {
    /// The lines about an environment that did not come to be.
    pub(super) fn of_failed_start(&self, failure: &Failure) -> Vec<String> {
        let mut lines = failure.lines.clone();
        lines.extend(failure.note.iter().flat_map(|note| note.lines().map(ToOwned::to_owned)));
        lines.push(format!("INIT_REPORT Phase: init\tStatus: {}", failure.status));
        lines
    }

    /// Writes the lines and makes the outcome of them.
    pub(super) fn written(&self, lines: Vec<String>, payload: Result<Bytes, Bytes>) -> Outcome {
        let mut log = lines.join("\n") + "\n";
        if log.len() > TAIL {
            let from = (log.len() - TAIL..log.len()).find(|index| log.is_char_boundary(*index)).unwrap_or(log.len());
            log.drain(..from);
        }
        // An emulator that has ended keeps nothing.
        if let Some(core) = self.shared.core.upgrade() {
            let now = core.options.clock.now().as_millisecond();
            let events: Vec<Event> =
                lines.into_iter().map(|message| Event { timestamp: now, ingested: now, message }).collect();
            let to = Destination {
                account: self.job.account.clone(),
                region: self.job.region.clone(),
                group: self.job.settings.logging.group.clone(),
                stream: self.stream.clone(),
            };
            // What a function writes at its end should not bring back the group of a stack that is gone.
            let exists = |world: &World| function_exists(world, self.job);
            // A log that cannot be written does not make the function fail.
            let _ = deliver(&core, &to, &events, exists);
        }
        Outcome { payload, log }
    }
}
