//! Which managed policies a role has.

use serde_json::{Value, json};

use super::shapes::{MARKER, MAX_ITEMS, PATH_PREFIX, POLICY_ARN, ROLE_NAME};
use super::{customer_policy, iam, limit_exceeded, managed, no_such_entity, paged, role};
use crate::error::AwsResult;
use crate::protocol::Effect;
use crate::protocol::shape::{Field, one_of, optional};
use crate::services::{Cx, text};

/// IAM quotas: a role has at most ten managed policies unless the quota is raised.
const MOST: usize = 10;

pub(super) const ATTACH: &[Field] = &[ROLE_NAME, POLICY_ARN];
pub(super) const LIST_ATTACHED: &[Field] = &[ROLE_NAME, PATH_PREFIX, MARKER, MAX_ITEMS];
pub(super) const LIST_ENTITIES: &[Field] = &[
    POLICY_ARN,
    optional("EntityFilter", one_of(&["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"])),
    PATH_PREFIX,
    optional("PolicyUsageFilter", one_of(&["PermissionsPolicy", "PermissionsBoundary"])),
    MARKER,
    MAX_ITEMS,
];

/// Attaching what is attached already succeeds.
pub(super) fn attach(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let arn = text(input, "PolicyArn");
    role(cx, text(input, "RoleName"), Effect::Write)?;
    managed::exists(cx, arn)?;
    let role = role(cx, text(input, "RoleName"), Effect::Write)?;
    if !role.attached.contains(arn) && role.attached.len() >= MOST {
        return Err(limit_exceeded(format!("Cannot exceed quota for PoliciesPerRole: {MOST}")));
    }
    role.attached.insert(arn.to_owned());
    Ok(Value::Null)
}

pub(super) fn detach(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let arn = text(input, "PolicyArn");
    if role(cx, text(input, "RoleName"), Effect::Write)?.attached.remove(arn) {
        return Ok(Value::Null);
    }
    Err(no_such_entity(format!("Policy {arn} was not found.")))
}

pub(super) fn list_attached(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let role = role(cx, text(input, "RoleName"), Effect::Read)?;
    let prefix = text(input, "PathPrefix");
    let arns: Vec<&String> = role
        .attached
        .iter()
        .filter(|arn| arn.split_once(":policy").is_some_and(|(_, path)| path.starts_with(prefix)))
        .collect();
    Ok(paged(
        input,
        "AttachedPolicies",
        arns,
        |arn| (*arn).clone(),
        |arn| json!({"PolicyName": managed::name_of(arn), "PolicyArn": arn}),
    ))
}

pub(super) fn list_entities(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let arn = text(input, "PolicyArn");
    if managed::known(arn).is_none() {
        customer_policy(cx, arn, Effect::Read)?;
    }
    let prefix = text(input, "PathPrefix").to_owned();
    let filter = text(input, "EntityFilter");
    let roles_wanted = filter.is_empty() || filter == "Role";
    let boundary = text(input, "PolicyUsageFilter") == "PermissionsBoundary";
    let roles: Vec<&super::Role> = iam(cx)
        .roles
        .values()
        .filter(|role| roles_wanted && role.path.starts_with(&prefix))
        .filter(|role| if boundary { role.boundary.as_deref() == Some(arn) } else { role.attached.contains(arn) })
        .collect();
    let mut output = paged(
        input,
        "PolicyRoles",
        roles,
        |role| role.name.to_ascii_lowercase(),
        |role| json!({"RoleName": role.name, "RoleId": role.id}),
    );
    output["PolicyGroups"] = json!([]);
    output["PolicyUsers"] = json!([]);
    Ok(output)
}
