//! Invocations, for callers of the API and for other services.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde::de::IgnoredAny;
use serde_json::Value;

use super::function::{Function, Version};
use super::names::Name;
use super::run::{Job, Outcome, Refusal};
use super::shapes::{LONG_FUNCTION, QUALIFIER};
use super::{code, conflict, find, no_such_function, permissions, qualifier};
use crate::emulator::Core;
use crate::error::{AwsError, AwsResult};
use crate::fault;
use crate::protocol::Effect;
use crate::protocol::shape::{Field, one_of, optional, text as string};
use crate::route::{Caller, Service};
use crate::services::{owned, text};

/// Lambda quotas: an event, when the caller waits for the answer and when it does not.
const LONGEST_EVENT: usize = 6_291_456;
const LONGEST_ASYNCHRONOUS_EVENT: usize = 1_048_576;

pub(super) const INVOKE: &[Field] = &[
    LONG_FUNCTION,
    optional("InvocationType", one_of(&["Event", "RequestResponse", "DryRun"])),
    optional("LogType", one_of(&["None", "Tail"])),
    optional("ClientContext", string(0, usize::MAX)),
    QUALIFIER,
];
pub(super) const HEADERS: &[(&str, &str)] = &[
    ("x-amz-invocation-type", "InvocationType"),
    ("x-amz-log-type", "LogType"),
    ("x-amz-client-context", "ClientContext"),
];

/// An invocation that another service makes in its own name.
#[allow(dead_code, reason = "HealthLake's FHIR interface makes it")]
pub(crate) struct ServiceCall<'a> {
    /// The service, such as `healthlake.amazonaws.com`.
    pub(crate) principal: &'a str,
    /// The account for which the service calls, which is also `aws:SourceAccount`.
    pub(crate) account: &'a str,
    pub(crate) region: &'a str,
    /// `aws:SourceArn`, if the service sends one.
    pub(crate) source_arn: Option<&'a str>,
    /// With or without a version or alias.
    pub(crate) function_arn: &'a str,
    pub(crate) event: &'a Value,
    /// How long the service waits, a cold start included. The function itself is not cut off by it.
    pub(crate) limit: Duration,
}

/// Why a service has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InvokeFailure {
    /// There is no such function, version or alias in that account and region.
    NoSuchFunction,
    /// The function's resource policy does not let the service invoke it.
    NotPermitted,
    /// No answer within the limit.
    TimedOut,
    /// The function failed, crashed, ran out of its own time or was throttled, and what was said of it.
    Failed(String),
    /// This machine cannot run the function, and why.
    NotRunnable(String),
}

/// Invokes a function as a service does and gives what it answered.
#[allow(dead_code, reason = "HealthLake's FHIR interface calls it")]
pub(crate) async fn invoke_as_service(core: &Arc<Core>, call: ServiceCall<'_>) -> Result<Value, InvokeFailure> {
    let job = core
        .store
        .with(Effect::Read, |world, _| {
            let name = Name::parse(call.function_arn).ok_or(InvokeFailure::NoSuchFunction)?;
            let function = world
                .accounts
                .get(call.account)
                .and_then(|account| account.lambda.get(call.region)?.functions.get(&name.function))
                .filter(|function| name.names(&function.arn))
                .ok_or(InvokeFailure::NoSuchFunction)?;
            let qualifier = name.qualifier.as_deref();
            let version = function.version(qualifier).ok_or(InvokeFailure::NoSuchFunction)?;
            if !permissions::lets_in(function, qualifier, &call) {
                return Err(InvokeFailure::NotPermitted);
            }
            let request_id = core.options.ids.uuid();
            let event = Bytes::from(call.event.to_string());
            job(core, version, qualifier, request_id, event).map_err(|error| InvokeFailure::Failed(error.message))
        })
        .map_err(|error| InvokeFailure::Failed(error.to_string()))??;
    let run = run(core, job);
    let outcome = tokio::time::timeout(call.limit, run).await.map_err(|_| InvokeFailure::TimedOut)?;
    match outcome {
        Ok(Outcome { payload: Ok(payload), .. }) => serde_json::from_slice(&payload)
            .map_err(|error| InvokeFailure::Failed(format!("the function's answer is not JSON: {error}"))),
        Ok(Outcome { payload: Err(error), .. }) => Err(InvokeFailure::Failed(said_of(&error))),
        Err(NoRun::Refused(Refusal::NotRunnable(reason))) => Err(InvokeFailure::NotRunnable(reason)),
        Err(NoRun::Refused(Refusal::Throttled)) => Err(InvokeFailure::Failed("Rate Exceeded.".to_owned())),
        Err(NoRun::Refused(Refusal::Ended)) => Err(InvokeFailure::Failed("the emulator has ended".to_owned())),
        Err(NoRun::BadPackage(reason)) => Err(InvokeFailure::Failed(reason)),
    }
}

