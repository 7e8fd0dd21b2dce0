//! Requests that the pages of another site make in a browser (Fetch standard, "CORS protocol").
//!
//! Cognito opens its token endpoint to every page, with `Access-Control-Allow-Origin: *` (developer guide, token endpoint), and its
//! API is made for pages. Here the same goes for what else a page needs that signs its user in: userInfo, revocation, the keys and the
//! OpenID configuration. For HealthLake AWS documents nothing of the kind: a datastore's FHIR interface, its discovery document
//! included, is closed to pages of other sites unless the sandbox is set otherwise.
//!
//! What needs AWS credentials on AWS is refused to pages of other sites here. No page should have such credentials; the sandbox takes
//! any, so that without this every page that a developer opens could empty buckets and delete stores. A browser asks before it
//! sends such a request, but to that question Cognito's API and the others look alike, so the request itself is refused.

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

use crate::origin::{self, is_scheme};
use crate::route::Service;
use crate::services::cognito;
use crate::services::cognito::hosted::{self, Endpoint};

/// What the list of requests calls a preflight. Faults do not apply to it.
pub(crate) const PREFLIGHT: &str = "Preflight";

const ANY_ORIGIN: HeaderValue = HeaderValue::from_static("*");
const PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-request-private-network");
const ALLOW_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-allow-private-network");
/// Tells a developer who looks at an answer why the page could not.
const NOTICE: HeaderName = HeaderName::from_static("x-hlctl-notice");
const FHIR_METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");
/// What a page may read in addition to the few headers that it always may.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "Content-Location, Date, ETag, Expires, Location, Retry-After, WWW-Authenticate, X-Progress, x-amzn-errormessage, \
     x-amzn-errortype, x-amzn-healthlake-validation-issues, x-amzn-requestid",
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
pub enum InvalidOrigin {
    /// It has more than an origin has.
    #[error("an origin has no path, query or user: {0}")]
    Excess(String),
    /// It is something else.
    #[error("an origin is a scheme, a host and perhaps a port, such as http://localhost:3000, or * for all")]
    Malformed,
}

impl FromStr for AllowedOrigin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let lower = text.to_ascii_lowercase();
        let (scheme, rest) = lower.split_once("://").ok_or(InvalidOrigin::Malformed)?;
        if !is_scheme(scheme) {
            return Err(InvalidOrigin::Malformed);
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let authority: Authority = rest[..end].parse().map_err(|_| InvalidOrigin::Malformed)?;
        let host = authority.host();
        // Browsers leave the usual ports out.
        let port = match (scheme, port(&authority)?) {
            ("http", Some(80)) | ("https", Some(443)) | (_, None) => String::new(),
            (_, Some(port)) => format!(":{port}"),
        };
        if host.is_empty() || host.contains('*') {
            return Err(InvalidOrigin::Malformed);
        }
        let origin = format!("{scheme}://{host}{port}");
        if end < rest.len() || authority.as_str().contains('@') {
            return Err(InvalidOrigin::Excess(origin));
        }
        Ok(Self::One(origin))
    }
}

