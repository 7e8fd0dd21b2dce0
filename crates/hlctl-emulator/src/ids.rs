//! Where new identifiers come from.

use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

/// A source of identifiers: random, or a repeatable sequence for tests.
///
/// Clones draw from the same sequence.
#[derive(Clone, Debug)]
pub struct Ids(Arc<Mutex<fastrand::Rng>>);

impl Default for Ids {
    fn default() -> Self {
        Self::random()
    }
}

impl Ids {
    /// Identifiers that differ in every process.
    #[must_use]
    pub fn random() -> Self {
        // fastrand seeds itself from the time and the thread, which two processes
        // started together may share; a UUID comes from the system's generator.
        let (high, low) = Uuid::new_v4().as_u64_pair();
        Self::seeded(high ^ low.rotate_left(17))
    }

    /// The same identifiers in the same order for the same seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(fastrand::Rng::with_seed(seed))))
    }

    /// A version 4 UUID with hyphens.
    #[must_use]
    pub fn uuid(&self) -> String {
        self.next_uuid().hyphenated().to_string()
    }

    /// Thirty-two lowercase hexadecimal digits.
    #[must_use]
    pub fn hex32(&self) -> String {
        self.next_uuid().simple().to_string()
    }

    /// `prefix` and enough capitals and digits to make 21 characters, as IAM's unique ids are.
    #[must_use]
    pub fn unique_id(&self, prefix: &str) -> String {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        prefix.to_owned() + &self.text(ALPHABET, 21usize.saturating_sub(prefix.len()))
    }

    /// A version id as S3 writes them: 32 characters that need no escaping in a URL.
    #[must_use]
    pub fn version_id(&self) -> String {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._";
        self.text(ALPHABET, 32)
    }

    /// Letters, large and small, and digits.
    #[must_use]
    pub fn alphanumeric(&self, length: usize) -> String {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        self.text(ALPHABET, length)
    }

    /// Small letters and digits.
    #[must_use]
    pub fn small_alphanumeric(&self, length: usize) -> String {
        const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
        self.text(ALPHABET, length)
    }

    fn text(&self, alphabet: &[u8], length: usize) -> String {
        let mut rng = self.lock();
        (0..length).map(|_| char::from(alphabet[rng.usize(..alphabet.len())])).collect()
    }

    fn next_uuid(&self) -> Uuid {
        uuid::Builder::from_random_bytes(self.lock().u128(..).to_be_bytes()).into_uuid()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, fastrand::Rng> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_ids() {
        let (one, two) = (Ids::seeded(7), Ids::seeded(7));
        assert_eq!(one.uuid(), two.uuid());
        assert_eq!(one.hex32().len(), 32);
        assert_ne!(one.uuid(), one.uuid());
        assert_eq!(one.unique_id("AROA").len(), 21);
    }
}
