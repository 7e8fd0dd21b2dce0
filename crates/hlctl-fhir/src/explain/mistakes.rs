//! Which known mistake leads to a signature.
//!
//! A signature cannot be read backwards. But with the same secret key each mistake can be made on purpose, and the one that leads
//! to the same signature is the one that was made.

use percent_encoding::percent_decode_str;

use crate::address::BaseUrl;
use crate::canonical::{self, Bound, Canonical, Parts};
use hlctl_config::Secret;

use super::given::Given;

/// A request as it is sent, and what another program has signed.
pub struct Case<'c> {
    /// The method.
    pub method: &'c str,
    /// The address.
    pub parts: &'c Parts,
    /// The headers.
    pub headers: &'c [(String, String)],
    /// The body.
    pub body: &'c [u8],
    /// The signature.
    pub given: &'c Given,
    /// The store.
    pub base: &'c BaseUrl,
    /// The store's region.
    pub region: &'c str,
}

/// What a signature turns out to be of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignatureVerdict {
    /// Of the request as it is sent.
    Right,
    /// Of another request, which is named.
    Mistake(String),
    /// Of none that was tried.
    Unknown {
        /// How many were tried.
        tried: usize,
    },
}

/// Digests that programs put in the place of the body's.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
/// Services that requests are signed for by mistake.
const SERVICES: [&str; 8] =
    ["healthlake", "execute-api", "es", "s3", "comprehendmedical", "lambda", "fhir", "healthlake.amazonaws.com"];

