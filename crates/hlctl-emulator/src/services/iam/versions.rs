//! Versions of customer-managed policies.

use serde_json::{Value, json};

use super::policies::checked;
use super::shapes::{DOCUMENT, POLICY_ARN};
use super::{
    ManagedPolicy, PolicyVersion, customer_policy, delete_conflict, encoded, limit_exceeded, no_such_entity, paged,
};
use crate::clock::iso_seconds;
use crate::error::AwsResult;
use crate::protocol::Effect;
use crate::protocol::shape::{Field, Shape, Text, optional, required};
use crate::services::{Cx, text};

/// A policy has at most five versions (IAM API reference, CreatePolicyVersion).
const MOST: usize = 5;

const VERSION_ID: Field = required(
    "VersionId",
    Shape::Text(Text::len(1, 64).pattern(r"v[1-9][0-9]*(\.[A-Za-z0-9-]*)?", |id| {
        id.strip_prefix('v').is_some_and(|number| number.starts_with(|c: char| ('1'..='9').contains(&c)))
    })),
);

pub(super) const CREATE: &[Field] =
    &[POLICY_ARN, required("PolicyDocument", DOCUMENT), optional("SetAsDefault", Shape::Flag)];
pub(super) const VERSION: &[Field] = &[POLICY_ARN, VERSION_ID];

pub(super) fn create(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let arn = text(input, "PolicyArn");
    customer_policy(cx, arn, Effect::Write)?;
    let document = checked(cx, text(input, "PolicyDocument"))?;
    let now = cx.now;
    let policy = customer_policy(cx, arn, Effect::Write)?;
    if policy.versions.len() >= MOST {
        return Err(limit_exceeded(format!(
            "A managed policy can have up to {MOST} versions. Before you create a new version, you \
             must delete an existing version."
        )));
    }
    policy.newest += 1;
    let number = policy.newest;
    policy.versions.insert(number, PolicyVersion { document, created: now });
    policy.updated = now;
    if input["SetAsDefault"] == Value::Bool(true) {
        policy.default = number;
    }
    Ok(json!({"PolicyVersion": {
        "VersionId": format!("v{number}"),
        "IsDefaultVersion": policy.default == number,
        "CreateDate": iso_seconds(now),
    }}))
}

pub(super) fn get(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let (number, policy) = find(cx, input, Effect::Read)?;
    let version = &policy.versions[&number];
    Ok(json!({"PolicyVersion": {
        "Document": encoded(&version.document),
        "VersionId": format!("v{number}"),
        "IsDefaultVersion": policy.default == number,
        "CreateDate": iso_seconds(version.created),
    }}))
}

pub(super) fn list(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let policy = customer_policy(cx, text(input, "PolicyArn"), Effect::Read)?;
    let versions: Vec<(&u32, &PolicyVersion)> = policy.versions.iter().rev().collect();
    Ok(paged(
        input,
        "Versions",
        versions,
        // Newest first, and a page's marker must grow from item to item.
        |(number, _)| format!("{:010}", u32::MAX - **number),
        |(number, version)| {
            json!({
                "VersionId": format!("v{number}"),
                "IsDefaultVersion": policy.default == **number,
                "CreateDate": iso_seconds(version.created),
            })
        },
    ))
}

pub(super) fn set_default(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let now = cx.now;
    let (number, policy) = find(cx, input, Effect::Write)?;
    policy.default = number;
    policy.updated = now;
    Ok(Value::Null)
}

pub(super) fn delete(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let (number, policy) = find(cx, input, Effect::Write)?;
    if policy.default == number {
        return Err(delete_conflict("Cannot delete the default version of a policy."));
    }
    policy.versions.remove(&number);
    Ok(Value::Null)
}

fn find<'a>(cx: &'a mut Cx<'_>, input: &Value, effect: Effect) -> AwsResult<(u32, &'a mut ManagedPolicy)> {
    let (arn, id) = (text(input, "PolicyArn"), text(input, "VersionId"));
    let policy = customer_policy(cx, arn, effect)?;
    id.strip_prefix('v')
        .and_then(|number| number.parse().ok())
        .filter(|number| policy.versions.contains_key(number))
        .map(|number| (number, policy))
        .ok_or_else(|| no_such_entity(format!("Policy {arn} version {id} does not exist or is not attachable.")))
}
