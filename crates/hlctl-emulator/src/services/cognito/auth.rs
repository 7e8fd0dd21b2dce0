//! Signing in through the API with a password or a refresh token.
//!
//! SRP, custom and choice-based flows are left out, and so are second factors: a pool that requires one lets
//! nobody in.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use ring::hmac;
use serde_json::{Value, json};

use super::client::Client;
use super::hidden::Hidden;
use super::issued::Challenge;
use super::pool::UserPool;
use super::shapes::{ANALYTICS, CLIENT_ID, CONTEXT, METADATA, PARAMETERS, POOL_FIELD, SESSION, USER_CONTEXT};
use super::tokens::{self, Session, Tokens};
use super::user::{User, wrong};
use super::{invalid, no_client, no_user, not_authorized, pool, pool_of_client, schema};
use crate::error::{AwsError, AwsResult};
use crate::ids::Ids;
use crate::origin::Origin;
use crate::protocol::shape::{Field, Shape, one_of, optional, required};
use crate::services::{Cx, not_modelled, text};

const FLOW: Shape = one_of(&[
    "USER_SRP_AUTH",
    "REFRESH_TOKEN_AUTH",
    "REFRESH_TOKEN",
    "CUSTOM_AUTH",
    "ADMIN_NO_SRP_AUTH",
    "USER_PASSWORD_AUTH",
    "ADMIN_USER_PASSWORD_AUTH",
    "USER_AUTH",
]);
pub(super) const INITIATE: &[Field] = &[
    required("AuthFlow", FLOW),
    optional("AuthParameters", PARAMETERS),
    optional("ClientMetadata", METADATA),
    required("ClientId", CLIENT_ID),
    optional("AnalyticsMetadata", ANALYTICS),
    optional("UserContextData", USER_CONTEXT),
    optional("Session", SESSION),
];
pub(super) const ADMIN_INITIATE: &[Field] = &[
    POOL_FIELD,
    required("ClientId", CLIENT_ID),
    required("AuthFlow", FLOW),
    optional("AuthParameters", PARAMETERS),
    optional("ClientMetadata", METADATA),
    optional("AnalyticsMetadata", ANALYTICS),
    optional("ContextData", CONTEXT),
    optional("Session", SESSION),
];

/// When and at which address a sign-in happens, and where its ids come from.
pub(super) struct Moment {
    pub(super) now: Timestamp,
    pub(super) ids: Ids,
    pub(super) origin: Origin,
}

impl Moment {
    pub(super) fn of(cx: &Cx<'_>) -> Self {
        Self { now: cx.now, ids: cx.options.ids.clone(), origin: cx.caller.origin.clone() }
    }
}

pub(super) fn initiate(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let moment = Moment::of(cx);
    let id = text(input, "ClientId");
    let pool = pool_of_client(cx.world, id).ok_or_else(|| no_client(id))?;
    match text(input, "AuthFlow") {
        "USER_PASSWORD_AUTH" => by_password(pool, input, &["ALLOW_USER_PASSWORD_AUTH", "USER_PASSWORD_AUTH"], &moment),
        flow => by_other(pool, input, flow, &moment),
    }
}

pub(super) fn admin_initiate(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let moment = Moment::of(cx);
    let pool = pool(cx, input)?;
    match text(input, "AuthFlow") {
        "ADMIN_USER_PASSWORD_AUTH" | "ADMIN_NO_SRP_AUTH" => {
            by_password(pool, input, &["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"], &moment)
        }
        flow => by_other(pool, input, flow, &moment),
    }
}

fn by_other(pool: &mut UserPool, input: &Value, flow: &str, moment: &Moment) -> AwsResult<Value> {
    match flow {
        "REFRESH_TOKEN_AUTH" | "REFRESH_TOKEN" => by_refresh_token(pool, input, moment),
        "USER_PASSWORD_AUTH" | "ADMIN_USER_PASSWORD_AUTH" | "ADMIN_NO_SRP_AUTH" => {
            Err(invalid("Initiate Auth method not supported."))
        }
        flow => Err(invalid(format!("{} with {flow}", not_modelled("cognito-idp", "InitiateAuth")))),
    }
}

fn by_password(pool: &mut UserPool, input: &Value, allowed_by: &[&str], moment: &Moment) -> AwsResult<Value> {
    let client = client_of(pool, input)?;
    if !client.allows_sign_in(allowed_by) {
        return Err(invalid(format!("{} flow not enabled for this client", text(input, "AuthFlow"))));
    }
    let parameters = &input["AuthParameters"];
    let (name, password) = (given(parameters, "USERNAME")?, given(parameters, "PASSWORD")?);
    check_secret_hash(&client, parameters, &[name])?;
    let user = pool.user(name).ok_or_else(|| unknown_user(&client))?.clone();
    user.sign_in(password, moment.now)?;
    check_factors(pool)?;
    if user.password.temporary_until.is_some() {
        return Ok(challenge(pool, &client, &user, moment));
    }
    let session = Session::new(&client, &user, None, moment.now, &moment.ids);
    Ok(result(&tokens::begin(pool, session, moment)?))
}

