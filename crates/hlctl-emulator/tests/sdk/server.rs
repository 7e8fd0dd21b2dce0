use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::open;

/// Sends raw bytes and reads until the server closes.
async fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn the_server_serves_until_it_is_stopped() {
    let emulator = open();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(emulator.clone().serve(listener, async {
        let _ = stopped.await;
    }));
    let health = exchange(address, "GET /_emulator/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(health.starts_with("HTTP/1.1 200 OK"), "{health}");
    assert!(health.ends_with(r#"{"status":"ok"}"#), "{health}");

    let body = r#"{"rules":[{"action":"drop_before"}]}"#;
    let put = format!(
        "PUT /_emulator/faults HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    assert!(exchange(address, &put).await.starts_with("HTTP/1.1 200"));
    assert_eq!(emulator.faults().rules.len(), 1);
    let request = "GET / HTTP/1.1\r\nHost: x\r\nAuthorization: AWS4-HMAC-SHA256 \
                   Credential=k/20260101/us-east-1/s3/aws4_request, Signature=0\r\n\r\n";
    assert_eq!(exchange(address, request).await, "");

    let nonsense = put.replace("drop_before", "drop_behind");
    assert!(exchange(address, &nonsense).await.starts_with("HTTP/1.1 400"));

    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_request_without_a_signature_is_refused_in_the_services_own_way() {
    let emulator = open();
    let json =
        http::Request::post("/").header("x-amz-target", "TrentService.ListKeys").body(bytes::Bytes::new()).unwrap();
    let answer = emulator.handle(json).await.unwrap();
    assert_eq!(answer.status(), 403);
    assert_eq!(answer.headers()["x-amzn-errortype"], "MissingAuthenticationTokenException");
    let xml = http::Request::get("/bucket/key").body(bytes::Bytes::new()).unwrap();
    let answer = emulator.handle(xml).await.unwrap();
    assert_eq!(answer.status(), 403);
    let text = String::from_utf8(answer.body().to_vec()).unwrap();
    assert!(text.contains("<Code>AccessDenied</Code>"), "{text}");
    assert!(!answer.headers()["x-amz-request-id"].is_empty());
}
