//! The ids of generated resources.
//!
//! AWS documents that ids are stable and are made of the source system, the table and the primary key (CSV profiles, "Table
//! definition" and "Tips"), and not how. These are hlctl's own: they stay the same for the same input, and differ from those
//! that AWS generates.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// Makes the ids of one resource mapping.
#[derive(Clone, Debug)]
pub(crate) struct Identities {
    seed: Sha256,
}

impl Identities {
    /// `ordinal` tells the mappings of one table apart that produce the same type; references lead to the first.
    pub(crate) fn new(system: &str, table: &str, resource: &str, ordinal: usize) -> Self {
        let mut seed = Sha256::new();
        for part in [system, table, resource, &ordinal.to_string()] {
            // Lengths keep `a` + `bc` apart from `ab` + `c`.
            seed.update((part.len() as u64).to_le_bytes());
            seed.update(part);
        }
        Self { seed }
    }

    /// Appends the id for a primary key: a UUID of version 8 (RFC 9562), made of a SHA-256.
    pub(crate) fn write(&self, key: &str, out: &mut String) {
        let digest = self.seed.clone().chain_update(key).finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        bytes[6] = bytes[6] & 0x0f | 0x80;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        for (at, byte) in bytes.into_iter().enumerate() {
            if [4, 6, 8, 10].contains(&at) {
                out.push('-');
            }
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}

/// `Patient/…`, as a reference has it.
pub(crate) fn reference(resource: &str, identities: &Identities, key: &str, out: &mut String) {
    // Writing to a text does not fail.
    let _ = write!(out, "{resource}/");
    identities.write(key, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(system: &str, table: &str, resource: &str, ordinal: usize, key: &str) -> String {
        let mut out = String::new();
        Identities::new(system, table, resource, ordinal).write(key, &mut out);
        out
    }

    #[test]
    fn an_id_depends_on_every_part_and_on_nothing_else() {
        let one = id("ehr", "PATIENTS", "Patient", 0, "1");
        assert_eq!(one, id("ehr", "PATIENTS", "Patient", 0, "1"));
        assert_eq!(one.len(), 36);
        assert_eq!(&one[14..15], "8");
        for other in [
            id("ehr2", "PATIENTS", "Patient", 0, "1"),
            id("ehr", "PATIENTS2", "Patient", 0, "1"),
            id("ehr", "PATIENTS", "Person", 0, "1"),
            id("ehr", "PATIENTS", "Patient", 1, "1"),
            id("ehr", "PATIENTS", "Patient", 0, "2"),
            id("ehrP", "ATIENTS", "Patient", 0, "1"),
        ] {
            assert_ne!(one, other);
        }
    }
}
