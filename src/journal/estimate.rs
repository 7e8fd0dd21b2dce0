//! How long AWS will need yet: from what it usually takes, and from what earlier runs on this machine took.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Journal, RunEnding};
use crate::plan::Action;
use hlctl_engine::state::{Home, State};
use hlctl_model::address::Address;
use hlctl_resources::Kind;

/// How many durations of one sort a record keeps.
const KEPT: usize = 5;
/// Only what plays AWS takes less, and then there is nothing to wait for.
const WORTH_KEEPING: u64 = 60;

/// What steps of earlier runs took, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Durations(Vec<StepDuration>);

/// What one step took, from its beginning to its end in AWS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepDuration {
    /// The kind of the resource.
    pub kind: String,
    /// What was done to it: `create` or `delete`.
    pub action: Action,
    /// How long it took.
    pub seconds: u64,
}

/// When something that AWS is at work on will probably be done, counted from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Estimate {
    /// After `from` to `until`.
    Between {
        /// At the soonest.
        from: Duration,
        /// At the latest.
        until: Duration,
    },
    /// It takes longer than it usually does.
    Overdue,
}

impl Durations {
    /// What the record next to the state at `state_path` knows, its own run included. Nothing where there is no record, or one of
    /// another account or region.
    pub fn read(state_path: &Path, state: &State) -> Self {
        let Ok(journal) = Journal::read(state_path) else { return Self::default() };
        let is_here = journal.home == state.home
            && journal.account == state.identity.account
            && journal.region == state.identity.region;
        if is_here { Self::with_run(&journal) } else { Self::default() }
    }

    fn with_run(journal: &Journal) -> Self {
        let mut all = journal.durations.clone();
        for step in &journal.steps {
            let takes_minutes =
                Kind::parse(step.address.kind()).is_some_and(|kind| kind.usual_range(step.action).is_some());
            // What waits for an earlier run, or replaces, took longer or less than the one call.
            let is_whole = matches!(step.action, Action::Create | Action::Delete);
            if let (true, true, Some((ended, RunEnding::Done))) = (takes_minutes, is_whole, &step.ended) {
                let seconds = ended.saturating_sub(step.began) / 1000;
                if seconds < WORTH_KEEPING {
                    continue;
                }
                all.push(StepDuration { kind: step.address.kind().to_owned(), action: step.action, seconds });
            }
        }
        all
    }

    fn push(&mut self, new: StepDuration) {
        self.0.push(new);
        let last = |one: &StepDuration, all: &[StepDuration]| {
            all.iter().filter(|other| other.kind == one.kind && other.action == one.action).count() <= KEPT
        };
        if let Some(new) = self.0.last().cloned().filter(|new| !last(new, &self.0))
            && let Some(oldest) = self.0.iter().position(|other| other.kind == new.kind && other.action == new.action)
        {
            self.0.remove(oldest);
        }
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn estimate(&self, home: Home, kind: Kind, action: Action, age: Duration) -> Option<Estimate> {
        let action = match action {
            Action::Create | Action::Settle | Action::Replace => Action::Create,
            Action::Delete => Action::Delete,
            Action::Update | Action::Adopt | Action::Forget | Action::NoOp => return None,
        };
        let earlier = || {
            let same = self.0.iter().filter(|other| other.kind == kind.as_str() && other.action == action);
            same.map(|other| Duration::from_secs(other.seconds))
        };
        let (from, until) = match (earlier().min(), earlier().max()) {
            // Two creations never take the same time.
            (Some(least), Some(most)) => (least.mul_f64(0.9), most.mul_f64(1.1)),
            _ => {
                let usual = kind.usual_range(action).filter(|_| home == Home::Aws)?;
                (usual.from, usual.until)
            }
        };
        Some(if age > until {
            Estimate::Overdue
        } else {
            Estimate::Between { from: from.saturating_sub(age), until: until.saturating_sub(age) }
        })
    }
}

/// What is known of how long AWS takes, for a stack.
#[derive(Clone, Debug)]
pub struct Forecast {
    home: Home,
    durations: Durations,
}

impl Forecast {
    /// For the stack with this state, by the record next to it at `state_path`.
    pub fn of(state_path: &Path, state: &State) -> Self {
        Self { home: state.home, durations: Durations::read(state_path, state) }
    }

