//! A user as it is kept and described.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::password::Hash;
use crate::clock::{after, epoch_seconds};
use crate::error::{AwsError, AwsResult};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) sub: String,
    /// Without `sub`.
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) created: Timestamp,
    pub(super) modified: Timestamp,
    pub(super) enabled: bool,
    pub(super) password: Password,
}

/// A user's password. Only an administrator makes users here, so one there always is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Password {
    pub(super) hash: Hash,
    /// Until when it can be changed, if the user has to.
    pub(super) temporary_until: Option<Timestamp>,
}

impl Password {
    pub(super) fn permanent(password: &str) -> AwsResult<Self> {
        Ok(Self { hash: Hash::of(password)?, temporary_until: None })
    }

    /// A password that has to be changed within the days that the pool's policy says.
    pub(super) fn temporary(password: &str, policies: &Value, now: Timestamp) -> AwsResult<Self> {
        let days = policies["PasswordPolicy"]["TemporaryPasswordValidityDays"].as_u64().unwrap_or(7);
        let until = after(now, Duration::from_secs(days * 86_400));
        Ok(Self { hash: Hash::of(password)?, temporary_until: Some(until) })
    }
}

impl User {
    pub(super) fn status(&self) -> &'static str {
        if self.password.temporary_until.is_some() { "FORCE_CHANGE_PASSWORD" } else { "CONFIRMED" }
    }

    pub(super) fn is_verified(&self, attribute: &str) -> bool {
        self.attributes.get(&format!("{attribute}_verified")).is_some_and(|value| value == "true")
    }

    /// An attribute, `sub` among them.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        if name == "sub" { Some(&self.sub) } else { self.attributes.get(name).map(String::as_str) }
    }

    /// The attributes of the API, `sub` among them, in the order of their names.
    pub(super) fn attribute_list(&self) -> Vec<Value> {
        let mut all = self.attributes.clone();
        all.insert("sub".to_owned(), self.sub.clone());
        all.iter().map(|(name, value)| json!({"Name": name, "Value": value})).collect()
    }

    /// The `UserType` of the API.
    pub(super) fn describe(&self) -> Value {
        json!({
            "Username": self.name,
            "Attributes": self.attribute_list(),
            "UserCreateDate": epoch_seconds(self.created),
            "UserLastModifiedDate": epoch_seconds(self.modified),
            "Enabled": self.enabled,
            "UserStatus": self.status(),
        })
    }

    /// Lets the user in, or says why not.
    pub(super) fn sign_in(&self, password: &str, now: Timestamp) -> AwsResult<()> {
        if !self.password.hash.is_of(password) {
            return Err(wrong());
        }
        if !self.enabled {
            return Err(super::not_authorized("User is disabled."));
        }
        if self.password.temporary_until.is_some_and(|until| until <= now) {
            return Err(super::not_authorized("Temporary password has expired and must be reset by an administrator."));
        }
        Ok(())
    }
}

/// The error for a wrong name or password, which does not say which it is.
pub(super) fn wrong() -> AwsError {
    super::not_authorized("Incorrect username or password.")
}
