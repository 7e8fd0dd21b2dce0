//! Writes the record while the run goes on.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::{Durations, End, Journal, RunEnding, StepRecord, StoppedBy, neighbour};
use crate::apply::{Event, Observer};
use crate::plan::{Action, Plan};
use hlctl_engine::state::State;
use hlctl_engine::wait::Signal;
use hlctl_engine::whole_file;
use hlctl_resources::ResourceError;

/// While something happens the record is rewritten at most this often: if hlctl is killed, no more is lost.
const BETWEEN_WRITES: Duration = Duration::from_millis(500);

/// What a run begins with.
pub struct RunStart<'a> {
    /// `hlctl apply` or `hlctl destroy`.
    pub command: &'a str,
    /// What is known before it.
    pub state: &'a State,
    /// What it is to do.
    pub plan: &'a Plan,
}

/// An observer that writes down what it hears and passes it on.
pub struct Recorder {
    inner: Box<dyn Observer<ResourceError>>,
    journal: Journal,
    path: PathBuf,
    unfinished_prefix: String,
    begun: Instant,
    written: Option<Instant>,
    dirty: bool,
    stopped: Option<Signal>,
    failure: Option<std::io::Error>,
}

impl Recorder {
    /// Begins the record of a run whose state is at `state_path`.
    pub fn begin(state_path: &Path, beginning: &RunStart<'_>, inner: Box<dyn Observer<ResourceError>>) -> Self {
        let state_name = state_path.file_name().unwrap_or_default().to_string_lossy();
        let mut recorder = Self {
            inner,
            journal: Journal::of(beginning, Timestamp::now(), Durations::read(state_path, beginning.state)),
            path: neighbour(state_path),
            // What a killed write leaves goes with what killed writes of the state leave.
            unfinished_prefix: format!(".{state_name}.unfinished-"),
            begun: Instant::now(),
            written: None,
            dirty: true,
            stopped: None,
            failure: None,
        };
        recorder.write();
        recorder
    }

    /// Ends the record. What went wrong with writing it, if anything did: that is no reason to fail the run.
    pub fn finish(mut self, error: Option<String>) -> Option<std::io::Error> {
        let (stopped, by) = (self.stopped.is_some(), self.stopped.map(StoppedBy::from));
        self.journal.ended = Some(End { at: Timestamp::now(), stopped, by, error });
        self.write();
        self.failure
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn note(&mut self, event: &Event) {
        let now = self.now();
        match event {
            Event::Started { address, action } => {
                self.journal.steps.push(StepRecord {
                    address: address.clone(),
                    action: *action,
                    began: now,
                    identified: None,
                    ended: None,
                });
            }
            Event::Identified { address } => {
                let step = self.journal.steps.iter_mut().rfind(|step| step.address == *address && step.ended.is_none());
                if let Some(step) = step {
                    step.identified.get_or_insert(now);
                }
            }
            Event::Ended { address, action, outcome, .. } => {
                let ending = RunEnding::from(outcome);
                let is_it =
                    |step: &&mut StepRecord| step.address == *address && step.action == *action && step.ended.is_none();
                match self.journal.steps.iter_mut().rfind(is_it) {
                    Some(step) => step.ended = Some((now, ending)),
                    None => self.journal.steps.push(unbegun(address.clone(), *action, now, ending)),
                }
            }
            Event::Stopping(signal) => self.stopped = Some(*signal),
            Event::Progress { .. } => return,
        }
        self.dirty = true;
    }

    fn write(&mut self) {
        self.journal.written = Timestamp::now();
        let written = serde_json::to_vec(&self.journal)
            .map_err(std::io::Error::from)
            .and_then(|bytes| whole_file::write_private(&self.path, &self.unfinished_prefix, &bytes));
        self.failure = written.err();
        self.written = Some(Instant::now());
        self.dirty = false;
    }

    fn write_if_due(&mut self) {
        if self.dirty && self.written.is_none_or(|written| written.elapsed() >= BETWEEN_WRITES) {
            self.write();
        }
    }
}

fn unbegun(address: hlctl_model::address::Address, action: Action, now: u64, ending: RunEnding) -> StepRecord {
    StepRecord { address, action, began: now, identified: None, ended: Some((now, ending)) }
}

impl Observer<ResourceError> for Recorder {
    fn hear(&mut self, event: &Event) {
        self.inner.hear(event);
        self.note(event);
        self.write_if_due();
    }

