//! A bucket's other settings: tags, versioning, public access block, logging, policy, ownership.

use s3s::dto::{
    BucketVersioningStatus, DeleteBucketOwnershipControlsInput, DeleteBucketOwnershipControlsOutput,
    DeleteBucketPolicyInput, DeleteBucketPolicyOutput, DeleteBucketTaggingInput, DeleteBucketTaggingOutput,
    DeletePublicAccessBlockInput, DeletePublicAccessBlockOutput, GetBucketLoggingInput, GetBucketLoggingOutput,
    GetBucketOwnershipControlsInput, GetBucketOwnershipControlsOutput, GetBucketPolicyInput, GetBucketPolicyOutput,
    GetBucketTaggingInput, GetBucketTaggingOutput, GetBucketVersioningInput, GetBucketVersioningOutput,
    GetPublicAccessBlockInput, GetPublicAccessBlockOutput, LoggingEnabled, ObjectOwnership, OwnershipControls,
    OwnershipControlsRule, PutBucketLoggingInput, PutBucketLoggingOutput, PutBucketOwnershipControlsInput,
    PutBucketOwnershipControlsOutput, PutBucketPolicyInput, PutBucketPolicyOutput, PutBucketTaggingInput,
    PutBucketTaggingOutput, PutBucketVersioningInput, PutBucketVersioningOutput, PutPublicAccessBlockInput,
    PutPublicAccessBlockOutput, Tag,
};
use s3s::{S3ErrorCode, S3Result};

use super::bucket::{Logging, Versioning};
use super::{S3Cx, error};
use crate::services::iam;
use crate::services::policy::{self, Kind};
use crate::services::tags::Tags;

/// S3 allows 50 tags on a bucket and 20 KB of policy (S3 user guide).
pub(super) const MOST_TAGS: usize = 50;
const LONGEST_POLICY: usize = 20 * 1024;

pub(super) fn put_tagging(cx: &mut S3Cx<'_>, input: PutBucketTaggingInput) -> S3Result<PutBucketTaggingOutput> {
    check_tagging(cx, &input.bucket)?;
    let tags = checked_tags(input.tagging.tag_set, MOST_TAGS)?;
    cx.bucket(&input.bucket)?.tags = tags;
    Ok(PutBucketTaggingOutput::default())
}

/// Where tags control access, they are changed by S3 Control alone (S3 API reference, `PutBucketAbac`). No page says with which
/// error S3 refuses.
fn check_tagging(cx: &mut S3Cx<'_>, bucket: &str) -> S3Result<()> {
    if cx.bucket(bucket)?.abac {
        return Err(error::invalid_request("The bucket has ABAC enabled: use TagResource and UntagResource"));
    }
    Ok(())
}

/// Reads a tag set of at most `most` tags.
pub(super) fn checked_tags(tag_set: Vec<Tag>, most: usize) -> S3Result<Tags> {
    let invalid = |message: &str| error::with(S3ErrorCode::InvalidTag, message);
    let mut tags = Tags::new();
    for tag in tag_set {
        let (Some(key), Some(value)) = (tag.key, tag.value) else {
            return Err(error::malformed_xml());
        };
        if key.is_empty() || key.chars().count() > 128 {
            return Err(invalid("The TagKey you have provided is invalid"));
        }
        if value.chars().count() > 256 {
            return Err(invalid("The TagValue you have provided is invalid"));
        }
        if key.starts_with("aws:") {
            return Err(invalid("System tags cannot be added/updated by requester"));
        }
        if tags.insert(key, value).is_some() {
            return Err(invalid("Cannot provide multiple Tags with the same key"));
        }
    }
    if tags.len() > most {
        return Err(error::custom(400, "BadRequest", format!("Bucket tag count cannot be greater than {most}")));
    }
    Ok(tags)
}

pub(super) fn get_tagging(cx: &mut S3Cx<'_>, input: GetBucketTaggingInput) -> S3Result<GetBucketTaggingOutput> {
    let tags = &cx.bucket(&input.bucket)?.tags;
    if tags.is_empty() {
        return Err(error::custom(404, "NoSuchTagSet", "The TagSet does not exist"));
    }
    let tag_set = tags.iter().map(|(key, value)| Tag { key: Some(key.clone()), value: Some(value.clone()) }).collect();
    Ok(GetBucketTaggingOutput { tag_set })
}

