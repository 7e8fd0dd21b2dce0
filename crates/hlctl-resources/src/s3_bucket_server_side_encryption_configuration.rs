//! Default encryption of a bucket, and that nobody may bring keys of their own (SSE-C), which keep from the owner what they encrypt.
//!
//! Identity: the bucket. S3 gives every new bucket SSE-S3 by itself, so there is always something to read.

use aws_sdk_s3::types::{
    BlockedEncryptionTypes, EncryptionType, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};
use serde_json::{Value, json};

use super::bucket_part::BucketPart;
use super::kms_key::KmsKey;
use super::reference::{Known, Ref, Reference};
use super::s3_bucket::S3Bucket;
use super::{Attributes, Context, ResourceError, Task, attributes};
use hlctl_aws::clients::S3Endpoint;
use hlctl_aws::{AwsError, ops};

/// A new bucket, or a new key, is not visible everywhere at once.
const NOT_YET_VISIBLE: &[(&str, &str)] = &[("NoSuchBucket", ""), ("KMS.NotFoundException", "")];

/// Everything in the data bucket is to be read by those who may use its key, and log delivery brings no keys (S3 user guide, "Blocking
/// or unblocking SSE-C for a general purpose bucket").
const BLOCKED: &str = "SSE-C";

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
            Encryption::S3 => rule("AES256", Value::Null, false, &[BLOCKED]),
            Encryption::Kms(key) => rule("aws:kms", known.shown(&key.arn()), true, &[BLOCKED]),
        }
    }

    async fn get(cx: &Context, bucket: &str) -> Result<Option<Attributes>, AwsError> {
        let answer = cx
            .call(ops::s3::GET_BUCKET_ENCRYPTION, || cx.clients.s3.get_bucket_encryption().bucket(bucket).send())
            .await?;
        let first = answer.server_side_encryption_configuration.and_then(|found| found.rules.into_iter().next());
        let is_aws = cx.clients.s3_endpoint.as_ref().is_none_or(S3Endpoint::is_aws);
        Ok(first.map(|found| attributes_of(found, is_aws)))
    }

    async fn put(&self, task: &Task<'_>, bucket: &str) -> Result<(), ResourceError> {
        let (algorithm, key) = match &self.encryption {
            Encryption::S3 => (ServerSideEncryption::Aes256, None),
            Encryption::Kms(key) => (ServerSideEncryption::AwsKms, Some(task.text(&key.arn())?)),
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
            // What S3 does with a block that a request leaves out is on no page.
            .blocked_encryption_types(BlockedEncryptionTypes::builder().encryption_type(EncryptionType::SseC).build())
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

/// What a rule says. One without a default holds the block alone; then the bucket encrypts as every bucket does, with keys of S3's own
/// (S3 user guide, "Default encryption FAQ").
fn attributes_of(found: ServerSideEncryptionRule, is_aws: bool) -> Attributes {
    let blocked = blocked(found.blocked_encryption_types, is_aws);
    let blocked: Vec<&str> = blocked.iter().map(EncryptionType::as_str).collect();
    let Some(default) = found.apply_server_side_encryption_by_default else {
        return rule("AES256", Value::Null, false, &blocked);
    };
    let uses_kms = default.sse_algorithm.as_str() == "aws:kms";
    let key = default.kms_master_key_id.map_or(Value::Null, Value::from);
    // With SSE-S3 the bucket key means nothing.
    rule(default.sse_algorithm.as_str(), key, found.bucket_key_enabled.unwrap_or_default() && uses_kms, &blocked)
}

/// The types that are blocked. S3 tells them, and what it leaves out is not blocked; another server may not know of them, so that
/// silence there says nothing of what was put.
fn blocked(found: Option<BlockedEncryptionTypes>, is_aws: bool) -> Vec<EncryptionType> {
    let Some(found) = found else {
        return if is_aws { Vec::new() } else { vec![EncryptionType::SseC] };
    };
    let mut types = found.encryption_type.unwrap_or_default();
    types.retain(|blocked| *blocked != EncryptionType::None);
    types.sort();
    types
}

fn rule(algorithm: &str, key: Value, bucket_key: bool, blocked: &[&str]) -> Attributes {
    attributes([
        ("sse_algorithm", json!(algorithm)),
        ("kms_master_key_id", key),
        ("bucket_key_enabled", json!(bucket_key)),
        ("blocked_encryption_types", json!(blocked)),
    ])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn with(types: Option<&[EncryptionType]>) -> ServerSideEncryptionRule {
        let block =
            types.map(|types| BlockedEncryptionTypes::builder().set_encryption_type(Some(types.to_vec())).build());
        ServerSideEncryptionRule::builder().set_blocked_encryption_types(block).build()
    }

    #[test]
    fn a_rule_that_holds_the_block_alone_encrypts_as_every_bucket_does() {
        let seen = attributes_of(with(Some(&[EncryptionType::SseC])), true);
        assert_eq!(seen, rule("AES256", Value::Null, false, &["SSE-C"]));
    }

    #[test]
    fn what_is_not_blocked_is_distinguished_from_what_a_server_does_not_say() {
        let blocked = |types, is_aws| attributes_of(with(types), is_aws)["blocked_encryption_types"].clone();
        for is_aws in [true, false] {
            assert_eq!(blocked(Some(&[EncryptionType::SseC]), is_aws), json!(["SSE-C"]));
            assert_eq!(blocked(Some(&[EncryptionType::None]), is_aws), json!([]));
            assert_eq!(blocked(Some(&[]), is_aws), json!([]));
        }
        assert_eq!(blocked(None, true), json!([]), "S3 says what is blocked");
        assert_eq!(blocked(None, false), json!(["SSE-C"]), "another server may not know of it");
    }
}
