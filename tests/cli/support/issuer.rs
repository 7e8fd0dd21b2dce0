//! A server that plays the services that issue credentials: STS, IAM Identity Center, AWS Sign-In, the metadata service of an instance, and the endpoint
//! of a container. It passes everything else on to an emulator, and notes what was asked and by whom it was signed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use hlctl_emulator::Options;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::json;

use super::Cloud;
use super::authority::Authority;

/// The secret of every key that is issued.
pub(crate) const SECRET: &str = "issued-secret";

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub method: String,
    pub target: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
    /// Whether the emulator answered it.
    pub is_passed_on: bool,
}

impl Asked {
    /// The key that signed it.
    pub fn key(&self) -> Option<&str> {
        self.headers.get("authorization")?.split_once("Credential=")?.1.split('/').next()
    }

    /// The region that it was signed for.
    pub fn region(&self) -> Option<&str> {
        self.headers.get("authorization")?.split_once("Credential=")?.1.split('/').nth(2)
    }

    /// A parameter of a form.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let mut all = url::form_urlencoded::parse(self.body.as_bytes());
        all.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// The operation of STS that it asks for.
    pub fn action(&self) -> Option<String> {
        self.parameter("Action")
    }
}

/// An answer that a test gives in place of the issuer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reply {
    pub status: u16,
    pub headers: String,
    pub body: String,
}

impl Reply {
    /// An error of STS.
    pub fn sts(status: u16, code: &str, message: &str) -> Self {
        let body = format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>{code}</Code>\
             <Message>{message}</Message></Error><RequestId>request-1</RequestId></ErrorResponse>"
        );
        Self { status, body, headers: "x-amzn-requestid: request-1\r\n".to_owned() }
    }

    /// An error of a service that speaks JSON.
    pub fn json(status: u16, code: &str, body: &serde_json::Value) -> Self {
        let headers = format!("x-amzn-errortype: {code}\r\ncontent-type: application/json\r\n");
        Self { status, headers, body: body.to_string() }
    }

    /// With this `Date`.
    pub fn dated(mut self, date: jiff::Timestamp) -> Self {
        let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&date).unwrap();
        self.headers.push_str(&format!("date: {date}\r\n"));
        self
    }
}

type Answering = dyn Fn(&Asked) -> Option<Reply> + Send + Sync;

/// The server. It serves until the test's process ends.
pub(crate) struct Issuer {
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Issuer {
    /// Issues whatever is asked for.
    pub fn before(cloud: &Cloud) -> Self {
        Self::answering(cloud, |_| None)
    }

    /// The same, but what `answer` answers.
    pub fn answering(cloud: &Cloud, answer: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static) -> Self {
        Self::serve(cloud, Tls::Never, Arc::new(answer))
    }

    /// The same over TLS.
    pub fn over_tls(cloud: &Cloud, authority: &Authority) -> Self {
        Self::serve(cloud, Tls::Always(authority.server.clone()), Arc::new(|_: &Asked| None))
    }

    /// The same as a proxy that breaks TLS open, whatever host it is asked for.
    pub fn as_proxy(cloud: &Cloud, authority: &Authority) -> Self {
        Self::serve(cloud, Tls::InTunnels(authority.server.clone()), Arc::new(|_: &Asked| None))
    }

    fn serve(cloud: &Cloud, tls: Tls, answer: Arc<Answering>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = match tls {
            Tls::Always(_) => format!("https://localhost:{port}"),
            _ => format!("http://127.0.0.1:{port}"),
        };
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (noted, upstream) = (Arc::clone(&asked), cloud.url());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (noted, answer, tls, upstream) = (noted.clone(), answer.clone(), tls.clone(), upstream.clone());
                std::thread::spawn(move || {
                    let serve = |stream: &mut dyn Stream| converse(stream, &noted, answer.as_ref(), &upstream);
                    // Whatever a client does to its connection is its own affair.
                    let _ = match tls {
                        Tls::Never => serve(&mut { stream }),
                        Tls::Always(tls) => serve(&mut opened(tls, stream)),
                        Tls::InTunnels(tls) => tunnel(&stream).and_then(|()| serve(&mut opened(tls, stream))),
                    };
                });
            }
        });
        Self { url, asked }
    }

    /// What was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The requests of this operation of STS.
    pub fn of_sts(&self, action: &str) -> Vec<Asked> {
        self.asked().into_iter().filter(|asked| asked.action().as_deref() == Some(action)).collect()
    }

    /// The keys and session tokens that the calls of AWS are signed with.
    pub fn signers(&self) -> BTreeSet<(String, Option<String>)> {
        let passed_on = self.asked().into_iter().filter(|asked| asked.is_passed_on);
        let signer = |asked: Asked| {
            (asked.key().unwrap_or("nobody").to_owned(), asked.headers.get("x-amz-security-token").cloned())
        };
        passed_on.map(signer).collect()
    }
}

/// An emulator that checks the signatures of all keys that are issued.
pub(crate) fn cloud_that_knows_them() -> Cloud {
    let keys = ["ROLE", "SECOND", "WEB", "SSO", "SIGNIN", "INSTANCE", "CONTAINER"];
    let secrets = keys.into_iter().map(|key| (format!("ASIA{key}"), SECRET.to_owned()));
    let own = [("AKIABASE", SECRET), ("test", "secret")].map(|(key, secret)| (key.to_owned(), secret.to_owned()));
    Cloud::with(Options { secrets: secrets.chain(own).collect(), ..Options::default() })
}

