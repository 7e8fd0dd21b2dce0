//! A store's data on its way in and out: checks, uploads, jobs, downloads.
//!
//! What begins is written into a [`journal`] next to the state before AWS is asked for it, so that the same command takes up
//! where a killed one stood. Nothing of a resource's content is in it.

pub use hlctl_data::check;

pub mod access;
pub mod bulk_context;
pub mod conversion;
pub mod download;
pub mod export;
pub mod failures;
pub mod import;
pub mod job;
pub mod journal;
pub mod lost_store;
pub mod objects;
pub mod place;
pub mod profiles;
pub mod source;
pub mod streamed;
pub mod trial;
pub mod unfinished;
pub mod upload;

use base64ct::{Base64, Encoding};

/// A CRC-64/NVME as S3 writes it.
pub fn crc64_text(crc: u64) -> String {
    Base64::encode_string(&crc.to_be_bytes())
}