pub(super) fn delete_tagging(
    cx: &mut S3Cx<'_>,
    input: DeleteBucketTaggingInput,
) -> S3Result<DeleteBucketTaggingOutput> {
    check_tagging(cx, &input.bucket)?;
    cx.bucket(&input.bucket)?.tags.clear();
    Ok(DeleteBucketTaggingOutput::default())
}

pub(super) fn put_versioning(
    cx: &mut S3Cx<'_>,
    input: PutBucketVersioningInput,
) -> S3Result<PutBucketVersioningOutput> {
    let bucket = cx.bucket(&input.bucket)?;
    let status = input.versioning_configuration.status;
    bucket.versioning = match status.as_ref().map(BucketVersioningStatus::as_str) {
        Some("Enabled") => Some(Versioning::Enabled),
        Some("Suspended") => Some(Versioning::Suspended),
        _ => {
            return Err(error::with(
                S3ErrorCode::IllegalVersioningConfigurationException,
                "The Versioning element must be specified",
            ));
        }
    };
    Ok(PutBucketVersioningOutput::default())
}

pub(super) fn get_versioning(
    cx: &mut S3Cx<'_>,
    input: GetBucketVersioningInput,
) -> S3Result<GetBucketVersioningOutput> {
    let status = cx.bucket(&input.bucket)?.versioning.map(|versioning| {
        BucketVersioningStatus::from_static(match versioning {
            Versioning::Enabled => BucketVersioningStatus::ENABLED,
            Versioning::Suspended => BucketVersioningStatus::SUSPENDED,
        })
    });
    Ok(GetBucketVersioningOutput { mfa_delete: None, status })
}

pub(super) fn put_public_access_block(
    cx: &mut S3Cx<'_>,
    input: PutPublicAccessBlockInput,
) -> S3Result<PutPublicAccessBlockOutput> {
    let mut block = input.public_access_block_configuration;
    for setting in [
        &mut block.block_public_acls,
        &mut block.block_public_policy,
        &mut block.ignore_public_acls,
        &mut block.restrict_public_buckets,
    ] {
        setting.get_or_insert(false);
    }
    cx.bucket(&input.bucket)?.public_access_block = Some(block);
    Ok(PutPublicAccessBlockOutput::default())
}

pub(super) fn get_public_access_block(
    cx: &mut S3Cx<'_>,
    input: GetPublicAccessBlockInput,
) -> S3Result<GetPublicAccessBlockOutput> {
    let block = cx.bucket(&input.bucket)?.public_access_block.clone();
    if block.is_none() {
        return Err(error::custom(
            404,
            "NoSuchPublicAccessBlockConfiguration",
            "The public access block configuration was not found",
        ));
    }
    Ok(GetPublicAccessBlockOutput { public_access_block_configuration: block })
}

pub(super) fn delete_public_access_block(
    cx: &mut S3Cx<'_>,
    input: DeletePublicAccessBlockInput,
) -> S3Result<DeletePublicAccessBlockOutput> {
    cx.bucket(&input.bucket)?.public_access_block = None;
    Ok(DeletePublicAccessBlockOutput::default())
}

pub(super) fn put_logging(cx: &mut S3Cx<'_>, input: PutBucketLoggingInput) -> S3Result<PutBucketLoggingOutput> {
    cx.bucket(&input.bucket)?;
    let logging = match input.bucket_logging_status.logging_enabled {
        None => None,
        Some(enabled) => {
            let (account, region) = (&cx.cx.caller.account, &cx.cx.caller.region);
            let fits = cx
                .cx
                .world
                .buckets
                .get(&enabled.target_bucket)
                .is_some_and(|target| target.account == *account && target.region == *region);
            if !fits {
                return Err(error::with(
                    S3ErrorCode::InvalidTargetBucketForLogging,
                    "The target bucket for logging does not exist, is not owned by you, or does \
                     not have the appropriate grants for the log-delivery group",
                ));
            }
            Some(Logging { target: enabled.target_bucket, prefix: enabled.target_prefix })
        }
    };
    cx.bucket(&input.bucket)?.logging = logging;
    Ok(PutBucketLoggingOutput::default())
}

pub(super) fn get_logging(cx: &mut S3Cx<'_>, input: GetBucketLoggingInput) -> S3Result<GetBucketLoggingOutput> {
    let logging = cx.bucket(&input.bucket)?.logging.clone();
    Ok(GetBucketLoggingOutput {
        logging_enabled: logging.map(|logging| LoggingEnabled {
            target_bucket: logging.target,
            target_grants: None,
            target_object_key_format: None,
            target_prefix: logging.prefix,
        }),
    })
}

