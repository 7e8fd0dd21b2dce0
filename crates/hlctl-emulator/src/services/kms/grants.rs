//! Grants: kept and listed. No use of a key is decided by one.

use serde_json::{Value, json};

use super::{KEY_ID, LIMIT, MARKER, find};
use crate::clock::epoch_seconds;
use crate::error::{AwsError, AwsResult};
use crate::protocol::shape::{Field, Shape, Text, one_of, optional, required, text as string};
use crate::services::{Cx, text};

const OPERATIONS: Shape = one_of(&[
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
    "Sign",
    "Verify",
    "GetPublicKey",
    "CreateGrant",
    "RetireGrant",
    "DescribeKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateMac",
    "VerifyMac",
    "DeriveSharedSecret",
]);
const PRINCIPAL: Shape = string(1, 256);
const CONTEXT: Shape = Shape::Map { key: Text::len(1, 8192), value: &string(0, 8192), min: 0, max: usize::MAX };
const CONSTRAINTS: Shape = Shape::Struct(&[
    optional("EncryptionContextSubset", CONTEXT),
    optional("EncryptionContextEquals", CONTEXT),
    optional("SourceArn", string(1, 2048)),
]);

pub(super) const CREATE: &[Field] = &[
    KEY_ID,
    optional("GranteePrincipal", PRINCIPAL),
    optional("GranteeServicePrincipal", PRINCIPAL),
    optional("RetiringPrincipal", PRINCIPAL),
    optional("RetiringServicePrincipal", PRINCIPAL),
    required("Operations", Shape::List { of: &OPERATIONS, min: 0, max: usize::MAX }),
    optional("Constraints", CONSTRAINTS),
    optional("GrantTokens", Shape::List { of: &string(1, 8192), min: 0, max: 10 }),
    optional("Name", string(1, 256)),
    optional("DryRun", Shape::Flag),
];
pub(super) const LIST: &[Field] = &[
    KEY_ID,
    optional("Limit", LIMIT),
    optional("Marker", MARKER),
    optional("GrantId", string(1, 128)),
    optional("GranteePrincipal", PRINCIPAL),
    optional("GranteeServicePrincipal", PRINCIPAL),
];
pub(super) const REVOKE: &[Field] = &[KEY_ID, required("GrantId", string(1, 128)), optional("DryRun", Shape::Flag)];

pub(super) fn create(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let (now, account) = (cx.now, cx.caller.account.clone());
    let id = cx.options.ids.hex32() + &cx.options.ids.hex32();
    let key = find(cx, text(input, "KeyId"), false)?;
    key.not_pending()?;
    let mut grant = json!({
        "KeyId": key.arn,
        "GrantId": id,
        "Name": text(input, "Name"),
        "CreationDate": epoch_seconds(now),
        "IssuingAccount": format!("arn:aws:iam::{account}:root"),
        "Operations": input["Operations"],
    });
    for member in
        ["GranteePrincipal", "GranteeServicePrincipal", "RetiringPrincipal", "RetiringServicePrincipal", "Constraints"]
    {
        if !input[member].is_null() {
            grant[member] = input[member].clone();
        }
    }
    key.grants.push(grant);
    Ok(json!({"GrantId": id, "GrantToken": id}))
}

pub(super) fn list(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let key = find(cx, text(input, "KeyId"), false)?;
    let is_asked = |grant: &&Value| {
        ["GrantId", "GranteePrincipal", "GranteeServicePrincipal"]
            .iter()
            .all(|member| input[member].is_null() || input[member] == grant[member])
    };
    let grants: Vec<&Value> = key.grants.iter().filter(is_asked).collect();
    Ok(json!({"Grants": grants, "Truncated": false}))
}

pub(super) fn revoke(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let key = find(cx, text(input, "KeyId"), false)?;
    let before = key.grants.len();
    key.grants.retain(|grant| grant["GrantId"] != input["GrantId"]);
    if key.grants.len() == before {
        return Err(AwsError::bad_request("NotFoundException", "Grant ID not found"));
    }
    Ok(json!({}))
}
