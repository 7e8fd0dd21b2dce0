//! `hlctl force-unlock`: takes the lock from a run that is gone.

use thiserror::Error;

use super::confirm;
use crate::cli::ForceUnlockArgs;
use crate::error::{CommandError, Ending, Failure};
use crate::session::Session;
use hlctl_engine::state::{LockInfo, ObservedLock, Place};
use hlctl_model::exit_code::ExitCode;

/// Releases the lock of this id, if somebody holds it.
pub(super) async fn run(session: &Session, arguments: &ForceUnlockArgs) -> Result<ExitCode, CommandError> {
    let store = session.store_alone().await?;
    let found = session.interruptible(async { Ok(store.holder().await?) }).await?;
    let holding = match found {
        Some(holding) if holding.holder.id == arguments.id => holding,
        other => {
            let current = other.map(|holding| holding.holder);
            return Err(NoSuchLock { id: arguments.id.clone(), place: store.place(), current }.into());
        }
    };
    let ObservedLock { holder, abandoned, .. } = &holding;
    session.printer.say(&format!(
        "The lock of {} is held by {holder}{}.",
        store.place(),
        if *abandoned { "; its lease has expired" } else { "" }
    ));
    if !abandoned {
        session.printer.say(
            "That run may still be alive. If it is, it will stop writing the state and leave its work unfinished.",
        );
        confirm::approve(session, arguments.auto_approve, "\nRelease its lock?").await?;
    }
    session.interruptible(async { Ok(store.break_lock(&holding).await?) }).await?;
    session.printer.say("The lock is released.");
    Ok(ExitCode::Success)
}

/// The state does not have the lock that is to be released.
#[derive(Debug, Error)]
#[error("there is no lock {id} on {place}")]
struct NoSuchLock {
    id: String,
    place: Place,
    /// Who holds the lock that it has.
    current: Option<LockInfo>,
}

impl Failure for NoSuchLock {
    fn ending(&self) -> Ending {
        Ending::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(match &self.current {
            Some(holder) => format!("the current lock is {}, held by {holder}", holder.id),
            None => "the state is not locked; there is nothing to release".to_owned(),
        })
    }
}
