//! The coordinator.

mod intent;
mod record;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep, timeout};
use tracing::Instrument as _;

use super::error::ApplyError;
use super::event::{Event, Logged, Observer, Outcome};
use super::job::Job;
use super::schedule::{Schedule, StepId};
use super::steps::{Step, steps};
use super::writer::Writer;
use crate::plan::{Action, Change, Plan, predict};
use crate::state::{LocalStore, State, StateError, format};
use crate::{LockedState, Provider, ProviderError as _, Stack};
use hlctl_model::address::Address;
use hlctl_model::{Deeds, Known, Progress, StepReport as TaskReport};

/// How long calls under way may go on after a stop. With what writing the state takes, it stays under five seconds.
const GRACE: Duration = Duration::from_secs(3);

/// How long the last write may take after a stop, before the state is kept elsewhere: a CI runner kills soon.
const LAST_WRITE: Duration = Duration::from_secs(3);

/// Everything an apply needs.
pub struct Run<'a, P: Provider> {
    /// What all tasks share.
    pub cx: P,
    /// What is to be done.
    pub plan: &'a Plan<P::Kind>,
    /// What is wanted.
    pub stack: &'a Stack<P>,
    /// What is known; the run goes on from here.
    pub state: State,
    /// The right to write it.
    pub held: Arc<dyn LockedState>,
    /// Where it is kept instead if it cannot be written.
    pub fallback: Option<LocalStore>,
    /// Steps at once.
    pub parallelism: usize,
    /// Whether to wait for stores.
    pub wait: bool,
    /// Which addresses are protected.
    pub is_protected: &'a dyn Fn(&Address) -> bool,
}

/// How an apply went.
#[derive(Debug)]
pub struct Report<E> {
    /// How each step ended, in the order in which they did.
    pub outcomes: Vec<(Address, Action, Outcome<E>)>,
    /// The state at the end; it is on disk.
    pub state: State,
}

/// Carries the plan out. Returns when every step has ended, one way or another, and the state is on disk.
///
/// # Errors
/// The state could not be written. What failed in AWS is in the report.
pub async fn run<P: Provider>(
    run: Run<'_, P>,
    observer: &mut dyn Observer<P::Error>,
) -> Result<Report<P::Error>, ApplyError<P::Error>> {
    let known = crate::plan::refresh::known(&run.state);
    let predicted = predict::<P>(run.cx.identity(), run.stack, &run.plan.graph, &lasting(&known, run.plan))?;
    let (steps, needs) = steps::<P>(run.plan, &run.state, &predicted).map_err(ApplyError::Steps)?;
    let cx = run.cx.while_permitted(run.held.clone());
    let writer = Writer { held: run.held, under_way: None, dirty: false };
    let (sender, receiver) = mpsc::unbounded_channel();
    let mut coordinator = Coordinator {
        cx: Arc::new(cx),
        plan: run.plan,
        stack: run.stack,
        known,
        predicted,
        before: run.state.clone(),
        state: run.state,
        schedule: Schedule::new(needs, run.parallelism),
        tasks: JoinSet::new(),
        begun: BTreeMap::new(),
        deeds: BTreeMap::new(),
        outcomes: Vec::new(),
        steps,
        writer,
        fallback: run.fallback,
        sender,
        wait: run.wait,
        barred: false,
    };
    coordinator.intend(run.is_protected).await?;
    coordinator.walk(receiver, &mut Logged(observer)).await
}

/// What is known of what stays: the parts of what is replaced, or made next to what was forgotten, hang on the new one.
fn lasting<K>(known: &Known, plan: &Plan<K>) -> Known {
    let mut lasting = known.clone();
    let is_made = |change: &&Change<K>| matches!(change.action, Action::Replace | Action::Create);
    let replaced = plan.changes.iter().filter(is_made);
    replaced.for_each(|change| lasting.remove(&change.address));
    lasting
}

enum Message<E> {
    Report(StepId, TaskReport),
    Ended(StepId, Result<Option<Value>, E>),
}

struct Coordinator<'a, P: Provider> {
    cx: Arc<P>,
    plan: &'a Plan<P::Kind>,
    stack: &'a Stack<P>,
    state: State,
    known: Known,
    predicted: BTreeMap<Address, Value>,
    schedule: Schedule,
    steps: Vec<Step<P::Kind>>,
    tasks: JoinSet<()>,
    begun: BTreeMap<StepId, Instant>,
    /// What has become of the calls of the steps under way.
    deeds: BTreeMap<StepId, Deeds>,
    outcomes: Vec<(Address, Action, Outcome<P::Error>)>,
    writer: Writer,
    fallback: Option<LocalStore>,
    sender: mpsc::UnboundedSender<Message<P::Error>>,
    wait: bool,
    /// What was known before anything was done.
    before: State,
    /// AWS takes the credentials no more, or the lock is lost: nothing that is begun could succeed.
    barred: bool,
}

