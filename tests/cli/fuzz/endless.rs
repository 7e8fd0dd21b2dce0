//! Answers without an end: they are cut off, and no more of them is kept than anyone could need.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::Place;

/// A server that answers every request with this and then with blanks, for as long as anyone reads.
fn endless(head: &'static str) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let most = Arc::new(AtomicUsize::new(0));
    let sent = Arc::clone(&most);
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            let sent = Arc::clone(&sent);
            std::thread::spawn(move || sent.fetch_max(answer(stream, head), Ordering::SeqCst));
        }
    });
    (url, most)
}

fn answer(mut stream: TcpStream, head: &str) -> usize {
    let blanks = vec![b' '; 1 << 16];
    let mut sent = 0;
    let _ = stream.read(&mut [0; 4096]);
    if stream.write_all(head.as_bytes()).is_err() {
        return sent;
    }
    while stream.write_all(&blanks).is_ok() {
        sent += blanks.len();
    }
    sent
}

#[test]
fn an_answer_without_an_end_is_cut_off() {
    let place = Place::quick("minimal");
    let (url, most) = endless("HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nConnection: close\r\n\r\n<a>");
    let run = place.run(["plan"]).env("AWS_ENDPOINT_URL", &url).exits(1);
    run.says("sts:GetCallerIdentity failed").says("has more than 32 MB").keeps_silent_about("panicked");
    let most = most.load(Ordering::SeqCst);
    assert!((32 << 20..64 << 20).contains(&most), "{most} bytes were read of one answer");
}

#[test]
fn an_answer_that_is_announced_as_huge_is_not_read_to_its_end() {
    let place = Place::quick("minimal");
    let (url, most) = endless("HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 99999999999\r\n\r\n<a>");
    let run = place.run(["plan"]).env("AWS_ENDPOINT_URL", &url).exits(1);
    run.says("has more than 32 MB");
    assert!(most.load(Ordering::SeqCst) < 64 << 20);
}
