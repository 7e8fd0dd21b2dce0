//! Tags of datastores.

use serde_json::{Value, json};

use super::datastore::Datastore;
use super::{find, not_found, validation};
use crate::error::AwsResult;
use crate::services::tags::{self, Tags};
use crate::services::{Cx, text};

/// A store has at most 200 tags, as the model's list has.
const MOST: usize = 200;

pub(super) fn parse(list: &Value) -> AwsResult<Tags> {
    let tags = tags::from_list(list, "Key", "Value").map_err(|key| validation(format!("Duplicate tag key: {key}")))?;
    if let Some(key) = tags.keys().find(|key| key.to_lowercase().starts_with("aws:")) {
        return Err(validation(format!("Tag key {key} begins with aws:")));
    }
    Ok(tags)
}

fn tagged<'a>(cx: &'a mut Cx<'_>, input: &Value) -> AwsResult<&'a mut Datastore> {
    let arn = text(input, "ResourceARN");
    let id = arn.rsplit('/').next().unwrap_or_default();
    find(cx, id).ok().filter(|store| store.arn == arn).ok_or_else(|| not_found(arn))
}

pub(super) fn tag(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let new = parse(&input["Tags"])?;
    let store = tagged(cx, input)?;
    let mut merged = store.tags.clone();
    merged.extend(new);
    if merged.len() > MOST {
        return Err(validation(format!("A resource has at most {MOST} tags.")));
    }
    store.tags = merged;
    Ok(json!({}))
}

pub(super) fn untag(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let store = tagged(cx, input)?;
    for key in input["TagKeys"].as_array().into_iter().flatten() {
        store.tags.remove(key.as_str().unwrap_or_default());
    }
    Ok(json!({}))
}

pub(super) fn list(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let store = tagged(cx, input)?;
    Ok(json!({"Tags": tags::to_list(&store.tags, "Key", "Value")}))
}
