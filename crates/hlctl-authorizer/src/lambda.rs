//! The program: settings, the first key set, and Lambda's loop.
//!
//! One line is logged for each refusal, with its code and the operation's name, and one if the first key set cannot be had.
//! `lambda_runtime` gets no subscriber for its traces, since at its most talkative it writes whole events.

use std::error::Error;
use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::SystemTime;

use bytes::Bytes;
use lambda_runtime::tower::util::MapRequestLayer;
use lambda_runtime::{Diagnostic, LambdaEvent, LambdaInvocation, Runtime, service_fn};
use lambda_runtime_api_client::{BoxError, PooledClient, body::Body, build_request};

use crate::{Answer, Authorizer, Event, HttpsKeySource, Settings};

/// What Lambda sets for every function (Lambda Developer Guide, "Using environment variables") and `lambda_runtime` panics without.
const LAMBDA_VARIABLES: [&str; 4] = [
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
];

/// Runs the function until Lambda ends it.
pub fn main() -> ExitCode {
    if let Some(missing) = LAMBDA_VARIABLES.into_iter().find(|name| std::env::var_os(name).is_none()) {
        return failed(&format_args!("this program is started by AWS Lambda, which sets {missing}"));
    }
    // One thread: Lambda sends one event at a time, and has given its share of one core.
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(run()),
        Err(error) => failed(&error),
    }
}

async fn run() -> ExitCode {
    match initialise() {
        Ok(authorizer) => serve(&authorizer).await,
        Err(error) => {
            // Without this report Lambda's caller would learn only that the function has ended.
            let _ = report(error.as_ref()).await;
            failed(&error)
        }
    }
}

fn initialise() -> Result<Authorizer<HttpsKeySource>, Box<dyn Error>> {
    let settings = Settings::from_env(|name| std::env::var(name).ok())?;
    let source = HttpsKeySource::new(&settings)?;
    Ok(Authorizer::new(settings, source))
}

async fn serve(authorizer: &Authorizer<HttpsKeySource>) -> ExitCode {
    if let Err(error) = authorizer.warm_up(SystemTime::now()).await {
        log(&format_args!("no key set yet: {error}"));
    }
    let handler = service_fn(|event: LambdaEvent<Event>| answer(authorizer, event.payload));
    match Runtime::new(handler).layer(MapRequestLayer::new(readable)).run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

async fn answer(authorizer: &Authorizer<HttpsKeySource>, event: Event) -> Result<Answer, Diagnostic> {
    let answer = authorizer.answer(&event, SystemTime::now()).await;
    if let Some(refusal) = answer.refusal() {
        log(&format_args!("refused reason={refusal} operation={}", event.loggable_operation()));
    }
    Ok(answer)
}

/// `lambda_runtime` answers what it cannot read with an error of the function. An empty event is refused instead.
fn readable(mut invocation: LambdaInvocation) -> LambdaInvocation {
    if serde_json::from_slice::<Event>(&invocation.body).is_err() {
        invocation.body = Bytes::from_static(b"null");
    }
    invocation
}

/// Tells Lambda why the function does not come up (Lambda Developer Guide, "Using the Lambda runtime API", Initialization error).
async fn report(error: &dyn Error) -> Result<(), BoxError> {
    let error = Diagnostic { error_type: "Runtime.InitError".to_owned(), error_message: error.to_string() };
    let request = build_request()
        .method("POST")
        .uri("/2018-06-01/runtime/init/error")
        .header("lambda-runtime-function-error-type", &error.error_type)
        .body(Body::from(serde_json::to_vec(&error)?))?;
    PooledClient::builder().build().call(request).await?;
    Ok(())
}

fn failed(error: &dyn Display) -> ExitCode {
    log(&format_args!("hlctl-authorizer: {error}"));
    ExitCode::FAILURE
}

fn log(line: &dyn Display) {
    // In one piece, so that Lambda takes it for one line. A function that cannot write its log can still do its work.
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}