fn by_refresh_token(pool: &mut UserPool, input: &Value, moment: &Moment) -> AwsResult<Value> {
    let client = client_of(pool, input)?;
    let is_modern = client.list("ExplicitAuthFlows").any(|flow| flow.starts_with("ALLOW_"));
    if is_modern && !client.allows_sign_in(&["ALLOW_REFRESH_TOKEN_AUTH"]) {
        return Err(invalid("REFRESH_TOKEN_AUTH flow not enabled for this client"));
    }
    let parameters = &input["AuthParameters"];
    let token = given(parameters, "REFRESH_TOKEN")?;
    let refused = || not_authorized("Invalid Refresh Token");
    let session = pool.issued.refresh_tokens.get(token, moment.now).ok_or_else(refused)?;
    let user = pool.user(&session.sub).ok_or_else(refused)?;
    check_secret_hash(&client, parameters, &[&user.name, &user.sub])?;
    let tokens = tokens::renew(pool, &client, token, moment)?.ok_or_else(refused)?;
    Ok(result(&tokens))
}

/// The client that a request names, in this pool.
pub(super) fn client_of(pool: &UserPool, input: &Value) -> AwsResult<Client> {
    let id = text(input, "ClientId");
    pool.clients.get(id).cloned().ok_or_else(|| no_client(id))
}

/// A pool that requires a second factor lets nobody in here.
pub(super) fn check_factors(pool: &UserPool) -> AwsResult<()> {
    if pool.settings["MfaConfiguration"] == "ON" {
        return Err(AwsError::bad_request(
            "InvalidUserPoolConfigurationException",
            "hlctl-emulator does not model sign-in with a second factor, which this user pool requires",
        ));
    }
    Ok(())
}

/// A member of a map that must be there.
pub(super) fn given<'a>(parameters: &'a Value, name: &str) -> AwsResult<&'a str> {
    parameters[name]
        .as_str()
        .filter(|value| !value.is_empty())
        .ok_or_else(|| invalid(format!("Missing required parameter {name}")))
}

pub(super) fn unknown_user(client: &Client) -> AwsError {
    if client.hides_unknown_users() { wrong() } else { no_user() }
}

/// Clients with a secret prove that they know it, by one of the user's names (developer guide, computing
/// secret hash values).
pub(super) fn check_secret_hash(client: &Client, parameters: &Value, names: &[&str]) -> AwsResult<()> {
    let hash = parameters["SECRET_HASH"].as_str();
    let secrets: Vec<&Hidden> = client.secrets().collect();
    match (secrets.as_slice(), hash) {
        ([], None) => Ok(()),
        ([], Some(_)) => Err(not_authorized(format!(
            "Client {} is not configured for secret but secret hash was received",
            client.id
        ))),
        (_, None) => Err(not_authorized(format!(
            "Client {} is configured with secret but SECRET_HASH was not received",
            client.id
        ))),
        (secrets, Some(hash)) => {
            let hash = BASE64.decode(hash).unwrap_or_default();
            let is_of = |secret: &Hidden, name: &str| {
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret.reveal().as_bytes());
                hmac::verify(&key, format!("{name}{}", client.id).as_bytes(), &hash).is_ok()
            };
            if secrets.iter().any(|secret| names.iter().any(|name| is_of(secret, name))) {
                return Ok(());
            }
            Err(not_authorized(format!("Unable to verify secret hash for client {}", client.id)))
        }
    }
}

/// Asks for a new password in place of a temporary one.
fn challenge(pool: &mut UserPool, client: &Client, user: &User, moment: &Moment) -> Value {
    let session = moment.ids.alphanumeric(512);
    let minutes = client.settings["AuthSessionValidity"].as_u64().unwrap_or(3);
    let lifetime = std::time::Duration::from_secs(60 * minutes);
    let waiting = Challenge { client: client.id.clone(), sub: user.sub.clone() };
    pool.issued.challenges.put(&session, waiting, moment.now, lifetime);
    let missing: Vec<String> = schema::required_names(&pool.schema)
        .filter(|name| user.attribute(name).is_none())
        .map(|name| format!("userAttributes.{name}"))
        .collect();
    json!({
        "ChallengeName": "NEW_PASSWORD_REQUIRED",
        "Session": session,
        "ChallengeParameters": {
            "USER_ID_FOR_SRP": user.name,
            "requiredAttributes": json!(missing).to_string(),
            "userAttributes": json!(user.attributes).to_string(),
        },
    })
}

/// The outcome of a sign-in as the API puts it.
pub(super) fn result(tokens: &Tokens) -> Value {
    let mut result = json!({
        "AccessToken": tokens.access,
        "ExpiresIn": tokens.expires_in,
        "TokenType": "Bearer",
    });
    for (name, token) in [("IdToken", &tokens.id), ("RefreshToken", &tokens.refresh)] {
        if let Some(token) = token {
            result[name] = json!(token);
        }
    }
    json!({"ChallengeParameters": {}, "AuthenticationResult": result})
}
