//! What is left of stores that were deleted: with a backup, AWS keeps their data for a while.

use super::id_of;
use crate::address::Address;
use crate::error::CommandError;
use crate::invocation::CommandLine;
use crate::model::text::instant;
use crate::module::WayBack;
use crate::module::beside::{self, STORE};
use crate::plan::{Action, Change};
use crate::resource::{Context, Kind, Remains, vitals};
use crate::session::{OpenStack, Prepared, Session};
use crate::state::{Entry, State, Status};

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
            // A store is restored beside the one in use.
            let how = if has_none {
                format!("{}, then {}", hlctl!("apply"), restore.flag("--use"))
            } else {
                restore.to_string()
            };
            session
                .printer
                .say(&format!("The store {id} {}. To restore it: {how}", can_be_restored(vitals.backup_ends)));
        }
    }
}

fn can_be_restored(until: Option<i64>) -> String {
    match until {
        Some(until) => format!("can be restored until {}", instant(until)),
        None => "can be restored as long as its backup is kept".to_owned(),
    }
}

/// What has become of the stack's store, if a request to it failed because somebody has deleted it.
pub(in crate::commands) async fn explain(session: &Session, state: &State, error: CommandError) -> CommandError {
    let Some(trace) = StoreTrace::of(state, &Address::parse(STORE)) else { return error };
    if trace.entry.status == Status::Deleting {
        return being_deleted(&trace.id);
    }
    let looked =
        session.interruptible(async { trace.lost(&OpenStack::of_state(session, state.clone()).await?.cx).await });
    looked.await.ok().flatten().map_or(error, LostStore::into_error)
}

/// Says that hlctl itself has begun to delete the stack's store.
fn being_deleted(id: &str) -> CommandError {
    CommandError::Stranded {
        message: format!("hlctl is deleting the store {id}, or has deleted it already"),
        hint: format!("`{}` finishes the deletion", CommandLine::new("destroy").option("--target", STORE)),
    }
}

/// What the state says of a store, for finding out whether it is still there.
#[derive(Clone, Debug)]
pub(in crate::commands) struct StoreTrace {
    address: Address,
    id: String,
    entry: Entry,
    way_back: WayBack,
}

/// A store that is deleted, or about to be.
#[derive(Clone, Debug)]
pub(in crate::commands) struct LostStore {
    trace: StoreTrace,
    /// How AWS calls it, if it still knows it.
    status: Option<String>,
    remains: Option<Remains>,
}

impl StoreTrace {
    /// Of the store at this address; `None` if the state has none there that AWS has named.
    pub(in crate::commands) fn of(state: &State, address: &Address) -> Option<Self> {
        let entry = state.resources.get(address)?;
        let id = id_of(entry)?.to_owned();
        Some(Self { address: address.clone(), way_back: WayBack::of(state, &id), id, entry: entry.clone() })
    }

    /// The store, if it is gone or going.
    pub(in crate::commands) async fn lost(&self, cx: &Context) -> Result<Option<LostStore>, CommandError> {
        let vitals = vitals(cx, &self.id).await.map_err(CommandError::Aws)?;
        if vitals.as_ref().is_some_and(|vitals| !vitals.is_ended()) {
            return Ok(None);
        }
        let remains = match self.entry.kind::<Kind>().zip(self.entry.recorded.as_ref()) {
            Some((kind, recorded)) => kind
                .remains(cx, recorded, &self.entry.attributes)
                .await
                .map_err(|error| CommandError::Resource { address: self.address.clone(), error })?,
            None => None,
        };
        Ok(Some(LostStore { trace: self.clone(), status: vitals.map(|vitals| vitals.status), remains }))
    }
}

impl LostStore {
    /// Whether there is a way to its data.
    pub(super) fn has_way_back(&self) -> bool {
        self.is_restorable() || matches!(self.trace.way_back, WayBack::Use(_))
    }

    fn is_restorable(&self) -> bool {
        self.remains.as_ref().is_some_and(|remains| !remains.is_over)
    }

    /// Says that it is gone, and what can be done about it.
    pub(in crate::commands) fn into_error(self) -> CommandError {
        let id = &self.trace.id;
        if self.trace.entry.status == Status::Deleting {
            return being_deleted(id);
        }
        let status = match &self.status {
            Some(status) => format!("AWS calls it {status}"),
            None => "AWS no longer knows it".to_owned(),
        };
        let data = match &self.remains {
            Some(Remains { is_over: false, until, .. }) => format!("it had a backup and {}", can_be_restored(*until)),
            Some(_) => "its backup can no longer be restored: its data is lost".to_owned(),
            None => "it had no backup, so its data cannot be restored".to_owned(),
        };
        CommandError::Stranded {
            message: format!("the store {id} was deleted outside hlctl ({status}); {data}"),
            hint: self.hint(),
        }
    }

    fn hint(&self) -> String {
        if beside::is_beside(&self.trace.address) {
            return format!("to remove it from the stack: {}", hlctl!("stores delete", self.trace.id));
        }
        if self.has_way_back() {
            return self.trace.way_back.told();
        }
        let empty = match self.remains {
            // A plan refuses to go on without a store that had a backup, unless told to.
            Some(_) => CommandLine::new("apply").option("--replace", STORE),
            None => CommandLine::new("apply"),
        };
        format!(
            "to continue with a new, empty store in its place: {empty}\n`{}` shows what an apply would do",
            hlctl!("plan")
        )
    }
}
