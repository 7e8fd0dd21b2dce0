//! The coordinator.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep, timeout};

use super::event::{Event, Observer, Outcome};
use super::job::Job;
use super::schedule::{Schedule, StepId};
use super::steps::{Step, Work, intent, steps};
use super::writer::Writer;
use crate::address::Address;
use crate::aws::ErrorKind;
use crate::error::{CommandError, ResourceError};
use crate::module::Stack;
use crate::plan::{Action, Plan, foretell};
use crate::resource::{Attributes, Context, Known, Report as TaskReport};
use crate::state::{Deposed, Entry, Held, LocalStore, State, StateError, Status, format};

/// How long calls under way may go on after a stop. With what writing the state takes, it stays under five seconds.
const GRACE: Duration = Duration::from_secs(3);

/// How long the last write may take after a stop, before the state is kept elsewhere: a CI runner kills soon.
const LAST_WRITE: Duration = Duration::from_secs(3);

/// Everything an apply needs.
pub struct Run<'a> {
    /// What all tasks share.
    pub cx: Context,
    /// What is to be done.
    pub plan: &'a Plan,
    /// What is wanted.
    pub stack: &'a Stack,
    /// What is known; the run goes on from here.
    pub state: State,
    /// The right to write it.
    pub held: Arc<Held>,
    /// Where it is kept instead if it cannot be written.
    pub refuge: Option<LocalStore>,
    /// Steps at once.
    pub parallelism: usize,
    /// Whether to wait for stores.
    pub wait: bool,
    /// Which addresses are protected.
    pub is_protected: &'a dyn Fn(&Address) -> bool,
}

/// How an apply went.
#[derive(Debug)]
pub struct Report {
    /// How each step ended, in the order in which they did.
    pub outcomes: Vec<(Address, Action, Outcome)>,
    /// The state at the end; it is on disk.
    pub state: State,
}

/// Carries the plan out. Returns when every step has ended, one way or another, and the state is on disk.
///
/// # Errors
/// The state could not be written. What failed in AWS is in the report.
pub async fn run(run: Run<'_>, observer: &mut dyn Observer) -> Result<Report, CommandError> {
    let known = crate::plan::refresh::known(&run.state);
    let foretold = foretell(&run.cx.identity, run.stack, &run.plan.graph, &lasting(&known, run.plan))?;
    let (steps, needs) =
        steps(run.plan, &run.state, &foretold).map_err(|error| CommandError::Other(anyhow::Error::new(error)))?;
    let writer = Writer { held: run.held, under_way: None, dirty: false };
    let (sender, receiver) = mpsc::unbounded_channel();
    let mut coordinator = Coordinator {
        cx: Arc::new(run.cx),
        plan: run.plan,
        stack: run.stack,
        known,
        foretold,
        state: run.state,
        schedule: Schedule::new(needs, run.parallelism),
        tasks: JoinSet::new(),
        begun: BTreeMap::new(),
        outcomes: Vec::new(),
        steps,
        writer,
        refuge: run.refuge,
        sender,
        wait: run.wait,
        locked_out: false,
    };
    coordinator.intend(run.is_protected).await?;
    coordinator.walk(receiver, observer).await
}

/// What is known of what stays: the parts of what is replaced hang on the new one.
fn lasting(known: &Known, plan: &Plan) -> Known {
    let mut lasting = known.clone();
    let replaced = plan.changes.iter().filter(|change| change.action == Action::Replace);
    replaced.for_each(|change| lasting.remove(&change.address));
    lasting
}

enum Message {
    Report(StepId, TaskReport),
    Ended(StepId, Result<Option<Value>, ResourceError>),
}

