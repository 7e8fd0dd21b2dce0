//! Where a state is kept.

use std::fmt;
use std::path::{Path, PathBuf};

/// A file, or an object in S3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file of this machine.
    File(PathBuf),
    /// An object.
    Object {
        /// Its bucket.
        bucket: String,
        /// Its key.
        key: String,
    },
}

impl Place {
    /// From what a user writes: `s3://bucket/key`, or a path. `None` if the address has no key.
    pub fn parse(text: &str) -> Option<Self> {
        let Some(address) = text.strip_prefix("s3://") else { return Some(Self::File(text.into())) };
        let (bucket, key) = address.split_once('/')?;
        let is_whole = !bucket.is_empty() && !key.is_empty();
        is_whole.then(|| Self::Object { bucket: bucket.to_owned(), key: key.to_owned() })
    }

    /// The neighbour whose name has this at the end.
    pub fn with_suffix(&self, suffix: &str) -> Self {
        match self {
            Self::File(path) => {
                let mut name = path.as_os_str().to_owned();
                name.push(suffix);
                Self::File(name.into())
            }
            Self::Object { bucket, key } => Self::Object { bucket: bucket.clone(), key: format!("{key}{suffix}") },
        }
    }

    /// What stays the same when a pipeline's next job has another directory.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            object @ Self::Object { .. } => object.to_string(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Object { bucket, key } => write!(f, "s3://{bucket}/{key}"),
        }
    }
}

impl From<&Path> for Place {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

impl From<PathBuf> for Place {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn an_address_of_s3_reads_back_as_it_was_written() {
        for text in ["s3://states/fhir.json", "s3://states/a/b c.json", "states/fhir.json", "/tmp/x"] {
            assert_eq!(Place::parse(text).unwrap().to_string(), text);
        }
        for text in ["s3://", "s3://states", "s3://states/", "s3:///key"] {
            assert_eq!(Place::parse(text), None, "{text}");
        }
    }
}
