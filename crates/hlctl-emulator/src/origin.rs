//! The address under which a request was made. Every URL that the sandbox hands out begins with it.
//!
//! A client that came by `http://127.0.0.1:4566` is given links, log-in pages and endpoints on `http://127.0.0.1:4566`: it must not
//! be sent to the AWS that is played here, where the same names belong to somebody else. A client that came by one of AWS's own
//! host names, because these are mapped to the sandbox, is given AWS's own addresses.
//!
//! The host is that of `X-Forwarded-Host`, else of `Host`; the scheme is that of `X-Forwarded-Proto`; `X-Forwarded-Prefix` is the
//! path that a reverse proxy has taken off. Each of them counts only if it is well-formed. A page cannot make a browser send them
//! when it navigates, and an answer goes to the client that sent them, so that nobody can lead somebody else astray with them.

use bytes::Bytes;
use http::Request;
use http::uri::Authority;
use serde_json::Value;

/// Marks a request that a function has made: its port lasts no longer than the function's process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FromFunction;

/// The address under which a request was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Scheme, host and port.
    site: String,
    /// In small letters, without a port.
    host: String,
    /// What a reverse proxy has taken off the path, without a slash at the end.
    prefix: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// One of AWS's own host names.
    Aws,
    /// A host that clients can come back to.
    Stable,
    /// A port that is soon gone: addresses lead to it, but it is no issuer of tokens.
    Ephemeral,
}

impl Origin {
    pub(crate) fn of(request: &Request<Bytes>) -> Self {
        let authority = authority(request);
        let host = authority.host().to_ascii_lowercase();
        let is_aws = is_aws(&host);
        let scheme = forwarded(request, "x-forwarded-proto")
            .map(str::to_ascii_lowercase)
            .filter(|scheme| matches!(scheme.as_str(), "http" | "https"))
            .or_else(|| request.uri().scheme_str().map(ToOwned::to_owned))
            .unwrap_or_else(|| if is_aws { "https" } else { "http" }.to_owned());
        let is_from_function = request.extensions().get::<FromFunction>().is_some();
        let kind = match (is_aws, is_from_function) {
            (true, _) => Kind::Aws,
            (false, true) => Kind::Ephemeral,
            (false, false) => Kind::Stable,
        };
        Self { site: format!("{scheme}://{authority}"), host, prefix: prefix(request), kind }
    }

    /// AWS's own, for what is done without a request.
    pub(crate) fn aws() -> Self {
        Self { site: String::new(), host: String::new(), prefix: String::new(), kind: Kind::Aws }
    }

    /// The same, on a port that is soon gone.
    pub(crate) fn ephemeral(self) -> Self {
        let kind = if self.kind == Kind::Aws { Kind::Aws } else { Kind::Ephemeral };
        Self { kind, ..self }
    }

    /// Whether the client came by one of AWS's own host names.
    pub(crate) fn is_aws(&self) -> bool {
        self.kind == Kind::Aws
    }

    /// What URLs begin with, without a slash at the end.
    pub(crate) fn base(&self) -> String {
        format!("{}{}", self.site, self.prefix)
    }

    /// What paths begin with in links that name no host.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// In small letters, without a port.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// What the issuer of tokens begins with, if it is not AWS's own.
    pub(crate) fn issuer_base(&self) -> Option<String> {
        (self.kind == Kind::Stable).then(|| self.base())
    }

    /// An address as it is to be asked from where this request came: addresses of Cognito's, of HealthLake's, and of these domains
    /// of user pools lead here. All others stay, and so does everything for a client that came by AWS's own host names.
    pub(crate) fn localized(&self, url: &str, domains: &[String]) -> String {
        if self.is_aws() {
            return url.to_owned();
        }
        let Some((host, rest)) = split_https(url) else { return url.to_owned() };
        let is_issuer = is_issuer_host(&host) && rest.matches('/').count() == 1 && rest.contains('_');
        let is_here = is_cognito(&host) || healthlake_region(&host).is_some() || domains.contains(&host);
        if !is_here || (is_issuer && self.kind == Kind::Ephemeral) {
            return url.to_owned();
        }
        format!("{}{rest}", self.base())
    }

