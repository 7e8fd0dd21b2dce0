//! Sends requests to the FHIR interface. Each attempt is signed again; [`Caller`] decides about the next one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::Full;

use super::address::BaseUrl;
use super::refusal::{ErrorResponse, Proof};
use super::signing::{Signer, impossible};
use crate::oauth::{Http, OauthError};
use hlctl_aws::{AwsError, Call, Caller, ErrorKind, Operation};
use hlctl_config::Secret;

/// How long a request may take. Bundles of 500 entries take a while.
const LIMIT: Duration = Duration::from_secs(60);
/// The most that one answer may have: a page is held in memory.
const LARGEST: usize = 64 << 20;
/// The type of what is sent and taken.
pub const JSON: HeaderValue = HeaderValue::from_static("application/fhir+json");

/// How requests prove who makes them.
#[derive(Clone, Debug)]
pub enum Authority {
    /// By a signature of the identity that runs hlctl.
    Signature(Signer),
    /// By a SMART access token.
    Token(Secret),
}

impl Authority {
    /// Which of them it is.
    pub fn proof(&self) -> Proof {
        match self {
            Self::Signature(_) => Proof::Signature,
            Self::Token(_) => Proof::Token,
        }
    }
}

/// A store's FHIR interface, and who asks it.
#[derive(Debug)]
pub struct Fhir {
    /// Where it is.
    pub base: BaseUrl,
    http: Http,
    authority: Authority,
    smart: bool,
}

/// A request.
#[derive(Clone, Debug)]
pub struct FhirRequest {
    call: Call,
    method: Method,
    address: String,
    about: String,
    headers: HeaderMap,
    body: Bytes,
}

/// An answer, and what came before it.
#[derive(Debug)]
pub struct FhirResponse {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
    /// Whether the answer to an earlier attempt was lost, so that this one may be about work that was done already.
    pub repeated: bool,
}

impl FhirRequest {
    /// A request that may be sent again. `about` says what it is about, without parameters.
    pub fn new(operation: &'static Operation, method: Method, address: String, about: String) -> Self {
        let headers = HeaderMap::from_iter([(header::ACCEPT, JSON)]);
        Self { call: operation.into(), method, address, about, headers, body: Bytes::new() }
    }

    /// It is repeated only when it has surely not been carried out.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.call = self.call.once();
        self
    }

    /// With a body of this type.
    #[must_use]
    pub fn with_body(mut self, kind: HeaderValue, body: impl Into<Bytes>) -> Self {
        self.headers.insert(header::CONTENT_TYPE, kind);
        self.body = body.into();
        self
    }

    /// With a header.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// What it is about.
    pub fn about(&self) -> &str {
        &self.about
    }

    /// Where it goes.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// A GET of another address for the same purpose.
    #[must_use]
    pub fn onwards(&self, address: String) -> Self {
        let headers = HeaderMap::from_iter([(header::ACCEPT, JSON)]);
        Self { method: Method::GET, address, headers, body: Bytes::new(), ..self.clone() }
    }
}

impl Fhir {
    /// An interface; `smart` says whether the stack has an identity provider.
    pub fn new(base: BaseUrl, http: Http, authority: Authority, smart: bool) -> Self {
        Self { base, http: http.within(LIMIT, LARGEST), authority, smart }
    }

    /// Sends a request, and again where that is safe and worth it.
    ///
    /// # Errors
    /// The store refuses, or nobody answers.
    pub async fn send(&self, ask: &FhirRequest) -> Result<FhirResponse, Box<ErrorResponse>> {
        let lost = AtomicBool::new(false);
        let attempt = || async {
            let result = self.attempt(ask).await;
            if result.as_ref().is_err_and(|refusal| refusal.may_have_worked()) {
                lost.store(true, Ordering::Relaxed);
            }
            result
        };
        let caller = match &self.authority {
            Authority::Signature(signer) => signer.caller().clone(),
            Authority::Token(_) => Caller::default(),
        };
        let result = caller.repeat(ask.call, attempt).await;
        let repeated = lost.load(Ordering::Relaxed);
        match result {
            Ok(answer) => Ok(FhirResponse { repeated, ..answer }),
            Err(refusal) => Err(Box::new(ErrorResponse { repeated, ..*refusal })),
        }
    }

    async fn attempt(&self, ask: &FhirRequest) -> Result<FhirResponse, Box<ErrorResponse>> {
        let unsent = |error| ErrorResponse::unsent(error, &ask.about, &self.authority, self.smart);
        let request = self.request(ask).await.map_err(unsent)?;
        let reply = self.http.send(request).await.map_err(|error| unsent(unanswered(&error, ask.call.operation)))?;
        if reply.status.is_success() && is_of_fhir(&reply.body) {
            return Ok(FhirResponse {
                status: reply.status,
                headers: reply.headers,
                body: reply.body,
                repeated: false,
            });
        }
        Err(ErrorResponse::of(&reply, ask.call.operation, &ask.about, &self.authority, self.smart))
    }

    async fn request(&self, ask: &FhirRequest) -> Result<Request<Full<Bytes>>, AwsError> {
        let mut request = Request::new(Full::new(ask.body.clone()));
        *request.method_mut() = ask.method.clone();
        *request.headers_mut() = ask.headers.clone();
        *request.uri_mut() = ask.address.parse().map_err(|_| impossible("the URL cannot be requested"))?;
        match &self.authority {
            Authority::Signature(signer) => signer.sign(&mut request, &ask.body).await?,
            Authority::Token(token) => {
                let value = HeaderValue::try_from(format!("Bearer {}", token.expose()));
                let mut value =
                    value.map_err(|_| impossible("the token has characters that are not allowed in a token"))?;
                value.set_sensitive(true);
                request.headers_mut().insert(header::AUTHORIZATION, value);
            }
        }
        Ok(request)
    }
}

/// Whether a body can be one of the FHIR interface's: a JSON object or nothing.
fn is_of_fhir(body: &[u8]) -> bool {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    first.is_none_or(|byte| *byte == b'{')
}

/// What a missing answer means.
fn unanswered(error: &OauthError, operation: &'static Operation) -> AwsError {
    let kind = match error {
        OauthError::Untrusted { .. } => ErrorKind::Untrusted,
        OauthError::Unreachable { connected: false, .. } => ErrorKind::Unreachable,
        OauthError::Unreachable { .. } | OauthError::Slow { .. } => ErrorKind::NoAnswer,
        _ => ErrorKind::Refused,
    };
    let mut failed = impossible(&error.to_string());
    (failed.kind, failed.operation) = (kind, Some(operation));
    failed
}
