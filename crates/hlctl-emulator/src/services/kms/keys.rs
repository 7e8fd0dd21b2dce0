//! Looking at keys, and their descriptions.

use serde_json::{Value, json};

use super::{KEY_ID, Key, LIMIT, MARKER, find, kms};
use crate::clock::epoch_seconds;
use crate::error::AwsResult;
use crate::protocol::shape::{Field, Shape, optional, required, text as string};
use crate::services::{Cx, page, text};

pub(super) const DESCRIBE_KEY: &[Field] =
    &[KEY_ID, optional("GrantTokens", Shape::List { of: &string(1, 8192), min: 0, max: 10 })];

pub(super) const LIST_KEYS: &[Field] = &[optional("Limit", LIMIT), optional("Marker", MARKER)];

pub(super) const UPDATE_DESCRIPTION: &[Field] = &[KEY_ID, required("Description", string(0, 8192))];

/// The `KeyMetadata` of a key.
pub(super) fn metadata(key: &Key) -> Value {
    let mut metadata = json!({
        "AWSAccountId": key.account,
        "KeyId": key.id,
        "Arn": key.arn,
        "CreationDate": epoch_seconds(key.created),
        "Enabled": key.enabled && key.deletion.is_none(),
        "Description": key.description,
        "KeyUsage": key.usage,
        "KeyState": key.state(),
        "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER",
        "KeySpec": key.spec,
        "CustomerMasterKeySpec": key.spec,
        "MultiRegion": key.multi_region,
    });
    if key.is_symmetric() {
        metadata["EncryptionAlgorithms"] = json!(["SYMMETRIC_DEFAULT"]);
    }
    if let Some(date) = key.deletion {
        metadata["DeletionDate"] = json!(epoch_seconds(date));
    }
    metadata
}

pub(super) fn describe_key(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let key = find(cx, text(input, "KeyId"), true)?;
    Ok(json!({"KeyMetadata": metadata(key)}))
}

/// KMS records the use of every key that was created here from the beginning.
pub(super) fn last_usage(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let key = find(cx, text(input, "KeyId"), false)?;
    let created = epoch_seconds(key.created);
    let used = key.used.as_ref().map_or_else(
        || json!({}),
        |(operation, when)| json!({"Operation": operation, "Timestamp": epoch_seconds(*when)}),
    );
    Ok(json!({"KeyId": key.id, "KeyLastUsage": used, "TrackingStartDate": created, "KeyCreationDate": created}))
}

#[expect(clippy::unnecessary_wraps, reason = "every operation has the same signature")]
pub(super) fn list_keys(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let now = cx.now;
    let keys: Vec<(String, String)> = kms(cx.world, cx.caller)
        .keys
        .values()
        .filter(|key| !key.is_gone(now))
        .map(|key| (key.id.clone(), key.arn.clone()))
        .collect();
    let limit = usize::try_from(input["Limit"].as_i64().unwrap_or(100)).unwrap_or(100);
    let (keys, next) = page(keys, input["Marker"].as_str(), limit, |(id, _)| id.clone());
    let keys: Vec<Value> = keys.iter().map(|(id, arn)| json!({"KeyId": id, "KeyArn": arn})).collect();
    Ok(super::with_marker(json!({"Keys": keys}), next))
}

pub(super) fn update_description(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let key = find(cx, text(input, "KeyId"), false)?;
    key.not_pending()?;
    text(input, "Description").clone_into(&mut key.description);
    Ok(json!({}))
}
