//! `hlctl state recover`: from a damaged or lost state to its backup.

use std::sync::Arc;

use super::error::StateCommandError;
use super::set_aside;
use crate::cli::RecoverArgs;
use crate::error::CommandError;
use crate::session::Session;
use hlctl_engine::state::{Held, State, StateError, Store};
use hlctl_model::exit_code::ExitCode;
use hlctl_model::text::counted;

/// Puts the backup in the place of a state that is damaged or gone.
pub(super) async fn run(session: &Session, arguments: &RecoverArgs) -> Result<ExitCode, CommandError> {
    let store = session.store_alone().await?;
    let backup = session.interruptible(check(session, &store)).await?;
    let said = describe(&backup);
    if arguments.by_hand.dry_run {
        session.printer.say(&format!("The backup is intact: {said}\nDry run: nothing was written."));
        return Ok(ExitCode::Success);
    }
    let work = async |held: Arc<Held>| {
        let backup = check(session, &held.store()).await?;
        set_aside(session, &store).await?;
        // The damaged one may have been many writes ahead.
        let next = State { serial: backup.serial + SERIALS_LOST, ..backup };
        held.replace(next).await?;
        session.printer.say(&format!(
            "The state was restored from the backup: {said}\nRun `{}` to see what has changed in AWS since that \
             backup.",
            hlctl!("plan")
        ));
        Ok(ExitCode::Success)
    };
    session.locked(&store, "hlctl state recover", arguments.by_hand.lock_timeout, work).await
}

/// No run writes as often; so that no older copy can pass for newer.
const SERIALS_LOST: u64 = 1000;

/// The backup, if the state needs it and it is whole.
async fn check(session: &Session, store: &Store) -> Result<State, CommandError> {
    let lost = match store.read().await {
        Ok(Some(_)) => {
            return Err(StateCommandError::Intact(store.place()).into());
        }
        Ok(None) => StateError::Missing { place: store.place() },
        Err(damaged @ StateError::Damaged { .. }) => damaged,
        Err(error) => return Err(error.into()),
    };
    let backup = store.read_backup().await?.ok_or(lost)?;
    if backup.home != session.home() {
        return Err(StateError::Home { state: backup.home }.into());
    }
    session.check_environment(Some(&backup))?;
    Ok(backup)
}

fn describe(backup: &State) -> String {
    let count = counted(backup.resources.len() as u64, "resource");
    format!("stack {}, {count}, serial {}", backup.stack, backup.serial)
}
