//! Requests that the pages of another site make in a browser (Fetch standard, "CORS protocol").
//!
//! Cognito opens its token endpoint to every page, with `Access-Control-Allow-Origin: *` (developer guide, token endpoint), and its
//! API is made for pages. Here the same goes for what else a page needs that signs its user in: userInfo, revocation, the keys and the
//! OpenID configuration. For HealthLake AWS documents nothing of the kind: a datastore's FHIR interface, its discovery document
//! included, is closed to pages of other sites unless the sandbox is told otherwise.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, CONTENT_TYPE, ORIGIN, VARY,
};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use serde_json::json;

use crate::route::Service;
use crate::services::cognito;
use crate::services::cognito::hosted::{self, Endpoint};

/// What faults and the list of requests call a preflight.
pub(crate) const PREFLIGHT: &str = "Preflight";

const ANYBODY: HeaderValue = HeaderValue::from_static("*");
const PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-request-private-network");
const ALLOW_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-allow-private-network");
/// Tells a developer who looks at an answer why the page could not.
const NOTICE: HeaderName = HeaderName::from_static("x-hlctl-notice");
const FHIR_METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");
/// What a page may read beside the few headers that it always may.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "Content-Location, Date, ETag, Location, Retry-After, WWW-Authenticate, x-amzn-errormessage, x-amzn-errortype, \
     x-amzn-healthlake-validation-issues, x-amzn-requestid",
);

/// Whose pages are let in: those of one origin, or all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedOrigin {
    /// All.
    Any,
    /// Those of an origin as browsers write it, such as `http://localhost:3000`.
    One(String),
}

/// A text that names no origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoOrigin {
    /// It has more than an origin has.
    #[error("an origin has no path, query or user: {0}")]
    Excess(String),
    /// It is something else.
    #[error("an origin is a scheme, a host and perhaps a port, such as http://localhost:3000, or * for all")]
    Malformed,
}

impl FromStr for AllowedOrigin {
    type Err = NoOrigin;

    fn from_str(text: &str) -> Result<Self, NoOrigin> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let lower = text.to_ascii_lowercase();
        let (scheme, rest) = lower.split_once("://").ok_or(NoOrigin::Malformed)?;
        let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        if scheme.is_empty() || !scheme.bytes().all(is_scheme) {
            return Err(NoOrigin::Malformed);
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let authority: Authority = rest[..end].parse().map_err(|_| NoOrigin::Malformed)?;
        let host = authority.host();
        // Browsers leave the usual ports out.
        let port = match (scheme, authority.port_u16()) {
            ("http", Some(80)) | ("https", Some(443)) | (_, None) => String::new(),
            (_, Some(port)) => format!(":{port}"),
        };
        if host.is_empty() || host.contains('*') {
            return Err(NoOrigin::Malformed);
        }
        let origin = format!("{scheme}://{host}{port}");
        if end < rest.len() || authority.as_str().contains('@') {
            return Err(NoOrigin::Excess(origin));
        }
        Ok(Self::One(origin))
    }
}

impl fmt::Display for AllowedOrigin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Any => "*",
            Self::One(origin) => origin,
        })
    }
}

/// What a request is for, as far as pages of other sites go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crossing {
    /// What Cognito opens to all pages, for these methods.
    Cognito(&'static str),
    /// The FHIR interface of a datastore.
    Fhir,
    /// What no page of another site has a part in.
    Closed,
}

impl Crossing {
    /// `is_fhir` says whether the request is for a datastore's FHIR interface.
    pub(crate) fn of(request: &Request<Bytes>, is_fhir: bool) -> Self {
        if is_fhir {
            return Self::Fhir;
        }
        if calls_cognito(request) {
            return Self::Cognito("POST");
        }
        match hosted::endpoint(request) {
            Some(Endpoint::Token | Endpoint::Revoke) => Self::Cognito("POST"),
            Some(Endpoint::UserInfo) => Self::Cognito("GET, POST"),
            Some(Endpoint::Jwks(_) | Endpoint::Configuration(_)) => Self::Cognito("GET"),
            Some(Endpoint::Authorize | Endpoint::Login | Endpoint::Logout | Endpoint::Unknown) | None => Self::Closed,
        }
    }

    pub(crate) fn service(self) -> Service {
        match self {
            Self::Fhir => Service::HealthLake,
            Self::Cognito(_) | Self::Closed => Service::Cognito,
        }
    }

