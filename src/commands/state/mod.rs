//! `hlctl state`, `hlctl forget`, `hlctl protect` and `hlctl unprotect`: the state by hand.
//!
//! None of them asks AWS anything but for the state itself. Each that writes keeps the state before it as the backup,
//! and has `--dry-run`.

mod error;
mod migrate;
mod push;
mod recover;
mod show;
mod surgery;

use std::path::Path;

use error::StateCommandError;

use crate::cli::StateCommand;
use crate::error::CommandError;
use crate::session::Session;
use hlctl_config::nearest::nearest;
use hlctl_engine::state::{Entry, State, StateError, Store};
use hlctl_engine::whole_file;
use hlctl_model::address::Address;
use hlctl_model::exit_code::ExitCode;

pub(super) use surgery::{forget, protect};

/// Runs one of them.
pub(super) async fn run(session: &Session, command: StateCommand) -> Result<ExitCode, CommandError> {
    match command {
        StateCommand::List(arguments) => session.interruptible(show::list(session, &arguments)).await,
        StateCommand::Show { address, json } => {
            session.interruptible(show::show(session, address.as_deref(), json)).await
        }
        StateCommand::Pull => session.interruptible(pull(session)).await,
        StateCommand::Push(arguments) => push::run(session, &arguments).await,
        StateCommand::Migrate(arguments) => migrate::run(session, &arguments).await,
        StateCommand::Recover(arguments) => recover::run(session, &arguments).await,
        StateCommand::Mv(arguments) => surgery::mv(session, &arguments).await,
        StateCommand::Rm(arguments) => forget(session, &arguments).await,
    }
}

/// Prints the state's bytes if they are a whole state.
async fn pull(session: &Session) -> Result<ExitCode, CommandError> {
    let store = session.store_alone().await?;
    session.next_to_others(&store, store.read()).await?;
    let bytes = store.bytes().await?.ok_or_else(|| StateError::Missing { place: store.place() })?;
    session.printer.raw(&String::from_utf8_lossy(&bytes));
    Ok(ExitCode::Success)
}

/// What is recorded of a resource that the user named.
fn entry_of<'a>(state: &'a State, address: &Address) -> Result<&'a Entry, CommandError> {
    state.resources.get(address).ok_or_else(|| {
        let near = nearest(address.as_str(), state.resources.keys().map(Address::as_str));
        StateCommandError::NoResource { address: address.clone(), nearest: near.map(str::to_owned) }.into()
    })
}

/// Keeps what is damaged: somebody who knows more than hlctl may still read something in it.
pub(super) async fn set_aside(session: &Session, store: &Store) -> Result<(), CommandError> {
    let Some(bytes) = store.bytes().await? else { return Ok(()) };
    let mut path = session.local_store().path().as_os_str().to_owned();
    path.push(format!(".damaged-{}", jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ")));
    whole_file::write(Path::new(&path), &bytes).map_err(|error| CommandError::Other(error.into()))?;
    session.printer.say(&format!("The damaged state is kept as {}.", path.to_string_lossy()));
    Ok(())
}
