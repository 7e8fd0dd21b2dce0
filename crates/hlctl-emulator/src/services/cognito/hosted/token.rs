//! `/oauth2/token`: an application exchanges what it has for tokens.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::json;

use super::super::auth::Moment;
use super::super::client::Client;
use super::super::pool::UserPool;
use super::super::tokens::{self, Tokens};
use super::request::{HostedRequest, Params};
use super::{client_in, pkce, pool_at, reply, scopes};
use crate::error::AwsError;
use crate::services::Cx;

/// Why there are no tokens.
pub(super) enum Refusal {
    /// An error code of OAuth.
    OAuth(&'static str),
    Failure(AwsError),
}

impl From<&'static str> for Refusal {
    fn from(error: &'static str) -> Self {
        Self::OAuth(error)
    }
}

impl From<AwsError> for Refusal {
    fn from(error: AwsError) -> Self {
        Self::Failure(error)
    }
}

impl Refusal {
    pub(super) fn answer(&self) -> Response<Bytes> {
        match self {
            Self::OAuth(error) => reply::oauth_error(error),
            Self::Failure(error) => reply::failure(error),
        }
    }
}

pub(super) fn answer(cx: &mut Cx<'_>, request: &HostedRequest) -> Response<Bytes> {
    match exchange(cx, request) {
        Ok(tokens) => success(&tokens),
        Err(refusal) => refusal.answer(),
    }
}

fn success(tokens: &Tokens) -> Response<Bytes> {
    let mut body = json!({
        "access_token": tokens.access,
        "expires_in": tokens.expires_in,
        "token_type": "Bearer",
    });
    for (name, token) in [("id_token", &tokens.id), ("refresh_token", &tokens.refresh)] {
        if let Some(token) = token {
            body[name] = json!(token);
        }
    }
    reply::json(StatusCode::OK, &body)
}

fn exchange(cx: &mut Cx<'_>, request: &HostedRequest) -> Result<Tokens, Refusal> {
    let moment = Moment::of(cx);
    let form = &request.form;
    if form.repeats() {
        return Err("invalid_request".into());
    }
    let grant_type = form.get("grant_type").ok_or("invalid_request")?;
    let (pool, client) = authenticated(cx, request)?;
    match grant_type {
        "authorization_code" => by_code(pool, &client, form, &moment),
        "refresh_token" => {
            let token = form.get("refresh_token").ok_or("invalid_request")?;
            let tokens = tokens::renew(pool, &client, token, &moment)?;
            tokens.ok_or(Refusal::OAuth("invalid_grant"))
        }
        "client_credentials" => by_client(pool, &client, form, &moment),
        _ => Err("unsupported_grant_type".into()),
    }
}

/// The client that asks, which has to prove itself if it has a secret: in the header or in the form. A client
/// without a secret must not pretend to have one.
pub(super) fn authenticated<'a>(
    cx: &'a mut Cx<'_>,
    request: &HostedRequest,
) -> Result<(&'a mut UserPool, Client), Refusal> {
    let form = &request.form;
    let (id, secret) = match request.basic() {
        Some(pair) => {
            let (id, secret) = pair.map_err(|()| "invalid_client")?;
            if form.get("client_id").is_some_and(|other| other != id) {
                return Err("invalid_client".into());
            }
            (id, Some(secret))
        }
        None => {
            let id = form.get("client_id").ok_or("invalid_request")?;
            (id.to_owned(), form.get("client_secret").map(ToOwned::to_owned))
        }
    };
    let pool = pool_at(cx, &request.place, &id).ok_or("invalid_client")?;
    let client = client_in(pool, &id).ok_or("invalid_client")?;
    if !client.is_proved_by(secret.as_deref().filter(|secret| !secret.is_empty())) {
        return Err("invalid_client".into());
    }
    Ok((pool, client))
}

/// The code is spent by being named, whatever comes of it.
fn by_code(pool: &mut UserPool, client: &Client, form: &Params, moment: &Moment) -> Result<Tokens, Refusal> {
    if !client.allows_flow("code") {
        return Err("unauthorized_client".into());
    }
    let code = form.get("code").ok_or("invalid_request")?;
    let redirect_uri = form.get("redirect_uri").ok_or("invalid_request")?;
    if !client.lists("CallbackURLs", redirect_uri) {
        return Err("unauthorized_client".into());
    }
    let code = pool.issued.codes.take(code, moment.now).ok_or("invalid_grant")?;
    let is_met = pkce::is_met(code.challenge.as_deref(), form.get("code_verifier"));
    let is_enabled = pool.user(&code.session.sub).is_some_and(|user| user.enabled);
    if code.session.client != client.id || code.redirect_uri != redirect_uri || !is_met || !is_enabled {
        return Err("invalid_grant".into());
    }
    Ok(tokens::begin(pool, code.session, moment)?)
}

fn by_client(pool: &mut UserPool, client: &Client, form: &Params, moment: &Moment) -> Result<Tokens, Refusal> {
    if !client.allows_flow("client_credentials") || client.secret.is_none() {
        return Err("unauthorized_client".into());
    }
    let scopes = scopes::for_machine(pool, client, form.get("scope")).ok_or("invalid_scope")?;
    Ok(tokens::for_machine(pool, client, &scopes, moment)?)
}
