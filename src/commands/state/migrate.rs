//! `hlctl state migrate`: from one place to another, with both locked.

use std::sync::Arc;

use super::error::StateCommandError;
use crate::cli::MigrateArgs;
use crate::error::CommandError;
use crate::session::{Session, StateLocationError};
use hlctl_engine::state::{Held, Place, State, StateError, Store};
use hlctl_model::exit_code::ExitCode;
use hlctl_model::text::counted;

/// Moves the state and leaves a note where it was.
pub(super) async fn run(session: &Session, arguments: &MigrateArgs) -> Result<ExitCode, CommandError> {
    let (from, to) = places(session, arguments).await?;
    if from.place() == to.place() {
        return into_environment(session, arguments, &from).await;
    }
    if arguments.by_hand.dry_run {
        let state = session.interruptible(check(session, &from, &to)).await?;
        session.printer.say(&describe(session, &state, &from.place(), &to.place()));
        session.printer.say("Dry run: nothing was written.");
        return Ok(ExitCode::Success);
    }
    session.interruptible(check(session, &from, &to)).await?;
    let patience = arguments.by_hand.lock_timeout;
    let work = async |old: Arc<Held>| {
        session
            .locked(&to, "hlctl state migrate", patience, async |new: Arc<Held>| {
                let state = check(session, &old.store(), &new.store()).await?;
                let said = describe(session, &state, &old.place(), &new.place());
                let next = in_environment(session, state);
                // First the new one: a crash in between leaves two, and the next attempt sees that they are the same stack.
                Arc::clone(&new).replace(next).await?;
                old.clone().leave_note(new.place()).await?;
                session.printer.say(&said);
                Ok(ExitCode::Success)
            })
            .await
    };
    session.locked(&from, "hlctl state migrate", patience, work).await
}

/// The state as it is once the environment of this run has it.
fn in_environment(session: &Session, state: State) -> State {
    let environment = session.global.environment().map(str::to_owned);
    State { serial: state.serial + 1, environment, ..state }
}

/// A state that is in its place already, and may still have to become that of the environment: a configuration of its own had the same
/// name for it.
async fn into_environment(session: &Session, arguments: &MigrateArgs, store: &Store) -> Result<ExitCode, CommandError> {
    let state = session.interruptible(async { Ok(store.read().await?) }).await?;
    let Some(state) = state.filter(|state| state.environment.is_none() && session.global.environment().is_some())
    else {
        return Err(session.interruptible(nowhere_to_go(session, store)).await?);
    };
    check_belongs(session, &state)?;
    let said = format!("The state of {} stays at {}.{}", state.stack, store.place(), becomes(session, &state));
    if arguments.by_hand.dry_run {
        session.printer.say(&said);
        session.printer.say("Dry run: nothing was written.");
        return Ok(ExitCode::Success);
    }
    let work = async |held: Arc<Held>| {
        let state = held.store().read().await?.ok_or_else(|| StateError::Missing { place: held.place() })?;
        check_belongs(session, &state)?;
        held.replace(in_environment(session, state)).await?;
        session.printer.say(&said);
        Ok(ExitCode::Success)
    };
    session.locked(store, "hlctl state migrate", arguments.by_hand.lock_timeout, work).await
}

async fn places(session: &Session, arguments: &MigrateArgs) -> Result<(Store, Store), CommandError> {
    let config = session.config_if_any()?;
    let named = |text: &String| Place::parse(text).ok_or_else(|| StateLocationError::NotAPlace(text.clone()));
    let local = Store::from(session.local_store());
    let configured = session.store(config.as_ref()).await?;
    let to = match &arguments.to {
        Some(text) => Some(session.store_at(&named(text)?, config.as_ref()).await?),
        None => None,
    };
    let from = match (&arguments.from, &to) {
        (Some(text), _) => session.store_at(&named(text)?, config.as_ref()).await?,
        // To another place than where the configuration has it: from there, if it is there.
        (None, Some(to)) if configured.place() != to.place() && configured.read().await?.is_some() => {
            configured.clone()
        }
        (None, _) => local,
    };
    let to = to.unwrap_or(configured);
    Ok((from, to))
}

/// Why the state cannot move from this place to the same.
async fn nowhere_to_go(session: &Session, from: &Store) -> Result<CommandError, CommandError> {
    let place = from.place();
    if from.read().await?.is_some() {
        return Ok(StateCommandError::AlreadyThere(place).into());
    }
    let configured = session.store(session.config_if_any()?.as_ref()).await?;
    let configured = Some(configured.place()).filter(|configured| *configured != place);
    Ok(StateCommandError::NothingToMove { place, configured }.into())
}

/// The state to move, if there is one and its new place has room for it.
async fn check(session: &Session, from: &Store, to: &Store) -> Result<State, CommandError> {
    let state = from.read().await?.ok_or_else(|| StateError::Missing { place: from.place() })?;
    check_belongs(session, &state)?;
    let there = match to.read().await {
        // It is on its way back to where it was.
        Err(StateError::Moved { to: now, .. }) if now == from.place().to_string() => None,
        there => there?,
    };
    match there {
        Some(there) if there.lineage != state.lineage && !there.is_empty() => {
            Err(StateCommandError::OtherStackThere { to: to.place(), stack: there.stack }.into())
        }
        Some(there) if there.lineage == state.lineage && there.serial > state.serial + 1 => {
            let (from, to) = (from.place(), to.place());
            Err(StateCommandError::NewerThere { from, to, here: state.serial, there: there.serial }.into())
        }
        _ => Ok(state),
    }
}

/// Whether the state is for this run: of AWS or the sandbox, and of its environment. One of no environment may become that of one, once, if
/// the user names it; from there it does not become another's.
fn check_belongs(session: &Session, state: &State) -> Result<(), CommandError> {
    if state.home != session.home() {
        return Err(StateError::Home { state: state.home }.into());
    }
    match (&state.environment, session.global.environment()) {
        (None, Some(name)) if !session.global.is_environment_given && !state.is_empty() => {
            Err(StateCommandError::OnlyByVariable { stack: state.stack.clone(), name: name.to_owned() }.into())
        }
        (None, _) => Ok(()),
        (Some(_), _) => Ok(session.check_environment(Some(state))?),
    }
}

fn describe(session: &Session, state: &State, from: &Place, to: &Place) -> String {
    let count = counted(state.resources.len() as u64, "resource");
    let becomes = becomes(session, state);
    format!("The state of {} with its {count} moves from {from} to {to}.{becomes}", state.stack)
}

/// That the stack becomes that of an environment, if it does.
fn becomes(session: &Session, state: &State) -> String {
    match session.global.environment().filter(|_| state.environment.is_none()) {
        Some(name) => format!(" It becomes that of the environment {name}."),
        None => String::new(),
    }
}