/// What an error payload says, in one line.
fn said_of(payload: &[u8]) -> String {
    let error: Value = serde_json::from_slice(payload).unwrap_or_default();
    match (error["errorType"].as_str(), error["errorMessage"].as_str()) {
        (Some(kind), Some(message)) => format!("{kind}: {message}"),
        (None, Some(message)) => message.to_owned(),
        _ => String::from_utf8_lossy(payload).into_owned(),
    }
}

/// Serves Invoke.
pub(crate) async fn serve(
    core: &Arc<Core>,
    caller: &Caller,
    input: &Value,
    body: &Bytes,
    request_id: &str,
) -> AwsResult<Response<Bytes>> {
    let kind = owned(input, "InvocationType").unwrap_or_else(|| "RequestResponse".to_owned());
    let event = event(body, kind == "Event")?;
    let mut job = core.work(Effect::Read, caller, |cx| {
        let qualifier = qualifier(input)?;
        let function = find(cx, input)?;
        let missing = no_such_function(&function.arn, qualifier.as_deref());
        let version = function.version(qualifier.as_deref()).ok_or(missing)?;
        job(core, version, qualifier.as_deref(), request_id.to_owned(), event)
    })?;
    job.client_context = client_context(input)?;
    match kind.as_str() {
        "DryRun" => Ok(bare(StatusCode::NO_CONTENT)),
        "Event" => {
            start(core, job);
            Ok(bare(StatusCode::ACCEPTED))
        }
        _ => {
            let version = job.version.clone();
            let outcome = run(core, job).await.map_err(refused)?;
            Ok(answer(&outcome, &version, text(input, "LogType") == "Tail"))
        }
    }
}

/// The event that a body is: JSON, and an empty structure for nothing.
fn event(body: &Bytes, asynchronous: bool) -> AwsResult<Bytes> {
    let most = if asynchronous { LONGEST_ASYNCHRONOUS_EVENT } else { LONGEST_EVENT };
    if body.len() > most {
        return Err(AwsError::new(
            413,
            "RequestTooLargeException",
            format!("Request must be smaller than {most} bytes for the InvokeFunction operation"),
        ));
    }
    if body.is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    serde_json::from_slice::<IgnoredAny>(body).map_err(|error| {
        AwsError::bad_request(
            "InvalidRequestContentException",
            format!("Could not parse request body into json: {error}"),
        )
    })?;
    Ok(body.clone())
}

/// The client context, which travels in base64.
fn client_context(input: &Value) -> AwsResult<Option<String>> {
    let Some(given) = input["ClientContext"].as_str() else {
        return Ok(None);
    };
    let refused = || {
        AwsError::bad_request(
            "InvalidRequestContentException",
            "Client context must be a valid Base64-encoded JSON object.",
        )
    };
    let decoded = BASE64.decode(given).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(refused)?;
    serde_json::from_str::<serde_json::Map<String, Value>>(&decoded).map_err(|_| refused())?;
    // Line breaks have no place in the header in which it goes on.
    Ok(Some(decoded.replace(['\n', '\r'], " ")))
}

