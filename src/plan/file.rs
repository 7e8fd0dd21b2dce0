//! A plan in a file: what was shown, and all that making it again needs. Holds no secret.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use super::{Action, AttributeChange, Change, Options, Plan};
use hlctl_config::{Config, is_logs_bucket};
use hlctl_engine::state::format::checksum;
use hlctl_engine::state::{Home, State, StateError, Store};
use hlctl_engine::whole_file;
use hlctl_model::address::Address;
use hlctl_resources::{Identity, Settings};

const FORMAT: &str = "hlctl-plan";
const VERSION: u64 = 1;
/// What is shown is what is carried out: a plan that was edited since is none.
const CHECKSUM: &str = "checksum";

/// Why a saved plan cannot be written, read or carried out.
#[derive(Debug, Error)]
pub enum PlanFileError {
    /// The file cannot be written or read, or does not hold what a plan's file does.
    #[error("{0:#}")]
    File(#[from] anyhow::Error),
    /// It is a file of another kind.
    #[error("{} is not a plan of hlctl", .0.display())]
    NotAPlan(PathBuf),
    /// Another version of hlctl wrote it.
    #[error("{} was written by another version of hlctl; create the plan again", .0.display())]
    OtherVersion(PathBuf),
    /// Its checksum is another's.
    #[error("the plan {} was changed after it was written: its checksum does not match; create it again", .0.display())]
    Edited(PathBuf),
    /// The state is not one that the plan can be carried out on.
    #[error(transparent)]
    State(#[from] StateError),
    /// It was made for another environment.
    #[error("the plan was made for {}, but this command is for {}", of_environment(planned.as_deref()), of_environment(here.as_deref()))]
    OtherEnvironment {
        /// That of the plan.
        planned: Option<String>,
        /// That of the command.
        here: Option<String>,
    },
    /// It was made for another state.
    #[error("the plan was made for the state {planned}, but this command uses {here}; choose one with -c and --state")]
    OtherState {
        /// Name of the state that it was made for.
        planned: String,
        /// Name of the state that the command is for.
        here: String,
    },
    /// The state is no longer what it was when the plan was made.
    #[error("the plan cannot be applied: {0}; create it again")]
    Outdated(Outdated),
    /// Something else is to be done now; a line for each resource.
    #[error("{}", differing(.0).join("\n"))]
    Differs(Vec<String>),
}

fn of_environment(name: Option<&str>) -> String {
    name.map_or_else(|| "no environment".to_owned(), |name| format!("the environment {name}"))
}

/// How the state differs from the one that the plan was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Outdated {
    /// There is none any more.
    #[error("the state that it was made from no longer exists")]
    Gone,
    /// There is one, and there was none.
    #[error("there was no state when it was made, and now there is one")]
    Appeared,
    /// It is another stack's.
    #[error("it was made for another stack")]
    OtherStack,
    /// It was written in the meantime.
    #[error("the state has changed since (serial {then} then, {now} now)")]
    Written {
        /// Its serial number when the plan was made.
        then: u64,
        /// Its serial number now.
        now: u64,
    },
}

/// The message for a plan that would do something else now.
fn differing(changes: &[String]) -> Vec<String> {
    let mut lines = vec!["something has changed since the plan was made; create it again:".to_owned()];
    lines.extend(changes.iter().map(|change| format!("  {change}")));
    lines
}

/// A saved plan.
#[derive(Debug, Serialize, Deserialize)]
pub struct PlanFile {
    format: String,
    version: u64,
    hlctl: String,
    home: Home,
    lineage: String,
    serial: u64,
    stack: String,
    /// Name of the state's file, or address of its object. A file's directory may differ, as between two jobs of a pipeline.
    state_file: String,
    identity: Identity,
    /// Whether there was no state yet.
    is_new: bool,
    /// Whether the plan is only to bring the state up to date.
    pub refresh_only: bool,
    /// The configuration that it was made from.
    pub config: Config,
    /// What else the user asked for.
    pub options: Options,
    changes: Vec<Change>,
}

impl PlanFile {
    /// The plan, for saving.
    pub fn of(
        plan: &Plan,
        state: &State,
        store: &Store,
        config: Config,
        options: Options,
        is_new: bool,
        refresh_only: bool,
    ) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            hlctl: env!("CARGO_PKG_VERSION").to_owned(),
            home: state.home,
            lineage: state.lineage.clone(),
            serial: state.serial,
            stack: state.stack.clone(),
            state_file: store.place().name(),
            identity: state.identity.clone(),
            is_new,
            refresh_only,
            config,
            options,
            changes: plan.changes.clone(),
        }
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), PlanFileError> {
        let write = || -> anyhow::Result<()> {
            let mut whole = serde_json::to_value(self)?;
            whole[CHECKSUM] = checksum(&whole).into();
            Ok(whole_file::write_private(path, ".plan-", &serde_json::to_vec_pretty(&whole)?)?)
        };
        Ok(write().with_context(|| format!("cannot write the plan to {}", path.display()))?)
    }

    /// Reads one.
    ///
    /// # Errors
    /// It cannot be read, is not a plan, or a newer hlctl wrote it.
    pub fn read(path: &Path) -> Result<Self, PlanFileError> {
        let shown = path.display();
        let bytes = std::fs::read(path).with_context(|| format!("cannot read the plan {shown}"))?;
        let mut whole: serde_json::Value =
            serde_json::from_slice(&bytes).with_context(|| format!("{shown} is not a plan of hlctl"))?;
        if whole.get("format").and_then(serde_json::Value::as_str) != Some(FORMAT) {
            return Err(PlanFileError::NotAPlan(path.to_owned()));
        }
        if whole.get("version").and_then(serde_json::Value::as_u64) != Some(VERSION) {
            return Err(PlanFileError::OtherVersion(path.to_owned()));
        }
        let reported = whole.as_object_mut().and_then(|whole| whole.remove(CHECKSUM));
        if reported != Some(checksum(&whole).into()) {
            return Err(PlanFileError::Edited(path.to_owned()));
        }
        Ok(serde_json::from_value(whole).with_context(|| format!("the plan {shown} is damaged; create it again"))?)
    }

    /// What it would do.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// What it would do, by address.
    pub fn actions(&self) -> BTreeMap<Address, Action> {
        let standing = self.changes.iter().filter(|change| !change.deposed);
        standing.map(|change| (change.address.clone(), change.action)).collect()
    }

    /// Checks that the plan is for the environment that a command is for.
    ///
    /// # Errors
    /// It is for another one, or for none.
    pub fn check_environment(&self, here: Option<&str>) -> Result<(), PlanFileError> {
        let planned = self.config.environment.clone();
        if planned.as_deref() == here {
            return Ok(());
        }
        Err(PlanFileError::OtherEnvironment { planned, here: here.map(str::to_owned) })
    }

    /// The state that the plan is for, if `found`, which the store holds, is that.
    ///
    /// # Errors
    /// The state is another one, or has been written since.
    pub fn check_state(&self, store: &Store, found: Option<State>, home: Home) -> Result<State, PlanFileError> {
        let refuse = |why| Err(PlanFileError::Outdated(why));
        if self.home != home {
            return Err(StateError::Home { state: self.home }.into());
        }
        if self.state_file != store.place().name() {
            let (planned, here) = (self.state_file.clone(), store.place().name());
            return Err(PlanFileError::OtherState { planned, here });
        }
        match found {
            None if self.is_new => {
                let mut state = State::new("", self.home, self.identity.clone(), Settings::of(&self.config));
                state.lineage.clone_from(&self.lineage);
                state.stack.clone_from(&self.stack);
                state.environment.clone_from(&self.config.environment);
                Ok(state)
            }
            None => refuse(Outdated::Gone),
            Some(_) if self.is_new => refuse(Outdated::Appeared),
            Some(state) if state.lineage != self.lineage => refuse(Outdated::OtherStack),
            Some(state) if state.serial != self.serial => {
                refuse(Outdated::Written { then: self.serial, now: state.serial })
            }
            Some(state) => Ok(state),
        }
    }

    /// Checks that what is to be done now is what was shown then.
    ///
    /// # Errors
    /// Names each resource for which something else is to be done now.
    pub fn check_changes(&self, now: &Plan) -> Result<(), PlanFileError> {
        // A replaced resource that is still to be deleted shares its address with the one in its place.
        let is_of = |a: &Change, b: &Change| a.address == b.address && a.deposed == b.deposed;
        let then = |now: &Change| self.changes.iter().find(|then| is_of(then, now));
        let mut differing: Vec<String> = now
            .changes
            .iter()
            .filter(|change| !then(change).is_some_and(|then| same(then, change)))
            .map(|change| {
                let was = then(change).map_or("absent".to_owned(), describe);
                let same_words =
                    then(change).filter(|then| describe(then) == describe(change) || then.action == change.action);
                let details = same_words.map(|then| details(then, change)).unwrap_or_default();
                format!("{}: {was} in the plan, {} now{details}", change.address, describe(change))
            })
            .collect();
        let gone = self.changes.iter().filter(|then| !now.changes.iter().any(|now| is_of(then, now)));
        differing.extend(gone.map(|then| format!("{}: {} in the plan, absent now", then.address, describe(then))));
        if differing.is_empty() { Ok(()) } else { Err(PlanFileError::Differs(differing)) }
    }
}

