//! A small HTTP server on loopback that does what a closure says, and counts its requests.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: Vec<u8>,
}

pub(crate) struct Response {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Response {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

pub(crate) struct Server {
    address: SocketAddr,
    scheme: &'static str,
    asked: Arc<AtomicUsize>,
}

impl Server {
    /// Serves until the process ends. A closure that returns nothing leaves the client waiting.
    pub(crate) fn start(handle: impl Fn(&Request) -> Option<Response> + Send + Sync + 'static) -> Self {
        Self::run("http", Arc::new(handle), |stream, serve| serve(&mut BufReader::new(stream)))
    }

    /// The same over TLS.
    pub(crate) fn start_tls(
        config: Arc<ServerConfig>,
        handle: impl Fn(&Request) -> Option<Response> + Send + Sync + 'static,
    ) -> Self {
        Self::run("https", Arc::new(handle), move |stream, serve| {
            let connection = ServerConnection::new(config.clone()).unwrap();
            serve(&mut BufReader::new(StreamOwned::new(connection, stream)));
        })
    }

    fn run<H, W>(scheme: &'static str, handle: Arc<H>, wrap: W) -> Self
    where
        H: Fn(&Request) -> Option<Response> + Send + Sync + 'static,
        W: Fn(TcpStream, &dyn Fn(&mut dyn Connection)) + Send + Sync + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let (counter, wrap) = (asked.clone(), Arc::new(wrap));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (handle, counter, wrap) = (handle.clone(), counter.clone(), wrap.clone());
                thread::spawn(move || {
                    wrap(stream, &|connection| {
                        // Whatever a client does to its connection is its own affair.
                        let _ = converse(connection, &*handle, &counter);
                    });
                });
            }
        });
        Self { address, scheme, asked }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

trait Connection: BufRead {
    fn writer(&mut self) -> &mut dyn Write;
}

impl<S: Read + Write> Connection for BufReader<S> {
    fn writer(&mut self) -> &mut dyn Write {
        self.get_mut()
    }
}

/// Answers one request after another until the client is gone.
fn converse(
    connection: &mut dyn Connection,
    handle: &dyn Fn(&Request) -> Option<Response>,
    asked: &AtomicUsize,
) -> std::io::Result<()> {
    while let Some(request) = read(connection)? {
        asked.fetch_add(1, Ordering::SeqCst);
        match handle(&request) {
            Some(response) => write(connection.writer(), &response)?,
            None => {
                connection.read_line(&mut String::new())?;
            }
        }
    }
    Ok(())
}

fn read(connection: &mut dyn Connection) -> std::io::Result<Option<Request>> {
    let mut first = String::new();
    if connection.read_line(&mut first)? == 0 {
        return Ok(None);
    }
    let mut words = first.split_ascii_whitespace().map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut length = 0;
    loop {
        let mut line = String::new();
        connection.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().unwrap();
            }
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body)?;
    Ok(Some(Request { method, path, body }))
}

fn write(connection: &mut dyn Write, response: &Response) -> std::io::Result<()> {
    let mut head = format!("HTTP/1.1 {} Status\r\ncontent-length: {}\r\n", response.status, response.body.len());
    for (name, value) in &response.headers {
        head += &format!("{name}: {value}\r\n");
    }
    connection.write_all(format!("{head}\r\n").as_bytes())?;
    connection.write_all(&response.body)?;
    connection.flush()
}
