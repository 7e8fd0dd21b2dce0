//! What apps learn of the store before they have a token: its discovery document, and the keys of its user pool.

use serde_json::Value;

use super::Smart;
use super::check::Check;
use super::store::{ask, reported};
use crate::commands::endpoint_resolver::EndpointResolver;
use crate::error::CommandError;
use hlctl_aws::ops;
use hlctl_fhir::oauth::{OauthError, get};

const DOCUMENT: &str = "discovery document";
const DIFFERS: &str = concat!("`", hlctl!("plan"), "` shows what differs, `", hlctl!("apply"), "` sets it");

impl Smart {
    /// The discovery document is there, and says what the stack has set.
    pub(super) async fn discovery(&self) -> Result<Vec<Check>, CommandError> {
        let url = self.fhir(".well-known/smart-configuration")?;
        let title = format!("{DOCUMENT} at {url}");
        // As documented; whether apps, which cannot sign, get it as well is another line.
        let signed = self.ask_signed(&url).await?;
        if !signed.status.is_success() {
            let hint = "check that your policy allows healthlake:GetCapabilities, and that the store is ACTIVE";
            return Ok(vec![Check::failed("discovery", title, hint).with(reported(&signed))]);
        }
        let unsigned = ask(&self.stack.http, &url, None).await?.status.as_u16();
        let found = Check::passed("discovery", title)
            .with(format!("asked with a signature: {}; asked without: {unsigned}", signed.status.as_u16()));
        let document: Value = serde_json::from_slice(&signed.body).unwrap_or_default();
        Ok(vec![found, self.as_set(&document).await?, self.fit_for_apps(&document)?])
    }

    async fn as_set(&self, document: &Value) -> Result<Check, CommandError> {
        let id = self.stack.recorded("healthlake_fhir_datastore.this", "id")?;
        let describe = || self.stack.cx.clients.healthlake.describe_fhir_datastore().datastore_id(id).send();
        let answer = self.stack.cx.call(ops::healthlake::DESCRIBE_FHIR_DATASTORE, describe).await;
        let answer = answer.map_err(CommandError::Aws)?;
        let provider = answer.datastore_properties.and_then(|store| store.identity_provider_configuration);
        let set: Option<Value> = provider.and_then(|block| serde_json::from_str(block.metadata()?).ok());
        let title = format!("the {DOCUMENT} matches the stack's settings");
        let Some(set) = set else {
            return Ok(Check::failed("discovery_as_set", title, DIFFERS).with("the store has no metadata set"));
        };
        let differing = differing(&set, document, &self.stack.endpoints);
        if differing.is_empty() {
            return Ok(Check::passed("discovery_as_set", title));
        }
        Ok(Check::failed("discovery_as_set", title, DIFFERS).with(format!("these differ: {}", differing.join(", "))))
    }

    /// It names this pool's endpoints, and PKCE by S256.
    fn fit_for_apps(&self, document: &Value) -> Result<Check, CommandError> {
        let base = self.stack.recorded("cognito_user_pool_domain.this", "base_url")?;
        let mut missing = Vec::new();
        for (member, path) in [("authorization_endpoint", "/oauth2/authorize"), ("token_endpoint", "/oauth2/token")] {
            let named = document[member].as_str().unwrap_or_default();
            if !self.stack.endpoints.is_meant(&format!("{base}{path}"), named) {
                missing.push(member);
            }
        }
        let lists = |member: &str, wanted: &str| {
            document[member].as_array().is_some_and(|values| values.iter().any(|value| value == wanted))
        };
        if !lists("code_challenge_methods_supported", "S256") {
            missing.push("code_challenge_methods_supported with S256");
        }
        if !lists("grant_types_supported", "authorization_code") {
            missing.push("grant_types_supported with authorization_code");
        }
        let title = format!("the {DOCUMENT} names this pool's endpoints, and PKCE by S256");
        if missing.is_empty() {
            return Ok(Check::passed("discovery_content", title));
        }
        Ok(Check::failed("discovery_content", title, DIFFERS).with(format!("it lacks {}", missing.join(", "))))
    }

    /// The pool's key set has the key that a token names.
    pub(super) async fn keys(&self, header: &Value) -> Result<Check, CommandError> {
        let address = self.stack.recorded("cognito_user_pool.main", "jwks_uri")?;
        let url = self.stack.endpoints.of_pool(address)?;
        let reply = self.stack.http.send(get(&url)?).await?;
        let set: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let keys = set["keys"]
            .as_array()
            .ok_or(OauthError::Unreadable { place: "the key set", status: reply.status.as_u16() })?;
        let title = format!("key set at {url} has the token's key");
        if keys.iter().any(|key| key["kid"] == header["kid"] && !key["kid"].is_null()) {
            return Ok(Check::passed("key_set", title));
        }
        Ok(Check::failed(
            "key_set",
            title,
            concat!("the token is not from this pool: run `", hlctl!("apply"), "`, then this command again"),
        ))
    }
}

/// The members that are not the same in both. Where the store is asked at another place, as in the sandbox, its addresses may
/// lead there.
fn differing(set: &Value, document: &Value, endpoints: &EndpointResolver) -> Vec<String> {
    let empty = serde_json::Map::new();
    let (set, document) = (set.as_object().unwrap_or(&empty), document.as_object().unwrap_or(&empty));
    let mut names: Vec<String> = set
        .keys()
        .chain(document.keys())
        .filter(|name| match (set.get(*name), document.get(*name)) {
            (Some(set), Some(found)) => !is_same(set, found, endpoints),
            _ => true,
        })
        .map(|name| hlctl_fhir::oauth::tell(name))
        .collect();
    names.sort();
    names.dedup();
    names
}

fn is_same(set: &Value, found: &Value, endpoints: &EndpointResolver) -> bool {
    match (set, found) {
        (Value::String(set), Value::String(found)) => endpoints.is_meant(set, found),
        (Value::Array(set), Value::Array(found)) => {
            set.len() == found.len() && set.iter().zip(found).all(|(set, found)| is_same(set, found, endpoints))
        }
        (Value::Object(set), Value::Object(found)) => {
            let is_there = |name: &String, set| found.get(name).is_some_and(|found| is_same(set, found, endpoints));
            set.len() == found.len() && set.iter().all(|(name, set)| is_there(name, set))
        }
        (set, found) => set == found,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use serde_json::json;

    use super::*;

    #[test]
    fn members_that_differ_or_are_on_one_side_only_are_named_once() {
        let (set, document) = (json!({"a": 1, "b": [1, 2], "c": 1}), json!({"a": 1, "b": [2, 1], "d": 1}));
        let endpoints = EndpointResolver::all_at("http://127.0.0.1:4566").unwrap();
        assert_eq!(differing(&set, &document, &endpoints), ["b", "c", "d"]);
        assert!(differing(&set, &set, &endpoints).is_empty());
        assert_eq!(differing(&set, &Value::Null, &endpoints), ["a", "b", "c"]);
    }

    #[test]
    fn addresses_that_lead_to_the_place_that_is_asked_are_as_set() {
        let set =
            json!({"a": "https://x.auth.us-east-1.amazoncognito.com/login", "b": [{"c": "https://idp.example.org/"}]});
        let endpoints = EndpointResolver::all_at("http://127.0.0.1:4566").unwrap();
        let mut found = set.clone();
        found["a"] = json!("http://127.0.0.1:4566/login");
        assert!(differing(&set, &found, &endpoints).is_empty());
        found["b"][0]["c"] = json!("https://evil.example/");
        assert_eq!(differing(&set, &found, &endpoints), ["b"]);
    }
}
