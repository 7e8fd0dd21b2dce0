//! The state as an object in S3: every write names the version that it follows.

mod error;
mod lease;
mod lock_object;
mod object;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::types::ServerSideEncryption;
use tokio::sync::Mutex;

pub use error::aws_error;
use hlctl_aws::clients::S3Alone;
use hlctl_aws::{AwsError, ops};
use hlctl_config::Backend;
use hlctl_engine::state::{Answer, ObservedLock, Place, State, StateError, Storage, StorageLock, format};
use lease::Lease;
use lock_object::{CONFLICTS, LockObject, Look, is_another_version};
use object::{Bucket, PATIENCE};

/// An object that is a state, and its neighbours: `<key>.backup` and `<key>.lock`.
#[derive(Clone, Debug)]
pub struct S3Store {
    bucket: Bucket,
    key: String,
    kms_key_id: Option<String>,
    lease: Duration,
    seen: Arc<Mutex<Seen>>,
}

/// What was there when this process last looked or wrote.
#[derive(Debug, Default)]
struct Seen {
    version: Version,
    /// What is to be kept as the backup before the first write.
    previous: Option<Vec<u8>>,
    /// The backup that it takes the place of, if that could be looked at.
    backup: Option<Version>,
}

#[derive(Clone, Debug, Default)]
enum Version {
    #[default]
    Unknown,
    Absent,
    Is(String),
}

impl S3Store {
    /// The store that the backend describes; asks nobody anything yet.
    pub fn new(way: S3Alone, backend: &Backend) -> Self {
        Self {
            bucket: Bucket::new(way, &backend.bucket),
            key: backend.key.clone(),
            kms_key_id: backend.kms_key_id.clone(),
            lease: Duration::from_secs(u64::from(backend.lease_in_seconds)),
            seen: Arc::default(),
        }
    }

    /// Where the state is.
    fn place(&self) -> Place {
        self.bucket.place(&self.key)
    }

    fn lock_key(&self) -> String {
        format!("{}.lock", self.key)
    }

    fn backup_key(&self) -> String {
        format!("{}.backup", self.key)
    }

    /// Reads the state; `None` if there is none.
    ///
    /// # Errors
    /// It cannot be read, is damaged, too new, or has moved elsewhere.
    async fn read(&self) -> Result<Option<State>, StateError> {
        let Some(bytes) = self.bytes().await? else { return Ok(None) };
        match format::decode(&bytes, &self.place()) {
            Err(StateError::Damaged { place, problem, .. }) => {
                let backup = self.read_backup().await?.map(|_| place.with_suffix(".backup"));
                Err(StateError::Damaged { place, problem, backup })
            }
            decoded => decoded.map(Some),
        }
    }

    /// The state before this run's, if it is whole.
    ///
    /// # Errors
    /// It cannot be read.
    async fn read_backup(&self) -> Result<Option<State>, StateError> {
        let Some(object) = self.bucket.get(&self.backup_key()).await? else { return Ok(None) };
        Ok(format::decode(&object.bytes, &self.place().with_suffix(".backup")).ok())
    }

    /// The bytes that are there.
    ///
    /// # Errors
    /// They cannot be read.
    async fn bytes(&self) -> Result<Option<Vec<u8>>, StateError> {
        let (found, backup) = tokio::join!(self.bucket.get(&self.key), self.backup_version());
        let found = found?;
        let mut seen = self.seen.lock().await;
        *seen = match &found {
            None => Seen { version: Version::Absent, ..Seen::default() },
            Some(object) => {
                // A damaged state must not take the place of a whole backup.
                let is_whole = format::decode(&object.bytes, &self.place()).is_ok();
                let previous = is_whole.then(|| object.bytes.clone());
                Seen { version: Version::Is(object.version.clone()), previous, backup: backup.ok() }
            }
        };
        Ok(found.map(|object| object.bytes))
    }

    async fn backup_version(&self) -> Result<Version, StateError> {
        let key = self.backup_key();
        let head = || self.bucket.s3.head_object().bucket(&self.bucket.name).key(&key).send();
        match self.bucket.caller.call(ops::s3::HEAD_OBJECT.persistent().patience(PATIENCE), head).await {
            Ok(head) => match head.e_tag() {
                Some(version) => Ok(Version::Is(version.to_owned())),
                None => Err(self.bucket.failed("read", &key, AwsError::incomplete(ops::s3::HEAD_OBJECT, "ETag"))),
            },
            Err(error) if error.is_not_found() => Ok(Version::Absent),
            Err(error) => Err(self.bucket.failed("read", &key, error)),
        }
    }

