//! The tags of a bucket: read and replaced whole by S3, or, where the bucket has ABAC enabled, changed one by one by S3 Control.

use std::collections::BTreeMap;

use aws_sdk_s3::types::{BucketAbacStatus, Tag, Tagging};
use aws_sdk_s3control::types::Tag as ControlTag;

use super::{NOT_YET_VISIBLE, Recorded};
use crate::tags::{TagChange, without_aws};
use crate::{Context, ResourceError};
use hlctl_aws::{AwsError, ErrorKind, ops};

/// The tags, without AWS's own. With ABAC too S3 tells them (S3 user guide, "Enabling ABAC in general purpose buckets").
pub(super) async fn get(cx: &Context, bucket: &str) -> Result<BTreeMap<String, String>, AwsError> {
    let result =
        cx.call(ops::s3::GET_BUCKET_TAGGING, || cx.clients.s3.get_bucket_tagging().bucket(bucket).send()).await;
    match result {
        Ok(answer) => {
            Ok(without_aws(answer.tag_set().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned()))))
        }
        Err(error) if error.code == "NoSuchTagSet" => Ok(BTreeMap::new()),
        Err(error) => Err(error),
    }
}

/// Tags as S3's requests have them.
pub(super) fn tag_set(tags: &BTreeMap<String, String>) -> Result<Vec<Tag>, ResourceError> {
    tags.iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build().map_err(ResourceError::request))
        .collect()
}

/// Sets all tags, whichever API the bucket takes them by.
pub(super) async fn put(
    cx: &Context,
    recorded: &Recorded,
    tags: &BTreeMap<String, String>,
) -> Result<(), ResourceError> {
    let tagging = Tagging::builder().set_tag_set(Some(tag_set(tags)?)).build().map_err(ResourceError::request)?;
    let call = ops::s3::PUT_BUCKET_TAGGING.eventually(NOT_YET_VISIBLE);
    let s3 = &cx.clients.s3;
    // The whole set is replaced: there is no other way. `aws:` tags survive by themselves.
    let put = || s3.put_bucket_tagging().bucket(&recorded.name).tagging(tagging.clone()).send();
    match cx.call(call, put).await {
        Ok(_) => Ok(()),
        Err(error) if may_be_of_abac(&error) => match has_abac(cx, &recorded.name).await {
            Ok(true) => change_by_control(cx, recorded, tags).await,
            Ok(false) => Err(error.into()),
            // Whether ABAC is behind the refusal is what has to be known next.
            Err(asking) if asking.kind == ErrorKind::Denied && error.kind != ErrorKind::Denied => Err(asking.into()),
            Err(_) => Err(error.into()),
        },
        Err(error) => Err(error.into()),
    }
}

/// Whether S3 has refused the call, for whatever reason: no page names the error by which it refuses `PutBucketTagging` where ABAC
/// is enabled.
fn may_be_of_abac(error: &AwsError) -> bool {
    matches!(error.kind, ErrorKind::Refused | ErrorKind::Denied | ErrorKind::Conflict)
}

/// Whether tags control access to the bucket.
async fn has_abac(cx: &Context, bucket: &str) -> Result<bool, AwsError> {
    let call = || cx.clients.s3.get_bucket_abac().bucket(bucket).send();
    let answer = cx.call(ops::s3::GET_BUCKET_ABAC, call).await?;
    let status = answer.abac_status().and_then(|status| status.status());
    Ok(status == Some(&BucketAbacStatus::Enabled))
}

/// S3 Control adds and removes single tags (S3 API reference, `TagResource`).
async fn change_by_control(
    cx: &Context,
    recorded: &Recorded,
    tags: &BTreeMap<String, String>,
) -> Result<(), ResourceError> {
    let change = TagChange::between(&get(cx, &recorded.name).await?, tags);
    let (control, account) = (&cx.clients.s3control, &cx.identity.account);
    if !change.set.is_empty() {
        let tag = |(key, value)| ControlTag::builder().key(key).value(value).build().map_err(ResourceError::request);
        let set = change.set.into_iter().map(tag).collect::<Result<Vec<_>, _>>()?;
        let send = || {
            let send = control.tag_resource().account_id(account).resource_arn(&recorded.arn);
            send.set_tags(Some(set.clone())).send()
        };
        cx.call(ops::s3::TAG_RESOURCE, send).await?;
    }
    if !change.remove.is_empty() {
        let send = || {
            let send = control.untag_resource().account_id(account).resource_arn(&recorded.arn);
            send.set_tag_keys(Some(change.remove.clone())).send()
        };
        cx.call(ops::s3::UNTAG_RESOURCE, send).await?;
    }
    Ok(())
}
