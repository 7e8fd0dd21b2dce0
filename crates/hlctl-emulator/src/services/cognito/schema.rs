//! The attributes that the users of a pool have: the standard ones of OpenID Connect, and the pool's own.
//!
//! A schema only ever grows (developer guide, working with user attributes).

use serde_json::{Value, json};

use super::shapes::{ANY, POOL_FIELD, is_visible};
use super::{invalid, pool};
use crate::error::{AwsError, AwsResult};
use crate::protocol::shape::{Field, Shape, Text, one_of, optional, required};
use crate::services::{Cx, text};

/// A pool has at most this many custom attributes (developer guide, quotas).
const MOST_CUSTOM: usize = 50;

const NAME: Shape =
    Shape::Text(Text::len(1, 20).pattern(r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+", |name| name.chars().all(is_visible)));
const ATTRIBUTE: &[Field] = &[
    optional("Name", NAME),
    optional("AttributeDataType", one_of(&["String", "Number", "DateTime", "Boolean"])),
    optional("DeveloperOnlyAttribute", Shape::Flag),
    optional("Mutable", Shape::Flag),
    optional("Required", Shape::Flag),
    optional("NumberAttributeConstraints", Shape::Struct(&[optional("MinValue", ANY), optional("MaxValue", ANY)])),
    optional("StringAttributeConstraints", Shape::Struct(&[optional("MinLength", ANY), optional("MaxLength", ANY)])),
];
pub(super) const ATTRIBUTES: Shape = Shape::List { of: &Shape::Struct(ATTRIBUTE), min: 1, max: 50 };
pub(super) const ADD: &[Field] =
    &[POOL_FIELD, required("CustomAttributes", Shape::List { of: &Shape::Struct(ATTRIBUTE), min: 1, max: 25 })];

/// Standard attributes in the order of the API reference's examples.
const STANDARD: [&str; 20] = [
    "sub",
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "email",
    "email_verified",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "phone_number",
    "phone_number_verified",
    "address",
    "updated_at",
];

/// Adds attributes to a pool. They cannot be changed or removed afterwards.
pub(super) fn add(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let pool = pool(cx, input)?;
    let mut schema = pool.schema.clone();
    for asked in input["CustomAttributes"].as_array().into_iter().flatten() {
        let attribute = custom(asked)?;
        push(&mut schema, attribute)?;
    }
    pool.schema = schema;
    Ok(json!({}))
}

/// The schema of a new pool: the standard attributes as `asked` changes them, then the others in `asked`.
pub(super) fn created(asked: &Value) -> AwsResult<Vec<Value>> {
    let mut schema: Vec<Value> = STANDARD.iter().map(|name| standard(name)).collect();
    for asked in asked.as_array().into_iter().flatten() {
        match schema.iter_mut().find(|attribute| attribute["Name"] == asked["Name"]) {
            Some(attribute) => change(attribute, asked)?,
            None => push(&mut schema, custom(asked)?)?,
        }
    }
    Ok(schema)
}

fn standard(name: &str) -> Value {
    let kind = match name {
        "email_verified" | "phone_number_verified" => "Boolean",
        "updated_at" => "Number",
        _ => "String",
    };
    let mut attribute = json!({
        "Name": name,
        "AttributeDataType": kind,
        "DeveloperOnlyAttribute": false,
        "Mutable": name != "sub",
        "Required": name == "sub",
    });
    match (kind, name) {
        ("Number", _) => attribute["NumberAttributeConstraints"] = json!({"MinValue": "0"}),
        ("Boolean", _) => {}
        (_, "sub") => attribute["StringAttributeConstraints"] = json!({"MinLength": "1", "MaxLength": "2048"}),
        (_, "birthdate") => attribute["StringAttributeConstraints"] = json!({"MinLength": "10", "MaxLength": "10"}),
        _ => attribute["StringAttributeConstraints"] = json!({"MinLength": "0", "MaxLength": "2048"}),
    }
    attribute
}

fn change(attribute: &mut Value, asked: &Value) -> AwsResult<()> {
    let name = text(attribute, "Name").to_owned();
    if asked["AttributeDataType"].is_string() && asked["AttributeDataType"] != attribute["AttributeDataType"] {
        return Err(invalid(format!("You can not change AttributeDataType or set developerOnlyAttribute for {name}.")));
    }
    if asked["DeveloperOnlyAttribute"] == true {
        return Err(invalid(format!("You can not change AttributeDataType or set developerOnlyAttribute for {name}.")));
    }
    for member in ["Mutable", "Required", "NumberAttributeConstraints", "StringAttributeConstraints"] {
        if !asked[member].is_null() {
            attribute[member] = asked[member].clone();
        }
    }
    Ok(())
}

/// A custom attribute as it is described: its name with its prefix, everything said.
fn custom(asked: &Value) -> AwsResult<Value> {
    let name = text(asked, "Name");
    if name.is_empty() {
        return Err(invalid("The name of an attribute is missing."));
    }
    if asked["Required"] == true {
        return Err(invalid("Required custom attributes are not supported currently."));
    }
    let developer = asked["DeveloperOnlyAttribute"] == true;
    let kind = asked["AttributeDataType"].as_str().unwrap_or("String");
    let mut attribute = json!({
        "Name": format!("{}custom:{name}", if developer { "dev:" } else { "" }),
        "AttributeDataType": kind,
        "DeveloperOnlyAttribute": developer,
        "Mutable": asked["Mutable"].as_bool().unwrap_or(true),
        "Required": false,
    });
    for (of, member) in [("String", "StringAttributeConstraints"), ("Number", "NumberAttributeConstraints")] {
        if kind == of {
            attribute[member] = asked[member].as_object().map_or_else(|| json!({}), |limits| json!(limits));
        }
    }
    Ok(attribute)
}

fn push(schema: &mut Vec<Value>, attribute: Value) -> AwsResult<()> {
    let name = text(&attribute, "Name");
    if schema.iter().any(|old| old["Name"] == attribute["Name"]) {
        return Err(invalid(format!("{name}: Existing attribute already has name {name}.")));
    }
    if schema.len() >= STANDARD.len() + MOST_CUSTOM {
        return Err(invalid(format!("A user pool has at most {MOST_CUSTOM} custom attributes.")));
    }
    schema.push(attribute);
    Ok(())
}

pub(super) fn find<'a>(schema: &'a [Value], name: &str) -> Option<&'a Value> {
    schema.iter().find(|attribute| attribute["Name"] == name)
}