    fn lock_object(&self) -> LockObject {
        LockObject { bucket: self.bucket.clone(), key: self.lock_key() }
    }

    /// Locks the state for one run.
    ///
    /// # Errors
    /// [`StateError::Locked`] names the holder; [`StateError::CannotLock`] the server that is not fit to lock with.
    async fn lock(&self, command: &str) -> Result<Lease, StateError> {
        Lease::acquire(self.lock_object(), self.kms_key_id.as_deref(), self.lease, command).await
    }

    /// Whether it first has to be proven that the server can lock.
    fn is_unproven(&self) -> bool {
        self.bucket.unproven().is_some()
    }

    /// Who holds the lock.
    ///
    /// # Errors
    /// S3 cannot be asked.
    async fn holder(&self) -> Result<Option<ObservedLock>, StateError> {
        match self.lock_object().look().await? {
            Look::Held(holding) => Ok(Some(holding)),
            Look::Absent | Look::Released(_) => Ok(None),
        }
    }

    /// Takes the lock away from the run that held it when it was looked at.
    ///
    /// # Errors
    /// S3 cannot be asked, or the lock has been renewed or changed hands since.
    async fn break_lock(&self, holding: &ObservedLock) -> Result<(), StateError> {
        if !self.lock_object().end(&holding.holder, &holding.version).await? {
            let place = self.place().with_suffix(".lock");
            match self.holder().await? {
                Some(now) if now.holder.id == holding.holder.id => {
                    let error = std::io::Error::other("it was renewed in the meantime");
                    return Err(StateError::Io { doing: "unlock", place, error });
                }
                _ => {}
            }
        }
        self.fence().await
    }

    /// Makes another version of the same state, so that a write which the last holder had already begun fails.
    async fn fence(&self) -> Result<(), StateError> {
        let encryption = self.kms_key_id.clone().map_or(Encryption::OfBucket, Encryption::Key);
        // The one that was on its way may come first.
        for _ in 0..2 {
            let Some(object) = self.bucket.get(&self.key).await? else { return Ok(()) };
            let Some(bytes) = format::fenced(&object.bytes) else { return Ok(()) };
            match self.put(&self.key, &Version::Is(object.version), bytes, &encryption).await {
                Err(StateError::Overtaken { .. }) => {}
                put => return put.map(drop),
            }
        }
        Err(StateError::Overtaken { place: self.place() })
    }

    /// Writes in place of the version last seen, after making sure of the lock and, the first time, of the backup.
    ///
    /// # Errors
    /// [`StateError::LockLost`], [`StateError::Overtaken`], or S3 cannot be asked.
    async fn write(&self, bytes: Vec<u8>, lease: &Lease) -> Result<(), StateError> {
        if matches!(self.seen.lock().await.version, Version::Unknown) {
            self.bytes().await?;
        }
        let mut seen = self.seen.lock().await;
        let encryption = self.encryption(lease);
        // Neither can do harm where the lock is lost: a backup that another run has written meanwhile is left alone.
        let (kept, renewed) = tokio::join!(self.keep(&seen, &encryption), lease.renew());
        renewed?;
        kept?;
        seen.previous = None;
        match self.put(&self.key, &seen.version, bytes, &encryption).await {
            Ok(version) => {
                seen.version = Version::Is(version);
                Ok(())
            }
            // A run that takes a lock away changes the state as well; that the lock is gone is what there is to tell.
            Err(overtaken @ StateError::Overtaken { .. }) => Err(lease.renew().await.err().unwrap_or(overtaken)),
            Err(error) => Err(error),
        }
    }

    async fn keep(&self, seen: &Seen, encryption: &Encryption) -> Result<(), StateError> {
        let Some(previous) = &seen.previous else { return Ok(()) };
        // An identity that only reads states need not be allowed to see backups.
        let follows = match &seen.backup {
            Some(version) => version.clone(),
            None => self.backup_version().await?,
        };
        self.put(&self.backup_key(), &follows, previous.clone(), encryption).await.map(drop)
    }

