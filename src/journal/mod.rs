//! The record of the last run that changed something: what was to be done, and when each step began and ended.
//!
//! It lies next to the state as `NAME.state.run.json` and is for reports alone: nothing that hlctl does rests on it. It holds no
//! secret, for the plan and the errors that it is made of hold none.

mod estimate;
mod recorder;
mod timeline;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

pub use estimate::{Durations, Estimate, Forecast};
pub use recorder::{Recorder, RunStart};

use crate::apply::Outcome;
use crate::plan::{Action, Change, Plan};
use hlctl_engine::state::{Home, State};
use hlctl_engine::wait::Signal;
use hlctl_model::address::Address;

const FORMAT: &str = "hlctl-run";
const VERSION: u64 = 1;

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Journal {
    format: String,
    version: u64,
    /// The version of hlctl that ran.
    pub hlctl: String,
    /// `hlctl apply` or `hlctl destroy`.
    pub command: String,
    /// Where the stack lives.
    pub home: Home,
    /// Value of the `hlctl:stack` tag.
    pub stack: String,
    /// The state's lineage.
    pub lineage: String,
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
    /// When it began.
    pub begun: Timestamp,
    /// When this was written last.
    pub written: Timestamp,
    /// How it ended; absent while it is under way, and for ever if it was cut off.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ended: Option<End>,
    /// How many resources were as wanted.
    pub unchanged: usize,
    /// What was to be done.
    pub changes: Vec<Change>,
    /// What each resource of the stack needs.
    pub needs: BTreeMap<Address, Vec<Address>>,
    /// What was done, in the order in which it began.
    pub steps: Vec<StepRecord>,
    /// What earlier runs took for what takes minutes, the oldest first.
    #[serde(skip_serializing_if = "Durations::is_empty", default)]
    pub durations: Durations,
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// When.
    pub at: Timestamp,
    /// Whether the user asked it to stop.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub stopped: bool,
    /// What asked it to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by: Option<StoppedBy>,
    /// What ended it before its time.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<String>,
}

/// What asked a run to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoppedBy {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM, from a service manager or a CI system.
    Terminate,
    /// SIGHUP: the terminal was closed, or the connection to it lost.
    HangUp,
}

impl From<Signal> for StoppedBy {
    fn from(signal: Signal) -> Self {
        match signal {
            Signal::Interrupt => Self::Interrupt,
            Signal::Terminate => Self::Terminate,
            Signal::HangUp => Self::HangUp,
        }
    }
}

/// One step. Times are milliseconds from the run's beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    /// The resource.
    pub address: Address,
    /// What was done to it.
    pub action: Action,
    /// When it began.
    pub began: u64,
    /// When AWS gave the resource its identity.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub identified: Option<u64>,
    /// When it ended, and how.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ended: Option<(u64, RunEnding)>,
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunEnding {
    /// As planned.
    Done,
    /// AWS was left at work on it.
    Unfinished(String),
    /// It failed.
    Failed(String),
    /// It was not started, because of another resource or of a stop.
    Skipped(Option<Address>),
}

impl From<&Outcome> for RunEnding {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::Done,
            Outcome::Unfinished(error) => Self::Unfinished(error.to_string()),
            Outcome::Failed(error) => Self::Failed(error.to_string()),
            Outcome::Skipped { because } => Self::Skipped(because.clone()),
        }
    }
}

/// A record that cannot be read.
#[derive(Debug, Error)]
pub enum JournalError {
    /// There is none.
    #[error("there is no record of a run at {}", .0.display())]
    Missing(PathBuf),
    /// The file cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// The file is something else.
    #[error("{} is not a record of a run: {problem}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A newer hlctl wrote the file.
    #[error("{} was written by hlctl {written_by}, in a newer format than this hlctl reads", path.display())]
    TooNew {
        /// The file.
        path: PathBuf,
        /// The version of hlctl that wrote it.
        written_by: String,
    },
    /// It is the record of another stack.
    #[error("{} is the record of another stack than the state's ({stack})", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The stack that it is of.
        stack: String,
    },
}

