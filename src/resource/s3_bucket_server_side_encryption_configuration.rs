//! Default encryption of a bucket.
//!
//! Identity: the bucket. S3 gives every new bucket SSE-S3 by itself, so there is always something to read.

use aws_sdk_s3::types::{
    ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};
use serde_json::{Value, json};

use super::bucket_part::BucketPart;
use super::kms_key::KmsKey;
use super::reference::{Known, Ref, Reference};
use super::s3_bucket::S3Bucket;
use super::{Attributes, Context, ResourceError, Task, attributes};
use crate::aws::{AwsError, ops};

/// A new bucket, or a new key, is not visible everywhere at once.
const NOT_YET_VISIBLE: &[(&str, &str)] = &[("NoSuchBucket", ""), ("KMS.NotFoundException", "")];

/// What the configuration asks for.
#[derive(Clone, Debug)]
pub struct S3BucketServerSideEncryptionConfiguration {
    /// The bucket.
    pub bucket: Ref<S3Bucket>,
    /// How new objects are encrypted.
    pub encryption: Encryption,
}

/// How new objects are encrypted.
#[derive(Clone, Debug)]
pub enum Encryption {
    /// With keys of S3's own (SSE-S3). Log delivery needs this.
    S3,
    /// With a KMS key, and a bucket key, which saves calls to KMS.
    Kms(Ref<KmsKey>),
}

impl BucketPart for S3BucketServerSideEncryptionConfiguration {
    const KIND: &'static str = "s3_bucket_server_side_encryption_configuration";

    fn bucket(&self) -> &Ref<S3Bucket> {
        &self.bucket
    }

    fn references(&self) -> Vec<Reference> {
        match &self.encryption {
            Encryption::S3 => Vec::new(),
            Encryption::Kms(key) => key.arn().references().cloned().collect(),
        }
    }

    fn desired(&self, known: &Known) -> Attributes {
        match &self.encryption {
            Encryption::S3 => rule("AES256", Value::Null, false),
            Encryption::Kms(key) => rule("aws:kms", json!(known.text(&key.arn())), true),
        }
    }

    async fn get(cx: &Context, bucket: &str) -> Result<Option<Attributes>, AwsError> {
        let answer = cx
            .call(ops::s3::GET_BUCKET_ENCRYPTION, || cx.clients.s3.get_bucket_encryption().bucket(bucket).send())
            .await?;
        let first = answer.server_side_encryption_configuration.and_then(|found| found.rules.into_iter().next());
        Ok(first.and_then(|found| {
            let bucket_key = found.bucket_key_enabled.unwrap_or_default();
            found.apply_server_side_encryption_by_default.map(|default| {
                let uses_kms = default.sse_algorithm.as_str() == "aws:kms";
                let key = default.kms_master_key_id.map_or(Value::Null, Value::from);
                // With SSE-S3 the bucket key means nothing.
                rule(default.sse_algorithm.as_str(), key, bucket_key && uses_kms)
            })
        }))
    }

    async fn put(&self, task: &Task<'_>, bucket: &str) -> Result<(), ResourceError> {
        let (algorithm, key) = match &self.encryption {
            Encryption::S3 => (ServerSideEncryption::Aes256, None),
            Encryption::Kms(key) => (ServerSideEncryption::AwsKms, Some(task.known.text(&key.arn()))),
        };
        let with_kms = key.is_some();
        let default = ServerSideEncryptionByDefault::builder()
            .sse_algorithm(algorithm)
            .set_kms_master_key_id(key)
            .build()
            .map_err(ResourceError::request)?;
        let rule = ServerSideEncryptionRule::builder()
            .apply_server_side_encryption_by_default(default)
            .bucket_key_enabled(with_kms)
            .build();
        let whole = ServerSideEncryptionConfiguration::builder().rules(rule).build().map_err(ResourceError::request)?;
        let call = ops::s3::PUT_BUCKET_ENCRYPTION.eventually(NOT_YET_VISIBLE);
        let s3 = &task.cx.clients.s3;
        let put =
            || s3.put_bucket_encryption().bucket(bucket).server_side_encryption_configuration(whole.clone()).send();
        task.cx.call(call, put).await?;
        Ok(())
    }

    async fn remove(cx: &Context, bucket: &str) -> Result<(), AwsError> {
        let call = ops::s3::DELETE_BUCKET_ENCRYPTION;
        cx.call(call, || cx.clients.s3.delete_bucket_encryption().bucket(bucket).send()).await?;
        Ok(())
    }
}

fn rule(algorithm: &str, key: Value, bucket_key: bool) -> Attributes {
    attributes([
        ("sse_algorithm", json!(algorithm)),
        ("kms_master_key_id", key),
        ("bucket_key_enabled", json!(bucket_key)),
    ])
}
