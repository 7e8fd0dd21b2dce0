//! `hlctl state push`: a state from a file to where it is kept.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;

use super::error::StateCommandError;
use super::set_aside;
use crate::cli::PushArgs;
use crate::error::CommandError;
use crate::session::Session;
use hlctl_engine::state::{Held, Place, State, StateError, Store, format};
use hlctl_model::exit_code::ExitCode;

/// Writes the file's state, unless that would lose something.
pub(super) async fn run(session: &Session, arguments: &PushArgs) -> Result<ExitCode, CommandError> {
    let pushed = read(&arguments.file)?;
    let store = session.store_alone().await?;
    if arguments.by_hand.dry_run {
        session.interruptible(check(session, &store, &pushed, arguments.force)).await?;
        session.printer.say("Dry run: nothing was written.");
        return Ok(ExitCode::Success);
    }
    let work = async |held: Arc<Held>| {
        let serial = check(session, &held.store(), &pushed, arguments.force).await?;
        if matches!(held.store().read().await, Err(StateError::Damaged { .. })) {
            set_aside(session, &held.store()).await?;
        }
        let place = held.place();
        held.replace(State { serial, ..pushed.clone() }).await?;
        session.printer.say(&format!("The state is at {place} now, with serial {serial}."));
        forget_fallback(session, &arguments.file);
        Ok(ExitCode::Success)
    };
    session.locked(&store, "hlctl state push", arguments.by_hand.lock_timeout, work).await
}

fn read(file: &Path) -> Result<State, CommandError> {
    let bytes = if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).context("cannot read standard input")?;
        bytes
    } else {
        std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?
    };
    format::decode(&bytes, &Place::from(file)).map_err(|error| match error {
        // The hint of a damaged state is about one that is in use; this file is not.
        StateError::Damaged { place, problem, .. } => StateCommandError::NotAState { place, problem }.into(),
        error => error.into(),
    })
}

/// The serial under which it may be written.
async fn check(session: &Session, store: &Store, pushed: &State, force: bool) -> Result<u64, CommandError> {
    if pushed.home != session.home() {
        return Err(StateError::Home { state: pushed.home }.into());
    }
    session.check_environment(Some(pushed))?;
    let there = match store.read().await {
        Err(StateError::Damaged { .. } | StateError::Moved { .. }) if force => None,
        there => there?,
    };
    let Some(there) = there else { return Ok(pushed.serial) };
    let same = State { serial: pushed.serial, ..there.clone() } == *pushed;
    if force || same {
        return Ok(there.serial.max(pushed.serial) + u64::from(!same));
    }
    if there.lineage != pushed.lineage {
        return Err(StateCommandError::WouldReplaceStack { place: store.place(), stack: there.stack }.into());
    }
    if there.serial >= pushed.serial {
        let (place, there, pushed) = (store.place(), there.serial, pushed.serial);
        return Err(StateCommandError::WouldReplaceNewer { place, there, pushed }.into());
    }
    Ok(pushed.serial)
}

/// A state that has come home need not be kept any more.
fn forget_fallback(session: &Session, file: &Path) {
    let fallback = session.fallback();
    let is_fallback = std::fs::canonicalize(file).ok() == std::fs::canonicalize(fallback.path()).ok();
    if is_fallback && std::fs::remove_file(fallback.path()).is_ok() {
        session.printer.say(&format!("{} was removed: it is no longer needed.", fallback.path().display()));
    }
}
