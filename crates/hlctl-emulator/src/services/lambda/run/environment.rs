//! One execution environment: its process, its Runtime API and its output.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use super::Shared;
use super::api::{Api, LONGEST_ANSWER, Said, Work};
use super::bootstrap::{self, Problem};
use super::group::Group;
use super::memory;
use super::output::Output;
use super::report::{error, exited, timed_out};
use super::surroundings;
use crate::services::lambda::job::Job;

/// Lambda's limit on the init phase (Lambda developer guide, lifecycle of an execution environment).
const INIT_LIMIT: Duration = Duration::from_secs(10);
/// How often memory is looked at.
const MEMORY_INTERVAL: Duration = Duration::from_millis(50);
/// How long an ended process may take to close its output.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A process that serves one invocation after another.
pub(super) struct Environment {
    // Dropped in this order: the process first, then what it talks to.
    group: Group,
    api: Api,
    output: Output,
    /// Megabytes.
    memory: u64,
    /// The most it has been seen to hold, in kilobytes.
    peak: Option<u64>,
    /// The name of its log stream.
    pub(super) stream: String,
    /// How long it took to start, until that has been reported.
    pub(super) init: Option<Duration>,
}

/// Why there is no environment.
pub(super) enum NoStart {
    NotRunnable(String),
    /// The function's fault.
    Failed(Failure),
}

/// How an invocation, or an initialisation, went wrong.
pub(super) struct Failure {
    /// The error that the caller gets.
    pub(super) payload: Bytes,
    /// `timeout`, or `error` and its type.
    pub(super) status: String,
    /// What Lambda writes into the log about it.
    pub(super) note: Option<String>,
    /// What the process wrote, if there is no environment to ask for it.
    pub(super) lines: Vec<String>,
    /// Whether the environment can serve another invocation.
    pub(super) reusable: bool,
}

impl Failure {
    fn new(kind: &str, job: &Job, what: &str) -> Self {
        Self {
            payload: error(kind, &job.request_id, what),
            status: format!("error\tError Type: {kind}"),
            note: Some(format!("RequestId: {} Error: {what}\n{kind}", job.request_id)),
            lines: Vec::new(),
            reusable: false,
        }
    }

    fn timed_out(job: &Job, limit: Duration) -> Self {
        let what = timed_out(limit);
        Self {
            status: "timeout".to_owned(),
            note: Some(format!("{} {what}", job.request_id)),
            ..Self::new("Sandbox.Timedout", job, &what)
        }
    }

    /// An error that the runtime has reported in its own words.
    fn reported(payload: Bytes, reusable: bool) -> Self {
        let kind = serde_json::from_slice::<serde_json::Value>(&payload)
            .ok()
            .and_then(|error| Some(error.get("errorType")?.as_str()?.to_owned()));
        let status = format!("error\tError Type: {}", kind.as_deref().unwrap_or("Unhandled"));
        Self { payload, status, note: None, lines: Vec::new(), reusable }
    }
}

/// What has happened in an environment.
enum Event {
    Said(Said),
    Exited(Option<std::process::ExitStatus>),
    OutOfMemory,
    TimedOut,
}

impl Environment {
    /// Starts a process and waits until it asks for work.
    pub(super) async fn start(shared: &Arc<Shared>, job: &Job, stream: String) -> Result<Self, NoStart> {
        let not_runnable =
            |error: std::io::Error| NoStart::NotRunnable(format!("no environment can be started: {error}"));
        let api = Api::open(shared.core.clone()).await.map_err(not_runnable)?;
        let (output, stdout, stderr) = Output::new().map_err(not_runnable)?;
        let problem = |problem| match problem {
            Problem::NotRunnable(reason) => NoStart::NotRunnable(reason),
            Problem::InvalidEntrypoint(what) => NoStart::Failed(Failure::new("Runtime.InvalidEntrypoint", job, &what)),
        };
        let mut command = bootstrap::command(job, &shared.interpreters).await.map_err(problem)?;
        command
            .env_clear()
            .envs(surroundings::variables(job, &api.origin, &stream))
            .current_dir(&job.code)
            .stdout(stdout)
            .stderr(stderr);
        let started = Instant::now();
        let group = Group::start(shared, &mut command);
        // It holds the writing ends of the output.
        drop(command);
        let group = group.map_err(|error| problem(bootstrap::start_failure(job, &error)))?;
        let memory = job.settings.memory;
        let mut environment = Self { group, api, output, memory, peak: None, stream, init: None };
        match environment.until_ready(job, started).await {
            Ok(()) => {
                environment.init = Some(started.elapsed());
                Ok(environment)
            }
            Err(mut failure) => {
                failure.lines = environment.last_words().await;
                Err(NoStart::Failed(failure))
            }
        }
    }