/// Names of the attributes a user must have, but for `sub`.
pub(super) fn required_names(schema: &[Value]) -> impl Iterator<Item = &str> {
    schema
        .iter()
        .filter(|attribute| attribute["Required"] == true && attribute["Name"] != "sub")
        .map(|attribute| text(attribute, "Name"))
}

/// Whether an app client may be given this attribute to read or to write.
pub(super) fn is_for_clients(schema: &[Value], name: &str) -> bool {
    find(schema, name).is_some_and(|attribute| attribute["DeveloperOnlyAttribute"] != true)
}

/// Checks a value that a user is to get.
pub(super) fn check_value(schema: &[Value], name: &str, value: &str) -> AwsResult<()> {
    let refused =
        |why: &str| Err::<(), AwsError>(invalid(format!("Attributes did not conform to the schema: {name}: {why}")));
    let Some(attribute) = find(schema, name) else {
        return refused("Attribute does not exist in the schema.");
    };
    match text(attribute, "AttributeDataType") {
        "Boolean" if !matches!(value, "true" | "false") => refused("Value must be a boolean"),
        "Number" => check_number(&attribute["NumberAttributeConstraints"], value).or_else(refused),
        "String" => check_length(&attribute["StringAttributeConstraints"], value).or_else(refused),
        _ => Ok(()),
    }?;
    match name {
        "email" if !is_email(value) => Err(invalid("Invalid email address format.")),
        "phone_number" if !is_phone_number(value) => Err(invalid("Invalid phone number format.")),
        _ => Ok(()),
    }
}

fn check_length(limits: &Value, value: &str) -> Result<(), &'static str> {
    let limit = |name: &str| text(limits, name).parse::<usize>().ok();
    let length = value.chars().count();
    if limit("MinLength").is_some_and(|min| length < min) {
        return Err("String must be longer than the minimum length");
    }
    if limit("MaxLength").is_some_and(|max| length > max) {
        return Err("String must be no longer than the maximum length");
    }
    Ok(())
}

fn check_number(limits: &Value, value: &str) -> Result<(), &'static str> {
    let number: i128 = value.parse().map_err(|_| "Value must be a number")?;
    let limit = |name: &str| text(limits, name).parse::<i128>().ok();
    if limit("MinValue").is_some_and(|min| number < min) || limit("MaxValue").is_some_and(|max| number > max) {
        return Err("Number is outside its limits");
    }
    Ok(())
}

/// One `@` with something on both sides, and no blanks.
pub(super) fn is_email(text: &str) -> bool {
    text.chars().all(is_visible)
        && text.split_once('@').is_some_and(|(local, host)| {
            !local.is_empty() && !host.is_empty() && !host.contains('@') && !host.starts_with('.')
        })
}

/// `+` and up to fifteen digits (E.164).
pub(super) fn is_phone_number(text: &str) -> bool {
    text.strip_prefix('+')
        .is_some_and(|digits| (1..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn a_new_schema_holds_the_standard_attributes_and_those_asked_for() {
        let schema = created(&json!([
            {"Name": "email", "AttributeDataType": "String", "Required": true,
             "StringAttributeConstraints": {"MinLength": "0", "MaxLength": "2048"}},
            {"Name": "fhir_id", "AttributeDataType": "String", "Mutable": true},
        ]))
        .unwrap();
        assert_eq!(schema.len(), 21);
        assert_eq!(required_names(&schema).collect::<Vec<_>>(), ["email"]);
        assert_eq!(schema[20]["Name"], "custom:fhir_id");
        assert_eq!(schema[20]["StringAttributeConstraints"], json!({}));
        assert!(created(&json!([{"Name": "x", "Required": true}])).is_err());
        assert!(created(&json!([{"Name": "email", "AttributeDataType": "Number"}])).is_err());
    }

    #[test]
    fn values_are_held_to_their_type_and_limits() {
        let schema = created(&json!([
            {"Name": "code", "StringAttributeConstraints": {"MinLength": "2", "MaxLength": "3"}},
            {"Name": "age", "AttributeDataType": "Number",
             "NumberAttributeConstraints": {"MinValue": "0", "MaxValue": "150"}},
        ]))
        .unwrap();
        for (name, good, bad) in [
            ("email", "a@example.com", "a@"),
            ("phone_number", "+15555550100", "5555550100"),
            ("email_verified", "true", "yes"),
            ("custom:code", "ab", "abcd"),
            ("custom:code", "abc", "a"),
            ("custom:age", "42", "151"),
            ("birthdate", "2000-01-01", "1.1.2000"),
        ] {
            check_value(&schema, name, good).unwrap();
            assert!(check_value(&schema, name, bad).is_err(), "{name} = {bad}");
        }
        assert!(check_value(&schema, "custom:none", "").is_err());
    }
}
