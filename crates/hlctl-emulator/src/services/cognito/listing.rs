//! ListUsers and its filter.

use serde_json::Value;

use super::shapes::{ATTRIBUTE_NAME, MARKER, POOL_FIELD};
use super::user::User;
use super::{invalid, paged, pool};
use crate::error::AwsResult;
use crate::protocol::shape::{Field, Shape, optional, text as string};
use crate::services::{Cx, text};

pub(super) const LIST: &[Field] = &[
    POOL_FIELD,
    optional("AttributesToGet", Shape::List { of: &ATTRIBUTE_NAME, min: 0, max: usize::MAX }),
    optional("Limit", Shape::Whole { min: 0, max: 60 }),
    optional("PaginationToken", MARKER),
    optional("Filter", string(0, 256)),
];

/// What users can be searched by (API reference, ListUsers, `Filter`).
const SEARCHABLE: [&str; 10] = [
    "username",
    "email",
    "phone_number",
    "name",
    "given_name",
    "family_name",
    "preferred_username",
    "cognito:user_status",
    "status",
    "sub",
];

pub(super) fn list(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let filter = Filter::parse(text(input, "Filter"))?;
    let wanted = input["AttributesToGet"].as_array();
    let pool = pool(cx, input)?;
    let users: Vec<&User> = pool.users.values().filter(|user| filter.as_ref().is_none_or(|f| f.takes(user))).collect();
    let show = |user: &&User| {
        let mut shown = user.describe();
        if let (Some(wanted), Some(attributes)) = (wanted, shown["Attributes"].as_array_mut()) {
            attributes.retain(|attribute| wanted.contains(&attribute["Name"]));
        }
        shown
    };
    // Markers hold no blanks, and `sub` is as good an order as any.
    Ok(paged(input, ("Users", "Limit", "PaginationToken"), 60, by_sub(users), |user| user.sub.clone(), show))
}

fn by_sub(mut users: Vec<&User>) -> Vec<&User> {
    users.sort_by(|one, other| one.sub.cmp(&other.sub));
    users
}

/// `attribute = "value"` or `attribute ^= "beginning"`.
#[derive(Debug, PartialEq, Eq)]
struct Filter {
    attribute: String,
    value: String,
    whole: bool,
}

impl Filter {
    fn parse(filter: &str) -> AwsResult<Option<Self>> {
        if filter.trim().is_empty() {
            return Ok(None);
        }
        let (left, value) = filter.split_once('=').ok_or_else(|| invalid("Error while parsing filter."))?;
        let (attribute, whole) = match left.trim_end().strip_suffix('^') {
            Some(attribute) => (attribute, false),
            None => (left, true),
        };
        let attribute = attribute.trim().trim_matches('"').to_owned();
        if !SEARCHABLE.contains(&attribute.as_str()) {
            return Err(invalid(format!("One or more filters cannot be applied: {attribute}")));
        }
        let quoted = value.trim().strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        let value = quoted.ok_or_else(|| invalid("Error while parsing filter."))?.replace("\\\"", "\"");
        Ok(Some(Self { attribute, value, whole }))
    }

    fn takes(&self, user: &User) -> bool {
        let actual = match self.attribute.as_str() {
            "username" => Some(user.name.clone()),
            "cognito:user_status" => Some(user.status().to_owned()),
            "status" => Some(if user.enabled { "Enabled" } else { "Disabled" }.to_owned()),
            name => user.attribute(name).map(ToOwned::to_owned),
        };
        let wanted = &self.value;
        actual.is_some_and(|actual| match (self.attribute.as_str(), self.whole) {
            ("cognito:user_status", true) => actual.eq_ignore_ascii_case(wanted),
            (_, true) => actual == *wanted,
            (_, false) => actual.starts_with(wanted),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn a_filter_is_an_attribute_a_kind_and_a_quoted_value() {
        let filter = |attribute: &str, value: &str, whole| {
            Some(Filter { attribute: attribute.to_owned(), value: value.to_owned(), whole })
        };
        assert_eq!(Filter::parse("").unwrap(), None);
        assert_eq!(Filter::parse(r#"email = "a@b""#).unwrap(), filter("email", "a@b", true));
        assert_eq!(Filter::parse(r#""username"^="al""#).unwrap(), filter("username", "al", false));
        assert_eq!(Filter::parse(r#"name = "a \"b\"""#).unwrap(), filter("name", "a \"b\"", true));
        for wrong in ["email", "email = a", r#"custom:x = "1""#, "email ^= \""] {
            assert!(Filter::parse(wrong).is_err(), "{wrong}");
        }
    }
}
