//! Random numbers for the making of keys.

use std::convert::Infallible;

use crypto_bigint::rand_core::{TryCryptoRng, TryRng};
use ring::error::Unspecified;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

/// An endless stream that cannot fail: a counter under HMAC-SHA256, with a key from the system.
pub(super) struct Stream {
    key: hmac::Key,
    block: u64,
}

impl Stream {
    pub(super) fn new(system: &SystemRandom) -> Result<Self, Unspecified> {
        let mut seed = [0; 32];
        system.fill(&mut seed)?;
        Ok(Self { key: hmac::Key::new(hmac::HMAC_SHA256, &seed), block: 0 })
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            self.block += 1;
            let block = hmac::sign(&self.key, &self.block.to_le_bytes());
            chunk.copy_from_slice(&block.as_ref()[..chunk.len()]);
        }
    }
}

impl TryRng for Stream {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Stream {}
