//! The address of a FHIR request: `/datastore/{id}/r4/...`, on any host.

use bytes::Bytes;
use http::Request;
use percent_encoding::percent_decode_str;

use super::refusal::{Outcome, Refusal};
use crate::origin::{self, Origin, healthlake_region};

const ROOT: &str = "/datastore/";

/// Where a request goes.
#[derive(Clone, Debug)]
pub(super) struct Address {
    /// The datastore's id.
    pub(super) store: String,
    /// What follows `r4`.
    pub(super) segments: Vec<String>,
    pub(super) query: Vec<(String, String)>,
    /// The address of the FHIR interface as the caller knows it, with a slash at the end.
    pub(super) base: String,
    /// The region that the host names.
    pub(super) region: Option<String>,
}

/// Whether a request is for the FHIR interface.
///
/// A bucket may be called `datastore`: a request that is signed for S3 goes there, unless its path is that of a
/// datastore from end to end.
pub(crate) fn is_addressed(request: &Request<Bytes>, signed_for: Option<&str>) -> bool {
    let path = request.uri().path();
    let host = origin::host(request);
    let Some(rest) = path.strip_prefix(ROOT) else {
        return path == "/datastore" && healthlake_region(&host).is_some();
    };
    if healthlake_region(&host).is_some() {
        return true;
    }
    !names_a_bucket(&host) && (signed_for != Some("s3") || is_exact(rest))
}

/// `{32 hexadecimal digits}/r4` and nothing else before the next slash.
fn is_exact(rest: &str) -> bool {
    let mut parts = rest.split('/');
    let id = parts.next().unwrap_or_default();
    id.len() == 32 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) && parts.next() == Some("r4")
}

impl Address {
    pub(super) fn of(request: &Request<Bytes>) -> Outcome<Self> {
        let uri = request.uri();
        let path = uri.path();
        let rest = path.strip_prefix(ROOT).unwrap_or_default();
        // Two slashes in a row are one: an endpoint ends with a slash, and a path may begin with one.
        let mut segments = rest.split('/').filter(|part| !part.is_empty()).map(|part| {
            percent_decode_str(part)
                .decode_utf8()
                .map(std::borrow::Cow::into_owned)
                .map_err(|_| Refusal::invalid(format!("{path} is not UTF-8.")))
        });
        let store = segments.next().transpose()?;
        let version = segments.next().transpose()?;
        let (Some(store), Some("r4")) = (store, version.as_deref()) else {
            return Err(Refusal::not_found(format!(
                "There is nothing at {path}: the FHIR interface is at /datastore/{{datastoreId}}/r4/"
            )));
        };
        let origin = Origin::of(request);
        Ok(Self {
            base: format!("{}{ROOT}{store}/r4/", origin.base()),
            store,
            segments: segments.collect::<Outcome<_>>()?,
            query: parameters(uri.query().unwrap_or_default().as_bytes()),
            region: healthlake_region(origin.host()).map(ToOwned::to_owned),
        })
    }
}

/// Form-encoded parameters but for those of a presigned address.
pub(super) fn parameters(encoded: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(encoded)
        .filter(|(name, _)| !name.is_empty() && !name.starts_with("X-Amz-"))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

/// `BUCKET.s3.REGION.amazonaws.com` and `BUCKET.localhost`.
fn names_a_bucket(host: &str) -> bool {
    host.ends_with(".localhost")
        || (host.contains(".amazonaws.com") && (host.contains(".s3.") || host.contains(".s3-")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef";

    fn get(host: &str, path: &str) -> Request<Bytes> {
        Request::get(path).header("host", host).body(Bytes::new()).unwrap()
    }

    #[test]
    fn a_path_alone_leads_to_a_datastore_and_a_bucket_keeps_its_own() {
        let exact = format!("/datastore/{ID}/r4/Patient");
        assert!(is_addressed(&get("127.0.0.1:4566", &exact), None));
        assert!(is_addressed(&get("127.0.0.1:4566", &exact), Some("s3")));
        assert!(is_addressed(&get("127.0.0.1:4566", "/datastore/x"), Some("healthlake")));
        assert!(!is_addressed(&get("127.0.0.1:4566", "/datastore/x"), Some("s3")));
        assert!(!is_addressed(&get("data.s3.us-east-1.amazonaws.com", &exact), None));
        assert!(!is_addressed(&get("data.localhost:4566", &exact), None));
        assert!(!is_addressed(&get("127.0.0.1", "/datastores/x"), None));
        assert!(is_addressed(&get("healthlake.us-east-1.amazonaws.com", "/datastore/x"), Some("s3")));
    }

    #[test]
    fn links_lead_back_to_where_the_caller_came_in() {
        let path = format!("/datastore/{ID}/r4//Patient/%24x?a=b%20c&X-Amz-Date=1");
        let address = Address::of(&get("127.0.0.1:4566", &path)).unwrap();
        assert_eq!(address.base, format!("http://127.0.0.1:4566/datastore/{ID}/r4/"));
        assert_eq!(address.segments, ["Patient", "$x"]);
        assert_eq!(address.query, [("a".to_owned(), "b c".to_owned())]);
        let aws = Address::of(&get("healthlake.eu-west-2.amazonaws.com", &path)).unwrap();
        assert!(aws.base.starts_with("https://healthlake.eu-west-2.amazonaws.com/"));
        assert_eq!(aws.region.as_deref(), Some("eu-west-2"));
    }

    #[test]
    fn a_path_outside_the_interface_is_refused_by_name() {
        let refusal = Address::of(&get("x", &format!("/datastore/{ID}/r5/Patient"))).unwrap_err();
        assert_eq!(refusal.status, 404);
        assert!(refusal.text().contains("/r5/"), "{}", refusal.text());
    }
}
