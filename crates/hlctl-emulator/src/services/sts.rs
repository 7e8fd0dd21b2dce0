//! Security Token Service.

use serde_json::{Value, json};
use std::time::Duration;

use super::{Cx, text};
use crate::clock::{after, iso_seconds};
use crate::error::{AwsError, AwsResult};
use crate::protocol::shape::{Field, Shape, Text, optional, required, text as string};
use crate::protocol::{Operation, read};
use crate::route;

const SESSION_NAME: Shape = Shape::Text(
    Text::len(2, 64)
        .pattern(r"[\w+=,.@-]*", |name| name.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c))),
);

const ASSUME_ROLE: &[Field] = &[
    required("RoleArn", string(20, 2048)),
    required("RoleSessionName", SESSION_NAME),
    optional("DurationSeconds", Shape::Whole { min: 900, max: 43_200 }),
    optional("ExternalId", string(2, 1224)),
];

pub(crate) const OPERATIONS: &[Operation] =
    &[read("GetCallerIdentity", &[], get_caller_identity), read("AssumeRole", ASSUME_ROLE, assume_role)];

#[expect(clippy::unnecessary_wraps, reason = "every operation has the same signature")]
fn get_caller_identity(cx: &mut Cx<'_>, _input: &Value) -> AwsResult<Value> {
    Ok(json!({
        "Arn": cx.caller.arn,
        "UserId": cx.caller.user_id,
        "Account": cx.caller.account,
    }))
}

/// Gives a session of a role of the caller's account that exists and that names the caller's
/// account, the caller or anyone in its trust policy.
fn assume_role(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let role_arn = text(input, "RoleArn");
    let session = text(input, "RoleSessionName");
    let refused = || {
        AwsError::new(
            403,
            "AccessDenied",
            format!("User: {} is not authorized to perform: sts:AssumeRole on resource: {role_arn}", cx.caller.arn),
        )
    };
    let name = role_arn.rsplit('/').next().unwrap_or_default();
    let account = role_arn.split(':').nth(4).unwrap_or_default().to_owned();
    let role = cx
        .world
        .accounts
        .get(&account)
        .and_then(|account| account.iam.role(name))
        .filter(|role| role.arn == role_arn)
        .ok_or_else(refused)?;
    if !role.trusts(cx.caller) {
        return Err(refused());
    }
    let session_arn = format!("arn:{}:sts::{account}:assumed-role/{name}/{session}", cx.caller.partition());
    let seconds = input["DurationSeconds"].as_u64().unwrap_or(3600);
    Ok(json!({
        "Credentials": {
            "AccessKeyId": format!("ASIA{account}"),
            "SecretAccessKey": cx.options.ids.hex32(),
            "SessionToken": route::session_token(&session_arn),
            "Expiration": iso_seconds(after(cx.now, Duration::from_secs(seconds))),
        },
        "AssumedRoleUser": {
            "AssumedRoleId": format!("{}:{session}", role.id),
            "Arn": session_arn,
        },
    }))
}
