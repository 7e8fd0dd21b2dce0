//! What is left of stores that were deleted: with a backup, AWS keeps their data for a while.

use crate::address::Address;
use crate::commands::interruptible;
use crate::error::CommandError;
use crate::invocation::CommandLine;
use crate::module::beside::STORE;
use crate::plan::{Action, Change};
use crate::resource::{FhirDatastore, Resource, Vitals, vitals};
use crate::session::{ConnectOptions, Prepared, Session};
use crate::state::{State, Status};
use crate::ui::instant;

/// Until when the stores that this plan has deleted, or put another in the place of, can be restored, as AWS says. What it does not
/// say, or not now, is left out: the deletion itself is done.
pub(in crate::commands) async fn tell(session: &Session, prepared: &Prepared) {
    let Prepared { cx, plan, state: before, .. } = prepared;
    let is_ended = |change: &&Change| matches!(change.action, Action::Delete | Action::Replace | Action::Create);
    let ended = plan.changes.iter().filter(is_ended).filter(|change| change.kind == FhirDatastore::KIND);
    let is_in_use = |change: &Change| change.address.as_str() == STORE && !change.deposed;
    let has_none = ended.clone().any(|change| change.action == Action::Delete && is_in_use(change));
    for change in ended {
        // What is created in the place of a store that somebody has deleted is no longer told of it.
        let recorded = change.recorded.as_ref().or_else(|| before.recorded(change.address.as_str()));
        let Some(id) = recorded.and_then(|recorded| recorded.get("id")?.as_str()) else { continue };
        let looked = interruptible(&session.stop, async { vitals(cx, id).await.map_err(CommandError::Aws) }).await;
        let Ok(Some(vitals)) = looked else { continue };
        if vitals.is_ended() && vitals.window.is_some() {
            let restore = CommandLine::new("restore").option("--at", "latest").option("--from", id);
            // A store is restored beside the one in use.
            let how = if has_none {
                format!("{}, then {}", hlctl!("apply"), restore.flag("--use"))
            } else {
                restore.to_string()
            };
            session.printer.say(&format!("The store {id} {}. To bring it back: {how}", can_be_restored(&vitals)));
        }
    }
}

fn can_be_restored(vitals: &Vitals) -> String {
    match vitals.backup_ends {
        Some(until) => format!("can be restored until {}", instant(until)),
        None => "can be restored for as long as its backup is kept".to_owned(),
    }
}

/// What has become of the stack's store, if a request to it failed because somebody has deleted it.
pub(in crate::commands) async fn explain(session: &Session, state: &State, error: CommandError) -> CommandError {
    let id = state.recorded(STORE).and_then(|recorded| recorded.get("id")?.as_str());
    let Some(id) = id else { return error };
    let entry = state.resources.get(&Address::parse(STORE));
    if entry.is_some_and(|entry| entry.status == Status::Deleting) {
        return being_deleted(id);
    }
    let looked = interruptible(&session.stop, look(session, state, id)).await;
    let Ok(Some(vitals)) = looked else { return error };
    if vitals.is_ended() { lost(id, &vitals) } else { error }
}

/// Says that hlctl itself has begun to delete the stack's store.
pub(in crate::commands) fn being_deleted(id: &str) -> CommandError {
    CommandError::Stranded {
        message: format!("the store {id} is being deleted by hlctl, or is gone already"),
        hint: format!("`{}` finishes what was begun", CommandLine::new("destroy").option("--target", STORE)),
    }
}

/// Says that somebody has deleted the stack's store, and what can be done about it.
pub(in crate::commands) fn lost(id: &str, vitals: &Vitals) -> CommandError {
    let (can, hint) = match vitals.window {
        Some(_) => (
            format!("; it had a backup and {}", can_be_restored(vitals)),
            format!(
                "to bring it back with its data: {}",
                CommandLine::new("restore").option("--at", "latest").flag("--use")
            ),
        ),
        None => (String::new(), format!("`{}` shows what an apply would do about it", hlctl!("plan"))),
    };
    CommandError::Stranded {
        message: format!("the store {id} was deleted outside hlctl (AWS calls it {}){can}", vitals.status),
        hint,
    }
}

async fn look(session: &Session, state: &State, id: &str) -> Result<Option<Vitals>, CommandError> {
    let config = session.config_if_any()?;
    let connection = session.connect(ConnectOptions::around(config.as_ref(), &session.global, state)).await?;
    let pace = session.pace(config.as_ref());
    let cx = connection.context(state, state.settings.clone(), pace, session.stop.clone());
    vitals(&cx, id).await.map_err(CommandError::Aws)
}
