//! Tags as condition keys: those that a request brings, and those of what it is aimed at.

use serde_json::Value;

use super::Ask;
use crate::services::tags::Tags;

impl Ask {
    /// With `aws:ResourceTag/…` for each tag of what it is aimed at.
    pub(super) fn on_tagged(mut self, tags: Option<&Tags>) -> Self {
        for (key, value) in tags.into_iter().flatten() {
            self = self.with(format!("aws:ResourceTag/{key}"), value);
        }
        self
    }

    /// With `aws:RequestTag/…` for each tag in the request.
    pub(super) fn bringing(mut self, tags: &Tags) -> Self {
        for (key, value) in tags {
            self = self.with(format!("aws:RequestTag/{key}"), value);
        }
        self
    }
}

/// The tags in a request, whichever way the service has of writing them.
pub(super) fn brought(input: &Value) -> Tags {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut tags = Tags::new();
    for member in ["Tags", "tags", "UserPoolTags"] {
        match &input[member] {
            Value::Array(items) => {
                for item in items {
                    let either = |one: &str, other: &str| item.get(one).or_else(|| item.get(other)).map(text);
                    tags.extend(either("Key", "TagKey").zip(either("Value", "TagValue")));
                }
            }
            Value::Object(members) => tags.extend(members.iter().map(|(key, value)| (key.clone(), text(value)))),
            _ => {}
        }
    }
    tags
}
