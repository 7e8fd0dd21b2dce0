//! A bucket and its settings.

use jiff::Timestamp;
use s3s::dto::{LifecycleRule, PublicAccessBlockConfiguration, ServerSideEncryptionConfiguration};
use s3s::{S3Error, S3ErrorCode, S3Result};
use serde::{Deserialize, Serialize};

use super::doors::Doors;
use super::{S3Cx, encryption, error};
use crate::services::tags::Tags;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Bucket {
    /// Names the bucket's data; another bucket of the same name has another.
    pub(super) id: String,
    pub(super) name: String,
    pub(super) account: String,
    pub(super) region: String,
    pub(super) created: Timestamp,
    pub(super) versioning: Option<Versioning>,
    pub(super) tags: Tags,
    pub(super) public_access_block: Option<PublicAccessBlockConfiguration>,
    pub(super) encryption: ServerSideEncryptionConfiguration,
    pub(super) lifecycle: Option<Vec<LifecycleRule>>,
    pub(super) logging: Option<Logging>,
    pub(super) policy: Option<String>,
    /// `BucketOwnerEnforced` and the like; `None` after its deletion.
    pub(super) ownership: Option<String>,
    #[serde(default)]
    pub(super) doors: Doors,
    /// Encryption types that are blocked.
    #[serde(default = "encryption::blocked_by_default")]
    pub(super) blocked: Vec<String>,
    /// Whether tags control access.
    #[serde(default)]
    pub(super) abac: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Versioning {
    Enabled,
    Suspended,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Logging {
    pub(super) target: String,
    pub(super) prefix: String,
}

impl S3Cx<'_> {
    /// The bucket `name`, if it exists and is the caller's and in the caller's region.
    pub(super) fn bucket(&mut self, name: &str) -> S3Result<&mut Bucket> {
        let caller = self.cx.caller;
        let expected = self.expected_owner.as_deref();
        let bucket = self
            .cx
            .world
            .buckets
            .get_mut(name)
            .ok_or_else(|| error::with(S3ErrorCode::NoSuchBucket, "The specified bucket does not exist"))?;
        if bucket.account != caller.account || expected.is_some_and(|owner| owner != bucket.account) {
            return Err(error::access_denied());
        }
        if bucket.region != caller.region {
            return Err(elsewhere(&bucket.region));
        }
        Ok(bucket)
    }

    /// The id under which the objects of the bucket `name` are kept.
    pub(super) fn bucket_id(&mut self, name: &str) -> S3Result<String> {
        self.bucket(name).map(|bucket| bucket.id.clone())
    }
}

/// What S3 answers in a region that a bucket is not in; clients follow the header.
fn elsewhere(region: &str) -> S3Error {
    let mut error = error::custom(
        301,
        "PermanentRedirect",
        "The bucket you are attempting to access must be addressed using the specified endpoint. \
         Please send all future requests to this endpoint.",
    );
    let mut headers = http::HeaderMap::new();
    if let Ok(region) = http::HeaderValue::from_str(region) {
        headers.insert("x-amz-bucket-region", region);
    }
    headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/xml"));
    error.set_headers(headers);
    error
}
