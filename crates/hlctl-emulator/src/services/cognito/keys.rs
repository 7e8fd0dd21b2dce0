//! The keys that sign a pool's tokens.
//!
//! A pool has two RSA keys of 2048 bits: one signs ID tokens, the other access tokens (Cognito developer
//! guide, verifying JSON web tokens). They are made when they are first needed and kept with the pool.
//! Primes come from `crypto-primes`, whose work is done in `BoxedUint`, which is compiled with
//! optimisation even where this crate is not; `ring` puts the key together, checks it and signs.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD as BASE64_URL};
use crypto_bigint::{BoxedUint, ConcatenatingMul as _, NonZero, Resize as _};
use crypto_primes::hazmat::{SetBits, SmallFactorsSieveFactory};
use crypto_primes::{Flavor, is_prime, sieve_and_find};
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::rsa::{KeyPair, KeyPairComponents, PublicKeyComponents};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::hidden::Hidden;
use super::random::Stream;
use crate::error::AwsError;

const BITS: u32 = 2048;
const EXPONENT: [u8; 3] = [1, 0, 1];

/// Both keys of a pool.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Keys {
    pub(super) id: Key,
    pub(super) access: Key,
}

/// One RSA key. The numbers are big-endian, in base64.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Key {
    kid: String,
    n: String,
    d: Hidden,
    p: Hidden,
    q: Hidden,
    d_p: Hidden,
    d_q: Hidden,
    q_inverse: Hidden,
}

/// The key could not be made or used. The details would help nobody.
#[derive(Debug)]
pub(super) struct KeyFailure;

impl From<ring::error::Unspecified> for KeyFailure {
    fn from(_: ring::error::Unspecified) -> Self {
        Self
    }
}

impl From<KeyFailure> for AwsError {
    fn from(_: KeyFailure) -> Self {
        Self::new(500, "InternalErrorException", "hlctl-emulator cannot make or use a signing key")
    }
}

impl Keys {
    pub(super) fn new() -> Result<Self, KeyFailure> {
        Ok(Self { id: Key::new()?, access: Key::new()? })
    }

    /// The document at `/.well-known/jwks.json`.
    pub(super) fn set(&self) -> Value {
        json!({"keys": [self.id.public(), self.access.public()]})
    }

    /// The key that a token names.
    pub(super) fn named(&self, kid: &str) -> Option<&Key> {
        [&self.id, &self.access].into_iter().find(|key| key.kid == kid)
    }
}

impl Key {
    fn new() -> Result<Self, KeyFailure> {
        let system = SystemRandom::new();
        let mut stream = Stream::new(&system)?;
        let mut kid = [0; 32];
        system.fill(&mut kid)?;
        let (one, other) = (prime(&mut stream)?, prime(&mut stream)?);
        let (p, q) = if one > other { (one, other) } else { (other, one) };
        let numbers = Numbers::of(&p, &q).ok_or(KeyFailure)?;
        Ok(Self {
            kid: BASE64.encode(kid),
            n: encoded(&numbers.n),
            d: Hidden::new(encoded(&numbers.d)),
            p: Hidden::new(encoded(&p)),
            q: Hidden::new(encoded(&q)),
            d_p: Hidden::new(encoded(&numbers.d_p)),
            d_q: Hidden::new(encoded(&numbers.d_q)),
            q_inverse: Hidden::new(encoded(&numbers.q_inverse)),
        })
    }

    pub(super) fn kid(&self) -> &str {
        &self.kid
    }