    /// The answer to a browser that asks whether a page may make a request, if that is what this is.
    pub(crate) fn preflight(self, request: &Request<Bytes>, allowed: &[AllowedOrigin]) -> Option<Response<Bytes>> {
        let headers = request.headers();
        let origin = headers.get(ORIGIN)?;
        if self == Self::Closed || request.method() != Method::OPTIONS {
            return None;
        }
        headers.get(ACCESS_CONTROL_REQUEST_METHOD)?;
        let mut response = Response::new(Bytes::new());
        self.open(Some(origin), allowed, response.headers_mut());
        if !response.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
            return Some(refusal(origin, response));
        }
        *response.status_mut() = StatusCode::NO_CONTENT;
        let answer = response.headers_mut();
        answer.remove(ACCESS_CONTROL_EXPOSE_HEADERS);
        let methods = match self {
            Self::Cognito(methods) => HeaderValue::from_static(methods),
            Self::Fhir | Self::Closed => FHIR_METHODS,
        };
        answer.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
        if let Some(wanted) = headers.get(ACCESS_CONTROL_REQUEST_HEADERS) {
            answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
        }
        answer.append(VARY, HeaderValue::from_static("Access-Control-Request-Headers"));
        if headers.contains_key(PRIVATE_NETWORK) {
            answer.insert(ALLOW_PRIVATE_NETWORK, HeaderValue::from_static("true"));
        }
        answer.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("300"));
        Some(response)
    }

    /// Lets the page read an answer, if it may.
    pub(crate) fn open(self, origin: Option<&HeaderValue>, allowed: &[AllowedOrigin], answer: &mut HeaderMap) {
        match self {
            Self::Closed => return,
            Self::Cognito(_) => {
                answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANYBODY);
            }
            Self::Fhir if allowed.contains(&AllowedOrigin::Any) => {
                answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANYBODY);
            }
            Self::Fhir => {
                if !allowed.is_empty() {
                    // The same answer with another origin would not do, and a cache must know.
                    answer.append(VARY, HeaderValue::from_static("Origin"));
                }
                let Some(origin) = origin else { return };
                let is_listed =
                    |one: &AllowedOrigin| matches!(one, AllowedOrigin::One(text) if origin == text.as_str());
                if !allowed.iter().any(is_listed) {
                    let notice = HeaderValue::try_from(notice(origin));
                    answer.insert(NOTICE, notice.unwrap_or(HeaderValue::from_static("cross-origin")));
                    return;
                }
                answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            }
        }
        answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
}

/// Whether a page calls Cognito's API, or asks whether it may: to the browser's question all services of this kind look alike.
fn calls_cognito(request: &Request<Bytes>) -> bool {
    let text = |name: HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    let target = text(HeaderName::from_static("x-amz-target"));
    if request.method() == Method::OPTIONS {
        let asked = text(ACCESS_CONTROL_REQUEST_HEADERS).unwrap_or_default();
        let names_target = asked.split(',').any(|name| name.trim().eq_ignore_ascii_case("x-amz-target"));
        return request.uri().path() == "/" && names_target;
    }
    target.is_some_and(|target| target.starts_with(cognito::TARGET_PREFIX))
}

fn notice(origin: &HeaderValue) -> String {
    let origin = origin.to_str().unwrap_or_default();
    // A page of a file has no origin that could be named.
    let named = if origin.parse::<AllowedOrigin>().is_ok() { origin } else { "*" };
    format!("Pages of other sites may not read this. Start the sandbox with --cors {named} to let them.")
}

