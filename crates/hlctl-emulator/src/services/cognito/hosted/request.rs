//! A request of a browser or an application, taken apart.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::{Method, Request, header};

use crate::origin;

/// The host that a request came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// `PREFIX.auth.REGION.amazoncognito.com`.
    Domain { prefix: String, region: String },
    /// `cognito-idp.REGION.amazonaws.com` or `issuer-cognito-idp.REGION.amazonaws.com`.
    Issuer,
    /// A host that is none of AWS's, or that the request does not name.
    Anywhere,
}

impl Place {
    /// `None` for a host on which another service is spoken to.
    pub(super) fn of(request: &Request<Bytes>) -> Option<Self> {
        let host = origin::host(request);
        if let Some(domain) = host.strip_suffix(".amazoncognito.com") {
            let (prefix, region) = domain.split_once(".auth.")?;
            return Some(Self::Domain { prefix: prefix.to_owned(), region: region.to_owned() });
        }
        if origin::is_issuer_host(&host) {
            return Some(Self::Issuer);
        }
        let is_bucket = host.ends_with(".localhost");
        if origin::is_aws(&host) || is_bucket { None } else { Some(Self::Anywhere) }
    }
}

/// Names and values as a query or a form holds them.
#[derive(Clone, Debug, Default)]
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    pub(super) fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// A value that is there and not empty. OAuth treats the empty one as absent (RFC 6749, section 3.1).
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// Whether a name occurs more than once, which OAuth forbids.
    pub(super) fn repeats(&self) -> bool {
        self.0.iter().enumerate().any(|(place, (name, _))| self.0[..place].iter().any(|(other, _)| other == name))
    }

    /// Values whose names begin with `prefix`, without it.
    pub(super) fn beginning<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_str())))
    }
}

/// A request, taken apart.
pub(super) struct HostedRequest {
    pub(super) is_post: bool,
    pub(super) place: Place,
    /// The query as it was sent.
    pub(super) raw_query: String,
    pub(super) query: Params,
    pub(super) form: Params,
    cookies: Vec<(String, String)>,
    authorization: Option<String>,
}

impl HostedRequest {
    pub(super) fn of(request: &Request<Bytes>) -> Self {
        let raw_query = request.uri().query().unwrap_or_default().to_owned();
        let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        let cookies = request.headers().get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        Self {
            is_post: request.method() == Method::POST,
            place: Place::of(request).unwrap_or(Place::Anywhere),
            query: Params::parse(raw_query.as_bytes()),
            raw_query,
            form: Params::parse(request.body()),
            cookies: cookies
                .flat_map(|line| line.split(';'))
                .filter_map(|pair| pair.trim().split_once('='))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            authorization: text(header::AUTHORIZATION).map(ToOwned::to_owned),
        }
    }

    pub(super) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn bearer(&self) -> Option<&str> {
        self.scheme("bearer").map(str::trim)
    }

    /// Name and password; `None` if there are none, `Some(Err(()))` if they cannot be read.
    pub(super) fn basic(&self) -> Option<Result<(String, String), ()>> {
        let encoded = self.scheme("basic")?;
        let pair = BASE64.decode(encoded.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let split = pair.as_deref().and_then(|pair| pair.split_once(':'));
        Some(split.map(|(name, password)| (name.to_owned(), password.to_owned())).ok_or(()))
    }

    fn scheme(&self, name: &str) -> Option<&str> {
        let (scheme, rest) = self.authorization.as_deref()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case(name).then_some(rest)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn parameters_are_decoded_and_counted() {
        let params = Params::parse(b"state=a%20b+c&empty=&x=1&x=2&userAttributes.email=e");
        assert_eq!(params.get("state"), Some("a b c"));
        assert_eq!(params.get("empty"), None);
        assert!(params.repeats());
        assert_eq!(params.beginning("userAttributes.").collect::<Vec<_>>(), [("email", "e")]);
        assert!(!Params::parse(b"a=1&b=1").repeats());
    }

    #[test]
    fn credentials_and_cookies_are_found() {
        let request = Request::builder()
            .uri("/oauth2/token")
            .header("authorization", format!("Basic {}", BASE64.encode("id:se:cret")))
            .header("cookie", "a=1; cognito=xyz")
            .body(Bytes::new())
            .unwrap();
        let request = HostedRequest::of(&request);
        assert_eq!(request.basic(), Some(Ok(("id".to_owned(), "se:cret".to_owned()))));
        assert_eq!(request.bearer(), None);
        assert_eq!(request.cookie("cognito"), Some("xyz"));
    }
}
