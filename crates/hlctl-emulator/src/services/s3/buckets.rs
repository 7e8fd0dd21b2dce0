//! Making, finding and deleting buckets.

use std::time::SystemTime;

use s3s::dto::{
    Bucket as BucketEntry, BucketLocationConstraint, CreateBucketInput, CreateBucketOutput, DeleteBucketInput,
    DeleteBucketOutput, GetBucketLocationInput, GetBucketLocationOutput, HeadBucketInput, HeadBucketOutput,
    ListBucketsInput, ListBucketsOutput, Owner, PublicAccessBlockConfiguration,
};
use s3s::{S3ErrorCode, S3Result};

use super::bucket::Bucket;
use super::doors::Doors;
use super::settings::{MOST_TAGS, checked_tags};
use super::{S3Cx, encryption, error};
use crate::services::{page, unseen};

/// S3's first region, whose name no location constraint may give.
const FIRST_REGION: &str = "us-east-1";

pub(super) fn create(cx: &mut S3Cx<'_>, input: CreateBucketInput) -> S3Result<CreateBucketOutput> {
    check_namespace(cx, &input.bucket)?;
    let tags = checked_tags(std::mem::take(&mut cx.extras.tags), MOST_TAGS)?;
    let constraint = input.create_bucket_configuration.and_then(|configuration| configuration.location_constraint);
    let constraint = constraint.as_ref().map(BucketLocationConstraint::as_str).filter(|name| !name.is_empty());
    let region = home_region(&cx.cx.caller.region, constraint)?;
    let location = CreateBucketOutput { location: Some(format!("/{}", input.bucket)) };
    if let Some(bucket) = cx.cx.world.buckets.get(&input.bucket) {
        return taken(bucket, &cx.cx.caller.account, &region).map(|()| location);
    }
    let bucket = Bucket {
        id: cx.cx.options.ids.hex32(),
        name: input.bucket.clone(),
        account: cx.cx.caller.account.clone(),
        region,
        created: cx.cx.now,
        versioning: None,
        tags,
        // Since April 2023 new buckets block public access and ignore ACLs, and since January 2023
        // they encrypt (S3 user guide).
        public_access_block: Some(PublicAccessBlockConfiguration {
            block_public_acls: Some(true),
            block_public_policy: Some(true),
            ignore_public_acls: Some(true),
            restrict_public_buckets: Some(true),
        }),
        encryption: encryption::default(),
        lifecycle: None,
        logging: None,
        policy: None,
        ownership: Some(
            input
                .object_ownership
                .map_or_else(|| "BucketOwnerEnforced".to_owned(), |ownership| ownership.as_str().to_owned()),
        ),
        doors: Doors::default(),
        blocked: encryption::blocked_by_default(),
        abac: false,
    };
    cx.cx.world.buckets.insert(input.bucket, bucket);
    Ok(location)
}

/// Names in an account's regional namespace end in the account, the region and `-an`. They are for the account in the region alone,
/// and a request must say that it means that namespace (S3 user guide, "Namespaces for general purpose buckets"; the codes are those
/// of reports of ansible-collections/amazon.aws, issue 2935, and of moto). No other name may end with `-an` ("General purpose bucket
/// naming rules").
fn check_namespace(cx: &S3Cx<'_>, bucket: &str) -> S3Result<()> {
    let caller = cx.cx.caller;
    let own = format!("-{}-{}-an", caller.account, caller.region);
    match cx.extras.namespace.as_deref() {
        None | Some("global") if !bucket.ends_with("-an") => Ok(()),
        Some("account-regional") if bucket.strip_suffix(&own).is_some_and(|prefix| !prefix.is_empty()) => Ok(()),
        None => Err(error::custom(
            400,
            "MissingNamespaceHeader",
            "The requested bucket is an account-regional namespace bucket, but your request is missing the required \
             x-amz-bucket-namespace header.",
        )),
        Some(_) => Err(error::custom(
            400,
            "InvalidNamespaceHeader",
            format!(
                "The bucket name does not match the namespace: names in the account-regional namespace end with {own}"
            ),
        )),
    }
}

