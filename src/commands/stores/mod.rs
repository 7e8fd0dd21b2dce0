//! `hlctl restore`, `hlctl replace` and `hlctl stores`: standby stores.
//!
//! A new store is made as a standby, from its backup or from an export of it, as a resource like any other: what an
//! apply promises of crashes, waiting and rivals holds here too. It takes the place of the one in use only when it is whole,
//! and that one is kept until somebody deletes it by name.

mod afterlife;
mod compare;
mod delete;
mod error;
mod list;
mod make;
mod preview;
mod put_in_use;
mod replace;
mod restore;

use std::sync::Arc;

use compare::Comparison;
use error::StoresError;

use super::apply::walk;
use super::running_jobs::{check_again, prepare_after_jobs};
use super::{confirm, summary};
use crate::apply::Report;
use crate::cli::{ExecutionArgs, RunningJobs, StoresCommand};
use crate::costs::Prices;
use crate::data::lost_store::{LostStore, StoreTrace};
use crate::error::{CommandError, Ending};
use crate::module::standby::{self, STORE};
use crate::plan::Options;
use crate::session::{ConnectOptions, Connection, Prepared, Session};
use crate::ui::json;
use crate::ui::plan_view;
use hlctl_config::Config;
use hlctl_engine::state::{Entry, Held, State};
use hlctl_model::address::Address;
use hlctl_model::exit_code::ExitCode;
use hlctl_model::invocation::CommandLine;
use hlctl_resources::{Context, FhirDatastore, Resource, Settings, Vitals, vitals};

pub(super) use afterlife::{explain as explain_lost_store, tell as tell_what_can_be_restored};
pub(super) use list::listed;
pub(super) use replace::run as replace;
pub(super) use restore::run as restore;

/// Runs one of `hlctl stores ...`.
pub(super) async fn run(session: &Session, command: &StoresCommand) -> Result<ExitCode, CommandError> {
    match command {
        StoresCommand::List(arguments) => list::run(session, arguments).await,
        StoresCommand::Use(arguments) => put_in_use::run(session, arguments).await,
        StoresCommand::Delete(arguments) => delete::run(session, arguments).await,
    }
}

/// What looking at stores takes: no lock.
#[derive(Clone, Copy)]
struct StoreReader<'a> {
    session: &'a Session,
    config: &'a Config,
    connection: &'a Connection,
}

impl StoreReader<'_> {
    fn cx(&self, state: &State) -> Context {
        let pace = self.session.pace(Some(self.config));
        self.connection.context(state, Settings::of(self.config), pace, self.session.stop.clone())
    }

    async fn look(&self, state: &State, id: &str) -> Result<Option<Vitals>, CommandError> {
        let cx = self.cx(state);
        self.session.interruptible(async { vitals(&cx, id).await.map_err(CommandError::Aws) }).await
    }

    /// The store at `address`, if it is gone or going.
    async fn lost(&self, state: &State, address: &Address) -> Result<Option<LostStore>, CommandError> {
        let Some(trace) = StoreTrace::of(state, address) else { return Ok(None) };
        let cx = self.cx(state);
        self.session.interruptible(async { Ok(trace.lost(&cx).await?) }).await
    }
}

/// What the steps of one command share.
struct StoreOperation<'a> {
    session: &'a Session,
    config: &'a Config,
    execution: &'a ExecutionArgs,
    connection: Connection,
    held: Arc<Held>,
    /// The command that takes up where this one stood.
    again: CommandLine,
}

impl<'a> StoreOperation<'a> {
    async fn open(
        session: &'a Session,
        config: &'a Config,
        execution: &'a ExecutionArgs,
        held: Arc<Held>,
        again: CommandLine,
    ) -> Result<(Self, State), CommandError> {
        let state = session.read_existing(&held.store()).await?;
        let connection = session.connect_to(&state, ConnectOptions::from_config(config)).await?;
        Ok((Self { session, config, execution, connection, held, again }, state))
    }

