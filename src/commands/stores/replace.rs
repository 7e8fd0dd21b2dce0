//! `hlctl replace`: a new store with the data of the one in use, put in its place when it is whole.

use std::sync::Arc;

use super::compare::{Comparison, compare};
use super::error::StoresError;
use super::put_in_use::{finish, put_in_use};
use super::{StoreOperation, id_of, make, reported, unfinished};
use crate::cli::{ReplaceArgs, Via};
use crate::commands::data;
use crate::error::CommandError;
use crate::module::standby::{STORE, successor};
use crate::plan::{Options, can_bring_its_data};
use crate::session::Session;
use hlctl_engine::state::{Held, Origin, SeedMethod, State, Status};
use hlctl_model::address::Address;
use hlctl_model::exit_code::ExitCode;
use hlctl_model::invocation::CommandLine;
use hlctl_resources::Vitals;

/// Replaces.
pub(in crate::commands) async fn run(session: &Session, arguments: &ReplaceArgs) -> Result<ExitCode, CommandError> {
    let config = session.config()?;
    let store = session.store(Some(&config)).await?;
    session.read_existing(&store).await?;
    let execution = &arguments.execution;
    let work = async |held: Arc<Held>| {
        let (operation, state) = StoreOperation::open(session, &config, execution, held, again(arguments)).await?;
        replace(&operation, arguments, state).await
    };
    session.locked(&store, "hlctl replace", execution.lock_timeout, work).await
}

fn again(arguments: &ReplaceArgs) -> CommandLine {
    let via = match arguments.via {
        Some(Via::Backup) => Some("backup"),
        Some(Via::Export) => Some("export"),
        None => None,
    };
    let command = CommandLine::new("replace");
    let command = via.into_iter().fold(command, |command, via| command.option("--via", via));
    let flags = [
        (arguments.new_key, "--new-key"),
        (arguments.anyway, "--anyway"),
        (arguments.allow_differences, "--allow-differences"),
    ];
    flags.into_iter().filter(|(is_given, _)| *is_given).fold(command, |command, (_, flag)| command.flag(flag))
}

async fn replace(
    operation: &StoreOperation<'_>,
    arguments: &ReplaceArgs,
    mut state: State,
) -> Result<ExitCode, CommandError> {
    if state.switching {
        return finish(operation, state).await.map(|state| reported(operation, &state, &Address::parse(STORE), None));
    }
    // Whatever the configuration asks for, what is gone has no data that could be brought over.
    if let Some(lost) = operation.lost(&state, &Address::parse(STORE)).await? {
        return Err(lost.into());
    }
    if make::present(&state).is_none() && !is_called_for(operation, arguments, &state).await? {
        operation.say(
            "Nothing needs replacing: the store in use matches the configuration. (--anyway replaces it regardless.)",
        );
        return Ok(reported(operation, &state, &Address::parse(STORE), None));
    }
    let source = in_use(operation, &state).await?;
    let is_made = match make::present(&state) {
        Some(entry) => {
            let origin =
                entry.origin.as_ref().filter(|origin| origin.source == source.recorded.id && origin.at.is_none());
            let is_its = |origin: &Origin| arguments.via.is_none_or(|via| way(via) == origin.way);
            if !origin.is_some_and(is_its) {
                return Err(make::in_the_way(&state));
            }
            operation.say("Continuing with the store that an earlier run started.");
            entry.status == Status::Ready
        }
        None => {
            let way = choose(arguments.via, &source)?;
            let key = make::key(operation.config, arguments.new_key);
            let origin =
                Origin { source: source.recorded.id.clone(), at: None, way, filled: way == SeedMethod::Backup };
            make::intend(&mut state, origin, key);
            operation.say(&what_will_be_done(way, &source));
            false
        }
    };
    if !is_made {
        state = make::make(operation, state).await?;
    }
    let (state, comparison) =
        complete(operation, arguments, &source, state).await.map_err(|error| unfinished(error, &operation.again))?;
    Ok(reported(operation, &state, &Address::parse(STORE), Some(&comparison)))
}