    fn tick(&mut self) {
        self.inner.tick();
        self.write_if_due();
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use crate::apply::Outcome;
    use hlctl_config::ForceDestroy;
    use hlctl_engine::state::Home;
    use hlctl_model::address::Address;
    use hlctl_resources::{Identity, Settings};

    struct Deaf;

    impl Observer<ResourceError> for Deaf {
        fn hear(&mut self, _: &Event) {}
    }

    pub(crate) fn state() -> State {
        let identity = Identity {
            account: "111122223333".into(),
            region: "us-east-1".into(),
            partition: "aws".into(),
            caller: String::new(),
        };
        State::new(
            "fhir",
            Home::Aws,
            identity,
            Settings { kms_deletion_window_in_days: 30, force_destroy: ForceDestroy::No },
        )
    }

    fn started(name: &str) -> Event {
        Event::Started { address: Address::parse(name), action: Action::Create }
    }

    fn ended(name: &str, outcome: Outcome) -> Event {
        Event::Ended { address: Address::parse(name), action: Action::Create, outcome, took: Duration::ZERO }
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_that_is_killed_leaves_a_whole_record_without_an_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.state.json");
        let beginning = RunStart { command: "hlctl apply", state: &state(), plan: &Plan::default() };
        let mut recorder = Recorder::begin(&path, &beginning, Box::new(Deaf));
        recorder.hear(&started("k.a"));
        tokio::time::advance(BETWEEN_WRITES).await;
        recorder.tick();
        recorder.hear(&ended("k.a", Outcome::Done));
        drop(recorder);
        let journal = Journal::read(&path).unwrap();
        assert_eq!(journal.ended, None);
        assert_eq!(journal.steps.len(), 1);
        assert_eq!(journal.steps[0].ended, None, "the end came after the last write");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn steps_have_their_times_and_ends() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.state.json");
        let beginning = RunStart { command: "hlctl apply", state: &state(), plan: &Plan::default() };
        let mut recorder = Recorder::begin(&path, &beginning, Box::new(Deaf));
        recorder.hear(&started("k.a"));
        tokio::time::advance(Duration::from_millis(40)).await;
        recorder.hear(&Event::Identified { address: Address::parse("k.a") });
        tokio::time::advance(Duration::from_millis(60)).await;
        recorder.hear(&ended("k.a", Outcome::Done));
        recorder.hear(&ended("k.b", Outcome::Skipped { because: Some(Address::parse("k.a")) }));
        assert!(recorder.finish(None).is_none());
        let journal = Journal::read(&path).unwrap();
        let a = &journal.steps[0];
        assert_eq!((a.began, a.identified, &a.ended), (0, Some(40), &Some((100, RunEnding::Done))));
        assert_eq!(journal.steps[1].ended, Some((100, RunEnding::Skipped(Some(Address::parse("k.a"))))));
        assert!(journal.ended.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn much_news_is_few_writes() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.state.json");
        let beginning = RunStart { command: "hlctl apply", state: &state(), plan: &Plan::default() };
        let mut recorder = Recorder::begin(&path, &beginning, Box::new(Deaf));
        for _ in 0..1000 {
            recorder.hear(&started("k.a"));
        }
        assert_eq!(Journal::read(&path).unwrap().steps.len(), 0, "nothing is due yet");
        assert!(recorder.finish(Some("no space".to_owned())).is_none());
        let journal = Journal::read(&path).unwrap();
        assert_eq!(journal.steps.len(), 1000);
        assert_eq!(journal.ended.unwrap().error.as_deref(), Some("no space"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_record_that_cannot_be_written_stops_nothing() {
        let beginning = RunStart { command: "hlctl apply", state: &state(), plan: &Plan::default() };
        let mut recorder = Recorder::begin(Path::new("/nowhere/x.state.json"), &beginning, Box::new(Deaf));
        recorder.hear(&started("k.a"));
        assert!(recorder.finish(None).is_some());
    }
}
