//! A server that answers the FHIR interface's requests as a test wants it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// One request.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub target: String,
    pub headers: String,
}

/// Serves until the test's process ends.
pub(super) struct Server {
    pub url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// Answers each request with a status and a body.
    pub fn new(answer: impl Fn(&str, usize) -> (u16, String) + Send + Sync + 'static) -> Self {
        Self::with_headers("", answer)
    }

    /// The same as a server whose clock says that it is the second of January 2026.
    pub fn in_january(answer: impl Fn(&str, usize) -> (u16, String) + Send + Sync + 'static) -> Self {
        Self::with_headers("date: Fri, 02 Jan 2026 03:04:05 GMT\r\n", answer)
    }

    fn with_headers(
        headers: &'static str,
        answer: impl Fn(&str, usize) -> (u16, String) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (noted, answer) = (Arc::clone(&seen), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (noted, answer) = (Arc::clone(&noted), Arc::clone(&answer));
                std::thread::spawn(move || while serve(&stream, headers, &noted, answer.as_ref()).is_some() {});
            }
        });
        Self { url, seen }
    }

    /// What was asked so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

fn serve(
    stream: &TcpStream,
    more: &str,
    noted: &Mutex<Vec<Seen>>,
    answer: &dyn Fn(&str, usize) -> (u16, String),
) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let target = line.split(' ').nth(1)?.to_owned();
    let (mut headers, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        headers.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let number = {
        let mut noted = noted.lock().unwrap();
        noted.push(Seen { target: target.clone(), headers });
        noted.len()
    };
    let (status, body) = answer(&target, number);
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/fhir+json\r\n{more}content-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = stream;
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body.as_bytes()).ok()
}
