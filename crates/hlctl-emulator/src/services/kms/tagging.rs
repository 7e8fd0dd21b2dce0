//! Tags of keys.

use serde_json::{Value, json};

use super::{KEY_ID, LIMIT, MARKER, find};
use crate::error::{AwsError, AwsResult};
use crate::protocol::shape::{Field, Shape, letters_digits_spaces_or, optional, required, text as string};
use crate::services::tags::{self, Tags};
use crate::services::{Cx, page, text};

/// A key has at most 50 tags (KMS developer guide).
const MOST: usize = 50;

const TAG_FIELDS: &[Field] = &[required("TagKey", string(1, 128)), required("TagValue", string(0, 256))];
pub(super) const TAGS: Shape = Shape::List { of: &Shape::Struct(TAG_FIELDS), min: 0, max: usize::MAX };

pub(super) const TAG: &[Field] = &[KEY_ID, required("Tags", TAGS)];
pub(super) const UNTAG: &[Field] =
    &[KEY_ID, required("TagKeys", Shape::List { of: &string(1, 128), min: 0, max: usize::MAX })];
pub(super) const LIST: &[Field] = &[KEY_ID, optional("Limit", LIMIT), optional("Marker", MARKER)];

pub(super) fn parse(list: &Value) -> AwsResult<Tags> {
    let refused = |message: String| AwsError::bad_request("TagException", message);
    let tags =
        tags::from_list(list, "TagKey", "TagValue").map_err(|key| refused(format!("Duplicate tag keys: {key}")))?;
    for (key, value) in &tags {
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(refused(format!("Tag key {key} begins with aws:")));
        }
        if !letters_digits_spaces_or(key, "_.:/=+-@") || !letters_digits_spaces_or(value, "_.:/=+-@") {
            return Err(refused(format!("Tag {key} holds characters that are not allowed")));
        }
    }
    if tags.len() > MOST {
        return Err(too_many());
    }
    Ok(tags)
}

fn too_many() -> AwsError {
    AwsError::bad_request("LimitExceededException", "Too many tags: at most 50")
}

pub(super) fn tag(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let new = parse(&input["Tags"])?;
    let key = find(cx, text(input, "KeyId"), false)?;
    key.not_pending()?;
    let mut tags = key.tags.clone();
    tags.extend(new);
    if tags.len() > MOST {
        return Err(too_many());
    }
    key.tags = tags;
    Ok(json!({}))
}

pub(super) fn untag(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let key = find(cx, text(input, "KeyId"), false)?;
    key.not_pending()?;
    for name in input["TagKeys"].as_array().into_iter().flatten() {
        key.tags.remove(name.as_str().unwrap_or_default());
    }
    Ok(json!({}))
}

pub(super) fn list(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let all: Vec<(String, String)> = find(cx, text(input, "KeyId"), false)?.tags.clone().into_iter().collect();
    let limit = usize::try_from(input["Limit"].as_i64().unwrap_or(50)).unwrap_or(50);
    let (some, next) = page(all, input["Marker"].as_str(), limit, |(key, _)| key.clone());
    let tags = tags::to_list(&some.into_iter().collect(), "TagKey", "TagValue");
    Ok(super::with_marker(json!({"Tags": tags}), next))
}