impl JournalError {
    /// The next step.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Missing(_) => "an apply or a destroy that changes something writes one",
            Self::Foreign { .. } => "choose the stack with -c and --state; its next apply writes a new record",
            Self::TooNew { .. } => "use that version of hlctl or a newer one",
            Self::Io { .. } | Self::Damaged { .. } => "the next apply that changes something writes a new one",
        }
    }
}

impl Journal {
    fn of(beginning: &RunStart<'_>, begun: Timestamp, durations: Durations) -> Self {
        let RunStart { command, state, plan } = beginning;
        let work = |change: &&Change| change.action != Action::NoOp;
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            hlctl: env!("CARGO_PKG_VERSION").to_owned(),
            command: (*command).to_owned(),
            home: state.home,
            stack: state.stack.clone(),
            lineage: state.lineage.clone(),
            account: state.identity.account.clone(),
            region: state.identity.region.clone(),
            begun,
            written: begun,
            ended: None,
            unchanged: plan.changes.iter().filter(|change| !work(change)).count(),
            changes: plan.changes.iter().filter(work).cloned().collect(),
            needs: needs(plan, state),
            steps: Vec::new(),
            durations,
        }
    }

    /// Reads the record next to the state at `state_path`.
    ///
    /// # Errors
    /// [`JournalError`]
    pub fn read(state_path: &Path) -> Result<Self, JournalError> {
        let path = neighbour(state_path);
        let bytes = std::fs::read(&path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => JournalError::Missing(path.clone()),
            _ => JournalError::Io { path: path.clone(), error },
        })?;
        let damaged = |problem: String| JournalError::Damaged { path: path.clone(), problem };
        let whole: Value = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        let text = |name: &str| whole.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        if text("format") != FORMAT {
            return Err(damaged("it has another format".to_owned()));
        }
        if whole.get("version").and_then(Value::as_u64).is_none_or(|version| version > VERSION) {
            return Err(JournalError::TooNew { written_by: text("hlctl"), path });
        }
        serde_json::from_value(whole).map_err(|error| damaged(error.to_string()))
    }

    /// Checks that it is of the state's stack.
    ///
    /// # Errors
    /// [`JournalError::Foreign`]
    pub fn check_belongs(&self, state: &State, state_path: &Path) -> Result<(), JournalError> {
        if self.lineage == state.lineage {
            return Ok(());
        }
        Err(JournalError::Foreign { path: neighbour(state_path), stack: self.stack.clone() })
    }
}

/// The record's place: `NAME.state.json` has it at `NAME.state.run.json`.
pub fn neighbour(state_path: &Path) -> PathBuf {
    let name = state_path.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.strip_suffix(".json").unwrap_or(&name);
    state_path.with_file_name(OsString::from(format!("{stem}.run.json")))
}

/// What is wanted says what it needs; of what is to go the state does.
fn needs(plan: &Plan, state: &State) -> BTreeMap<Address, Vec<Address>> {
    let mut all: BTreeMap<Address, Vec<Address>> = BTreeMap::new();
    for change in &plan.changes {
        let mut needs: Vec<Address> = plan.graph.needs(&change.address).cloned().collect();
        if let Some(entry) = state.resources.get(&change.address).filter(|_| needs.is_empty()) {
            needs.clone_from(&entry.needs);
        }
        all.insert(change.address.clone(), needs);
    }
    all
}

#[cfg(test)]
pub(crate) mod tests {
    pub(crate) use super::recorder::tests::state;
    pub(crate) use super::timeline::tests::{journal, step};
    use super::*;

    #[test]
    fn each_state_has_a_record_of_its_own() {
        let name = |path: &str| neighbour(Path::new(path)).display().to_string();
        assert_eq!(name("a/healthlake.state.json"), "a/healthlake.state.run.json");
        assert_eq!(name("prod.one"), "prod.one.run.json");
        assert_eq!(name("prod.two"), "prod.two.run.json");
    }
}
