//! Why a FHIR request is not done, as an OperationOutcome.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use crate::emulator::storage_failed;
use crate::error::{AwsError, Error};

/// A refusal with its HTTP status.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    /// A code of FHIR's IssueType.
    code: &'static str,
    /// The error by AWS's name, in `x-amzn-errortype`.
    error: String,
    text: String,
    /// Sent instead of the OperationOutcome.
    body: Option<Bytes>,
}

pub(super) type Outcome<T> = Result<T, Refusal>;

impl Refusal {
    fn new(status: u16, code: &'static str, error: &str, text: impl Into<String>) -> Self {
        Self { status, code, error: error.to_owned(), text: text.into(), body: None }
    }

    /// 400: what was sent is not FHIR or not JSON.
    pub(super) fn invalid(text: impl Into<String>) -> Self {
        Self::new(400, "invalid", "ValidationException", text)
    }

    /// 400, or what else says that this is not offered.
    pub(super) fn not_supported(status: u16, text: impl Into<String>) -> Self {
        Self::new(status, "not-supported", "ValidationException", text)
    }

    /// 401: who asks is not known.
    pub(super) fn login(text: impl Into<String>) -> Self {
        Self::new(401, "login", "UnauthorizedException", text)
    }

    /// 401: it took too long to find out who asks.
    pub(super) fn timeout(text: impl Into<String>) -> Self {
        Self::new(401, "timeout", "TimeoutException", text)
    }

    /// 403: who asks may not do this.
    pub(super) fn forbidden(text: impl Into<String>) -> Self {
        Self::new(403, "forbidden", "AccessDeniedException", text)
    }

    /// 403 with another error name than AccessDeniedException.
    pub(super) fn signature(error: &str, text: impl Into<String>) -> Self {
        Self::new(403, "security", error, text)
    }

    pub(super) fn not_found(text: impl Into<String>) -> Self {
        Self::new(404, "not-found", "ResourceNotFoundException", text)
    }

    pub(super) fn gone(text: impl Into<String>) -> Self {
        Self::new(410, "deleted", "ResourceNotFoundException", text)
    }

    pub(super) fn conflict(text: impl Into<String>) -> Self {
        Self::new(409, "conflict", "ConflictException", text)
    }

    /// 412: what is there is not what the caller expects.
    pub(super) fn precondition(text: impl Into<String>) -> Self {
        Self::new(412, "conflict", "PreconditionFailedException", text)
    }

    pub(super) fn too_large(text: impl Into<String>) -> Self {
        Self::new(413, "too-long", "RequestEntityTooLargeException", text)
    }

    /// 422: well-formed, but it cannot be applied.
    pub(super) fn unprocessable(text: impl Into<String>) -> Self {
        Self::new(422, "processing", "ValidationException", text)
    }

    /// 500: what was asked for has failed.
    pub(super) fn failed(text: impl Into<String>) -> Self {
        Self::new(500, "exception", "InternalServerException", text)
    }

    /// The same refusal with a resource instead of an OperationOutcome.
    pub(super) fn with_body(mut self, body: Bytes) -> Self {
        self.body = Some(body);
        self
    }

    /// The same refusal with what it is about named first.
    pub(super) fn about(mut self, place: &str) -> Self {
        self.text = format!("{place}: {}", self.text);
        self
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn outcome(&self) -> Value {
        json!({
            "resourceType": "OperationOutcome",
            "issue": [{"severity": "error", "code": self.code, "diagnostics": self.text}],
        })
    }

    pub(super) fn response(self) -> Response<Bytes> {
        let body = self.body.clone().unwrap_or_else(|| Bytes::from(self.outcome().to_string()));
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        let headers = response.headers_mut();
        headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(super::answer::JSON));
        if let Ok(error) = HeaderValue::from_str(&self.error) {
            headers.insert("x-amzn-errortype", error);
        }
        if self.status == 401 {
            headers.insert(http::header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// The data directory failed.
impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::new(500, "exception", "InternalServerException", storage_failed(&error).message)
    }
}

/// What the faults say. The control plane's statuses of 400 become what HTTP has for them.
impl From<AwsError> for Refusal {
    fn from(error: AwsError) -> Self {
        let (status, code) = match error.code.as_str() {
            "ThrottlingException" => (429, "throttled"),
            "AccessDeniedException" => (403, "forbidden"),
            _ if error.status >= 500 => (error.status, "exception"),
            _ => (error.status, "processing"),
        };
        Self::new(status, code, &error.code, error.message)
    }
}
