//! Log groups, their retention and their keys.

use serde_json::{Value, json};

use super::shapes::{GROUP_NAME, IDENTIFIERS, MAYBE_NAME, NAME, NEXT_TOKEN, TAGS};
use super::{Group, group, invalid, limit, logs, name_of, no_group, tagging, with_token};
use crate::error::{AwsError, AwsResult};
use crate::protocol::shape::{Field, Shape, one_of, optional, required, text as string};
use crate::services::{Cx, kms, owned, page, text};

const CLASSES: Shape = one_of(&["STANDARD", "INFREQUENT_ACCESS", "DELIVERY", "ESSENTIALS"]);
const KEY: Shape = string(0, 256);

pub(super) const CREATE: &[Field] = &[
    NAME,
    optional("kmsKeyId", KEY),
    optional("tags", TAGS),
    optional("logGroupClass", CLASSES),
    optional("deletionProtectionEnabled", Shape::Flag),
];
pub(super) const DESCRIBE: &[Field] = &[
    optional("accountIdentifiers", Shape::List { of: &string(12, 12), min: 0, max: 20 }),
    optional("logGroupNamePrefix", GROUP_NAME),
    optional("logGroupNamePattern", string(0, 512)),
    NEXT_TOKEN,
    optional("limit", Shape::Whole { min: 1, max: 50 }),
    optional("includeLinkedAccounts", Shape::Flag),
    optional("logGroupClass", CLASSES),
    IDENTIFIERS,
];
pub(super) const PUT_RETENTION: &[Field] =
    &[NAME, required("retentionInDays", Shape::Whole { min: i64::MIN, max: i64::MAX })];
pub(super) const ASSOCIATE: &[Field] =
    &[MAYBE_NAME, required("kmsKeyId", KEY), optional("resourceIdentifier", string(1, 2048))];
pub(super) const DISASSOCIATE: &[Field] = &[MAYBE_NAME, optional("resourceIdentifier", string(1, 2048))];

/// The numbers of days that PutRetentionPolicy takes (CloudWatch Logs API reference).
const RETENTIONS: &[i64] =
    &[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

pub(super) fn create(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let name = text(input, "logGroupName").to_owned();
    let mut made = Group::new(cx.now);
    made.tags = tagging::parse(&input["tags"])?;
    if logs(cx).groups.contains_key(&name) {
        return Err(AwsError::bad_request("ResourceAlreadyExistsException", "The specified log group already exists"));
    }
    if let Some(key) = input["kmsKeyId"].as_str() {
        made.kms_key = Some(checked_key(cx, &name, key)?);
    }
    made.class = owned(input, "logGroupClass").unwrap_or(made.class);
    made.protected = input["deletionProtectionEnabled"] == Value::Bool(true);
    logs(cx).groups.insert(name, made);
    Ok(json!({}))
}

/// The key must be named by its ARN and be fit for use (CloudWatch Logs API reference, AssociateKmsKey).
fn checked_key(cx: &mut Cx<'_>, group: &str, key: &str) -> AwsResult<String> {
    let refused = |cx: &Cx<'_>| {
        let arn = cx.caller.regional_arn("logs", &format!("log-group:{group}"));
        invalid(format!("The specified KMS key does not exist or is not allowed to be used with Arn '{arn}'"))
    };
    if !key.starts_with("arn:") {
        return Err(refused(cx));
    }
    kms::usable_key(cx, key).map_err(|_| refused(cx))
}

fn shown(cx: &Cx<'_>, name: &str, group: &Group) -> Value {
    let arn = cx.caller.regional_arn("logs", &format!("log-group:{name}"));
    let mut shown = json!({
        "logGroupName": name,
        "creationTime": group.created.as_millisecond(),
        "metricFilterCount": 0,
        "arn": format!("{arn}:*"),
        "logGroupArn": arn,
        "storedBytes": 0,
        "logGroupClass": group.class,
        "deletionProtectionEnabled": group.protected,
    });
    if let Some(days) = group.retention_days {
        shown["retentionInDays"] = json!(days);
    }
    if let Some(key) = &group.kms_key {
        shown["kmsKeyId"] = json!(key);
    }
    shown
}

