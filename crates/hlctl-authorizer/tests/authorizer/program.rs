//! The program itself, under a Runtime API on loopback as Lambda has one.

use std::collections::HashMap;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::support::keys::{POOL, set};
use crate::support::server::{Request, Response, Server};
use crate::support::token::{claims_with, token};
use crate::support::{CLIENT, ENDPOINT, ISSUER, environment};

/// What the function tells Lambda: the path, and the body.
type Report = (String, Vec<u8>);

/// What the program writes to one of its pipes, read as it comes: a program whose pipe is full would wait for ever.
struct Output(JoinHandle<String>);

impl Output {
    fn of(mut pipe: impl Read + Send + 'static) -> Self {
        Self(thread::spawn(move || {
            let mut written = String::new();
            pipe.read_to_string(&mut written).unwrap();
            written
        }))
    }

    /// All of it, when the program has ended.
    fn whole(self) -> String {
        self.0.join().unwrap()
    }
}

/// Lambda around the program.
struct Lambda {
    program: Child,
    /// Standard output and standard error.
    outputs: Vec<Output>,
    events: Sender<Vec<u8>>,
    reports: Receiver<Report>,
    keys: Server,
}

impl Lambda {
    fn start(changes: &[(&str, &str)]) -> Self {
        // Made before anybody waits for it: the program gives a key server 300 ms, and making a key may take longer.
        let pool = set(&[POOL.jwk()]);
        let keys = Server::start(move |_| Some(Response::new(200, pool.clone())));
        let ((events, next), (reported, reports)) = (channel(), channel());
        let api = runtime_api(next, reported);
        let mut variables: HashMap<_, _> = environment(&[("JWKS_URI", &keys.url("/jwks.json"))]);
        variables.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let mut program = Command::new(env!("CARGO_BIN_EXE_bootstrap"))
            .env_clear()
            .envs(variables)
            .env("AWS_LAMBDA_RUNTIME_API", api.address().to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "authorizer")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            // However much is asked for, no more is written.
            .envs([("RUST_LOG", "trace"), ("AWS_LAMBDA_LOG_LEVEL", "TRACE")])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let outputs = vec![Output::of(program.stdout.take().unwrap()), Output::of(program.stderr.take().unwrap())];
        Self { program, outputs, events, reports, keys }
    }

