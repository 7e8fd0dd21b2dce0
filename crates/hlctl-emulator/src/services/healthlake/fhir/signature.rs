//! Signature Version 4, verified for the access keys whose secret is known (IAM user guide, "Create a signed AWS API request").
//!
//! The refusal of a signature that does not match tells the canonical request and the string to sign, as those of AWS's services
//! do that tell them. Presigned addresses are not verified: they are refused.

use std::fmt::Write as _;

use bytes::Bytes;
use http::Request;
use http::header::{AUTHORIZATION, HOST};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use ring::hmac;
use sha2::{Digest as _, Sha256};

use super::refusal::{Outcome, Refusal};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const TIME: &str = "%Y%m%dT%H%M%SZ";
/// How far the time of a request may be from now.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const PATH: &AsciiSet = &UNRESERVED.remove(b'/');
const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                        Access Key and signing method. Consult the service documentation for details.";

/// Checks the signature of a request that was made with this secret key.
pub(super) fn verify(request: &Request<Bytes>, secret: &str, now: Timestamp) -> Outcome<()> {
    let signed = Signed::of(request)?;
    signed.check_time(now)?;
    signed.check_headers(request)?;
    let canonical = signed.canonical(request);
    let string_to_sign =
        format!("{ALGORITHM}\n{}\n{}\n{}", signed.time, signed.scope, hex(&Sha256::digest(canonical.as_bytes())));
    let key =
        signed.scope.split('/').fold(format!("AWS4{secret}").into_bytes(), |key, part| mac(&key, part.as_bytes()));
    if hex(&mac(&key, string_to_sign.as_bytes())) == signed.signature {
        return Ok(());
    }
    Err(invalid(format!(
        "{MISMATCH}\n\nThe Canonical String for this request should have been\n'{canonical}'\n\nThe String-to-Sign should have \
         been\n'{string_to_sign}'\n"
    )))
}

/// What the `Authorization` header and the headers next to it say.
struct Signed<'r> {
    /// What follows the access key: day, region, service and the end.
    scope: &'r str,
    headers: Vec<&'r str>,
    signature: &'r str,
    time: &'r str,
}

impl<'r> Signed<'r> {
    fn of(request: &'r Request<Bytes>) -> Outcome<Self> {
        let authorization = value(request, AUTHORIZATION.as_str()).ok_or_else(|| {
            incomplete("Presigned addresses are not verified here: sign with the Authorization header.")
        })?;
        let parts = authorization.strip_prefix(ALGORITHM).ok_or_else(|| incomplete("Unsupported AWS 'algorithm'."))?;
        let part = |name: &str| {
            let found = parts.split(',').map(str::trim).find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
            found.ok_or_else(|| incomplete(format!("Authorization header requires '{name}' parameter.")))
        };
        let (_, scope) = part("Credential")?.split_once('/').unwrap_or_default();
        if scope.split('/').count() != 4 || !scope.ends_with("/aws4_request") {
            return Err(incomplete(
                "Credential must have exactly 5 slash-delimited elements and end with 'aws4_request'.",
            ));
        }
        let time = value(request, "x-amz-date").ok_or_else(|| {
            incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
        })?;
        let headers = part("SignedHeaders")?.split(';').collect();
        Ok(Self { scope, headers, signature: part("Signature")?, time })
    }