pub(super) fn describe(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let (prefix, pattern) = (input["logGroupNamePrefix"].as_str(), input["logGroupNamePattern"].as_str());
    if prefix.is_some() && pattern.is_some() {
        return Err(invalid("logGroupNamePrefix and logGroupNamePattern are mutually exclusive parameters."));
    }
    let identifiers: Option<Vec<String>> = input["logGroupIdentifiers"]
        .as_array()
        .map(|list| list.iter().filter_map(Value::as_str).map(|text| name_of(cx, text).to_owned()).collect());
    let class = input["logGroupClass"].as_str();
    let wanted = |name: &String, group: &Group| {
        prefix.is_none_or(|prefix| name.starts_with(prefix))
            && pattern.is_none_or(|pattern| name.contains(pattern))
            && class.is_none_or(|class| group.class == class)
            && identifiers.as_ref().is_none_or(|names| names.contains(name))
    };
    let all: Vec<(String, Group)> = logs(cx)
        .groups
        .iter()
        .filter(|(name, group)| wanted(name, group))
        .map(|(name, group)| (name.clone(), group.clone()))
        .collect();
    let (some, next) = page(all, input["nextToken"].as_str(), limit(input, 50), |(name, _)| name.clone());
    let shown: Vec<Value> = some.iter().map(|(name, group)| shown(cx, name, group)).collect();
    Ok(with_token(json!({"logGroups": shown}), next))
}

pub(super) fn delete(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    if group(cx, input)?.protected {
        return Err(AwsError::bad_request(
            "ValidationException",
            "The log group cannot be deleted because deletion protection is enabled.",
        ));
    }
    let gone = logs(cx).groups.remove(text(input, "logGroupName")).ok_or_else(no_group)?;
    for stream in gone.streams.values() {
        cx.files.remove_events(&stream.id);
    }
    Ok(json!({}))
}

pub(super) fn put_retention(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let group = group(cx, input)?;
    let days = input["retentionInDays"].as_i64().unwrap_or_default();
    if !RETENTIONS.contains(&days) {
        let values: Vec<String> = RETENTIONS.iter().map(ToString::to_string).collect();
        return Err(invalid(format!(
            "1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: Member \
             must satisfy enum value set: [{}]",
            values.join(", ")
        )));
    }
    group.retention_days = Some(days);
    Ok(json!({}))
}

pub(super) fn delete_retention(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    group(cx, input)?.retention_days = None;
    Ok(json!({}))
}

/// The name of the group whose key is to change: given by name, or by ARN as a resource.
fn keyed_group(cx: &Cx<'_>, input: &Value) -> AwsResult<String> {
    match (input["logGroupName"].as_str(), input["resourceIdentifier"].as_str()) {
        (Some(name), None) => Ok(name.to_owned()),
        (None, Some(arn)) if name_of(cx, arn) != arn => Ok(name_of(cx, arn).trim_end_matches(":*").to_owned()),
        (None, Some(_)) => Err(invalid("hlctl-emulator does not model keys of query results.")),
        _ => Err(invalid("Exactly one of logGroupName and resourceIdentifier must be given.")),
    }
}

pub(super) fn associate(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let name = keyed_group(cx, input)?;
    if !logs(cx).groups.contains_key(&name) {
        return Err(no_group());
    }
    let key = checked_key(cx, &name, text(input, "kmsKeyId"))?;
    logs(cx).groups.get_mut(&name).ok_or_else(no_group)?.kms_key = Some(key);
    Ok(json!({}))
}

pub(super) fn disassociate(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let name = keyed_group(cx, input)?;
    logs(cx).groups.get_mut(&name).ok_or_else(no_group)?.kms_key = None;
    Ok(json!({}))
}