    /// Invokes the function, and takes its answer. Anything but an answer fails the test.
    fn invoke(&self, event: impl Into<Vec<u8>>) -> Value {
        self.events.send(event.into()).unwrap();
        let (path, body) = self.reports.recv().unwrap();
        assert_eq!(path, "/2018-06-01/runtime/invocation/request-1/response", "{}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap()
    }

    /// Invokes the function until it has the key set. On a busy machine the key server may answer too late for a fetch.
    fn invoke_with_keys(&self, event: &str) -> Value {
        let begun = Instant::now();
        loop {
            let answer = self.invoke(event);
            if answer["authPayload"]["error"] != "keys_unavailable" || begun.elapsed() > Duration::from_secs(60) {
                return answer;
            }
        }
    }

    /// Ends the program, and gives all it wrote.
    fn end(mut self) -> String {
        self.program.kill().unwrap();
        self.written()
    }

    fn written(&mut self) -> String {
        self.program.wait().unwrap();
        self.outputs.drain(..).map(Output::whole).collect()
    }
}

impl Drop for Lambda {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

fn runtime_api(next: Receiver<Vec<u8>>, reported: Sender<Report>) -> Server {
    let next = Mutex::new(next);
    Server::start(move |request: &Request| match request.method.as_str() {
        "GET" => {
            assert_eq!(request.path, "/2018-06-01/runtime/invocation/next");
            let event = next.lock().unwrap().recv().ok()?;
            let response = Response::new(200, event)
                .header("lambda-runtime-aws-request-id", "request-1")
                .header("lambda-runtime-deadline-ms", "4102444800000")
                .header(
                    "lambda-runtime-invoked-function-arn",
                    "arn:aws:lambda:us-east-1:123456789012:function:authorizer",
                );
            Some(response)
        }
        _ => {
            reported.send((request.path.clone(), request.body.clone())).unwrap();
            Some(Response::new(202, "{}"))
        }
    })
}

fn event(token: &str) -> String {
    json!({ "datastoreEndpoint": ENDPOINT, "operationName": "SearchWithGet", "bearerToken": token }).to_string()
}

/// A token for the clock that the program goes by.
fn token_of_today(lifetime: i64) -> String {
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    token(&claims_with(json!({ "iat": now - 7200, "exp": now + lifetime })))
}

#[test]
fn the_program_answers_every_event_and_writes_no_part_of_a_token() {
    let lambda = Lambda::start(&[]);
    let (good, expired) = (token_of_today(3600), token_of_today(-3600));
    let granted = lambda.invoke_with_keys(&event(&format!("Bearer {good}")));
    assert_eq!(granted["authPayload"]["isAuthorized"], true);
    let asked = lambda.keys.asked();
    assert_eq!(granted["authPayload"]["aud"], ENDPOINT);

    let refused = |code: &str| json!({ "authPayload": { "isAuthorized": false, "error": code } });
    assert_eq!(lambda.invoke(event(&expired)), refused("expired"));
    assert_eq!(lambda.invoke(event(&good[..good.len() - 2])), refused("bad_signature"));
    assert_eq!(lambda.invoke(event("not a token")), refused("malformed_token"));
    assert_eq!(
        lambda.invoke(json!({ "bearerToken": good, "operationName": good }).to_string()),
        refused("malformed_event")
    );
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for event in ["{}", "[]", "null", "", "not JSON", "{\"bearerToken\":", &deep] {
        assert_eq!(lambda.invoke(event), refused("malformed_event"), "{event:.20}");
    }
    assert_eq!(lambda.invoke([0xff, 0xfe]), refused("malformed_event"));
    assert_eq!(lambda.invoke(event(&good))["authPayload"]["isAuthorized"], true, "after all these");
    assert_eq!(lambda.keys.asked(), asked, "the keys are held");

    let written = lambda.end();
    let is_late = |line: &&str| line.starts_with("no key set yet") || line.contains("reason=keys_unavailable");
    let lines: Vec<_> = written.lines().skip_while(is_late).collect();
    assert_eq!(lines[0], "refused reason=expired operation=SearchWithGet");
    assert_eq!(lines[3], "refused reason=malformed_event operation=unknown");
    assert_eq!(lines.len(), 12, "{written}");
    for token in [&good, &expired] {
        for part in token.split('.') {
            assert!(!written.contains(&part[..16]), "{written}");
        }
    }
    for claim in [ISSUER, CLIENT, "alice", "patient/"] {
        assert!(!written.contains(claim), "{written}");
    }
}

/// A pipe holds 64 KiB on Linux (pipe(7)); each refusal is a line of some 60 bytes.
#[test]
fn a_program_that_has_much_to_say_is_not_held_up() {
    let lambda = Lambda::start(&[]);
    for _ in 0..2000 {
        assert_eq!(lambda.invoke("{}")["authPayload"]["error"], "malformed_event");
    }
    let written = lambda.end();
    assert_eq!(written.lines().filter(|line| line.starts_with("refused reason=malformed_event ")).count(), 2000);
}

#[test]
fn the_program_comes_up_without_a_key_server_and_says_so() {
    let lambda = Lambda::start(&[("JWKS_URI", "http://127.0.0.1:1/jwks.json")]);
    let answer = lambda.invoke(event(&token_of_today(3600)));
    assert_eq!(answer["authPayload"]["error"], "keys_unavailable");
    let written = lambda.end();
    let expected =
        "no key set yet: the server cannot be reached\nrefused reason=keys_unavailable operation=SearchWithGet\n";
    assert_eq!(written, expected);
}

#[test]
fn keys_of_the_environment_are_enough() {
    let keys = set(&[POOL.jwk()]);
    let lambda = Lambda::start(&[("JWKS_URI", "http://127.0.0.1:1/jwks.json"), ("JWKS", &keys)]);
    assert_eq!(lambda.invoke(event(&token_of_today(3600)))["authPayload"]["isAuthorized"], true);
    assert_eq!(lambda.end(), "");
}

#[test]
fn wrong_settings_end_the_initialisation_with_all_that_is_wrong() {
    let mut lambda = Lambda::start(&[("CLIENT_ID", ""), ("JWKS_URI", "http://user:hunter2@example.com/")]);
    let (path, body) = lambda.reports.recv().unwrap();
    assert_eq!(path, "/2018-06-01/runtime/init/error");
    let problems = "CLIENT_ID is missing; JWKS_URI must be an https URL, or an http URL of a loopback host";
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body, json!({ "errorType": "Runtime.InitError", "errorMessage": problems }));
    assert_eq!(lambda.written(), format!("hlctl-authorizer: {problems}\n"));
    assert_eq!(lambda.program.wait().unwrap().code(), Some(1));
}

#[test]
fn started_by_hand_the_program_says_whose_it_is() {
    let output = Command::new(env!("CARGO_BIN_EXE_bootstrap")).env_clear().output().unwrap();
    let written = String::from_utf8(output.stderr).unwrap();
    assert_eq!(written, "hlctl-authorizer: this program is started by AWS Lambda, which sets AWS_LAMBDA_RUNTIME_API\n");
    assert_eq!(output.status.code(), Some(1));
}
