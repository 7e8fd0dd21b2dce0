//! The lock of a state in S3: an object that only one can make, and that its holder renews.
//!
//! Nothing ends a lease but its holder or an explicit takeover. Every change to it names the version that it changes
//! (`If-Match`), so that whoever has lost it finds out. (S3 user guide, "How to prevent object overwrites with
//! conditional writes".)

use std::sync::{Arc, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ServerSideEncryption;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::lock::{Holder, now};
use super::object::{self, PATIENCE, remote};
use super::store::Holding;
use super::{Place, StateError};
use crate::aws::{AwsError, Caller, Operation};

/// A lease that is held and renewed until it is released, lost or dropped.
#[derive(Debug)]
pub struct Lease {
    object: Arc<LockObject>,
    renewing: JoinHandle<()>,
}

/// The lock's object, and the version of it that is ours.
#[derive(Debug)]
struct LockObject {
    s3: aws_sdk_s3::Client,
    caller: Caller,
    bucket: String,
    key: String,
    holder: Holder,
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
    /// [`StateError::Locked`] names the holder.
    pub(super) async fn acquire(
        s3: &aws_sdk_s3::Client,
        caller: &Caller,
        bucket: &str,
        key: &str,
        kms_key_id: Option<&str>,
        lease: Duration,
        command: &str,
    ) -> Result<Self, StateError> {
        let holder = Holder { lease_in_seconds: Some(lease.as_secs()), ..Holder::me(command) };
        let object = Arc::new(LockObject {
            s3: s3.clone(),
            caller: caller.clone(),
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            holder,
            version: Mutex::new(None),
            lost: watch::channel(false).0,
            counts_until: std::sync::Mutex::default(),
            kms_key_id: kms_key_id.map(str::to_owned),
            default_encryption: OnceLock::new(),
        });
        object.take().await?;
        let renewed = Arc::clone(&object);
        let renewing = tokio::spawn(async move {
            loop {
                sleep(lease / 3).await;
                // A failure on the way is not yet a loss; the next write finds out in any case.
                if matches!(renewed.renew().await, Err(StateError::Robbed { .. })) {
                    return;
                }
            }
        });
        Ok(Self { object, renewing })
    }

    /// Makes sure that the lock is still ours, and renews it.
    ///
    /// # Errors
    /// [`StateError::Robbed`] if it is not; or S3 cannot be asked.
    pub(super) async fn renew(&self) -> Result<(), StateError> {
        self.object.renew().await
    }

    /// Whether it is ours, or was a moment ago. While S3 cannot be asked it counts as ours.
    pub(super) async fn holds(&self) -> bool {
        if self.object.counts_as_ours() {
            return true;
        }
        match self.object.renew().await {
            Ok(()) => true,
            Err(StateError::Robbed { .. }) => false,
            Err(_) => {
                // It is not asked at every call. Renewing goes on beside, and the next write finds out in any case.
                self.object.count_as_ours(SystemTime::now(), PATIENCE);
                true
            }
        }
    }

    /// How the bucket encrypts what does not say how, as far as it has told.
    pub(super) fn default_encryption(&self) -> Option<&ServerSideEncryption> {
        self.object.default_encryption.get()
    }

    /// Waits until the lock is known to be lost.
    pub(super) async fn lost(&self) -> StateError {
        let mut lost = self.object.lost.subscribe();
        if lost.wait_for(|lost| *lost).await.is_err() {
            return std::future::pending().await;
        }
        self.object.robbed()
    }

    /// Gives the lock back.
    ///
    /// # Errors
    /// S3 could not be asked; the lock stays until it is taken away.
    pub(super) async fn release(&self) -> Result<(), StateError> {
        self.renewing.abort();
        self.object.release().await
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}

impl LockObject {
    fn place(&self) -> Place {
        Place::Object { bucket: self.bucket.clone(), key: self.key.clone() }
    }

    fn robbed(&self) -> StateError {
        StateError::Robbed { place: self.place(), id: self.holder.id.clone() }
    }

    fn putting(&self) -> PutObjectFluentBuilder {
        let holder = Holder { renewed: Some(now()), ..self.holder.clone() };
        let body = ByteStream::from(serde_json::to_vec(&holder).unwrap_or_default());
        let put = self.s3.put_object().bucket(&self.bucket).key(&self.key);
        let put = put.content_type("application/json").body(body);
        match &self.kms_key_id {
            Some(id) => put.server_side_encryption(ServerSideEncryption::AwsKms).ssekms_key_id(id),
            None => put,
        }
    }

    fn counts_as_ours(&self) -> bool {
        self.counts_until.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|until| SystemTime::now() < until)
    }

    fn count_as_ours(&self, from: SystemTime, time: Duration) {
        *self.counts_until.lock().unwrap_or_else(PoisonError::into_inner) = from.checked_add(time);
    }

    async fn take(&self) -> Result<(), StateError> {
        let asked = SystemTime::now();
        let operation = Operation::new("s3", "PutObject").eventually(CONFLICTS).persistent().patience(PATIENCE);
        let put = || self.putting().if_none_match("*").send();
        match self.caller.call(operation, put).await {
            Ok(answer) => {
                if let Some(encryption) = answer.server_side_encryption() {
                    let _ = self.default_encryption.set(encryption.clone());
                }
                *self.version.lock().await = answer.e_tag().map(str::to_owned);
                self.count_as_ours(asked, MOMENT);
                return Ok(());
            }
            Err(error) if error.code == "PreconditionFailed" => {}
            Err(error) => return Err(remote("lock", self.place(), error)),
        }
        // An earlier attempt may have succeeded although its answer was lost.
        match found(&self.s3, &self.caller, &self.bucket, &self.key).await? {
            Some(holding) if holding.holder.id == self.holder.id => {
                *self.version.lock().await = Some(holding.version);
                Ok(())
            }
            Some(holding) => {
                let Holding { holder, abandoned, .. } = holding;
                Err(StateError::Locked { holder: Box::new(holder), lock: self.place(), abandoned })
            }
            // It went between the two calls; whoever waits will try again.
            None => Err(StateError::Locked { holder: Box::default(), lock: self.place(), abandoned: false }),
        }
    }

    async fn renew(&self) -> Result<(), StateError> {
        let mut version = self.version.lock().await;
        let Some(ours) = version.clone() else { return Err(self.robbed()) };
        let asked = SystemTime::now();
        let operation = Operation::new("s3", "PutObject").eventually(CONFLICTS).persistent().patience(PATIENCE);
        let put = || self.putting().if_match(&ours).send();
        match self.caller.call(operation, put).await {
            Ok(answer) => {
                *version = answer.e_tag().map(str::to_owned);
                self.count_as_ours(asked, MOMENT);
                Ok(())
            }
            Err(error) if is_another_version(&error) => {
                let holding = found(&self.s3, &self.caller, &self.bucket, &self.key).await?;
                *version = holding.filter(|holding| holding.holder.id == self.holder.id).map(|found| found.version);
                if version.is_some() {
                    return Ok(());
                }
                self.lost.send_replace(true);
                Err(self.robbed())
            }
            Err(error) => Err(remote("renew the lock", self.place(), error)),
        }
    }

    async fn release(&self) -> Result<(), StateError> {
        let Some(ours) = self.version.lock().await.take() else { return Ok(()) };
        delete(&self.s3, &self.caller, &self.bucket, &self.key, &ours)
            .await
            .map_err(|error| remote("unlock", self.place(), error))
    }
}

/// For so long after it was surely ours, nobody is expected to have taken the lock away and begun to work.
const MOMENT: Duration = Duration::from_secs(1);

/// Two conditional writes at the same instant (S3 API reference, PutObject, "409 Conflict").
const CONFLICTS: &[(&str, &str)] = &[("ConditionalRequestConflict", "")];

/// Whether the object was changed, or is gone.
pub(super) fn is_another_version(error: &AwsError) -> bool {
    error.code == "PreconditionFailed" || error.is_not_found()
}

/// Deletes this version of the lock. That it is gone is as good.
pub(super) async fn delete(
    s3: &aws_sdk_s3::Client,
    caller: &Caller,
    bucket: &str,
    key: &str,
    version: &str,
) -> Result<(), AwsError> {
    let operation = Operation::new("s3", "DeleteObject").eventually(CONFLICTS).persistent().patience(PATIENCE);
    let delete = || s3.delete_object().bucket(bucket).key(key).if_match(version).send();
    match caller.call(operation, delete).await {
        Err(error) if !is_another_version(&error) => Err(error),
        _ => Ok(()),
    }
}

/// The lock as it is.
pub(super) async fn found(
    s3: &aws_sdk_s3::Client,
    caller: &Caller,
    bucket: &str,
    key: &str,
) -> Result<Option<Holding>, StateError> {
    let Some(object) = object::get(s3, caller, bucket, key).await? else { return Ok(None) };
    let holder: Holder = serde_json::from_slice(&object.bytes).unwrap_or_default();
    let lease = holder.lease_in_seconds.and_then(|seconds| i64::try_from(seconds).ok());
    let age = object.modified.map(|renewed| jiff::Timestamp::now().as_second().saturating_sub(renewed));
    // Twice the lease, for the clocks of two machines differ.
    let abandoned = lease.zip(age).is_some_and(|(lease, age)| age > lease.saturating_mul(2));
    Ok(Some(Holding { holder, abandoned, version: object.version }))
}