/// Fills the new store, compares it with the old one, and puts it in its place.
async fn complete(
    operation: &StoreOperation<'_>,
    arguments: &ReplaceArgs,
    source: &Vitals,
    mut state: State,
) -> Result<(State, Comparison), CommandError> {
    if !make::present(&state).and_then(|entry| entry.origin.as_ref()).is_some_and(|origin| origin.filled) {
        fill(operation, &mut state).await?;
    }
    let address = successor();
    let endpoint = state.recorded_text(address.as_str(), "endpoint")?;
    let comparison = compare(operation, &state, Some(&source.recorded.endpoint), endpoint).await?;
    operation.say(&format!("\n{}", comparison.reported()));
    check_same(operation, state.recorded_text(address.as_str(), "id")?, &comparison, arguments.allow_differences)?;
    Ok((put_in_use(operation, state, &successor()).await?, comparison))
}

/// Whether the configuration asks for something that the store in use cannot be changed to, or the user for more.
async fn is_called_for(
    operation: &StoreOperation<'_>,
    arguments: &ReplaceArgs,
    state: &State,
) -> Result<bool, CommandError> {
    if arguments.new_key || arguments.anyway {
        return Ok(true);
    }
    let prepared = operation.plan(state.clone(), &Options::default()).await?;
    let store = prepared.plan.changes.iter().find(|change| change.address.as_str() == STORE);
    Ok(store.is_some_and(can_bring_its_data))
}

fn way(via: Via) -> SeedMethod {
    match via {
        Via::Backup => SeedMethod::Backup,
        Via::Export => SeedMethod::Export,
    }
}

/// The store in use, which must be there.
async fn in_use(operation: &StoreOperation<'_>, state: &State) -> Result<Vitals, CommandError> {
    let id = state.resources.get(&Address::parse(STORE)).and_then(id_of);
    let found = match id {
        Some(id) => operation.look(state, id).await?,
        None => None,
    };
    Ok(found.filter(Vitals::is_active).ok_or(StoresError::NoData)?)
}

fn choose(via: Option<Via>, source: &Vitals) -> Result<SeedMethod, CommandError> {
    match (via, source.window) {
        (Some(Via::Backup), None) => Err(StoresError::NoBackupToCopy(source.recorded.id.clone()).into()),
        (Some(Via::Export), _) | (None, None) => Ok(SeedMethod::Export),
        (Some(Via::Backup) | None, Some(_)) => Ok(SeedMethod::Backup),
    }
}

fn what_will_be_done(way: SeedMethod, source: &Vitals) -> String {
    let how = match way {
        SeedMethod::Backup => "from its continuous backup",
        SeedMethod::Export => "by an export into the data bucket and an import from there",
    };
    format!(
        "A new store is created with the data of {}, {how}, and replaces it once both hold the same.\nThe old one is \
         kept. What is written to it in the meantime is not copied, and neither are earlier versions of resources: \
         stop all writers first.\n",
        source.recorded.id
    )
}

/// Exports the store in use and imports that into the new one; either goes on where an earlier run stood.
async fn fill(operation: &StoreOperation<'_>, state: &mut State) -> Result<(), CommandError> {
    // Both jobs with all that they may need are too much for a thread's stack.
    Box::pin(data::copy_to_successor(operation.session, &operation.cx(state), state, &operation.again)).await?;
    if let Some(origin) = state.resources.get_mut(&successor()).and_then(|entry| entry.origin.as_mut()) {
        origin.filled = true;
    }
    operation.write(state).await
}

fn check_same(
    operation: &StoreOperation<'_>,
    new: &str,
    comparison: &Comparison,
    allow_differences: bool,
) -> Result<(), CommandError> {
    if allow_differences || (comparison.failure.is_none() && comparison.differing().is_empty()) {
        return Ok(());
    }
    let (new, uncounted, again) = (new.to_owned(), comparison.failure.clone(), operation.again.clone());
    Err(StoresError::NotTheSame { new, uncounted, again }.into())
}
