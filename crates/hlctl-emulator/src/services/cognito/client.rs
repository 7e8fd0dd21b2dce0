//! An app client as it is kept and described, and what it may do.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::hidden::Hidden;
use super::pool::UserPool;
use super::schema;
use super::validity::Kind;
use crate::clock::epoch_seconds;

/// Scopes that every pool has (developer guide, scopes, M2M, and APIs with resource servers).
pub(super) const OIDC_SCOPES: [&str; 4] = ["openid", "email", "phone", "profile"];
/// The scope of tokens that the API gives, for what users may do to themselves.
pub(super) const SELF_SERVICE: &str = "aws.cognito.signin.user.admin";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) pool: String,
    pub(super) name: String,
    pub(super) secret: Option<Hidden>,
    pub(super) created: Timestamp,
    pub(super) modified: Timestamp,
    /// As DescribeUserPoolClient shows them, defaults included.
    pub(super) settings: Map<String, Value>,
    /// Of `secret`, unless it is the one that the client was made with by Cognito.
    #[serde(default)]
    pub(super) secret_label: Option<Label>,
    #[serde(default)]
    pub(super) second_secret: Option<(Label, Hidden)>,
    /// The branding style of managed login, as it is described.
    #[serde(default)]
    pub(super) branding: Option<Value>,
}

/// What is said of a secret, without its value.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Label {
    pub(super) id: String,
    /// As it is shown.
    pub(super) created: Value,
    /// Whether its value was given, not generated.
    pub(super) is_given: bool,
}

impl Client {
    /// What is said of the oldest secret.
    pub(super) fn first_label(&self) -> Label {
        self.secret_label.clone().unwrap_or_else(|| Label {
            id: format!("{}--1", self.id),
            created: json!(epoch_seconds(self.created)),
            is_given: false,
        })
    }

    /// All that are valid, the oldest first.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &Hidden> {
        self.secret.iter().chain(self.second_secret.as_ref().map(|(_, secret)| secret))
    }

    /// Whether a text is one of the client's secrets. A client without any has none to show.
    pub(super) fn is_proved_by(&self, given: Option<&str>) -> bool {
        match given {
            Some(given) => self.secrets().any(|secret| secret.reveal() == given),
            None => self.secret.is_none(),
        }
    }

    /// The `UserPoolClientType` of the API. AWS does not say which secret it has after a rotation: it is the oldest here, if Cognito
    /// generated it, for a given value is never returned (API reference, AddUserPoolClientSecret).
    pub(super) fn describe(&self) -> Value {
        let mut description = self.settings.clone();
        description.insert("UserPoolId".to_owned(), json!(self.pool));
        description.insert("ClientName".to_owned(), json!(self.name));
        description.insert("ClientId".to_owned(), json!(self.id));
        description.insert("LastModifiedDate".to_owned(), json!(epoch_seconds(self.modified)));
        description.insert("CreationDate".to_owned(), json!(epoch_seconds(self.created)));
        if let Some(secret) = self.secret.as_ref().filter(|_| !self.first_label().is_given) {
            description.insert("ClientSecret".to_owned(), json!(secret.reveal()));
        }
        Value::Object(description)
    }

    /// Entries of a list among the settings.
    pub(super) fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        self.settings.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    pub(super) fn lists(&self, name: &str, entry: &str) -> bool {
        self.list(name).any(|item| item == entry)
    }

    /// Whether the client takes part in OAuth with this flow.
    pub(super) fn allows_flow(&self, flow: &str) -> bool {
        self.settings["AllowedOAuthFlowsUserPoolClient"] == true && self.lists("AllowedOAuthFlows", flow)
    }

    /// Whether users may sign in to the API in this way. Without a list of ways, refresh tokens, SRP and
    /// custom flows are allowed (API reference, `ExplicitAuthFlows`).
    pub(super) fn allows_sign_in(&self, names: &[&str]) -> bool {
        match self.list("ExplicitAuthFlows").next() {
            Some(_) => names.iter().any(|name| self.lists("ExplicitAuthFlows", name)),
            None => names
                .iter()
                .any(|name| matches!(*name, "ALLOW_REFRESH_TOKEN_AUTH" | "ALLOW_USER_SRP_AUTH" | "ALLOW_CUSTOM_AUTH")),
        }
    }

    pub(super) fn hides_unknown_users(&self) -> bool {
        self.settings.get("PreventUserExistenceErrors").is_some_and(|setting| setting == "ENABLED")
    }

    /// Whether its tokens can be revoked, and therefore say what they come from.
    pub(super) fn revokes(&self) -> bool {
        self.settings["EnableTokenRevocation"] != false
    }

    /// For how long a refresh token is still taken after it was used, if each use gives another one.
    pub(super) fn rotation_grace(&self) -> Option<Duration> {
        let rotation = self.settings.get("RefreshTokenRotation").filter(|rotation| rotation["Feature"] == "ENABLED")?;
        Some(Duration::from_secs(rotation["RetryGracePeriodSeconds"].as_u64().unwrap_or_default()))
    }

    /// How long its tokens of this kind are valid.
    pub(super) fn lifetime(&self, kind: Kind) -> Duration {
        kind.of(&Value::Object(self.settings.clone()))
    }

    /// Whether the client may see this attribute of its users. Without a list these are the standard ones.
    pub(super) fn reads(&self, pool: &UserPool, attribute: &str) -> bool {
        match self.list("ReadAttributes").next() {
            Some(_) => attribute == "sub" || self.lists("ReadAttributes", attribute),
            None => !attribute.contains(':') && schema::find(&pool.schema, attribute).is_some(),
        }
    }
}
