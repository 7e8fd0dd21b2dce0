//! What is wrong with a command line of `hlctl data`, and how imports and exports end that are not finished.

use std::fmt;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::data::conversion::NotOneJob;
use crate::data::export::DataExportError;
use crate::data::import::{ImportError, NoFiles, NotConvertible, hint_of};
use crate::data::place::Prefix;
use crate::data::unfinished::Unfinished;
use crate::error::{CommandError, Ending, Failure};
use hlctl_model::invocation::CommandLine;

/// A command line names something that cannot be checked, imported or exported.
#[derive(Debug, Error)]
pub(in crate::commands) enum DataError {
    /// It names a place in S3 without a bucket.
    #[error("{0} names no bucket")]
    NoBucket(String),
    /// The data is to come from standard input.
    #[error("standard input cannot be checked: the data is read twice")]
    StandardInput,
    /// The files cannot be read.
    #[error("{} cannot be read: {error}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// A folder has nothing to import.
    #[error("{} has no .ndjson files", .0.display())]
    NoFiles(PathBuf),
    /// A place in S3 has nothing to check.
    #[error("{0}")]
    NoObjects(NoFiles),
    /// References are to be checked in files that are not read.
    #[error("the references in {0} cannot be checked: an import from S3 does not read the files")]
    ReferencesInS3(Prefix),
    /// References are to be checked in files that are no FHIR yet.
    #[error("references cannot be checked in files that HealthLake converts first")]
    ReferencesToConvert,
    /// HealthLake is to convert, and nobody says how.
    #[error("--format {format} needs --transform-profile: the profile that HealthLake converts the files by")]
    NoTransformProfile {
        /// The format, as it is written on the command line.
        format: &'static str,
        /// What was written with --profile, if it was.
        aws_profile: Option<String>,
    },
    /// The profile is for something else.
    #[error("the profile {profile:?} converts {converts}, and --format says {format}")]
    OtherFormat {
        /// Its name or id.
        profile: String,
        /// What it converts, by its name in the API.
        converts: String,
        /// The format that was asked for.
        format: &'static str,
    },
    /// One job does not take the files.
    #[error("{}: {error}", path.display())]
    NotOneJob {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        error: NotOneJob,
    },
    /// Files that hlctl has not uploaded are to be deleted.
    #[error("{0} is not a folder that hlctl uploads, so its files are not deleted")]
    DeletesInS3(Prefix),
    /// FHIR has no such resource type.
    #[error("{0} is not a resource type of FHIR R4")]
    UnknownType(String),
}

impl Failure for DataError {
    fn ending(&self) -> Ending {
        match self {
            Self::NotOneJob { .. } => Ending::Refused,
            _ => Ending::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoBucket(_) => "write s3://BUCKET/PREFIX, or a path".to_owned(),
            Self::StandardInput => "save it to a .ndjson file first".to_owned(),
            Self::Unreadable { .. } => "name a .ndjson file, a folder that has some, or s3://BUCKET/PREFIX".to_owned(),
            Self::NoFiles(_) => {
                "HealthLake imports files whose names end in .ndjson, with one resource on each line".to_owned()
            }
            Self::NoObjects(nothing) => nothing.hint(),
            Self::ReferencesInS3(prefix) => {
                format!("`{}` reads them", hlctl!("data check", prefix).flag("--check-references"))
            }
            Self::ReferencesToConvert => concat!(
                "leave out --check-references; `",
                hlctl!("transform run PROFILE PATH"),
                "` converts without importing, and `",
                hlctl!("data check"),
                "` reads what comes of it"
            )
            .to_owned(),
            Self::NoTransformProfile { aws_profile: Some(name), .. } => {
                format!("--profile is the one in the shared AWS configuration; write --transform-profile {name}")
            }
            Self::NoTransformProfile { aws_profile: None, .. } => {
                concat!("`", hlctl!("transform list"), "` lists the profiles").to_owned()
            }
            Self::OtherFormat { converts, .. } => format!("write --format {}", converts.to_lowercase()),
            Self::NotOneJob { error, .. } => hint_of(error),
            Self::DeletesInS3(_) => "leave out --delete-input".to_owned(),
            Self::UnknownType(_) => "write types as in FHIR: Patient, Observation".to_owned(),
        })
    }
}

