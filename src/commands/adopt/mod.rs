//! `hlctl adopt`

mod cloudformation;
mod discover;
mod error;
mod one;
mod report;
mod source;
mod stack;
mod terraform;

use std::collections::BTreeMap;
use std::sync::Arc;

use error::AdoptError;

use super::state::set_aside;
use crate::adopt::Found;
use crate::cli::AdoptArgs;
use crate::error::CommandError;
use crate::session::Session;
use hlctl_engine::state::{Held, State, StateError};
use hlctl_model::address::Address;
use hlctl_model::exit_code::ExitCode;

/// Takes over what exists. AWS is only read; nothing that exists already is written over.
pub(super) async fn run(session: &Session, arguments: &AdoptArgs) -> Result<ExitCode, CommandError> {
    if let Some(source) = &arguments.from_cloudformation {
        return cloudformation::run(session, arguments, source).await;
    }
    match (&arguments.from_tfstate, &arguments.address, &arguments.id) {
        (Some(source), ..) => terraform::run(session, arguments, source).await,
        (None, Some(address), Some(id)) => one::run(session, arguments, address, id).await,
        _ => discover::run(session, arguments).await,
    }
}

/// A state that is there already is not written over, unless it is damaged and the stack is to be found without it.
async fn refuse_state(session: &Session, arguments: &AdoptArgs) -> Result<(), CommandError> {
    let store = session.store_alone().await?;
    match session.read(&store).await {
        Ok(None) => return Ok(()),
        Err(CommandError::State(StateError::Damaged { .. })) if arguments.discover => return Ok(()),
        found => drop(found?),
    }
    Err(AdoptError::StateExists(store.place()).into())
}

/// Refuses what another stack has, unless the user wants it taken.
fn refuse_anothers(found: &BTreeMap<Address, Found>, stack: &str, arguments: &AdoptArgs) -> Result<(), CommandError> {
    let anothers = found.iter().filter_map(|(address, found)| {
        let owner = found.owner().filter(|owner| *owner != stack)?;
        Some((address.clone(), found.name().to_owned(), owner.to_owned()))
    });
    let anothers: Vec<(Address, String, String)> = anothers.collect();
    if anothers.is_empty() || arguments.take_over {
        return Ok(());
    }
    Err(AdoptError::OfAnotherStack(anothers).into())
}

/// Writes the state, if nobody else has written one since it was read. Tells where.
async fn write(session: &Session, arguments: &AdoptArgs, state: State) -> Result<(), CommandError> {
    let store = session.store_alone().await?;
    let work = async |held: Arc<Held>| {
        let next = State { serial: state.serial + 1, ..state.clone() };
        let present = match session.read(&held.store()).await {
            Err(CommandError::State(StateError::Damaged { .. })) if arguments.discover => {
                set_aside(session, &held.store()).await?;
                return Ok(held.replace(next).await?);
            }
            present => present?.map_or(0, |present| present.serial),
        };
        if present != state.serial {
            return Err(StateError::Overtaken { place: held.place() }.into());
        }
        Ok(held.write(next).await?)
    };
    session.locked(&store, "hlctl adopt", arguments.lock_timeout, work).await
}
