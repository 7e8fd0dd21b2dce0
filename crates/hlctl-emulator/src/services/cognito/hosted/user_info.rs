//! `/oauth2/userInfo`: what a token says of its user.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::json;

use super::super::tokens;
use super::reply;
use super::request::HostedRequest;
use crate::services::Cx;

pub(super) fn answer(cx: &mut Cx<'_>, request: &HostedRequest) -> Response<Bytes> {
    const WORTHLESS: &str = "Access token is expired, disabled, or deleted, or the user has globally signed out.";
    let now = cx.now;
    let Some(token) = request.bearer().or_else(|| request.form.get("access_token")) else {
        return refused("invalid_request", "The access token is missing.");
    };
    let Ok(bearer) = tokens::bearer(cx.world, token, now) else {
        return refused("invalid_token", WORTHLESS);
    };
    if !bearer.has_scope("openid") {
        return refused("invalid_token", "Access token does not contain openid scope");
    }
    let Some((user, client)) = bearer.parties().filter(|(user, _)| user.enabled) else {
        return refused("invalid_token", WORTHLESS);
    };
    let mut claims = json!({"sub": user.sub, "username": user.name});
    // All values are strings here, the verified flags too (developer guide, userInfo endpoint).
    for (name, value) in tokens::visible_attributes(bearer.pool, client, user, Some(bearer.text("scope"))) {
        claims[name] = json!(value);
    }
    reply::json(StatusCode::OK, &claims)
}

fn refused(error: &'static str, description: &str) -> Response<Bytes> {
    let status = if error == "invalid_request" { StatusCode::BAD_REQUEST } else { StatusCode::UNAUTHORIZED };
    let mut response = reply::json(status, &json!({"error": error, "error_description": description}));
    let challenge = format!("Bearer error=\"{error}\", error_description=\"{description}\"");
    if let Ok(challenge) = HeaderValue::from_str(&challenge) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}
