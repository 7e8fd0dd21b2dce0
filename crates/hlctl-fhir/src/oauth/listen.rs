//! The callback address, listened on for as long as a log-in takes.
//!
//! On loopback only, though `localhost` may be either of its two addresses. What comes for another path, or with another state, is
//! answered and passed over: any page that a browser shows can send such requests.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use url::{Host, Url};

use super::asking::Asking;
use super::error::OauthError;
use hlctl_config::Secret;

/// How long a browser may take to send what it has connected for.
const HEADER_LIMIT: Duration = Duration::from_secs(10);

/// Whether a callback address can be listened on here: plain HTTP, a loopback host, a port.
pub fn is_loopback(url: &Url) -> bool {
    url.scheme() == "http" && url.port().is_some_and(|port| port != 0) && !hosts(url).is_empty()
}

fn hosts(url: &Url) -> Vec<IpAddr> {
    let four = IpAddr::V4(Ipv4Addr::LOCALHOST);
    match url.host() {
        Some(Host::Domain("localhost")) => vec![four, IpAddr::V6(Ipv6Addr::LOCALHOST)],
        Some(Host::Ipv4(address)) if address == Ipv4Addr::LOCALHOST => vec![four],
        _ => Vec::new(),
    }
}

/// Listens on a callback address.
#[derive(Debug)]
pub struct Listener {
    sockets: [Option<TcpListener>; 2],
}

impl Listener {
    /// Begins to listen.
    ///
    /// # Errors
    /// The port is taken, or the address is not of this machine.
    pub async fn bind(url: &Url) -> Result<Self, OauthError> {
        let port = url.port().unwrap_or_default();
        let mut sockets = [None, None];
        let mut failure = None;
        for (socket, host) in sockets.iter_mut().zip(hosts(url)) {
            match TcpListener::bind((host, port)).await {
                Ok(listener) => *socket = Some(listener),
                // A machine without IPv6 has one of the two addresses.
                Err(error) if host.is_ipv6() && error.kind() != io::ErrorKind::AddrInUse => {}
                Err(error) => failure = Some(error.to_string()),
            }
        }
        let none = || sockets.iter().all(Option::is_none).then(|| "it is not an address of this machine".to_owned());
        match failure.or_else(none) {
            Some(cause) => Err(OauthError::Port { address: url.to_string(), cause }),
            None => Ok(Self { sockets }),
        }
    }

    /// Waits for the browser to come back from this log-in. `warn` is called with answers to others.
    ///
    /// # Errors
    /// The pool refused, or nobody comes in time.
    pub async fn code(self, asking: &Asking, patience: Duration, warn: fn(&str)) -> Result<Secret, OauthError> {
        let waited = tokio::time::timeout(patience, self.serve(Arc::new(asking.clone()), warn)).await;
        waited.unwrap_or(Err(OauthError::Patience(patience)))
    }

    async fn serve(self, asking: Arc<Asking>, warn: fn(&str)) -> Result<Secret, OauthError> {
        let [four, six] = &self.sockets;
        let mut connections = JoinSet::new();
        loop {
            let stream = tokio::select! {
                Some(ended) = connections.join_next() => match ended {
                    Ok(Some(outcome)) => return outcome,
                    // That one was about something else; the others are still waited for.
                    _ => continue,
                },
                stream = accept(four.as_ref()) => stream,
                stream = accept(six.as_ref()) => stream,
            };
            connections.spawn(attend(stream, Arc::clone(&asking), warn));
        }
    }
}

/// The next connection; never one where nothing is listened on.
async fn accept(listener: Option<&TcpListener>) -> TcpStream {
    loop {
        match listener {
            None => std::future::pending().await,
            Some(listener) => match listener.accept().await {
                Ok((stream, _)) => return stream,
                // The browser has hung up already, or there are no more descriptors for a moment.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
        }
    }
}

/// Serves one connection to its end, and gives what the log-in came to if that was it.
async fn attend(stream: TcpStream, asking: Arc<Asking>, warn: fn(&str)) -> Option<Result<Secret, OauthError>> {
    let outcome = Arc::new(Mutex::new(None));
    let service = service_fn(|request: Request<Incoming>| {
        let (page, result) = answer(&asking, &request, warn);
        if result.is_some() {
            *outcome.lock().unwrap_or_else(PoisonError::into_inner) = result;
        }
        async move { Ok::<_, std::convert::Infallible>(page) }
    });
    let served = http1::Builder::new()
        .keep_alive(false)
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_LIMIT)
        .serve_connection(TokioIo::new(stream), service);
    // Whether the browser has read its page to the end changes nothing.
    let _ = served.await;
    outcome.lock().unwrap_or_else(PoisonError::into_inner).take()
}

type Answer = (Response<Full<Bytes>>, Option<Result<Secret, OauthError>>);

fn answer(asking: &Asking, request: &Request<Incoming>, warn: fn(&str)) -> Answer {
    let target = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let landed = asking.landing().join(target).ok().filter(|url| asking.ends_at(url));
    let Some(landed) = landed else {
        return (page(StatusCode::NOT_FOUND, "Nothing here", "hlctl waits for a log-in at another address."), None);
    };
    if request.method() != Method::GET {
        return (page(StatusCode::METHOD_NOT_ALLOWED, "Nothing here", "hlctl waits for a browser."), None);
    }
    match asking.code(&landed) {
        Ok(code) => {
            (page(StatusCode::OK, "Signed in", "You can close this page and go back to the terminal."), Some(Ok(code)))
        }
        Err(OauthError::ForeignState) => {
            warn("A browser came back from another log-in; it was ignored, and hlctl still waits for this one.");
            let text = "This log-in is not the one that hlctl waits for. Use the URL that it printed last.";
            (page(StatusCode::BAD_REQUEST, "Not this log-in", text), None)
        }
        Err(error) => {
            let text = "The log-in did not succeed. The terminal says why.";
            (page(StatusCode::BAD_REQUEST, "Not signed in", text), Some(Err(error)))
        }
    }
}

/// A page that shows nothing of what was sent, runs nothing and loads nothing.
fn page(status: StatusCode, title: &str, text: &str) -> Response<Full<Bytes>> {
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<title>{title} - hlctl</title>\n<style>:root{{color-scheme:light dark;\
         font:1rem/1.5 system-ui,sans-serif}}body{{max-width:32rem;margin:10vh auto;padding:0 1rem}}</style>\n</head>\n<body>\n\
         <h1>{title}</h1>\n<p>{text}</p>\n</body>\n</html>\n"
    );
    let mut response = Response::new(Full::new(Bytes::from(html)));
    *response.status_mut() = status;
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
        (header::CACHE_CONTROL, "no-store"),
        // The address of the page has the code in it.
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    response.headers_mut().extend(headers.map(|(name, value)| (name, HeaderValue::from_static(value))));
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn only_plain_loopback_with_a_port_is_listened_on() {
        let is = |url: &str| is_loopback(&Url::parse(url).unwrap());
        assert!(is("http://localhost:8484/callback"));
        assert!(is("http://127.0.0.1:8484"));
        for url in [
            "https://localhost",
            "https://localhost:8484",
            "http://localhost/callback",
            "http://127.0.0.2:8484",
            "http://0.0.0.0:8484",
            "http://localhost.example.org:8484",
            "http://192.0.2.1:8484",
            "myapp://localhost:8484",
        ] {
            assert!(!is(url), "{url}");
        }
    }
}
