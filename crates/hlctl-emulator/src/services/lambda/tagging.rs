//! Tags of functions.

use serde_json::{Value, json};

use super::function::Function;
use super::names::Name;
use super::shapes::{TAG_KEYS, TAGS};
use super::{invalid, lambda, no_such_function};
use crate::error::AwsResult;
use crate::protocol::shape::{Field, Shape, Text, required};
use crate::services::tags::Tags;
use crate::services::{Cx, text};

/// A function has at most 50 tags (Lambda developer guide).
const MOST: usize = 50;

const RESOURCE: Field = required(
    "Resource",
    Shape::Text(
        Text::len(1, 10_000).pattern(r"arn:(aws[a-zA-Z-]*):lambda:[a-z0-9-]+:\d{12}:function:[a-zA-Z0-9-_]+", |text| {
            text.starts_with("arn:aws") && Name::parse(text).is_some()
        }),
    ),
);
pub(super) const LIST: &[Field] = &[RESOURCE];
pub(super) const TAG: &[Field] = &[RESOURCE, required("Tags", TAGS)];
pub(super) const UNTAG: &[Field] = &[RESOURCE, required("TagKeys", TAG_KEYS)];

pub(super) fn parse(given: &Value) -> AwsResult<Tags> {
    let tags: Tags =
        given.as_object().into_iter().flatten().map(|(key, _)| (key.clone(), text(given, key).to_owned())).collect();
    if tags.keys().any(|key| key.to_ascii_lowercase().starts_with("aws:")) {
        return Err(invalid("Tag keys that begin with aws: are reserved for system use."));
    }
    within_limit(&tags)?;
    Ok(tags)
}

fn within_limit(tags: &Tags) -> AwsResult<()> {
    if tags.len() > MOST {
        return Err(invalid(format!("The number of tags exceeds the limit of {MOST}.")));
    }
    Ok(())
}

fn resource<'a>(cx: &'a mut Cx<'_>, input: &Value) -> AwsResult<&'a mut Function> {
    let arn = text(input, "Resource");
    let name = Name::parse(arn).ok_or_else(|| invalid(format!("{arn} is not a function")))?;
    if name.qualifier.is_some() {
        return Err(invalid(
            "Tags on function aliases and versions are not supported. Please specify either a function ARN or an event source mapping ARN.",
        ));
    }
    if !name.is_within(cx.caller) {
        return Err(no_such_function(arn, None));
    }
    lambda(cx).functions.get_mut(&name.function).ok_or_else(|| no_such_function(arn, None))
}

pub(super) fn tag(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let new = parse(&input["Tags"])?;
    let function = resource(cx, input)?;
    let mut tags = function.tags.clone();
    tags.extend(new);
    within_limit(&tags)?;
    function.tags = tags;
    Ok(Value::Null)
}

pub(super) fn untag(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let function = resource(cx, input)?;
    for key in input["TagKeys"].as_array().into_iter().flatten() {
        function.tags.remove(key.as_str().unwrap_or_default());
    }
    Ok(Value::Null)
}

pub(super) fn list(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    Ok(json!({"Tags": resource(cx, input)?.tags}))
}
