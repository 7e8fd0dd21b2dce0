//! A user pool as it is kept and described.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::client::Client;
use super::domains::Domain;
use super::issued::Issued;
use super::keys::{KeyFailure, Keys};
use super::mfa::Factors;
use super::servers::Server;
use super::user::User;
use crate::clock::epoch_seconds;
use crate::origin::Origin;
use crate::route::partition;
use crate::services::tags::Tags;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct UserPool {
    pub(super) id: String,
    pub(super) account: String,
    pub(super) region: String,
    pub(super) name: String,
    pub(super) created: Timestamp,
    pub(super) modified: Timestamp,
    /// As DescribeUserPool shows them, defaults included.
    pub(super) settings: Map<String, Value>,
    /// As DescribeUserPool shows it.
    pub(super) schema: Vec<Value>,
    pub(super) tags: Tags,
    pub(super) factors: Factors,
    /// With a prefix of Cognito's own domain.
    pub(super) domain: Option<Domain>,
    pub(super) custom_domain: Option<Domain>,
    /// By identifier.
    pub(super) servers: BTreeMap<String, Server>,
    pub(super) clients: BTreeMap<String, Client>,
    /// By name, folded where the pool does not mind the case.
    pub(super) users: BTreeMap<String, User>,
    /// `None` until a key is needed.
    pub(super) keys: Option<Keys>,
    pub(super) issued: Issued,
    /// Identity providers, as they were made.
    #[serde(default)]
    pub(super) providers: Vec<Value>,
    /// As it is described; `null` if there is none.
    #[serde(default)]
    pub(super) log_delivery: Value,
    /// Styles of the classic pages by client, that of all under `ALL`.
    #[serde(default)]
    pub(super) styles: Map<String, Value>,
}

impl UserPool {
    pub(super) fn arn(&self) -> String {
        let Self { id, account, region, .. } = self;
        format!("arn:{}:cognito-idp:{region}:{account}:userpool/{id}", partition(region))
    }

    /// What `iss` is in tokens that are asked for at this address: what the configuration at the same address says, so that
    /// clients that compare the two find them equal (OpenID Connect Discovery, section 4.3).
    pub(super) fn issuer_at(&self, origin: &Origin) -> String {
        let base = origin.issuer_base().filter(|_| !self.is_domain(origin.host()));
        base.map_or_else(|| self.issuer(), |base| format!("{base}/{}", self.id))
    }

    /// Whether a host is the pool's own domain.
    pub(super) fn is_domain(&self, host: &str) -> bool {
        self.custom_domain.as_ref().is_some_and(|domain| domain.name == host)
    }

    /// What `iss` is in this pool's tokens at AWS (API reference, `IssuerConfigurationType`).
    pub(super) fn issuer(&self) -> String {
        let suffix = if partition(&self.region) == "aws-cn" { ".cn" } else { "" };
        let is_updated = self.settings.get("IssuerConfiguration").is_some_and(|issuer| issuer["Type"] == "UPDATED");
        let prefix = if is_updated { "issuer-" } else { "" };
        format!("https://{prefix}cognito-idp.{}.amazonaws.com{suffix}/{}", self.region, self.id)
    }

    /// The signing keys, made now if they are not there yet.
    pub(super) fn keys(&mut self) -> Result<&Keys, KeyFailure> {
        let keys = match self.keys.take() {
            Some(keys) => keys,
            None => Keys::new()?,
        };
        Ok(self.keys.insert(keys))
    }

    pub(super) fn is_case_sensitive(&self) -> bool {
        self.settings["UsernameConfiguration"]["CaseSensitive"] != Value::Bool(false)
    }

    /// Whether a list among the settings names `entry`.
    pub(super) fn lists(&self, setting: &str, entry: &str) -> bool {
        let list = self.settings.get(setting).and_then(Value::as_array);
        list.is_some_and(|list| list.iter().any(|item| item == entry))
    }

    /// Whether a change of this attribute waits for the user to verify the new value.
    pub(super) fn verifies_before_update(&self, attribute: &str) -> bool {
        let names = &self.settings["UserAttributeUpdateSettings"]["AttributesRequireVerificationBeforeUpdate"];
        names.as_array().is_some_and(|names| names.iter().any(|name| name == attribute))
    }

    pub(super) fn folded(&self, name: &str) -> String {
        if self.is_case_sensitive() { name.to_owned() } else { name.to_lowercase() }
    }

    /// The user with this name, this `sub`, or this alias (API reference, AdminGetUser).
    pub(super) fn user(&self, name: &str) -> Option<&User> {
        self.users.get(&self.key_of(name)?)
    }

    pub(super) fn user_mut(&mut self, name: &str) -> Option<&mut User> {
        let key = self.key_of(name)?;
        self.users.get_mut(&key)
    }

    /// Under which key the user with this name, `sub` or alias is kept.
    pub(super) fn key_of(&self, name: &str) -> Option<String> {
        let folded = self.folded(name);
        if self.users.contains_key(&folded) {
            return Some(folded);
        }
        let is_named = |user: &User| user.sub == name || self.is_alias(user, &folded);
        self.users.iter().find(|(_, user)| is_named(user)).map(|(key, _)| key.clone())
    }

    /// Whether a user can be called by this text. An address counts once it is verified, or where it is
    /// what users sign in with (developer guide, customising sign-in attributes).
    fn is_alias(&self, user: &User, folded: &str) -> bool {
        ["email", "phone_number", "preferred_username"].into_iter().any(|attribute| {
            let is_value = || user.attributes.get(attribute).is_some_and(|value| self.folded(value) == folded);
            (self.lists("UsernameAttributes", attribute) && is_value())
                || (self.lists("AliasAttributes", attribute)
                    && is_value()
                    && (attribute == "preferred_username" || user.is_verified(attribute)))
        })
    }

    /// Scopes that the pool's resource servers offer.
    pub(super) fn offers(&self, scope: &str) -> bool {
        // The name of a scope holds no slash, the identifier of its server may.
        scope.rsplit_once('/').is_some_and(|(server, name)| {
            self.servers.get(server).is_some_and(|server| server.scopes.iter().any(|scope| scope.name == name))
        })
    }

    /// The `UserPoolType` of the API.
    pub(super) fn describe(&self) -> Value {
        let mut description = Value::Object(self.settings.clone());
        let own = json!({
            "Id": self.id,
            "Name": self.name,
            "Arn": self.arn(),
            "CreationDate": epoch_seconds(self.created),
            "LastModifiedDate": epoch_seconds(self.modified),
            "SchemaAttributes": self.schema,
            "UserPoolTags": self.tags,
            "EstimatedNumberOfUsers": self.users.len(),
        });
        if let (Some(description), Value::Object(own)) = (description.as_object_mut(), own) {
            description.extend(own);
        }
        for (name, domain) in [("Domain", &self.domain), ("CustomDomain", &self.custom_domain)] {
            if let Some(domain) = domain {
                description[name] = json!(domain.name);
            }
        }
        description
    }
}
