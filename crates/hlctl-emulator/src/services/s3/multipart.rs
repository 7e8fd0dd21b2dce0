//! Multipart uploads.

use bytes::BytesMut;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, ChecksumAlgorithm, ChecksumType,
    CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart, CreateMultipartUploadInput,
    CreateMultipartUploadOutput, ETag, ListMultipartUploadsInput, ListMultipartUploadsOutput, ListPartsInput,
    ListPartsOutput, MultipartUpload, Part as PartEntry,
};
use s3s::{S3ErrorCode, S3Result};
use std::time::SystemTime;

use super::object::{
    algorithm_of, check_key, check_write, checksums, headers, keep_body, key_of, record, shown, store, tags_of_header,
};
use super::{S3Cx, buckets, checksum, encryption, error, wire};
use crate::store::objects::{Event, Object, Part, Upload};

/// All parts but the last have at least 5 MiB, and there are at most 10,000 (S3 user guide).
const SMALLEST: u64 = 5 * 1024 * 1024;
pub(super) const MOST: i32 = 10_000;

pub(super) fn create(cx: &mut S3Cx<'_>, input: CreateMultipartUploadInput) -> S3Result<CreateMultipartUploadOutput> {
    check_key(&input.key)?;
    let bucket = cx.bucket_id(&input.bucket)?;
    let encryption = encryption::of_object(
        cx,
        &input.bucket,
        input.server_side_encryption.as_ref(),
        input.ssekms_key_id.as_deref(),
    )?;
    let object = Object {
        headers: headers([
            ("content-type", input.content_type.as_deref()),
            ("content-encoding", input.content_encoding.as_deref()),
            ("content-disposition", input.content_disposition.as_deref()),
            ("content-language", input.content_language.as_deref()),
            ("cache-control", input.cache_control.as_deref()),
        ]),
        metadata: input.metadata.unwrap_or_default().into_iter().collect(),
        encryption: Some(encryption),
        storage_class: input.storage_class.map(|class| class.as_str().to_owned()),
        tags: tags_of_header(input.tagging.as_deref()),
        ..Object::default()
    };
    let asked = input.checksum_algorithm.as_ref().map(ChecksumAlgorithm::as_str);
    let checksum = checksum::of_upload(asked, input.checksum_type.as_ref().map(ChecksumType::as_str))?;
    let id = cx.cx.options.ids.hex32();
    let output = CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key.clone()),
        upload_id: Some(id.clone()),
        server_side_encryption: algorithm_of(&object),
        ssekms_key_id: key_of(&object),
        checksum_algorithm: Some(ChecksumAlgorithm::from(checksum.0.clone())),
        checksum_type: Some(kind_of(checksum.1)),
        ..Default::default()
    };
    let upload =
        Upload { key: input.key, started: cx.cx.now, object, checksum: Some(checksum), parts: Default::default() };
    let upload = Box::new(upload);
    record(cx, &bucket, vec![Event::UploadStarted { id, upload }])?;
    Ok(output)
}

fn kind_of(is_composite: bool) -> ChecksumType {
    ChecksumType::from_static(if is_composite { ChecksumType::COMPOSITE } else { ChecksumType::FULL_OBJECT })
}

/// The upload `id` of `key`, and the id of its bucket.
pub(super) fn find(cx: &mut S3Cx<'_>, bucket: &str, key: &str, id: &str) -> S3Result<(String, Upload)> {
    let bucket = cx.bucket_id(bucket)?;
    let objects = cx.objects.bucket(&bucket).map_err(|failure| error::storage(&failure))?;
    let upload = objects.uploads.get(id).filter(|upload| upload.key == key).cloned().ok_or_else(|| {
        error::with(
            S3ErrorCode::NoSuchUpload,
            "The specified upload does not exist. The upload ID may be invalid, or the upload \
                 may have been aborted or completed.",
        )
    })?;
    Ok((bucket, upload))
}

