//! Checksums that clients send and ask for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::{S3ErrorCode, S3Result};

use super::error;

/// What S3 computes where the client names no algorithm (S3 user guide).
const DEFAULT: &str = "CRC64NVME";

/// The checksums of a request, each by its algorithm.
pub(super) type Claims<'a> = [(&'a str, Option<&'a str>)];

/// The checksum of a content by the algorithm that the request uses, after comparing what it claims.
pub(super) fn verified(
    data: &[u8],
    content_md5: Option<&str>,
    claims: &Claims<'_>,
    algorithm: Option<&str>,
) -> S3Result<(String, String)> {
    if content_md5.is_some_and(|claim| claim != BASE64.encode(Md5::checksum(data))) {
        return Err(error::with(
            S3ErrorCode::BadDigest,
            "The Content-MD5 you specified did not match what we received.",
        ));
    }
    let mut algorithm = algorithm.unwrap_or(DEFAULT).to_owned();
    for (name, claim) in claims {
        let Some(claim) = claim else { continue };
        if compute(name, data) != *claim {
            return Err(error::with(
                S3ErrorCode::BadDigest,
                format!("The {name} you specified did not match the calculated checksum."),
            ));
        }
        (*name).clone_into(&mut algorithm);
    }
    let sum = compute(&algorithm, data);
    Ok((algorithm, sum))
}

fn compute(algorithm: &str, data: &[u8]) -> String {
    match algorithm {
        "CRC32" => BASE64.encode(Crc32::checksum(data)),
        "CRC32C" => BASE64.encode(Crc32c::checksum(data)),
        "SHA1" => BASE64.encode(Sha1::checksum(data)),
        "SHA256" => BASE64.encode(Sha256::checksum(data)),
        _ => BASE64.encode(Crc64Nvme::checksum(data)),
    }
}

/// Hexadecimal MD5, which is an object's entity tag.
pub(super) fn etag(data: &[u8]) -> String {
    hex(&Md5::checksum(data))
}

/// The entity tag of an object made of parts: the MD5 of their MD5s, and how many they are.
pub(super) fn etag_of_parts<'a>(parts: impl ExactSizeIterator<Item = &'a str>) -> String {
    let count = parts.len();
    let mut hasher = Md5::new();
    for part in parts {
        let bytes: Vec<u8> =
            (0..part.len()).step_by(2).filter_map(|at| u8::from_str_radix(part.get(at..at + 2)?, 16).ok()).collect();
        hasher.update(&bytes);
    }
    format!("{}-{count}", hex(&hasher.finalize()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    const NONE: [(&str, Option<&str>); 5] =
        [("CRC32", None), ("CRC32C", None), ("SHA1", None), ("SHA256", None), ("CRC64NVME", None)];

    #[test]
    fn a_wrong_claim_is_a_bad_digest() {
        let mut claims = NONE;
        claims[0].1 = Some("AAAAAA==");
        assert!(verified(b"hello", None, &claims, None).is_err());
        claims[0].1 = Some("NhCmhg==");
        assert_eq!(
            verified(b"hello", Some("XUFAKrxLKna5cZ2REBfFkg=="), &claims, None).unwrap(),
            ("CRC32".to_owned(), "NhCmhg==".to_owned())
        );
        assert!(verified(b"hello", Some("AAAA"), &NONE, None).is_err());
    }

    #[test]
    fn entity_tags_are_md5() {
        assert_eq!(etag(b"hello"), "5d41402abc4b2a76b9719d911017c592");
        assert!(etag_of_parts([etag(b"a").as_str()].into_iter()).ends_with("-1"));
    }
}
