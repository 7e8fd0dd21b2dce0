//! Requests made ready for s3s: without signatures, in path style, with plain bodies.

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use quick_xml::escape::escape;
use s3s::crypto::{Checksum as _, Sha256};

use crate::error::AwsError;
use crate::origin::{self, Origin};

/// Takes the signature off, puts the bucket into the path, and undoes `aws-chunked`.
pub(super) fn prepare(request: Request<Bytes>) -> Result<Request<Bytes>, AwsError> {
    let uri = path_style(&request)?;
    let (mut parts, body) = request.into_parts();
    parts.uri = uri;
    let chunked = parts
        .headers
        .get("x-amz-content-sha256")
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("STREAMING-"));
    let body = if chunked {
        let decoded = decode_chunks(&body)?;
        check_decoded_length(&parts.headers, decoded.body.len())?;
        parts.headers.extend(decoded.trailers);
        strip_encoding(&mut parts.headers);
        decoded.body
    } else {
        check_hash(&parts.headers, &body)?;
        body
    };
    for name in
        ["authorization", "x-amz-content-sha256", "x-amz-decoded-content-length", "x-amz-trailer", "transfer-encoding"]
    {
        parts.headers.remove(name);
    }
    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    Ok(Request::from_parts(parts, body))
}

/// The payload's hash must be what the signature says it is.
fn check_hash(headers: &HeaderMap, body: &[u8]) -> Result<(), AwsError> {
    let Some(wanted) =
        headers.get("x-amz-content-sha256").and_then(|value| value.to_str().ok()).filter(|value| value.len() == 64)
    else {
        return Ok(());
    };
    let actual: String = Sha256::checksum(body).iter().map(|byte| format!("{byte:02x}")).collect();
    if actual == wanted {
        return Ok(());
    }
    Err(AwsError::bad_request(
        "XAmzContentSHA256Mismatch",
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
    ))
}

fn check_decoded_length(headers: &HeaderMap, length: usize) -> Result<(), AwsError> {
    let stated =
        headers.get("x-amz-decoded-content-length").and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if stated.is_none_or(|stated| stated == length) {
        return Ok(());
    }
    Err(incomplete())
}

fn incomplete() -> AwsError {
    AwsError::bad_request("IncompleteBody", "The request body terminated unexpectedly")
}

/// Leaves what other encodings an object has.
fn strip_encoding(headers: &mut HeaderMap) {
    let rest = headers
        .get(CONTENT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .map(|value| {
            value
                .split(',')
                .map(str::trim)
                .filter(|coding| !coding.is_empty() && *coding != "aws-chunked")
                .collect::<Vec<_>>()
                .join(",")
        })
        .unwrap_or_default();
    match HeaderValue::from_str(&rest) {
        Ok(value) if !rest.is_empty() => {
            headers.insert(CONTENT_ENCODING, value);
        }
        _ => {
            headers.remove(CONTENT_ENCODING);
        }
    }
}

struct Decoded {
    body: Bytes,
    trailers: HeaderMap,
}

/// Chunks of `size[;chunk-signature=…]\r\n data \r\n`, a chunk of size zero, trailing headers.
fn decode_chunks(encoded: &Bytes) -> Result<Decoded, AwsError> {
    let mut body = BytesMut::with_capacity(encoded.len());
    let mut rest = &encoded[..];
    loop {
        let (line, after) = line(rest).ok_or_else(incomplete)?;
        let digits = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(digits, 16).map_err(|_| incomplete())?;
        if size == 0 {
            rest = after;
            break;
        }
        body.extend_from_slice(after.get(..size).ok_or_else(incomplete)?);
        rest = after.get(size..).and_then(|rest| rest.strip_prefix(b"\r\n")).ok_or_else(incomplete)?;
    }
    let mut trailers = HeaderMap::new();
    while let Some((text, after)) = line(rest) {
        rest = after;
        let Some((name, value)) = text.split_once(':') else {
            continue;
        };
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.trim().as_bytes()), HeaderValue::from_str(value.trim()))
            && name != "x-amz-trailer-signature"
        {
            trailers.insert(name, value);
        }
    }
    Ok(Decoded { body: body.freeze(), trailers })
}

fn line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    Some((std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 2..]))
}

/// The address with its bucket in the path and without presigning parameters.
fn path_style(request: &Request<Bytes>) -> Result<Uri, AwsError> {
    let uri = request.uri();
    let path = match bucket_in_host(&origin::host(request)) {
        Some(bucket) => format!("/{bucket}{}", uri.path()),
        None => uri.path().to_owned(),
    };
    let query: Vec<&str> = uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|part| !part.is_empty() && !part.starts_with("X-Amz-") && !part.starts_with("x-id="))
        .collect();
    let address = if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) };
    address.parse().map_err(|_| AwsError::bad_request("InvalidURI", "Couldn't parse the specified URI."))
}

/// The bucket in `BUCKET.s3.REGION.amazonaws.com` and its kin, or in `BUCKET[.s3].localhost`; the host has no port.
fn bucket_in_host(host: &str) -> Option<&str> {
    if let Some(rest) = host.strip_suffix(".localhost") {
        let bucket = rest.strip_suffix(".s3").unwrap_or(rest);
        return (!bucket.is_empty() && bucket != "s3").then_some(bucket);
    }
    let rest = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"))?;
    [".s3.", ".s3-"]
        .iter()
        .filter_map(|mark| rest.rfind(mark))
        .max()
        .or_else(|| rest.ends_with(".s3").then(|| rest.len() - 3))
        .map(|end| &rest[..end])
}

