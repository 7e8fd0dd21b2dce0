//! Reserved and provisioned concurrency, and the account's limits.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::function::{Function, LATEST, Provisioned, last_modified};
use super::shapes::{FUNCTION, MARKER, NEEDED_QUALIFIER};
use super::{find, invalid, lambda, no_such_function};
use crate::clock::after;
use crate::error::{AwsError, AwsResult};
use crate::protocol::shape::{Field, Shape, optional, required};
use crate::services::{Cx, page, text};

/// Lambda quotas: concurrent executions of an account by default, and how many no function may reserve.
const ACCOUNT: u64 = 1000;
const UNRESERVED: u64 = 100;

/// The account's concurrent executions.
fn limit(cx: &Cx<'_>) -> u64 {
    cx.faults.lambda.concurrent_executions.unwrap_or(ACCOUNT)
}

pub(super) const PUT_RESERVED: &[Field] =
    &[FUNCTION, required("ReservedConcurrentExecutions", Shape::Whole { min: 0, max: i64::MAX })];
pub(super) const PUT_PROVISIONED: &[Field] =
    &[FUNCTION, NEEDED_QUALIFIER, required("ProvisionedConcurrentExecutions", Shape::Whole { min: 1, max: i64::MAX })];
pub(super) const PROVISIONED: &[Field] = &[FUNCTION, NEEDED_QUALIFIER];
pub(super) const LIST_PROVISIONED: &[Field] =
    &[FUNCTION, MARKER, optional("MaxItems", Shape::Whole { min: 1, max: 50 })];

/// What all functions of the account and region reserve, but for one.
fn reserved_by_others(cx: &mut Cx<'_>, name: &str) -> u64 {
    lambda(cx)
        .functions
        .values()
        .filter(|function| function.name != name)
        .filter_map(|function| function.reserved)
        .sum()
}

pub(super) fn put_reserved(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let name = find(cx, input)?.name.clone();
    let wanted = input["ReservedConcurrentExecutions"].as_u64().unwrap_or_default();
    if reserved_by_others(cx, &name).saturating_add(wanted) > limit(cx).saturating_sub(UNRESERVED) {
        return Err(invalid(format!(
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution \
             below its minimum value of [{UNRESERVED}]."
        )));
    }
    let function = find(cx, input)?;
    let provisioned: u64 = function.provisioned.values().map(|provisioned| provisioned.requested).sum();
    if wanted < provisioned {
        return Err(invalid(format!(
            "ReservedConcurrentExecutions should be greater than or equal to the provisioned concurrency of {provisioned}"
        )));
    }
    function.reserved = Some(wanted);
    Ok(json!({"ReservedConcurrentExecutions": wanted}))
}

/// A function that reserves nothing answers an empty structure.
pub(super) fn get_reserved(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    Ok(find(cx, input)?.reserved.map_or_else(|| json!({}), |n| json!({"ReservedConcurrentExecutions": n})))
}

pub(super) fn delete_reserved(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    find(cx, input)?.reserved = None;
    Ok(Value::Null)
}

