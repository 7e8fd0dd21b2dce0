//! What can go wrong: an error as AWS would put it, and the emulator's own.

use std::path::PathBuf;

/// An error answer, in no protocol's shape yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AwsError {
    /// The error code that clients branch on.
    pub(crate) code: String,
    pub(crate) message: String,
    /// The HTTP status.
    pub(crate) status: u16,
}

pub(crate) type AwsResult<T> = Result<T, AwsError>;

impl AwsError {
    pub(crate) fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), status }
    }

    /// An error of the caller's making with status 400, which the JSON services use for nearly all.
    pub(crate) fn bad_request(code: &str, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }
}

/// Why an emulator could not be opened or could not serve.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data directory could not be read or written.
    #[error("emulator data in {path}")]
    Data {
        /// The file or directory concerned.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The data directory holds something that is not the emulator's data.
    #[error("emulator data in {path} cannot be understood: {reason}")]
    Format {
        /// The file concerned.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// What is held could not be put into words for a copy.
    #[error("the emulator cannot be copied: {0}")]
    Copy(serde_json::Error),
    /// A setting is impossible.
    #[error("{0}")]
    Option(String),
}

/// The client's connection ends without an answer, because a fault said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the connection was closed without an answer")]
pub struct ConnectionLost;
