//! Writing objects, and what their parts have in common.

use std::collections::BTreeMap;

use bytes::Bytes;
use s3s::dto::{
    Checksum, ChecksumAlgorithm, ChecksumType, ETag, ETagCondition, PutObjectInput, PutObjectOutput,
    ServerSideEncryption,
};
use s3s::{S3ErrorCode, S3Result};

use super::bucket::Versioning;
use super::{S3Cx, checksum, encryption, error};
use crate::store::objects::{Content, Event, Object, Version};

/// A single PUT takes up to 5 GiB (S3 user guide); keys have up to 1,024 bytes.
const LONGEST_KEY: usize = 1024;
/// The version id of what was written without versioning.
pub(super) const NULL: &str = "null";

pub(super) fn put(cx: &mut S3Cx<'_>, input: PutObjectInput, data: Bytes) -> S3Result<PutObjectOutput> {
    check_key(&input.key)?;
    let bucket = cx.bucket_id(&input.bucket)?;
    check_write(cx, &bucket, &input.key, input.if_match.as_ref(), input.if_none_match.as_ref())?;
    let (algorithm, sum) = checksum::verified(
        &data,
        input.content_md5.as_deref(),
        &[
            ("CRC32", input.checksum_crc32.as_deref()),
            ("CRC32C", input.checksum_crc32c.as_deref()),
            ("SHA1", input.checksum_sha1.as_deref()),
            ("SHA256", input.checksum_sha256.as_deref()),
            ("CRC64NVME", input.checksum_crc64nvme.as_deref()),
        ],
        input.checksum_algorithm.as_ref().map(ChecksumAlgorithm::as_str),
    )?;
    let encryption = encryption::of_object(
        cx,
        &input.bucket,
        input.server_side_encryption.as_ref(),
        input.ssekms_key_id.as_deref(),
    )?;
    let object = Object {
        body: keep_body(cx, &bucket, &data)?,
        size: data.len() as u64,
        etag: checksum::etag(&data),
        headers: headers([
            ("content-type", input.content_type.as_deref()),
            ("content-encoding", input.content_encoding.as_deref()),
            ("content-disposition", input.content_disposition.as_deref()),
            ("content-language", input.content_language.as_deref()),
            ("cache-control", input.cache_control.as_deref()),
        ]),
        metadata: input.metadata.unwrap_or_default().into_iter().collect(),
        checksum: Some((algorithm, sum)),
        encryption: Some(encryption),
        storage_class: input.storage_class.map(|class| class.as_str().to_owned()),
        tags: tags_of_header(input.tagging.as_deref()),
    };
    let version_id = store(cx, &input.bucket, &input.key, object.clone())?;
    let sums = checksums(&object);
    Ok(PutObjectOutput {
        e_tag: Some(ETag::Strong(object.etag.clone())),
        version_id,
        server_side_encryption: algorithm_of(&object),
        ssekms_key_id: key_of(&object),
        checksum_crc32: sums.checksum_crc32,
        checksum_crc32c: sums.checksum_crc32c,
        checksum_crc64nvme: sums.checksum_crc64nvme,
        checksum_sha1: sums.checksum_sha1,
        checksum_sha256: sums.checksum_sha256,
        checksum_type: sums.checksum_type,
        ..Default::default()
    })
}

pub(super) fn check_key(key: &str) -> S3Result<()> {
    if key.len() > LONGEST_KEY {
        return Err(error::with(S3ErrorCode::KeyTooLongError, "Your key is too long"));
    }
    Ok(())
}

/// The conditions of a conditional write (S3 user guide, conditional requests).
pub(super) fn check_write(
    cx: &mut S3Cx<'_>,
    bucket: &str,
    key: &str,
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
) -> S3Result<()> {
    let current = current(cx, bucket, key)?;
    let faults = cx.cx.faults.s3;
    let if_none_match = if_none_match.filter(|_| !faults.ignore_if_none_match);
    let if_match = if_match.filter(|_| !faults.ignore_if_match);
    if let Some(condition) = if_none_match {
        if !condition.is_any() {
            return Err(error::with(
                S3ErrorCode::NotImplemented,
                "A header you provided implies functionality that is not implemented: \
                 If-None-Match with an entity tag",
            ));
        }
        if current.is_some() {
            return Err(error::precondition_failed());
        }
    }
    if let Some(condition) = if_match {
        let etag = current.ok_or_else(error::no_such_key)?.etag;
        if !meets(condition, &etag) {
            return Err(error::precondition_failed());
        }
    }
    Ok(())
}

