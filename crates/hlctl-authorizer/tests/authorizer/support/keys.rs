//! RSA keys, made once per process: none is worth keeping in a repository.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use getrandom::SysRng;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{RsaEncoding, RsaKeyPair};
use rsa::PrivateKey;
use rsa::pkcs8::EncodePrivateKey as _;
use serde_json::{Value, json};

/// A key that signs, and its id.
pub(crate) struct Key {
    pub(crate) id: &'static str,
    pair: RsaKeyPair,
}

/// The key of the user pool.
pub(crate) static POOL: LazyLock<Key> = LazyLock::new(|| Key::make("pool/key+1="));
/// The key that the pool has after a rotation.
pub(crate) static ROTATED: LazyLock<Key> = LazyLock::new(|| Key::make("pool/key+2="));
/// Somebody else's key with the id of the pool's.
pub(crate) static FOREIGN: LazyLock<Key> = LazyLock::new(|| Key::make("pool/key+1="));

impl Key {
    fn make(id: &'static str) -> Self {
        let key = PrivateKey::new(&mut SysRng, 2048).unwrap();
        let pair = RsaKeyPair::from_pkcs8(key.to_pkcs8_der().unwrap().as_bytes()).unwrap();
        Self { id, pair }
    }

    pub(crate) fn sign(&self, message: &[u8], encoding: &'static dyn RsaEncoding) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair.sign(encoding, &SystemRandom::new(), message, &mut signature).unwrap();
        signature
    }

    /// Modulus and exponent.
    pub(crate) fn public(&self) -> PublicKeyComponents<Vec<u8>> {
        PublicKeyComponents::from(self.pair.public())
    }

    /// The public key in a form that everybody has: what an attacker would use as a shared secret.
    pub(crate) fn public_der(&self) -> &[u8] {
        self.pair.public().as_ref()
    }

    pub(crate) fn jwk(&self) -> Value {
        let public = self.public();
        let (n, e) = (URL_SAFE_NO_PAD.encode(public.n), URL_SAFE_NO_PAD.encode(public.e));
        json!({ "kid": self.id, "kty": "RSA", "alg": "RS256", "use": "sig", "n": n, "e": e })
    }
}

pub(crate) fn set(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}
