//! Making users and what an administrator does to them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::pool::UserPool;
use super::shapes::{ATTRIBUTES, METADATA, PASSWORD, POOL_FIELD, USERNAME};
use super::user::{Password, User};
use super::{attributes, invalid, no_user, password, pool, schema, user};
use crate::error::{AwsError, AwsResult};
use crate::protocol::shape::{Field, Shape, Text, one_of, optional, required};
use crate::services::{Cx, owned, text};

/// It may be empty, which is as if it were not given.
const TEMPORARY: Shape =
    Shape::Text(Text::len(0, 256).pattern(r"[\S]+", |password| !password.chars().any(char::is_whitespace)).sensitive());
pub(super) const CREATE: &[Field] = &[
    POOL_FIELD,
    required("Username", USERNAME),
    optional("UserAttributes", ATTRIBUTES),
    optional("ValidationData", ATTRIBUTES),
    optional("TemporaryPassword", TEMPORARY),
    optional("ForceAliasCreation", Shape::Flag),
    optional("MessageAction", one_of(&["RESEND", "SUPPRESS"])),
    optional("DesiredDeliveryMediums", Shape::List { of: &one_of(&["SMS", "EMAIL"]), min: 0, max: usize::MAX }),
    optional("ClientMetadata", METADATA),
];
pub(super) const SET_PASSWORD: &[Field] =
    &[POOL_FIELD, required("Username", USERNAME), required("Password", PASSWORD), optional("Permanent", Shape::Flag)];

pub(super) fn create(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let (now, ids) = (cx.now, cx.options.ids.clone());
    let pool = pool(cx, input)?;
    let asked = owned(input, "TemporaryPassword").filter(|password| !password.is_empty());
    if let Some(password) = &asked {
        password::check(&pool.settings, password)?;
    }
    let password = asked.unwrap_or_else(|| password::generated(&ids));
    let password = Password::temporary(&password, &pool.settings["Policies"], now)?;
    if input["MessageAction"] == "RESEND" {
        return resend(pool, text(input, "Username"), password);
    }
    let mut values = attributes::parse(pool, &input["UserAttributes"])?;
    let sub = ids.uuid();
    let name = name(pool, text(input, "Username"), &sub, &mut values)?;
    if pool.users.contains_key(&pool.folded(&name)) {
        return Err(exists());
    }
    attributes::check_verified(&values)?;
    attributes::claim_aliases(pool, None, &values, input["ForceAliasCreation"] == true)?;
    let user = User { name, sub, attributes: values, created: now, modified: now, enabled: true, password };
    let output = json!({"User": user.describe()});
    pool.users.insert(pool.folded(&user.name), user);
    Ok(output)
}

/// An attribute whose values users may be called by.
struct Address {
    attribute: &'static str,
    shown: &'static str,
    is: fn(&str) -> bool,
}

const ADDRESSES: [Address; 2] = [
    Address { attribute: "email", shown: "email", is: schema::is_email },
    Address { attribute: "phone_number", shown: "phone number", is: schema::is_phone_number },
];

/// What a user is called. In a pool whose users sign in with an address, the address becomes an attribute and
/// the name is made up.
fn name(pool: &UserPool, asked: &str, sub: &str, values: &mut BTreeMap<String, String>) -> AwsResult<String> {
    let mut signs_in =
        ADDRESSES.iter().filter(|address| pool.lists("UsernameAttributes", address.attribute)).peekable();
    if signs_in.peek().is_none() {
        return plain_name(pool, asked);
    }
    let address = signs_in
        .find(|address| (address.is)(asked))
        .ok_or_else(|| invalid("Username should be either an email or a phone number."))?;
    if pool.user(asked).is_some() {
        return Err(exists());
    }
    values.insert(address.attribute.to_owned(), asked.to_owned());
    Ok(sub.to_owned())
}

/// A name that could be another user's alias is refused.
fn plain_name(pool: &UserPool, asked: &str) -> AwsResult<String> {
    let alias =
        ADDRESSES.iter().find(|address| pool.lists("AliasAttributes", address.attribute) && (address.is)(asked));
    match alias {
        Some(Address { shown, .. }) => Err(invalid(format!(
            "Username cannot be of {shown} format, since user pool is configured for {shown} alias."
        ))),
        None => Ok(asked.to_owned()),
    }
}

fn exists() -> AwsError {
    AwsError::bad_request("UsernameExistsException", "User account already exists")
}

fn resend(pool: &mut UserPool, name: &str, password: Password) -> AwsResult<Value> {
    let user = pool.user_mut(name).ok_or_else(no_user)?;
    if user.password.temporary_until.is_none() {
        return Err(AwsError::bad_request(
            "UnsupportedUserStateException",
            "Resend not possible. The user's status is not FORCE_CHANGE_PASSWORD",
        ));
    }
    user.password = password;
    Ok(json!({"User": user.describe()}))
}

pub(super) fn set_password(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let now = cx.now;
    let pool = pool(cx, input)?;
    let key = pool.key_of(text(input, "Username")).ok_or_else(no_user)?;
    let password = text(input, "Password");
    password::check(&pool.settings, password)?;
    let password = if input["Permanent"] == true {
        Password::permanent(password)?
    } else {
        Password::temporary(password, &pool.settings["Policies"], now)?
    };
    let user = pool.users.get_mut(&key).ok_or_else(no_user)?;
    user.password = password;
    user.modified = now;
    Ok(json!({}))
}

/// As in `UserType`, but for the name of the list of attributes.
pub(super) fn get(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let user = user(cx, input)?;
    let mut output = user.describe();
    if let Some(members) = output.as_object_mut() {
        members.remove("Attributes");
    }
    output["UserAttributes"] = user.attribute_list().into();
    Ok(output)
}

pub(super) fn disable(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    set_enabled(cx, input, false)
}

pub(super) fn enable(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    set_enabled(cx, input, true)
}

fn set_enabled(cx: &mut Cx<'_>, input: &Value, enabled: bool) -> AwsResult<Value> {
    let now = cx.now;
    let user = user(cx, input)?;
    user.enabled = enabled;
    user.modified = now;
    let sub = user.sub.clone();
    if !enabled {
        // Disabling revokes the user's tokens (API reference, AdminDisableUser).
        pool(cx, input)?.issued.revoke_user(&sub, now);
    }
    Ok(json!({}))
}

pub(super) fn delete(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let now = cx.now;
    let pool = pool(cx, input)?;
    let key = pool.key_of(text(input, "Username")).ok_or_else(no_user)?;
    if let Some(user) = pool.users.remove(&key) {
        pool.issued.revoke_user(&user.sub, now);
    }
    Ok(json!({}))
}
