//! Identity and Access Management: roles and policies. IAM is one for all regions of an account.

mod attach;
mod inline;
mod managed;
mod permission;
mod policies;
mod roles;
mod shapes;
mod simulate;
mod tagging;
mod versions;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::policy::{self, Kind};
use super::tags::Tags;
use super::{Cx, unseen};
use crate::error::{AwsError, AwsResult};
use crate::external::External;
use crate::protocol::{Effect, Operation, read, write};
use crate::route::Caller;
pub(crate) use permission::{Refused, permits_service};

/// The roles and policies of an account.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Iam {
    /// By name in small letters, for names that differ in case only are the same to IAM.
    roles: BTreeMap<String, Role>,
    /// By ARN.
    policies: BTreeMap<String, ManagedPolicy>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Role {
    name: String,
    path: String,
    pub(crate) id: String,
    pub(crate) arn: String,
    created: Timestamp,
    trust: String,
    description: Option<String>,
    max_session: i64,
    boundary: Option<String>,
    tags: Tags,
    /// Inline policies by name.
    inline: BTreeMap<String, String>,
    /// ARNs of attached managed policies.
    attached: BTreeSet<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct ManagedPolicy {
    name: String,
    path: String,
    id: String,
    arn: String,
    created: Timestamp,
    updated: Timestamp,
    description: Option<String>,
    tags: Tags,
    versions: BTreeMap<u32, PolicyVersion>,
    default: u32,
    /// The number of the newest version there ever was; numbers are not used again.
    newest: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct PolicyVersion {
    document: String,
    created: Timestamp,
}

impl Role {
    /// Whether the trust policy lets this caller assume the role.
    pub(crate) fn trusts(&self, caller: &Caller) -> bool {
        let principals = [
            format!("AWS:{}", caller.iam_arn("root")),
            format!("AWS:{}", caller.account),
            format!("AWS:{}", caller.arn),
        ];
        let principals: Vec<&str> = principals.iter().map(String::as_str).collect();
        policy::parse(&self.trust, Kind::Trust)
            .is_ok_and(|policy| policy.allows("sts:AssumeRole", "*", &principals, &[]))
    }
}

/// Whether the role `arn` of the caller's account can be seen and lets `service` assume it.
pub(crate) fn assumable_by(cx: &mut Cx<'_>, arn: &str, service: &str) -> bool {
    let (now, wait, account) = (cx.now, cx.faults.propagation.iam_ms, cx.caller.account.clone());
    let name = arn.rsplit('/').next().unwrap_or_default();
    let external = cx.options.is_external(External::Iam);
    let Some(role) = iam(cx).role(name).filter(|role| role.arn == arn) else {
        return external;
    };
    if unseen(role.created, now, wait) {
        return false;
    }
    let principal = format!("Service:{service}");
    policy::parse(&role.trust, Kind::Trust)
        .is_ok_and(|policy| policy.allows("sts:AssumeRole", "*", &[&principal], &[("aws:SourceAccount", &account)]))
}

impl Iam {
    pub(crate) fn role(&self, name: &str) -> Option<&Role> {
        self.roles.get(&name.to_ascii_lowercase())
    }
}

pub(crate) const OPERATIONS: &[Operation] = &[
    write("CreateRole", roles::CREATE, roles::create),
    read("GetRole", shapes::ROLE, roles::get),
    read("ListRoles", roles::LIST, roles::list),
    write("UpdateRole", roles::UPDATE, roles::update),
    write("UpdateRoleDescription", roles::UPDATE_DESCRIPTION, roles::update_description),
    write("UpdateAssumeRolePolicy", roles::UPDATE_TRUST, roles::update_trust),
    write("PutRolePermissionsBoundary", roles::PUT_BOUNDARY, roles::put_boundary),
    write("DeleteRolePermissionsBoundary", shapes::ROLE, roles::delete_boundary),
    write("DeleteRole", shapes::ROLE, roles::delete),
    read("ListInstanceProfilesForRole", shapes::ROLE_PAGE, roles::list_instance_profiles),
    write("TagRole", tagging::TAG_ROLE, tagging::tag_role),
    write("UntagRole", tagging::UNTAG_ROLE, tagging::untag_role),
    read("ListRoleTags", shapes::ROLE_PAGE, tagging::list_role_tags),
    write("TagPolicy", tagging::TAG_POLICY, tagging::tag_policy),
    write("UntagPolicy", tagging::UNTAG_POLICY, tagging::untag_policy),
    read("ListPolicyTags", shapes::POLICY_PAGE, tagging::list_policy_tags),
    write("CreatePolicy", policies::CREATE, policies::create),
    read("GetPolicy", shapes::POLICY, policies::get),
    read("ListPolicies", policies::LIST, policies::list),
    write("DeletePolicy", shapes::POLICY, policies::delete),
    write("CreatePolicyVersion", versions::CREATE, versions::create),
    read("GetPolicyVersion", versions::VERSION, versions::get),
    read("ListPolicyVersions", shapes::POLICY_PAGE, versions::list),
    write("SetDefaultPolicyVersion", versions::VERSION, versions::set_default),
    write("DeletePolicyVersion", versions::VERSION, versions::delete),
    write("AttachRolePolicy", attach::ATTACH, attach::attach),
    write("DetachRolePolicy", attach::ATTACH, attach::detach),
    read("ListAttachedRolePolicies", attach::LIST_ATTACHED, attach::list_attached),
    read("ListEntitiesForPolicy", attach::LIST_ENTITIES, attach::list_entities),
    read("GetUser", roles::GET_USER, roles::get_user),
    read("SimulatePrincipalPolicy", simulate::SIMULATE, simulate::simulate),
    write("PutRolePolicy", inline::PUT, inline::put),
    read("GetRolePolicy", inline::NAMED, inline::get),
    read("ListRolePolicies", shapes::ROLE_PAGE, inline::list),
    write("DeleteRolePolicy", inline::NAMED, inline::delete),
];

/// A principal among `principals` that names a user or role of the caller's account which cannot
/// be seen: too new, or, with strict principals, not there at all.
pub(crate) fn invisible_principal(cx: &mut Cx<'_>, principals: &[&str]) -> Option<String> {
    let (now, wait) = (cx.now, cx.faults.propagation.iam_ms);
    let strict = cx.options.strict_principals && !cx.options.is_external(External::Iam);
    let role_prefix = cx.caller.iam_arn("role/");
    let user_prefix = cx.caller.iam_arn("user/");
    let iam = iam(cx);
    principals
        .iter()
        .find(|principal| {
            if let Some(name) = principal.strip_prefix(&role_prefix) {
                let name = name.rsplit('/').next().unwrap_or_default();
                match iam.role(name).filter(|role| role.arn == **principal) {
                    Some(role) => unseen(role.created, now, wait),
                    None => strict,
                }
            } else {
                strict && principal.strip_prefix(&user_prefix).is_some_and(|name| name != "sandbox")
            }
        })
        .map(|principal| (*principal).to_owned())
}

fn iam<'a>(cx: &'a mut Cx<'_>) -> &'a mut Iam {
    &mut cx.world.account(&cx.caller.account).iam
}

fn no_such_entity(message: impl Into<String>) -> AwsError {
    AwsError::new(404, "NoSuchEntity", message)
}

fn limit_exceeded(message: impl Into<String>) -> AwsError {
    AwsError::new(409, "LimitExceeded", message)
}

fn delete_conflict(message: impl Into<String>) -> AwsError {
    AwsError::new(409, "DeleteConflict", message)
}

fn malformed(message: impl Into<String>) -> AwsError {
    AwsError::bad_request("MalformedPolicyDocument", message)
}

/// The role `name`. To a read, a role that was created just now may still be missing.
fn role<'a>(cx: &'a mut Cx<'_>, name: &str, effect: Effect) -> AwsResult<&'a mut Role> {
    let (now, wait) = (cx.now, cx.faults.propagation.iam_ms);
    iam(cx)
        .roles
        .get_mut(&name.to_ascii_lowercase())
        .filter(|role| role.name == name)
        .filter(|role| effect == Effect::Write || !unseen(role.created, now, wait))
        .ok_or_else(|| no_such_entity(format!("The role with name {name} cannot be found.")))
}

/// The customer-managed policy `arn`. To a read, one created just now may still be missing.
fn customer_policy<'a>(cx: &'a mut Cx<'_>, arn: &str, effect: Effect) -> AwsResult<&'a mut ManagedPolicy> {
    let (now, wait) = (cx.now, cx.faults.propagation.iam_ms);
    iam(cx)
        .policies
        .get_mut(arn)
        .filter(|policy| effect == Effect::Write || !unseen(policy.created, now, wait))
        .ok_or_else(|| no_such_entity(format!("Policy {arn} was not found.")))
}

/// Checks a document's grammar and, for a trust policy, that its principals can be seen.
fn check_document(cx: &mut Cx<'_>, document: &str, kind: Kind) -> AwsResult<()> {
    let policy = policy::parse(document, kind).map_err(malformed)?;
    if kind == Kind::Trust
        && let Some(principal) = invisible_principal(cx, &policy.aws_principals())
    {
        return Err(malformed(format!("Invalid principal in policy: \"AWS\":\"{principal}\"")));
    }
    Ok(())
}

/// How long a document is to IAM, which does not count white space.
fn counted_length(document: &str) -> usize {
    document.chars().filter(|c| !c.is_whitespace()).count()
}

/// Documents are percent-encoded in answers (IAM API reference).
fn encoded(document: &str) -> String {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    utf8_percent_encode(document, KEPT).to_string()
}

/// A page of `items` under `name`, as `MaxItems` and `Marker` ask.
fn paged<T>(input: &Value, name: &str, items: Vec<T>, key: impl Fn(&T) -> String, show: impl Fn(&T) -> Value) -> Value {
    let limit = usize::try_from(input["MaxItems"].as_i64().unwrap_or(100)).unwrap_or(100);
    let (items, next) = super::page(items, input["Marker"].as_str(), limit, key);
    let mut output = serde_json::json!({
        name: items.iter().map(show).collect::<Vec<_>>(),
        "IsTruncated": next.is_some(),
    });
    if let Some(next) = next {
        output["Marker"] = next.into();
    }
    output
}