/// An import or an export that is not finished, and the command that continues it.
#[derive(Debug)]
pub(in crate::commands) struct Resumable {
    pub(in crate::commands) unfinished: Unfinished,
    pub(in crate::commands) again: CommandLine,
}

impl std::error::Error for Resumable {}

impl fmt::Display for Resumable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.unfinished.fmt(f)
    }
}

impl Failure for Resumable {
    fn ending(&self) -> Ending {
        Ending::Incomplete
    }

    fn hint(&self) -> Option<String> {
        Some(self.unfinished.hint(&self.again))
    }
}

/// An import that did not do all of its work, and the command that continues it.
#[derive(Debug)]
pub(super) struct ImportEnded {
    error: ImportError,
    again: CommandLine,
}

impl ImportEnded {
    /// The error of a command that ends with it.
    pub(super) fn error(error: ImportError, again: &CommandLine) -> CommandError {
        match error {
            ImportError::Journal(error) => error.into(),
            ImportError::NotChecked(error) => CommandError::Other(error.into()),
            ImportError::Jobs(error) => CommandError::Aws(error),
            ImportError::Interrupted(signal) => CommandError::Interrupted(signal),
            ImportError::Problems(problems) => problems.into(),
            ImportError::Lost(lost) => (*lost).into(),
            error => Self { error, again: again.clone() }.into(),
        }
    }
}

impl std::error::Error for ImportEnded {}

impl fmt::Display for ImportEnded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Failure for ImportEnded {
    fn ending(&self) -> Ending {
        match &self.error {
            ImportError::ReadsItsOwnOutput { .. }
            | ImportError::NoFiles(_)
            | ImportError::NotConvertible(NotConvertible::NoFiles { .. }) => Ending::Usage,
            ImportError::LeftRunning(_) => Ending::LeftRunning,
            ImportError::Unfinished(_)
            | ImportError::NotAll { .. }
            | ImportError::FilesChanged
            | ImportError::LessStrict { .. }
            | ImportError::InputKept { .. }
            | ImportError::ConversionUnread { .. } => Ending::Incomplete,
            ImportError::Lost(_) => Ending::Elsewhere,
            ImportError::Problems(_)
            | ImportError::Blocked(_)
            | ImportError::NotConvertible(NotConvertible::NotOneJob { .. }) => Ending::Refused,
            ImportError::Journal(_)
            | ImportError::NotChecked(_)
            | ImportError::Jobs(_)
            | ImportError::Interrupted(_) => Ending::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        self.error.hint(&self.again)
    }
}

/// An export that is not whole, and the command that continues it.
#[derive(Debug)]
pub(super) struct ExportEnded {
    error: DataExportError,
    again: CommandLine,
}

impl ExportEnded {
    /// The error of a command that ends with it.
    pub(super) fn error(error: DataExportError, again: &CommandLine) -> CommandError {
        match error {
            DataExportError::Journal(error) => error.into(),
            DataExportError::NotListed(error) => CommandError::Aws(error),
            DataExportError::Interrupted(signal) => CommandError::Interrupted(signal),
            DataExportError::Lost(lost) => (*lost).into(),
            error => Self { error, again: again.clone() }.into(),
        }
    }
}

impl std::error::Error for ExportEnded {}

impl fmt::Display for ExportEnded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Failure for ExportEnded {
    fn ending(&self) -> Ending {
        match &self.error {
            DataExportError::NotEmpty(_) => Ending::Usage,
            DataExportError::Blocked(_) => Ending::Refused,
            DataExportError::LeftRunning { .. } => Ending::LeftRunning,
            DataExportError::Unfinished(_) | DataExportError::Expired { .. } => Ending::Incomplete,
            DataExportError::Lost(_) => Ending::Elsewhere,
            DataExportError::Journal(_)
            | DataExportError::NotListed(_)
            | DataExportError::Interrupted(_)
            | DataExportError::File { .. } => Ending::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        self.error.hint(&self.again)
    }
}
