//! `hlctl stores use`: has the stack use a standby store.

use std::sync::Arc;

use super::error::StoresError;
use super::{StoreOperation, id_of, reported, standby_by_name};
use crate::cli::UseArgs;
use crate::commands::outputs;
use crate::error::CommandError;
use crate::module;
use crate::module::standby::{self, STORE};
use crate::plan::{Action, Options, Plan};
use crate::session::{Prepared, Session};
use hlctl_engine::state::{Held, State, Status};
use hlctl_model::address::Address;
use hlctl_model::exit_code::ExitCode;
use hlctl_model::invocation::CommandLine;

/// Puts the store that the command line names in the place of the one in use.
pub(super) async fn run(session: &Session, arguments: &UseArgs) -> Result<ExitCode, CommandError> {
    let config = session.config()?;
    let store = session.store(Some(&config)).await?;
    session.read_existing(&store).await?;
    let execution = &arguments.execution;
    let work = async |held: Arc<Held>| {
        let again = hlctl!("stores use", arguments.store);
        let (operation, state) = StoreOperation::open(session, &config, execution, held, again).await?;
        let is_in_use = state.resources.get(&Address::parse(STORE)).and_then(id_of) == Some(&arguments.store);
        let state = match is_in_use {
            true if state.switching => finish(&operation, state).await?,
            true => {
                session.printer.say(&format!("{} is in use already.", arguments.store));
                state
            }
            false => {
                let address = standby_by_name(&state, &arguments.store)?;
                put_in_use(&operation, state, &address).await?
            }
        };
        Ok(reported(&operation, &state, &Address::parse(STORE), None))
    };
    session.locked(&store, "hlctl stores use", execution.lock_timeout, work).await
}

/// Switches the stack to the store at `address`, and brings whatever names a store up to date. The one in use until then is
/// kept.
pub(super) async fn put_in_use(
    operation: &StoreOperation<'_>,
    state: State,
    address: &Address,
) -> Result<State, CommandError> {
    check_whole(&state, address)?;
    let old = state.resources.get(&Address::parse(STORE)).and_then(id_of).map(str::to_owned);
    let old_is_gone = match &old {
        Some(id) => operation
            .look(&state, id)
            .await?
            .is_none_or(|vitals| matches!(vitals.status.as_str(), "DELETED" | "DELETING")),
        None => true,
    };
    let mut switched = state;
    standby::put_in_use(&mut switched, address, old_is_gone);
    let mut prepared = operation.plan(switched, &Options::default()).await?;
    check_fits(&prepared.plan)?;
    operation.say("The stack will then use the new store:");
    operation.confirm(&prepared, "Switch to this store").await?;
    let mut state = prepared.state.clone();
    state.switching = true;
    operation.write(&mut state).await?;
    prepared.state = state;
    conclude(operation, &prepared, old.filter(|_| !old_is_gone).as_deref()).await
}

/// Finishes a switch after which an earlier run was interrupted.
pub(super) async fn finish(operation: &StoreOperation<'_>, state: State) -> Result<State, CommandError> {
    operation
        .say("An earlier run was interrupted after it had switched the stack to this store; the rest is done now.");
    let prepared = operation.plan(state, &Options::default()).await?;
    operation.confirm(&prepared, "Finish the switch").await?;
    conclude(operation, &prepared, None).await
}

/// Brings up to date what names a store. An apply does that too: the switch itself is made.
async fn conclude(
    operation: &StoreOperation<'_>,
    prepared: &Prepared,
    old: Option<&str>,
) -> Result<State, CommandError> {
    let mut state = operation.going_on_with(CommandLine::new("apply")).carry_out(prepared, "The switch").await?;
    state.switching = false;
    operation.write(&mut state).await?;
    tell(operation, &state, old);
    Ok(state)
}

fn check_whole(state: &State, address: &Address) -> Result<(), CommandError> {
    let entry = state.resources.get(address);
    let is_filled = |entry: &hlctl_engine::state::Entry| entry.origin.as_ref().is_none_or(|origin| origin.filled);
    if entry.is_some_and(|entry| entry.status == Status::Ready && is_filled(entry)) {
        return Ok(());
    }
    Err(StoresError::NotWhole(address.clone()).into())
}

/// A store that the configuration would have replaced is not switched to.
fn check_fits(plan: &Plan) -> Result<(), CommandError> {
    let change =
        plan.changes.iter().find(|change| change.address.as_str() == STORE && change.action == Action::Replace);
    let why = change.and_then(|change| change.attributes.iter().find_map(|attribute| attribute.replaces.clone()));
    match why {
        None => Ok(()),
        Some(reason) => Err(StoresError::DoesNotFit { reason }.into()),
    }
}

fn tell(operation: &StoreOperation<'_>, state: &State, old: Option<&str>) {
    let printer = operation.session.printer;
    if !operation.execution.json {
        printer.say("\nOutputs:\n");
        printer.data(&outputs::as_text(&module::outputs(state)));
    }
    if let Some(old) = old {
        printer.say(&format!(
            "\nThe store {old} is kept, and AWS still charges for it.\n  \
             to go back to it:  {}\n  to delete it:      {}",
            hlctl!("stores use", old),
            hlctl!("stores delete", old)
        ));
    }
}
