//! Where data comes from or goes to: a place in S3, or a folder here.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A bucket and a prefix in it, which is empty or ends in a slash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prefix {
    /// The bucket.
    pub bucket: String,
    /// What the keys begin with.
    pub prefix: String,
}

impl Prefix {
    /// Reads `s3://bucket` or `s3://bucket/prefix`.
    pub fn parse(uri: &str) -> Option<Self> {
        let rest = uri.strip_prefix("s3://")?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let mut prefix = prefix.to_owned();
        if !prefix.is_empty() && !prefix.ends_with('/') {
            prefix.push('/');
        }
        (!bucket.is_empty()).then(|| Self { bucket: bucket.to_owned(), prefix })
    }

    /// Whether the other is this one, or a part of it.
    pub fn contains(&self, other: &Self) -> bool {
        self.bucket == other.bucket && other.prefix.starts_with(&self.prefix)
    }

    /// The part of it under this name.
    pub fn under(&self, name: &str) -> Self {
        Self { bucket: self.bucket.clone(), prefix: format!("{}{name}/", self.prefix) }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

/// What a command line names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataLocation {
    /// In S3.
    S3(Prefix),
    /// On this machine.
    Local(PathBuf),
}

impl DataLocation {
    /// Reads a path or an `s3://` address; `None` for such an address without a bucket.
    pub fn parse(text: &str) -> Option<Self> {
        if text.starts_with("s3://") { Prefix::parse(text).map(Self::S3) } else { Some(Self::Local(text.into())) }
    }

    /// One text for one place, however it is written and from whichever directory.
    pub fn subject(&self) -> String {
        match self {
            Self::S3(prefix) => prefix.to_string(),
            Self::Local(path) => real(path).display().to_string(),
        }
    }
}

/// The path without links and detours as far as it exists.
fn real(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let found = whole.ancestors().find_map(|part| Some((part, part.canonicalize().ok()?)));
    match found.and_then(|(part, real)| Some((real, whole.strip_prefix(part).ok()?))) {
        Some((real, rest)) => real.join(rest).components().collect(),
        None => whole,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn a_folder_is_one_place_however_it_is_written() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("in")).unwrap();
        let subject = |path: &str| DataLocation::Local(directory.path().join(path)).subject();
        assert_eq!(subject("in"), subject("in/"));
        assert_eq!(subject("in"), subject("in/../in/."));
        assert_eq!(subject("new"), subject("in/../new/"));
        assert_ne!(subject("in"), subject("new"));
    }

    #[test]
    fn prefixes_end_in_a_slash_or_are_empty() {
        let text = |uri: &str| Prefix::parse(uri).map(|prefix| prefix.to_string());
        assert_eq!(text("s3://b").as_deref(), Some("s3://b/"));
        assert_eq!(text("s3://b/x/y").as_deref(), Some("s3://b/x/y/"));
        assert_eq!(text("s3://b/x/").as_deref(), Some("s3://b/x/"));
        assert_eq!(text("s3:///x"), None);
        assert_eq!(DataLocation::parse("x/y"), Some(DataLocation::Local("x/y".into())));
    }
}
