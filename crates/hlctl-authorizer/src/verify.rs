//! The form of a token, its algorithm and its signature.
//!
//! `jsonwebtoken` reads the token and decides; the claims are judged elsewhere (`policy`), since its own checks go by the
//! system's clock and take fractions and arrays where Cognito sends neither. Of the header only `alg`, `kid` and `crit` count.
//! `jku`, `jwk`, `x5u` and `x5c` say where to find a key that the token's maker chose, so they are never looked at.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

use crate::Refusal;
use crate::claims::Claims;

/// The largest token that is read. Cognito's have one or two kilobytes, and HealthLake's own limit on headers is not documented.
const TOKEN_LIMIT: usize = 16 * 1024;

/// A token of the right form whose signature nobody has checked yet.
pub(crate) struct Unverified<'a> {
    token: &'a str,
    key_id: String,
}

impl<'a> Unverified<'a> {
    /// Reads the header.
    pub(crate) fn parse(token: &'a str) -> Result<Self, Refusal> {
        if token.len() > TOKEN_LIMIT || token.bytes().filter(|byte| *byte == b'.').count() != 2 {
            return Err(Refusal::MalformedToken);
        }
        let header = decode_header(token).map_err(|_| unreadable_header(token))?;
        if header.alg != Algorithm::RS256 {
            return Err(Refusal::UnsupportedAlgorithm);
        }
        if header.crit.is_some() {
            return Err(Refusal::UnsupportedHeader);
        }
        // RFC 7515 leaves the key id out where it is clear which key is meant. Here it never is.
        let key_id = header.kid.ok_or(Refusal::UnknownKey)?;
        Ok(Self { token, key_id })
    }

    /// The id of the key that the token claims to be signed by.
    pub(crate) fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The claims, if the signature is by `key`.
    pub(crate) fn verify(&self, key: &DecodingKey) -> Result<Claims, Refusal> {
        let claims = decode(self.token, key, &signature_only()).map_err(|error| refusal(&error))?.claims;
        Ok(claims)
    }
}

fn signature_only() -> Validation {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation
}

fn refusal(error: &Error) -> Refusal {
    match error.kind() {
        ErrorKind::InvalidSignature => Refusal::BadSignature,
        ErrorKind::InvalidAlgorithm | ErrorKind::UnsupportedAlgorithm => Refusal::UnsupportedAlgorithm,
        _ => Refusal::MalformedToken,
    }
}

/// What to call a header that `jsonwebtoken` does not take. It does not know `none` and the like, which is worth its own code.
fn unreadable_header(token: &str) -> Refusal {
    #[derive(Deserialize)]
    struct Named {
        alg: String,
    }
    let header = token.split('.').next().and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let named: Option<Named> = header.and_then(|json| serde_json::from_slice(&json).ok());
    match named {
        Some(Named { alg }) if alg != "RS256" => Refusal::UnsupportedAlgorithm,
        _ => Refusal::MalformedToken,
    }
}
