//! The program: settings, the first key set, and Lambda's loop.
//!
//! One line is logged for each refusal, with its code and the operation's name, and one if the first key set cannot be had.
//! `lambda_runtime` gets no subscriber for its traces, since at its most talkative it writes whole events.

use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::SystemTime;

use bytes::Bytes;
use lambda_runtime::tower::util::MapRequestLayer;
use lambda_runtime::{Diagnostic, LambdaEvent, LambdaInvocation, Runtime, service_fn};

use crate::{Answer, Authorizer, Event, HttpsKeySource, Settings};

/// Runs the function until Lambda ends it.
pub fn main() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    runtime.block_on(async {
        match initialise() {
            Ok(authorizer) => serve(&authorizer).await,
            Err(error) => failed(&error),
        }
    })
}

fn initialise() -> Result<Authorizer<HttpsKeySource>, Box<dyn std::error::Error>> {
    let settings = Settings::from_env(|name| std::env::var(name).ok())?;
    let source = HttpsKeySource::new(&settings)?;
    Ok(Authorizer::new(settings, source))
}

async fn serve(authorizer: &Authorizer<HttpsKeySource>) -> ExitCode {
    if let Err(error) = authorizer.warm_up(SystemTime::now()).await {
        log(format_args!("no key set yet: {error}"));
    }
    let handler = service_fn(|event: LambdaEvent<Event>| answer(authorizer, event.payload));
    let runtime = Runtime::new(handler).layer(MapRequestLayer::new(readable));
    match runtime.run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

async fn answer(authorizer: &Authorizer<HttpsKeySource>, event: Event) -> Result<Answer, Diagnostic> {
    let answer = authorizer.answer(&event, SystemTime::now()).await;
    if let Some(refusal) = answer.refusal() {
        log(format_args!("refused reason={refusal} operation={}", event.loggable_operation()));
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

fn failed(error: &dyn Display) -> ExitCode {
    log(format_args!("hlctl-authorizer: {error}"));
    ExitCode::FAILURE
}

fn log(line: std::fmt::Arguments<'_>) {
    // A function that cannot write its log can still do its work.
    let _ = writeln!(std::io::stderr(), "{line}");
}