    /// The same for every text in a document.
    pub(crate) fn localize(&self, document: &mut Value, domains: &[String]) {
        match document {
            Value::String(text) => *text = self.localized(text, domains),
            Value::Array(items) => items.iter_mut().for_each(|item| self.localize(item, domains)),
            Value::Object(members) => members.values_mut().for_each(|member| self.localize(member, domains)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// The host, in small letters, and what follows the authority of an https URL on the usual port.
fn split_https(url: &str) -> Option<(String, &str)> {
    const SCHEME: &str = "https://";
    let rest =
        url.get(..SCHEME.len()).filter(|scheme| scheme.eq_ignore_ascii_case(SCHEME)).and(url.get(SCHEME.len()..))?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    Some((authority.strip_suffix(":443").unwrap_or(authority).to_ascii_lowercase(), rest))
}

/// The host that a request was made to, as the client named it.
pub(crate) fn host(request: &Request<Bytes>) -> String {
    authority(request).host().to_ascii_lowercase()
}

fn authority(request: &Request<Bytes>) -> Authority {
    let header = request.headers().get(http::header::HOST).and_then(|value| value.to_str().ok());
    [forwarded(request, "x-forwarded-host"), header]
        .into_iter()
        .flatten()
        .filter_map(|text| text.parse::<Authority>().ok())
        .find(|authority| !authority.as_str().contains('@') && !authority.host().is_empty())
        .or_else(|| request.uri().authority().cloned())
        .unwrap_or_else(|| Authority::from_static("localhost"))
}

/// The first of the values that a chain of proxies has written.
fn forwarded<'a>(request: &'a Request<Bytes>, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()?.split(',').next().map(str::trim).filter(|value| !value.is_empty())
}

/// Whether a page of another origin makes this request, as far as a browser says so. The scheme is left aside: whether a proxy before
/// the sandbox speaks TLS is not always known. `X-Forwarded-Host` is too, since a page that asked for it could send it.
pub(crate) fn is_cross_origin(request: &Request<Bytes>) -> bool {
    let Some(origin) = request.headers().get(http::header::ORIGIN) else { return false };
    let (scheme, page) = origin.to_str().ok().and_then(|text| text.split_once("://")).unwrap_or_default();
    let usual_port = if scheme == "https" { ":443" } else { ":80" };
    let host = request.headers().get(http::header::HOST).and_then(|value| value.to_str().ok());
    let host = host.or_else(|| request.uri().authority().map(Authority::as_str)).unwrap_or_default();
    let without_port = |text: &str| text.strip_suffix(usual_port).unwrap_or(text).to_ascii_lowercase();
    page.is_empty() || without_port(page) != without_port(host)
}

/// Whether a text can be the scheme of an address (RFC 3986, 3.1).
pub(crate) fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// A path of plain segments; anything else counts as none.
fn prefix(request: &Request<Bytes>) -> String {
    let text = forwarded(request, "x-forwarded-prefix").unwrap_or_default().trim_end_matches('/');
    let is_plain = |part: &str| {
        !part.is_empty()
            && !matches!(part, "." | "..")
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    };
    match text.strip_prefix('/') {
        Some(path) if path.split('/').all(is_plain) => text.to_owned(),
        _ => String::new(),
    }
}

/// Whether a host, in small letters, is one of AWS's.
pub(crate) fn is_aws(host: &str) -> bool {
    [".amazonaws.com", ".amazonaws.com.cn", ".amazoncognito.com", ".api.aws"].iter().any(|end| host.ends_with(end))
}

/// Whether a host, in small letters, hosts issuers: original ones, which are the API's too, or updated ones (Cognito API reference,
/// `IssuerConfigurationType`).
pub(crate) fn is_issuer_host(host: &str) -> bool {
    ["cognito-idp.", "issuer-cognito-idp."].iter().any(|beginning| host.starts_with(beginning))
}

/// Whether a host is one of Cognito's: of an issuer, or of a domain with a prefix.
fn is_cognito(host: &str) -> bool {
    let is_issuer = is_issuer_host(host) || host.starts_with("cognito-idp-fips.");
    let is_domain =
        host.split_once('.').is_some_and(|(_, rest)| rest.starts_with("auth.") || rest.starts_with("auth-fips."));
    (is_issuer && is_aws(host)) || (is_domain && host.ends_with(".amazoncognito.com"))
}

/// The region in `healthlake.REGION.amazonaws.com` and its FIPS and dual-stack kin.
pub(crate) fn healthlake_region(host: &str) -> Option<&str> {
    let rest = host.strip_prefix("healthlake.").or_else(|| host.strip_prefix("healthlake-fips."))?;
    rest.strip_suffix(".amazonaws.com").or_else(|| rest.strip_suffix(".api.aws")).filter(|region| !region.contains('.'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use serde_json::json;

    fn asked(headers: &[(&str, &str)]) -> Origin {
        let request = headers.iter().fold(Request::get("/x"), |request, (name, value)| request.header(*name, *value));
        Origin::of(&request.body(Bytes::new()).unwrap())
    }

    #[test]
    fn the_host_that_was_asked_is_what_urls_begin_with() {
        for (host, base) in [
            ("127.0.0.1:4566", "http://127.0.0.1:4566"),
            ("localhost", "http://localhost"),
            ("[::1]:4566", "http://[::1]:4566"),
            ("fhir.example.org", "http://fhir.example.org"),
            ("healthlake.us-east-1.amazonaws.com", "https://healthlake.us-east-1.amazonaws.com"),
        ] {
            assert_eq!(asked(&[("host", host)]).base(), base);
        }
        assert_eq!(asked(&[]).base(), "http://localhost");
    }

    #[test]
    fn a_reverse_proxy_says_how_it_was_asked() {
        let front = [
            ("host", "127.0.0.1:4566"),
            ("x-forwarded-host", "fhir.example.org:8443, inner"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-prefix", "/aws/"),
        ];
        let origin = asked(&front);
        assert_eq!(origin.base(), "https://fhir.example.org:8443/aws");
        assert_eq!(origin.prefix(), "/aws");
        assert_eq!(origin.host(), "fhir.example.org");
    }

    #[test]
    fn what_is_no_host_scheme_or_path_counts_for_nothing() {
        for (name, value) in [
            ("x-forwarded-host", "user@evil.example"),
            ("x-forwarded-host", "evil.example/path"),
            ("x-forwarded-host", ""),
            ("x-forwarded-proto", "javascript"),
            ("x-forwarded-prefix", "//evil.example"),
            ("x-forwarded-prefix", "/a/../b"),
            ("x-forwarded-prefix", "a"),
            ("x-forwarded-prefix", "/a\"b"),
        ] {
            assert_eq!(asked(&[("host", "a.example"), (name, value)]).base(), "http://a.example", "{name}: {value}");
        }
    }

    #[test]
    fn a_page_of_another_origin_is_known_by_the_host_that_browsers_name() {
        let is_cross = |headers: &[(&str, &str)]| {
            let request =
                headers.iter().fold(Request::get("/"), |request, (name, value)| request.header(*name, *value));
            is_cross_origin(&request.body(Bytes::new()).unwrap())
        };
        for (origin, host) in [
            ("http://127.0.0.1:4566", "127.0.0.1:4566"),
            ("https://sandbox.example", "sandbox.example"),
            ("https://sandbox.example", "Sandbox.Example:443"),
            ("http://localhost", "localhost:80"),
        ] {
            assert!(!is_cross(&[("origin", origin), ("host", host)]), "{origin} {host}");
        }
        for (origin, host) in [
            ("http://localhost:3000", "localhost:4566"),
            ("http://localhost", "127.0.0.1"),
            ("https://evil.example", "127.0.0.1:4566"),
            ("null", "null"),
            ("null", ""),
            ("", ""),
        ] {
            assert!(is_cross(&[("origin", origin), ("host", host)]), "{origin} {host}");
        }
        assert!(!is_cross(&[("host", "127.0.0.1:4566")]), "a client that is no browser");
        let forwarded =
            [("origin", "https://evil.example"), ("host", "127.0.0.1"), ("x-forwarded-host", "evil.example")];
        assert!(is_cross(&forwarded), "a page can send this header");
    }

    #[test]
    fn addresses_that_are_played_here_lead_here_and_others_stay() {
        let origin = asked(&[("host", "127.0.0.1:4566")]);
        let domains = ["auth.example.org".to_owned()];
        for (url, expected) in [
            ("https://smart.auth.us-east-1.amazoncognito.com/oauth2/authorize", "/oauth2/authorize"),
            ("https://smart.auth.us-east-1.amazoncognito.com:443/login?a=b", "/login?a=b"),
            ("https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_a", "/eu-west-2_a"),
            ("https://issuer-cognito-idp.eu-west-2.amazonaws.com/eu-west-2_a", "/eu-west-2_a"),
            (
                "https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_a/.well-known/jwks.json",
                "/cn-north-1_a/.well-known/jwks.json",
            ),
            ("https://healthlake.us-east-1.amazonaws.com/datastore/1/r4/", "/datastore/1/r4/"),
            ("HTTPS://Auth.Example.Org/oauth2/token", "/oauth2/token"),
            ("https://smart.auth.us-east-1.amazoncognito.com", ""),
        ] {
            assert_eq!(origin.localized(url, &domains), format!("http://127.0.0.1:4566{expected}"));
        }
        for url in [
            "https://idp.example.org/authorize",
            "https://smart.auth.us-east-1.amazoncognito.com.evil.example/login",
            "https://evil.example/?to=https://cognito-idp.us-east-1.amazonaws.com/",
            "https://s3.us-east-1.amazonaws.com/bucket",
            "code",
            "",
            "https://",
        ] {
            assert_eq!(origin.localized(url, &domains), url);
        }
    }

    #[test]
    fn under_awss_own_names_nothing_changes() {
        let url = "https://smart.auth.us-east-1.amazoncognito.com/oauth2/token";
        for host in [
            "healthlake.us-east-1.amazonaws.com",
            "cognito-idp.us-east-1.amazonaws.com",
            "a.auth.us-east-1.amazoncognito.com",
        ] {
            let origin = asked(&[("host", host)]);
            assert_eq!((origin.localized(url, &[]), origin.issuer_base()), (url.to_owned(), None));
        }
    }

    #[test]
    fn a_port_that_does_not_last_is_no_issuer() {
        let issuer = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_a";
        let ephemeral = asked(&[("host", "127.0.0.1:1")]).ephemeral();
        assert_eq!(ephemeral.issuer_base(), None);
        let mut document =
            json!({"issuer": issuer, "jwks_uri": format!("{issuer}/.well-known/jwks.json"), "x": [issuer, 1]});
        ephemeral.localize(&mut document, &[]);
        let keys = "http://127.0.0.1:1/us-east-1_a/.well-known/jwks.json";
        assert_eq!(document, json!({"issuer": issuer, "jwks_uri": keys, "x": [issuer, 1]}));
    }
}
