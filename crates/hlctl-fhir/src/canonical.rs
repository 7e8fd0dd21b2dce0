//! What a signature is made of, written down (IAM user guide, "Create a signed AWS API request").
//!
//! [`super::signing`] signs; this is for people to read, and to find out what another program has signed. Both come to the same
//! signature, which the tests check, and `hlctl fhir explain` each time.

use std::fmt;
use std::time::SystemTime;

use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use percent_encoding::{AsciiSet, utf8_percent_encode};
use sha2::{Digest as _, Sha256};
use url::form_urlencoded;

use super::address::STRICT;

/// The algorithm of all signatures here.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// As [`STRICT`], but for the slash.
const PATH: &AsciiSet = &STRICT.remove(b'/');
/// Headers that are never signed, since proxies change them.
const UNSIGNED: [&str; 4] = ["authorization", "transfer-encoding", "user-agent", "x-amzn-trace-id"];
/// The header of temporary credentials, whose value is a secret.
pub const TOKEN_HEADER: &str = "x-amz-security-token";

/// The parts of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// `https`
    pub scheme: String,
    /// Host, with the port if it is not the scheme's own.
    pub host: String,
    /// Path as it is sent.
    pub path: String,
    /// Query as it is sent, without its question mark.
    pub query: String,
}

impl Parts {
    /// Takes an address apart without changing anything in it.
    pub fn of(address: &str) -> Option<Self> {
        let (scheme, rest) = address.split_once("://")?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (host, rest) = rest.split_at(end);
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let scheme = scheme.to_ascii_lowercase();
        let own = if scheme == "https" { ":443" } else { ":80" };
        let host = host.to_ascii_lowercase();
        let host = host.strip_suffix(own).unwrap_or(&host).to_owned();
        let path = if path.is_empty() { "/".to_owned() } else { path.to_owned() };
        (["http", "https"].contains(&scheme.as_str()) && !host.is_empty()).then(|| Self {
            scheme,
            host,
            path,
            query: query.to_owned(),
        })
    }
}

impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.host, self.path)?;
        if self.query.is_empty() { Ok(()) } else { write!(f, "?{}", self.query) }
    }
}

/// A canonical request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canonical {
    /// The method.
    pub method: String,
    /// The path, encoded once more.
    pub path: String,
    /// The query, sorted and encoded strictly.
    pub query: String,
    /// The signed headers, in order.
    pub headers: Vec<(String, String)>,
    /// The digest of the body.
    pub payload: String,
}

/// What a string to sign is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// `20260102T030405Z`
    pub time: String,
    /// `20260102`
    pub day: String,
    /// The region.
    pub region: String,
    /// The service.
    pub service: String,
}

impl Bound {
    /// At this time.
    pub fn at(time: SystemTime, region: &str, service: &str) -> Self {
        let time = amz_date(time);
        let day = time.chars().take(8).collect();
        Self { time, day, region: region.to_owned(), service: service.to_owned() }
    }

    /// The scope in a credential.
    pub fn scope(&self) -> String {
        format!("{}/{}/{}/aws4_request", self.day, self.region, self.service)
    }
}

/// A time as `x-amz-date` has it.
pub fn amz_date(time: SystemTime) -> String {
    let time = jiff::Timestamp::try_from(time).unwrap_or_default();
    time.strftime("%Y%m%dT%H%M%SZ").to_string()
}

impl Canonical {
    /// Of a request with these headers, to which the host is added.
    pub fn of(method: &str, parts: &Parts, headers: &[(String, String)], body: &[u8]) -> Self {
        let mut signed = vec![("host".to_owned(), parts.host.clone())];
        for (name, value) in headers {
            let (name, value) = (name.to_ascii_lowercase(), value.split_whitespace().collect::<Vec<_>>().join(" "));
            if UNSIGNED.contains(&name.as_str()) || name == "host" {
                continue;
            }
            match signed.iter_mut().find(|(known, _)| *known == name) {
                Some((_, values)) => values.push_str(&format!(",{value}")),
                None => signed.push((name, value)),
            }
        }
        signed.sort();
        Self {
            method: method.to_owned(),
            path: path(&parts.path),
            query: query(&parts.query),
            headers: signed,
            payload: sha256(body),
        }
    }

    /// The names of the signed headers.
    pub fn signed_headers(&self) -> String {
        self.headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";")
    }

    /// The text whose digest is signed.
    pub fn text(&self) -> String {
        let headers: String = self.headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let Self { method, path, query, payload, .. } = self;
        format!("{method}\n{path}\n{query}\n{headers}\n{}\n{payload}", self.signed_headers())
    }

    /// The same without the session token, for people.
    pub fn reported(&self) -> String {
        let mut reported = self.clone();
        for (name, value) in &mut reported.headers {
            if name == TOKEN_HEADER {
                *value = format!("(sensitive, {} characters)", value.len());
            }
        }
        reported.text()
    }

    /// The string that is signed.
    pub fn string_to_sign(&self, bound: &Bound) -> String {
        format!("{ALGORITHM}\n{}\n{}\n{}", bound.time, bound.scope(), sha256(self.text().as_bytes()))
    }

    /// The signature, by a secret key.
    pub fn signature(&self, secret: &str, bound: &Bound) -> String {
        let key = generate_signing_key(secret, day(&bound.day), &bound.region, &bound.service);
        calculate_signature(key, self.string_to_sign(bound).as_bytes())
    }
}

/// The time at which a day begins; signing keys are a day's.
fn day(day: &str) -> SystemTime {
    let midnight =
        jiff::civil::Date::strptime("%Y%m%d", day).ok().and_then(|date| date.to_zoned(jiff::tz::TimeZone::UTC).ok());
    midnight.map_or(SystemTime::UNIX_EPOCH, |midnight| midnight.timestamp().into())
}

/// A digest in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// The path without steps and empty segments, encoded once more than it is sent.
pub fn path(sent: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in sent.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    let is_open = ["/", "/.", "/.."].iter().any(|end| sent.ends_with(end));
    let ends = if !segments.is_empty() && is_open { "/" } else { "" };
    let path = format!("/{}{ends}", segments.join("/"));
    utf8_percent_encode(&path, PATH).to_string()
}

/// The query, read and written strictly, in order.
pub fn query(sent: &str) -> String {
    let pairs = form_urlencoded::parse(sent.as_bytes());
    let encode = |text: &str| utf8_percent_encode(text, STRICT).to_string();
    let mut pairs: Vec<(String, String)> = pairs.map(|(name, value)| (encode(&name), encode(&value))).collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
#[path = "canonical_tests.rs"]
mod tests;
