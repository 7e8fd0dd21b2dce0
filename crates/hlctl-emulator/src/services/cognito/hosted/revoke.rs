//! `/oauth2/revoke`: an application gives a refresh token back.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::json;

use super::super::tokens;
use super::request::HostedRequest;
use super::{reply, token};
use crate::services::Cx;

pub(super) fn answer(cx: &mut Cx<'_>, request: &HostedRequest) -> Response<Bytes> {
    let now = cx.now;
    let (pool, client) = match token::authenticated(cx, request) {
        Ok(both) => both,
        Err(token::Refusal::OAuth("invalid_client")) => {
            return reply::json(StatusCode::UNAUTHORIZED, &json!({"error": "invalid_client"}));
        }
        Err(refusal) => return refusal.answer(),
    };
    let Some(token) = request.form.get("token") else { return reply::oauth_error("invalid_request") };
    if !client.revokes() || pool.issued.belongs_to_other(token, &client.id, now) {
        return reply::oauth_error("invalid_request");
    }
    if tokens::is_jwt(token) {
        return reply::oauth_error("unsupported_token_type");
    }
    // A token that is gone already is as revoked as it can be (RFC 7009, section 2.2).
    pool.issued.revoke(token, &client.id, now);
    Response::new(Bytes::new())
}
