//! Public access block of a bucket: all four settings on.
//!
//! Identity: the bucket. HealthLake imports from and exports to such buckets only (HealthLake developer guide, "Setting up").

use aws_sdk_s3::types::PublicAccessBlockConfiguration;
use serde_json::json;

use super::bucket_part::BucketPart;
use super::reference::{Known, Ref};
use super::s3_bucket::{NOT_YET_VISIBLE, S3Bucket};
use super::{Attributes, Context, ResourceError, Task, attributes};
use hlctl_aws::{AwsError, ops};

/// What the configuration asks for: nothing public.
#[derive(Clone, Debug)]
pub struct S3BucketPublicAccessBlock {
    /// The bucket.
    pub bucket: Ref<S3Bucket>,
}

impl BucketPart for S3BucketPublicAccessBlock {
    const KIND: &'static str = "s3_bucket_public_access_block";

    fn bucket(&self) -> &Ref<S3Bucket> {
        &self.bucket
    }

    fn desired(&self, _known: &Known) -> Attributes {
        flags(true, true, true, true)
    }

    async fn get(cx: &Context, bucket: &str) -> Result<Option<Attributes>, AwsError> {
        let answer = cx
            .call(ops::s3::GET_PUBLIC_ACCESS_BLOCK, || cx.clients.s3.get_public_access_block().bucket(bucket).send())
            .await?;
        Ok(answer.public_access_block_configuration.map(|block| {
            let on = |flag: Option<bool>| flag.unwrap_or_default();
            flags(
                on(block.block_public_acls),
                on(block.block_public_policy),
                on(block.ignore_public_acls),
                on(block.restrict_public_buckets),
            )
        }))
    }

    async fn put(&self, task: &Task<'_>, bucket: &str) -> Result<(), ResourceError> {
        let block = PublicAccessBlockConfiguration::builder()
            .block_public_acls(true)
            .block_public_policy(true)
            .ignore_public_acls(true)
            .restrict_public_buckets(true)
            .build();
        let call = ops::s3::PUT_PUBLIC_ACCESS_BLOCK.eventually(NOT_YET_VISIBLE);
        let s3 = &task.cx.clients.s3;
        let put =
            || s3.put_public_access_block().bucket(bucket).public_access_block_configuration(block.clone()).send();
        task.cx.call(call, put).await?;
        Ok(())
    }

    async fn remove(cx: &Context, bucket: &str) -> Result<(), AwsError> {
        let call = ops::s3::DELETE_PUBLIC_ACCESS_BLOCK;
        cx.call(call, || cx.clients.s3.delete_public_access_block().bucket(bucket).send()).await?;
        Ok(())
    }
}

fn flags(block_acls: bool, block_policy: bool, ignore_acls: bool, restrict: bool) -> Attributes {
    attributes([
        ("block_public_acls", json!(block_acls)),
        ("block_public_policy", json!(block_policy)),
        ("ignore_public_acls", json!(ignore_acls)),
        ("restrict_public_buckets", json!(restrict)),
    ])
}
