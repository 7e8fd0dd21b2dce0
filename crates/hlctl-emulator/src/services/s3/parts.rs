//! The parts of a multipart upload: sent, or copied from another object.

use bytes::Bytes;
use s3s::dto::{
    ChecksumAlgorithm, CopyPartResult, CopySource, ETag, UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput,
    UploadPartOutput,
};
use s3s::{S3ErrorCode, S3Result};

use super::multipart::{MOST, find};
use super::object::{algorithm_of, keep_body, key_of, meets, record, shown};
use super::read::look_up;
use super::{S3Cx, checksum, error};
use crate::store::objects::{Event, Part, Upload};

/// Where a part goes.
struct Place {
    bucket: String,
    upload: Upload,
    id: String,
    number: i32,
}

impl Place {
    fn find(cx: &mut S3Cx<'_>, (bucket, key): (&str, &str), id: String, number: i32) -> S3Result<Self> {
        let (bucket, upload) = find(cx, bucket, key, &id)?;
        if !(1..=MOST).contains(&number) {
            let message = format!("Part number must be an integer between 1 and {MOST}, inclusive");
            return Err(error::invalid_argument(message));
        }
        Ok(Self { bucket, upload, id, number })
    }

    /// The algorithm of the upload's checksums.
    fn algorithm(&self) -> Option<&str> {
        self.upload.checksum.as_ref().map(|(algorithm, _)| algorithm.as_str())
    }

    /// Keeps a part; one of the same number gives way.
    fn put(self, cx: &mut S3Cx<'_>, data: &[u8], checksum: (String, String)) -> S3Result<Part> {
        let part = Part {
            size: data.len() as u64,
            etag: checksum::etag(data),
            modified: cx.cx.now,
            body: keep_body(cx, &self.bucket, data)?,
            checksum: Some(checksum),
        };
        record(cx, &self.bucket, vec![Event::PartPut { id: self.id, number: self.number, part: part.clone() }])?;
        if let Some(old) = self.upload.parts.get(&self.number) {
            cx.objects.remove_body(&self.bucket, &old.body);
        }
        Ok(part)
    }
}

pub(super) fn upload(cx: &mut S3Cx<'_>, input: UploadPartInput, data: Bytes) -> S3Result<UploadPartOutput> {
    let place = Place::find(cx, (&input.bucket, &input.key), input.upload_id, input.part_number)?;
    let asked = input.checksum_algorithm.as_ref().map(ChecksumAlgorithm::as_str);
    let sum = checksum::verified(
        &data,
        input.content_md5.as_deref(),
        &[
            ("CRC32", input.checksum_crc32.as_deref()),
            ("CRC32C", input.checksum_crc32c.as_deref()),
            ("SHA1", input.checksum_sha1.as_deref()),
            ("SHA256", input.checksum_sha256.as_deref()),
            ("CRC64NVME", input.checksum_crc64nvme.as_deref()),
        ],
        asked.or(place.algorithm()),
    )?;
    // The object's checksum is one of its parts' by the upload's algorithm, whatever a part was sent with.
    let kept = match place.algorithm().filter(|algorithm| *algorithm != sum.0) {
        Some(algorithm) => checksum::verified(&data, None, &[], Some(algorithm))?,
        None => sum.clone(),
    };
    let (encryption, key) = (algorithm_of(&place.upload.object), key_of(&place.upload.object));
    let part = place.put(cx, &data, kept)?;
    let sums = shown(Some(&sum));
    Ok(UploadPartOutput {
        e_tag: Some(ETag::Strong(part.etag)),
        server_side_encryption: encryption,
        ssekms_key_id: key,
        checksum_crc32: sums.checksum_crc32,
        checksum_crc32c: sums.checksum_crc32c,
        checksum_crc64nvme: sums.checksum_crc64nvme,
        checksum_sha1: sums.checksum_sha1,
        checksum_sha256: sums.checksum_sha256,
        ..Default::default()
    })
}

pub(super) fn copy(cx: &mut S3Cx<'_>, input: UploadPartCopyInput) -> S3Result<UploadPartCopyOutput> {
    let place = Place::find(cx, (&input.bucket, &input.key), input.upload_id, input.part_number)?;
    let CopySource::Bucket { bucket, key, version_id } = &input.copy_source else {
        return Err(error::invalid_argument("hlctl-emulator does not model copies from access points"));
    };
    let (version, source_version) = look_up(cx, bucket, key, version_id.as_deref())?;
    let source = version.object().ok_or_else(error::no_such_key)?;
    if input.copy_source_if_match.as_ref().is_some_and(|condition| !meets(condition, &source.etag))
        || input.copy_source_if_none_match.as_ref().is_some_and(|condition| meets(condition, &source.etag))
    {
        return Err(error::precondition_failed());
    }
    let bucket = cx.bucket_id(bucket)?;
    let whole = cx.objects.body(&bucket, &source.body).map_err(|failure| error::storage(&failure))?;
    let data = match input.copy_source_range.as_deref() {
        Some(range) => {
            let (from, to) = range_of(range, whole.len())?;
            whole.slice(from..to)
        }
        None => whole,
    };
    let sum = checksum::verified(&data, None, &[], place.algorithm())?;
    let (encryption, key) = (algorithm_of(&place.upload.object), key_of(&place.upload.object));
    let part = place.put(cx, &data, sum)?;
    let sums = shown(part.checksum.as_ref());
    Ok(UploadPartCopyOutput {
        copy_part_result: Some(CopyPartResult {
            e_tag: Some(ETag::Strong(part.etag)),
            last_modified: Some(std::time::SystemTime::from(part.modified).into()),
            checksum_crc32: sums.checksum_crc32,
            checksum_crc32c: sums.checksum_crc32c,
            checksum_crc64nvme: sums.checksum_crc64nvme,
            checksum_sha1: sums.checksum_sha1,
            checksum_sha256: sums.checksum_sha256,
        }),
        copy_source_version_id: source_version,
        server_side_encryption: encryption,
        ssekms_key_id: key,
        ..Default::default()
    })
}

/// `bytes=FIRST-LAST`, which must be there in full (API reference, UploadPartCopy).
fn range_of(text: &str, length: usize) -> S3Result<(usize, usize)> {
    let malformed = || {
        error::invalid_argument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based \
             offsets of the first and last bytes to copy",
        )
    };
    let (first, last) = text.strip_prefix("bytes=").and_then(|range| range.split_once('-')).ok_or_else(malformed)?;
    let number = |digits: &str| digits.parse::<usize>().map_err(|_| malformed());
    let (first, last) = (number(first)?, number(last)?);
    if first > last {
        return Err(malformed());
    }
    if last >= length {
        let message = format!("Range specified is not valid for source object of size: {length}");
        return Err(error::with(S3ErrorCode::InvalidArgument, message));
    }
    Ok((first, last + 1))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn a_range_of_a_copy_names_both_ends_within_the_source() {
        assert_eq!(range_of("bytes=0-9", 10).unwrap(), (0, 10));
        assert_eq!(range_of("bytes=3-3", 10).unwrap(), (3, 4));
        for range in
            ["bytes=0-10", "bytes=5-4", "bytes=-5", "bytes=5-", "0-9", "bytes=a-b", "bytes=0-18446744073709551615"]
        {
            assert!(range_of(range, 10).is_err(), "{range}");
        }
    }
}
