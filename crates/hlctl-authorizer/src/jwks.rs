//! A key set (RFC 7517), and which of its keys are good for anything here.
//!
//! A usable key is an RSA key with a key id, meant for signatures by RS256 or not meant for anything in particular, of 2048 to
//! 8192 bits. Other keys are passed over: a server may have them for other purposes. Of two keys with the same id the first counts.

use std::ops::RangeInclusive;

use jsonwebtoken::{DecodingKey, DecodingKeyKind};
use serde::Deserialize;
use serde_json::Value;

/// The largest key set that is read. Cognito's has two keys and less than one kilobyte.
pub(crate) const DOCUMENT_LIMIT: usize = 64 * 1024;
/// The longest key id that is looked for.
const KEY_ID_LIMIT: usize = 256;
const MODULUS_BITS: RangeInclusive<usize> = 2048..=8192;

/// The usable keys of a key set, at least one.
#[derive(Clone)]
pub(crate) struct KeySet(Vec<(String, DecodingKey)>);

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: String,
    n: String,
    e: String,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
}

impl KeySet {
    /// Reads a key set. `None` if it is none or has no usable key.
    pub(crate) fn parse(document: &[u8]) -> Option<Self> {
        if document.len() > DOCUMENT_LIMIT {
            return None;
        }
        let document: Document = serde_json::from_slice(document).ok()?;
        let keys: Vec<_> = document.keys.into_iter().filter_map(usable).collect();
        (!keys.is_empty()).then_some(Self(keys))
    }

    /// The key of this id.
    pub(crate) fn get(&self, id: &str) -> Option<&DecodingKey> {
        self.0.iter().find(|(held, _)| held == id).map(|(_, key)| key)
    }
}

/// Whether a key set could have a key of this id at all.
pub(crate) fn is_plausible_id(id: &str) -> bool {
    (1..=KEY_ID_LIMIT).contains(&id.len())
}

fn usable(key: Value) -> Option<(String, DecodingKey)> {
    let jwk: Jwk = serde_json::from_value(key).ok()?;
    let for_signatures = jwk.purpose.is_none_or(|purpose| purpose == "sig");
    let for_rs256 = jwk.alg.is_none_or(|algorithm| algorithm == "RS256");
    let suitable = jwk.kty == "RSA" && for_signatures && for_rs256 && is_plausible_id(&jwk.kid);
    suitable.then(|| public_key(&jwk.n, &jwk.e)).flatten().map(|key| (jwk.kid, key))
}

fn public_key(modulus: &str, exponent: &str) -> Option<DecodingKey> {
    let key = DecodingKey::from_rsa_components(modulus, exponent).ok()?;
    let DecodingKeyKind::RsaModulusExponent { n, e } = key.kind() else { return None };
    // Some servers write the sign of the number as a leading zero, which RFC 7518 forbids and ring refuses.
    let (modulus, exponent) = (without_zeros(n), without_zeros(e));
    MODULUS_BITS.contains(&bits(modulus)).then(|| DecodingKey::from_rsa_raw_components(modulus, exponent))
}

/// The length of a number without zeros before it.
fn bits(number: &[u8]) -> usize {
    let unused = number.first().map_or(0, |first| first.leading_zeros() as usize);
    number.len() * 8 - unused
}

fn without_zeros(mut number: &[u8]) -> &[u8] {
    while let [0, rest @ ..] = number {
        number = rest;
    }
    number
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn is_usable(modulus: &[u8]) -> bool {
        let n = URL_SAFE_NO_PAD.encode(modulus);
        let set = json!({ "keys": [{ "kty": "RSA", "kid": "a", "n": n, "e": "AQAB" }] });
        KeySet::parse(set.to_string().as_bytes()).is_some()
    }

    #[test]
    fn a_key_has_2048_to_8192_bits_however_it_is_written() {
        for (bytes, good) in [(128, false), (255, false), (256, true), (1024, true), (1025, false)] {
            assert_eq!(is_usable(&vec![0x80; bytes]), good, "{bytes} bytes");
            assert_eq!(is_usable(&[vec![0; 300], vec![0x80; bytes]].concat()), good, "{bytes} bytes after zeros");
        }
        assert!(!is_usable(&[0; 256]) && !is_usable(&[]));
        assert!(!is_usable(&[vec![0x7f], vec![0xff; 255]].concat()), "2047 bits in as many bytes as 2048");
    }

    #[test]
    fn a_document_has_a_bound() {
        let key = json!({ "kty": "RSA", "kid": "a", "n": "gA".repeat(171) + "A", "e": "AQAB" });
        let set = |padding: usize| format!("{}{}", json!({ "keys": [key] }), " ".repeat(padding));
        assert!(KeySet::parse(set(0).as_bytes()).is_some());
        assert!(KeySet::parse(set(DOCUMENT_LIMIT).as_bytes()).is_none());
    }

    proptest! {
        #[test]
        fn no_document_breaks_the_reader(document in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = KeySet::parse(&document);
        }

        #[test]
        fn no_key_breaks_the_reader(n in ".*", e in ".*", kid in ".*", kty in "(RSA|EC|.*)") {
            let set = json!({ "keys": [{ "kty": kty, "kid": kid, "n": n, "e": e }, 1, null] });
            let _ = KeySet::parse(set.to_string().as_bytes());
        }
    }
}
