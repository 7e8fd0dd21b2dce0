//! Invoke.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde::de::IgnoredAny;
use serde_json::Value;

use super::job::{Job, Outcome, Refusal, job, prepare};
use super::shapes::{LONG_FUNCTION, QUALIFIER};
use super::{find, no_such_function, qualifier};
use crate::emulator::Core;
use crate::error::{AwsError, AwsResult};
use crate::fault;
use crate::protocol::Effect;
use crate::protocol::shape::{Field, one_of, optional, text as string};
use crate::route::{Caller, Service};
use crate::services::{cognito, owned, text};

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
        let event = cognito::as_issued_at_aws(cx.world, event);
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
            let bad = |reason| AwsError::new(502, "InvalidZipFileException", reason);
            let job = prepare(core, job).await.map_err(bad)?;
            let outcome = core.lambda.invoke(job).await.map_err(refused)?;
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

/// Runs a job that nobody waits for. It is tried once only.
fn start(core: &Arc<Core>, job: Job) {
    let core = Arc::clone(core);
    tokio::spawn(async move {
        // Its error is in its log.
        if let Ok(job) = prepare(&core, job).await {
            let _ = core.lambda.invoke(job).await;
        }
    });
}

fn refused(refusal: Refusal) -> AwsError {
    match refusal {
        Refusal::NotRunnable(reason) => AwsError::new(502, "InvalidRuntimeException", reason),
        Refusal::Throttled => fault::throttled(Service::Lambda),
        Refusal::Ended => fault::server_error(Service::Lambda),
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
}
