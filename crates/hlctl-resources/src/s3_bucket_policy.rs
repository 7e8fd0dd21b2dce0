//! Policy of a bucket.
//!
//! Identity: the bucket. Removed before the bucket goes: while it lets log deliveries in, the bucket is never empty, and it
//! may forbid the very deletions that empty it.

use serde_json::Value;

use super::bucket_part::{BUCKET, BucketPart};
use super::policy::{self, Document};
use super::reference::{Known, Ref, Reference, Text};
use super::s3_bucket::S3Bucket;
use super::{Attributes, Context, ResourceError, Rule, Task, attributes};
use hlctl_aws::{AwsError, ops};

/// What the configuration asks for.
#[derive(Clone, Debug)]
pub struct S3BucketPolicy {
    /// The bucket.
    pub bucket: Ref<S3Bucket>,
    /// Who may, and may not, do what with it.
    pub policy: Document,
}

/// The bucket, or a principal in the policy, may be too new for S3 to see (S3 API reference, `PutBucketPolicy`).
const NOT_YET_VISIBLE: &[(&str, &str)] = &[("NoSuchBucket", ""), ("MalformedPolicy", "rincipal")];

impl Ref<S3BucketPolicy> {
    /// Name of the bucket that has the policy.
    pub fn bucket(&self) -> Text {
        self.attribute("bucket")
    }
}

impl BucketPart for S3BucketPolicy {
    const KIND: &'static str = "s3_bucket_policy";
    const RULES: &'static [Rule] = &[BUCKET, Rule::document("policy")];
    const REMOVED_BEFORE_BUCKET: bool = true;

    fn bucket(&self) -> &Ref<S3Bucket> {
        &self.bucket
    }

    fn references(&self) -> Vec<Reference> {
        self.policy.references()
    }

    fn desired(&self, known: &Known) -> Attributes {
        attributes([("policy", self.policy.render(known))])
    }

    async fn get(cx: &Context, bucket: &str) -> Result<Option<Attributes>, AwsError> {
        let answer =
            cx.call(ops::s3::GET_BUCKET_POLICY, || cx.clients.s3.get_bucket_policy().bucket(bucket).send()).await?;
        Ok(answer.policy.map(|document| {
            let parsed = serde_json::from_str(&document).unwrap_or(Value::String(document));
            attributes([("policy", policy::normalise(&parsed))])
        }))
    }

    async fn put(&self, task: &Task<'_>, bucket: &str) -> Result<(), ResourceError> {
        let document = self.policy.text(task)?;
        let call = ops::s3::PUT_BUCKET_POLICY.eventually(NOT_YET_VISIBLE);
        let s3 = &task.cx.clients.s3;
        task.cx.call(call, || s3.put_bucket_policy().bucket(bucket).policy(&document).send()).await?;
        Ok(())
    }

    async fn remove(cx: &Context, bucket: &str) -> Result<(), AwsError> {
        let call = ops::s3::DELETE_BUCKET_POLICY;
        cx.call(call, || cx.clients.s3.delete_bucket_policy().bucket(bucket).send()).await?;
        Ok(())
    }
}