/// The port of an authority. `port_u16` has none for one that is too large, as if it were not there, and takes `+80` for 80.
fn port(authority: &Authority) -> Result<Option<u16>, InvalidOrigin> {
    let (_, after_user) = authority.as_str().rsplit_once('@').unwrap_or(("", authority.as_str()));
    match after_user.strip_prefix(authority.host()) {
        Some("") => Ok(None),
        Some(rest) => {
            let digits = rest.strip_prefix(':').filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
            digits.and_then(|digits| digits.parse().ok()).map(Some).ok_or(InvalidOrigin::Malformed)
        }
        None => Err(InvalidOrigin::Malformed),
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

/// Which pages may make a request and read its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CorsPolicy {
    /// Those of all origins, by these methods: what Cognito opens.
    AnyOrigin(&'static str),
    /// Those of the allowed origins: the FHIR interface of a datastore.
    AllowedOrigins,
    /// Browsers go there, by links and forms, and no script reads it: Cognito's own pages.
    Navigation,
    /// None but the sandbox's own: what needs AWS credentials.
    SameOrigin,
}

impl CorsPolicy {
    /// `service` is the one that the request is routed to; `is_fhir` says whether it is for a datastore's FHIR interface.
    pub(crate) fn of(request: &Request<Bytes>, service: Option<Service>, is_fhir: bool) -> Self {
        if is_fhir {
            return Self::AllowedOrigins;
        }
        let is_cognito = match request.method() {
            &Method::OPTIONS => asks_for_target(request),
            _ => service == Some(Service::Cognito) && is_unsigned_call(request),
        };
        if is_cognito {
            return Self::AnyOrigin("POST");
        }
        match hosted::endpoint(request) {
            Some(Endpoint::Token | Endpoint::Revoke) => Self::AnyOrigin("POST"),
            Some(Endpoint::UserInfo) => Self::AnyOrigin("GET, POST"),
            Some(Endpoint::Jwks(_) | Endpoint::Configuration(_)) => Self::AnyOrigin("GET"),
            Some(Endpoint::Authorize | Endpoint::Login | Endpoint::Logout | Endpoint::Unknown) => Self::Navigation,
            None => Self::SameOrigin,
        }
    }

    pub(crate) fn service(self) -> Service {
        match self {
            Self::AllowedOrigins => Service::HealthLake,
            Self::AnyOrigin(_) | Self::Navigation | Self::SameOrigin => Service::Cognito,
        }
    }

    /// The answer to a request that a page of another site has made and may not make. Browsers name the page's origin in it
    /// (Fetch standard, "Origin header"), and other clients name none.
    pub(crate) fn refusal(self, request: &Request<Bytes>) -> Option<Response<Bytes>> {
        let is_refused = self == Self::SameOrigin && origin::is_cross_origin(request);
        is_refused.then(refused)
    }

    /// The answer to a browser that asks whether a page may make a request, if that is what this is.
    pub(crate) fn preflight(self, request: &Request<Bytes>, allowed: &[AllowedOrigin]) -> Option<Response<Bytes>> {
        let headers = request.headers();
        let origin = headers.get(ORIGIN)?;
        if matches!(self, Self::Navigation | Self::SameOrigin) || request.method() != Method::OPTIONS {
            return None;
        }
        headers.get(ACCESS_CONTROL_REQUEST_METHOD)?;
        let mut response = Response::new(Bytes::new());
        self.add_headers(Some(origin), allowed, response.headers_mut());
        if !response.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
            return Some(refused_preflight(origin, response));
        }
        *response.status_mut() = StatusCode::NO_CONTENT;
        let answer = response.headers_mut();
        answer.remove(ACCESS_CONTROL_EXPOSE_HEADERS);
        let methods = match self {
            Self::AnyOrigin(methods) => HeaderValue::from_static(methods),
            Self::AllowedOrigins | Self::Navigation | Self::SameOrigin => FHIR_METHODS,
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
    pub(crate) fn add_headers(self, origin: Option<&HeaderValue>, allowed: &[AllowedOrigin], answer: &mut HeaderMap) {
        match self {
            Self::Navigation | Self::SameOrigin => return,
            Self::AnyOrigin(_) => {
                answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY_ORIGIN);
            }
            Self::AllowedOrigins if allowed.contains(&AllowedOrigin::Any) => {
                answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY_ORIGIN);
            }
            Self::AllowedOrigins => {
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

fn text(request: &Request<Bytes>, name: HeaderName) -> Option<&str> {
    request.headers().get(name).and_then(|value| value.to_str().ok())
}

/// Whether a browser asks if a page may call an API of the kind that Cognito's is. Which operation it will be is not said.
fn asks_for_target(preflight: &Request<Bytes>) -> bool {
    let names = text(preflight, ACCESS_CONTROL_REQUEST_HEADERS).unwrap_or_default();
    preflight.uri().path() == "/" && names.split(',').any(|name| name.trim().eq_ignore_ascii_case("x-amz-target"))
}

/// Whether this is an operation of Cognito's API that takes no AWS credentials.
fn is_unsigned_call(request: &Request<Bytes>) -> bool {
    let target = text(request, HeaderName::from_static("x-amz-target")).unwrap_or_default();
    target.strip_prefix(cognito::TARGET_PREFIX).is_some_and(|operation| cognito::UNSIGNED.contains(&operation))
}

/// The refusal of a request that needs AWS credentials, to a page of another site.
fn refused() -> Response<Bytes> {
    const CODE: &str = "AccessDeniedException";
    let message = "Pages of other sites may not call what needs AWS credentials. Make this request from a server, or without the \
                   header Origin.";
    let mut response = Response::new(Bytes::from(json!({"__type": CODE, "message": message}).to_string()));
    *response.status_mut() = StatusCode::FORBIDDEN;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1"));
    headers.insert("x-amzn-errortype", HeaderValue::from_static(CODE));
    response
}

fn notice(origin: &HeaderValue) -> String {
    let origin = origin.to_str().unwrap_or_default();
    // A page of a file has no origin that could be named.
    let named = if origin.parse::<AllowedOrigin>().is_ok() { origin } else { "'*'" };
    format!("Pages of other sites may not read this. Start the sandbox with --cors {named} to let them.")
}

/// A preflight that is refused. The browser tells the page nothing; the network log says what to do.
fn refused_preflight(origin: &HeaderValue, mut response: Response<Bytes>) -> Response<Bytes> {
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
        assert_eq!(excess, Err(InvalidOrigin::Excess(APP.to_owned())));
        for text in
            ["", "localhost:3000", "localhost", "http://", "http://*.example.org", "http://a b", "null", "1a://b"]
        {
            assert_eq!(text.parse::<AllowedOrigin>(), Err(InvalidOrigin::Malformed), "{text}");
        }
    }

    #[test]
    fn a_port_that_is_none_is_malformed() {
        for host in ["localhost", "[::1]", "user@localhost"] {
            for port in ["65536", "99999", "3000000000000", "", "-1", "+80", "30x", "3000:1"] {
                let text = format!("http://{host}:{port}");
                assert_eq!(text.parse::<AllowedOrigin>(), Err(InvalidOrigin::Malformed), "{text}");
            }
        }
        for port in ["0", "65535"] {
            let text = format!("http://localhost:{port}");
            assert_eq!(text.parse::<AllowedOrigin>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn the_fhir_interface_is_closed_unless_configured_otherwise() {
        let asked = preflight("/datastore/x/r4/Patient", &[("access-control-request-headers", "authorization")]);
        for allowed in [Vec::new(), one("http://localhost:3001"), one("https://localhost:3000")] {
            let refused = CorsPolicy::AllowedOrigins.preflight(&asked, &allowed).unwrap();
            assert_eq!(refused.status(), 403);
            assert!(!refused.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
            let text = String::from_utf8(refused.body().to_vec()).unwrap();
            assert!(text.contains("--cors http://localhost:3000"), "{text}");
            assert_eq!(refused.headers().contains_key(VARY), !allowed.is_empty());
        }
    }

    #[test]
    fn a_listed_origin_learns_what_it_may_and_caches_learn_that_it_depends() {
        let names = "authorization, content-type, if-match, prefer";
        let asked = preflight("/datastore/x/r4/Patient", &[("access-control-request-headers", names)]);
        let allowed = [one("https://other.example"), one(APP)].concat();
        let answer = CorsPolicy::AllowedOrigins.preflight(&asked, &allowed).unwrap();
        assert_eq!(answer.status(), 204);
        let headers = answer.headers();
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], APP);
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_HEADERS], names);
        assert!(headers[ACCESS_CONTROL_ALLOW_METHODS].to_str().unwrap().contains("PATCH"));
        assert!(headers.get_all(VARY).iter().any(|value| value == "Origin"));
        let mut without = HeaderMap::new();
        CorsPolicy::AllowedOrigins.add_headers(None, &allowed, &mut without);
        assert_eq!(without[VARY], "Origin");
        assert!(!without.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
    }

    #[test]
    fn an_answer_shows_its_location_and_version() {
        let mut answer = HeaderMap::new();
        CorsPolicy::AllowedOrigins.add_headers(Some(&HeaderValue::from_static(APP)), &one("*"), &mut answer);
        assert_eq!(answer[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert!(!answer.contains_key(VARY), "the answer is the same for all");
        let exposed = answer[ACCESS_CONTROL_EXPOSE_HEADERS].to_str().unwrap();
        for name in ["Location", "ETag", "Content-Location", "WWW-Authenticate", "X-Progress", "Expires"] {
            assert!(exposed.split(", ").any(|one| one == name), "{name}");
        }
    }

    #[test]
    fn what_cognito_opens_is_open_and_its_pages_are_not() {
        let of = |path: &str, headers: &[(&str, &str)]| CorsPolicy::of(&preflight(path, headers), None, false);
        assert_eq!(of("/oauth2/token", &[]), CorsPolicy::AnyOrigin("POST"));
        assert_eq!(of("/oauth2/userInfo", &[]), CorsPolicy::AnyOrigin("GET, POST"));
        assert_eq!(of("/us-east-1_a/.well-known/jwks.json", &[]), CorsPolicy::AnyOrigin("GET"));
        assert_eq!(of("/us-east-1_a/.well-known/openid-configuration", &[]), CorsPolicy::AnyOrigin("GET"));
        assert_eq!(
            of("/", &[("access-control-request-headers", "content-type,x-amz-target")]),
            CorsPolicy::AnyOrigin("POST")
        );
        for path in ["/oauth2/authorize", "/login", "/logout"] {
            assert_eq!(of(path, &[]), CorsPolicy::Navigation, "{path}");
        }
        for path in ["/", "/bucket/key"] {
            assert_eq!(of(path, &[]), CorsPolicy::SameOrigin, "{path}");
        }
        let answer = CorsPolicy::AnyOrigin("POST").preflight(&preflight("/oauth2/token", &[]), &[]).unwrap();
        assert_eq!((answer.status().as_u16(), &answer.headers()[ACCESS_CONTROL_ALLOW_ORIGIN]), (204, &ANY_ORIGIN));
    }

    #[test]
    fn a_request_that_is_no_preflight_is_none() {
        let get = Request::get("/oauth2/token").header("origin", APP).body(Bytes::new()).unwrap();
        assert!(CorsPolicy::AnyOrigin("POST").preflight(&get, &[]).is_none());
        let mut plain = preflight("/oauth2/token", &[]);
        plain.headers_mut().remove(ACCESS_CONTROL_REQUEST_METHOD);
        assert!(CorsPolicy::AnyOrigin("POST").preflight(&plain, &[]).is_none());
    }

    fn call(service: Service, target: &str) -> CorsPolicy {
        let request = Request::post("/").header("origin", APP).header("x-amz-target", target);
        CorsPolicy::of(&request.body(Bytes::new()).unwrap(), Some(service), false)
    }

    #[test]
    fn only_what_cognito_lets_users_call_is_open_to_pages() {
        for operation in cognito::UNSIGNED {
            let target = format!("{}{operation}", cognito::TARGET_PREFIX);
            assert_eq!(call(Service::Cognito, &target), CorsPolicy::AnyOrigin("POST"), "{operation}");
            // A signature for another service leads there, whatever the header says.
            for service in [Service::S3, Service::Iam, Service::HealthLake] {
                assert_eq!(call(service, &target), CorsPolicy::SameOrigin, "{operation}");
            }
        }
        for target in ["AdminDeleteUser", "DeleteUserPool", "", "InitiateAuth2"] {
            let target = format!("{}{target}", cognito::TARGET_PREFIX);
            assert_eq!(call(Service::Cognito, &target), CorsPolicy::SameOrigin, "{target}");
        }
        assert_eq!(call(Service::HealthLake, "HealthLake.DeleteFHIRDatastore"), CorsPolicy::SameOrigin);
    }

    #[test]
    fn a_page_that_has_no_origin_gets_a_hint_about_the_quoted_star() {
        assert!(notice(&HeaderValue::from_static("null")).contains("--cors '*' "));
    }
}
