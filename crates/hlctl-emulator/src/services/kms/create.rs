//! CreateKey.

use serde_json::{Value, json};

use super::keys::metadata;
use super::policy::{POLICY, check_document};
use super::{Key, kms, tagging};
use crate::error::{AwsError, AwsResult};
use crate::protocol::shape::{Field, Shape, one_of, optional, text as string};
use crate::services::{Cx, owned, text};

const SPECS: &[&str] = &[
    "SYMMETRIC_DEFAULT",
    "RSA_2048",
    "RSA_3072",
    "RSA_4096",
    "ECC_NIST_P256",
    "ECC_NIST_P384",
    "ECC_NIST_P521",
    "ECC_SECG_P256K1",
    "HMAC_224",
    "HMAC_256",
    "HMAC_384",
    "HMAC_512",
];

pub(super) const CREATE_KEY: &[Field] = &[
    optional("Policy", POLICY),
    optional("Description", string(0, 8192)),
    optional("KeyUsage", one_of(&["ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC"])),
    optional("KeySpec", one_of(SPECS)),
    optional("CustomerMasterKeySpec", one_of(SPECS)),
    optional("Origin", one_of(&["AWS_KMS"])),
    optional("BypassPolicyLockoutSafetyCheck", Shape::Flag),
    optional("Tags", tagging::TAGS),
    optional("MultiRegion", Shape::Flag),
];

pub(super) fn create_key(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let tags = tagging::parse(&input["Tags"])?;
    let policy = owned(input, "Policy").unwrap_or_else(|| default_policy(cx));
    let bypass = input["BypassPolicyLockoutSafetyCheck"] == Value::Bool(true);
    check_document(cx, &policy, bypass)?;
    let spec = owned(input, "KeySpec")
        .or_else(|| owned(input, "CustomerMasterKeySpec"))
        .unwrap_or_else(|| "SYMMETRIC_DEFAULT".to_owned());
    let usage = usage(input, &spec)?;
    let multi_region = input["MultiRegion"] == Value::Bool(true);
    let id = if multi_region { format!("mrk-{}", cx.options.ids.hex32()) } else { cx.options.ids.uuid() };
    let key = Key {
        arn: cx.caller.regional_arn("kms", &format!("key/{id}")),
        account: cx.caller.account.clone(),
        id: id.clone(),
        created: cx.now,
        description: text(input, "Description").to_owned(),
        policy,
        enabled: true,
        spec,
        usage,
        multi_region,
        tags,
        rotation: None,
        deletion: None,
        grants: Vec::new(),
        used: None,
    };
    let output = json!({"KeyMetadata": metadata(&key)});
    kms(cx.world, cx.caller).keys.insert(id, key);
    Ok(output)
}

/// A key that is not symmetric must say what it is for (KMS API reference, CreateKey).
fn usage(input: &Value, spec: &str) -> AwsResult<String> {
    let asked = owned(input, "KeyUsage");
    if asked.is_none() && spec != "SYMMETRIC_DEFAULT" {
        return Err(AwsError::bad_request(
            "ValidationException",
            format!("You must specify a KeyUsage value for a key with KeySpec {spec}."),
        ));
    }
    let usage = asked.unwrap_or_else(|| "ENCRYPT_DECRYPT".to_owned());
    let fits = match usage.as_str() {
        "ENCRYPT_DECRYPT" => spec == "SYMMETRIC_DEFAULT" || spec.starts_with("RSA_"),
        "SIGN_VERIFY" => spec.starts_with("RSA_") || spec.starts_with("ECC_"),
        _ => spec.starts_with("HMAC_"),
    };
    if fits {
        return Ok(usage);
    }
    Err(AwsError::bad_request("ValidationException", format!("KeyUsage {usage} is not compatible with KeySpec {spec}")))
}

/// The policy that KMS gives a key made without one (KMS developer guide, default key policy).
fn default_policy(cx: &Cx<'_>) -> String {
    json!({
        "Version": "2012-10-17",
        "Id": "key-default-1",
        "Statement": [{
            "Sid": "Enable IAM User Permissions",
            "Effect": "Allow",
            "Principal": {"AWS": cx.caller.iam_arn("root")},
            "Action": "kms:*",
            "Resource": "*",
        }],
    })
    .to_string()
}
