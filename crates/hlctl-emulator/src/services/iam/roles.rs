//! Roles.

use serde_json::{Value, json};

use super::shapes::{DESCRIPTION, DOCUMENT, MARKER, MAX_ITEMS, PATH, PATH_PREFIX, ROLE_NAME, TAGS};
use super::{
    Role, check_document, counted_length, delete_conflict, encoded, iam, limit_exceeded, managed, no_such_entity,
    paged, role, tagging,
};
use crate::clock::iso_seconds;
use crate::error::{AwsError, AwsResult};
use crate::protocol::Effect;
use crate::protocol::shape::{Field, Shape, optional, required, text as string};
use crate::services::policy::Kind;
use crate::services::{Cx, owned, tags, text, unseen};

/// IAM quotas: a trust policy has at most 2,048 characters unless the quota is raised.
const LONGEST_TRUST: usize = 2048;

const SESSION: Shape = Shape::Whole { min: 3600, max: 43_200 };

pub(super) const CREATE: &[Field] = &[
    ROLE_NAME,
    required("AssumeRolePolicyDocument", DOCUMENT),
    optional("Path", PATH),
    optional("Description", DESCRIPTION),
    optional("MaxSessionDuration", SESSION),
    optional("PermissionsBoundary", string(20, 2048)),
    optional("Tags", TAGS),
];
pub(super) const LIST: &[Field] = &[PATH_PREFIX, MARKER, MAX_ITEMS];
pub(super) const UPDATE: &[Field] =
    &[ROLE_NAME, optional("Description", DESCRIPTION), optional("MaxSessionDuration", SESSION)];
pub(super) const UPDATE_DESCRIPTION: &[Field] = &[ROLE_NAME, required("Description", DESCRIPTION)];
pub(super) const UPDATE_TRUST: &[Field] = &[ROLE_NAME, required("PolicyDocument", DOCUMENT)];
pub(super) const PUT_BOUNDARY: &[Field] = &[ROLE_NAME, required("PermissionsBoundary", string(20, 2048))];

pub(super) fn create(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let name = text(input, "RoleName").to_owned();
    if iam(cx).role(&name).is_some() {
        return Err(AwsError::new(409, "EntityAlreadyExists", format!("Role with name {name} already exists.")));
    }
    let tags = tagging::parse(&input["Tags"])?;
    let trust = checked_trust(cx, text(input, "AssumeRolePolicyDocument"))?;
    let boundary = owned(input, "PermissionsBoundary");
    if let Some(arn) = &boundary {
        managed::exists(cx, arn)?;
    }
    let path = owned(input, "Path").unwrap_or_else(|| "/".to_owned());
    let role = Role {
        arn: cx.caller.iam_arn(&format!("role{path}{name}")),
        id: cx.options.ids.unique_id("AROA"),
        path,
        created: cx.now,
        trust,
        description: owned(input, "Description"),
        max_session: input["MaxSessionDuration"].as_i64().unwrap_or(3600),
        boundary,
        tags,
        inline: Default::default(),
        attached: Default::default(),
        name: name.clone(),
    };
    let mut output = show(&role);
    if !role.tags.is_empty() {
        output["Tags"] = tags::to_list(&role.tags, "Key", "Value");
    }
    iam(cx).roles.insert(name.to_ascii_lowercase(), role);
    Ok(json!({"Role": output}))
}

fn checked_trust(cx: &mut Cx<'_>, document: &str) -> AwsResult<String> {
    check_document(cx, document, Kind::Trust)?;
    if counted_length(document) > LONGEST_TRUST {
        return Err(limit_exceeded(format!("Cannot exceed quota for ACLSizePerRole: {LONGEST_TRUST}")));
    }
    Ok(document.to_owned())
}

