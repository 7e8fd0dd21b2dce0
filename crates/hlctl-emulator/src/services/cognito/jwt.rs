//! JSON web tokens, signed with RS256.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64_URL;
use serde_json::{Value, json};

use super::keys::{Key, KeyFailure, Keys};

pub(super) fn sign(key: &Key, claims: &Value) -> Result<String, KeyFailure> {
    let header = json!({"kid": key.kid(), "alg": "RS256"});
    let part = |value: &Value| BASE64_URL.encode(value.to_string());
    let message = format!("{}.{}", part(&header), part(claims));
    let signature = key.sign(message.as_bytes())?;
    Ok(format!("{message}.{}", BASE64_URL.encode(signature)))
}

/// The claims of a token, which may be anyone's.
pub(super) fn unverified(token: &str) -> Option<Value> {
    decoded(token.split('.').nth(1)?)
}

/// The claims of a token that one of `keys` has signed.
pub(super) fn verified(keys: &Keys, token: &str) -> Option<Value> {
    let (message, signature) = token.rsplit_once('.')?;
    let (header, claims) = message.split_once('.')?;
    let header = decoded(header)?;
    if header["alg"] != "RS256" {
        return None;
    }
    let key = keys.named(header["kid"].as_str()?)?;
    let signature = BASE64_URL.decode(signature).ok()?;
    if key.verifies(message.as_bytes(), &signature) { decoded(claims) } else { None }
}

/// A token that one of `keys` has signed, with another issuer and signed by the same key again.
pub(super) fn reissued(keys: &Keys, token: &str, issuer: &str) -> Option<String> {
    let mut claims = verified(keys, token)?;
    claims["iss"] = issuer.into();
    let header = decoded(token.split('.').next()?)?;
    sign(keys.named(header["kid"].as_str()?)?, &claims).ok()
}

fn decoded(part: &str) -> Option<Value> {
    serde_json::from_slice(&BASE64_URL.decode(part).ok()?).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn only_what_one_of_the_keys_signed_is_believed() {
        let (own, foreign) = (Keys::new().unwrap(), Keys::new().unwrap());
        let token = sign(&own.access, &json!({"sub": "me"})).unwrap();
        assert_eq!(verified(&own, &token), Some(json!({"sub": "me"})));
        assert_eq!(verified(&foreign, &token), None);
        let mut parts: Vec<&str> = token.split('.').collect();
        let forged = BASE64_URL.encode(r#"{"sub":"you"}"#);
        parts[1] = &forged;
        assert_eq!(verified(&own, &parts.join(".")), None);
        let none = BASE64_URL.encode(json!({"alg": "none", "kid": own.access.kid()}).to_string());
        parts[0] = &none;
        assert_eq!(verified(&own, &parts.join(".")), None);
        assert_eq!(verified(&own, "a.b"), None);
    }
}
