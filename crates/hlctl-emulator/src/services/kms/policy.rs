//! Key policies.

use serde_json::{Value, json};

use super::{KEY_ID, LIMIT, MARKER, find};
use crate::error::{AwsError, AwsResult};
use crate::protocol::shape::{Field, Shape, Text, is_policy_text, one_of, optional, required};
use crate::services::policy::{Kind, Policy, parse};
use crate::services::{Cx, iam, text};

/// KMS takes policies of up to 32 KiB (KMS quotas), below the length in its model.
const LONGEST: usize = 32_768;

pub(super) const POLICY: Shape =
    Shape::Text(Text::len(1, 131_072).pattern(r"[\u0009\u000A\u000D\u0020-\u00FF]+", is_policy_text));
const NAME: Shape = one_of(&["default"]);

pub(super) const GET_KEY_POLICY: &[Field] = &[KEY_ID, optional("PolicyName", NAME)];
pub(super) const LIST_KEY_POLICIES: &[Field] = &[KEY_ID, optional("Limit", LIMIT), optional("Marker", MARKER)];
pub(super) const PUT_KEY_POLICY: &[Field] = &[
    KEY_ID,
    optional("PolicyName", NAME),
    required("Policy", POLICY),
    optional("BypassPolicyLockoutSafetyCheck", Shape::Flag),
];

fn malformed(message: impl Into<String>) -> AwsError {
    AwsError::bad_request("MalformedPolicyDocumentException", message)
}

/// Checks a key policy's grammar and principals and that it does not lock everyone out.
pub(super) fn check_document(cx: &mut Cx<'_>, document: &str, bypass: bool) -> AwsResult<()> {
    if document.len() > LONGEST {
        return Err(AwsError::bad_request("LimitExceededException", "The key policy is longer than 32768 bytes."));
    }
    let policy = parse(document, Kind::Resource).map_err(malformed)?;
    if let Some(principal) = iam::invisible_principal(cx, &policy.aws_principals()) {
        return Err(malformed(format!("Policy contains a statement with one or more invalid principals: {principal}")));
    }
    if !bypass && !leaves_a_way_back(cx, &policy) {
        return Err(malformed("The new key policy will not allow you to update the key policy in the future."));
    }
    Ok(())
}

/// Whether the caller may still change the policy, by name or through the account's own policies.
fn leaves_a_way_back(cx: &Cx<'_>, policy: &Policy) -> bool {
    let root = cx.caller.iam_arn("root");
    let principals = [format!("AWS:{root}"), format!("AWS:{}", cx.caller.account), format!("AWS:{}", cx.caller.arn)];
    let principals: Vec<&str> = principals.iter().map(String::as_str).collect();
    let context =
        [("kms:CallerAccount", cx.caller.account.as_str()), ("aws:PrincipalAccount", cx.caller.account.as_str())];
    policy.allows("kms:PutKeyPolicy", "*", &principals, &context)
}

pub(super) fn get(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let key = find(cx, text(input, "KeyId"), false)?;
    Ok(json!({"Policy": key.policy, "PolicyName": "default"}))
}

pub(super) fn list(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    find(cx, text(input, "KeyId"), false)?;
    Ok(json!({"PolicyNames": ["default"], "Truncated": false}))
}

pub(super) fn put(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    find(cx, text(input, "KeyId"), false)?;
    let document = text(input, "Policy");
    let bypass = input["BypassPolicyLockoutSafetyCheck"] == Value::Bool(true);
    check_document(cx, document, bypass)?;
    document.clone_into(&mut find(cx, text(input, "KeyId"), false)?.policy);
    Ok(json!({}))
}
