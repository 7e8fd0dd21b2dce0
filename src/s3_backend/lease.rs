//! The lock of a state in S3: an object that only one can make, and that its holder renews.
//!
//! Nothing ends a lease but its holder or an explicit takeover. Every change to it names the version that it changes
//! (`If-Match`), so that a run that has lost it finds out. (S3 user guide, "How to prevent object overwrites with
//! conditional writes".)

use std::sync::{Arc, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use aws_sdk_s3::types::ServerSideEncryption;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tracing::Instrument as _;

use super::error::Condition;
use super::lock_object::{Content, Follows, LockObject, Look, Unproven, is_another_version, is_unsupported};
use super::object::{PATIENCE, Put};
use hlctl_aws::AwsError;
use hlctl_engine::state::{LockInfo, ObservedLock, StateError};

/// A lease that is held and renewed until it is released, lost or dropped.
#[derive(Debug)]
pub(super) struct Lease {
    hold: Arc<Hold>,
    renewing: JoinHandle<()>,
}

/// The lock's object, and the version of it that is ours.
#[derive(Debug)]
struct Hold {
    object: LockObject,
    holder: LockInfo,
    /// `None` once it is released or lost.
    version: Mutex<Option<String>>,
    lost: watch::Sender<bool>,
    /// Until when it counts as ours, by the clock on the wall: that goes on while this process or its machine is asleep.
    counts_until: std::sync::Mutex<Option<SystemTime>>,
    kms_key_id: Option<String>,
    /// How the bucket encrypts what does not say how.
    default_encryption: OnceLock<ServerSideEncryption>,
}

impl Lease {
    /// Takes the lock, if nobody has it.
    ///
    /// # Errors
    /// [`StateError::Locked`] names the holder; [`StateError::CannotLock`] the server that is not fit to lock with.
    pub(super) async fn acquire(
        object: LockObject,
        kms_key_id: Option<&str>,
        lease: Duration,
        command: &str,
    ) -> Result<Self, StateError> {
        let hold = Arc::new(Hold {
            object,
            holder: LockInfo { lease_in_seconds: Some(lease.as_secs()), ..LockInfo::me(command) },
            version: Mutex::new(None),
            lost: watch::channel(false).0,
            counts_until: std::sync::Mutex::default(),
            kms_key_id: kms_key_id.map(str::to_owned),
            default_encryption: OnceLock::new(),
        });
        hold.take().await?;
        let renewed = Arc::clone(&hold);
        let renew = async move {
            loop {
                // One renewal may fail before the lease runs out.
                sleep(lease / 3).await;
                // A failure on the way is not yet a loss; the next write finds out in any case.
                match renewed.renew().await {
                    Ok(()) => tracing::debug!("lock renewed"),
                    Err(StateError::LockLost { .. }) => return,
                    Err(error) => tracing::warn!(%error, "lock not renewed"),
                }
            }
        };
        let renewing = tokio::spawn(renew.in_current_span());
        Ok(Self { hold, renewing })
    }

    /// Makes sure that the lock is still ours, and renews it.
    ///
    /// # Errors
    /// [`StateError::LockLost`] if it is not; or S3 cannot be asked.
    pub(super) async fn renew(&self) -> Result<(), StateError> {
        self.hold.renew().await
    }

    /// Whether it is ours, or was a moment ago. While S3 cannot be asked it counts as ours.
    pub(super) async fn holds(&self) -> bool {
        if self.hold.counts_as_ours() {
            return true;
        }
        match self.hold.renew().await {
            Ok(()) => true,
            Err(StateError::LockLost { .. }) => false,
            Err(_) => {
                // It is not asked at every call. Renewing continues at the same time, and the next write finds out in any case.
                self.hold.count_as_ours(SystemTime::now(), PATIENCE);
                true
            }
        }
    }

    /// How the bucket encrypts what does not say how, as far as is known.
    pub(super) fn default_encryption(&self) -> Option<&ServerSideEncryption> {
        self.hold.default_encryption.get()
    }

    /// Waits until the lock is known to be lost.
    pub(super) async fn lost(&self) -> StateError {
        let mut lost = self.hold.lost.subscribe();
        if lost.wait_for(|lost| *lost).await.is_err() {
            return std::future::pending().await;
        }
        self.hold.lock_lost()
    }

    /// Gives the lock back.
    ///
    /// # Errors
    /// S3 could not be asked; the lock stays until it is taken away.
    pub(super) async fn release(&self) -> Result<(), StateError> {
        self.renewing.abort();
        self.hold.release().await
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}

impl Hold {
    fn lock_lost(&self) -> StateError {
        StateError::LockLost { place: self.object.place(), id: self.holder.id.clone() }
    }

    fn content(&self) -> Content {
        Content::new(&self.holder, self.kms_key_id.as_deref())
    }

    fn counts_as_ours(&self) -> bool {
        self.counts_until.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|until| SystemTime::now() < until)
    }

    fn count_as_ours(&self, from: SystemTime, time: Duration) {
        // By the wall clock: a monotonic one stands still while the machine sleeps, when others may take the lock.
        *self.counts_until.lock().unwrap_or_else(PoisonError::into_inner) = from.checked_add(time);
    }

    /// Takes the lock, and proves that the server can lock where that is not known.
    async fn take(&self) -> Result<(), StateError> {
        let content = self.content();
        self.write_first(&content).await?;
        let Some(endpoint) = self.object.bucket.unproven() else { return Ok(()) };
        // Nothing that this run has made stays behind.
        match self.object.prove(endpoint, &content).await {
            Ok(()) => Ok(()),
            Err(Unproven::Unfit(mut unfit)) => {
                unfit.left = self.object.withdraw(&self.holder).await.is_err();
                Err(unfit.into())
            }
            Err(Unproven::Failed(error)) => {
                self.release().await?;
                Err(error)
            }
        }
    }

    async fn write_first(&self, content: &Content) -> Result<(), StateError> {
        // A server that ignores conditions would put this lock in the place of another one.
        let is_unproven = self.object.bucket.unproven().is_some();
        let look_again = async || {
            self.object.look().await.map_err(|mut error| {
                if let StateError::Remote { doing, .. } = &mut error {
                    *doing = "lock";
                }
                error
            })
        };
        let mut look = if is_unproven { look_again().await? } else { Look::Absent };
        for _ in 0..ATTEMPTS {
            let follows = match &look {
                Look::Absent => Follows::Nothing,
                Look::Released(version) => Follows::Version(version),
                // An earlier attempt has succeeded although its answer was lost.
                Look::Held(held) if held.holder.id == self.holder.id => {
                    *self.version.lock().await = Some(held.version.clone());
                    return Ok(());
                }
                Look::Held(ObservedLock { holder, abandoned, .. }) => {
                    let (holder, abandoned) = (Box::new(holder.clone()), *abandoned);
                    return Err(StateError::Locked { holder, lock: self.object.place(), abandoned });
                }
            };
            let asked = SystemTime::now();
            match self.object.put(content, follows).await {
                Ok(Put { version, encryption }) => {
                    if let Some(encryption) = encryption {
                        let _ = self.default_encryption.set(encryption);
                    }
                    *self.version.lock().await = Some(version);
                    self.count_as_ours(asked, MOMENT);
                    return Ok(());
                }
                Err(error) if is_another_version(&error) => look = look_again().await?,
                Err(error) => return Err(self.not_taken(follows, error)),
            }
        }
        // Others take it and release it all the while; a run that waits will try again.
        Err(StateError::Locked { holder: Box::default(), lock: self.object.place(), abandoned: false })
    }

    fn not_taken(&self, follows: Follows<'_>, error: AwsError) -> StateError {
        let condition = match follows {
            Follows::Nothing => Condition::IfNoneMatch,
            Follows::Version(_) => Condition::IfMatch,
        };
        match self.object.bucket.unproven() {
            // Some servers know no conditional writes and say so.
            Some(endpoint) if error.code == "NotImplemented" && is_unsupported(&error) => {
                self.object.cannot_lock(endpoint, condition, Some(error)).into()
            }
            _ => self.object.bucket.failed("lock", &self.object.key, error),
        }
    }

    /// The version of the lock that is there, if it is ours.
    async fn our_version(&self) -> Result<Option<String>, StateError> {
        match self.object.look().await? {
            Look::Held(held) if held.holder.id == self.holder.id => Ok(Some(held.version)),
            _ => Ok(None),
        }
    }

    async fn renew(&self) -> Result<(), StateError> {
        // Held during the request: of two renewals that follow one version, the second would take its own lock for lost.
        let mut version = self.version.lock().await;
        let Some(ours) = version.clone() else { return Err(self.lock_lost()) };
        let asked = SystemTime::now();
        match self.object.put(&self.content(), Follows::Version(&ours)).await {
            Ok(put) => {
                *version = Some(put.version);
                self.count_as_ours(asked, MOMENT);
                Ok(())
            }
            // An earlier attempt may have succeeded although its answer was lost.
            Err(error) if is_another_version(&error) => {
                *version = self.our_version().await?;
                if version.is_some() {
                    return Ok(());
                }
                self.lost.send_replace(true);
                tracing::error!(lock = %self.object.place(), id = self.holder.id, "lock lost");
                Err(self.lock_lost())
            }
            Err(error) => Err(self.object.bucket.failed("renew the lock", &self.object.key, error)),
        }
    }

    async fn release(&self) -> Result<(), StateError> {
        // Taken out before S3 is asked, so that no renewal brings the lock back after it was released.
        let Some(mut ours) = self.version.lock().await.take() else { return Ok(()) };
        let stays = |error| StateError::StillLocked {
            lock: self.object.place(),
            id: self.holder.id.clone(),
            error: Box::new(error),
        };
        for _ in 0..ATTEMPTS {
            if self.object.end(&self.holder, &ours).await.map_err(stays)? {
                return Ok(());
            }
            // A renewal that was broken off may have made another version of it.
            match self.our_version().await.map_err(stays)? {
                Some(version) => ours = version,
                None => return Ok(()),
            }
        }
        Err(stays(StateError::Overtaken { place: self.object.place() }))
    }
}

/// How often the lock is looked at again when it is another one than it was a moment ago.
const ATTEMPTS: u32 = 3;

/// For so long after it was surely ours, nobody is expected to have taken the lock away and begun to work.
const MOMENT: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
