//! The object that is a lock in S3: how it is read, written, and ended.
//!
//! Every change names the version that it changes (S3 user guide, "How to prevent object overwrites with conditional
//! writes"), which locks only on a server that heeds the condition. Amazon S3 does. Other servers ignore it, or know it
//! for writes and not for deletions, so before a lock on one of them is trusted it is proven.

use std::sync::Arc;

use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ServerSideEncryption;

use super::error::{CannotLock, Condition};
use super::object::{Bucket, PATIENCE, Put};
use hlctl_aws::clients::S3Endpoint;
use hlctl_aws::{AwsError, Call, ErrorKind, ops};
use hlctl_engine::state::{LockInfo, ObservedLock, Place, StateError};

/// Where the lock is, and the way there.
#[derive(Clone, Debug)]
pub(super) struct LockObject {
    pub(super) bucket: Bucket,
    pub(super) key: String,
}

/// The lock as it is found.
#[derive(Debug)]
pub(super) enum Look {
    /// There is no object.
    Absent,
    /// There is only a note, of this version, that the last holder has released it.
    Released(String),
    /// Somebody holds it.
    Held(ObservedLock),
}

/// What a write of the lock is for.
#[derive(Clone, Debug)]
pub(super) struct Content {
    bytes: Vec<u8>,
    kms_key_id: Option<String>,
}

/// What a write requires to be there.
#[derive(Clone, Copy, Debug)]
pub(super) enum Follows<'a> {
    /// Nothing.
    Nothing,
    /// This version.
    Version(&'a str),
}

/// Why it is not proven that the server can lock.
#[derive(Debug)]
pub(super) enum Unproven {
    /// It cannot.
    Unfit(CannotLock),
    /// It could not be asked.
    Failed(StateError),
}

/// How an attempt to end the lock went.
enum Ended {
    /// It is gone, or marked as released.
    Yes,
    /// Another version is there, or none.
    Changed,
    /// The server did not do it.
    Refused(AwsError),
}

/// Two conditional writes at the same instant (S3 API reference, PutObject, "409 Conflict").
pub(super) const CONFLICTS: &[(&str, &str)] = &[("ConditionalRequestConflict", "")];

/// The entity tag of no object: that of a lock is never all zeros.
const NO_VERSION: &str = "\"00000000000000000000000000000000\"";

impl Content {
    pub(super) fn new(holder: &LockInfo, kms_key_id: Option<&str>) -> Self {
        let holder = LockInfo { renewed: Some(LockInfo::now()), ..holder.clone() };
        Self { bytes: serde_json::to_vec(&holder).unwrap_or_default(), kms_key_id: kms_key_id.map(str::to_owned) }
    }

    /// What takes the place of a lock that cannot be deleted. Its id is of its own, so that no version of hlctl takes it
    /// for a lock that it holds; a version that does not know the note sees a lease that has run out.
    fn released(holder: &LockInfo) -> Self {
        let id = uuid::Uuid::new_v4().to_string();
        let holder = LockInfo { id, lease_in_seconds: Some(0), released: Some(LockInfo::now()), ..holder.clone() };
        Self::new(&holder, None)
    }
}

impl LockObject {
    pub(super) fn place(&self) -> Place {
        self.bucket.place(&self.key)
    }

    /// Looks at the lock.
    pub(super) async fn look(&self) -> Result<Look, StateError> {
        let Some(object) = self.bucket.get(&self.key).await? else { return Ok(Look::Absent) };
        let holder: LockInfo = serde_json::from_slice(&object.bytes).unwrap_or_default();
        if holder.released.is_some() {
            return Ok(Look::Released(object.version));
        }
        let lease = holder.lease_in_seconds.and_then(|seconds| i64::try_from(seconds).ok());
        let age = object.modified.map(|renewed| jiff::Timestamp::now().as_second().saturating_sub(renewed));
        // Twice the lease, for the clocks of two machines differ.
        let abandoned = lease.zip(age).is_some_and(|(lease, age)| age > lease.saturating_mul(2));
        Ok(Look::Held(ObservedLock { holder, abandoned, version: object.version }))
    }

    fn putting(&self, content: &Content) -> PutObjectFluentBuilder {
        let body = ByteStream::from(content.bytes.clone());
        let put = self.bucket.s3.put_object().bucket(&self.bucket.name).key(&self.key);
        let put = put.content_type("application/json").body(body);
        match &content.kms_key_id {
            Some(id) => put.server_side_encryption(ServerSideEncryption::AwsKms).ssekms_key_id(id),
            None => put,
        }
    }

    /// Writes the lock in place of what it follows.
    pub(super) async fn put(&self, content: &Content, follows: Follows<'_>) -> Result<Put, AwsError> {
        let call = ops::s3::PUT_OBJECT.eventually(CONFLICTS).persistent().patience(PATIENCE);
        self.put_as(call, content, follows).await
    }

    async fn put_as(&self, call: Call, content: &Content, follows: Follows<'_>) -> Result<Put, AwsError> {
        let request = || match follows {
            Follows::Nothing => self.putting(content).if_none_match("*"),
            Follows::Version(version) => self.putting(content).if_match(version),
        };
        self.bucket.put(call, request).await
    }

