//! The emulator as an HTTP/1.1 server.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Either, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::emulator::Emulator;
use crate::half::{self, Half};
use crate::services::healthlake::jobs::Pace;

/// How often jobs are carried on while nobody asks for anything.
const TICK: Duration = Duration::from_millis(100);

impl Emulator {
    /// Serves clients on `listener` until `shutdown` is ready.
    ///
    /// Requests that are being served then are cut off. Whatever they have been answered is kept.
    ///
    /// # Errors
    ///
    /// If no more connections can be accepted.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let mut shutdown = pin!(shutdown);
        let mut connections = JoinSet::new();
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = &mut shutdown => return Ok(()),
                Some(_) = connections.join_next() => {}
                _ = ticks.tick() => {
                    let emulator = self.clone();
                    connections.spawn(async move { emulator.carry_on(Pace::Through).await });
                }
                accepted = listener.accept() => {
                    let (stream, _) = accepted?;
                    connections.spawn(connection(self.clone(), stream));
                }
            }
        }
    }
}

async fn connection(emulator: Emulator, stream: TcpStream) {
    // Small answers should not wait for more to send.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let emulator = emulator.clone();
        async move { answer(&emulator, request).await }
    });
    // An error here is a client that went away or a fault that hung up; the others are not concerned.
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(emulator: &Emulator, request: Request<Incoming>) -> io::Result<Response<Either<Full<Bytes>, Half>>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    emulator.handle(Request::from_parts(parts, body)).await.map(half::sent).map_err(io::Error::other)
}
