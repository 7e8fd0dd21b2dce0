//! `hlctl restore`: a new standby store from a continuous backup.

use std::sync::Arc;

use super::compare::{Comparison, compare};
use super::error::StoresError;
use super::put_in_use::{finish, put_in_use};
use super::{StoreOperation, StoreReader, id_of, make, preview, reported, stores, unfinished};
use crate::cli::{Point, RestoreArgs};
use crate::error::CommandError;
use crate::module::standby::{STORE, successor};
use crate::session::Session;
use hlctl_engine::state::{Entry, Held, Origin, SeedMethod, State, Status};
use hlctl_model::address::Address;
use hlctl_model::exit_code::ExitCode;
use hlctl_model::invocation::CommandLine;
use hlctl_model::text::instant;
use hlctl_resources::Vitals;

/// Restores.
pub(in crate::commands) async fn run(session: &Session, arguments: &RestoreArgs) -> Result<ExitCode, CommandError> {
    let config = session.config()?;
    let store = session.store(Some(&config)).await?;
    if arguments.dry_run {
        return preview::run(session, arguments, &config, &store).await;
    }
    session.read_existing(&store).await?;
    let execution = &arguments.execution;
    let work = async |held: Arc<Held>| {
        let again = again(arguments, arguments.from.as_deref());
        let (operation, state) = StoreOperation::open(session, &config, execution, held, again).await?;
        restore(&operation, arguments, state).await
    };
    session.locked(&store, "hlctl restore", execution.lock_timeout, work).await
}

/// The same command, with the store that it restores.
fn again(arguments: &RestoreArgs, from: Option<&str>) -> CommandLine {
    let at = match arguments.at {
        Point::Latest => "latest".to_owned(),
        Point::At(seconds) => instant(seconds),
    };
    let mut again = CommandLine::new("restore").option("--at", &at);
    if let Some(id) = from {
        again = again.option("--from", id);
    }
    if arguments.put_in_use { again.flag("--use") } else { again }
}

/// What a restore begins with.
pub(super) enum Beginning {
    /// An earlier run has switched the stack to the restored store, and not all that names a store is up to date.
    Switched,
    /// An earlier run has begun the same.
    Continued {
        /// What is restored.
        origin: Origin,
        /// The store that had it, if that is still known.
        source: Option<Vitals>,
    },
    /// A new store.
    New {
        /// What is restored.
        origin: Origin,
        /// The store that has it.
        source: Vitals,
    },
}

/// Decides what a restore begins with, and writes into `state`, which nothing has saved, what is to be made.
pub(super) async fn begin(
    reader: StoreReader<'_>,
    arguments: &RestoreArgs,
    state: &mut State,
) -> Result<Beginning, CommandError> {
    if state.switching && arguments.put_in_use {
        return Ok(Beginning::Switched);
    }
    let origin = origin(arguments, state)?;
    if !state.resources.contains_key(&Address::parse(STORE)) {
        return Err(without_stack(arguments, &origin));
    }
    // The latest point of today is not that of a store that was restored some time ago.
    let goes_on = |entry: &Entry| {
        entry.origin.as_ref() == Some(&origin) && (entry.status == Status::Creating || origin.at.is_some())
    };
    match make::present(state) {
        Some(present) if goes_on(present) => {
            let source = reader.look(state, &origin.source).await?;
            Ok(Beginning::Continued { origin, source })
        }
        Some(_) => Err(make::in_the_way(state)),
        None => {
            let source = check_source(reader, state, &origin).await?;
            make::intend(state, origin.clone(), make::key(reader.config, false));
            Ok(Beginning::New { origin, source })
        }
    }
}

async fn restore(
    operation: &StoreOperation<'_>,
    arguments: &RestoreArgs,
    state: State,
) -> Result<ExitCode, CommandError> {
    let mut state = state;
    let source = match begin(operation.reader(), arguments, &mut state).await? {
        Beginning::Switched => {
            let state = finish(operation, state).await?;
            return Ok(reported(operation, &state, &Address::parse(STORE), None));
        }
        Beginning::Continued { source, .. } => {
            operation.say("Continuing with the store that an earlier run started.");
            source
        }
        Beginning::New { source, .. } => Some(source),
    };
    let state = make::make(operation, state).await?;
    let (state, address, comparison) = complete(operation, arguments, source.as_ref(), state)
        .await
        .map_err(|error| unfinished(error, &operation.again))?;
    Ok(reported(operation, &state, &address, Some(&comparison)))
}