/// What is to be done; not what is said about it, which may name today's date. What a logs bucket holds is another thing with every
/// access to the buckets, and no patient data.
fn same(then: &Change, now: &Change) -> bool {
    then.action == now.action
        && then.attributes == now.attributes
        && then.name == now.name
        && (then.contents == now.contents || is_logs_bucket(now.address.as_str()))
        && then.delete_first == now.delete_first
}

/// What differs between two changes that would read the same.
fn details(then: &Change, now: &Change) -> String {
    let shown = |value: &Option<Value>| value.as_ref().map_or("nothing".to_owned(), Value::to_string);
    let reported = |change: &AttributeChange| {
        let part = change.part.as_ref().map(|part| format!("[{part}]")).unwrap_or_default();
        format!("{}{part}: {} -> {}", change.attribute(), shown(&change.before), shown(&change.after))
    };
    let only_in = |these: &Change, those: &Change| -> Vec<String> {
        these.attributes.iter().filter(|change| !those.attributes.contains(change)).map(reported).collect()
    };
    let mut lines: Vec<String> = only_in(then, now).into_iter().map(|line| format!("planned  {line}")).collect();
    lines.extend(only_in(now, then).into_iter().map(|line| format!("now      {line}")));
    if then.contents != now.contents {
        let holds = |change: &Change| change.contents.as_ref().map_or("nothing".to_owned(), ToString::to_string);
        lines.push(format!("planned  it holds {}", holds(then)));
        lines.push(format!("now      it holds {}", holds(now)));
    }
    if then.name != now.name {
        let name = |change: &Change| change.name.clone().unwrap_or("none yet".to_owned());
        lines.push(format!("planned  name {}", name(then)));
        lines.push(format!("now      name {}", name(now)));
    }
    lines.iter().map(|line| format!("\n      {line}")).collect()
}

fn describe(change: &Change) -> String {
    let action = match change.action {
        Action::NoOp => "unchanged",
        Action::Create => "to add",
        Action::Update => "to change",
        Action::Replace => "to replace",
        Action::Delete => "to destroy",
        Action::Adopt | Action::Forget => "to record in the state",
        Action::Settle => "to wait for",
    };
    let mut attributes: Vec<&str> = change.attributes.iter().map(super::AttributeChange::attribute).collect();
    attributes.dedup();
    if attributes.is_empty() || change.action == Action::Create {
        action.to_owned()
    } else {
        format!("{action} ({})", attributes.join(", "))
    }
}
