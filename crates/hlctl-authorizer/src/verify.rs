//! The form of a token, its algorithm and its signature.
//!
//! `jsonwebtoken` reads the header and checks the signature, for RS256 and nothing else, whatever the header says. The claims are
//! read here and judged elsewhere (`policy`): its own `Validation` goes by the system's clock, rounds fractions of a second, and
//! takes a list of issuers for one. Of the header only `alg`, `kid` and `crit` count. `jku`, `jwk`, `x5u` and `x5c` say where to find
//! a key that the token's maker chose, so they are never looked at.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, crypto, decode_header};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::Refusal;
use crate::claims::Claims;

/// The largest token that is read. Cognito's have one or two kilobytes, and HealthLake's own limit on headers is not documented.
const TOKEN_LIMIT: usize = 16 * 1024;

/// A token of the right form whose signature nobody has checked yet.
pub(crate) struct Unverified<'a> {
    signed: &'a str,
    payload: &'a str,
    signature: &'a str,
    key_id: String,
}

impl<'a> Unverified<'a> {
    /// Takes the token apart and reads its header.
    pub(crate) fn parse(token: &'a str) -> Result<Self, Refusal> {
        if token.len() > TOKEN_LIMIT {
            return Err(Refusal::MalformedToken);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::MalformedToken)?;
        // From the end, as `jsonwebtoken` does. A fourth part makes a header that is no base64.
        let (header, payload) = signed.rsplit_once('.').ok_or(Refusal::MalformedToken)?;
        let key_id = key_id(token, header)?;
        Ok(Self { signed, payload, signature, key_id })
    }

    /// The id of the key that the token claims to be signed by.
    pub(crate) fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The claims, if the signature is by `key`.
    pub(crate) fn verify(&self, key: &DecodingKey) -> Result<Claims, Refusal> {
        match crypto::verify(self.signature, self.signed.as_bytes(), key, Algorithm::RS256) {
            Ok(true) => read_part(self.payload).ok_or(Refusal::MalformedToken),
            Ok(false) => Err(Refusal::BadSignature),
            Err(_) => Err(Refusal::MalformedToken),
        }
    }
}

fn key_id(token: &str, header: &str) -> Result<String, Refusal> {
    let read = decode_header(token).map_err(|_| unreadable_header(header))?;
    if read.alg != Algorithm::RS256 {
        return Err(Refusal::UnsupportedAlgorithm);
    }
    if read.crit.is_some() {
        return Err(Refusal::UnsupportedHeader);
    }
    // RFC 7515 lets the key id be left out where it is clear which key is meant. Here it never is.
    read.kid.ok_or(Refusal::UnknownKey)
}

/// What to call a header that `jsonwebtoken` does not take. It does not know `none` and the like, which is worth its own code.
fn unreadable_header(header: &str) -> Refusal {
    #[derive(Deserialize)]
    struct Named {
        alg: String,
    }
    match read_part(header) {
        Some(Named { alg }) if alg != "RS256" => Refusal::UnsupportedAlgorithm,
        _ => Refusal::MalformedToken,
    }
}

fn read_part<T: DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::DecodingKey;
    use proptest::prelude::*;

    use super::*;
    use crate::provider;

    /// What anybody can send: some text, or three parts of which some are JSON in base64url.
    fn any_token() -> impl Strategy<Value = String> {
        let json = prop_oneof![
            Just(r#"{"alg":"RS256","kid":"a"}"#.to_owned()),
            Just(r#"{"alg":"none"}"#.to_owned()),
            r#"\{"(alg|kid|crit|jku)":("[a-zA-Z0-9]{0,9}"|[0-9\[\]]{0,5})\}"#,
            ".*",
        ];
        let part = prop_oneof![json.prop_map(|json| URL_SAFE_NO_PAD.encode(json)), "[A-Za-z0-9_=+/-]{0,60}"];
        prop_oneof![".*", prop::collection::vec(part, 1..5).prop_map(|parts| parts.join("."))]
    }

    proptest! {
        #[test]
        fn no_token_breaks_the_reader_and_none_is_good(token in any_token()) {
            provider::install();
            // A modulus that nobody knows the factors of.
            let key = DecodingKey::from_rsa_raw_components(&[0xc5; 256], &[1, 0, 1]);
            let refused = Unverified::parse(&token).and_then(|unverified| unverified.verify(&key)).is_err();
            prop_assert!(refused);
        }

        #[test]
        fn a_token_beyond_the_bound_is_not_decoded(length in TOKEN_LIMIT + 1..3 * TOKEN_LIMIT) {
            let token = format!("{}.e30.", "A".repeat(length));
            prop_assert_eq!(Unverified::parse(&token).err(), Some(Refusal::MalformedToken));
        }
    }
}