pub(super) fn complete(
    cx: &mut S3Cx<'_>,
    input: CompleteMultipartUploadInput,
) -> S3Result<CompleteMultipartUploadOutput> {
    let (bucket, upload) = find(cx, &input.bucket, &input.key, &input.upload_id)?;
    let wanted = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
    let parts = chosen(&upload, &wanted)?;
    check_write(cx, &bucket, &input.key, input.if_match.as_ref(), input.if_none_match.as_ref())?;
    let mut data = BytesMut::new();
    for part in &parts {
        let body = cx.objects.body(&bucket, &part.body).map_err(|failure| error::storage(&failure))?;
        data.extend_from_slice(&body);
    }
    let mut object = upload.object.clone();
    let claims = [
        ("CRC32", input.checksum_crc32.as_deref()),
        ("CRC32C", input.checksum_crc32c.as_deref()),
        ("SHA1", input.checksum_sha1.as_deref()),
        ("SHA256", input.checksum_sha256.as_deref()),
        ("CRC64NVME", input.checksum_crc64nvme.as_deref()),
    ];
    let kind = input.checksum_type.as_ref().map(ChecksumType::as_str);
    object.checksum = Some(whole_checksum(&upload, &parts, &data, (&claims, kind))?);
    object.size = data.len() as u64;
    object.etag = checksum::etag_of_parts(parts.iter().map(|part| part.etag.as_str()));
    object.body = keep_body(cx, &bucket, &data)?;
    let version_id = store(cx, &input.bucket, &input.key, object.clone())?;
    end(cx, &bucket, input.upload_id, &upload)?;
    let sums = checksums(&object);
    Ok(CompleteMultipartUploadOutput {
        location: Some(wire::location(&cx.cx.caller.origin, &input.bucket, &input.key)),
        checksum_crc32: sums.checksum_crc32,
        checksum_crc32c: sums.checksum_crc32c,
        checksum_crc64nvme: sums.checksum_crc64nvme,
        checksum_sha1: sums.checksum_sha1,
        checksum_sha256: sums.checksum_sha256,
        checksum_type: sums.checksum_type,
        bucket: Some(input.bucket),
        key: Some(input.key),
        e_tag: Some(ETag::Strong(object.etag.clone())),
        server_side_encryption: algorithm_of(&object),
        ssekms_key_id: key_of(&object),
        version_id,
        ..Default::default()
    })
}

/// The checksum of the whole object, after comparing what the client claims.
fn whole_checksum(
    upload: &Upload,
    parts: &[&Part],
    data: &[u8],
    (claims, kind): (&checksum::Claims<'_>, Option<&str>),
) -> S3Result<(String, String)> {
    let (algorithm, is_composite) = upload.checksum.clone().map_or_else(|| checksum::of_upload(None, None), Ok)?;
    if kind.is_some_and(|kind| kind != kind_of(is_composite).as_str()) {
        return Err(error::invalid_request(format!(
            "The upload was created using the {} checksum mode. The complete request must use the same checksum mode.",
            kind_of(is_composite).as_str()
        )));
    }
    if !is_composite {
        let claims: Vec<_> = claims.iter().copied().filter(|(name, _)| *name == algorithm).collect();
        return checksum::verified(data, None, &claims, Some(&algorithm));
    }
    // A part of an upload that an older sandbox began may have none.
    let sums = parts.iter().map(|part| part.checksum.as_ref().map_or("", |(_, sum)| sum.as_str()));
    let whole = checksum::composite(&algorithm, sums);
    let claim = claims.iter().find_map(|(name, claim)| claim.filter(|_| *name == algorithm));
    let (bare, _) = whole.split_once('-').unwrap_or((&whole, ""));
    if claim.is_some_and(|claim| claim != whole && claim != bare) {
        let message = format!("The {algorithm} you specified did not match the calculated checksum.");
        return Err(error::with(S3ErrorCode::BadDigest, message));
    }
    Ok((algorithm, whole))
}

/// Whether a part has the checksum that the client lists it with, if it does.
fn has_listed_checksum(part: &Part, listed: &CompletedPart) -> bool {
    let Some((algorithm, sum)) = &part.checksum else { return true };
    let claim = match algorithm.as_str() {
        "CRC32" => &listed.checksum_crc32,
        "CRC32C" => &listed.checksum_crc32c,
        "SHA1" => &listed.checksum_sha1,
        "SHA256" => &listed.checksum_sha256,
        _ => &listed.checksum_crc64nvme,
    };
    claim.as_ref().is_none_or(|claim| claim == sum)
}

/// The parts that the client lists, which must be there, in order, and large enough.
fn chosen<'a>(upload: &'a Upload, wanted: &[CompletedPart]) -> S3Result<Vec<&'a Part>> {
    if wanted.is_empty() {
        return Err(error::malformed_xml());
    }
    let mut parts = Vec::new();
    let mut before = 0;
    for part in wanted {
        let number = part.part_number.unwrap_or_default();
        if number <= before {
            return Err(error::with(S3ErrorCode::InvalidPartOrder, "The list of parts was not in ascending order."));
        }
        before = number;
        let found = upload
            .parts
            .get(&number)
            .filter(|found| part.e_tag.as_ref().is_none_or(|etag| etag.value() == found.etag))
            .filter(|found| has_listed_checksum(found, part))
            .ok_or_else(|| {
                error::with(S3ErrorCode::InvalidPart, "One or more of the specified parts could not be found.")
            })?;
        parts.push(found);
    }
    if let Some((_, all_but_last)) = parts.split_last()
        && all_but_last.iter().any(|part| part.size < SMALLEST)
    {
        return Err(error::with(
            S3ErrorCode::EntityTooSmall,
            "Your proposed upload is smaller than the minimum allowed size",
        ));
    }
    Ok(parts)
}

