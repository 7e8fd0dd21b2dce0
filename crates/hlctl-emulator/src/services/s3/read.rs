//! Reading objects.

use std::time::SystemTime;

use bytes::Bytes;
use s3s::dto::{
    Checksum, ETag, ETagCondition, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, Metadata, Range,
    StorageClass, StreamingBlob, Timestamp,
};
use s3s::{S3Error, S3ErrorCode, S3Result};

use super::object::{algorithm_of, checksums, key_of, meets};
use super::{S3Cx, error};
use crate::store::objects::{Object, Version};

/// The version that a read asks for, and its id where the bucket has versions.
pub(super) fn look_up(
    cx: &mut S3Cx<'_>,
    bucket: &str,
    key: &str,
    version_id: Option<&str>,
) -> S3Result<(Version, Option<String>)> {
    let bucket = cx.bucket(bucket)?;
    let (id, versioned) = (bucket.id.clone(), bucket.versioning.is_some());
    let objects = cx.objects.bucket(&id).map_err(|failure| error::storage(&failure))?;
    let version = match version_id {
        None => objects.newest(key).ok_or_else(error::no_such_key)?,
        Some(wanted) => objects
            .keys
            .get(key)
            .and_then(|versions| versions.iter().find(|version| version.id == wanted))
            .ok_or_else(error::no_such_version)?,
    };
    if version.object().is_none() {
        return Err(deleted(version, version_id.is_some()));
    }
    let shown = versioned.then(|| version.id.clone());
    Ok((version.clone(), shown))
}

/// A delete marker is a missing key, or, asked for by its id, something that cannot be read.
fn deleted(version: &Version, by_id: bool) -> S3Error {
    let mut error = if by_id {
        error::with(S3ErrorCode::MethodNotAllowed, "The specified method is not allowed against this resource.")
    } else {
        error::no_such_key()
    };
    let mut headers = http::HeaderMap::new();
    headers.insert("x-amz-delete-marker", http::HeaderValue::from_static("true"));
    if let Ok(id) = http::HeaderValue::from_str(&version.id) {
        headers.insert("x-amz-version-id", id);
    }
    headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/xml"));
    error.set_headers(headers);
    error
}

fn check_read(etag: &str, if_match: Option<&ETagCondition>, if_none_match: Option<&ETagCondition>) -> S3Result<()> {
    if if_match.is_some_and(|condition| !meets(condition, etag)) {
        return Err(error::precondition_failed());
    }
    if if_none_match.is_some_and(|condition| meets(condition, etag)) {
        return Err(S3ErrorCode::NotModified.into());
    }
    Ok(())
}

pub(super) fn get(cx: &mut S3Cx<'_>, input: GetObjectInput) -> S3Result<GetObjectOutput> {
    let (version, version_id) = look_up(cx, &input.bucket, &input.key, input.version_id.as_deref())?;
    let object = version.object().ok_or_else(error::no_such_key)?;
    check_read(&object.etag, input.if_match.as_ref(), input.if_none_match.as_ref())?;
    let bucket = cx.bucket_id(&input.bucket)?;
    let whole = cx.objects.body(&bucket, &object.body).map_err(|failure| error::storage(&failure))?;
    let (data, content_range) = part_of(whole, input.range.as_ref())?;
    let asked = input.checksum_mode.is_some() && content_range.is_none();
    let sums = if asked { checksums(object) } else { Checksum::default() };
    let header = |name: &str| object.headers.get(name).cloned();
    Ok(GetObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        content_length: i64::try_from(data.len()).ok(),
        content_range,
        body: Some(StreamingBlob::from(s3s::Body::from(data))),
        e_tag: Some(ETag::Strong(object.etag.clone())),
        last_modified: Some(modified(&version)),
        version_id,
        content_type: header("content-type").or_else(|| Some("binary/octet-stream".to_owned())),
        content_encoding: header("content-encoding"),
        content_disposition: header("content-disposition"),
        content_language: header("content-language"),
        cache_control: header("cache-control"),
        metadata: metadata(object),
        server_side_encryption: algorithm_of(object),
        ssekms_key_id: key_of(object),
        storage_class: object.storage_class.clone().map(StorageClass::from),
        tag_count: tag_count(object),
        checksum_crc32: sums.checksum_crc32,
        checksum_crc32c: sums.checksum_crc32c,
        checksum_crc64nvme: sums.checksum_crc64nvme,
        checksum_sha1: sums.checksum_sha1,
        checksum_sha256: sums.checksum_sha256,
        checksum_type: sums.checksum_type,
        ..Default::default()
    })
}

fn part_of(whole: Bytes, range: Option<&Range>) -> S3Result<(Bytes, Option<String>)> {
    let Some(range) = range else {
        return Ok((whole, None));
    };
    let length = whole.len() as u64;
    let wanted = range.check(length).map_err(|_| S3Error::new(S3ErrorCode::InvalidRange))?;
    let content_range = format!("bytes {}-{}/{length}", wanted.start, wanted.end - 1);
    let start = usize::try_from(wanted.start).unwrap_or(usize::MAX);
    let end = usize::try_from(wanted.end).unwrap_or(usize::MAX);
    Ok((whole.slice(start..end), Some(content_range)))
}

pub(super) fn head(cx: &mut S3Cx<'_>, input: HeadObjectInput) -> S3Result<HeadObjectOutput> {
    let (version, version_id) = look_up(cx, &input.bucket, &input.key, input.version_id.as_deref())?;
    let object = version.object().ok_or_else(error::no_such_key)?;
    check_read(&object.etag, input.if_match.as_ref(), input.if_none_match.as_ref())?;
    let sums = if input.checksum_mode.is_some() { checksums(object) } else { Checksum::default() };
    let header = |name: &str| object.headers.get(name).cloned();
    Ok(HeadObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        content_length: i64::try_from(object.size).ok(),
        e_tag: Some(ETag::Strong(object.etag.clone())),
        last_modified: Some(modified(&version)),
        version_id,
        content_type: header("content-type").or_else(|| Some("binary/octet-stream".to_owned())),
        content_encoding: header("content-encoding"),
        content_disposition: header("content-disposition"),
        content_language: header("content-language"),
        cache_control: header("cache-control"),
        metadata: metadata(object),
        server_side_encryption: algorithm_of(object),
        ssekms_key_id: key_of(object),
        storage_class: object.storage_class.clone().map(StorageClass::from),
        checksum_crc32: sums.checksum_crc32,
        checksum_crc32c: sums.checksum_crc32c,
        checksum_crc64nvme: sums.checksum_crc64nvme,
        checksum_sha1: sums.checksum_sha1,
        checksum_sha256: sums.checksum_sha256,
        checksum_type: sums.checksum_type,
        ..Default::default()
    })
}

pub(super) fn modified(version: &Version) -> Timestamp {
    SystemTime::from(version.modified).into()
}

fn metadata(object: &Object) -> Option<Metadata> {
    let pairs = object.metadata.clone();
    (!pairs.is_empty()).then(|| pairs.into_iter().collect())
}

fn tag_count(object: &Object) -> Option<i32> {
    (!object.tags.is_empty()).then(|| i32::try_from(object.tags.len()).ok()).flatten()
}