    fn reader(&self) -> StoreReader<'_> {
        StoreReader { session: self.session, config: self.config, connection: &self.connection }
    }

    fn cx(&self, state: &State) -> Context {
        self.reader().cx(state).while_permitted(self.held.clone())
    }

    async fn look(&self, state: &State, id: &str) -> Result<Option<Vitals>, CommandError> {
        self.reader().look(state, id).await
    }

    /// The store at `address`, if it is gone or going.
    async fn lost(&self, state: &State, address: &Address) -> Result<Option<LostStore>, CommandError> {
        self.reader().lost(state, address).await
    }

    async fn plan(&self, state: State, options: &Options) -> Result<Prepared, CommandError> {
        let (settings, wish) = (Settings::of(self.config), self.execution.running_jobs);
        let options = Options { ignore_jobs: wish == RunningJobs::Ignore, ..options.clone() };
        let config = Some(self.config);
        Box::pin(prepare_after_jobs(self.session, &self.connection, config, state, &options, settings, wish)).await
    }

    /// Shows a plan and asks whether to carry it out. The question gets its end, the place, here.
    async fn confirm(&self, prepared: &Prepared, question: &str) -> Result<(), CommandError> {
        if !self.execution.json {
            let place = self.connection.place(self.session.home());
            self.session.printer.say(&plan_view::render(&prepared.plan, &place, Prices::of_stack(&prepared.state)));
        }
        confirm::check(self.session, &prepared.plan)?;
        let unnamed = confirm::unnamed(&prepared.plan);
        if !unnamed.is_empty() {
            return Err(confirm::protected(&unnamed));
        }
        if prepared.plan.changes_aws() {
            let question = format!("\n{question} in {}?", self.connection.place(self.session.home()));
            confirm::approve(self.session, self.execution.auto_approve, &question).await?;
        }
        check_again(self.session, prepared, self.execution.running_jobs).await
    }

    /// Carries a plan out, and gives the state at the end.
    async fn carry_out(&self, prepared: &Prepared, what: &str) -> Result<State, CommandError> {
        self.carry_out_reported(prepared, what).await.map(|report| report.state)
    }

    /// The same, with what was done.
    async fn carry_out_reported(&self, prepared: &Prepared, what: &str) -> Result<Report, CommandError> {
        let command = self.again.label();
        let report = walk(self.session, Arc::clone(&self.held), prepared, self.execution, Some(&command)).await?;
        let concluded = summary::conclude(self.session, &report, what, self.execution, Some(&self.again));
        if concluded.is_err() && self.execution.json {
            self.session.printer.json(&json::report(&report));
        }
        concluded.map(|()| report)
    }

    /// Writes a state that no walk has written.
    async fn write(&self, state: &mut State) -> Result<(), CommandError> {
        state.serial += 1;
        Ok(Arc::clone(&self.held).write(state.clone()).await?)
    }

    /// The same for another command.
    fn going_on_with(&self, again: CommandLine) -> StoreOperation<'a> {
        let (connection, held) = (self.connection.clone(), Arc::clone(&self.held));
        StoreOperation {
            session: self.session,
            config: self.config,
            execution: self.execution,
            connection,
            held,
            again,
        }
    }

    fn say(&self, text: &str) {
        self.session.printer.say(text);
    }
}

/// Id of the store at this address.
pub(super) fn id_of(entry: &Entry) -> Option<&str> {
    entry.recorded.as_ref()?.get("id")?.as_str()
}

/// The stack's stores: the one in use first.
pub(super) fn stores(state: &State) -> Vec<(&Address, &Entry)> {
    let mut stores: Vec<_> =
        state.resources.iter().filter(|(address, _)| address.kind() == FhirDatastore::KIND).collect();
    stores.sort_by_key(|(address, _)| address.as_str() != STORE);
    stores
}

/// The address of the store that has this id or address.
pub(super) fn store_named(state: &State, named: &str) -> Result<Address, CommandError> {
    let is_named = |address: &Address, entry: &Entry| address.as_str() == named || id_of(entry) == Some(named);
    let found = stores(state).into_iter().find(|(address, entry)| is_named(address, entry));
    let found = found.map(|(address, _)| address.clone());
    Ok(found.ok_or_else(|| StoresError::NoSuchStore(named.to_owned()))?)
}

/// The same of a standby store.
fn standby_by_name(state: &State, named: &str) -> Result<Address, CommandError> {
    let address = store_named(state, named)?;
    if standby::is_standby(&address) {
        return Ok(address);
    }
    Err(StoresError::InUse(named.to_owned()).into())
}

/// Tells programs of the store at `address`, and of what it and the old one hold, if that was compared.
fn reported(
    operation: &StoreOperation<'_>,
    state: &State,
    address: &Address,
    comparison: Option<&Comparison>,
) -> ExitCode {
    if operation.execution.json {
        let resources = comparison.map(Comparison::document);
        operation.session.printer.json(&json::ComparedStore::of(json::StoreDocument::of(state, address), resources));
    }
    ExitCode::Success
}

/// An error that comes after a store was created or begun.
fn unfinished(error: CommandError, again: &CommandLine) -> CommandError {
    let again = again.clone();
    match error {
        CommandError::Unsaved { .. } | CommandError::State(_) => error,
        CommandError::Failed(ref failure)
            if matches!(failure.ending(), Ending::Incomplete | Ending::LeftRunning | Ending::Elsewhere) =>
        {
            error
        }
        CommandError::Interrupted(_) => StoresError::Interrupted { again }.into(),
        CommandError::Declined(reason) => StoresError::Declined { reason, again }.into(),
        other => StoresError::Unfinished(Box::new(other), again).into(),
    }
}
