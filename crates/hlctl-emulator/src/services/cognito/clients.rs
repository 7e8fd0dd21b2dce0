//! Making, describing, changing and deleting app clients.

use serde_json::{Map, Value, json};

use super::client::{Client, OIDC_SCOPES, SELF_SERVICE};
use super::hidden::Hidden;
use super::pool::UserPool;
use super::shapes::{ANY, ARN, CLIENT_ID, CLIENT_SECRET, FLOWS, MARKER, POOL_FIELD, SCOPES, is_visible, name};
use super::validity::{self, Kind};
use super::{client, invalid, paged, pool, schema, urls};
use crate::error::{AwsError, AwsResult};
use crate::protocol::shape::{Field, Shape, Text, one_of, optional, required, text as string};
use crate::services::{Cx, owned, text};

const URL: Shape =
    Shape::Text(Text::len(1, 1024).pattern(r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+", |url| url.chars().all(is_visible)));
const URLS: Shape = Shape::List { of: &URL, min: 0, max: 100 };
const ATTRIBUTES: Shape = Shape::List { of: &string(1, 2048), min: 0, max: usize::MAX };
const SIGN_IN: Shape = one_of(&[
    "ADMIN_NO_SRP_AUTH",
    "CUSTOM_AUTH_FLOW_ONLY",
    "USER_PASSWORD_AUTH",
    "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "ALLOW_CUSTOM_AUTH",
    "ALLOW_USER_PASSWORD_AUTH",
    "ALLOW_USER_SRP_AUTH",
    "ALLOW_REFRESH_TOKEN_AUTH",
    "ALLOW_USER_AUTH",
    "ALLOW_TOKEN_EXCHANGE_DELEGATION",
    "ALLOW_TOKEN_EXCHANGE_IMPERSONATION",
]);
const UNIT: Shape = one_of(&["seconds", "minutes", "hours", "days"]);
const UNITS: Shape =
    Shape::Struct(&[optional("AccessToken", UNIT), optional("IdToken", UNIT), optional("RefreshToken", UNIT)]);
const ANALYTICS: Shape = Shape::Struct(&[
    optional("ApplicationId", HEXADECIMAL),
    optional("ApplicationArn", ARN),
    optional("RoleArn", ARN),
    optional("ExternalId", ANY),
    optional("UserDataShared", Shape::Flag),
]);
const HEXADECIMAL: Shape =
    Shape::Text(Text::len(1, usize::MAX).pattern("^[0-9a-fA-F]+$", |text| text.chars().all(|c| c.is_ascii_hexdigit())));
const ROTATION: Shape = Shape::Struct(&[
    required("Feature", one_of(&["ENABLED", "DISABLED"])),
    optional("RetryGracePeriodSeconds", Shape::Whole { min: 0, max: 60 }),
]);

/// The members of both operations, and those of one alone.
macro_rules! settings {
    ($($own:expr),*) => {
        &[
            POOL_FIELD,
            optional("RefreshTokenValidity", Shape::Whole { min: 0, max: 315_360_000 }),
            optional("AccessTokenValidity", Shape::Whole { min: 1, max: 86_400 }),
            optional("IdTokenValidity", Shape::Whole { min: 1, max: 86_400 }),
            optional("TokenValidityUnits", UNITS),
            optional("ReadAttributes", ATTRIBUTES),
            optional("WriteAttributes", ATTRIBUTES),
            optional("ExplicitAuthFlows", Shape::List { of: &SIGN_IN, min: 0, max: usize::MAX }),
            optional("SupportedIdentityProviders", Shape::List { of: &string(1, 32), min: 0, max: usize::MAX }),
            optional("CallbackURLs", URLS),
            optional("LogoutURLs", URLS),
            optional("DefaultRedirectURI", URL),
            optional("AllowedOAuthFlows", FLOWS),
            optional("AllowedOAuthScopes", SCOPES),
            optional("AllowedOAuthFlowsUserPoolClient", Shape::Flag),
            optional("AnalyticsConfiguration", ANALYTICS),
            optional("PreventUserExistenceErrors", one_of(&["LEGACY", "ENABLED"])),
            optional("EnableTokenRevocation", Shape::Flag),
            optional("EnablePropagateAdditionalUserContextData", Shape::Flag),
            optional("AuthSessionValidity", Shape::Whole { min: 3, max: 15 }),
            optional("RefreshTokenRotation", ROTATION),
            $($own),*
        ]
    };
}

pub(super) const CREATE: &[Field] = settings![
    required("ClientName", name(128)),
    optional("GenerateSecret", Shape::Flag),
    optional("ClientSecret", CLIENT_SECRET)
];
pub(super) const UPDATE: &[Field] = settings![required("ClientId", CLIENT_ID), optional("ClientName", name(128))];
pub(super) const NAMED: &[Field] = &[POOL_FIELD, required("ClientId", CLIENT_ID)];
pub(super) const LIST: &[Field] = &[
    POOL_FIELD,
    optional("MaxResults", Shape::Whole { min: 1, max: 60 }),
    optional("NextToken", MARKER),
    optional("ClientType", one_of(&["REGULAR", "DCR"])),
];

/// Members that are no settings.
const IDENTITY: [&str; 5] = ["UserPoolId", "ClientId", "ClientName", "GenerateSecret", "ClientSecret"];

pub(super) fn create(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let (now, ids) = (cx.now, cx.options.ids.clone());
    let generate = input["GenerateSecret"] == true;
    if generate && !input["ClientSecret"].is_null() {
        return Err(invalid("GenerateSecret and ClientSecret cannot be given together."));
    }
    let secret = if generate { Some(ids.small_alphanumeric(51)) } else { owned(input, "ClientSecret") };
    let pool = pool(cx, input)?;
    check(pool, input, secret.is_some())?;
    let client = Client {
        id: ids.small_alphanumeric(26),
        pool: pool.id.clone(),
        name: text(input, "ClientName").to_owned(),
        secret: secret.map(Hidden::new),
        created: now,
        modified: now,
        settings: settings(input),
        secret_label: None,
        second_secret: None,
        branding: None,
    };
    let output = json!({"UserPoolClient": client.describe()});
    pool.clients.insert(client.id.clone(), client);
    Ok(output)
}

pub(super) fn describe(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    Ok(json!({"UserPoolClient": client(cx, input)?.describe()}))
}

/// Replaces all settings: what the request omits goes back to its default.
pub(super) fn update(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let now = cx.now;
    let has_secret = client(cx, input)?.secret.is_some();
    check(pool(cx, input)?, input, has_secret)?;
    let client = client(cx, input)?;
    client.settings = settings(input);
    client.name = owned(input, "ClientName").unwrap_or_else(|| client.name.clone());
    client.modified = now;
    Ok(json!({"UserPoolClient": client.describe()}))
}

pub(super) fn delete(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let id = client(cx, input)?.id.clone();
    let pool = pool(cx, input)?;
    pool.clients.remove(&id);
    pool.issued.forget_client(&id);
    Ok(json!({}))
}

/// Clients that registered themselves (`DCR`) there are none of.
pub(super) fn list(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let pool = pool(cx, input)?;
    let clients: Vec<&Client> = pool.clients.values().filter(|_| input["ClientType"] != "DCR").collect();
    let members = ("UserPoolClients", "MaxResults", "NextToken");
    Ok(paged(
        input,
        members,
        60,
        clients,
        |client| client.id.clone(),
        |client| json!({"ClientId": client.id, "UserPoolId": client.pool, "ClientName": client.name}),
    ))
}

fn settings(input: &Value) -> Map<String, Value> {
    let mut settings = input.as_object().cloned().unwrap_or_default();
    settings.retain(|name, value| !IDENTITY.contains(&name.as_str()) && !value.is_null());
    if settings.get("RefreshTokenValidity").is_none_or(|amount| *amount == 0) {
        settings.insert("RefreshTokenValidity".to_owned(), json!(Kind::Refresh.default_amount(input)));
    }
    for (name, value) in [
        ("AllowedOAuthFlowsUserPoolClient", json!(false)),
        ("EnableTokenRevocation", json!(true)),
        ("EnablePropagateAdditionalUserContextData", json!(false)),
        ("AuthSessionValidity", json!(3)),
    ] {
        settings.entry(name).or_insert(value);
    }
    settings
}

/// Refuses settings that do not go together or name what the pool does not have (API reference,
/// CreateUserPoolClient).
fn check(pool: &UserPool, input: &Value, has_secret: bool) -> AwsResult<()> {
    check_flows(input, has_secret)?;
    check_scopes(pool, input)?;
    urls::check(input)?;
    validity::check(input)?;
    check_sign_in(input)?;
    check_attributes(pool, input)?;
    if input["EnablePropagateAdditionalUserContextData"] == true && !has_secret {
        return Err(invalid("EnablePropagateAdditionalUserContextData needs a client secret."));
    }
    match strings(input, "SupportedIdentityProviders").find(|provider| *provider != "COGNITO") {
        Some(provider) => Err(invalid(format!("The provider {provider} does not exist for User Pool {}.", pool.id))),
        None => Ok(()),
    }
}

fn check_flows(input: &Value, has_secret: bool) -> AwsResult<()> {
    let refused = |message: &str| Err(AwsError::bad_request("InvalidOAuthFlowException", message));
    let flows: Vec<&str> = strings(input, "AllowedOAuthFlows").collect();
    if flows.contains(&"client_credentials") {
        if flows.len() > 1 {
            return refused("client_credentials flow can not be selected along with code flow or implicit flow.");
        }
        if !has_secret {
            return refused("client_credentials flow can not be selected if client does not have a client secret.");
        }
    }
    let any = |name: &str| strings(input, name).next().is_some();
    if input["AllowedOAuthFlowsUserPoolClient"] != true {
        let features = ["AllowedOAuthFlows", "AllowedOAuthScopes", "CallbackURLs", "LogoutURLs"];
        return match features.into_iter().find(|name| any(name)) {
            Some(name) => Err(invalid(format!("{name} needs AllowedOAuthFlowsUserPoolClient to be true."))),
            None => Ok(()),
        };
    }
    if flows.is_empty() || !any("AllowedOAuthScopes") {
        return Err(invalid(
            "AllowedOAuthFlows and AllowedOAuthScopes are required if user pool client is allowed to use OAuth flows.",
        ));
    }
    if !flows.contains(&"client_credentials") && !any("CallbackURLs") {
        return Err(invalid("CallbackURLs are required for the code and implicit flows."));
    }
    Ok(())
}

fn check_scopes(pool: &UserPool, input: &Value) -> AwsResult<()> {
    let is_known = |scope: &&str| OIDC_SCOPES.contains(scope) || *scope == SELF_SERVICE || pool.offers(scope);
    let unknown: Vec<&str> = strings(input, "AllowedOAuthScopes").filter(|scope| !is_known(scope)).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(AwsError::bad_request("ScopeDoesNotExistException", format!("Invalid scope requested: {}", unknown.join(", "))))
}

fn check_sign_in(input: &Value) -> AwsResult<()> {
    let new = strings(input, "ExplicitAuthFlows").filter(|flow| flow.starts_with("ALLOW_")).count();
    if new > 0 && new < strings(input, "ExplicitAuthFlows").count() {
        return Err(invalid("ExplicitAuthFlows that begin with ALLOW_ cannot be combined with others."));
    }
    let rotates = input["RefreshTokenRotation"]["Feature"] == "ENABLED";
    if rotates && strings(input, "ExplicitAuthFlows").any(|flow| flow == "ALLOW_REFRESH_TOKEN_AUTH") {
        return Err(invalid("ALLOW_REFRESH_TOKEN_AUTH cannot be used with refresh token rotation."));
    }
    Ok(())
}

fn check_attributes(pool: &UserPool, input: &Value) -> AwsResult<()> {
    let is_readable = |name: &str| schema::is_for_clients(&pool.schema, name);
    let is_writable =
        |name: &str| is_readable(name) && !matches!(name, "sub" | "email_verified" | "phone_number_verified");
    if !strings(input, "ReadAttributes").all(is_readable) {
        return Err(invalid("Invalid read attributes specified while creating a client"));
    }
    if !strings(input, "WriteAttributes").all(is_writable) {
        return Err(invalid("Invalid write attributes specified while creating a client"));
    }
    Ok(())
}

fn strings<'a>(input: &'a Value, name: &str) -> impl Iterator<Item = &'a str> {
    input[name].as_array().into_iter().flatten().filter_map(Value::as_str)
}