/// The version or alias of the request, which `$LATEST` may not be.
fn provisionable(function: &Function, input: &Value) -> AwsResult<String> {
    let qualifier = text(input, "Qualifier");
    if qualifier == LATEST {
        return Err(invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions."));
    }
    let version = function.version(Some(qualifier)).ok_or_else(|| no_such_function(&function.arn, Some(qualifier)))?;
    if version.number.is_none() {
        return Err(invalid("Alias with provisioned concurrency cannot point to $LATEST."));
    }
    Ok(qualifier.to_owned())
}

pub(super) fn put_provisioned(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let (now, until) = (cx.now, after(cx.now, cx.options.delays.function));
    let name = find(cx, input)?.name.clone();
    let free = limit(cx).saturating_sub(UNRESERVED + reserved_by_others(cx, &name));
    let function = find(cx, input)?;
    let qualifier = provisionable(function, input)?;
    let requested = input["ProvisionedConcurrentExecutions"].as_u64().unwrap_or_default();
    let others: u64 =
        function.provisioned.iter().filter(|(name, _)| **name != qualifier).map(|(_, other)| other.requested).sum();
    let most = function.reserved.unwrap_or(free);
    if others.saturating_add(requested) > most {
        return Err(invalid(format!(
            "Specified ProvisionedConcurrentExecutions for function decreases the concurrency left to it below its \
             minimum value: at most {most} can be provisioned."
        )));
    }
    let provisioned = Provisioned { requested, modified: now, until };
    let mut output = show(&provisioned, now);
    // The answer is IN_PROGRESS even where it takes no time at all.
    output["Status"] = json!("IN_PROGRESS");
    output["AllocatedProvisionedConcurrentExecutions"] = json!(0);
    output["AvailableProvisionedConcurrentExecutions"] = json!(0);
    function.provisioned.insert(qualifier, provisioned);
    Ok(output)
}

fn show(provisioned: &Provisioned, now: Timestamp) -> Value {
    let ready = now >= provisioned.until;
    let allocated = if ready { provisioned.requested } else { 0 };
    json!({
        "RequestedProvisionedConcurrentExecutions": provisioned.requested,
        "AllocatedProvisionedConcurrentExecutions": allocated,
        "AvailableProvisionedConcurrentExecutions": allocated,
        "Status": if ready { "READY" } else { "IN_PROGRESS" },
        "LastModified": last_modified(provisioned.modified),
    })
}

pub(super) fn get_provisioned(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let now = cx.now;
    let function = find(cx, input)?;
    let qualifier = provisionable(function, input)?;
    let missing = || none_provisioned("ProvisionedConcurrencyConfigNotFoundException");
    let provisioned = function.provisioned.get(&qualifier).ok_or_else(missing)?;
    Ok(show(provisioned, now))
}

fn none_provisioned(code: &'static str) -> AwsError {
    AwsError::new(404, code, "No Provisioned Concurrency Config found for this function")
}

pub(super) fn delete_provisioned(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let function = find(cx, input)?;
    let qualifier = provisionable(function, input)?;
    // The API reference leaves open what a second deletion meets; the strictest that it names.
    let missing = || none_provisioned("ResourceNotFoundException");
    function.provisioned.remove(&qualifier).map(|_| Value::Null).ok_or_else(missing)
}

pub(super) fn list_provisioned(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let now = cx.now;
    let function = find(cx, input)?;
    let limit = usize::try_from(input["MaxItems"].as_u64().unwrap_or(50)).unwrap_or(50);
    let all: Vec<(&String, &Provisioned)> = function.provisioned.iter().collect();
    let (some, next) = page(all, input["Marker"].as_str(), limit, |(name, _)| (*name).clone());
    let shown: Vec<Value> = some
        .into_iter()
        .map(|(name, provisioned)| {
            let mut shown = show(provisioned, now);
            shown["FunctionArn"] = json!(function.qualified_arn(name));
            shown
        })
        .collect();
    Ok(super::with_marker(json!({"ProvisionedConcurrencyConfigs": shown}), next))
}

#[expect(clippy::unnecessary_wraps, reason = "every operation has the same signature")]
pub(super) fn account_settings(cx: &mut Cx<'_>, _input: &Value) -> AwsResult<Value> {
    let most = limit(cx);
    let functions = &lambda(cx).functions;
    let reserved: u64 = functions.values().filter_map(|function| function.reserved).sum();
    let used: u64 = functions
        .values()
        .map(|function| {
            let published: u64 = function.published.values().map(|version| version.settings.code.size).sum();
            function.latest.code.size + published
        })
        .sum();
    Ok(json!({
        "AccountLimit": {
            "TotalCodeSize": 80_530_636_800_u64,
            "CodeSizeUnzipped": 262_144_000,
            "CodeSizeZipped": 52_428_800,
            "ConcurrentExecutions": most,
            "UnreservedConcurrentExecutions": most.saturating_sub(reserved),
        },
        "AccountUsage": {"TotalCodeSize": used, "FunctionCount": functions.len()},
    }))
}
