//! The lock of a state: taken, waited for, and released however the work under it ends.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::Session;
use crate::error::CommandError;
use hlctl_engine::state::{Held, StateError, Store};

impl Session {
    /// Does the work with the state locked, and unlocks it however the work ends. Work that is done while the state stays locked
    /// is not finished.
    ///
    /// # Errors
    /// The state is locked by another run, or cannot be locked; or as the work.
    pub async fn locked<T>(
        &self,
        store: &Store,
        command: &str,
        lock_timeout: Duration,
        work: impl AsyncFnOnce(Arc<Held>) -> Result<T, CommandError>,
    ) -> Result<T, CommandError> {
        let held = Arc::new(self.lock(store, command, lock_timeout).await?);
        // What is cut off here is in the state as begun, as if the process had been killed; the next run finds it.
        let result = tokio::select! {
            // Work that is done is reported as done, even if a second Ctrl-C comes in the same moment.
            biased;
            result = work(Arc::clone(&held)) => result,
            () = self.stop.insisted() => Err(CommandError::Aborted { may_have_changed: true }),
        };
        match (result, held.release().await) {
            (result, Ok(())) => result,
            (Ok(_), Err(error)) => Err(error.into()),
            // The command ends with the first error, and reports the other before it.
            (Err(first), Err(error)) => {
                self.printer.error(&error.to_string(), error.hint().as_deref());
                Err(first)
            }
        }
    }

    /// Takes the state's lock, waiting for it as long as the user allows.
    async fn lock(&self, store: &Store, command: &str, lock_timeout: Duration) -> Result<Held, CommandError> {
        let deadline = Instant::now() + lock_timeout;
        let mut is_waiting = false;
        loop {
            match self.try_lock(store, command).await? {
                Ok(lock) => {
                    tracing::debug!(place = %store.place(), command, "state locked");
                    return Ok(lock);
                }
                Err(error @ StateError::Locked { .. }) if Instant::now() >= deadline => return Err(error.into()),
                Err(StateError::Locked { holder, .. }) => {
                    if !is_waiting {
                        tracing::warn!(place = %store.place(), %holder, "waiting for the lock");
                        self.printer.say(&format!("Waiting for the state lock, held by {holder}"));
                        is_waiting = true;
                    }
                }
                Err(error) => return Err(error.into()),
            }
            self.interruptible(async {
                sleep(store.pause()).await;
                Ok(())
            })
            .await?;
        }
    }

    /// One attempt. A lock that a signal finds half taken is given back.
    async fn try_lock(&self, store: &Store, command: &str) -> Result<Result<Held, StateError>, CommandError> {
        const GRACE: Duration = Duration::from_secs(2);
        let mut taking = pin!(store.hold(command));
        tokio::select! {
            taken = &mut taking => Ok(taken),
            signal = self.stop.requested() => {
                let released = match timeout(GRACE, taking).await {
                    Ok(Ok(held)) => matches!(timeout(GRACE, held.release()).await, Ok(Ok(()))),
                    Ok(Err(_)) => true,
                    Err(_) => false,
                };
                if !released {
                    self.printer.warning(
                        "the state may have been left locked; if so, the next command shows who holds the lock and how \
                         to release it",
                    );
                }
                Err(CommandError::Interrupted(signal))
            }
        }
    }
}
