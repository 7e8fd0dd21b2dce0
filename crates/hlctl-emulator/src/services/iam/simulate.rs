//! SimulatePrincipalPolicy: what the policy in force, and the actions that are denied on purpose, would say.

use serde_json::{Value, json};

use super::no_such_entity;
use super::shapes::{MARKER, MAX_ITEMS};
use crate::authorize::{Ask, decide};
use crate::error::{AwsError, AwsResult};
use crate::protocol::shape::{Field, Shape, optional, required, text as string};
use crate::services::policy::Decision;
use crate::services::{Cx, text};

const TEXTS: Shape = Shape::List { of: &string(1, 2048), min: 0, max: 10_000 };
const ENTRY: &[Field] = &[
    optional("ContextKeyName", string(5, 256)),
    optional("ContextKeyValues", TEXTS),
    optional("ContextKeyType", string(1, 32)),
];

pub(super) const SIMULATE: &[Field] = &[
    required("PolicySourceArn", string(20, 2048)),
    required("ActionNames", Shape::List { of: &string(3, 128), min: 0, max: 10_000 }),
    optional("ResourceArns", TEXTS),
    optional("ContextEntries", Shape::List { of: &Shape::Struct(ENTRY), min: 0, max: 1_000 }),
    MARKER,
    MAX_ITEMS,
];

pub(super) fn simulate(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    check_source(cx, text(input, "PolicySourceArn"))?;
    let actions = texts(&input["ActionNames"]);
    let resources = if input["ResourceArns"].is_array() { texts(&input["ResourceArns"]) } else { vec!["*"] };
    let results: Vec<Value> = actions
        .iter()
        .flat_map(|action| resources.iter().map(move |resource| (*action, *resource)))
        .map(|(action, resource)| {
            let ask = Ask { action: action.to_owned(), resource: resource.to_owned(), context: context(input) };
            json!({
                "EvalActionName": action,
                "EvalResourceName": resource,
                "EvalDecision": verdict(cx, &ask),
                "MatchedStatements": [],
                "MissingContextValues": [],
            })
        })
        .collect();
    Ok(json!({"EvaluationResults": results, "IsTruncated": false}))
}

fn verdict(cx: &Cx<'_>, ask: &Ask) -> &'static str {
    if cx.faults.denies_action(&ask.action) {
        return "explicitDeny";
    }
    match cx.guard.current().map_or(Some(Decision::Allow), |policy| decide(&policy, ask)) {
        Some(Decision::Allow) => "allowed",
        Some(Decision::Deny) => "explicitDeny",
        None => "implicitDeny",
    }
}

/// The sandbox's user and the roles can be asked about; sessions cannot (IAM API reference).
fn check_source(cx: &mut Cx<'_>, arn: &str) -> AwsResult<()> {
    if !names_entity(arn) {
        let message = format!("Invalid Entity Arn: {arn} does not clearly define entity type and name.");
        return Err(AwsError::bad_request("InvalidInput", message));
    }
    let name = arn.rsplit('/').next().unwrap_or_default();
    let is_known =
        arn == cx.caller.iam_arn("user/sandbox") || super::iam(cx).role(name).is_some_and(|role| role.arn == arn);
    if is_known { Ok(()) } else { Err(no_such_entity(format!("The principal {arn} cannot be found."))) }
}

/// Whether an ARN is that of an IAM user, group or role.
fn names_entity(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", _, "iam", "", _, resource] = parts[..] else { return false };
    ["user/", "group/", "role/"].iter().any(|kind| resource.strip_prefix(kind).is_some_and(|name| !name.is_empty()))
}

fn context(input: &Value) -> Vec<(String, String)> {
    let entries = input["ContextEntries"].as_array().into_iter().flatten();
    entries
        .flat_map(|entry| {
            let name = text(entry, "ContextKeyName").to_owned();
            texts(&entry["ContextKeyValues"]).into_iter().map(move |value| (name.clone(), value.to_owned()))
        })
        .collect()
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_no_entity() {
        for (arn, is_entity) in [
            ("arn:aws:iam::123456789012:user/a", true),
            ("arn:aws:iam::123456789012:role/path/a", true),
            ("arn:aws-cn:iam::123456789012:group/a", true),
            ("arn:aws:sts::123456789012:assumed-role/a/session", false),
            ("arn:aws:iam::123456789012:root", false),
            ("arn:aws:iam::123456789012:role/", false),
            ("arn:aws:iam::123456789012:policy/a", false),
            ("nonsense", false),
        ] {
            assert_eq!(names_entity(arn), is_entity, "{arn}");
        }
    }
}
