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

/// The checksum of an object of parts with these checksums, and how many they are (S3 user guide, "Checking object integrity").
pub(super) fn composite<'a>(algorithm: &str, parts: impl ExactSizeIterator<Item = &'a str>) -> String {
    let count = parts.len();
    let raw: Vec<u8> = parts.filter_map(|sum| BASE64.decode(sum).ok()).flatten().collect();
    format!("{}-{count}", compute(algorithm, &raw))
}

/// Whether a checksum is one of parts' checksums. Base64 has no hyphen.
pub(super) fn is_composite(sum: &str) -> bool {
    sum.contains('-')
}

/// The algorithm of an upload in parts, and whether its checksum is one of the parts' checksums. Of the algorithms some know only
/// the one, some only the other (S3 user guide, "Checking object integrity").
pub(super) fn of_upload(algorithm: Option<&str>, kind: Option<&str>) -> S3Result<(String, bool)> {
    let algorithm = algorithm.unwrap_or(DEFAULT);
    let is_composite = match (algorithm, kind) {
        ("CRC32" | "CRC32C", kind) => kind != Some("FULL_OBJECT"),
        ("SHA1" | "SHA256", None | Some("COMPOSITE")) => true,
        (DEFAULT, None | Some("FULL_OBJECT")) => false,
        (_, kind) => {
            return Err(error::invalid_request(format!(
                "The {} checksum type cannot be used with the {} checksum algorithm.",
                kind.unwrap_or_default(),
                algorithm.to_ascii_lowercase()
            )));
        }
    };
    Ok((algorithm.to_owned(), is_composite))
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
    fn a_checksum_of_parts_is_one_of_their_checksums() {
        let parts = [compute("CRC32", b"hello"), compute("CRC32", b"world")];
        let sum = composite("CRC32", parts.iter().map(String::as_str));
        let raw: Vec<u8> = parts.iter().flat_map(|part| BASE64.decode(part).unwrap()).collect();
        assert_eq!(sum, format!("{}-2", compute("CRC32", &raw)));
        assert!(is_composite(&sum) && !is_composite(&parts[0]));
    }

    #[test]
    fn each_algorithm_has_its_kinds() {
        let composite = |algorithm, kind| of_upload(Some(algorithm), kind).ok().map(|(_, is_composite)| is_composite);
        assert_eq!(composite("CRC32", None), Some(true));
        assert_eq!(composite("CRC32C", Some("FULL_OBJECT")), Some(false));
        assert_eq!(composite("SHA256", Some("COMPOSITE")), Some(true));
        assert_eq!(composite("SHA256", Some("FULL_OBJECT")), None);
        assert_eq!(composite("CRC64NVME", Some("COMPOSITE")), None);
        assert_eq!(of_upload(None, None).unwrap(), ("CRC64NVME".to_owned(), false));
    }

    #[test]
    fn entity_tags_are_md5() {
        assert_eq!(etag(b"hello"), "5d41402abc4b2a76b9719d911017c592");
        assert!(etag_of_parts([etag(b"a").as_str()].into_iter()).ends_with("-1"));
    }
}
