//! Lists objects.

use super::place::Prefix;
use hlctl_aws::{AwsError, Caller, ops};
use hlctl_resources::Context;

/// An object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its key, without the prefix that was listed.
    pub name: String,
    /// Its bytes.
    pub size: u64,
    /// Its entity tag.
    pub etag: String,
}

/// The objects under a prefix, in the order of their keys.
///
/// # Errors
/// AWS's.
pub async fn list(cx: &Context, under: &Prefix) -> Result<Vec<Object>, AwsError> {
    list_by(&cx.caller, &cx.clients.s3, under).await
}

/// [`list`] without a stack.
///
/// # Errors
/// AWS's.
pub async fn list_by(caller: &Caller, s3: &aws_sdk_s3::Client, under: &Prefix) -> Result<Vec<Object>, AwsError> {
    let mut objects = Vec::new();
    let mut token = None;
    loop {
        let page = caller
            .call(ops::s3::LIST_OBJECTS_V2, || {
                let list = s3.list_objects_v2().bucket(&under.bucket).prefix(&under.prefix);
                list.set_continuation_token(token.clone()).send()
            })
            .await?;
        for object in page.contents() {
            let missing = |what| AwsError::incomplete(ops::s3::LIST_OBJECTS_V2, what);
            let name = object.key().and_then(|key| key.strip_prefix(&under.prefix));
            objects.push(Object {
                name: name.ok_or_else(|| missing("key under the prefix"))?.to_owned(),
                size: object.size().and_then(|size| u64::try_from(size).ok()).ok_or_else(|| missing("size"))?,
                etag: object.e_tag().ok_or_else(|| missing("ETag"))?.to_owned(),
            });
        }
        token = page.next_continuation_token().map(str::to_owned);
        if token.is_none() {
            return Ok(objects);
        }
    }
}

/// The checksum of a whole object by CRC-64/NVME, as S3 keeps it; `None` where it has none.
///
/// # Errors
/// AWS's.
pub async fn crc64(cx: &Context, under: &Prefix, name: &str) -> Result<Option<String>, AwsError> {
    let key = format!("{}{name}", under.prefix);
    let head = cx
        .call(ops::s3::HEAD_OBJECT, || {
            let mode = aws_sdk_s3::types::ChecksumMode::Enabled;
            cx.clients.s3.head_object().bucket(&under.bucket).key(&key).checksum_mode(mode).send()
        })
        .await?;
    let is_whole = head.checksum_type().is_none_or(|kind| *kind == aws_sdk_s3::types::ChecksumType::FullObject);
    Ok(head.checksum_crc64_nvme().filter(|_| is_whole).map(str::to_owned))
}
