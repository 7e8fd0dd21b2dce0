//! Tags of roles and policies.

use serde_json::{Value, json};

use super::shapes::{POLICY_ARN, ROLE_NAME, TAG_KEYS, TAGS};
use super::{customer_policy, limit_exceeded, paged, role};
use crate::error::{AwsError, AwsResult};
use crate::protocol::Effect;
use crate::protocol::shape::{Field, required};
use crate::services::tags::{self, Tags};
use crate::services::{Cx, text};

/// IAM quotas: 50 tags on a role or policy.
const MOST: usize = 50;

pub(super) const TAG_ROLE: &[Field] = &[ROLE_NAME, required("Tags", TAGS)];
pub(super) const UNTAG_ROLE: &[Field] = &[ROLE_NAME, TAG_KEYS];
pub(super) const TAG_POLICY: &[Field] = &[POLICY_ARN, required("Tags", TAGS)];
pub(super) const UNTAG_POLICY: &[Field] = &[POLICY_ARN, TAG_KEYS];

/// Reads a list of tags. Keys that differ in case only are the same to IAM.
pub(super) fn parse(list: &Value) -> AwsResult<Tags> {
    let refused = |message: &str| AwsError::bad_request("InvalidInput", message);
    let tags = tags::from_list(list, "Key", "Value")
        .map_err(|_| refused("Duplicate tag keys found. Please note that Tag keys are case insensitive."))?;
    let mut folded: Vec<String> = tags.keys().map(|key| key.to_lowercase()).collect();
    folded.sort();
    folded.dedup();
    if folded.len() != tags.len() {
        return Err(refused("Duplicate tag keys found. Please note that Tag keys are case insensitive."));
    }
    if folded.iter().any(|key| key.starts_with("aws:")) {
        return Err(refused("Tag keys must not begin with aws:"));
    }
    Ok(tags)
}

fn merge(tags: &mut Tags, new: Tags) -> AwsResult<Value> {
    let mut merged = tags.clone();
    for (key, value) in new {
        merged.retain(|old, _| !old.eq_ignore_ascii_case(&key));
        merged.insert(key, value);
    }
    if merged.len() > MOST {
        return Err(limit_exceeded(format!("The number of tags has reached the maximum limit of {MOST}.")));
    }
    *tags = merged;
    Ok(Value::Null)
}

fn remove(tags: &mut Tags, input: &Value) -> Value {
    for key in input["TagKeys"].as_array().into_iter().flatten() {
        let key = key.as_str().unwrap_or_default();
        tags.retain(|old, _| !old.eq_ignore_ascii_case(key));
    }
    Value::Null
}

fn list(tags: &Tags, input: &Value) -> Value {
    paged(
        input,
        "Tags",
        tags.iter().collect(),
        |(key, _)| (*key).clone(),
        |(key, value)| json!({"Key": key, "Value": value}),
    )
}

pub(super) fn tag_role(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let new = parse(&input["Tags"])?;
    merge(&mut role(cx, text(input, "RoleName"), Effect::Write)?.tags, new)
}

pub(super) fn untag_role(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let role = role(cx, text(input, "RoleName"), Effect::Write)?;
    Ok(remove(&mut role.tags, input))
}

pub(super) fn list_role_tags(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let role = role(cx, text(input, "RoleName"), Effect::Read)?;
    Ok(list(&role.tags, input))
}

pub(super) fn tag_policy(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let new = parse(&input["Tags"])?;
    merge(&mut customer_policy(cx, text(input, "PolicyArn"), Effect::Write)?.tags, new)
}

pub(super) fn untag_policy(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let policy = customer_policy(cx, text(input, "PolicyArn"), Effect::Write)?;
    Ok(remove(&mut policy.tags, input))
}

pub(super) fn list_policy_tags(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let policy = customer_policy(cx, text(input, "PolicyArn"), Effect::Read)?;
    Ok(list(&policy.tags, input))
}
