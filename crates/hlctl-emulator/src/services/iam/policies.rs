//! Customer-managed policies.

use serde_json::{Value, json};

use super::shapes::{DOCUMENT, MARKER, MAX_ITEMS, PATH_PREFIX, POLICY_NAME, POLICY_PATH, TAGS};
use super::{
    Iam, ManagedPolicy, PolicyVersion, check_document, counted_length, customer_policy, delete_conflict, iam,
    limit_exceeded, managed, paged, tagging,
};
use crate::clock::iso_seconds;
use crate::error::{AwsError, AwsResult};
use crate::protocol::Effect;
use crate::protocol::shape::{Field, Shape, one_of, optional, required, text as string};
use crate::services::policy::Kind;
use crate::services::{Cx, owned, tags, text, unseen};

/// IAM quotas: a managed policy has at most 6,144 characters.
const LONGEST: usize = 6144;

pub(super) const CREATE: &[Field] = &[
    POLICY_NAME,
    required("PolicyDocument", DOCUMENT),
    optional("Path", POLICY_PATH),
    optional("Description", string(0, 1000)),
    optional("Tags", TAGS),
];
pub(super) const LIST: &[Field] = &[
    optional("Scope", one_of(&["All", "AWS", "Local"])),
    optional("OnlyAttached", Shape::Flag),
    PATH_PREFIX,
    optional("PolicyUsageFilter", one_of(&["PermissionsPolicy", "PermissionsBoundary"])),
    MARKER,
    MAX_ITEMS,
];

pub(super) fn create(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let name = text(input, "PolicyName").to_owned();
    let taken = iam(cx).policies.values().any(|policy| policy.name.eq_ignore_ascii_case(&name));
    if taken {
        return Err(AwsError::new(
            409,
            "EntityAlreadyExists",
            format!("A policy called {name} already exists. Duplicate names are not allowed."),
        ));
    }
    let tags = tagging::parse(&input["Tags"])?;
    let document = checked(cx, text(input, "PolicyDocument"))?;
    let path = owned(input, "Path").unwrap_or_else(|| "/".to_owned());
    let arn = cx.caller.iam_arn(&format!("policy{path}{name}"));
    let first = PolicyVersion { document, created: cx.now };
    let policy = ManagedPolicy {
        name,
        path,
        id: cx.options.ids.unique_id("ANPA"),
        arn: arn.clone(),
        created: cx.now,
        updated: cx.now,
        description: owned(input, "Description"),
        tags,
        versions: [(1, first)].into(),
        default: 1,
        newest: 1,
    };
    let output = json!({"Policy": with_tags(show(&policy, 0), &policy)});
    iam(cx).policies.insert(arn, policy);
    Ok(output)
}

/// Checks the grammar and length of a managed policy's document.
pub(super) fn checked(cx: &mut Cx<'_>, document: &str) -> AwsResult<String> {
    check_document(cx, document, Kind::Identity)?;
    if counted_length(document) > LONGEST {
        return Err(limit_exceeded(format!("Cannot exceed quota for PolicySize: {LONGEST}")));
    }
    Ok(document.to_owned())
}

fn show(policy: &ManagedPolicy, attachments: usize) -> Value {
    json!({
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": format!("v{}", policy.default),
        "AttachmentCount": attachments,
        "PermissionsBoundaryUsageCount": 0,
        "IsAttachable": true,
        "CreateDate": iso_seconds(policy.created),
        "UpdateDate": iso_seconds(policy.updated),
    })
}

/// Lists leave description and tags out (IAM API reference, Policy).
fn with_tags(mut output: Value, policy: &ManagedPolicy) -> Value {
    output["Description"] = json!(policy.description);
    if !policy.tags.is_empty() {
        output["Tags"] = tags::to_list(&policy.tags, "Key", "Value");
    }
    output
}

fn attachments(iam: &Iam, arn: &str) -> usize {
    iam.roles.values().filter(|role| role.attached.contains(arn)).count()
}

pub(super) fn get(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let arn = text(input, "PolicyArn");
    let attachments = attachments(iam(cx), arn);
    if let Some(known) = managed::known(arn) {
        return Ok(json!({"Policy": managed::show(arn, known, attachments)}));
    }
    let policy = customer_policy(cx, arn, Effect::Read)?;
    Ok(json!({"Policy": with_tags(show(policy, attachments), policy)}))
}

/// Lists the account's own policies; those that AWS keeps are left out of every scope.
#[expect(clippy::unnecessary_wraps, reason = "every operation has the same signature")]
pub(super) fn list(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let prefix = text(input, "PathPrefix").to_owned();
    let only_attached = input["OnlyAttached"] == Value::Bool(true);
    let none = text(input, "Scope") == "AWS" || text(input, "PolicyUsageFilter") == "PermissionsBoundary";
    let (now, wait) = (cx.now, cx.faults.propagation.iam_ms);
    let iam = &*iam(cx);
    let policies: Vec<&ManagedPolicy> = iam
        .policies
        .values()
        .filter(|policy| {
            !none
                && policy.path.starts_with(&prefix)
                && !unseen(policy.created, now, wait)
                && (!only_attached || attachments(iam, &policy.arn) > 0)
        })
        .collect();
    Ok(paged(
        input,
        "Policies",
        policies,
        |policy| policy.arn.clone(),
        |policy| show(policy, attachments(iam, &policy.arn)),
    ))
}

pub(super) fn delete(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let arn = text(input, "PolicyArn");
    let used = attachments(iam(cx), arn);
    let policy = customer_policy(cx, arn, Effect::Write)?;
    if used > 0 {
        return Err(delete_conflict("Cannot delete a policy attached to entities."));
    }
    if policy.versions.len() > 1 {
        return Err(delete_conflict(
            "This policy has more than one version. Before you delete a policy, you must delete the \
             policy's versions. The default version is deleted with the policy.",
        ));
    }
    iam(cx).policies.remove(arn);
    Ok(Value::Null)
}
