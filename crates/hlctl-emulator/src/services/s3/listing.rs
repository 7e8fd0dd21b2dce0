//! Lists of objects, a page at a time.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::S3Result;
use s3s::dto::{
    ChecksumAlgorithm, CommonPrefix, ETag, EncodingType, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input,
    ListObjectsV2Output, Object as ObjectEntry, ObjectStorageClass,
};

use super::read::modified;
use super::walk::{Step, Walk};
use super::{S3Cx, buckets, error};
use crate::store::objects::{Object, Version};

/// A page has at most 1,000 entries (S3 API reference).
pub(super) const PAGE: i32 = 1000;

/// Percent-encodes a key if the client asked for it, as it must be to survive XML.
pub(super) fn encode(text: &str, encoding: Option<&EncodingType>) -> String {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');
    if encoding.is_some() { utf8_percent_encode(text, KEPT).to_string() } else { text.to_owned() }
}

pub(super) fn limit(asked: Option<i32>) -> S3Result<usize> {
    let asked = asked.unwrap_or(PAGE);
    usize::try_from(asked.min(PAGE))
        .map_err(|_| error::invalid_argument("Argument max-keys must be an integer not below 0"))
}

pub(super) fn objects(cx: &mut S3Cx<'_>, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
    let limit = limit(input.max_keys)?;
    let marker = match &input.continuation_token {
        Some(token) => Some(
            BASE64
                .decode(token)
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .ok_or_else(|| error::invalid_argument("The continuation token provided is incorrect"))?,
        ),
        None => input.start_after.clone(),
    };
    let account = cx.cx.caller.account.clone();
    let bucket = cx.bucket_id(&input.bucket)?;
    let objects = cx.objects.bucket(&bucket).map_err(|failure| error::storage(&failure))?;
    let encoding = input.encoding_type.as_ref();
    let prefix = input.prefix.clone().unwrap_or_default();
    let (mut contents, mut common) = (Vec::new(), Vec::new());
    let mut last = None;
    let mut truncated = false;
    for step in Walk::new(&objects.keys, &prefix, input.delimiter.as_deref(), marker.as_deref()) {
        let (name, entry) = match step {
            Step::Common(name) => (name, None),
            Step::Key(key, versions) => match versions.last() {
                Some(version) if version.object().is_some() => (key.clone(), Some(version)),
                _ => continue,
            },
        };
        if contents.len() + common.len() >= limit {
            truncated = limit > 0;
            break;
        }
        match entry.and_then(|version| Some((version, version.object()?))) {
            Some((version, object)) => {
                let mut entry = object_entry(&name, version, object, encoding);
                entry.owner = input.fetch_owner.unwrap_or(false).then(|| buckets::owner(&account));
                contents.push(entry);
            }
            None => common.push(CommonPrefix { prefix: Some(encode(&name, encoding)) }),
        }
        last = Some(name);
    }
    let count = contents.len() + common.len();
    Ok(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(encode(&prefix, encoding)),
        max_keys: Some(input.max_keys.unwrap_or(PAGE)),
        key_count: i32::try_from(count).ok(),
        continuation_token: input.continuation_token,
        is_truncated: Some(truncated),
        next_continuation_token: last.filter(|_| truncated).map(|name| BASE64.encode(name)),
        contents: (!contents.is_empty()).then_some(contents),
        common_prefixes: (!common.is_empty()).then_some(common),
        delimiter: input.delimiter.as_deref().map(|mark| encode(mark, encoding)),
        start_after: input.start_after,
        encoding_type: input.encoding_type,
        ..Default::default()
    })
}

/// The older list, in terms of the newer.
pub(super) fn objects_v1(cx: &mut S3Cx<'_>, input: ListObjectsInput) -> S3Result<ListObjectsOutput> {
    let marker = input.marker.clone();
    let mut newer = ListObjectsV2Input::from(input);
    newer.fetch_owner = Some(true);
    let output = objects(cx, newer)?;
    let next_marker = output
        .next_continuation_token
        .and_then(|token| BASE64.decode(token).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .map(|name| encode(&name, output.encoding_type.as_ref()));
    Ok(ListObjectsOutput {
        name: output.name,
        prefix: output.prefix,
        marker: Some(marker.unwrap_or_default()),
        max_keys: output.max_keys,
        is_truncated: output.is_truncated,
        contents: output.contents,
        common_prefixes: output.common_prefixes,
        delimiter: output.delimiter,
        next_marker,
        encoding_type: output.encoding_type,
        ..Default::default()
    })
}

fn object_entry(key: &str, version: &Version, object: &Object, encoding: Option<&EncodingType>) -> ObjectEntry {
    ObjectEntry {
        key: Some(encode(key, encoding)),
        e_tag: Some(ETag::Strong(object.etag.clone())),
        last_modified: Some(modified(version)),
        size: i64::try_from(object.size).ok(),
        storage_class: Some(ObjectStorageClass::from(storage_class(object))),
        checksum_algorithm: object
            .checksum
            .as_ref()
            .map(|(algorithm, _)| vec![ChecksumAlgorithm::from(algorithm.clone())]),
        ..Default::default()
    }
}

pub(super) fn storage_class(object: &Object) -> String {
    object.storage_class.clone().unwrap_or_else(|| "STANDARD".to_owned())
}
