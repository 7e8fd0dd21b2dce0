#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::time::Duration;

use aws_credential_types::Credentials;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use http_body_util::Full;
use serde::Deserialize;
use url::Url;

use super::*;
use crate::BaseUrl;
use crate::signing::{CredentialScope, SERVICE, sign_with};

/// What `tests/aws/signatures.py` has asked botocore.
#[derive(Deserialize)]
struct Case {
    method: String,
    base: String,
    path: String,
    query: Vec<(String, String)>,
    url: String,
    headers: std::collections::BTreeMap<String, String>,
    body: String,
    session_token: Option<String>,
    region: String,
    canonical_request: String,
    string_to_sign: String,
    authorization: String,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../../../tests/signatures/botocore.json")).unwrap()
}

/// 2026-01-02T03:04:05Z
fn when() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_323_045)
}

impl Case {
    fn credentials(&self) -> Credentials {
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        Credentials::new("AKIDEXAMPLE", secret, self.session_token.clone(), None, "test")
    }

    fn body(&self) -> Vec<u8> {
        let digits = self.body.as_bytes().chunks(2);
        digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }

    fn about(&self) -> String {
        format!("{} {} {:?}", self.method, self.url, self.headers)
    }
}

#[test]
fn addresses_are_encoded_as_botocore_wants_them() {
    for case in cases() {
        let base = Url::parse(&case.base).unwrap();
        assert_eq!(BaseUrl::new(base.clone(), base).at(&case.path, &case.query), case.url);
    }
}

#[test]
fn the_signature_is_that_of_botocore() {
    let cases = cases();
    assert!(cases.len() >= 200);
    for case in &cases {
        let mut request = Request::new(Full::new(Bytes::from(case.body())));
        *request.method_mut() = case.method.parse().unwrap();
        *request.uri_mut() = case.url.parse().unwrap();
        for (name, value) in &case.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            request.headers_mut().append(name, HeaderValue::from_str(value).unwrap());
        }
        let scope = CredentialScope { region: &case.region, service: SERVICE, time: when() };
        sign_with(&mut request, &case.body(), &case.credentials(), scope).unwrap();
        let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap());
        assert_eq!(header("authorization"), Some(case.authorization.as_str()), "{}", case.about());
        assert_eq!(header(TOKEN_HEADER), case.session_token.as_deref());
        assert_eq!(header("x-amz-date"), Some("20260102T030405Z"));
    }
}

#[test]
fn what_is_written_down_is_what_botocore_signs() {
    for case in cases() {
        let mut headers: Vec<(String, String)> = case.headers.clone().into_iter().collect();
        headers.push(("X-Amz-Date".to_owned(), amz_date(when())));
        headers.extend(case.session_token.clone().map(|token| (TOKEN_HEADER.to_owned(), token)));
        let canonical = Canonical::of(&case.method, &Parts::of(&case.url).unwrap(), &headers, &case.body());
        assert_eq!(canonical.text(), case.canonical_request, "{}", case.about());
        let bound = Bound::at(when(), &case.region, SERVICE);
        assert_eq!(canonical.string_to_sign(&bound), case.string_to_sign);
        let signature = canonical.signature(case.credentials().secret_access_key(), &bound);
        assert!(case.authorization.ends_with(&signature), "{}", case.about());
        if let Some(token) = &case.session_token {
            assert!(!canonical.reported().contains(token), "a session token is a secret");
        }
    }
}

#[test]
fn an_address_is_taken_apart_as_it_is() {
    let parts = Parts::of("HTTPS://Host.Example:443/a//b/%7c?x=1?y#z").unwrap();
    assert_eq!(parts.to_string(), "https://host.example/a//b/%7c?x=1?y#z");
    assert_eq!(Parts::of("http://127.0.0.1:4566").unwrap().to_string(), "http://127.0.0.1:4566/");
    for bad in ["Patient/1", "ftp://x/", "https://", "https:///x", "//x/y"] {
        assert_eq!(Parts::of(bad), None, "{bad}");
    }
}
