//! Tags of pools.

use serde_json::{Value, json};

use super::pool::UserPool;
use super::shapes::ARN;
use super::{cognito, invalid, missing};
use crate::error::AwsResult;
use crate::protocol::shape::{Field, Shape, Text, letters_digits_spaces_or, required, text as string};
use crate::services::tags::Tags;
use crate::services::{Cx, text};

/// A resource has at most 50 tags (developer guide, tagging resources).
const MOST: usize = 50;

pub(super) const TAGS: Shape = Shape::Map { key: Text::len(1, 128), value: &string(0, 256), min: 0, max: usize::MAX };
pub(super) const TAG: &[Field] = &[required("ResourceArn", ARN), required("Tags", TAGS)];
pub(super) const UNTAG: &[Field] =
    &[required("ResourceArn", ARN), required("TagKeys", Shape::List { of: &string(1, 128), min: 0, max: usize::MAX })];
pub(super) const LIST: &[Field] = &[required("ResourceArn", ARN)];

pub(super) fn parse(map: &Value) -> AwsResult<Tags> {
    let mut tags = Tags::new();
    for (key, value) in map.as_object().into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid(format!("Tag key {key} begins with aws:")));
        }
        if !letters_digits_spaces_or(key, "_.:/=+-@") || !letters_digits_spaces_or(value, "_.:/=+-@") {
            return Err(invalid(format!("Tag {key} holds characters that are not allowed")));
        }
        tags.insert(key.clone(), value.to_owned());
    }
    if tags.len() > MOST {
        return Err(invalid(format!("Too many tags: at most {MOST}")));
    }
    Ok(tags)
}

pub(super) fn tag(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let new = parse(&input["Tags"])?;
    let pool = find(cx, input)?;
    let mut tags = pool.tags.clone();
    tags.extend(new);
    if tags.len() > MOST {
        return Err(invalid(format!("Too many tags: at most {MOST}")));
    }
    pool.tags = tags;
    Ok(json!({}))
}

pub(super) fn untag(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let pool = find(cx, input)?;
    for key in input["TagKeys"].as_array().into_iter().flatten() {
        pool.tags.remove(key.as_str().unwrap_or_default());
    }
    Ok(json!({}))
}

pub(super) fn list(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    Ok(json!({"Tags": find(cx, input)?.tags}))
}

fn find<'a>(cx: &'a mut Cx<'_>, input: &Value) -> AwsResult<&'a mut UserPool> {
    let arn = text(input, "ResourceArn");
    cognito(cx)
        .pools
        .values_mut()
        .find(|pool| pool.arn() == arn)
        .ok_or_else(|| missing(format!("Resource {arn} does not exist.")))
}
