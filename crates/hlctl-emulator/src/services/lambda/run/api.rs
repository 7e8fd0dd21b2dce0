//! The Runtime API of one environment (Lambda developer guide, "Using the Lambda runtime API").
//!
//! Whatever else is asked of its port goes to the emulator as a request of any client does, so that a function
//! reaches AWS, and a user pool's keys, at the one address.

use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

use crate::emulator::{Core, answer_boxed};
use crate::origin::FromFunction;

const PREFIX: &str = "/2018-06-01/runtime/";

/// Lambda quotas: an answer, with what AWS allows on top of 6 MB.
pub(super) const LONGEST_ANSWER: usize = 6_291_556;
/// A request that a function makes of the emulator, such as a package or an object.
const LONGEST_REQUEST: usize = 512 << 20;

/// An invocation for the runtime to fetch.
pub(super) struct Work {
    pub(super) request_id: String,
    pub(super) deadline: SystemTime,
    pub(super) invoked: String,
    pub(super) client_context: Option<String>,
    pub(super) event: Bytes,
}

/// What the runtime says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// It asks for work, so that it is done with what came before.
    Ready,
    Answer(Bytes),
    Error(Bytes),
    TooLarge,
    InitError(Bytes),
}

/// The driver's end: dropping it closes the port and all connections to it.
pub(super) struct Api {
    /// `http://127.0.0.1:PORT`.
    pub(super) origin: String,
    pub(super) work: mpsc::Sender<Work>,
    pub(super) said: mpsc::UnboundedReceiver<Said>,
    server: JoinHandle<()>,
}

impl Drop for Api {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The runtime's end.
struct Shared {
    core: Weak<Core>,
    work: tokio::sync::Mutex<mpsc::Receiver<Work>>,
    said: mpsc::UnboundedSender<Said>,
    /// The id of the invocation that has been fetched and not been answered.
    current: Mutex<Option<String>>,
}

impl Api {
    pub(super) async fn open(core: Weak<Core>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let origin = format!("http://{}", listener.local_addr()?);
        let (work, fetched) = mpsc::channel(1);
        let (saying, said) = mpsc::unbounded_channel();
        let shared = Shared { core, work: tokio::sync::Mutex::new(fetched), said: saying, current: Mutex::default() };
        let server = tokio::spawn(serve(listener, Arc::new(shared)));
        Ok(Self { origin, work, said, server })
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, Arc::clone(&shared)));
                }
                // The runtime sees its requests refused, and says so in its own way.
                Err(_) => return,
            }
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { answer(&shared, request).await.map(|response| response.map(Full::new)) }
    });
    // An error here is a runtime that went away, which its process tells better.
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        // A runtime's connection is silent for as long as its function works.
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(shared: &Shared, request: Request<Incoming>) -> io::Result<Response<Bytes>> {
    let Some(path) = request.uri().path().strip_prefix(PREFIX).map(ToOwned::to_owned) else {
        return forward(shared, request).await;
    };
    let parts: Vec<&str> = path.split('/').collect();
    match (request.method(), &parts[..]) {
        (&Method::GET, ["invocation", "next"]) => next(shared).await,
        (&Method::POST, ["invocation", id, kind @ ("response" | "error")]) => {
            finish(shared, id, *kind == "response", request).await
        }
        (&Method::POST, ["init", "error"]) => {
            let Some(body) = body(request, LONGEST_ANSWER).await? else {
                return Ok(too_large());
            };
            Ok(accepted(shared, Said::InitError(body)))
        }
        _ => Ok(refusal(StatusCode::NOT_FOUND, "InvalidPath", "There is no such path in the Runtime API")),
    }
}

/// Hands out the next invocation, as soon as there is one.
async fn next(shared: &Shared) -> io::Result<Response<Bytes>> {
    let closed = || io::Error::other("the environment has ended");
    shared.said.send(Said::Ready).map_err(|_| closed())?;
    let work = shared.work.lock().await.recv().await.ok_or_else(closed)?;
    *shared.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(work.request_id.clone());
    let mut response = Response::new(work.event.clone());
    *response.headers_mut() = work.headers();
    Ok(response)
}

impl Work {
    fn headers(&self) -> HeaderMap {
        let deadline = self.deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
        let trace = self.request_id.replace('-', "");
        let trace =
            format!("Root=1-{}-{};Sampled=0", trace.get(..8).unwrap_or_default(), trace.get(8..).unwrap_or_default());
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("content-type", Some("application/json")),
            ("lambda-runtime-aws-request-id", Some(self.request_id.as_str())),
            ("lambda-runtime-deadline-ms", Some(deadline.to_string().as_str())),
            ("lambda-runtime-invoked-function-arn", Some(self.invoked.as_str())),
            ("lambda-runtime-trace-id", Some(trace.as_str())),
            ("lambda-runtime-client-context", self.client_context.as_deref()),
        ] {
            if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        headers
    }
}

/// Takes the answer to the invocation `id`, or the error it ended with.
async fn finish(shared: &Shared, id: &str, good: bool, request: Request<Incoming>) -> io::Result<Response<Bytes>> {
    let body = body(request, LONGEST_ANSWER).await?;
    let mut current = shared.current.lock().unwrap_or_else(PoisonError::into_inner);
    if current.as_deref() != Some(id) {
        return Ok(refusal(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID"));
    }
    *current = None;
    drop(current);
    match body {
        Some(body) if good => Ok(accepted(shared, Said::Answer(body))),
        Some(body) => Ok(accepted(shared, Said::Error(body))),
        None => {
            accepted(shared, Said::TooLarge);
            Ok(too_large())
        }
    }
}

/// A request's body, unless it is longer than `most`.
async fn body(request: Request<Incoming>, most: usize) -> io::Result<Option<Bytes>> {
    match Limited::new(request.into_body(), most).collect().await {
        Ok(body) => Ok(Some(body.to_bytes())),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Ok(None),
        Err(error) => Err(io::Error::other(error)),
    }
}

async fn forward(shared: &Shared, request: Request<Incoming>) -> io::Result<Response<Bytes>> {
    let (mut parts, incoming) = request.into_parts();
    parts.extensions.insert(FromFunction);
    let request = Request::from_parts(parts.clone(), incoming);
    let Some(body) = body(request, LONGEST_REQUEST).await? else {
        return Ok(too_large());
    };
    let core = shared.core.upgrade().ok_or_else(|| io::Error::other("the emulator has ended"))?;
    answer_boxed(core, Request::from_parts(parts, body)).await.map_err(io::Error::other)
}

fn accepted(shared: &Shared, said: Said) -> Response<Bytes> {
    // A driver that is gone wants to hear no more.
    let _ = shared.said.send(said);
    reply(StatusCode::ACCEPTED, &json!({"status": "OK"}))
}

fn too_large() -> Response<Bytes> {
    let message = format!("Exceeded maximum allowed payload size ({LONGEST_ANSWER} bytes).");
    refusal(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &message)
}

fn refusal(status: StatusCode, kind: &str, message: &str) -> Response<Bytes> {
    reply(status, &json!({"errorMessage": message, "errorType": kind}))
}

fn reply(status: StatusCode, body: &serde_json::Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
