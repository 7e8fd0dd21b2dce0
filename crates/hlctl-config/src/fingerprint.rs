//! By what a changed secret is noticed where the secret itself may not be kept.

use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};

use crate::Secret;

/// A salted Argon2id hash of a secret. Its reader must guess the secret, and each guess costs time and memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// 16 random bytes, in hexadecimal.
    salt: String,
    /// 32 bytes, in hexadecimal.
    argon2id: String,
}

/// OWASP's "Password Storage Cheat Sheet": 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;

impl Fingerprint {
    /// Takes a secret's fingerprint, another one each time.
    ///
    /// # Errors
    /// The secret is longer than Argon2 takes, four gigabytes.
    pub fn of(secret: &Secret) -> Result<Self, String> {
        let salt = hex(uuid::Uuid::new_v4().as_bytes());
        Self::with_salt(secret, salt)
    }

    /// Whether it is that of this secret.
    pub fn is_of(&self, secret: &Secret) -> bool {
        Self::with_salt(secret, self.salt.clone()).is_ok_and(|print| print == *self)
    }

    fn with_salt(secret: &Secret, salt: String) -> Result<Self, String> {
        let params = Params::new(MEMORY_KIB, PASSES, 1, Some(32)).map_err(|error| error.to_string())?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut hash = [0; 32];
        argon2
            .hash_password_into(secret.expose().as_bytes(), salt.as_bytes(), &mut hash)
            .map_err(|error| error.to_string())?;
        Ok(Self { salt, argon2id: hex(&hash) })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn a_fingerprint_knows_its_secret_and_no_other() {
        let secret = Secret::new("correct horse battery");
        let print = Fingerprint::of(&secret).unwrap();
        assert!(print.is_of(&secret));
        assert!(!print.is_of(&Secret::new("correct horse batterY")));
        assert_ne!(print, Fingerprint::of(&secret).unwrap());
        assert!(!serde_json::to_string(&print).unwrap().contains("horse"));
    }
}
