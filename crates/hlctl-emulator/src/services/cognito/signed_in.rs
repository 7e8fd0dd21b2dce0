//! What a signed-in user may do without AWS credentials: look at themselves, and end it.

use serde_json::{Value, json};

use super::client::SELF_SERVICE;
use super::shapes::{CLIENT_ID, CLIENT_SECRET, TOKEN};
use super::{invalid, no_user, not_authorized, pool_of_client, tokens};
use crate::error::{AwsError, AwsResult};
use crate::protocol::shape::{Field, one_of, optional, required};
use crate::services::{Cx, text};

pub(super) const GET_USER: &[Field] = &[required("AccessToken", TOKEN)];
pub(super) const REVOKE: &[Field] = &[
    required("Token", TOKEN),
    required("ClientId", CLIENT_ID),
    optional("ClientSecret", CLIENT_SECRET),
    optional("RevokeAssociatedSessions", one_of(&["NONE", "LINKED"])),
];

/// The user that an access token is for, and the attributes that its client may read.
pub(super) fn get_user(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let now = cx.now;
    let bearer = tokens::bearer(cx.world, text(input, "AccessToken"), now)?;
    if !bearer.has_scope(SELF_SERVICE) {
        return Err(not_authorized("Access Token does not have required scopes"));
    }
    let (user, client) = bearer.parties().ok_or_else(no_user)?;
    if !user.enabled {
        return Err(not_authorized("User is disabled."));
    }
    let attributes: Vec<Value> = user
        .attribute_list()
        .into_iter()
        .filter(|attribute| client.reads(bearer.pool, text(attribute, "Name")))
        .collect();
    Ok(json!({"Username": user.name, "UserAttributes": attributes}))
}

pub(super) fn revoke(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let now = cx.now;
    let id = text(input, "ClientId");
    let unauthorized = || AwsError::bad_request("UnauthorizedException", "Invalid client or client secret.");
    let pool = pool_of_client(cx.world, id).ok_or_else(unauthorized)?;
    let client = pool.clients.get(id).ok_or_else(unauthorized)?;
    if client.secret.is_some() && !client.is_proved_by(Some(text(input, "ClientSecret"))) {
        return Err(unauthorized());
    }
    if !client.revokes() {
        return Err(AwsError::bad_request(
            "UnsupportedOperationException",
            "Token revocation is not enabled for this client.",
        ));
    }
    let token = text(input, "Token");
    if tokens::is_jwt(token) {
        return Err(AwsError::bad_request("UnsupportedTokenTypeException", "Unsupported token type."));
    }
    // A token that is gone already is as revoked as it can be (RFC 7009, section 2.2).
    let (client, is_foreign) = (client.id.clone(), pool.issued.belongs_to_other(token, id, now));
    if is_foreign {
        return Err(invalid("Token was not issued to this client."));
    }
    pool.issued.revoke(token, &client, now);
    Ok(json!({}))
}