/// The address of an object, for a client that reached the emulator by `origin`.
pub(super) fn location(origin: &Origin, bucket: &str, key: &str) -> String {
    let key = utf8_percent_encode(key, KEY);
    match bucket_in_host(origin.host()) {
        Some(_) => format!("{}/{key}", origin.base()),
        None => format!("{}/{bucket}/{key}", origin.base()),
    }
}

/// What stays as it is in the path of an object's address.
const KEY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// An error that s3s does not come to see.
pub(super) fn error_response(error: &AwsError, request_id: &str) -> Response<Bytes> {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message>\
         <RequestId>{request_id}</RequestId></Error>",
        escape(error.code.as_str()),
        escape(error.message.as_str()),
    );
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
}

/// Puts the text and the request id into an error that lacks them, as s3s's own do.
pub(super) fn completed(response: Response<Bytes>, request_id: &str) -> Response<Bytes> {
    let status = response.status();
    if status.is_success() || status == StatusCode::NOT_MODIFIED {
        return response;
    }
    response.map(|body| {
        let text = String::from_utf8_lossy(&body);
        let Some(start) = text.strip_suffix("</Error>") else { return body.clone() };
        let code = text.split_once("<Code>").and_then(|(_, rest)| Some(rest.split_once("</Code>")?.0));
        let message = code.filter(|_| !start.contains("<Message>")).map(usual_message);
        let message = message.map(|text| format!("<Message>{text}</Message>")).unwrap_or_default();
        let id =
            if start.contains("<RequestId>") { String::new() } else { format!("<RequestId>{request_id}</RequestId>") };
        Bytes::from(format!("{start}{message}{id}</Error>"))
    })
}

/// What S3 says with a code (S3 API reference, "Error responses").
fn usual_message(code: &str) -> &str {
    match code {
        "AccessDenied" => "Access Denied",
        "IncompleteBody" => "You did not provide the number of bytes specified by the Content-Length HTTP header.",
        "InvalidAccessKeyId" => "The AWS access key ID that you provided does not exist in our records.",
        "InvalidBucketName" => "The specified bucket is not valid.",
        "InvalidURI" => "The specified URI couldn't be parsed.",
        "KeyTooLongError" => "Your key is too long.",
        "MethodNotAllowed" => "The specified method is not allowed against this resource.",
        "NotImplemented" => "A header that you provided implies functionality that is not implemented.",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn chunks_and_their_trailers_are_undone() {
        let encoded = Bytes::from_static(
            b"5;chunk-signature=ab\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n",
        );
        let decoded = decode_chunks(&encoded).unwrap();
        assert_eq!(&decoded.body[..], b"hello world");
        assert_eq!(decoded.trailers["x-amz-checksum-crc32"], "AAAAAA==");
    }

    #[test]
    fn no_error_is_without_a_text_and_a_request_id() {
        let answer = |status: u16, body: &'static str| {
            let response = Response::builder().status(status).body(Bytes::from_static(body.as_bytes())).unwrap();
            String::from_utf8(completed(response, "r").into_body().to_vec()).unwrap()
        };
        let bare = answer(400, "<Error><Code>InvalidBucketName</Code></Error>");
        assert_eq!(
            bare,
            "<Error><Code>InvalidBucketName</Code><Message>The specified bucket is not valid.</Message>\
             <RequestId>r</RequestId></Error>"
        );
        assert!(answer(400, "<Error><Code>Other</Code></Error>").contains("<Message>Other</Message>"));
        let own = "<Error><Code>NoSuchKey</Code><Message>m</Message><RequestId>q</RequestId></Error>";
        assert_eq!(answer(404, own), own);
        assert_eq!(answer(200, "<Error></Error>"), "<Error></Error>");
    }

    #[test]
    fn a_body_that_breaks_off_is_an_error() {
        for encoded in [&b"5\r\nhel"[..], b"zz\r\n", b"5\r\nhello\r\n"] {
            assert!(decode_chunks(&Bytes::copy_from_slice(encoded)).is_err());
        }
    }

    fn path(headers: &[(&str, &str)]) -> String {
        let request = headers.iter().fold(Request::get("/key"), |request, (name, value)| request.header(*name, *value));
        path_style(&request.body(Bytes::new()).unwrap()).unwrap().path().to_owned()
    }

    #[test]
    fn buckets_are_found_in_hosts() {
        for (host, wanted) in [
            ("data.s3.eu-west-2.amazonaws.com", "/data/key"),
            ("Data.S3.eu-west-2.amazonaws.com:443", "/data/key"),
            ("a.b.s3.amazonaws.com", "/a.b/key"),
            ("data.localhost:4566", "/data/key"),
            ("data.s3.localhost", "/data/key"),
            ("s3.localhost:4566", "/key"),
            ("s3.eu-west-2.amazonaws.com", "/key"),
            ("127.0.0.1:4566", "/key"),
            ("[::1]:4566", "/key"),
            ("localhost", "/key"),
        ] {
            assert_eq!(path(&[("host", host)]), wanted, "{host}");
        }
    }

    #[test]
    fn behind_a_proxy_the_bucket_is_in_the_host_that_the_client_named() {
        let forwarded = |host: &str| path(&[("host", "127.0.0.1:4566"), ("x-forwarded-host", host)]);
        assert_eq!(forwarded("data.s3.eu-west-2.amazonaws.com"), "/data/key");
        assert_eq!(forwarded("data.localhost:8443, inner"), "/data/key");
        assert_eq!(forwarded("sandbox.example"), "/key");
        let inner = [("host", "data.localhost:4566"), ("x-forwarded-host", "sandbox.example")];
        assert_eq!(path(&inner), "/key", "the proxy's own name for the sandbox says nothing");
    }
}
