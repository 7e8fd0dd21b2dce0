//! Tags of datastores and of profiles of the Data Transformation Agent.

use serde_json::{Value, json};

use super::{find, healthlake, not_found, validation};
use crate::error::AwsResult;
use crate::services::tags::{self, Tags};
use crate::services::{Cx, text};

/// A store has at most 200 tags, as the model's list has; a profile 50, as the map of its creation.
const MOST: usize = 200;
const MOST_OF_PROFILE: usize = 50;

pub(super) fn parse(list: &Value) -> AwsResult<Tags> {
    let tags = tags::from_list(list, "Key", "Value").map_err(|key| validation(format!("Duplicate tag key: {key}")))?;
    checked(tags)
}

/// Refuses keys that are AWS's own.
pub(super) fn checked(tags: Tags) -> AwsResult<Tags> {
    if let Some(key) = tags.keys().find(|key| key.to_lowercase().starts_with("aws:")) {
        return Err(validation(format!("Tag key {key} begins with aws:")));
    }
    Ok(tags)
}

/// The tags of what an ARN names, and how many there may be.
fn tagged<'a>(cx: &'a mut Cx<'_>, input: &Value) -> AwsResult<(&'a mut Tags, usize)> {
    let arn = text(input, "ResourceARN");
    let id = arn.rsplit('/').next().unwrap_or_default();
    if arn == cx.caller.regional_arn("healthlake", &format!("dataTransformationProfile/{id}")) {
        let tags = healthlake(cx).profile_tags(id).map(|tags| (tags, MOST_OF_PROFILE));
        return tags.ok_or_else(|| not_found(arn));
    }
    let store = find(cx, id).ok().filter(|store| store.arn == arn).ok_or_else(|| not_found(arn))?;
    Ok((&mut store.tags, MOST))
}

pub(super) fn tag(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let new = parse(&input["Tags"])?;
    let (tags, most) = tagged(cx, input)?;
    let mut merged = tags.clone();
    merged.extend(new);
    if merged.len() > most {
        return Err(validation(format!("A resource has at most {most} tags.")));
    }
    *tags = merged;
    Ok(json!({}))
}

pub(super) fn untag(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let (tags, _) = tagged(cx, input)?;
    for key in input["TagKeys"].as_array().into_iter().flatten() {
        tags.remove(key.as_str().unwrap_or_default());
    }
    Ok(json!({}))
}

pub(super) fn list(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let (tags, _) = tagged(cx, input)?;
    Ok(json!({"Tags": tags::to_list(tags, "Key", "Value")}))
}
