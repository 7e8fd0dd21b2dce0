//! What keeps a mapping from being tested.

use std::fmt;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::error::{Ending, Failure};
use hlctl_transform::{MappingProblems, Severity, TooManyFiles};

/// A mapping that cannot be tested.
#[derive(Debug, Error)]
pub(super) enum TransformError {
    /// Nothing there is a mapping.
    #[error("{} has no mapping", .0.display())]
    NoMapping(PathBuf),
    /// A folder has more than one, so that its cases could belong to any.
    #[error("{} has several mappings", .0.display())]
    SeveralMappings(PathBuf),
    /// A mapping has no cases.
    #[error("{} has no test cases", .0.display())]
    NoCases(PathBuf),
    /// A file or folder cannot be read.
    #[error("{} cannot be read: {error}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// A file cannot be written.
    #[error("{} cannot be written: {error}", path.display())]
    Unwritable {
        /// Which.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// A case has more files than a job may have.
    #[error("{} has {error}", path.display())]
    TooManyFiles {
        /// The case.
        path: PathBuf,
        /// How many.
        error: TooManyFiles,
    },
}

impl Failure for TransformError {
    fn ending(&self) -> Ending {
        match self {
            Self::NoMapping(_) | Self::SeveralMappings(_) | Self::NoCases(_) | Self::Unreadable { .. } => Ending::Usage,
            Self::Unwritable { .. } | Self::TooManyFiles { .. } => Ending::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoMapping(_) => "name a .yaml file, or a folder that has one".to_owned(),
            Self::SeveralMappings(_) => "name one of the files, or give each mapping a folder of its own".to_owned(),
            Self::NoCases(path) => {
                let folder = path.parent().unwrap_or(path).join("tests");
                format!("put the CSV files of a case into {}", folder.join("NAME").display())
            }
            Self::Unreadable { .. } => "name a mapping in YAML or a folder that can be read".to_owned(),
            Self::Unwritable { .. } => "make the folder writable".to_owned(),
            Self::TooManyFiles { error, .. } => error.hint().to_owned(),
        })
    }
}

/// A mapping that cannot be used.
#[derive(Debug)]
pub(super) struct WrongMapping {
    pub(super) path: PathBuf,
    pub(super) problems: MappingProblems,
}

impl std::error::Error for WrongMapping {}

impl fmt::Display for WrongMapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot be used", self.path.display())?;
        for problem in &self.problems.0 {
            let kind = match problem.fault.severity() {
                Severity::Error => "",
                Severity::Warning => "warning: ",
            };
            let (path, place, fault) = (self.path.display(), problem.place, &problem.fault);
            write!(f, "\n  {path}:{place}: {kind}{fault}\n    hint: {}", fault.hint())?;
        }
        Ok(())
    }
}

impl Failure for WrongMapping {
    fn ending(&self) -> Ending {
        Ending::Failed
    }

    fn hint(&self) -> Option<String> {
        Some(concat!("`", hlctl!("docs transform"), "` describes mappings").to_owned())
    }
}

/// A profile that cannot be used as asked.
#[derive(Debug, Error)]
pub(super) enum ProfileError {
    /// None has this name or id.
    #[error("no profile of the account and region is called {0:?}")]
    Unknown(String),
    /// Several have the name.
    #[error("{} profiles are called {name:?}", ids.len())]
    Ambiguous {
        /// The name.
        name: String,
        /// Their ids.
        ids: Vec<String>,
    },
    /// It has a draft alone.
    #[error("no version of the profile {0:?} is published")]
    Unpublished(String),
    /// The same, of one that is to be used.
    #[error("no version of the profile {0:?} is published, and jobs convert by the version published last")]
    NothingToConvertBy(String),
    /// It has no version of this number.
    #[error("the profile {profile:?} has no version {version}")]
    NoVersion {
        /// The profile's name or id.
        profile: String,
        /// The number.
        version: i32,
    },
    /// A key of its mapping leads out of the folder, or cannot be a file there.
    #[error("the mapping has the key {0:?}, which is not the path of a file within the folder")]
    Key(String),
    /// Two keys differ in case alone.
    #[error("the mapping has the keys {0:?} and {1:?}, which macOS and Windows keep in one file")]
    SameFile(String, String),
    /// Files with another content would be overwritten.
    #[error("{} would be overwritten", .0.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", "))]
    Exists(Vec<PathBuf>),
}

impl Failure for ProfileError {
    fn ending(&self) -> Ending {
        match self {
            Self::Unknown(_)
            | Self::Ambiguous { .. }
            | Self::Unpublished(_)
            | Self::NothingToConvertBy(_)
            | Self::NoVersion { .. } => Ending::Usage,
            Self::Key(_) | Self::SameFile(..) | Self::Exists(_) => Ending::Refused,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unknown(_) => concat!("`", hlctl!("transform list"), "` lists them").to_owned(),
            Self::Ambiguous { ids, .. } => format!("give the id of one of them: {}", ids.join(", ")),
            Self::Unpublished(_) => "--version 0 writes the draft".to_owned(),
            Self::NothingToConvertBy(_) => "an apply of the configuration that has the profile publishes it".to_owned(),
            Self::NoVersion { .. } => {
                concat!("`", hlctl!("transform versions PROFILE"), "` lists them; --version 0 writes the draft")
                    .to_owned()
            }
            Self::Key(_) | Self::SameFile(..) => {
                "nothing was written; the key must be renamed in the profile".to_owned()
            }
            Self::Exists(_) => {
                "nothing was written; name another folder, or overwrite them with --overwrite".to_owned()
            }
        })
    }
}