fn end(cx: &mut S3Cx<'_>, bucket: &str, id: String, upload: &Upload) -> S3Result<()> {
    record(cx, bucket, vec![Event::UploadEnded { id }])?;
    for part in upload.parts.values() {
        cx.objects.remove_body(bucket, &part.body);
    }
    Ok(())
}

pub(super) fn abort(cx: &mut S3Cx<'_>, input: AbortMultipartUploadInput) -> S3Result<AbortMultipartUploadOutput> {
    let (bucket, upload) = find(cx, &input.bucket, &input.key, &input.upload_id)?;
    end(cx, &bucket, input.upload_id, &upload)?;
    Ok(AbortMultipartUploadOutput::default())
}

pub(super) fn list_parts(cx: &mut S3Cx<'_>, input: ListPartsInput) -> S3Result<ListPartsOutput> {
    let (_, upload) = find(cx, &input.bucket, &input.key, &input.upload_id)?;
    let (algorithm, kind) = upload.checksum.clone().unzip();
    let marker = input.part_number_marker.unwrap_or(0);
    let limit = usize::try_from(input.max_parts.unwrap_or(1000).min(1000)).unwrap_or(1000);
    let rest: Vec<(i32, &Part)> = upload.parts.range(marker + 1..).map(|(number, part)| (*number, part)).collect();
    let truncated = rest.len() > limit;
    let parts: Vec<PartEntry> = rest
        .iter()
        .take(limit)
        .map(|(number, part)| (number, part, shown(part.checksum.as_ref())))
        .map(|(number, part, sums)| PartEntry {
            checksum_crc32: sums.checksum_crc32,
            checksum_crc32c: sums.checksum_crc32c,
            checksum_crc64nvme: sums.checksum_crc64nvme,
            checksum_sha1: sums.checksum_sha1,
            checksum_sha256: sums.checksum_sha256,
            e_tag: Some(ETag::Strong(part.etag.clone())),
            last_modified: Some(SystemTime::from(part.modified).into()),
            part_number: Some(*number),
            size: i64::try_from(part.size).ok(),
        })
        .collect();
    Ok(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        is_truncated: Some(truncated),
        max_parts: i32::try_from(limit).ok(),
        part_number_marker: Some(marker),
        next_part_number_marker: parts.last().and_then(|part| part.part_number),
        parts: Some(parts),
        owner: Some(buckets::owner(&cx.cx.caller.account)),
        checksum_algorithm: algorithm.map(ChecksumAlgorithm::from),
        checksum_type: kind.map(kind_of),
        ..Default::default()
    })
}

pub(super) fn list(cx: &mut S3Cx<'_>, input: ListMultipartUploadsInput) -> S3Result<ListMultipartUploadsOutput> {
    if input.delimiter.is_some() {
        return Err(error::with(
            S3ErrorCode::NotImplemented,
            "hlctl-emulator does not model s3:ListMultipartUploads with a delimiter",
        ));
    }
    let bucket = cx.bucket_id(&input.bucket)?;
    let objects = cx.objects.bucket(&bucket).map_err(|failure| error::storage(&failure))?;
    let prefix = input.prefix.clone().unwrap_or_default();
    let marker = (input.key_marker.clone().unwrap_or_default(), input.upload_id_marker.clone());
    let mut uploads: Vec<(&String, &Upload)> = objects
        .uploads
        .iter()
        .filter(|(id, upload)| {
            upload.key.starts_with(&prefix)
                && match &marker {
                    (key, _) if key.is_empty() => true,
                    (key, None) => upload.key > *key,
                    (key, Some(marker)) => (&upload.key, *id) > (key, marker),
                }
        })
        .collect();
    uploads.sort_by_key(|(id, upload)| (upload.key.clone(), (*id).clone()));
    let limit = usize::try_from(input.max_uploads.unwrap_or(1000).min(1000)).unwrap_or(1000);
    let truncated = uploads.len() > limit;
    uploads.truncate(limit);
    let last = uploads.last().filter(|_| truncated).map(|(id, upload)| (upload.key.clone(), (*id).clone()));
    let entries = uploads
        .iter()
        .map(|(id, upload)| MultipartUpload {
            initiated: Some(SystemTime::from(upload.started).into()),
            key: Some(upload.key.clone()),
            upload_id: Some((*id).clone()),
            ..Default::default()
        })
        .collect();
    Ok(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        prefix: Some(prefix),
        key_marker: input.key_marker,
        upload_id_marker: input.upload_id_marker,
        max_uploads: i32::try_from(limit).ok(),
        is_truncated: Some(truncated),
        next_key_marker: last.as_ref().map(|(key, _)| key.clone()),
        next_upload_id_marker: last.map(|(_, id)| id),
        uploads: Some(entries),
        ..Default::default()
    })
}