/// What is to be run, if the version is ready for it.
fn job(core: &Core, version: Version<'_>, qualifier: Option<&str>, request_id: String, event: Bytes) -> AwsResult<Job> {
    let function: &Function = version.function;
    if version.state(core.options.clock.now()) == "Pending" {
        return Err(conflict(
            "The operation cannot be performed at this time. The function is currently in the following state: Pending",
        ));
    }
    let mut parts = function.arn.split(':').skip(3).map(ToOwned::to_owned);
    let (region, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    Ok(Job {
        function: function.arn.clone(),
        name: function.name.clone(),
        invoked: qualifier.map_or_else(|| function.arn.clone(), |qualifier| function.qualified_arn(qualifier)),
        version: version.name(),
        settings: version.settings.clone(),
        account,
        region,
        reserved: function.reserved,
        request_id,
        client_context: None,
        event,
        code: PathBuf::new(),
    })
}

/// Why nothing was run.
enum NoRun {
    BadPackage(String),
    Refused(Refusal),
}

async fn run(core: &Arc<Core>, mut job: Job) -> Result<Outcome, NoRun> {
    let (unpacking, package) = (Arc::clone(core), job.settings.code.sha256.clone());
    let unpacked = tokio::task::spawn_blocking(move || code::unpacked(&unpacking.files, &package)).await;
    job.code = unpacked.map_err(|_| NoRun::Refused(Refusal::Ended))?.map_err(NoRun::BadPackage)?;
    core.lambda.invoke(job).await.map_err(NoRun::Refused)
}

/// Runs a job that nobody waits for. It is tried once only.
fn start(core: &Arc<Core>, job: Job) {
    let core = Arc::clone(core);
    tokio::spawn(async move {
        // Its error is in its log.
        let _ = run(&core, job).await;
    });
}

fn refused(reason: NoRun) -> AwsError {
    match reason {
        NoRun::BadPackage(reason) => AwsError::new(502, "InvalidZipFileException", reason),
        NoRun::Refused(Refusal::NotRunnable(reason)) => AwsError::new(502, "InvalidRuntimeException", reason),
        NoRun::Refused(Refusal::Throttled) => fault::throttled(Service::Lambda),
        NoRun::Refused(Refusal::Ended) => fault::server_error(Service::Lambda),
    }
}

fn answer(outcome: &Outcome, version: &str, with_log: bool) -> Response<Bytes> {
    let payload = outcome.payload.as_ref().unwrap_or_else(|error| error);
    let mut response = Response::new(payload.clone());
    let log = with_log.then(|| BASE64.encode(&outcome.log));
    for (name, value) in [
        ("content-type", Some("application/json")),
        ("x-amz-executed-version", Some(version)),
        ("x-amz-function-error", outcome.payload.is_err().then_some("Unhandled")),
        ("x-amz-log-result", log.as_deref()),
    ] {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

fn bare(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn an_event_is_json_of_a_limited_length() {
        assert_eq!(event(&Bytes::new(), false).unwrap(), "{}");
        assert_eq!(event(&Bytes::from_static(b"[1]"), false).unwrap(), "[1]");
        assert_eq!(event(&Bytes::from_static(b"nonsense"), false).unwrap_err().code, "InvalidRequestContentException");
        let long = Bytes::from(format!("\"{}\"", "x".repeat(LONGEST_ASYNCHRONOUS_EVENT)));
        assert!(event(&long, false).is_ok());
        assert_eq!(event(&long, true).unwrap_err().status, 413);
    }

    #[test]
    fn an_error_is_told_in_one_line() {
        assert_eq!(said_of(br#"{"errorType":"A","errorMessage":"b"}"#), "A: b");
        assert_eq!(said_of(br#"{"errorMessage":"b"}"#), "b");
        assert_eq!(said_of(b"nonsense"), "nonsense");
    }
}