impl<P: Provider> Coordinator<'_, P> {
    async fn walk(
        mut self,
        mut receiver: mpsc::UnboundedReceiver<Message<P::Error>>,
        observer: &mut dyn Observer<P::Error>,
    ) -> Result<Report<P::Error>, ApplyError<P::Error>> {
        let mut beat = interval(Duration::from_millis(100));
        let stop = self.cx.stop().clone();
        let held = Arc::clone(&self.writer.held);
        let mut stopping = false;
        let mut failure = None;
        loop {
            if !stopping && failure.is_none() && !self.barred {
                self.start(observer);
            }
            // Nothing is under way and nothing may start, so what still waits never will.
            if self.schedule.running() == 0 {
                break;
            }
            tokio::select! {
                // A stop is reported before what it brings about.
                biased;
                signal = stop.requested(), if !stopping => {
                    stopping = true;
                    observer.hear(&Event::Stopping(signal));
                    self.limit_grace();
                }
                Some(message) = receiver.recv() => self.take(message, observer),
                written = self.writer.written() => failure = written.err(),
                // Nothing is begun any more; what is under way comes to its end.
                lost = held.lost(), if failure.is_none() => failure = Some(lost),
                _ = beat.tick() => observer.tick(),
                else => break,
            }
            // All that has come goes into the next write, instead of one write for each message.
            while let Ok(message) = receiver.try_recv() {
                self.take(message, observer);
            }
            self.writer.start(&mut self.state);
        }
        self.tasks.shutdown().await;
        self.close(observer);
        failure = self.writer.finish().await.err().or(failure);
        // What failed may have been the write of the last change.
        self.writer.dirty |= failure.is_some();
        self.write(failure).await?;
        if self.state.is_empty() && !self.before.is_empty() {
            // Keys and stores can be brought back for a while, by ids that nothing else tells any more.
            // The destroy itself is done, whether or not that can be kept.
            drop(self.writer.held.keep_destroyed(&self.before));
        }
        Ok(Report { outcomes: self.outcomes, state: self.state })
    }

    /// Writes what is not yet written. An earlier failure to write says more than the one that follows from it.
    async fn write(&mut self, earlier: Option<StateError>) -> Result<(), ApplyError<P::Error>> {
        self.writer.start(&mut self.state);
        // A user who has asked to stop must not wait for storage that hangs; otherwise the state is worth any wait.
        let patience = if self.cx.stop().signal().is_some() { LAST_WRITE } else { Duration::MAX };
        let written = timeout(patience, self.writer.finish()).await;
        match written.unwrap_or_else(|_| Err(self.writer.too_slow())) {
            Ok(()) => Ok(()),
            Err(error) => {
                let kept = self
                    .fallback
                    .as_ref()
                    .filter(|_| is_worth_keeping(&error))
                    .and_then(|fallback| self.keep(fallback));
                Err(ApplyError::Unsaved { error: earlier.unwrap_or(error), kept })
            }
        }
    }

    fn keep(&self, fallback: &LocalStore) -> Option<PathBuf> {
        let bytes = format::encode(&self.state).ok()?;
        let lock = fallback.lock("hlctl").ok()?;
        fallback.write(&bytes, None, &lock).ok()?;
        Some(fallback.path().to_owned())
    }

    fn start(&mut self, observer: &mut dyn Observer<P::Error>) {
        for id in self.schedule.start() {
            let step = self.steps[id].clone();
            observer.hear(&Event::Started { address: step.address.clone(), action: step.deed() });
            self.begun.insert(id, Instant::now());
            let job = Job {
                cx: Arc::clone(&self.cx),
                spec: self.stack.get(&step.address).cloned(),
                token: self.state.resources.get(&step.address).map(|entry| entry.token.clone()).unwrap_or_default(),
                known: self.known.clone(),
                others: crate::plan::refresh::identities(&self.state),
                resumed: self.state.resources.get(&step.address).is_some_and(|entry| entry.doubtful_since.is_some()),
                wait: self.wait,
                step,
            };
            let deeds = Deeds::default();
            self.deeds.insert(id, deeds.clone());
            let holding = self.sender.clone();
            let hold =
                move |hold| drop(holding.send(Message::Report(id, TaskReport::Progress(Progress::OnHold(hold)))));
            let job = Job { cx: Arc::new(job.cx.of_step(deeds, Arc::new(hold))), ..job };
            let sender = self.sender.clone();
            let span = tracing::info_span!("step", address = %job.step.address, action = job.step.deed().name());
            let work = async move {
                let reports = sender.clone();
                let result = job.perform(&move |report| drop(reports.send(Message::Report(id, report)))).await;
                let _ = sender.send(Message::Ended(id, result));
            };
            self.tasks.spawn(work.instrument(span));
        }
    }

    /// After a stop the waits end by themselves; calls that hang are given up.
    fn limit_grace(&self) {
        let running: Vec<StepId> = self.begun.keys().copied().collect();
        let sender = self.sender.clone();
        tokio::spawn(async move {
            sleep(GRACE).await;
            for id in running {
                let status = "in an unknown state: hlctl stopped waiting for the call".to_owned();
                let _ = sender.send(Message::Ended(id, Err(P::Error::still_going(status))));
            }
        });
    }

    fn take(&mut self, message: Message<P::Error>, observer: &mut dyn Observer<P::Error>) {
        match message {
            Message::Report(id, TaskReport::Identified(recorded)) => {
                observer.hear(&Event::Identified { address: self.steps[id].address.clone() });
                self.identify(id, recorded);
            }
            Message::Report(id, TaskReport::Doubtful) => self.doubt(id),
            Message::Report(id, TaskReport::Settling) => self.schedule.settling(id),
            Message::Report(id, TaskReport::Progress(progress)) => {
                observer.hear(&Event::Progress { address: self.steps[id].address.clone(), progress });
            }
            Message::Ended(id, result) => {
                // A step that was given up may end by itself afterwards, and has been counted by then.
                if let Some(begun) = self.begun.remove(&id) {
                    self.end(id, result, begun.elapsed(), observer);
                }
            }
        }
    }

    fn identify(&mut self, id: StepId, recorded: Value) {
        let address = self.steps[id].address.clone();
        self.known.insert(address.clone(), recorded.clone());
        if let Some(entry) = self.state.resources.get_mut(&address) {
            entry.recorded = Some(recorded);
            // From here on the state knows where it is; a prediction could only contradict that.
            entry.predicted = None;
        }
        self.schedule.identified(id);
        self.writer.dirty = true;
    }

    fn end(
        &mut self,
        id: StepId,
        result: Result<Option<Value>, P::Error>,
        took: Duration,
        observer: &mut dyn Observer<P::Error>,
    ) {
        let step = self.steps[id].clone();
        let deeds = self.deeds.remove(&id).unwrap_or_default();
        self.writer.dirty = true;
        let outcome = match result {
            Ok(recorded) => {
                self.record_done(&step, recorded);
                self.schedule.done(id);
                Outcome::Done
            }
            Err(error) => {
                self.barred |= error.ends_the_run();
                if !error.is_unfinished() {
                    self.record_failure(&step, &error, deeds.certainty());
                }
                let skipped = self.schedule.failed(id);
                let outcome = if error.is_unfinished() { Outcome::Unfinished(error) } else { Outcome::Failed(error) };
                self.tell(&step, outcome, took, observer);
                for skipped in skipped {
                    self.skip(skipped, Some(step.address.clone()), observer);
                }
                return;
            }
        };
        self.tell(&step, outcome, took, observer);
    }

    fn tell(
        &mut self,
        step: &Step<P::Kind>,
        outcome: Outcome<P::Error>,
        took: Duration,
        observer: &mut dyn Observer<P::Error>,
    ) {
        observer.hear(&Event::Ended {
            address: step.address.clone(),
            action: step.deed(),
            outcome: outcome.clone(),
            took,
        });
        self.outcomes.push((step.address.clone(), step.action, outcome));
    }

    fn skip(&mut self, id: StepId, because: Option<Address>, observer: &mut dyn Observer<P::Error>) {
        let step = self.steps[id].clone();
        self.writer.dirty = true;
        self.undo_intent(&step);
        self.tell(&step, Outcome::Skipped { because }, Duration::ZERO, observer);
    }

    /// Accounts for the steps that were never begun.
    fn close(&mut self, observer: &mut dyn Observer<P::Error>) {
        for id in self.schedule.waiting() {
            self.skip(id, None, observer);
        }
    }
}

/// Another run took the lock or wrote in between, and its state counts.
fn is_worth_keeping(error: &StateError) -> bool {
    !matches!(error, StateError::LockLost { .. } | StateError::Overtaken { .. })
}