    fn check_time(&self, now: Timestamp) -> Outcome<()> {
        let time = DateTime::strptime(TIME, self.time).ok().and_then(|time| time.to_zoned(TimeZone::UTC).ok());
        let time = time
            .map(|time| time.timestamp())
            .ok_or_else(|| incomplete(format!("Date must be in ISO-8601 'basic format'. Got '{}'.", self.time)))?;
        let day = self.scope.split('/').next().unwrap_or_default();
        if !self.time.starts_with(day) {
            return Err(invalid(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{day}' != '{}'.",
                self.time
            )));
        }
        let shown = now.strftime(TIME);
        if now.duration_since(time) > TOLERANCE {
            return Err(invalid(format!("Signature expired: {} is now earlier than {shown} - 5 min.", self.time)));
        }
        if time.duration_since(now) > TOLERANCE {
            return Err(invalid(format!(
                "Signature not yet current: {} is still later than {shown} + 5 min.",
                self.time
            )));
        }
        Ok(())
    }

    /// `host` and whatever begins with `x-amz-` must be signed.
    fn check_headers(&self, request: &Request<Bytes>) -> Outcome<()> {
        let ours = request.headers().keys().map(http::HeaderName::as_str).filter(|name| name.starts_with("x-amz-"));
        match ours.chain(["host"]).find(|name| !self.headers.contains(name)) {
            Some(name) => Err(invalid(format!("'{name}' must be a 'SignedHeader' in the AWS Authorization."))),
            None => Ok(()),
        }
    }

    fn canonical(&self, request: &Request<Bytes>) -> String {
        let uri = request.uri();
        let (path, query) = (path(uri.path()), query(uri.query().unwrap_or_default()));
        let mut text = format!("{}\n{path}\n{query}\n", request.method());
        for name in &self.headers {
            let values: Vec<String> = match *name {
                "host" => vec![host(request)],
                name => request.headers().get_all(name).iter().map(|value| folded(value.as_bytes())).collect(),
            };
            // Writing into a String cannot fail.
            let _ = writeln!(text, "{name}:{}", values.join(","));
        }
        let _ = write!(text, "\n{}\n{}", self.headers.join(";"), hex(&Sha256::digest(request.body())));
        text
    }
}

fn value<'r>(request: &'r Request<Bytes>, name: &str) -> Option<&'r str> {
    request.headers().get(name).and_then(|value| value.to_str().ok())
}

fn host(request: &Request<Bytes>) -> String {
    let authority = || request.uri().authority().map(|authority| authority.as_str().to_owned());
    value(request, HOST.as_str()).map(ToOwned::to_owned).or_else(authority).unwrap_or_default()
}

/// Without spaces around it, and with single ones within.
fn folded(value: &[u8]) -> String {
    String::from_utf8_lossy(value).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Steps and empty segments are taken out, then the path as it was sent is encoded once more.
fn path(sent: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in sent.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            other => kept.push(other),
        }
    }
    let closing = if sent.ends_with('/') && !kept.is_empty() { "/" } else { "" };
    percent_encode(format!("/{}{closing}", kept.join("/")).as_bytes(), PATH).to_string()
}

fn query(sent: &str) -> String {
    let encode = |text: &str| percent_encode(text.as_bytes(), UNRESERVED).to_string();
    let pairs = form_urlencoded::parse(sent.as_bytes()).map(|(name, value)| (encode(&name), encode(&value)));
    let mut pairs: Vec<(String, String)> = pairs.collect();
    pairs.sort();
    pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn mac(key: &[u8], data: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn incomplete(text: impl Into<String>) -> Refusal {
    Refusal::signature("IncompleteSignatureException", text)
}

fn invalid(text: impl Into<String>) -> Refusal {
    Refusal::signature("InvalidSignatureException", text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    /// The example of the IAM user guide, "Example signature calculations" of its test suite: `get-vanilla-query-order-key-case`.
    #[test]
    fn the_example_of_the_signature_test_suite_is_verified() {
        let request = |signature: &str| {
            Request::get("/?Param2=value2&Param1=value1")
                .header("host", "example.amazonaws.com")
                .header("x-amz-date", "20150830T123600Z")
                .header(
                    "authorization",
                    format!(
                        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                         SignedHeaders=host;x-amz-date, Signature={signature}"
                    ),
                )
                .body(Bytes::new())
                .unwrap()
        };
        let good = "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500";
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        let now: Timestamp = "2015-08-30T12:36:00Z".parse().unwrap();
        verify(&request(good), secret, now).unwrap();
        let refused = verify(&request(&good.replace('b', "c")), secret, now).unwrap_err();
        assert!(
            refused.text().contains("'GET\n/\nParam1=value1&Param2=value2\nhost:example.amazonaws.com\n"),
            "{refused:?}"
        );
        assert!(verify(&request(good), "another", now).is_err());
        for (apart, word) in [(-400, "not yet current"), (400, "expired")] {
            let then = now + SignedDuration::from_secs(apart);
            assert!(verify(&request(good), secret, then).unwrap_err().text().contains(word));
        }
    }
}
