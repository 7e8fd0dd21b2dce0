//! What an account may do only one at a time, shared by all stacks of a run.

use tokio::sync::{Mutex, MutexGuard};

/// HealthLake makes one store a minute in an account and region, and deletes one a minute ("Endpoints and quotas" of the
/// developer guide). The stack that has the turn tolerates the throttling until its call is through; the others wait behind it and
/// do not make it worse.
#[derive(Debug, Default)]
pub struct Gate {
    creating: Mutex<()>,
    deleting: Mutex<()>,
    profiles: Mutex<()>,
}

impl Gate {
    /// Waits for the turn to make a store; it lasts until the guard is dropped.
    pub async fn to_create(&self) -> MutexGuard<'_, ()> {
        self.creating.lock().await
    }

    /// Waits for the turn to delete one.
    pub async fn to_delete(&self) -> MutexGuard<'_, ()> {
        self.deleting.lock().await
    }

    /// Waits for the turn to read a profile of the Data Transformation Agent: AWS allows one request a second of each operation for
    /// the account ("AWS HealthLake endpoints and quotas"), so that requests at once would only throttle each other.
    pub async fn to_read_profile(&self) -> MutexGuard<'_, ()> {
        self.profiles.lock().await
    }
}
