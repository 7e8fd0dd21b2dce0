//! A role's inline policies.

use serde_json::{Value, json};

use super::shapes::{DOCUMENT, POLICY_NAME, ROLE_NAME};
use super::{check_document, counted_length, encoded, limit_exceeded, no_such_entity, paged, role};
use crate::error::{AwsError, AwsResult};
use crate::protocol::Effect;
use crate::protocol::shape::{Field, required};
use crate::services::policy::Kind;
use crate::services::{Cx, text};

/// IAM quotas: all inline policies of a role together have at most 10,240 characters.
const LONGEST: usize = 10_240;

pub(super) const NAMED: &[Field] = &[ROLE_NAME, POLICY_NAME];
pub(super) const PUT: &[Field] = &[ROLE_NAME, POLICY_NAME, required("PolicyDocument", DOCUMENT)];

pub(super) fn put(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let (role_name, name) = (text(input, "RoleName"), text(input, "PolicyName"));
    let document = text(input, "PolicyDocument");
    role(cx, role_name, Effect::Write)?;
    check_document(cx, document, Kind::Identity)?;
    let role = role(cx, role_name, Effect::Write)?;
    let others: usize =
        role.inline.iter().filter(|(other, _)| *other != name).map(|(_, document)| counted_length(document)).sum();
    if others + counted_length(document) > LONGEST {
        return Err(limit_exceeded(format!("Maximum policy size of {LONGEST} bytes exceeded for role {role_name}")));
    }
    role.inline.insert(name.to_owned(), document.to_owned());
    Ok(Value::Null)
}

pub(super) fn get(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let (role_name, name) = (text(input, "RoleName"), text(input, "PolicyName"));
    let role = role(cx, role_name, Effect::Read)?;
    let document = role.inline.get(name).ok_or_else(|| missing(name))?;
    Ok(json!({
        "RoleName": role_name,
        "PolicyName": name,
        "PolicyDocument": encoded(document),
    }))
}

pub(super) fn list(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let role = role(cx, text(input, "RoleName"), Effect::Read)?;
    let names: Vec<&String> = role.inline.keys().collect();
    Ok(paged(input, "PolicyNames", names, |name| (*name).clone(), |name| json!(name)))
}

pub(super) fn delete(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let name = text(input, "PolicyName");
    role(cx, text(input, "RoleName"), Effect::Write)?
        .inline
        .remove(name)
        .map(|_| Value::Null)
        .ok_or_else(|| missing(name))
}

fn missing(name: &str) -> AwsError {
    no_such_entity(format!("The role policy with name {name} cannot be found."))
}
