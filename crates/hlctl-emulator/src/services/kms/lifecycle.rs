//! On, off, rotation and deletion.

use std::time::Duration;

use serde_json::{Value, json};

use super::{KEY_ID, Rotation, find, invalid_state};
use crate::clock::{after, epoch_seconds};
use crate::error::{AwsError, AwsResult};
use crate::protocol::shape::{Field, Shape, optional};
use crate::services::{Cx, text};

const DAY: u64 = 86_400;

pub(super) const ENABLE_ROTATION: &[Field] =
    &[KEY_ID, optional("RotationPeriodInDays", Shape::Whole { min: 90, max: 2560 })];

/// The API reference allows 7 to 30 days; the model's own limit is wider.
pub(super) const SCHEDULE_DELETION: &[Field] =
    &[KEY_ID, optional("PendingWindowInDays", Shape::Whole { min: 7, max: 30 })];

pub(super) fn enable(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    set_enabled(cx, input, true)
}

pub(super) fn disable(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    set_enabled(cx, input, false)
}

fn set_enabled(cx: &mut Cx<'_>, input: &Value, enabled: bool) -> AwsResult<Value> {
    let key = find(cx, text(input, "KeyId"), false)?;
    key.not_pending()?;
    key.enabled = enabled;
    Ok(json!({}))
}

pub(super) fn enable_rotation(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let now = cx.now;
    let key = rotatable(cx, input)?;
    let since = key.rotation.map_or(now, |rotation| rotation.since);
    key.rotation = Some(Rotation { period_days: input["RotationPeriodInDays"].as_i64().unwrap_or(365), since });
    Ok(json!({}))
}

pub(super) fn disable_rotation(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    rotatable(cx, input)?.rotation = None;
    Ok(json!({}))
}

fn rotatable<'a>(cx: &'a mut Cx<'_>, input: &Value) -> AwsResult<&'a mut super::Key> {
    let key = find(cx, text(input, "KeyId"), false)?;
    key.not_pending()?;
    if !key.is_symmetric() {
        return Err(AwsError::bad_request(
            "UnsupportedOperationException",
            format!("{} does not support automatic rotation.", key.arn),
        ));
    }
    if !key.enabled {
        return Err(AwsError::bad_request("DisabledException", format!("{} is disabled.", key.arn)));
    }
    Ok(key)
}

pub(super) fn rotation_status(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let key = find(cx, text(input, "KeyId"), false)?;
    if !key.is_symmetric() {
        return Err(AwsError::bad_request(
            "UnsupportedOperationException",
            format!("{} does not support automatic rotation.", key.arn),
        ));
    }
    let mut output = json!({
        "KeyId": key.id,
        "KeyRotationEnabled": key.rotation.is_some() && key.deletion.is_none(),
    });
    if let Some(rotation) = key.rotation {
        let period = u64::try_from(rotation.period_days).unwrap_or_default();
        output["RotationPeriodInDays"] = json!(rotation.period_days);
        output["NextRotationDate"] = json!(epoch_seconds(after(rotation.since, Duration::from_secs(period * DAY))));
    }
    Ok(output)
}

pub(super) fn schedule_deletion(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let now = cx.now;
    let key = find(cx, text(input, "KeyId"), false)?;
    key.not_pending()?;
    let days = input["PendingWindowInDays"].as_u64().unwrap_or(30);
    let date = after(now, Duration::from_secs(days * DAY));
    key.deletion = Some(date);
    Ok(json!({
        "KeyId": key.arn,
        "DeletionDate": epoch_seconds(date),
        "KeyState": "PendingDeletion",
        "PendingWindowInDays": days,
    }))
}

/// A key whose deletion is cancelled is left disabled (KMS API reference, CancelKeyDeletion).
pub(super) fn cancel_deletion(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let key = find(cx, text(input, "KeyId"), false)?;
    if key.deletion.is_none() {
        return Err(invalid_state(&key.arn, "is not pending deletion."));
    }
    key.deletion = None;
    key.enabled = false;
    Ok(json!({"KeyId": key.arn}))
}
