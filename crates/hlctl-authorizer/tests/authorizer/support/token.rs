//! Tokens: as Cognito makes them, and bent in one place.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::RSA_PKCS1_SHA256;
use serde_json::{Value, json};

use super::keys::{Key, POOL};
use super::{CLIENT, ISSUER, NOW};

/// The claims of one of Cognito's access tokens (Cognito Developer Guide, "Understanding the access token").
pub(crate) fn claims() -> Value {
    json!({
        "sub": "aaaaaaaa-bbbb-cccc-dddd-example",
        "iss": ISSUER,
        "version": 2,
        "client_id": CLIENT,
        "origin_jti": "11111111-2222-3333-4444-example",
        "token_use": "access",
        "scope": "openid launch/patient patient/*.read",
        "auth_time": NOW - 60,
        "exp": NOW + 3600,
        "iat": NOW - 60,
        "jti": "55555555-6666-7777-8888-example",
        "username": "alice",
    })
}

/// Those claims with others in place of some; `null` takes one out.
pub(crate) fn claims_with(changes: Value) -> Value {
    merged(claims(), changes)
}

pub(crate) fn header() -> Value {
    json!({ "kid": POOL.id, "alg": "RS256" })
}

pub(crate) fn header_with(changes: Value) -> Value {
    merged(header(), changes)
}

fn merged(mut base: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    for (name, value) in changes {
        if value.is_null() {
            base.as_object_mut().unwrap().remove(&name);
        } else {
            base[name] = value;
        }
    }
    base
}

/// A token that the pool signed.
pub(crate) fn token(claims: &Value) -> String {
    signed(&header(), &claims.to_string(), &POOL)
}

/// A token with this header and payload, signed by RS256 whatever the header says.
pub(crate) fn signed(header: &Value, payload: &str, key: &Key) -> String {
    signed_text(&header.to_string(), payload, key)
}

/// The same for a header that may not even be JSON.
pub(crate) fn signed_text(header: &str, payload: &str, key: &Key) -> String {
    signed_by(header, payload, |message| key.sign(message, &RSA_PKCS1_SHA256))
}

/// The same for any signature, and a payload that may not even be text.
pub(crate) fn signed_by(header: &str, payload: impl AsRef<[u8]>, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", part(header), part(payload));
    let signature = URL_SAFE_NO_PAD.encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

pub(crate) fn part(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}
