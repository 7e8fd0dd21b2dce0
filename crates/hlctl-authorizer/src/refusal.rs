//! Why a token is refused: a closed list of codes, which is all that anyone learns.

use std::fmt;

use serde::{Serialize, Serializer};

/// Why a token is refused.
///
/// The code is the `error` of the answer and the reason in the log. It names no part of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// The event lacks one of its three members, or one of them is not text.
    MalformedEvent,
    /// The token is too large, is not three parts of unpadded base64url, or its header or payload is not a JSON object.
    MalformedToken,
    /// The header names another algorithm than RS256.
    UnsupportedAlgorithm,
    /// The header has `crit`: it asks for extensions to be understood, and none is.
    UnsupportedHeader,
    /// The key set has no usable key of the token's key id, or the token names none.
    UnknownKey,
    /// The key set could not be fetched, so nobody can say whether it has the key.
    KeysUnavailable,
    /// The signature is not one by the key that the token names.
    BadSignature,
    /// A claim that is needed is missing or has another type than it should.
    MalformedClaims,
    /// The token is from another issuer.
    WrongIssuer,
    /// The token is not an access token.
    WrongTokenUse,
    /// The token was issued to another client.
    WrongClient,
    /// The token names its audience, and this store is not among it.
    WrongAudience,
    /// The token's time is over.
    Expired,
    /// The token's time has not started.
    NotYetValid,
    /// None of the token's scopes gives access to a FHIR resource.
    NoFhirScope,
}

impl Refusal {
    /// The code, in snake case.
    pub fn code(self) -> &'static str {
        match self {
            Self::MalformedEvent => "malformed_event",
            Self::MalformedToken => "malformed_token",
            Self::UnsupportedAlgorithm => "unsupported_algorithm",
            Self::UnsupportedHeader => "unsupported_header",
            Self::UnknownKey => "unknown_key",
            Self::KeysUnavailable => "keys_unavailable",
            Self::BadSignature => "bad_signature",
            Self::MalformedClaims => "malformed_claims",
            Self::WrongIssuer => "wrong_issuer",
            Self::WrongTokenUse => "wrong_token_use",
            Self::WrongClient => "wrong_client",
            Self::WrongAudience => "wrong_audience",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::NoFhirScope => "no_fhir_scope",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

impl Serialize for Refusal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}