    async fn until_ready(&mut self, job: &Job, started: Instant) -> Result<(), Failure> {
        match self.next_event(started + INIT_LIMIT).await {
            Event::Said(Said::Ready) => Ok(()),
            Event::Said(Said::InitError(payload)) => Err(Failure::reported(payload, false)),
            Event::Said(_) => Err(Failure::new("Runtime.Unknown", job, "the runtime answered before it was asked")),
            Event::TimedOut => Err(Failure::timed_out(job, INIT_LIMIT)),
            Event::Exited(status) => Err(Failure::new("Runtime.ExitError", job, &exited(status))),
            Event::OutOfMemory => Err(Self::out_of_memory(job)),
        }
    }

    /// Lets the function work on a job.
    pub(super) async fn invoke(&mut self, job: &Job) -> Result<Bytes, Failure> {
        let limit = Duration::from_secs(job.settings.timeout);
        let deadline = Instant::now() + limit;
        let work = Work {
            request_id: job.request_id.clone(),
            deadline: SystemTime::now() + limit,
            invoked: job.invoked.clone(),
            client_context: job.client_context.clone(),
            event: job.event.clone(),
        };
        // A runtime that does not fetch it is noticed by its process, or by the time.
        let _ = self.api.work.try_send(work);
        loop {
            return match self.next_event(deadline).await {
                // It asks again after an answer to another invocation, or without having answered at all.
                Event::Said(Said::Ready) => continue,
                Event::Said(Said::Answer(payload)) => Ok(payload),
                Event::Said(Said::Error(payload) | Said::InitError(payload)) => Err(Failure::reported(payload, true)),
                Event::Said(Said::TooLarge) => {
                    let what = format!(
                        "Response payload size exceeded maximum allowed payload size ({LONGEST_ANSWER} bytes)."
                    );
                    Err(Failure { reusable: true, ..Failure::new("Function.ResponseSizeTooLarge", job, &what) })
                }
                Event::TimedOut => Err(Failure::timed_out(job, limit)),
                Event::Exited(status) => Err(Failure::new("Runtime.ExitError", job, &exited(status))),
                Event::OutOfMemory => Err(Self::out_of_memory(job)),
            };
        }
    }

    /// What Lambda says of a process that the system has killed for want of memory.
    fn out_of_memory(job: &Job) -> Failure {
        let what = "Runtime exited with error: signal: killed";
        let mut failure = Failure::new("Runtime.ExitError", job, what);
        failure.note =
            failure.note.map(|note| format!("{note}\nhlctl-emulator ended it at {} MB", job.settings.memory));
        failure
    }

    /// Whether the runtime asks for work again, rather than ending; `None` if it does neither within `patience`.
    pub(super) async fn is_ready_within(&mut self, patience: Duration) -> Option<bool> {
        let deadline = Instant::now() + patience;
        match self.next_event(deadline).await {
            Event::TimedOut => None,
            Event::Said(Said::Ready) => Some(!self.group.has_ended()),
            _ => Some(false),
        }
    }

    /// Whether the process has ended.
    pub(super) fn has_ended(&mut self) -> bool {
        self.group.has_ended()
    }

    /// The next thing that happens; the output is read meanwhile.
    async fn next_event(&mut self, deadline: Instant) -> Event {
        let (pid, memory) = (self.group.id(), self.memory);
        let (group, api, output, peak) = (&mut self.group, &mut self.api, &mut self.output, &mut self.peak);
        tokio::select! {
            // What has been said counts, even if the process ended or the time was up right after.
            biased;
            Some(said) = api.said.recv() => Event::Said(said),
            status = group.ended() => Event::Exited(status.ok()),
            () = watch_memory(pid, memory, peak) => Event::OutOfMemory,
            () = sleep_until(deadline) => Event::TimedOut,
            () = forever(output.collect()) => Event::TimedOut,
        }
    }

    /// The lines that have been written since the last time.
    pub(super) fn take_lines(&mut self) -> Vec<String> {
        self.output.drain();
        self.output.take_lines()
    }

    /// Kills the processes and gives what they had written.
    pub(super) async fn last_words(&mut self) -> Vec<String> {
        self.group.kill();
        let _ = timeout(LAST_WORDS, self.output.collect()).await;
        self.output.take_lines()
    }

    /// The most megabytes it has been seen to hold.
    pub(super) fn used(&mut self) -> Option<u64> {
        self.peak = self.peak.max(memory::resident(self.group.id()));
        self.peak.map(|kilobytes| kilobytes.div_ceil(1024))
    }
}

/// Ready when the processes hold more than they may.
async fn watch_memory(pid: rustix::process::Pid, megabytes: u64, peak: &mut Option<u64>) {
    let mut ticks = interval(MEMORY_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick is at once.
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let held = memory::resident(pid);
        *peak = (*peak).max(held);
        if held.is_some_and(|kilobytes| kilobytes > megabytes * 1024) {
            return;
        }
    }
}

/// Goes on with something that has no outcome.
async fn forever(work: impl Future<Output = ()>) {
    work.await;
    std::future::pending::<()>().await;
}