    /// Proves that the server refuses a write whose condition does not hold. The lock must be held: what is written is
    /// what is there already, so that a server that takes it has changed nothing.
    ///
    /// # Errors
    /// It takes such a write; or it cannot be asked.
    pub(super) async fn prove(&self, endpoint: &Arc<S3Endpoint>, content: &Content) -> Result<(), Unproven> {
        self.prove_one(endpoint, content, Follows::Nothing, Condition::IfNoneMatch).await?;
        self.prove_one(endpoint, content, Follows::Version(NO_VERSION), Condition::IfMatch).await
    }

    async fn prove_one(
        &self,
        endpoint: &Arc<S3Endpoint>,
        content: &Content,
        follows: Follows<'_>,
        condition: Condition,
    ) -> Result<(), Unproven> {
        // Twice: if somebody has just taken the lock away, the first write rightly succeeds.
        for _ in 0..2 {
            let call = ops::s3::PUT_OBJECT.persistent().patience(PATIENCE);
            match self.put_as(call, content, follows).await {
                Ok(_) => {}
                Err(error) if is_refused_by_condition(&error) => return Ok(()),
                Err(error) if is_unsupported(&error) => {
                    return Err(Unproven::Unfit(self.cannot_lock(endpoint, condition, Some(error))));
                }
                Err(error) => return Err(Unproven::Failed(self.bucket.failed("lock", &self.key, error))),
            }
        }
        Err(Unproven::Unfit(self.cannot_lock(endpoint, condition, None)))
    }

    /// This server is not fit to lock with.
    pub(super) fn cannot_lock(
        &self,
        endpoint: &Arc<S3Endpoint>,
        condition: Condition,
        refusal: Option<AwsError>,
    ) -> CannotLock {
        CannotLock { lock: self.place(), endpoint: Arc::clone(endpoint), condition, refusal, left: false }
    }

    /// Ends this version of a lock. `false` if another version is there by now, or none.
    ///
    /// # Errors
    /// The lock stays: S3 could not be asked, or the server does it in no way.
    pub(super) async fn end(&self, holder: &LockInfo, version: &str) -> Result<bool, StateError> {
        // A server may heed conditions of writes and ignore those of deletions.
        let is_unproven = self.bucket.unproven().is_some();
        if is_unproven && !self.is_still(holder, version).await? {
            return Ok(false);
        }
        let refusal = match self.delete(Some(version)).await {
            // A success that somebody in between has answered deletes nothing.
            Ended::Yes if is_unproven && self.is_still(holder, version).await? => {
                AwsError::incomplete(ops::s3::DELETE_OBJECT, "effect")
            }
            Ended::Yes => return Ok(true),
            Ended::Changed => return Ok(false),
            Ended::Refused(error) => error,
        };
        // LocalStack does conditional writes and no conditional deletions; and not everybody may delete.
        if has_another_way(&refusal) {
            match self.put(&Content::released(holder), Follows::Version(version)).await {
                Ok(_) => return Ok(true),
                Err(error) if is_another_version(&error) => return Ok(false),
                Err(error) if is_unsupported(&error) && is_unproven && self.is_still(holder, version).await? => {
                    if let Ended::Yes = self.delete(None).await {
                        return Ok(true);
                    }
                }
                Err(_) => {}
            }
        }
        Err(self.bucket.failed("unlock", &self.key, refusal))
    }

    /// Deletes a lock of this holder from a server that cannot lock: conditions are nothing to rely on there.
    ///
    /// # Errors
    /// S3 could not be asked.
    pub(super) async fn withdraw(&self, holder: &LockInfo) -> Result<(), StateError> {
        match self.look().await? {
            Look::Held(now) if now.holder.id == holder.id => {}
            _ => return Ok(()),
        }
        match self.delete(None).await {
            Ended::Yes | Ended::Changed => Ok(()),
            Ended::Refused(error) => Err(self.bucket.failed("unlock", &self.key, error)),
        }
    }

    /// Whether the lock is this holder's, in this version.
    async fn is_still(&self, holder: &LockInfo, version: &str) -> Result<bool, StateError> {
        let look = self.look().await?;
        Ok(matches!(look, Look::Held(now) if now.holder.id == holder.id && now.version == version))
    }

    async fn delete(&self, version: Option<&str>) -> Ended {
        let call = ops::s3::DELETE_OBJECT.eventually(CONFLICTS).persistent().patience(PATIENCE);
        let delete = || {
            let delete = self.bucket.s3.delete_object().bucket(&self.bucket.name).key(&self.key);
            delete.set_if_match(version.map(str::to_owned)).send()
        };
        match self.bucket.caller.call(call, delete).await {
            Ok(_) => Ended::Yes,
            Err(error) if is_another_version(&error) => Ended::Changed,
            Err(error) => Ended::Refused(error),
        }
    }
}

/// Whether the object was changed, or is gone.
pub(super) fn is_another_version(error: &AwsError) -> bool {
    error.code == "PreconditionFailed" || error.is_not_found()
}

/// Whether a write was refused because its condition does not hold (S3 API reference, PutObject: 412, 409, and 404 for
/// `If-Match` where there is no object).
fn is_refused_by_condition(error: &AwsError) -> bool {
    is_another_version(error) || error.code == "ConditionalRequestConflict"
}

/// Whether S3 has answered, so that it may yet do in another way what it did not do in this one.
fn has_another_way(error: &AwsError) -> bool {
    matches!(error.kind, ErrorKind::Refused | ErrorKind::Denied | ErrorKind::Garbled | ErrorKind::Unavailable)
}

/// Whether the server says that it does not do what was asked, for any caller.
pub(super) fn is_unsupported(error: &AwsError) -> bool {
    error.kind == ErrorKind::Refused
}
