//! Default encryption, and what an object is encrypted with.

use bytes::Bytes;
use http::{Request, Response};
use s3s::dto::{
    DeleteBucketEncryptionInput, DeleteBucketEncryptionOutput, GetBucketEncryptionInput, GetBucketEncryptionOutput,
    PutBucketEncryptionInput, PutBucketEncryptionOutput, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};
use s3s::{S3Error, S3Result};

use super::{S3Cx, error};
use crate::emulator::{Core, storage_failed};
use crate::error::AwsError;
use crate::protocol::Effect;
use crate::services::kms::{self, Unusable};

const S3_KEYS: &str = "AES256";
const KMS_KEYS: &str = "aws:kms";
const CUSTOMER_KEYS: &str = "SSE-C";

/// What every bucket has unless set otherwise.
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

/// Since April 2026 new buckets block encryption with keys that customers send along (S3 user guide, "Blocking or unblocking SSE-C for
/// a general purpose bucket").
pub(super) fn blocked_by_default() -> Vec<String> {
    vec![CUSTOMER_KEYS.to_owned()]
}

/// The bucket whose encryption a request asks for.
pub(super) fn is_asked(request: &Request<Bytes>) -> Option<String> {
    let is_get = request.method() == http::Method::GET;
    let asks = is_get
        && request
            .uri()
            .query()
            .is_some_and(|query| query.split('&').any(|part| matches!(part, "encryption" | "encryption=")));
    asks.then(|| request.uri().path().trim_matches('/').to_owned())
}

/// An answer to GetBucketEncryption with the types that are blocked, for which s3s has no member.
pub(super) fn with_blocked(core: &Core, bucket: &str, answer: Response<Bytes>) -> Result<Response<Bytes>, AwsError> {
    let blocked = core.store.with(Effect::Read, |world, _| {
        world.buckets.get(bucket).map(|bucket| bucket.blocked.clone()).unwrap_or_default()
    });
    let types: String = blocked
        .map_err(|failure| storage_failed(&failure))?
        .iter()
        .map(|name| format!("<EncryptionType>{name}</EncryptionType>"))
        .collect();
    let text = String::from_utf8_lossy(answer.body()).into_owned();
    let whole = text.replace("</Rule>", &format!("<BlockedEncryptionTypes>{types}</BlockedEncryptionTypes></Rule>"));
    let mut answer = answer.map(|_| Bytes::from(whole));
    answer.headers_mut().remove(http::header::CONTENT_LENGTH);
    Ok(answer)
}

/// Refuses what is to be encrypted with a key that the request brings, where that is blocked.
pub(super) fn check_customer_key(core: &Core, operation: &str, bucket: &str) -> S3Result<()> {
    if !["PutObject", "CopyObject", "CreateMultipartUpload", "UploadPart", "UploadPartCopy"].contains(&operation) {
        return Ok(());
    }
    let is_blocked = core.store.with(Effect::Read, |world, _| {
        world.buckets.get(bucket).is_some_and(|bucket| bucket.blocked.iter().any(|name| name == CUSTOMER_KEYS))
    });
    match is_blocked.map_err(|failure| error::storage(&failure))? {
        true => {
            Err(error::with(s3s::S3ErrorCode::AccessDenied, "The bucket blocks uploads that are encrypted with SSE-C"))
        }
        false => Ok(()),
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
    let blocked = cx.extras.blocked.take();
    if blocked.iter().flatten().any(|name| ![CUSTOMER_KEYS, "NONE"].contains(&name.as_str())) {
        return Err(error::malformed_xml());
    }
    let bucket = cx.bucket(&input.bucket)?;
    bucket.encryption = configuration;
    // What a Put without the member does to it is on no page; here it stays.
    if let Some(blocked) = blocked {
        bucket.blocked = blocked;
    }
    Ok(PutBucketEncryptionOutput::default())
}

pub(super) fn get(cx: &mut S3Cx<'_>, input: GetBucketEncryptionInput) -> S3Result<GetBucketEncryptionOutput> {
    Ok(GetBucketEncryptionOutput {
        server_side_encryption_configuration: Some(cx.bucket(&input.bucket)?.encryption.clone()),
    })
}

/// Back to the default, which cannot be deleted.
pub(super) fn delete(cx: &mut S3Cx<'_>, input: DeleteBucketEncryptionInput) -> S3Result<DeleteBucketEncryptionOutput> {
    let bucket = cx.bucket(&input.bucket)?;
    bucket.encryption = default();
    bucket.blocked = blocked_by_default();
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
        Some(key) => {
            let arn = usable(cx, &key)?;
            kms::note_use(&mut cx.cx, &key);
            arn
        }
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