/// Where the server speaks TLS.
#[derive(Clone)]
enum Tls {
    Never,
    Always(Arc<ServerConfig>),
    InTunnels(Arc<ServerConfig>),
}

fn opened(tls: Arc<ServerConfig>, stream: TcpStream) -> StreamOwned<ServerConnection, TcpStream> {
    StreamOwned::new(ServerConnection::new(tls).unwrap(), stream)
}

/// Takes a CONNECT, byte by byte: what follows it is the beginning of TLS.
fn tunnel(mut stream: &TcpStream) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.extend(byte);
    }
    head.starts_with(b"CONNECT ").then_some(())?;
    stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").ok()
}

trait Stream: Read + Write {}

impl<T: Read + Write> Stream for T {}

fn converse(stream: &mut dyn Stream, noted: &Mutex<Vec<Asked>>, answer: &Answering, upstream: &str) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let text = String::from_utf8_lossy(&body).into_owned();
    let mut asked = Asked { method, target, headers, body: text, is_passed_on: false };
    let reply = answer(&asked).or_else(|| issue(&asked));
    asked.is_passed_on = reply.is_none();
    noted.lock().unwrap().push(asked.clone());
    let stream = reader.into_inner();
    let bytes = match reply {
        Some(Reply { status, headers, body }) => {
            let length = body.len();
            format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}")
                .into_bytes()
        }
        None => pass_on(&asked, &body, upstream)?,
    };
    stream.write_all(&bytes).ok()?;
    stream.flush().ok()
}

/// Asks the emulator the same, as it was signed.
fn pass_on(asked: &Asked, body: &[u8], upstream: &str) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect(upstream.strip_prefix("http://")?).ok()?;
    let mut head = format!("{} {} HTTP/1.1\r\nconnection: close\r\n", asked.method, asked.target);
    for (name, value) in asked.headers.iter().filter(|(name, _)| *name != "connection") {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).ok()?;
    stream.write_all(body).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let _ = stream.shutdown(Shutdown::Both);
    Some(answer)
}

/// Long after every test.
const EXPIRY: &str = "2999-01-01T00:00:00Z";

/// What an issuer answers; `None` for everything that no issuer is asked.
fn issue(asked: &Asked) -> Option<Reply> {
    let reply = |body: String| Some(Reply { status: 200, headers: String::new(), body });
    let document = |key: &str| {
        let (key, token) = (format!("ASIA{key}"), format!("token-{key}"));
        json!({"Code": "Success", "AccessKeyId": key, "SecretAccessKey": SECRET, "Token": token, "Expiration": EXPIRY})
            .to_string()
    };
    let path = asked.target.split('?').next().unwrap_or_default();
    match (asked.method.as_str(), path) {
        ("PUT", "/latest/api/token") => Some(Reply {
            status: 200,
            headers: "x-aws-ec2-metadata-token-ttl-seconds: 21600\r\n".to_owned(),
            body: "imds-token".to_owned(),
        }),
        ("GET", "/latest/meta-data/iam/security-credentials/") => reply("instance-role".to_owned()),
        ("GET", "/latest/meta-data/iam/security-credentials/instance-role") => reply(document("INSTANCE")),
        ("GET", "/container") => reply(document("CONTAINER")),
        ("GET", "/federation/credentials") => reply(
            json!({"roleCredentials": {
                "accessKeyId": "ASIASSO", "secretAccessKey": SECRET, "sessionToken": "token-SSO", "expiration": 32_472_144_000_000_i64,
            }})
            .to_string(),
        ),
        ("POST", "/token") => reply(
            json!({"accessToken": "refreshed", "expiresIn": 3600, "tokenType": "Bearer", "refreshToken": "next"}).to_string(),
        ),
        ("POST", "/v1/token") => reply(
            json!({
                "accessToken": {"accessKeyId": "ASIASIGNIN", "secretAccessKey": SECRET, "sessionToken": "token-SIGNIN"},
                "tokenType": "aws_sigv4", "expiresIn": 900, "refreshToken": "next",
            })
            .to_string(),
        ),
        _ => match asked.action()?.as_str() {
            action @ ("AssumeRole" | "AssumeRoleWithWebIdentity") => {
                let arn = asked.parameter("RoleArn")?;
                let key = if action == "AssumeRole" { arn.rsplit('/').next()?.to_uppercase() } else { "WEB".to_owned() };
                reply(format!(
                    "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result><Credentials>\
                     <AccessKeyId>ASIA{key}</AccessKeyId><SecretAccessKey>{SECRET}</SecretAccessKey>\
                     <SessionToken>token-{key}</SessionToken><Expiration>{EXPIRY}</Expiration></Credentials>\
                     <AssumedRoleUser><AssumedRoleId>AROA:s</AssumedRoleId><Arn>{arn}</Arn></AssumedRoleUser>\
                     </{action}Result></{action}Response>"
                ))
            }
            _ => None,
        },
    }
}