    /// RS256 over `message`.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyFailure> {
        let bytes = |text: &str| BASE64.decode(text).map_err(|_| KeyFailure);
        let pair = KeyPair::from_components(&KeyPairComponents {
            public_key: PublicKeyComponents { n: bytes(&self.n)?, e: EXPONENT.to_vec() },
            d: bytes(self.d.reveal())?,
            p: bytes(self.p.reveal())?,
            q: bytes(self.q.reveal())?,
            dP: bytes(self.d_p.reveal())?,
            dQ: bytes(self.d_q.reveal())?,
            qInv: bytes(self.q_inverse.reveal())?,
        })
        .map_err(|_| KeyFailure)?;
        let mut signature = vec![0; pair.public().modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)?;
        Ok(signature)
    }

    /// Whether `signature` is this key's over `message`.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        BASE64.decode(&self.n).is_ok_and(|n| {
            PublicKeyComponents { n, e: EXPONENT.to_vec() }
                .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
                .is_ok()
        })
    }

    fn public(&self) -> Value {
        let n = BASE64.decode(&self.n).unwrap_or_default();
        json!({
            "alg": "RS256",
            "e": BASE64_URL.encode(EXPONENT),
            "kid": self.kid,
            "kty": "RSA",
            "n": BASE64_URL.encode(n),
            "use": "sig",
        })
    }
}

/// What follows from the primes (RFC 8017, section 3.2).
struct Numbers {
    n: BoxedUint,
    d: BoxedUint,
    d_p: BoxedUint,
    d_q: BoxedUint,
    q_inverse: BoxedUint,
}

impl Numbers {
    fn of(p: &BoxedUint, q: &BoxedUint) -> Option<Self> {
        let one = BoxedUint::one_with_precision(BITS / 2);
        let (p_less, q_less) = (p.wrapping_sub(&one), q.wrapping_sub(&one));
        Some(Self {
            n: p.concatenating_mul(q),
            d: private_exponent(&p_less.concatenating_mul(&q_less))?,
            d_p: private_exponent(&p_less)?,
            d_q: private_exponent(&q_less)?,
            q_inverse: Option::from(q.invert_mod(&Option::<NonZero<_>>::from(NonZero::new(p.clone()))?))?,
        })
    }
}

/// A prime whose two highest bits are set, so that a product of two has all of its bits.
fn prime(stream: &mut Stream) -> Result<BoxedUint, KeyFailure> {
    let candidates = SmallFactorsSieveFactory::new(Flavor::Any, BITS / 2, SetBits::TwoMsb).map_err(|_| KeyFailure)?;
    let found = sieve_and_find(stream, candidates, |_, candidate| is_prime(Flavor::Any, candidate));
    found.map_err(|_| KeyFailure)?.ok_or(KeyFailure)
}

/// The inverse of the public exponent.
fn private_exponent(modulus: &BoxedUint) -> Option<BoxedUint> {
    let exponent = BoxedUint::from(65_537_u32).resize(modulus.bits_precision());
    let modulus: Option<NonZero<BoxedUint>> = NonZero::new(modulus.clone()).into();
    Option::from(exponent.invert_mod(&modulus?))
}

/// Without leading zeros, as `ring` wants it.
fn encoded(number: &BoxedUint) -> String {
    BASE64.encode(number.to_be_bytes_trimmed_vartime())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn a_key_verifies_what_it_signed_and_nothing_else() {
        let keys = Keys::new().unwrap();
        let signature = keys.access.sign(b"message").unwrap();
        assert!(keys.access.verifies(b"message", &signature));
        assert!(!keys.access.verifies(b"massage", &signature));
        assert!(!keys.id.verifies(b"message", &signature));
    }

    #[test]
    fn a_key_shows_its_public_half_only() {
        let keys = Keys::new().unwrap();
        let set = keys.set();
        assert_eq!(set["keys"].as_array().unwrap().len(), 2);
        assert_eq!(set["keys"][0]["kid"].as_str().unwrap().len(), 44);
        assert_eq!(set["keys"][1]["e"], "AQAB");
        assert!(!format!("{keys:?}").contains(keys.id.d.reveal()));
        assert!(!set.to_string().contains(&BASE64_URL.encode(BASE64.decode(keys.id.p.reveal()).unwrap())));
    }
}
