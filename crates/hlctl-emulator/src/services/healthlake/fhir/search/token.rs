//! The token of a further page: where it begins, and all that was asked.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::{Deserialize, Serialize};

use crate::services::healthlake::fhir::refusal::{Outcome, Refusal};

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Token {
    /// What is paged through: a type, or a path.
    of: String,
    pub(in super::super) asked: Vec<(String, String)>,
    pub(in super::super) start: usize,
}

impl Token {
    pub(in super::super) fn write(of: &str, asked: &[(String, String)], start: usize) -> String {
        let token = Self { of: of.to_owned(), asked: asked.to_vec(), start };
        BASE64.encode(serde_json::to_vec(&token).unwrap_or_default())
    }

    /// Reads a token for a page of the same thing.
    pub(in super::super) fn read(text: &str, of: &str) -> Outcome<Self> {
        BASE64
            .decode(text)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok())
            .filter(|token| token.of == of)
            .ok_or_else(|| Refusal::invalid("Invalid pagination token."))
    }

    /// Refuses another `_count` than the token was made with; `usual` is what none means, and the most. That a token is bound to it is on no
    /// page: AWS Labs' own client (PyPI awslabs-healthlake-mcp-server) had to learn it from live stores.
    pub(in super::super) fn check_count(&self, asked: &[(String, String)], usual: usize) -> Outcome<()> {
        let count = |parameters: &[(String, String)]| {
            let given = parameters.iter().rev().find(|(name, value)| name == "_count" && !value.is_empty());
            // Histories and `$everything` take more than the most as the most.
            given.map(|(_, value)| value.parse().map_or(usize::MAX, |count: usize| count.clamp(1, usual)))
        };
        match count(asked) {
            Some(now) if now != count(&self.asked).unwrap_or(usual) => {
                Err(Refusal::invalid("Invalid pagination token."))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn a_token_is_for_what_it_was_made_for() {
        let asked = [("name".to_owned(), "é".to_owned())];
        let text = Token::write("Patient", &asked, 7);
        assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{text}");
        let token = Token::read(&text, "Patient").unwrap();
        assert_eq!((token.asked.as_slice(), token.start), (&asked[..], 7));
        assert!(Token::read(&text, "Observation").is_err());
        assert!(Token::read("nonsense", "Patient").is_err());
        let count = |value: &str| [("_count".to_owned(), value.to_owned())];
        assert!(token.check_count(&count("100"), 100).is_ok() && token.check_count(&[], 100).is_ok());
        assert!(token.check_count(&count("5"), 100).is_err());
    }
}