/// The object under `key`, unless there is none or it is deleted.
pub(super) fn current(cx: &mut S3Cx<'_>, bucket: &str, key: &str) -> S3Result<Option<Object>> {
    let objects = cx.objects.bucket(bucket).map_err(|failure| error::storage(&failure))?;
    Ok(objects.newest(key).and_then(Version::object).cloned())
}

pub(super) fn meets(condition: &ETagCondition, etag: &str) -> bool {
    condition.is_any() || condition.as_etag().is_some_and(|wanted| wanted.value() == etag)
}

/// Keeps a content and gives its name.
pub(super) fn keep_body(cx: &mut S3Cx<'_>, bucket: &str, data: &[u8]) -> S3Result<String> {
    if data.is_empty() {
        return Ok(String::new());
    }
    let name = cx.cx.options.ids.hex32();
    cx.objects.put_body(bucket, &name, data).map_err(|failure| error::storage(&failure))?;
    Ok(name)
}

/// Makes `object` the newest version of `key`; the answer is the version id to tell the client.
pub(super) fn store(cx: &mut S3Cx<'_>, bucket: &str, key: &str, object: Object) -> S3Result<Option<String>> {
    let now = cx.cx.now;
    let bucket = cx.bucket(bucket)?;
    let (id, versioning) = (bucket.id.clone(), bucket.versioning);
    let version_id = match versioning {
        Some(Versioning::Enabled) => cx.cx.options.ids.version_id(),
        Some(Versioning::Suspended) | None => NULL.to_owned(),
    };
    let replaced = body_of(cx, &id, key, &version_id)?;
    record(
        cx,
        &id,
        vec![Event::Put {
            key: key.to_owned(),
            version: Version { id: version_id.clone(), modified: now, content: Content::Object(Box::new(object)) },
        }],
    )?;
    cx.objects.remove_body(&id, &replaced);
    Ok(versioning.map(|_| version_id))
}

/// The name of the content of a version; empty if it has none.
pub(super) fn body_of(cx: &mut S3Cx<'_>, bucket: &str, key: &str, version_id: &str) -> S3Result<String> {
    let objects = cx.objects.bucket(bucket).map_err(|failure| error::storage(&failure))?;
    Ok(objects
        .keys
        .get(key)
        .and_then(|versions| versions.iter().find(|version| version.id == version_id))
        .and_then(Version::object)
        .map(|object| object.body.clone())
        .unwrap_or_default())
}

pub(super) fn record(cx: &mut S3Cx<'_>, bucket: &str, events: Vec<Event>) -> S3Result<()> {
    cx.objects.record(bucket, events).map_err(|failure| error::storage(&failure))
}

pub(super) fn headers<const N: usize>(pairs: [(&str, Option<&str>); N]) -> BTreeMap<String, String> {
    pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect()
}

/// `a=1&b=2`, as the header x-amz-tagging has it.
pub(super) fn tags_of_header(header: Option<&str>) -> Vec<(String, String)> {
    form_urlencoded::parse(header.unwrap_or_default().as_bytes()).into_owned().collect()
}

pub(super) fn algorithm_of(object: &Object) -> Option<ServerSideEncryption> {
    let (algorithm, _) = object.encryption.as_ref()?;
    Some(ServerSideEncryption::from(algorithm.clone()))
}

pub(super) fn key_of(object: &Object) -> Option<String> {
    object.encryption.as_ref()?.1.clone()
}

pub(super) fn checksums(object: &Object) -> Checksum {
    shown(object.checksum.as_ref())
}

/// A checksum, in the member of its algorithm.
pub(super) fn shown(checksum: Option<&(String, String)>) -> Checksum {
    let mut sums = Checksum::default();
    let Some((algorithm, sum)) = checksum else {
        return sums;
    };
    let place = match algorithm.as_str() {
        "CRC32" => &mut sums.checksum_crc32,
        "CRC32C" => &mut sums.checksum_crc32c,
        "SHA1" => &mut sums.checksum_sha1,
        "SHA256" => &mut sums.checksum_sha256,
        _ => &mut sums.checksum_crc64nvme,
    };
    *place = Some(sum.clone());
    let is_composite = checksum::is_composite(sum);
    sums.checksum_type =
        Some(ChecksumType::from_static(if is_composite { ChecksumType::COMPOSITE } else { ChecksumType::FULL_OBJECT }));
    sums
}
