//! Default encryption, and what an object is encrypted with.

use s3s::dto::{
    DeleteBucketEncryptionInput, DeleteBucketEncryptionOutput, GetBucketEncryptionInput, GetBucketEncryptionOutput,
    PutBucketEncryptionInput, PutBucketEncryptionOutput, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};
use s3s::{S3Error, S3Result};

use super::{S3Cx, error};
use crate::services::kms::{self, Unusable};

const S3_KEYS: &str = "AES256";
const KMS_KEYS: &str = "aws:kms";

/// What every bucket has unless told otherwise.
pub(super) fn default() -> ServerSideEncryptionConfiguration {
    ServerSideEncryptionConfiguration {
        rules: vec![ServerSideEncryptionRule {
            apply_server_side_encryption_by_default: Some(ServerSideEncryptionByDefault {
                kms_master_key_id: None,
                sse_algorithm: ServerSideEncryption::from_static(ServerSideEncryption::AES256),
            }),
            bucket_key_enabled: Some(false),
        }],
    }
}

pub(super) fn put(cx: &mut S3Cx<'_>, input: PutBucketEncryptionInput) -> S3Result<PutBucketEncryptionOutput> {
    cx.bucket(&input.bucket)?;
    let mut configuration = input.server_side_encryption_configuration;
    let [rule] = configuration.rules.as_mut_slice() else {
        return Err(error::malformed_xml());
    };
    rule.bucket_key_enabled.get_or_insert(false);
    if let Some(defaults) = &rule.apply_server_side_encryption_by_default {
        let key = defaults.kms_master_key_id.as_deref();
        match (defaults.sse_algorithm.as_str(), key) {
            (S3_KEYS, None) | (KMS_KEYS | "aws:kms:dsse", None) => {}
            (KMS_KEYS | "aws:kms:dsse", Some(key)) => {
                usable(cx, key)?;
            }
            (S3_KEYS, Some(_)) => {
                return Err(error::invalid_argument(
                    "a KMSMasterKeyID is not applicable if the default sse algorithm is not \
                     aws:kms or aws:kms:dsse",
                ));
            }
            _ => return Err(error::malformed_xml()),
        }
    }
    cx.bucket(&input.bucket)?.encryption = configuration;
    Ok(PutBucketEncryptionOutput::default())
}

pub(super) fn get(cx: &mut S3Cx<'_>, input: GetBucketEncryptionInput) -> S3Result<GetBucketEncryptionOutput> {
    Ok(GetBucketEncryptionOutput {
        server_side_encryption_configuration: Some(cx.bucket(&input.bucket)?.encryption.clone()),
    })
}

/// Back to the default, which cannot be deleted.
pub(super) fn delete(cx: &mut S3Cx<'_>, input: DeleteBucketEncryptionInput) -> S3Result<DeleteBucketEncryptionOutput> {
    cx.bucket(&input.bucket)?.encryption = default();
    Ok(DeleteBucketEncryptionOutput::default())
}

/// The algorithm and key of a new object: what the request asks for, or the bucket's default.
pub(super) fn of_object(
    cx: &mut S3Cx<'_>,
    bucket: &str,
    asked: Option<&ServerSideEncryption>,
    asked_key: Option<&str>,
) -> S3Result<(String, Option<String>)> {
    let (algorithm, key) = match asked {
        Some(asked) => (asked.as_str().to_owned(), asked_key.map(ToOwned::to_owned)),
        None => bucket_default(cx, bucket)?,
    };
    if algorithm == S3_KEYS {
        return Ok((algorithm, None));
    }
    let arn = match key {
        Some(key) => usable(cx, &key)?,
        None => cx.cx.caller.regional_arn("kms", "alias/aws/s3"),
    };
    Ok((algorithm, Some(arn)))
}

fn bucket_default(cx: &mut S3Cx<'_>, bucket: &str) -> S3Result<(String, Option<String>)> {
    let encryption = &cx.bucket(bucket)?.encryption;
    Ok(encryption
        .rules
        .first()
        .and_then(|rule| rule.apply_server_side_encryption_by_default.as_ref())
        .map_or((S3_KEYS.to_owned(), None), |defaults| {
            (defaults.sse_algorithm.as_str().to_owned(), defaults.kms_master_key_id.clone())
        }))
}

/// The ARN of a key that can encrypt. The key that AWS keeps for S3 always can.
fn usable(cx: &mut S3Cx<'_>, key: &str) -> S3Result<String> {
    if key == "alias/aws/s3" || key.ends_with(":alias/aws/s3") {
        return Ok(cx.cx.caller.regional_arn("kms", "alias/aws/s3"));
    }
    kms::usable_key(&mut cx.cx, key).map_err(|reason| kms_error(key, reason))
}

fn kms_error(key: &str, reason: Unusable) -> S3Error {
    let (code, what) = match reason {
        Unusable::NotFound => ("KMS.NotFoundException", "does not exist"),
        Unusable::Disabled => ("KMS.DisabledException", "is disabled."),
        Unusable::PendingDeletion => ("KMS.KMSInvalidStateException", "is pending deletion."),
        Unusable::NotSymmetric => ("KMS.InvalidKeyUsageException", "is not a symmetric encryption key."),
    };
    error::custom(400, code, format!("Key '{key}' {what}"))
}