/// A restored store is a standby, and what names a store needs that one's name: nothing is begun without it.
fn without_stack(arguments: &RestoreArgs, origin: &Origin) -> CommandError {
    StoresError::NoStack { restore: again(arguments, Some(&origin.source)) }.into()
}

/// Compares the restored store with what it comes from, and puts it in use or says how to.
async fn complete(
    operation: &StoreOperation<'_>,
    arguments: &RestoreArgs,
    source: Option<&Vitals>,
    state: State,
) -> Result<(State, Address, Comparison), CommandError> {
    let address = successor();
    let text = |name: &str| state.recorded_text(address.as_str(), name).map(str::to_owned);
    let (id, endpoint) = (text("id")?, text("endpoint")?);
    let old = source.filter(|source| source.is_active()).map(|source| source.recorded.endpoint.as_str());
    let comparison = compare(operation, &state, old, &endpoint).await?;
    operation.say(&format!("\n{}", comparison.reported()));
    if arguments.put_in_use {
        check_known(&comparison, &id)?;
        return Ok((put_in_use(operation, state, &successor()).await?, Address::parse(STORE), comparison));
    }
    operation.say(&format!(
        "\nThe restored store is {id}, at {endpoint}\n  \
         to switch the stack to it:  {}\n  to delete it:               {}",
        hlctl!("stores use", id),
        hlctl!("stores delete", id)
    ));
    Ok((state, successor(), comparison))
}

/// A store takes the place of another only if it is known what it holds. Unlike numbers are no reason against it: an
/// earlier point in time is asked for because of them.
fn check_known(comparison: &Comparison, id: &str) -> Result<(), CommandError> {
    let Some(uncounted) = comparison.failure.clone() else { return Ok(()) };
    Err(StoresError::RestoredUnknown { id: id.to_owned(), uncounted }.into())
}

fn origin(arguments: &RestoreArgs, state: &State) -> Result<Origin, CommandError> {
    let own = state.resources.get(&Address::parse(STORE)).and_then(id_of).map(str::to_owned);
    let source = arguments.from.clone().or(own).ok_or(StoresError::NoSource)?;
    let at = match arguments.at {
        Point::Latest => None,
        Point::At(seconds) => Some(seconds),
    };
    Ok(Origin { source, at, way: SeedMethod::Backup, filled: true })
}

/// Of a store that is gone and has no backup nothing is left, whatever is asked for now.
async fn check_not_lost(
    reader: StoreReader<'_>,
    state: &State,
    id: &str,
    found: Option<&Vitals>,
) -> Result<(), CommandError> {
    let own = stores(state).into_iter().find(|(_, entry)| id_of(entry) == Some(id));
    if let Some((address, _)) = own {
        let lost = reader.lost(state, address).await?;
        return lost.map_or(Ok(()), |lost| Err(lost.into()));
    }
    match found {
        Some(source) if source.is_ended() => {
            Err(StoresError::SourceLost { id: id.to_owned(), status: source.status.clone() }.into())
        }
        _ => Ok(()),
    }
}

/// Makes sure, before anything is asked for, that there is a backup of that point in time.
async fn check_source(reader: StoreReader<'_>, state: &State, origin: &Origin) -> Result<Vitals, CommandError> {
    let id = &origin.source;
    let found = reader.look(state, id).await?;
    if found.as_ref().is_none_or(|source| source.window.is_none()) {
        check_not_lost(reader, state, id, found.as_ref()).await?;
    }
    let source = found.ok_or_else(|| StoresError::UnknownSource(id.clone()))?;
    let window = source.window.ok_or_else(|| StoresError::NoBackup { id: id.clone() })?;
    match origin.at {
        Some(_) if window.earliest > window.latest => Err(StoresError::NoRestorePoint(id.clone()).into()),
        Some(at) if at < window.earliest || at > window.latest => {
            Err(StoresError::OutsideBackup { id: id.clone(), at, window }.into())
        }
        _ => Ok(source),
    }
}
