//! Server access logging of a bucket.
//!
//! Identity: the bucket. Switched off before the bucket goes, since deliveries keep the target from ever being empty.

use aws_sdk_s3::types::{BucketLoggingStatus, LoggingEnabled};
use serde_json::json;

use super::bucket_part::BucketPart;
use super::reference::{Known, Ref, Reference};
use super::s3_bucket::{NOT_YET_VISIBLE, S3Bucket};
use super::s3_bucket_policy::S3BucketPolicy;
use super::{Attributes, Context, ResourceError, Task, attributes};
use hlctl_aws::{AwsError, ops};

/// What the configuration asks for.
#[derive(Clone, Debug)]
pub struct S3BucketLogging {
    /// The bucket whose access is logged.
    pub bucket: Ref<S3Bucket>,
    /// The bucket that receives the logs.
    pub target: Ref<S3Bucket>,
    /// The policy that lets them in: without it S3 drops the logs silently.
    pub permission: Ref<S3BucketPolicy>,
    /// What their keys begin with.
    pub prefix: String,
}

impl BucketPart for S3BucketLogging {
    const KIND: &'static str = "s3_bucket_logging";
    const REMOVED_BEFORE_BUCKET: bool = true;

    fn bucket(&self) -> &Ref<S3Bucket> {
        &self.bucket
    }

    fn references(&self) -> Vec<Reference> {
        (self.target.name() + self.permission.bucket()).references().cloned().collect()
    }

    fn desired(&self, known: &Known) -> Attributes {
        attributes([("target_bucket", known.shown(&self.target.name())), ("target_prefix", json!(self.prefix))])
    }

    async fn get(cx: &Context, bucket: &str) -> Result<Option<Attributes>, AwsError> {
        let answer =
            cx.call(ops::s3::GET_BUCKET_LOGGING, || cx.clients.s3.get_bucket_logging().bucket(bucket).send()).await?;
        Ok(answer.logging_enabled.map(|logging| {
            attributes([
                ("target_bucket", json!(logging.target_bucket)),
                ("target_prefix", json!(logging.target_prefix)),
            ])
        }))
    }

    async fn put(&self, task: &Task<'_>, bucket: &str) -> Result<(), ResourceError> {
        let logging = LoggingEnabled::builder()
            .target_bucket(task.text(&self.target.name())?)
            .target_prefix(&self.prefix)
            .build()
            .map_err(ResourceError::request)?;
        let status = BucketLoggingStatus::builder().logging_enabled(logging).build();
        Ok(set(task.cx, bucket, &status).await?)
    }

    async fn remove(cx: &Context, bucket: &str) -> Result<(), AwsError> {
        set(cx, bucket, &BucketLoggingStatus::builder().build()).await
    }
}

async fn set(cx: &Context, bucket: &str, status: &BucketLoggingStatus) -> Result<(), AwsError> {
    // The target's policy may be too new for S3 to see.
    let call = ops::s3::PUT_BUCKET_LOGGING.eventually(NOT_YET_VISIBLE);
    cx.call(call, || cx.clients.s3.put_bucket_logging().bucket(bucket).bucket_logging_status(status.clone()).send())
        .await?;
    Ok(())
}