struct Coordinator<'a> {
    cx: Arc<Context>,
    plan: &'a Plan,
    stack: &'a Stack,
    state: State,
    known: Known,
    foretold: BTreeMap<Address, Value>,
    schedule: Schedule,
    steps: Vec<Step>,
    tasks: JoinSet<()>,
    begun: BTreeMap<StepId, Instant>,
    outcomes: Vec<(Address, Action, Outcome)>,
    writer: Writer,
    refuge: Option<LocalStore>,
    sender: mpsc::UnboundedSender<Message>,
    wait: bool,
    /// AWS takes the credentials no more, so that nothing that is begun could succeed.
    locked_out: bool,
}

impl Coordinator<'_> {
    /// Writes down, before the first call that changes anything, all that is about to be made and deleted.
    async fn intend(&mut self, is_protected: &dyn Fn(&Address) -> bool) -> Result<(), CommandError> {
        let before = self.state.clone();
        self.state.settings = self.cx.settings.clone();
        self.note_what_was_seen(is_protected);
        for step in self.steps.clone() {
            match &step.work {
                Work::Create => self.intend_create(&step, is_protected(&step.address)),
                Work::Delete { recorded, deposed: true, .. } => self.intend_to_delete_another(&step, recorded),
                Work::Delete { deposed: false, .. } => {
                    if let Some(entry) = self.state.resources.get_mut(&step.address) {
                        entry.status = Status::Deleting;
                    }
                }
                _ => {}
            }
        }
        if self.state == before {
            return Ok(());
        }
        self.writer.dirty = true;
        self.writer.start(&mut self.state);
        self.writer.finish().await.map_err(CommandError::State)
    }

    /// A stray is written down among the replaced before it is deleted.
    fn intend_to_delete_another(&mut self, step: &Step, recorded: &Value) {
        let is_known = |deposed: &Deposed| deposed.entry.recorded.as_ref() == Some(recorded);
        let is_replaced = self.state.recorded(step.address.as_str()) == Some(recorded);
        if is_replaced || self.state.deposed.iter().any(is_known) {
            return;
        }
        let entry = Entry { recorded: Some(recorded.clone()), ..intent(step, self.plan, false) };
        self.state.deposed.push(Deposed { address: step.address.clone(), entry });
    }

    fn intend_create(&mut self, step: &Step, protected: bool) {
        let previous = self.state.resources.remove(&step.address);
        let mut entry = intent(step, self.plan, protected);
        let is_whole = |told: &&Value| step.kind.is_whole(told).unwrap_or(false);
        entry.foretold = self.foretold.get(&step.address).filter(is_whole).cloned();
        entry.attributes = self.stack.get(&step.address).map(|spec| spec.desired(&self.known)).unwrap_or_default();
        entry.protection = previous.as_ref().and_then(|previous| previous.protection);
        // What was being filled from elsewhere still is; one that is made anew in another's place is not.
        let begun = previous.as_ref().filter(|previous| previous.status == Status::Creating);
        entry.origin = begun.and_then(|previous| previous.origin.clone());
        match previous {
            // The same attempt goes on, so AWS must see the same token.
            Some(previous) if previous.status == Status::Creating && previous.recorded.is_none() => {
                entry.token = previous.token;
                entry.doubtful_since = step.kind.is_nameless().then(now);
            }
            Some(previous) if step.action == Action::Replace => {
                self.state.deposed.push(Deposed { address: step.address.clone(), entry: previous });
                self.known.remove(&step.address);
            }
            _ => self.known.remove(&step.address),
        }
        self.state.resources.insert(step.address.clone(), entry);
    }

    /// Reading has brought the state up to date; the configuration decides protection and needs.
    fn note_what_was_seen(&mut self, is_protected: &dyn Fn(&Address) -> bool) {
        for change in &self.plan.changes {
            let Some(entry) = self.state.resources.get_mut(&change.address).filter(|_| !change.deposed) else {
                continue;
            };
            // AWS has shown everything by then.
            entry.doubtful_since = entry.doubtful_since.filter(|since| now() - since < LONGEST_DOUBT_SECONDS);
            if let (Some(recorded), Some(observed)) = (&change.recorded, &change.observed) {
                entry.recorded = Some(recorded.clone());
                for (name, value) in &mut entry.attributes {
                    *value = observed.get(name).cloned().unwrap_or(Value::Null);
                }
                self.known.insert(change.address.clone(), recorded.clone());
            }
            if self.stack.contains_key(&change.address) {
                entry.protected = is_protected(&change.address);
                entry.needs = self.plan.graph.needs(&change.address).cloned().collect();
            }
        }
    }

    async fn walk(
        mut self,
        mut receiver: mpsc::UnboundedReceiver<Message>,
        observer: &mut dyn Observer,
    ) -> Result<Report, CommandError> {
        let mut beat = interval(Duration::from_millis(100));
        let stop = self.cx.stop.clone();
        let held = Arc::clone(&self.writer.held);
        let mut stopping = false;
        let mut failure = None;
        loop {
            if !stopping && failure.is_none() && !self.locked_out {
                self.start(observer);
            }
            if self.schedule.running() == 0 {
                break;
            }
            tokio::select! {
                // A stop is told before what it brings about.
                biased;
                _ = stop.requested(), if !stopping => {
                    stopping = true;
                    observer.hear(&Event::Stopping);
                    self.limit_grace();
                }
                Some(message) = receiver.recv() => self.take(message, observer),
                written = self.writer.written() => failure = written.err(),
                // Nothing is begun any more; what is under way comes to its end.
                lost = held.lost(), if failure.is_none() => failure = Some(lost),
                _ = beat.tick() => observer.tick(),
                else => break,
            }
            while let Ok(message) = receiver.try_recv() {
                self.take(message, observer);
            }
            self.writer.start(&mut self.state);
        }
        self.tasks.shutdown().await;
        self.close(observer);
        failure = self.writer.finish().await.err().or(failure);
        self.writer.dirty |= failure.is_some();
        self.write(failure).await?;
        // Once nothing is left the backup says so too, so that whoever then removes the state starts afresh.
        self.writer.dirty = self.state.is_empty() && !self.steps.is_empty();
        self.write(None).await?;
        Ok(Report { outcomes: self.outcomes, state: self.state })
    }

    /// Writes what is not yet written. An earlier failure to write says more than the one that follows from it.
    async fn write(&mut self, earlier: Option<StateError>) -> Result<(), CommandError> {
        self.writer.start(&mut self.state);
        let patience = if self.cx.stop.signal().is_some() { LAST_WRITE } else { Duration::MAX };
        let written = timeout(patience, self.writer.finish()).await;
        match written.unwrap_or_else(|_| Err(self.writer.too_slow())) {
            Ok(()) => Ok(()),
            Err(error) => {
                let kept =
                    self.refuge.as_ref().filter(|_| is_worth_keeping(&error)).and_then(|refuge| self.keep(refuge));
                Err(CommandError::Unsaved { error: earlier.unwrap_or(error), kept })
            }
        }
    }

    fn keep(&self, refuge: &LocalStore) -> Option<PathBuf> {
        let bytes = format::encode(&self.state).ok()?;
        let lock = refuge.lock("hlctl").ok()?;
        refuge.write(&bytes, None, &lock).ok()?;
        Some(refuge.path().to_owned())
    }

    fn start(&mut self, observer: &mut dyn Observer) {
        for id in self.schedule.start() {
            let step = self.steps[id].clone();
            observer.hear(&Event::Started { address: step.address.clone(), action: step.action });
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
            let sender = self.sender.clone();
            self.tasks.spawn(async move {
                let reports = sender.clone();
                let result = job.perform(&move |report| drop(reports.send(Message::Report(id, report)))).await;
                let _ = sender.send(Message::Ended(id, result));
            });
        }
    }

    /// After a stop the waits end by themselves; calls that hang are given up.
    fn limit_grace(&self) {
        let running: Vec<StepId> = self.begun.keys().copied().collect();
        let sender = self.sender.clone();
        tokio::spawn(async move {
            sleep(GRACE).await;
            for id in running {
                let status = "in an unknown state: the call was given up".to_owned();
                let _ = sender.send(Message::Ended(id, Err(ResourceError::StillGoing { status })));
            }
        });
    }

    fn take(&mut self, message: Message, observer: &mut dyn Observer) {
        match message {
            Message::Report(id, TaskReport::Identified(recorded)) => {
                observer.hear(&Event::Identified { address: self.steps[id].address.clone() });
                self.identify(id, recorded);
            }
            Message::Report(id, TaskReport::Doubtful) => self.doubt(id),
            Message::Report(id, TaskReport::Progress(progress)) => {
                observer.hear(&Event::Progress { address: self.steps[id].address.clone(), progress });
            }
            Message::Ended(id, result) => {
                if let Some(begun) = self.begun.remove(&id) {
                    self.end(id, result, begun.elapsed(), observer);
                }
            }
        }
    }

    fn doubt(&mut self, id: StepId) {
        if let Some(entry) = self.state.resources.get_mut(&self.steps[id].address) {
            entry.doubtful_since = Some(now());
            self.writer.dirty = true;
        }
    }

    fn identify(&mut self, id: StepId, recorded: Value) {
        let address = self.steps[id].address.clone();
        self.known.insert(address.clone(), recorded.clone());
        if let Some(entry) = self.state.resources.get_mut(&address) {
            entry.recorded = Some(recorded);
            entry.foretold = None;
        }
        self.schedule.identified(id);
        self.writer.dirty = true;
    }

    fn end(
        &mut self,
        id: StepId,
        result: Result<Option<Value>, ResourceError>,
        took: Duration,
        observer: &mut dyn Observer,
    ) {
        let step = self.steps[id].clone();
        self.writer.dirty = true;
        let outcome = match result {
            Ok(recorded) => {
                self.record_done(&step, recorded);
                self.schedule.done(id);
                Outcome::Done
            }
            Err(error) => {
                self.locked_out |= error.is_about_credentials();
                if !error.is_unfinished() {
                    self.record_failure(&step, &error);
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

    fn tell(&mut self, step: &Step, outcome: Outcome, took: Duration, observer: &mut dyn Observer) {
        observer.hear(&Event::Ended {
            address: step.address.clone(),
            action: step.action,
            outcome: outcome.clone(),
            took,
        });
        self.outcomes.push((step.address.clone(), step.action, outcome));
    }

    fn skip(&mut self, id: StepId, because: Option<Address>, observer: &mut dyn Observer) {
        let step = self.steps[id].clone();
        self.writer.dirty = true;
        self.undo_intent(&step);
        self.tell(&step, Outcome::Skipped { because }, Duration::ZERO, observer);
    }

    fn record_done(&mut self, step: &Step, recorded: Option<Value>) {
        match &step.work {
            Work::Forget => drop(self.state.resources.remove(&step.address)),
            Work::Delete { deposed: false, .. } => drop(self.state.resources.remove(&step.address)),
            Work::Delete { recorded, deposed: true, .. } => {
                self.state.deposed.retain(|deposed| {
                    deposed.address != step.address || deposed.entry.recorded.as_ref() != Some(recorded)
                });
            }
            Work::Create | Work::Update(..) | Work::Settle(_) | Work::Adopt(_) => self.record_made(step, recorded),
        }
    }

    fn record_made(&mut self, step: &Step, recorded: Option<Value>) {
        if let Some(recorded) = &recorded {
            self.known.insert(step.address.clone(), recorded.clone());
        }
        let attributes = self.attributes_of(step);
        let protected = self.plan.changes.iter().any(|change| change.address == step.address && change.protected);
        let entry =
            self.state.resources.entry(step.address.clone()).or_insert_with(|| intent(step, self.plan, protected));
        entry.status = Status::Ready;
        entry.recorded = recorded.or_else(|| entry.recorded.take());
        let (kind, present) = (entry.kind(), entry.recorded.clone());
        entry.foretold = None;
        if let Some(attributes) = attributes {
            entry.attributes.extend(attributes);
        }
        // What has come back to its address is none of the replaced.
        let is_it = |deposed: &Deposed| {
            let both = kind.zip(present.as_ref()).zip(deposed.entry.recorded.as_ref());
            deposed.address == step.address && both.is_some_and(|((kind, present), old)| kind.is_one(present, old))
        };
        self.state.deposed.retain(|deposed| !is_it(deposed));
    }

    /// What the resource looks like now: as it was asked for, or, if it was only looked at, as it was seen.
    fn attributes_of(&self, step: &Step) -> Option<Attributes> {
        let wanted = self.stack.get(&step.address).map(|spec| spec.desired(&self.known));
        if !matches!(step.work, Work::Adopt(_)) {
            return wanted;
        }
        let seen = self.plan.changes.iter().find(|change| change.address == step.address && !change.deposed);
        let seen = seen.and_then(|change| change.observed.clone())?;
        Some(
            seen.into_iter()
                .filter(|(name, _)| wanted.as_ref().is_none_or(|wanted| wanted.contains_key(name)))
                .collect(),
        )
    }

    /// What AWS refused has changed nothing; what was cut off may have, so its intent stays.
    fn record_failure(&mut self, step: &Step, error: &ResourceError) {
        match &step.work {
            Work::Create if made_nothing(error) => self.undo_intent(step),
            Work::Delete { .. } if deleted_nothing(error) => self.undo_intent(step),
            _ => {}
        }
    }

    fn undo_intent(&mut self, step: &Step) {
        match &step.work {
            Work::Create if self.state.recorded(step.address.as_str()).is_none() => {
                self.state.resources.remove(&step.address);
                let deposed = self.state.deposed.iter().rposition(|deposed| deposed.address == step.address);
                if let Some(place) = deposed.filter(|_| step.action == Action::Replace) {
                    let deposed = self.state.deposed.remove(place);
                    self.state.resources.insert(deposed.address, deposed.entry);
                }
            }
            Work::Delete { deposed: false, .. } => {
                if let Some(entry) = self.state.resources.get_mut(&step.address) {
                    entry.status = Status::Ready;
                }
            }
            _ => {}
        }
    }

    /// Accounts for the steps that were never begun.
    fn close(&mut self, observer: &mut dyn Observer) {
        for id in self.schedule.waiting() {
            self.skip(id, None, observer);
        }
    }
}

/// Whoever took the lock or wrote in between knows better.
fn is_worth_keeping(error: &StateError) -> bool {
    !matches!(error, StateError::Robbed { .. } | StateError::Overtaken { .. })
}

/// How long AWS may take to show what it has made, many times over.
const LONGEST_DOUBT_SECONDS: i64 = 3600;

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

fn made_nothing(error: &ResourceError) -> bool {
    match error {
        ResourceError::Aws(error) => {
            let creating = ["Create", "Attach", "Put", "Head"].iter().any(|verb| error.operation.starts_with(verb));
            creating && !is_uncertain(error.kind)
        }
        ResourceError::Taken { .. } | ResourceError::Request(_) => true,
        _ => false,
    }
}

/// A look that failed after the order was given leaves a deletion under way.
fn deleted_nothing(error: &ResourceError) -> bool {
    match error {
        ResourceError::Aws(error) => !error.operation.starts_with("Describe") && !is_uncertain(error.kind),
        ResourceError::NotEmpty { .. } | ResourceError::Request(_) => true,
        _ => false,
    }
}

/// Whether the call may have been carried out all the same.
fn is_uncertain(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NoAnswer | ErrorKind::Unavailable | ErrorKind::Garbled)
}