/// What all answers say of a role; GetRole and CreateRole say more.
fn show(role: &Role) -> Value {
    let mut output = json!({
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.id,
        "Arn": role.arn,
        "CreateDate": iso_seconds(role.created),
        "AssumeRolePolicyDocument": encoded(&role.trust),
        "Description": role.description,
        "MaxSessionDuration": role.max_session,
    });
    if let Some(arn) = &role.boundary {
        output["PermissionsBoundary"] = json!({
            "PermissionsBoundaryType": "PermissionsBoundaryPolicy",
            "PermissionsBoundaryArn": arn,
        });
    }
    output
}

pub(super) fn get(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let role = role(cx, text(input, "RoleName"), Effect::Read)?;
    let mut output = show(role);
    if !role.tags.is_empty() {
        output["Tags"] = tags::to_list(&role.tags, "Key", "Value");
    }
    output["RoleLastUsed"] = json!({});
    Ok(json!({"Role": output}))
}

#[expect(clippy::unnecessary_wraps, reason = "every operation has the same signature")]
pub(super) fn list(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let prefix = text(input, "PathPrefix").to_owned();
    let (now, wait) = (cx.now, cx.faults.propagation.iam_ms);
    let roles: Vec<&Role> = iam(cx)
        .roles
        .values()
        .filter(|role| role.path.starts_with(&prefix) && !unseen(role.created, now, wait))
        .collect();
    Ok(paged(input, "Roles", roles, |role| role.name.to_ascii_lowercase(), |role| show(role)))
}

pub(super) fn update(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let role = role(cx, text(input, "RoleName"), Effect::Write)?;
    role.description = owned(input, "Description").or(role.description.take());
    if let Some(seconds) = input["MaxSessionDuration"].as_i64() {
        role.max_session = seconds;
    }
    Ok(json!({}))
}

pub(super) fn update_description(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let role = role(cx, text(input, "RoleName"), Effect::Write)?;
    role.description = owned(input, "Description");
    Ok(json!({"Role": show(role)}))
}

pub(super) fn update_trust(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    role(cx, text(input, "RoleName"), Effect::Write)?;
    let trust = checked_trust(cx, text(input, "PolicyDocument"))?;
    role(cx, text(input, "RoleName"), Effect::Write)?.trust = trust;
    Ok(Value::Null)
}

pub(super) fn put_boundary(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let arn = text(input, "PermissionsBoundary");
    managed::exists(cx, arn)?;
    role(cx, text(input, "RoleName"), Effect::Write)?.boundary = Some(arn.to_owned());
    Ok(Value::Null)
}

pub(super) fn delete_boundary(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let name = text(input, "RoleName");
    role(cx, name, Effect::Write)?
        .boundary
        .take()
        .map(|_| Value::Null)
        .ok_or_else(|| no_such_entity(format!("The role with name {name} has no permissions boundary.")))
}

pub(super) fn delete(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let name = text(input, "RoleName");
    let role = role(cx, name, Effect::Write)?;
    if !role.attached.is_empty() {
        return Err(delete_conflict("Cannot delete entity, must detach all policies first."));
    }
    if !role.inline.is_empty() {
        return Err(delete_conflict("Cannot delete entity, must delete policies first."));
    }
    iam(cx).roles.remove(&name.to_ascii_lowercase());
    Ok(Value::Null)
}

/// There are no instance profiles here, so that no role is ever in one.
pub(super) fn list_instance_profiles(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    role(cx, text(input, "RoleName"), Effect::Read)?;
    Ok(json!({"InstanceProfiles": [], "IsTruncated": false}))
}

pub(super) const GET_USER: &[Field] = &[optional("UserName", string(1, 128))];

/// The caller is the only user here.
pub(super) fn get_user(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let name = input["UserName"].as_str().unwrap_or("sandbox");
    if name != "sandbox" {
        return Err(no_such_entity(format!("The user with name {name} cannot be found.")));
    }
    let arn = cx.caller.iam_arn("user/sandbox");
    Ok(json!({"User": {
        "Path": "/", "UserName": name, "UserId": cx.caller.user_id, "Arn": arn,
        "CreateDate": iso_seconds(jiff::Timestamp::UNIX_EPOCH),
    }}))
}
