//! HTTP for what the SDK has no part in: the pages and endpoints of a user pool, and the FHIR interface.
//!
//! As with the SDK's calls the authorities are those of the system, or those of `AWS_CA_BUNDLE`, and the proxy is the one that the environment names. No redirect
//! is followed, a request has a time limit, and an answer a size. Errors name the origin alone, since queries have codes in them.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tower_service::Service;
use url::Url;

use super::error::OauthError;
use hlctl_aws::classify::is_untrusted;
use hlctl_aws::{CALLS, Trust, request_id};

const CONNECT_LIMIT: Duration = Duration::from_secs(10);
const LIMIT: Duration = Duration::from_secs(30);
/// More than any page, token or single resource that is asked for here.
const LARGEST: usize = 4 << 20;

/// Asks over HTTP and HTTPS.
#[derive(Clone, Debug)]
pub struct Http {
    client: Client<HttpsConnector<Way>, Full<Bytes>>,
    limit: Duration,
    largest: usize,
}

/// An answer, whole.
#[derive(Debug)]
pub struct Reply {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl Reply {
    /// The request id, if the server gave one.
    pub fn request_id(&self) -> Option<String> {
        request_id::of_headers(|name| self.headers.get(name)?.to_str().ok())
    }
}

impl Http {
    /// A client that trusts these authorities; nothing is asked yet.
    ///
    /// # Errors
    /// The system has no certificate authorities.
    pub fn new(trust: &Trust) -> Result<Self, OauthError> {
        let machine = |error: &dyn Error| OauthError::Machine(error.to_string());
        let provider = rustls::crypto::ring::default_provider();
        let tls = ClientConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()
            .map_err(|error| machine(&error))?;
        let tls = match trust.roots() {
            Some(roots) => tls.with_root_certificates(roots),
            None => tls.with_native_roots().map_err(|error| machine(&error))?,
        };
        let tls = tls.with_no_client_auth();
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
        let client = Client::builder(TokioExecutor::new()).build(connector.wrap_connector(Way::new()));
        Ok(Self { client, limit: LIMIT, largest: LARGEST })
    }

    /// The same with other limits for the time of a request and the size of its answer.
    #[must_use]
    pub fn within(self, limit: Duration, largest: usize) -> Self {
        Self { limit, largest, ..self }
    }

    /// Sends a request and reads the answer.
    ///
    /// # Errors
    /// No connection, no answer in time, or one that is too large.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Result<Reply, OauthError> {
        let origin = origin(request.uri());
        let method = request.method().to_string();
        let exchange = async {
            let response = self.client.request(request).await;
            let response = response.map_err(|error| unreachable(&origin, &error, !error.is_connect()))?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, self.largest).collect().await;
            let body = body.map_err(|error| self.broken(&origin, error.as_ref()))?.to_bytes();
            Ok(Reply { status: parts.status, headers: parts.headers, body })
        };
        let begun = tokio::time::Instant::now();
        // Neither path nor query: they can name a patient, or hold a code.
        tracing::debug!(target: CALLS, method = method.as_str(), origin, "request sent");
        let answer = tokio::time::timeout(self.limit, exchange).await;
        let answer = answer.unwrap_or_else(|_| Err(OauthError::Slow { origin: origin.clone(), limit: self.limit }));
        let status = answer.as_ref().ok().map(|reply: &Reply| reply.status.as_u16());
        let request_id = answer.as_ref().ok().and_then(Reply::request_id);
        request_id::note(request_id.as_deref());
        let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::debug!(target: CALLS, method = method.as_str(), origin, status, ms, request_id, "request answered");
        answer
    }

    fn broken(&self, origin: &str, error: &(dyn Error + 'static)) -> OauthError {
        if error.is::<LengthLimitError>() {
            return OauthError::TooLarge { origin: origin.to_owned(), largest: self.largest };
        }
        unreachable(origin, error, true)
    }
}

/// A GET without anything else.
///
/// # Errors
/// The address cannot be asked.
pub fn get(url: &Url) -> Result<Request<Full<Bytes>>, OauthError> {
    Request::get(url.as_str())
        .body(Full::default())
        .map_err(|_| OauthError::Address(url.origin().ascii_serialization()))
}

fn origin(uri: &Uri) -> String {
    format!("{}://{}", uri.scheme_str().unwrap_or_default(), uri.authority().map_or("", http::uri::Authority::as_str))
}

/// The innermost cause says most, and none of the outer ones names a path.
fn unreachable(origin: &str, error: &(dyn Error + 'static), connected: bool) -> OauthError {
    let mut all = std::iter::successors(Some(error), |error| (*error).source());
    let innermost = all.clone().last().unwrap_or(error);
    if all.any(is_untrusted) {
        return OauthError::Untrusted { origin: origin.to_owned(), cause: innermost.to_string() };
    }
    OauthError::Unreachable { origin: origin.to_owned(), cause: innermost.to_string(), connected }
}

/// A connection to the host itself, or through the proxy that the environment names for it.
#[derive(Clone, Debug)]
struct Way {
    direct: HttpConnector,
    proxies: Arc<Matcher>,
}

impl Way {
    fn new() -> Self {
        let mut direct = HttpConnector::new();
        direct.enforce_http(false);
        direct.set_connect_timeout(Some(CONNECT_LIMIT));
        Self { direct, proxies: Arc::new(Matcher::from_env()) }
    }
}

type Failure = Box<dyn Error + Send + Sync>;

impl Service<Uri> for Way {
    type Response = TokioIo<TcpStream>;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Failure>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let mut direct = self.direct.clone();
        // Plain HTTP is spoken with emulators alone, which no proxy leads to.
        let proxy = self.proxies.intercept(&to).filter(|_| to.scheme_str() == Some("https"));
        Box::pin(async move {
            let Some(proxy) = proxy else { return Ok(direct.call(to).await?) };
            let tunnel = Tunnel::new(proxy.uri().clone(), direct);
            let mut tunnel = match proxy.basic_auth() {
                Some(credentials) => tunnel.with_auth(credentials.clone()),
                None => tunnel,
            };
            Ok(tunnel.call(to).await?)
        })
    }
}