    /// Puts an object in the place of this version, and of no other.
    async fn put(
        &self,
        key: &str,
        follows: &Version,
        bytes: Vec<u8>,
        encryption: &Encryption,
    ) -> Result<String, StateError> {
        let call = ops::s3::PUT_OBJECT.eventually(CONFLICTS).persistent().patience(PATIENCE);
        let request = || {
            let request = self.putting(key, bytes.clone(), encryption);
            match follows {
                Version::Is(version) => request.if_match(version),
                Version::Unknown | Version::Absent => request.if_none_match("*"),
            }
        };
        match self.bucket.put(call, request).await {
            Ok(put) => Ok(put.version),
            // An earlier attempt may have succeeded although its answer was lost.
            Err(error) if is_another_version(&error) => match self.bucket.get(key).await? {
                Some(object) if object.bytes == bytes => Ok(object.version),
                _ => Err(StateError::Overtaken { place: self.bucket.place(key) }),
            },
            Err(error) => Err(self.bucket.failed("write", key, error)),
        }
    }

    /// The key that was asked for. Else the bucket's own key if it has one, for asking for less would weaken it.
    fn encryption(&self, lease: &Lease) -> Encryption {
        match (&self.kms_key_id, lease.default_encryption()) {
            (Some(id), _) => Encryption::Key(id.clone()),
            (None, Some(ServerSideEncryption::AwsKms | ServerSideEncryption::AwsKmsDsse)) => Encryption::OfBucket,
            (None, _) => Encryption::OfS3,
        }
    }

    fn putting(&self, key: &str, bytes: Vec<u8>, encryption: &Encryption) -> PutObjectFluentBuilder {
        let put = self.bucket.s3.put_object().bucket(&self.bucket.name).key(key);
        let put = put.content_type("application/json").body(bytes.into());
        match encryption {
            Encryption::Key(id) => put.server_side_encryption(ServerSideEncryption::AwsKms).ssekms_key_id(id),
            Encryption::OfS3 => put.server_side_encryption(ServerSideEncryption::Aes256),
            Encryption::OfBucket => put,
        }
    }
}

/// How long a run that waits for the lock pauses between two attempts: S3 is asked less often than a disk.
const PAUSE: Duration = Duration::from_secs(1);

impl Storage for S3Store {
    fn place(&self) -> Place {
        self.place()
    }

    fn read(&self) -> Answer<'_, Option<State>> {
        Box::pin(self.read())
    }

    fn read_backup(&self) -> Answer<'_, Option<State>> {
        Box::pin(self.read_backup())
    }

    fn bytes(&self) -> Answer<'_, Option<Vec<u8>>> {
        Box::pin(self.bytes())
    }

    fn lock<'a>(&'a self, command: &'a str) -> Answer<'a, Arc<dyn StorageLock>> {
        Box::pin(async move {
            let lease = self.lock(command).await?;
            let lock: Arc<dyn StorageLock> = Arc::new(LockedObject { store: self.clone(), lease });
            Ok(lock)
        })
    }

    fn is_unproven(&self) -> bool {
        self.is_unproven()
    }

    fn pause(&self) -> Duration {
        PAUSE
    }

    fn holder(&self) -> Answer<'_, Option<ObservedLock>> {
        Box::pin(self.holder())
    }

    fn break_lock<'a>(&'a self, holding: &'a ObservedLock) -> Answer<'a, ()> {
        Box::pin(self.break_lock(holding))
    }
}

/// An object that is a state, with the lease that locks it.
#[derive(Debug)]
struct LockedObject {
    store: S3Store,
    lease: Lease,
}

impl StorageLock for LockedObject {
    /// The version that is named decides what the write may take the place of, whatever state it is.
    fn write(self: Arc<Self>, bytes: Vec<u8>, _successor: Option<State>) -> Answer<'static, ()> {
        Box::pin(async move { self.store.write(bytes, &self.lease).await })
    }

    fn holds(&self) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        Box::pin(self.lease.holds())
    }

    fn lost(&self) -> Pin<Box<dyn Future<Output = StateError> + Send + '_>> {
        Box::pin(self.lease.lost())
    }

    fn release(&self) -> Answer<'_, ()> {
        Box::pin(self.lease.release())
    }
}

/// How the objects are encrypted at rest.
enum Encryption {
    Key(String),
    OfBucket,
    OfS3,
}
