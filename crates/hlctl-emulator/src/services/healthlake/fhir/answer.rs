//! What a FHIR request is answered with when it has been done.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use jiff::Timestamp;

/// The type of all bodies.
pub(super) const JSON: &str = "application/fhir+json";

/// An answer, over HTTP or in a Bundle.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Option<Bytes>,
    /// The version that was read or written.
    pub(super) version: Option<Written>,
    /// Where to ask what becomes of the request.
    pub(super) content_location: Option<String>,
    /// The type of the body, if it is not FHIR.
    pub(super) content_type: Option<&'static str>,
    /// Whether what was kept is not as R4 would have it.
    pub(super) flawed: bool,
    /// Headers that only this answer has.
    pub(super) headers: Vec<(HeaderName, String)>,
}

/// A version that was read or written.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) kind: &'static str,
    pub(super) id: String,
    pub(super) version: usize,
    pub(super) at: Timestamp,
}

impl Written {
    /// The address of this version below the interface's address.
    pub(super) fn location(&self) -> String {
        format!("{}/{}/_history/{}", self.kind, self.id, self.version)
    }

    pub(super) fn etag(&self) -> String {
        format!("W/\"{}\"", self.version)
    }
}

impl Answer {
    pub(super) fn of(status: u16, body: Option<Bytes>, version: Option<Written>) -> Self {
        Self { status, body, version, content_location: None, content_type: None, flawed: false, headers: Vec::new() }
    }

    pub(super) fn ok(body: Bytes) -> Self {
        Self::of(200, Some(body), None)
    }

    /// The answer as an HTTP response; addresses in it begin with `base`.
    pub(super) fn response(self, base: &str) -> Response<Bytes> {
        let mut response = Response::new(self.body.clone().unwrap_or_default());
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let headers = response.headers_mut();
        let mut set = |name: HeaderName, value: String| {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        };
        if self.body.is_some() {
            set(http::header::CONTENT_TYPE, self.content_type.unwrap_or(JSON).to_owned());
        }
        if self.flawed {
            set(HeaderName::from_static("x-amzn-healthlake-validation-issues"), "true".to_owned());
        }
        for (name, value) in self.headers {
            set(name, value);
        }
        if let Some(location) = self.content_location {
            set(http::header::CONTENT_LOCATION, location);
        }
        if let Some(written) = self.version {
            if self.status == 201 {
                set(http::header::LOCATION, format!("{base}{}", written.location()));
            }
            set(http::header::ETAG, written.etag());
            set(http::header::LAST_MODIFIED, http_date(written.at));
        }
        response
    }
}

/// An instant as HTTP writes it.
pub(super) fn http_date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
