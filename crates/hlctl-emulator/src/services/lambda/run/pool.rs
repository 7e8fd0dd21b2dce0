//! Which environment serves which invocation.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use super::Shared;
use super::environment::{Environment, NoStart};
use super::log::{Log, stream_name};
use super::report::Report;
use crate::services::lambda::job::{Job, Outcome, Refusal};

/// A function has no more environments than this at a time; further invocations wait for one.
const MOST: usize = 10;
/// An idle environment ends after this time.
const IDLE: Duration = Duration::from_secs(300);
/// How long the answer waits for the runtime to ask for work again, so that a caller who comes back at once finds
/// the environment idle.
const COURTESY: Duration = Duration::from_millis(20);
/// How long the runtime may take for that in all.
const PATIENCE: Duration = Duration::from_secs(5);

/// The environments of all functions.
#[derive(Default)]
pub(super) struct Pools(Mutex<State>);

#[derive(Default)]
struct State {
    functions: HashMap<String, Pool>,
    swept: bool,
    closed: bool,
}

/// The environments of one function, by its ARN.
#[derive(Default)]
struct Pool {
    idle: Vec<Idle>,
    busy: usize,
    /// Counts the changes of the function.
    epoch: u64,
    freed: Arc<Notify>,
}

struct Idle {
    environment: Environment,
    /// What it runs.
    version: String,
    revision: String,
    since: Instant,
}

/// What an invocation is given.
enum Place {
    Taken(Slot, Option<Box<Environment>>),
    Full(Arc<Notify>),
    Throttled,
    Closed,
}

/// The right to have one environment busy, given back when dropped.
struct Slot {
    shared: Arc<Shared>,
    function: String,
    epoch: u64,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.shared.pools.lock();
        if let Some(pool) = state.functions.get_mut(&self.function) {
            pool.busy -= 1;
            pool.freed.notify_one();
        }
    }
}

impl Pools {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn retire(&self, function: &str) {
        let gone = self.lock().functions.get_mut(function).map(|pool| {
            pool.epoch += 1;
            std::mem::take(&mut pool.idle)
        });
        // Ending processes needs no lock.
        drop(gone);
    }

    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let idle: Vec<Idle> = state.functions.values_mut().flat_map(|pool| std::mem::take(&mut pool.idle)).collect();
        drop(state);
        drop(idle);
    }

    /// Ends what has been idle for too long; `false` when there is no more to come.
    pub(super) fn sweep(&self, now: Instant) -> bool {
        let mut state = self.lock();
        let mut gone = Vec::new();
        for pool in state.functions.values_mut() {
            gone.extend(pool.idle.extract_if(.., |idle| now.duration_since(idle.since) >= IDLE));
        }
        let go_on = !state.closed;
        drop(state);
        drop(gone);
        go_on
    }
}

fn take(shared: &Arc<Shared>, job: &Job) -> Place {
    let mut state = shared.pools.lock();
    if state.closed {
        return Place::Closed;
    }
    if !std::mem::replace(&mut state.swept, true) {
        tokio::spawn(sweep(Arc::downgrade(shared)));
    }
    let pool = state.functions.entry(job.function.clone()).or_default();
    let reserved = job.reserved.map(|reserved| usize::try_from(reserved).unwrap_or(usize::MAX));
    if reserved.is_some_and(|reserved| pool.busy >= reserved) {
        return Place::Throttled;
    }
    if pool.busy >= MOST {
        return Place::Full(Arc::clone(&pool.freed));
    }
    // Another process may have changed the function.
    let stale: Vec<Idle> = pool
        .idle
        .extract_if(.., |idle| idle.version == job.version && idle.revision != job.settings.revision)
        .collect();
    // The one that was used last is the likeliest to be quick.
    let found = pool.idle.iter().rposition(|idle| idle.version == job.version).map(|index| pool.idle.remove(index));
    let surplus = if found.is_none() && pool.busy + pool.idle.len() >= MOST { Some(pool.idle.remove(0)) } else { None };
    pool.busy += 1;
    let slot = Slot { shared: Arc::clone(shared), function: job.function.clone(), epoch: pool.epoch };
    drop(state);
    drop((stale, surplus));
    Place::Taken(slot, found.map(|idle| Box::new(idle.environment)))
}

