//! Invocations, for callers of the API and for other services.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::names::Name;
use crate::emulator::Core;
use crate::protocol::Effect;

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
pub(crate) async fn invoke_as_service(core: &Arc<Core>, call: ServiceCall<'_>) -> Result<Value, InvokeFailure> {
    let name = Name::parse(call.function_arn).ok_or(InvokeFailure::NoSuchFunction)?;
    core.store
        .with(Effect::Read, |world, _| {
            let function = world
                .accounts
                .get(call.account)
                .and_then(|account| account.lambda.get(call.region))
                .and_then(|lambda| lambda.functions.get(&name.function))
                .filter(|function| name.names(&function.arn))
                .ok_or(InvokeFailure::NoSuchFunction)?;
            function.version(name.qualifier.as_deref()).ok_or(InvokeFailure::NoSuchFunction)?;
            if !super::permissions::lets_in(function, name.qualifier.as_deref(), &call) {
                return Err(InvokeFailure::NotPermitted);
            }
            Ok(())
        })
        .map_err(|error| InvokeFailure::Failed(error.to_string()))??;
    Err(InvokeFailure::NotRunnable("hlctl-emulator does not run functions yet".to_owned()))
}
