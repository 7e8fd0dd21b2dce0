//! Whether a store of the stack is still there, and what is left of one that was deleted: with a backup, AWS keeps its data for a
//! while.

use std::fmt;

use thiserror::Error;

use crate::module::WayBack;
use crate::module::standby::{STORE, is_standby};
use hlctl_aws::AwsError;
use hlctl_engine::state::{Entry, State, Status};
use hlctl_model::address::Address;
use hlctl_model::invocation::CommandLine;
use hlctl_model::text::instant;
use hlctl_resources::{Context, Kind, Remains, ResourceError, vitals};

/// What the state says of a store, for finding out whether it is still there.
#[derive(Clone, Debug)]
pub struct StoreTrace {
    address: Address,
    id: String,
    entry: Entry,
    way_back: WayBack,
}

/// Whether a store is still there could not be found out.
#[derive(Clone, Debug, Error)]
pub enum TraceError {
    /// The store cannot be described.
    #[error("{0}")]
    Store(#[from] AwsError),
    /// What is left of it cannot be looked up.
    #[error("{address}: {error}")]
    Remains {
        /// The store.
        address: Address,
        /// Why not.
        error: ResourceError,
    },
}

/// A store that is deleted, or about to be.
#[derive(Clone, Debug)]
pub struct LostStore {
    trace: StoreTrace,
    /// How AWS calls it, if it still knows it.
    status: Option<String>,
    remains: Option<Remains>,
}

impl StoreTrace {
    /// Of the store at this address; `None` if the state has none there that AWS has named.
    pub fn of(state: &State, address: &Address) -> Option<Self> {
        let entry = state.resources.get(address)?;
        let id = entry.recorded.as_ref()?.get("id")?.as_str()?.to_owned();
        Some(Self { address: address.clone(), way_back: WayBack::of(state, &id), id, entry: entry.clone() })
    }

    /// The store, if hlctl itself has begun to delete it. AWS need not be asked for that.
    pub fn being_deleted(&self) -> Option<LostStore> {
        let is_being_deleted = self.entry.status == Status::Deleting;
        is_being_deleted.then(|| LostStore { trace: self.clone(), status: None, remains: None })
    }

    /// The store, if it is gone or going.
    ///
    /// # Errors
    /// AWS's.
    pub async fn lost(&self, cx: &Context) -> Result<Option<LostStore>, TraceError> {
        let vitals = vitals(cx, &self.id).await?;
        if vitals.as_ref().is_some_and(|vitals| !vitals.is_ended()) {
            return Ok(None);
        }
        let remains = match self.entry.kind::<Kind>().zip(self.entry.recorded.as_ref()) {
            Some((kind, recorded)) => kind
                .remains(cx, recorded, &self.entry.attributes)
                .await
                .map_err(|error| TraceError::Remains { address: self.address.clone(), error })?,
            None => None,
        };
        Ok(Some(LostStore { trace: self.clone(), status: vitals.map(|vitals| vitals.status), remains }))
    }
}

impl std::error::Error for LostStore {}

impl fmt::Display for LostStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = &self.trace.id;
        if self.is_being_deleted() {
            return write!(f, "hlctl is deleting the store {id}, or has deleted it already");
        }
        write!(f, "the store {id} was deleted outside hlctl (")?;
        match &self.status {
            Some(status) => write!(f, "AWS calls it {status}")?,
            None => write!(f, "AWS no longer knows it")?,
        }
        match &self.remains {
            Some(Remains { is_over: false, until, .. }) => write!(f, "); it had a backup and {}", restorable(*until)),
            Some(_) => write!(f, "); its backup can no longer be restored: its data is lost"),
            None => write!(f, "); it had no backup, so its data cannot be restored"),
        }
    }
}

impl LostStore {
    /// Whether there is a way to its data.
    pub fn has_way_back(&self) -> bool {
        self.is_restorable() || matches!(self.trace.way_back, WayBack::Use(_))
    }

    fn is_restorable(&self) -> bool {
        self.remains.as_ref().is_some_and(|remains| !remains.is_over)
    }

    fn is_being_deleted(&self) -> bool {
        self.trace.entry.status == Status::Deleting
    }

    /// What can be done about it.
    pub fn hint(&self) -> String {
        if self.is_being_deleted() {
            return format!("`{}` finishes the deletion", CommandLine::new("destroy").option("--target", STORE));
        }
        if is_standby(&self.trace.address) {
            return format!("to remove it from the stack: {}", hlctl!("stores delete", self.trace.id));
        }
        if self.has_way_back() {
            return self.trace.way_back.reported();
        }
        let empty = match self.remains {
            // A plan refuses to go on without a store that had a backup, unless asked to.
            Some(_) => CommandLine::new("apply").option("--replace", STORE),
            None => CommandLine::new("apply"),
        };
        format!(
            "to continue with a new, empty store in its place: {empty}\n`{}` shows what an apply would do",
            hlctl!("plan")
        )
    }
}

/// Until when a deleted store can be restored.
pub fn restorable(until: Option<i64>) -> String {
    match until {
        Some(until) => format!("can be restored until {}", instant(until)),
        None => "can be restored as long as its backup is kept".to_owned(),
    }
}
