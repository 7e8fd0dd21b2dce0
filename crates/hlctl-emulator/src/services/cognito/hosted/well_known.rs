//! The public documents of a pool.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::json;

use super::super::pool::UserPool;
use super::super::{client::OIDC_SCOPES, pool_anywhere};
use super::reply;
use crate::services::Cx;

pub(super) fn keys(cx: &mut Cx<'_>, pool: &str) -> Response<Bytes> {
    match pool_anywhere(cx.world, pool).map(UserPool::keys) {
        Some(Ok(keys)) => reply::json(StatusCode::OK, &keys.set()),
        Some(Err(failure)) => reply::failure(&failure.into()),
        None => unknown(pool),
    }
}

/// The endpoints are those of the pool's domain, and are left out if it has none.
pub(super) fn configuration(cx: &mut Cx<'_>, pool: &str) -> Response<Bytes> {
    let Some(pool) = pool_anywhere(cx.world, pool) else { return unknown(pool) };
    let origin = &cx.caller.origin;
    let mut document = json!({
        "issuer": pool.issuer_at(origin),
        "jwks_uri": format!("{}/.well-known/jwks.json", pool.issuer()),
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "token"],
        "scopes_supported": OIDC_SCOPES,
        "subject_types_supported": ["public"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    });
    let own = pool.custom_domain.as_ref().map(|domain| format!("https://{}", domain.name));
    let prefix = |name: &str| format!("https://{name}.auth.{}.amazoncognito.com", pool.region);
    if let Some(base) = own.or_else(|| pool.domain.as_ref().map(|domain| prefix(&domain.name))) {
        for (name, path) in [
            ("authorization_endpoint", "oauth2/authorize"),
            ("token_endpoint", "oauth2/token"),
            ("userinfo_endpoint", "oauth2/userInfo"),
            ("revocation_endpoint", "oauth2/revoke"),
            ("end_session_endpoint", "logout"),
        ] {
            document[name] = format!("{base}/{path}").into();
        }
    }
    if !pool.is_domain(origin.host()) {
        let own: Vec<String> = pool.custom_domain.iter().map(|domain| domain.name.clone()).collect();
        origin.localize(&mut document, &own);
    }
    reply::json(StatusCode::OK, &document)
}

fn unknown(pool: &str) -> Response<Bytes> {
    reply::json(StatusCode::NOT_FOUND, &json!({"message": format!("User pool {pool} does not exist.")}))
}