/// The region that a new bucket is to be in. A request must name the region it is sent to, except
/// in the first region, where it must name none.
fn home_region(endpoint: &str, constraint: Option<&str>) -> S3Result<String> {
    let constraint = match constraint {
        // The old name of eu-west-1.
        Some("EU") => Some("eu-west-1"),
        other => other,
    };
    match constraint {
        None if endpoint == FIRST_REGION => Ok(FIRST_REGION.to_owned()),
        None => Err(error::custom(
            400,
            "IllegalLocationConstraintException",
            "The unspecified location constraint is incompatible for the region specific endpoint \
             this request was sent to.",
        )),
        Some(FIRST_REGION) => {
            Err(error::custom(400, "InvalidLocationConstraint", "The specified location-constraint is not valid"))
        }
        Some(region) if region == endpoint || endpoint == FIRST_REGION => Ok(region.to_owned()),
        Some(region) => Err(error::custom(
            400,
            "IllegalLocationConstraintException",
            format!(
                "The {region} location constraint is incompatible for the region specific endpoint \
                 this request was sent to."
            ),
        )),
    }
}

/// In the first region making one's own bucket again succeeds (S3 API reference, CreateBucket).
fn taken(bucket: &Bucket, account: &str, region: &str) -> S3Result<()> {
    if bucket.account != account {
        return Err(error::with(
            S3ErrorCode::BucketAlreadyExists,
            "The requested bucket name is not available. The bucket namespace is shared by all \
             users of the system. Please select a different name and try again.",
        ));
    }
    if bucket.region == FIRST_REGION && region == FIRST_REGION {
        return Ok(());
    }
    Err(error::with(
        S3ErrorCode::BucketAlreadyOwnedByYou,
        "Your previous request to create the named bucket succeeded and you already own it.",
    ))
}

pub(super) fn head(cx: &mut S3Cx<'_>, input: HeadBucketInput) -> S3Result<HeadBucketOutput> {
    let (now, wait) = (cx.cx.now, cx.cx.faults.propagation.s3_ms);
    let bucket = cx.bucket(&input.bucket)?;
    if unseen(bucket.created, now, wait) {
        return Err(S3ErrorCode::NoSuchBucket.into());
    }
    Ok(HeadBucketOutput { bucket_region: Some(bucket.region.clone()), ..Default::default() })
}

/// Works from every region, as S3's does.
pub(super) fn location(cx: &mut S3Cx<'_>, input: GetBucketLocationInput) -> S3Result<GetBucketLocationOutput> {
    let region = match cx.cx.world.buckets.get(&input.bucket) {
        Some(bucket) if bucket.account == cx.cx.caller.account => bucket.region.clone(),
        _ => cx.bucket(&input.bucket)?.region.clone(),
    };
    Ok(GetBucketLocationOutput {
        location_constraint: (region != FIRST_REGION).then(|| BucketLocationConstraint::from(region)),
    })
}

pub(super) fn list(cx: &mut S3Cx<'_>, input: ListBucketsInput) -> S3Result<ListBucketsOutput> {
    let prefix = input.prefix.clone().unwrap_or_default();
    let region = input.bucket_region;
    let account = cx.cx.caller.account.clone();
    let own: Vec<&Bucket> = cx
        .cx
        .world
        .buckets
        .values()
        .filter(|bucket| {
            bucket.account == account
                && bucket.name.starts_with(&prefix)
                && region.as_ref().is_none_or(|region| *region == bucket.region)
        })
        .collect();
    let limit = input.max_buckets.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(10_000);
    let (own, next) = page(own, input.continuation_token.as_deref(), limit, |bucket| bucket.name.clone());
    let buckets = own
        .into_iter()
        .map(|bucket| BucketEntry {
            bucket_region: Some(bucket.region.clone()),
            creation_date: Some(SystemTime::from(bucket.created).into()),
            name: Some(bucket.name.clone()),
        })
        .collect();
    Ok(ListBucketsOutput {
        buckets: Some(buckets),
        continuation_token: next,
        owner: Some(owner(&account)),
        prefix: input.prefix,
    })
}

/// The canonical user of an account: 64 hexadecimal digits that follow from its number.
pub(super) fn owner(account: &str) -> Owner {
    Owner { display_name: None, id: Some(format!("{account:0>64}")) }
}

pub(super) fn delete(cx: &mut S3Cx<'_>, input: DeleteBucketInput) -> S3Result<DeleteBucketOutput> {
    let id = cx.bucket_id(&input.bucket)?;
    let objects = cx.objects.bucket(&id).map_err(|failure| error::storage(&failure))?;
    if !objects.keys.is_empty() {
        return Err(error::with(
            S3ErrorCode::BucketNotEmpty,
            "The bucket you tried to delete is not empty. You must delete all versions in the \
             bucket.",
        ));
    }
    cx.cx.world.buckets.remove(&input.bucket);
    // Should the process die before the world is saved, the bucket is still there and still empty.
    cx.objects.remove_bucket(&id);
    Ok(DeleteBucketOutput::default())
}