    /// When `action` on the resource at `address`, which has taken `age` so far, will be done. `None` where nothing is known of it:
    /// the sandbox's stores take as long as its options say.
    pub fn estimate(&self, address: &Address, action: Action, age: Duration) -> Option<Estimate> {
        self.durations.estimate(self.home, Kind::parse(address.kind())?, action, age)
    }
}

#[cfg(test)]
impl Forecast {
    /// Where no run has been recorded.
    pub(crate) fn without_record(home: Home) -> Self {
        Self { home, durations: Durations::default() }
    }
}

impl std::fmt::Display for Estimate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self::Between { from, until } = self else { return f.write_str("longer than usual") };
        let (from, until) = (from.as_secs() / 60, until.as_secs().div_ceil(60));
        match (from, until) {
            (_, 0 | 1) => f.write_str("less than a minute left"),
            (0, until) => write!(f, "up to {until} min left"),
            (from, until) if from == until => write!(f, "about {until} min left"),
            (from, until) => write!(f, "{from} to {until} min left"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::tests::{journal, step};

    const STORE: &str = "healthlake_fhir_datastore.this";

    fn after(durations: &Durations, home: Home, action: Action, minutes: u64) -> Option<String> {
        let age = Duration::from_secs(60 * minutes);
        durations.estimate(home, Kind::FhirDatastore, action, age).map(|estimate| estimate.to_string())
    }

    #[test]
    fn what_is_left_follows_from_the_age_and_what_is_usual() {
        let none = Durations::default();
        let left = |action, minutes| after(&none, Home::Aws, action, minutes);
        assert_eq!(left(Action::Create, 0).as_deref(), Some("20 to 30 min left"));
        assert_eq!(left(Action::Settle, 12).as_deref(), Some("8 to 18 min left"));
        assert_eq!(left(Action::Create, 25).as_deref(), Some("up to 5 min left"));
        assert_eq!(left(Action::Create, 29).as_deref(), Some("less than a minute left"));
        assert_eq!(left(Action::Create, 31).as_deref(), Some("longer than usual"));
        assert_eq!(left(Action::Delete, 3).as_deref(), Some("12 to 17 min left"));
        assert_eq!(left(Action::Update, 3), None);
        assert_eq!(after(&none, Home::Sandbox, Action::Create, 0), None);
    }

    #[test]
    fn earlier_runs_say_more_than_what_is_usual() {
        let run = journal(vec![step(STORE, 1_000, Some(2_000), Some(1_000 + 40 * 60_000))], &[]);
        let known = Durations::with_run(&run);
        assert_eq!(after(&known, Home::Sandbox, Action::Create, 0).as_deref(), Some("36 to 44 min left"));
        assert_eq!(after(&known, Home::Aws, Action::Delete, 0).as_deref(), Some("15 to 20 min left"));
    }

    #[test]
    fn only_the_last_whole_steps_of_what_takes_minutes_are_kept() {
        let unfinished = step(STORE, 0, None, None);
        let key = step("kms_key.s3", 0, Some(1), Some(2_000));
        let mut run = journal(vec![unfinished, key], &[]);
        assert!(Durations::with_run(&run).is_empty());
        run.steps.extend((58..=66).map(|seconds| step(STORE, 0, None, Some(1000 * seconds))));
        let kept: Vec<u64> = Durations::with_run(&run).0.iter().map(|kept| kept.seconds).collect();
        assert_eq!(kept, [62, 63, 64, 65, 66]);
    }
}
