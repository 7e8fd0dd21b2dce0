//! Attributes of users, as they are given, changed and taken away.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::pool::UserPool;
use super::shapes::{ATTRIBUTE_NAME, ATTRIBUTES, METADATA, POOL_FIELD, USERNAME};
use super::{invalid, no_user, pool, schema};
use crate::error::{AwsError, AwsResult};
use crate::protocol::shape::{Field, Shape, optional, required};
use crate::services::{Cx, text};

pub(super) const UPDATE: &[Field] = &[
    POOL_FIELD,
    required("Username", USERNAME),
    required("UserAttributes", ATTRIBUTES),
    optional("ClientMetadata", METADATA),
];
pub(super) const DELETE: &[Field] = &[
    POOL_FIELD,
    required("Username", USERNAME),
    required("UserAttributeNames", Shape::List { of: &ATTRIBUTE_NAME, min: 0, max: usize::MAX }),
];

/// Attributes that users can be found by.
const ALIASES: [&str; 3] = ["email", "phone_number", "preferred_username"];

pub(super) fn update(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let now = cx.now;
    let pool = pool(cx, input)?;
    let key = pool.key_of(text(input, "Username")).ok_or_else(no_user)?;
    let changes = parse(pool, &input["UserAttributes"])?;
    let mut values = pool.users.get(&key).ok_or_else(no_user)?.attributes.clone();
    apply(pool, &mut values, changes)?;
    check_verified(&values)?;
    claim_aliases(pool, Some(&key), &values, false)?;
    let user = pool.users.get_mut(&key).ok_or_else(no_user)?;
    user.attributes = values;
    user.modified = now;
    Ok(json!({}))
}

pub(super) fn delete(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let now = cx.now;
    let pool = pool(cx, input)?;
    let names: Vec<&str> =
        input["UserAttributeNames"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for name in &names {
        check_change(pool, name)?;
        if schema::required_names(&pool.schema).any(|required| required == *name) {
            return Err(invalid(format!("Cannot delete the required attribute {name}.")));
        }
    }
    let user = pool.user_mut(text(input, "Username")).ok_or_else(no_user)?;
    for name in names {
        user.attributes.remove(name);
        user.attributes.remove(&format!("{name}_verified"));
    }
    user.modified = now;
    Ok(json!({}))
}

/// Reads a list of attributes and checks each against the schema. A later value of a name wins.
pub(super) fn parse(pool: &UserPool, list: &Value) -> AwsResult<BTreeMap<String, String>> {
    let mut values = BTreeMap::new();
    for attribute in list.as_array().into_iter().flatten() {
        let (name, value) = (text(attribute, "Name"), text(attribute, "Value"));
        if name == "sub" {
            return Err(invalid("Cannot modify an already provided immutable attribute: sub"));
        }
        if !value.is_empty() {
            schema::check_value(&pool.schema, name, value)?;
        } else if schema::find(&pool.schema, name).is_none() {
            return Err(invalid(format!("{name}: Attribute does not exist in the schema.")));
        }
        values.insert(name.to_owned(), value.to_owned());
    }
    Ok(values)
}

/// Changes `values`. An empty value takes the attribute away. A new address that has to be verified first is
/// left out unless it is called verified in the same request, and one that need not be is unverified (API
/// reference, AdminUpdateUserAttributes; developer guide, verifying updates).
fn apply(
    pool: &UserPool,
    values: &mut BTreeMap<String, String>,
    mut changes: BTreeMap<String, String>,
) -> AwsResult<()> {
    for address in ["email", "phone_number"] {
        let flag = format!("{address}_verified");
        let is_new = changes.get(address).is_some_and(|new| values.get(address) != Some(new));
        if is_new && changes.get(&flag).is_none_or(|flag| flag != "true") {
            if pool.verifies_before_update(address) && values.contains_key(address) {
                changes.remove(address);
            } else {
                changes.insert(flag, "false".to_owned());
            }
        }
    }
    for (name, value) in changes {
        if values.get(&name) != Some(&value) {
            check_change(pool, &name)?;
        }
        if value.is_empty() {
            values.remove(&name);
        } else {
            values.insert(name, value);
        }
    }
    Ok(())
}

fn check_change(pool: &UserPool, name: &str) -> AwsResult<()> {
    match schema::find(&pool.schema, name) {
        None => Err(invalid(format!("{name}: Attribute does not exist in the schema."))),
        Some(attribute) if attribute["Mutable"] != true => {
            Err(invalid(format!("{name}: Attribute cannot be updated.")))
        }
        Some(_) => Ok(()),
    }
}

/// An address that is called verified must be there (API reference, AdminCreateUser, `UserAttributes`).
pub(super) fn check_verified(values: &BTreeMap<String, String>) -> AwsResult<()> {
    for address in ["email", "phone_number"] {
        let is_verified = values.get(&format!("{address}_verified")).is_some_and(|flag| flag == "true");
        if is_verified && !values.contains_key(address) {
            return Err(invalid(format!("{address} is required to set {address}_verified to true.")));
        }
    }
    Ok(())
}

/// Makes sure that no other user than `own` goes by the same alias. With `force` the other user loses it.
pub(super) fn claim_aliases(
    pool: &mut UserPool,
    own: Option<&str>,
    values: &BTreeMap<String, String>,
    force: bool,
) -> AwsResult<()> {
    for alias in ALIASES {
        let is_alias = pool.lists("UsernameAttributes", alias)
            || (pool.lists("AliasAttributes", alias)
                && (alias == "preferred_username"
                    || values.get(&format!("{alias}_verified")).is_some_and(|flag| flag == "true")));
        let Some(value) = values.get(alias).filter(|_| is_alias) else { continue };
        let Some(holder) = pool.key_of(value).filter(|holder| Some(holder.as_str()) != own) else { continue };
        if !force || pool.lists("UsernameAttributes", alias) {
            return Err(AwsError::bad_request(
                "AliasExistsException",
                format!("An account with the given {alias} already exists."),
            ));
        }
        if let Some(user) = pool.users.get_mut(&holder) {
            user.attributes.insert(format!("{alias}_verified"), "false".to_owned());
        }
    }
    Ok(())
}
