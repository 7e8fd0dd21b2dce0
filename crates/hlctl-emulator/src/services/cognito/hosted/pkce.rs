//! Proof Key for Code Exchange (RFC 7636), with S256 only, as Cognito has it.

use crate::services::cognito::issued::digested;

/// Whether a text can be a challenge or a verifier.
pub(super) fn is_well_formed(text: &str) -> bool {
    (43..=128).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c))
}

/// Whether a code may be exchanged: with the verifier of its challenge, or, if it was asked for without a
/// challenge, without a verifier.
pub(super) fn is_met(challenge: Option<&str>, verifier: Option<&str>) -> bool {
    match (challenge, verifier) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) => is_well_formed(verifier) && digested(verifier) == challenge,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_verifier_of_the_challenge_is_the_only_one() {
        assert!(is_met(Some(CHALLENGE), Some(VERIFIER)));
        assert!(!is_met(Some(CHALLENGE), Some(CHALLENGE)));
        assert!(!is_met(Some(CHALLENGE), None));
        assert!(!is_met(None, Some(VERIFIER)));
        assert!(is_met(None, None));
        assert!(!is_met(Some("short"), Some("short")));
    }

    #[test]
    fn texts_are_of_43_to_128_characters_that_need_no_escaping() {
        assert!(is_well_formed(CHALLENGE) && is_well_formed(&"a".repeat(128)));
        for wrong in ["a".repeat(42), "a".repeat(129), "+".repeat(43)] {
            assert!(!is_well_formed(&wrong), "{wrong}");
        }
    }
}
