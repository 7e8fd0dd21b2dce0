//! One point: what happens there, how hlctl goes on, and what is there in the end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use hlctl_emulator::Options;
use serde_json::json;

use crate::inventory::Inventory;
use crate::point::{At, Moment, Point, Then};
use crate::recording::{Recorded, Recording};
use crate::scenarios::{Step, configure};
use crate::support::{ALICE_PASSWORD, Ended, Place, Running};

/// How a point ended.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// Exactly one of everything, and nothing after the destroy.
    Converged,
    /// Something is left over.
    Orphan(String),
    /// Something is there twice.
    Duplicate(String),
    /// A file or a stream holds a secret.
    Leak(String),
    /// A command did not do what it had to.
    Failed(String),
}

/// A key that may sign requests and must be found nowhere.
const AWS_SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYTORTUREKEY";

/// How long a run may take. Ten attempts at what always fails, with looks for what they may have made, take two minutes.
const PATIENCE: Duration = Duration::from_secs(300);

/// By which the disk is seen to fall behind.
const LATENCY: Duration = Duration::from_millis(10);

/// Tries the point.
pub(crate) fn attempt(recording: &Recording, point: &Point) -> Verdict {
    let tried = catch_unwind(AssertUnwindSafe(|| Attempt::new(recording, point).run()));
    match tried {
        Ok(Ok(())) => Verdict::Converged,
        Ok(Err(verdict)) => verdict,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Verdict::Failed(text.unwrap_or_default())
        }
    }
}

/// A place in which one point is tried.
pub(crate) struct Attempt<'a> {
    pub(crate) recording: &'a Recording,
    pub(crate) point: &'a Point,
    pub(crate) place: Place,
    /// What the runs have said.
    pub(crate) said: Vec<String>,
    secrets: Vec<String>,
}

impl<'a> Attempt<'a> {
    fn new(recording: &'a Recording, point: &'a Point) -> Self {
        let slow = matches!(point.at, At::Request(_, Moment::Behind));
        let latency = if slow { LATENCY } else { Duration::ZERO };
        let options = Options { latency, ..Options::default() };
        let place = recording.steps[point.step].before.again(&recording.scenario, options);
        let secrets = vec![ALICE_PASSWORD.to_owned(), AWS_SECRET.to_owned()];
        Self { recording, point, place, said: Vec::new(), secrets }
    }

    fn run(mut self) -> Result<(), Verdict> {
        let step = self.point.step;
        configure(&self.place, self.step(step));
        match &self.point.at {
            At::Request(request, moment) => self.kill_at_request(request, *moment),
            At::Write(serial, written) => self.kill_at_write(*serial, *written),
            At::Signal(request, reported) => self.signal(request, *reported)?,
            At::Refused(request, refusal) => self.refuse(request, *refusal)?,
            At::Storm(seed) => return self.storm(*seed),
        }
        self.place.cloud().heal();
        match self.point.then {
            Then::Again if self.step(step).destroys() => self.destroy(self.step(step))?,
            Then::Again => self.apply(step)?,
            Then::Destroy => {}
            Then::Apply => {
                configure(&self.place, self.step(step - 1));
                self.apply(step - 1)?;
            }
        }
        self.destroy(self.step(self.recording.steps.len() - 1))?;
        self.look_for_secrets()
    }

    pub(crate) fn recorded(&self) -> &'a Recorded {
        &self.recording.steps[self.point.step]
    }

    pub(crate) fn step(&self, step: usize) -> &'a Step {
        &self.recording.scenario.steps[step]
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        let run = self.place.run(arguments.iter().copied());
        run.env("AWS_SECRET_ACCESS_KEY", AWS_SECRET).env("HLCTL_LOG", "calls").start()
    }

    pub(crate) fn ends(&mut self, arguments: &[&str]) -> Ended {
        let ended = self.start(arguments).ends_within(PATIENCE);
        self.said.extend([ended.stdout.clone(), ended.stderr.clone()]);
        ended
    }

    /// The step once more: exactly one of everything, and nothing more to do.
    pub(crate) fn apply(&mut self, step: usize) -> Result<(), Verdict> {
        let applied = self.ends(&self.step(step).again());
        if applied.code != 0 {
            return Err(Verdict::Failed(format!("{} again: {applied}", self.step(step).name)));
        }
        self.is_as_recorded(step)
    }

    /// Exactly one of everything is there, and there is nothing more to do.
    pub(crate) fn is_as_recorded(&mut self, step: usize) -> Result<(), Verdict> {
        let (there, wanted) = (self.inventory(), &self.recording.steps[step].after);
        let (more, less) = (there.beyond(wanted), wanted.beyond(&there));
        if !more.is_empty() {
            return Err(Verdict::Duplicate(more.join(", ")));
        }
        if !less.is_empty() {
            return Err(Verdict::Failed(format!(
                "after the apply there is less than there should be: {}",
                less.join(", ")
            )));
        }
        // A key that is replaced is the end of another; a destroy that was killed may have ordered any key's.
        if self.point.then == Then::Again && there.keys_ending > wanted.keys_ending {
            return Err(Verdict::Duplicate(format!("{} keys wait for their end", there.keys_ending)));
        }
        let plan = self.ends(&["plan", "--detailed-exitcode", "--out", "plan.json"]);
        if plan.code == 0 { Ok(()) } else { Err(Verdict::Failed(format!("the second plan: {plan}"))) }
    }

    pub(crate) fn destroy(&mut self, step: &Step) -> Result<(), Verdict> {
        // The configuration says no more than what names a destroy takes.
        let has_state = self.place.path(self.place.state_file()).exists();
        if has_state || !self.inventory().is_empty() {
            let destroyed = self.ends(&step.arguments);
            if destroyed.code != 0 {
                return Err(Verdict::Failed(format!("destroy: {destroyed}")));
            }
            if self.place.state()["resources"] != json!({}) || self.place.state()["deposed"] != json!([]) {
                return Err(Verdict::Failed(format!("the state is not empty after {destroyed}")));
            }
        }
        let left = self.inventory();
        if left.is_empty() { Ok(()) } else { Err(Verdict::Orphan(left.to_string())) }
    }

    fn inventory(&mut self) -> Inventory {
        let inventory = Inventory::of(&self.place, self.recording.scenario.region);
        self.secrets.extend(inventory.secrets.iter().cloned());
        inventory
    }

    /// In what hlctl has written and said. The configuration and the home are the user's own.
    pub(crate) fn look_for_secrets(&self) -> Result<(), Verdict> {
        let texts = self.said.iter().map(|said| ("what a run said".to_owned(), said.clone().into_bytes()));
        let files = self.place.files().into_iter().map(|(path, bytes)| (path.display().to_string(), bytes));
        for (name, bytes) in texts.chain(files) {
            let holds = |secret: &&String| bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            if self.secrets.iter().any(|secret| holds(&secret)) {
                return Err(Verdict::Leak(name));
            }
        }
        Ok(())
    }
}