impl Case<'_> {
    /// The canonical request of what is sent, with the headers that the signature names.
    pub fn right(&self) -> Canonical {
        let mut right = Canonical::of(self.method, self.parts, self.headers, self.body);
        right.headers.retain(|(name, _)| self.given.signed_headers.contains(name));
        right
    }

    /// Tries one mistake after the other.
    pub fn judge(&self, secret: &Secret) -> SignatureVerdict {
        let is = |canonical: &Canonical, bound: &Bound| {
            canonical.signature(secret.expose(), bound) == self.given.signature.to_ascii_lowercase()
        };
        let right = self.right();
        if is(&right, &self.given.bound) {
            return SignatureVerdict::Right;
        }
        let requests = self.requests(&right);
        let scopes = self.scopes();
        let tried = requests.len() + scopes.len();
        for (what, canonical) in requests {
            if is(&canonical, &self.given.bound) {
                return SignatureVerdict::Mistake(what);
            }
        }
        for (what, bound) in scopes {
            if is(&right, &bound) {
                return SignatureVerdict::Mistake(what);
            }
        }
        SignatureVerdict::Unknown { tried }
    }

    /// Other requests that may have been signed.
    fn requests(&self, right: &Canonical) -> Vec<(String, Canonical)> {
        let mut tried = Vec::new();
        for (query, what) in self.queries() {
            tried.push((what.to_owned(), Canonical { query, ..right.clone() }));
        }
        for (path, what) in self.paths() {
            let queries = [(right.query.clone(), ""), (String::new(), " without the query")];
            for (query, also) in queries {
                tried.push((format!("{what}{also}"), Canonical { path: path.clone(), query, ..right.clone() }));
            }
        }
        for (payload, what) in self.payloads() {
            tried.push((what.to_owned(), Canonical { payload, ..right.clone() }));
        }
        for method in ["GET", "POST", "PUT", "DELETE", "HEAD"] {
            tried.push((
                format!("it signs the method {method}"),
                Canonical { method: method.to_owned(), ..right.clone() },
            ));
        }
        for host in self.hosts() {
            let mut other = right.clone();
            other.headers.iter_mut().filter(|(name, _)| name == "host").for_each(|(_, value)| value.clone_from(&host));
            tried.push((format!("it signs the host {host}"), other));
        }
        tried.retain(|(_, canonical)| canonical != right);
        tried
    }

    fn paths(&self) -> Vec<(String, String)> {
        let sent = self.parts.path.as_str();
        let home = self.base.url().path();
        let signed = |path: &str| format!("it signs the path {path} and sends {sent}");
        let mut paths = vec![(canonical::path(sent), "it signs the path as it is sent".to_owned())];
        let mut add = |path: &str, what: String| paths.push((path.to_owned(), what));
        add(sent, "it signs the path as it is sent, where it must be encoded once more".to_owned());
        let decoded = percent_decode_str(sent).decode_utf8_lossy().into_owned();
        add(&decoded, "it signs the path without any encoding".to_owned());
        add(&canonical::path(&decoded), "it decodes the path before it encodes it for signing".to_owned());
        add(&canonical::path(&canonical::path(sent)), "it encodes the path once too often for signing".to_owned());
        let other_slash = sent.strip_suffix('/').map_or_else(|| format!("{sent}/"), str::to_owned);
        add(&canonical::path(&other_slash), signed(&other_slash));
        for (place, _) in sent.match_indices('/') {
            let above = &sent[..place];
            for path in [format!("{above}/"), above.to_owned()] {
                add(&canonical::path(&path), signed(&path));
            }
        }
        if let Some(rest) = sent.strip_prefix(home) {
            add(&canonical::path(&format!("/{rest}")), signed(&format!("/{rest}")));
        }
        paths
    }

    fn queries(&self) -> Vec<(String, &'static str)> {
        let sent = self.parts.query.as_str();
        let mut sorted: Vec<&str> = sent.split('&').collect();
        sorted.sort_unstable();
        let decoded = percent_decode_str(sent).decode_utf8_lossy().into_owned();
        vec![
            (String::new(), "it signs the address without the query"),
            (sent.to_owned(), "it signs the query as it is sent, where it must be sorted and strictly encoded"),
            (sorted.join("&"), "it signs the query sorted, but not strictly encoded"),
            (decoded, "it signs the query without any encoding"),
            (
                canonical::query(&sent.replace('+', "%2B")),
                "it signs `+` in the query as a plus, where the server reads a space",
            ),
            (canonical::query(&sent.replace("%2B", "+")), "it signs a plus in the query as a space"),
            (canonical::query(&sent.replace('%', "%25")), "it encodes the query once too often for signing"),
        ]
    }

    fn payloads(&self) -> Vec<(String, &'static str)> {
        let text = String::from_utf8_lossy(self.body);
        let compact = crate::text::one_line(&text);
        let spaced = serde_json::from_slice::<serde_json::Value>(self.body).map(|value| format!("{value:#}"));
        let mut payloads = vec![
            (EMPTY.to_owned(), "it signs an empty body and sends one"),
            (UNSIGNED.to_owned(), "it signs UNSIGNED-PAYLOAD, which only S3 accepts"),
            (canonical::sha256(text.trim_end().as_bytes()), "it signs the body without the line's end that it sends"),
            (
                canonical::sha256(format!("{text}\n").as_bytes()),
                "it signs the body with a line's end that it does not send",
            ),
            (canonical::sha256(compact.as_bytes()), "it signs the JSON without the spaces that it sends"),
            (
                canonical::sha256(text.replace("\r\n", "\n").as_bytes()),
                "it signs the body with other line ends than it sends",
            ),
        ];
        payloads.extend(
            spaced
                .map(|text| (canonical::sha256(text.as_bytes()), "it signs the JSON in another layout than it sends")),
        );
        payloads
    }

    fn hosts(&self) -> Vec<String> {
        let here = [self.base.url(), self.base.named()].map(|url| Parts::of(url.as_str()).map(|parts| parts.host));
        let mut hosts: Vec<String> = here.into_iter().flatten().collect();
        let bare = self.parts.host.split(':').next().unwrap_or_default().to_owned();
        hosts.extend([format!("{bare}:443"), format!("{bare}:80"), bare, "localhost".to_owned(), String::new()]);
        hosts.push(format!("healthlake.{}.amazonaws.com", self.region));
        hosts
    }

    /// Other scopes: a program may name one in the header and sign with another.
    fn scopes(&self) -> Vec<(String, Bound)> {
        let given = &self.given.bound;
        let mut scopes = Vec::new();
        for region in hlctl_config::REGIONS.iter().copied().chain([self.region]) {
            let bound = Bound { region: region.to_owned(), ..given.clone() };
            scopes.push((format!("it signs for the region {region}, and its header says {}", given.region), bound));
        }
        for service in SERVICES {
            let bound = Bound { service: service.to_owned(), ..given.clone() };
            scopes.push((format!("it signs for the service {service}, and its header says {}", given.service), bound));
        }
        scopes.retain(|(_, bound)| bound != given);
        scopes
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use url::Url;

    use super::*;

    const HOME: &str = "https://healthlake.us-east-1.amazonaws.com/datastore/1/r4/";

    /// What is said of a signature over this canonical request, on a request to another one.
    fn verdict(
        method: &str,
        rest: &str,
        body: &[u8],
        change: impl FnOnce(&mut Canonical, &mut Bound),
    ) -> SignatureVerdict {
        let parts = Parts::of(&crate::address::sendable(&format!("{HOME}{rest}"))).unwrap();
        let headers = [("x-amz-date".to_owned(), "20260102T030405Z".to_owned())];
        let bound = Bound {
            time: "20260102T030405Z".to_owned(),
            day: "20260102".to_owned(),
            region: "us-east-1".to_owned(),
            service: "healthlake".to_owned(),
        };
        let base = BaseUrl::new(Url::parse(HOME).unwrap(), Url::parse(HOME).unwrap());
        let (mut canonical, mut signed_with) = (Canonical::of(method, &parts, &headers, body), bound.clone());
        change(&mut canonical, &mut signed_with);
        let given = Given {
            access_key: "AKIA1".to_owned(),
            bound,
            signed_headers: vec!["host".to_owned(), "x-amz-date".to_owned()],
            signature: canonical.signature("secret", &signed_with),
        };
        let case =
            Case { method, parts: &parts, headers: &headers, body, given: &given, base: &base, region: "us-east-1" };
        case.judge(&Secret::new("secret"))
    }

    fn mistake(method: &str, rest: &str, body: &[u8], change: impl FnOnce(&mut Canonical, &mut Bound)) -> String {
        match verdict(method, rest, body, change) {
            SignatureVerdict::Mistake(what) => what,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_right_signature_is_right() {
        assert_eq!(verdict("GET", "Patient?name=a|b", b"", |_, _| {}), SignatureVerdict::Right);
    }

    #[test]
    fn each_mistake_is_found_out_by_making_it() {
        let path =
            |path: &'static str| move |canonical: &mut Canonical, _: &mut Bound| path.clone_into(&mut canonical.path);
        let reported = mistake("GET", "Patient", b"", path("/datastore/1/r4/"));
        assert_eq!(reported, "it signs the path /datastore/1/r4/ and sends /datastore/1/r4/Patient");
        assert!(mistake("POST", "", b"{}", path("/datastore/1/r4")).contains("signs the path /datastore/1/r4 "));
        assert!(
            mistake("GET", "Patient/1/$everything", b"", path("/datastore/1/r4/Patient/1/$everything"))
                .contains("encoded once more")
        );
        assert!(
            mistake("GET", "Patient/1/%24everything", b"", path("/datastore/1/r4/Patient/1/%24everything"))
                .contains("encoded once more")
        );
        let query = |query: &'static str| {
            move |canonical: &mut Canonical, _: &mut Bound| query.clone_into(&mut canonical.query)
        };
        assert!(mistake("GET", "Patient?name=a", b"", query("")).contains("without the query"));
        assert!(mistake("GET", "Patient?b=1&a=2", b"", query("b=1&a=2")).contains("must be sorted"));
        assert!(
            mistake("GET", "Patient?identifier=a|b", b"", query("identifier=a|b")).contains("without any encoding")
        );
        assert!(mistake("GET", "Patient?name=a+b", b"", query("name=a%2Bb")).contains("as a plus"));
        let empty = |canonical: &mut Canonical, _: &mut Bound| EMPTY.clone_into(&mut canonical.payload);
        assert!(mistake("POST", "Patient", b"{}", empty).contains("empty body"));
        let compact = |canonical: &mut Canonical, _: &mut Bound| canonical.payload = canonical::sha256(b"{\"a\":1}");
        assert!(mistake("POST", "Patient", b"{ \"a\": 1 }", compact).contains("without the spaces"));
        let host = |canonical: &mut Canonical, _: &mut Bound| canonical.headers[0].1 = "localhost".to_owned();
        assert!(mistake("GET", "Patient", b"", host).contains("host localhost"));
        let region = |_: &mut Canonical, bound: &mut Bound| bound.region = "us-west-2".to_owned();
        assert!(mistake("GET", "Patient", b"", region).contains("region us-west-2"));
        let service = |_: &mut Canonical, bound: &mut Bound| bound.service = "execute-api".to_owned();
        assert!(mistake("GET", "Patient", b"", service).contains("service execute-api"));
        let method = |canonical: &mut Canonical, _: &mut Bound| canonical.method = "GET".to_owned();
        assert!(mistake("POST", "Patient/_search", b"", method).contains("method GET"));
    }

    #[test]
    fn what_no_mistake_leads_to_is_not_guessed_at() {
        let other = |canonical: &mut Canonical, _: &mut Bound| canonical.path = "/elsewhere".to_owned();
        assert!(matches!(verdict("GET", "Patient", b"", other), SignatureVerdict::Unknown { tried } if tried > 30));
    }
}
