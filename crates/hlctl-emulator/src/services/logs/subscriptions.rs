//! Subscription filters, and protection against deletion. Filters are kept and listed; no event is sent on.

use serde_json::{Value, json};

use super::shapes::{GROUP_NAME, NAME, NEXT_TOKEN};
use super::{group, invalid, logs, name_of, no_group, not_found};
use crate::error::{AwsError, AwsResult};
use crate::protocol::shape::{Field, Shape, one_of, optional, required, text as string};
use crate::services::{Cx, text};

/// A group has at most two (CloudWatch Logs user guide, quotas).
const MOST: usize = 2;
const FILTER: Shape = string(1, 512);

pub(super) const PUT: &[Field] = &[
    NAME,
    required("filterName", FILTER),
    required("filterPattern", string(0, 1024)),
    required("destinationArn", string(1, usize::MAX)),
    optional("roleArn", string(1, usize::MAX)),
    optional("distribution", one_of(&["Random", "ByLogStream"])),
    optional("applyOnTransformedLogs", Shape::Flag),
    optional("fieldSelectionCriteria", string(0, 2000)),
    optional("emitSystemFields", Shape::List { of: &string(1, usize::MAX), min: 0, max: usize::MAX }),
];
pub(super) const DESCRIBE: &[Field] =
    &[NAME, optional("filterNamePrefix", FILTER), NEXT_TOKEN, optional("limit", Shape::Whole { min: 1, max: 50 })];
pub(super) const DELETE: &[Field] = &[NAME, required("filterName", FILTER)];
pub(super) const PROTECT: &[Field] =
    &[required("logGroupIdentifier", GROUP_NAME), required("deletionProtectionEnabled", Shape::Flag)];

pub(super) fn put(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let now = cx.now.as_millisecond();
    let filters = &mut group(cx, input)?.subscriptions;
    let name = text(input, "filterName").to_owned();
    if !filters.contains_key(&name) && filters.len() >= MOST {
        return Err(AwsError::bad_request("LimitExceededException", "Resource limit exceeded."));
    }
    let mut filter = input.clone();
    filter["creationTime"] = now.into();
    if filter["distribution"].is_null() {
        filter["distribution"] = "ByLogStream".into();
    }
    filters.insert(name, filter);
    Ok(json!({}))
}

pub(super) fn describe(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let prefix = text(input, "filterNamePrefix").to_owned();
    let filters = group(cx, input)?.subscriptions.iter().filter(|(name, _)| name.starts_with(&prefix));
    Ok(json!({"subscriptionFilters": filters.map(|(_, filter)| filter.clone()).collect::<Vec<_>>()}))
}

pub(super) fn delete(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let removed = group(cx, input)?.subscriptions.remove(text(input, "filterName"));
    removed.map(|_| json!({})).ok_or_else(|| not_found("The specified subscription filter does not exist."))
}

pub(super) fn protect(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let name = name_of(cx, text(input, "logGroupIdentifier")).to_owned();
    let enabled = input["deletionProtectionEnabled"].as_bool().ok_or_else(|| invalid("a switch is needed"))?;
    logs(cx).groups.get_mut(&name).ok_or_else(no_group)?.protected = enabled;
    Ok(json!({}))
}
