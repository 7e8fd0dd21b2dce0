//! Invocations by other services.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::job::{Outcome, Refusal, job, prepare};
use super::names::Name;
use super::permissions;
use crate::emulator::Core;
use crate::protocol::Effect;
use crate::services::cognito;

/// An invocation that another service makes in its own name.
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
    /// How long the service waits, a cold start included; finding the interpreter and unpacking the code, which AWS
    /// has long done by then, are not. The function itself is not cut off by it.
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
            let event = cognito::as_issued_at_aws(world, Bytes::from(call.event.to_string()));
            job(core, version, qualifier, request_id, event).map_err(|error| InvokeFailure::Failed(error.message))
        })
        .map_err(|error| InvokeFailure::Failed(error.to_string()))??;
    let job = prepare(core, job).await.map_err(InvokeFailure::Failed)?;
    let invoked = tokio::time::timeout(call.limit, core.lambda.invoke(job));
    let outcome = invoked.await.map_err(|_| InvokeFailure::TimedOut)?;
    match outcome {
        Ok(Outcome { payload: Ok(payload), .. }) => serde_json::from_slice(&payload)
            .map_err(|error| InvokeFailure::Failed(format!("the function's answer is not JSON: {error}"))),
        Ok(Outcome { payload: Err(error), .. }) => Err(InvokeFailure::Failed(said_of(&error))),
        Err(Refusal::NotRunnable(reason)) => Err(InvokeFailure::NotRunnable(reason)),
        Err(Refusal::Throttled) => Err(InvokeFailure::Failed("Rate Exceeded.".to_owned())),
        Err(Refusal::Ended) => Err(InvokeFailure::Failed("the emulator has ended".to_owned())),
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

#[cfg(test)]
#[path = "invoke_tests.rs"]
mod tests;
