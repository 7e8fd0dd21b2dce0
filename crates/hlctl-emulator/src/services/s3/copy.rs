//! CopyObject.

use s3s::S3Result;
use s3s::dto::{
    ChecksumAlgorithm, CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, ETag, MetadataDirective,
    TaggingDirective,
};

use super::object::{algorithm_of, check_key, checksums, headers, keep_body, key_of, meets, store, tags_of_header};
use super::read::{look_up, modified};
use super::{S3Cx, checksum, encryption, error};

pub(super) fn copy(cx: &mut S3Cx<'_>, input: CopyObjectInput) -> S3Result<CopyObjectOutput> {
    check_key(&input.key)?;
    cx.bucket(&input.bucket)?;
    let CopySource::Bucket { bucket: source_bucket, key: source_key, version_id } = &input.copy_source else {
        return Err(error::invalid_argument("hlctl-emulator does not model copies from access points"));
    };
    let (version, source_version) = look_up(cx, source_bucket, source_key, version_id.as_deref())?;
    let source = version.object().ok_or_else(error::no_such_key)?;
    if input.copy_source_if_match.as_ref().is_some_and(|condition| !meets(condition, &source.etag))
        || input.copy_source_if_none_match.as_ref().is_some_and(|condition| meets(condition, &source.etag))
    {
        return Err(error::precondition_failed());
    }
    let replace = |directive: Option<&str>| directive == Some("REPLACE");
    let new_metadata = replace(input.metadata_directive.as_ref().map(MetadataDirective::as_str));
    let new_tags = replace(input.tagging_directive.as_ref().map(TaggingDirective::as_str));
    let unchanged = **source_bucket == *input.bucket
        && **source_key == *input.key
        && version_id.is_none()
        && !new_metadata
        && input.storage_class.is_none()
        && input.server_side_encryption.is_none();
    if unchanged {
        return Err(error::invalid_request(
            "This copy request is illegal because it is trying to copy an object to itself without \
             changing the object's metadata, storage class, website redirect location or \
             encryption attributes.",
        ));
    }
    let source_id = cx.bucket_id(source_bucket)?;
    let data = cx.objects.body(&source_id, &source.body).map_err(|failure| error::storage(&failure))?;
    let mut object = source.clone();
    if new_metadata {
        object.headers = headers([
            ("content-type", input.content_type.as_deref()),
            ("content-encoding", input.content_encoding.as_deref()),
            ("content-disposition", input.content_disposition.as_deref()),
            ("content-language", input.content_language.as_deref()),
            ("cache-control", input.cache_control.as_deref()),
        ]);
        object.metadata = input.metadata.unwrap_or_default().into_iter().collect();
    }
    if new_tags {
        object.tags = tags_of_header(input.tagging.as_deref());
    }
    object.storage_class = input.storage_class.map(|class| class.as_str().to_owned());
    object.encryption = Some(encryption::of_object(
        cx,
        &input.bucket,
        input.server_side_encryption.as_ref(),
        input.ssekms_key_id.as_deref(),
    )?);
    // The copy is of one piece, whatever the source was made of: its entity tag and its checksum are those of the content (S3 API
    // reference, Object, `ETag`: the MD5 digest, unless the object was made by a multipart upload).
    object.etag = checksum::etag(&data);
    let asked = input.checksum_algorithm.as_ref().map(ChecksumAlgorithm::as_str);
    let algorithm = asked.or(source.checksum.as_ref().map(|(algorithm, _)| algorithm.as_str()));
    object.checksum = Some(checksum::verified(&data, None, &[], algorithm)?);
    let bucket = cx.bucket_id(&input.bucket)?;
    object.body = keep_body(cx, &bucket, &data)?;
    let version_id = store(cx, &input.bucket, &input.key, object.clone())?;
    let sums = checksums(&object);
    let mut written = version;
    written.modified = cx.cx.now;
    Ok(CopyObjectOutput {
        copy_object_result: Some(CopyObjectResult {
            e_tag: Some(ETag::Strong(object.etag.clone())),
            last_modified: Some(modified(&written)),
            checksum_crc32: sums.checksum_crc32,
            checksum_crc32c: sums.checksum_crc32c,
            checksum_crc64nvme: sums.checksum_crc64nvme,
            checksum_sha1: sums.checksum_sha1,
            checksum_sha256: sums.checksum_sha256,
            checksum_type: sums.checksum_type,
        }),
        copy_source_version_id: source_version,
        server_side_encryption: algorithm_of(&object),
        ssekms_key_id: key_of(&object),
        version_id,
        ..Default::default()
    })
}
