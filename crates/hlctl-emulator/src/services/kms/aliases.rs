//! Aliases.

use serde_json::{Value, json};

use super::{Alias, LIMIT, MARKER, find, kms};
use crate::clock::epoch_seconds;
use crate::error::{AwsError, AwsResult};
use crate::protocol::shape::{Field, Shape, Text, optional, required, text as string};
use crate::services::{Cx, page, text};

const NAME: Shape = Shape::Text(
    Text::len(1, 256)
        .pattern("^[a-zA-Z0-9:/_-]+$", |name| name.chars().all(|c| c.is_ascii_alphanumeric() || ":/_-".contains(c))),
);

pub(super) const CREATE: &[Field] = &[required("AliasName", NAME), required("TargetKeyId", string(1, 2048))];
pub(super) const DELETE: &[Field] = &[required("AliasName", NAME)];
pub(super) const LIST: &[Field] =
    &[optional("KeyId", string(1, 2048)), optional("Limit", LIMIT), optional("Marker", MARKER)];

pub(super) fn create(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let name = checked_name(input)?;
    if kms(cx.world, cx.caller).aliases.contains_key(&name) {
        let arn = cx.caller.regional_arn("kms", &name);
        return Err(AwsError::bad_request(
            "AlreadyExistsException",
            format!("An alias with the name {arn} already exists"),
        ));
    }
    let target = target(cx, input)?;
    let alias = Alias { target, created: cx.now, updated: cx.now };
    kms(cx.world, cx.caller).aliases.insert(name, alias);
    Ok(json!({}))
}

pub(super) fn update(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let name = checked_name(input)?;
    let target = target(cx, input)?;
    let (now, missing) = (cx.now, missing(cx, &name));
    let alias = kms(cx.world, cx.caller).aliases.get_mut(&name).ok_or(missing)?;
    alias.target = target;
    alias.updated = now;
    Ok(json!({}))
}

pub(super) fn delete(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let name = checked_name(input)?;
    let missing = missing(cx, &name);
    kms(cx.world, cx.caller).aliases.remove(&name).map(|_| json!({})).ok_or(missing)
}

pub(super) fn list(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let target = match input["KeyId"].as_str() {
        Some(id) => Some(find(cx, id, false)?.id.clone()),
        None => None,
    };
    let all: Vec<(String, Alias)> = kms(cx.world, cx.caller)
        .aliases
        .iter()
        .filter(|(_, alias)| target.as_ref().is_none_or(|id| *id == alias.target))
        .map(|(name, alias)| (name.clone(), alias.clone()))
        .collect();
    let limit = usize::try_from(input["Limit"].as_i64().unwrap_or(50)).unwrap_or(50);
    let (some, next) = page(all, input["Marker"].as_str(), limit, |(name, _)| name.clone());
    let aliases: Vec<Value> = some
        .iter()
        .map(|(name, alias)| {
            json!({
                "AliasName": name,
                "AliasArn": cx.caller.regional_arn("kms", name),
                "TargetKeyId": alias.target,
                "CreationDate": epoch_seconds(alias.created),
                "LastUpdatedDate": epoch_seconds(alias.updated),
            })
        })
        .collect();
    Ok(super::with_marker(json!({"Aliases": aliases}), next))
}

fn checked_name(input: &Value) -> AwsResult<String> {
    let name = text(input, "AliasName");
    let own = name.strip_prefix("alias/").unwrap_or_default();
    if own.is_empty() || own.starts_with("aws/") {
        return Err(AwsError::bad_request(
            "InvalidAliasNameException",
            "Alias must start with the prefix \"alias/\" and not with \"alias/aws/\".",
        ));
    }
    Ok(name.to_owned())
}

fn target(cx: &mut Cx<'_>, input: &Value) -> AwsResult<String> {
    let key = find(cx, text(input, "TargetKeyId"), false)?;
    key.not_pending()?;
    Ok(key.id.clone())
}

fn missing(cx: &Cx<'_>, name: &str) -> AwsError {
    AwsError::bad_request("NotFoundException", format!("Alias {} is not found.", cx.caller.regional_arn("kms", name)))
}