async fn sweep(shared: Weak<Shared>) {
    loop {
        tokio::time::sleep(IDLE / 10).await;
        match shared.upgrade() {
            Some(shared) if shared.pools.sweep(Instant::now()) => {}
            _ => return,
        }
    }
}

/// Runs a job in a task of its own, so that it does not end with its caller.
pub(super) async fn invoke(shared: Arc<Shared>, job: Job) -> Result<Outcome, Refusal> {
    let (answer, answered) = oneshot::channel();
    tokio::spawn(run(shared, job, answer));
    // A task that gives no answer has been cut off with its runtime.
    answered.await.unwrap_or(Err(Refusal::Ended))
}

type Answer = oneshot::Sender<Result<Outcome, Refusal>>;

async fn run(shared: Arc<Shared>, job: Job, answer: Answer) {
    let (slot, found) = loop {
        match take(&shared, &job) {
            Place::Taken(slot, found) => break (slot, found),
            Place::Full(freed) => freed.notified().await,
            Place::Throttled => return drop(answer.send(Err(Refusal::Throttled))),
            Place::Closed => return drop(answer.send(Err(Refusal::Ended))),
        }
    };
    // One that has died while it was idle is of no use.
    let environment = match found.and_then(|mut environment| (!environment.has_ended()).then_some(environment)) {
        Some(environment) => Ok(environment),
        None => Environment::start(&shared, &job, stream_name(&shared, &job)).await.map(Box::new),
    };
    match environment {
        Ok(environment) => serve(slot, environment, job, answer).await,
        Err(NoStart::NotRunnable(reason)) => drop(answer.send(Err(Refusal::NotRunnable(reason)))),
        Err(NoStart::Failed(failure)) => {
            let log = Log { shared: &shared, job: &job, stream: stream_name(&shared, &job) };
            let lines = log.of_failed_start(&failure);
            drop(answer.send(Ok(log.written(lines, Err(failure.payload)))));
        }
    }
}

async fn serve(slot: Slot, mut environment: Box<Environment>, job: Job, answer: Answer) {
    let shared = Arc::clone(&slot.shared);
    let log = Log { shared: &shared, job: &job, stream: environment.stream.clone() };
    let mut lines = environment.take_lines();
    lines.push(format!("START RequestId: {} Version: {}", job.request_id, job.version));
    let started = Instant::now();
    let result = environment.invoke(&job).await;
    let duration = started.elapsed();
    let used = environment.used();
    let keep = result.as_ref().map_or_else(|failure| failure.reusable, |_| true);
    lines.extend(if keep { environment.take_lines() } else { environment.last_words().await });
    let failure = result.as_ref().err();
    lines.extend(
        failure.and_then(|failure| failure.note.clone()).iter().flat_map(|note| note.lines().map(ToOwned::to_owned)),
    );
    lines.push(format!("END RequestId: {}", job.request_id));
    let report = Report {
        request_id: &job.request_id,
        duration,
        memory: job.settings.memory,
        used,
        init: environment.init.take(),
        status: failure.map(|failure| failure.status.clone()),
    };
    lines.push(report.line());
    let outcome = log.written(lines, result.map_err(|failure| failure.payload));
    // A caller that has gone away misses nothing but the answer.
    let answer = || drop(answer.send(Ok(outcome)));
    if !keep {
        return answer();
    }
    match environment.is_ready_within(COURTESY).await {
        Some(ready) => {
            if ready {
                put_back(slot, environment, &job);
            }
            answer();
        }
        None => {
            answer();
            if environment.is_ready_within(PATIENCE).await == Some(true) {
                put_back(slot, environment, &job);
            }
        }
    }
}

/// Makes an environment idle, unless its function has changed or the emulator has ended meanwhile.
fn put_back(slot: Slot, environment: Box<Environment>, job: &Job) {
    let mut state = slot.shared.pools.lock();
    let closed = state.closed;
    if let Some(pool) = state.functions.get_mut(&slot.function)
        && pool.epoch == slot.epoch
        && !closed
    {
        let (version, revision) = (job.version.clone(), job.settings.revision.clone());
        pool.idle.push(Idle { environment: *environment, version, revision, since: Instant::now() });
    }
    drop(state);
    drop(slot);
}
