//! What is left of stores that were deleted: with a backup, AWS keeps their data for a while.

use crate::data::lost_store::{StoreTrace, restorable};
use crate::error::CommandError;
use crate::module::standby::STORE;
use crate::plan::{Action, Change};
use crate::session::{OpenStack, Prepared, Session};
use hlctl_engine::state::State;
use hlctl_model::address::Address;
use hlctl_model::invocation::CommandLine;
use hlctl_resources::{Kind, vitals};

/// Until when the stores that this plan has deleted, or put another in the place of, can be restored, as AWS says. What it does not
/// say, or not now, is left out: the deletion itself is done.
pub(in crate::commands) async fn tell(session: &Session, prepared: &Prepared) {
    let Prepared { cx, plan, state: before, .. } = prepared;
    let is_ended = |change: &&Change| matches!(change.action, Action::Delete | Action::Replace | Action::Create);
    let ended = plan.changes.iter().filter(is_ended).filter(|change| change.kind == Kind::FhirDatastore);
    let is_in_use = |change: &Change| change.address.as_str() == STORE && !change.deposed;
    let has_none = ended.clone().any(|change| change.action == Action::Delete && is_in_use(change));
    for change in ended {
        // A store that is created in the place of a deleted one has nothing recorded in the plan.
        let recorded = change.recorded.as_ref().or_else(|| before.recorded(change.address.as_str()));
        let Some(id) = recorded.and_then(|recorded| recorded.get("id")?.as_str()) else { continue };
        let looked = session.interruptible(async { vitals(cx, id).await.map_err(CommandError::Aws) }).await;
        let Ok(Some(vitals)) = looked else { continue };
        if vitals.is_ended() && vitals.window.is_some() {
            let restore = CommandLine::new("restore").option("--at", "latest").option("--from", id);
            // A store is restored as a standby.
            let how = if has_none {
                format!("{}, then {}", hlctl!("apply"), restore.flag("--use"))
            } else {
                restore.to_string()
            };
            session.printer.say(&format!("The store {id} {}. To restore it: {how}", restorable(vitals.backup_ends)));
        }
    }
}

/// What has become of the stack's store, if a request to it failed because somebody has deleted it.
pub(in crate::commands) async fn explain(session: &Session, state: &State, error: CommandError) -> CommandError {
    let Some(trace) = StoreTrace::of(state, &Address::parse(STORE)) else { return error };
    if let Some(lost) = trace.being_deleted() {
        return lost.into();
    }
    let looked =
        session.interruptible(async { Ok(trace.lost(&OpenStack::of_state(session, state.clone()).await?.cx).await?) });
    looked.await.ok().flatten().map_or(error, CommandError::from)
}
