//! Tags of log groups.

use serde_json::{Value, json};

use super::shapes::{TAG_KEYS, TAGS};
use super::{Group, invalid, logs, name_of, no_group};
use crate::error::{AwsError, AwsResult};
use crate::protocol::shape::{Field, Shape, Text, required};
use crate::services::tags::Tags;
use crate::services::{Cx, text};

/// A log group has at most 50 tags (CloudWatch Logs API reference, TagResource).
const MOST: usize = 50;

/// The ARN of a group without the `:*` with which DescribeLogGroups shows it, for which the pattern has no place.
const RESOURCE: Field =
    required(
        "resourceArn",
        Shape::Text(Text::len(1, 1011).pattern(r"[\w+=/:,.@-]*", |text| {
            text.chars().all(|c| c.is_ascii_alphanumeric() || "_+=/:,.@-".contains(c))
        })),
    );
pub(super) const LIST: &[Field] = &[RESOURCE];
pub(super) const TAG: &[Field] = &[RESOURCE, required("tags", TAGS)];
pub(super) const UNTAG: &[Field] = &[RESOURCE, required("tagKeys", TAG_KEYS)];

pub(super) fn parse(given: &Value) -> AwsResult<Tags> {
    let tags: Tags =
        given.as_object().into_iter().flatten().map(|(key, _)| (key.clone(), text(given, key).to_owned())).collect();
    if tags.keys().any(|key| key.to_ascii_lowercase().starts_with("aws:")) {
        return Err(invalid("Tag keys that begin with aws: are reserved for system use."));
    }
    Ok(tags)
}

fn resource<'a>(cx: &'a mut Cx<'_>, input: &Value) -> AwsResult<&'a mut Group> {
    let arn = text(input, "resourceArn");
    let name = name_of(cx, arn);
    if name == arn {
        return Err(no_group());
    }
    logs(cx).groups.get_mut(name).ok_or_else(no_group)
}

pub(super) fn tag(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let new = parse(&input["tags"])?;
    let group = resource(cx, input)?;
    let mut tags = group.tags.clone();
    tags.extend(new);
    if tags.len() > MOST {
        return Err(AwsError::bad_request(
            "TooManyTagsException",
            format!("The log group would have more than {MOST} tags."),
        ));
    }
    group.tags = tags;
    Ok(json!({}))
}

pub(super) fn untag(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let group = resource(cx, input)?;
    for key in input["tagKeys"].as_array().into_iter().flatten() {
        group.tags.remove(key.as_str().unwrap_or_default());
    }
    Ok(json!({}))
}

pub(super) fn list(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    Ok(json!({"tags": resource(cx, input)?.tags}))
}