pub(super) fn put_policy(cx: &mut S3Cx<'_>, input: PutBucketPolicyInput) -> S3Result<PutBucketPolicyOutput> {
    cx.bucket(&input.bucket)?;
    let malformed = |message: &str| error::with(S3ErrorCode::MalformedPolicy, message);
    if input.policy.len() > LONGEST_POLICY {
        return Err(error::invalid_argument("Policy exceeds the maximum allowed document size."));
    }
    let policy = policy::parse(&input.policy, Kind::Resource).map_err(|why| malformed(&why))?;
    let own = format!("arn:{}:s3:::{}", cx.cx.caller.partition(), input.bucket);
    let within = |resource: &&str| {
        resource.strip_prefix(&own).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '*']))
            || **resource == *"*"
    };
    if !policy.resources().iter().all(within) {
        return Err(malformed("Policy has invalid resource"));
    }
    if !policy.actions().iter().all(|action| *action == "*" || action.to_ascii_lowercase().starts_with("s3:")) {
        return Err(malformed("Policy has invalid action"));
    }
    if iam::invisible_principal(&mut cx.cx, &policy.aws_principals()).is_some() {
        return Err(malformed("Invalid principal in policy"));
    }
    let caller_arn = cx.cx.caller.arn.clone();
    let bucket = cx.bucket(&input.bucket)?;
    let blocked = bucket.public_access_block.as_ref().is_some_and(|block| block.block_public_policy == Some(true));
    if blocked && policy.is_public() {
        return Err(error::with(
            S3ErrorCode::AccessDenied,
            format!(
                "User: {caller_arn} is not authorized to perform: s3:PutBucketPolicy on resource: \
                 \"{own}\" because public policies are prevented by the BlockPublicPolicy setting \
                 in S3 Block Public Access."
            ),
        ));
    }
    bucket.policy = Some(input.policy);
    Ok(PutBucketPolicyOutput::default())
}

pub(super) fn get_policy(cx: &mut S3Cx<'_>, input: GetBucketPolicyInput) -> S3Result<GetBucketPolicyOutput> {
    let policy = cx.bucket(&input.bucket)?.policy.clone();
    if policy.is_none() {
        return Err(error::custom(404, "NoSuchBucketPolicy", "The bucket policy does not exist"));
    }
    Ok(GetBucketPolicyOutput { policy })
}

pub(super) fn delete_policy(cx: &mut S3Cx<'_>, input: DeleteBucketPolicyInput) -> S3Result<DeleteBucketPolicyOutput> {
    cx.bucket(&input.bucket)?.policy = None;
    Ok(DeleteBucketPolicyOutput::default())
}

pub(super) fn put_ownership(
    cx: &mut S3Cx<'_>,
    input: PutBucketOwnershipControlsInput,
) -> S3Result<PutBucketOwnershipControlsOutput> {
    let bucket = cx.bucket(&input.bucket)?;
    let [rule] = input.ownership_controls.rules.as_slice() else {
        return Err(error::malformed_xml());
    };
    let ownership = rule.object_ownership.as_str();
    if !["BucketOwnerPreferred", "ObjectWriter", "BucketOwnerEnforced"].contains(&ownership) {
        return Err(error::malformed_xml());
    }
    if ownership == "BucketOwnerEnforced" && bucket.doors.has_grants() {
        let message = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting";
        return Err(error::custom(400, "InvalidBucketAclWithObjectOwnership", message));
    }
    bucket.ownership = Some(ownership.to_owned());
    Ok(PutBucketOwnershipControlsOutput::default())
}

pub(super) fn get_ownership(
    cx: &mut S3Cx<'_>,
    input: GetBucketOwnershipControlsInput,
) -> S3Result<GetBucketOwnershipControlsOutput> {
    let ownership = cx.bucket(&input.bucket)?.ownership.clone().ok_or_else(|| {
        error::custom(404, "OwnershipControlsNotFoundError", "The bucket ownership controls were not found")
    })?;
    Ok(GetBucketOwnershipControlsOutput {
        ownership_controls: Some(OwnershipControls {
            rules: vec![OwnershipControlsRule { object_ownership: ObjectOwnership::from(ownership) }],
        }),
    })
}

pub(super) fn delete_ownership(
    cx: &mut S3Cx<'_>,
    input: DeleteBucketOwnershipControlsInput,
) -> S3Result<DeleteBucketOwnershipControlsOutput> {
    cx.bucket(&input.bucket)?.ownership = None;
    Ok(DeleteBucketOwnershipControlsOutput::default())
}
