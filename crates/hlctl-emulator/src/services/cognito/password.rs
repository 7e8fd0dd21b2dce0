//! Passwords: what a pool asks of them, and how they are kept.

use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::pbkdf2;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::hidden::Hidden;
use crate::error::{AwsError, AwsResult};
use crate::ids::Ids;

const ALGORITHM: pbkdf2::Algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
/// Enough to make guessing from a stolen sandbox slow, and little enough for a debug build.
const ROUNDS: NonZeroU32 = NonZeroU32::MIN.saturating_add(9_999);

/// What counts as a symbol (developer guide, adding user pool password requirements).
const SYMBOLS: &str = "^$*.[]{}()?-\"!@#%&/\\,><':;|_~`+=";

/// A password that can be recognised but not read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Hash {
    salt: Hidden,
    hash: Hidden,
}

impl Hash {
    pub(super) fn of(password: &str) -> AwsResult<Self> {
        let mut salt = [0; 16];
        SystemRandom::new().fill(&mut salt).map_err(|_| {
            AwsError::new(500, "InternalErrorException", "hlctl-emulator gets no random numbers from the system")
        })?;
        let mut hash = [0; 32];
        pbkdf2::derive(ALGORITHM, ROUNDS, &salt, password.as_bytes(), &mut hash);
        Ok(Self { salt: Hidden::new(BASE64.encode(salt)), hash: Hidden::new(BASE64.encode(hash)) })
    }

    pub(super) fn is_of(&self, password: &str) -> bool {
        let bytes = |text: &Hidden| BASE64.decode(text.reveal()).unwrap_or_default();
        pbkdf2::verify(ALGORITHM, ROUNDS, &bytes(&self.salt), password.as_bytes(), &bytes(&self.hash)).is_ok()
    }
}

/// Holds a password to a pool's policy.
pub(super) fn check(settings: &Map<String, Value>, password: &str) -> AwsResult<()> {
    let policy = &settings["Policies"]["PasswordPolicy"];
    let asks = |name: &str| policy[name] == true;
    let has = |kind: fn(char) -> bool| password.chars().any(kind);
    let length = u64::try_from(password.chars().count()).unwrap_or(u64::MAX);
    let fault = if length < policy["MinimumLength"].as_u64().unwrap_or(8) {
        "Password not long enough"
    } else if asks("RequireUppercase") && !has(|c| c.is_ascii_uppercase()) {
        "Password must have uppercase characters"
    } else if asks("RequireLowercase") && !has(|c| c.is_ascii_lowercase()) {
        "Password must have lowercase characters"
    } else if asks("RequireNumbers") && !has(|c| c.is_ascii_digit()) {
        "Password must have numeric characters"
    } else if asks("RequireSymbols") && !has(|c| SYMBOLS.contains(c)) {
        "Password must have symbol characters"
    } else {
        return Ok(());
    };
    Err(AwsError::bad_request("InvalidPasswordException", format!("Password did not conform with policy: {fault}")))
}

/// A password that every policy takes.
pub(super) fn generated(ids: &Ids) -> String {
    format!("Aa1!{}", ids.alphanumeric(95))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::super::settings;
    use super::*;
    use serde_json::json;

    #[test]
    fn each_requirement_is_held() {
        let settings = settings::created(&json!({})).unwrap();
        check(&settings, "Passw0rd!").unwrap();
        check(&settings, &generated(&Ids::seeded(1))).unwrap();
        for (password, fault) in [
            ("Pass0d!", "long"),
            ("passw0rd!", "uppercase"),
            ("PASSW0RD!", "lowercase"),
            ("Password!", "numeric"),
            ("Passw0rds", "symbol"),
        ] {
            let error = check(&settings, password).unwrap_err();
            assert_eq!(error.code, "InvalidPasswordException");
            assert!(error.message.contains(fault) && !error.message.contains(password), "{error:?}");
        }
    }

    #[test]
    fn a_policy_asks_for_what_it_names_only() {
        let policy = json!({"Policies": {"PasswordPolicy": {"MinimumLength": 6, "RequireNumbers": true}}});
        let settings = settings::created(&policy).unwrap();
        check(&settings, "12345a").unwrap();
        assert!(check(&settings, "abcdef").is_err());
    }

    #[test]
    fn a_hash_knows_its_password_and_shows_nothing() {
        let (one, two) = (Hash::of("secret").unwrap(), Hash::of("secret").unwrap());
        assert!(one.is_of("secret") && !one.is_of("Secret"));
        assert_ne!(one.hash, two.hash);
        assert_eq!(format!("{one:?}"), "Hash { salt: (hidden), hash: (hidden) }");
        assert!(!serde_json::to_string(&one).unwrap().contains("secret"));
    }
}