/// A preflight that is refused. The browser tells the page nothing; who looks at the network's traffic is told what to do.
fn refusal(origin: &HeaderValue, mut response: Response<Bytes>) -> Response<Bytes> {
    let outcome = json!({
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "forbidden", "diagnostics": notice(origin)}],
    });
    *response.status_mut() = StatusCode::FORBIDDEN;
    *response.body_mut() = Bytes::from(outcome.to_string());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/fhir+json"));
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    const APP: &str = "http://localhost:3000";

    fn preflight(path: &str, headers: &[(&str, &str)]) -> Request<Bytes> {
        let request = Request::builder().method("OPTIONS").uri(path).header("origin", APP).header("host", "127.0.0.1");
        let request = request.header("access-control-request-method", "GET");
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).body(Bytes::new()).unwrap()
    }

    fn one(text: &str) -> Vec<AllowedOrigin> {
        vec![text.parse().unwrap()]
    }

    #[test]
    fn an_origin_is_read_as_browsers_write_it() {
        for (text, origin) in [
            ("*", "*"),
            (APP, APP),
            ("HTTP://LocalHost:3000", APP),
            ("https://app.example.org:443", "https://app.example.org"),
            ("http://app.example.org:80", "http://app.example.org"),
            ("https://app.example.org:80", "https://app.example.org:80"),
            ("http://[::1]:3000", "http://[::1]:3000"),
            ("chrome-extension://abcdef", "chrome-extension://abcdef"),
        ] {
            assert_eq!(text.parse::<AllowedOrigin>().unwrap().to_string(), origin);
        }
        let excess = "http://localhost:3000/app".parse::<AllowedOrigin>();
        assert_eq!(excess, Err(NoOrigin::Excess(APP.to_owned())));
        for text in ["", "localhost:3000", "localhost", "http://", "http://*.example.org", "http://a b", "null"] {
            assert_eq!(text.parse::<AllowedOrigin>(), Err(NoOrigin::Malformed), "{text}");
        }
    }

    #[test]
    fn the_fhir_interface_is_closed_unless_told_otherwise() {
        let asked = preflight("/datastore/x/r4/Patient", &[("access-control-request-headers", "authorization")]);
        for allowed in [Vec::new(), one("http://localhost:3001"), one("https://localhost:3000")] {
            let refused = Crossing::Fhir.preflight(&asked, &allowed).unwrap();
            assert_eq!(refused.status(), 403);
            assert!(!refused.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
            let text = String::from_utf8(refused.body().to_vec()).unwrap();
            assert!(text.contains("--cors http://localhost:3000"), "{text}");
            assert_eq!(refused.headers().contains_key(VARY), !allowed.is_empty());
        }
    }

    #[test]
    fn a_listed_origin_is_told_what_it_may_and_caches_are_told_that_it_depends() {
        let names = "authorization, content-type, if-match, prefer";
        let asked = preflight("/datastore/x/r4/Patient", &[("access-control-request-headers", names)]);
        let allowed = [one("https://other.example"), one(APP)].concat();
        let answer = Crossing::Fhir.preflight(&asked, &allowed).unwrap();
        assert_eq!(answer.status(), 204);
        let headers = answer.headers();
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], APP);
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_HEADERS], names);
        assert!(headers[ACCESS_CONTROL_ALLOW_METHODS].to_str().unwrap().contains("PATCH"));
        assert!(headers.get_all(VARY).iter().any(|value| value == "Origin"));
        let mut without = HeaderMap::new();
        Crossing::Fhir.open(None, &allowed, &mut without);
        assert_eq!(without[VARY], "Origin");
        assert!(!without.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
    }

    #[test]
    fn an_answer_shows_its_location_and_version() {
        let mut answer = HeaderMap::new();
        Crossing::Fhir.open(Some(&HeaderValue::from_static(APP)), &one("*"), &mut answer);
        assert_eq!(answer[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert!(!answer.contains_key(VARY), "the answer is the same for all");
        let exposed = answer[ACCESS_CONTROL_EXPOSE_HEADERS].to_str().unwrap();
        for name in ["Location", "ETag", "Content-Location", "WWW-Authenticate"] {
            assert!(exposed.split(", ").any(|one| one == name), "{name}");
        }
    }

    #[test]
    fn what_cognito_opens_is_open_and_its_pages_are_not() {
        let of = |path: &str, headers: &[(&str, &str)]| Crossing::of(&preflight(path, headers), false);
        assert_eq!(of("/oauth2/token", &[]), Crossing::Cognito("POST"));
        assert_eq!(of("/oauth2/userInfo", &[]), Crossing::Cognito("GET, POST"));
        assert_eq!(of("/us-east-1_a/.well-known/jwks.json", &[]), Crossing::Cognito("GET"));
        assert_eq!(of("/us-east-1_a/.well-known/openid-configuration", &[]), Crossing::Cognito("GET"));
        assert_eq!(
            of("/", &[("access-control-request-headers", "content-type,x-amz-target")]),
            Crossing::Cognito("POST")
        );
        for path in ["/oauth2/authorize", "/login", "/logout", "/", "/bucket/key"] {
            assert_eq!(of(path, &[]), Crossing::Closed, "{path}");
        }
        let answer = Crossing::Cognito("POST").preflight(&preflight("/oauth2/token", &[]), &[]).unwrap();
        assert_eq!((answer.status().as_u16(), &answer.headers()[ACCESS_CONTROL_ALLOW_ORIGIN]), (204, &ANYBODY));
    }

    #[test]
    fn a_request_that_is_no_preflight_is_none() {
        let get = Request::get("/oauth2/token").header("origin", APP).body(Bytes::new()).unwrap();
        assert!(Crossing::Cognito("POST").preflight(&get, &[]).is_none());
        let mut plain = preflight("/oauth2/token", &[]);
        plain.headers_mut().remove(ACCESS_CONTROL_REQUEST_METHOD);
        assert!(Crossing::Cognito("POST").preflight(&plain, &[]).is_none());
    }
}
