//! Why an import did not do all of its work.

use thiserror::Error;

use super::converting::NotConvertible;
use super::report::ImportReport;
use super::request::ValidationLevel;
use crate::data::access::PreflightIssue;
use crate::data::check::Findings;
use crate::data::journal::TransferJournalError;
use crate::data::lost_store::LostStore;
use crate::data::place::Prefix;
use crate::data::unfinished::Unfinished;
use hlctl_aws::AwsError;
use hlctl_engine::wait::Signal;
use hlctl_model::invocation::CommandLine;
use hlctl_model::text::counted;
use hlctl_resources::ResourceError;

/// An import that did not do all of its work.
#[derive(Debug, Error)]
#[error("{error}")]
pub struct ImportFailure {
    /// Why not.
    pub error: ImportError,
    /// What was done, where that is more than the error says.
    pub report: Option<Box<ImportReport>>,
}

/// The check found problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the check found {}", counted(*.0, "problem"))]
pub struct ProblemsFound(pub u64);

impl ProblemsFound {
    /// Whether anything is wrong.
    ///
    /// # Errors
    /// How much.
    pub fn check(findings: &Findings) -> Result<(), Self> {
        let count = findings.problems.iter().map(|group| group.count).sum();
        if count == 0 { Ok(()) } else { Err(Self(count)) }
    }
}

/// There is nothing to check or import at a place in S3.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("there are no .ndjson files under {0}")]
pub struct NoFiles(pub Prefix);

impl NoFiles {
    /// What to do about it.
    pub fn hint(&self) -> String {
        "name the folder that has them: s3://BUCKET/PREFIX".to_owned()
    }
}

/// Why an import did not do all of its work.
#[derive(Debug, Error)]
pub enum ImportError {
    /// The journal cannot be had.
    #[error("{0}")]
    Journal(#[from] TransferJournalError),
    /// AWS does not say whether a job takes what it writes itself for input; the logs of earlier jobs it does.
    #[error("{input} contains {run}, where this import would write: it would read logs, including its own")]
    ReadsItsOwnOutput {
        /// Where it reads.
        input: Prefix,
        /// Where it would write.
        run: Prefix,
    },
    /// There is nothing to import.
    #[error("{0}")]
    NoFiles(#[from] NoFiles),
    /// What is in S3 cannot be converted.
    #[error("{0}")]
    NotConvertible(#[from] NotConvertible),
    /// The names of the files could not be checked.
    #[error("{0}")]
    NotChecked(std::io::Error),
    /// The check found problems.
    #[error("{0}")]
    Problems(#[from] ProblemsFound),
    /// The job would fail.
    #[error("{}", lines(.0))]
    Blocked(Vec<PreflightIssue>),
    /// The jobs of the store cannot be listed.
    #[error("{0}")]
    Jobs(AwsError),
    /// The store is gone.
    #[error("{0}")]
    Lost(Box<LostStore>),
    /// A signal came before anything was begun.
    #[error("interrupted; nothing was changed")]
    Interrupted(Signal),
    /// The same command continues.
    #[error("{0}")]
    Unfinished(#[from] Unfinished),
    /// The job is not waited for.
    #[error("The job {0} was started and is under way.")]
    LeftRunning(String),
    /// Some resources were not imported: by their own fault, which AWS counts, or the service's, which only the logs tell.
    #[error("{} imported, {refused} refused{}{}; the complete logs are under {logs}", counted(*imported, "resource"), match lost {
        0 => String::new(),
        lost => format!(", {lost} lost to service failures"),
    }, match unconverted {
        0 => String::new(),
        1 => "; 1 file was not converted or not as a whole".to_owned(),
        files => format!("; {files} files were not converted or not as a whole"),
    })]
    NotAll {
        /// Resources imported.
        imported: u64,
        /// Resources refused.
        refused: u64,
        /// Resources that the service failed to import.
        lost: u64,
        /// Files that the service did not convert, or not as a whole.
        unconverted: u64,
        /// Where the logs are; empty if AWS does not say.
        logs: String,
    },
    /// An earlier run asked for the job, when the files were others.
    #[error(
        "the job may have imported the files as they were when an earlier run asked for it; they have changed since"
    )]
    FilesChanged,
    /// An earlier run started the job, and asked for less.
    #[error("the job of an earlier run validated as {}, not as {}", level.as_str(), asked.as_str())]
    LessStrict {
        /// The level of the job.
        level: ValidationLevel,
        /// The level that is asked for now.
        asked: ValidationLevel,
    },
    /// All was imported, and the uploaded files are still there.
    #[error("all was imported, but the files that were uploaded to {input} could not be deleted: {error}")]
    InputKept {
        /// Where they are.
        input: Prefix,
        /// Why they could not be deleted.
        error: ResourceError,
    },
    /// What the job says of its conversion cannot be read, so that the uploaded files are not deleted.
    #[error("whether all files were converted is not known, so that the files uploaded to {input} are kept: {error}")]
    ConversionUnread {
        /// Where they are.
        input: Prefix,
        /// Why it cannot be read.
        error: ResourceError,
    },
}

fn lines(concerns: &[PreflightIssue]) -> String {
    concerns.iter().map(|concern| concern.text.as_str()).collect::<Vec<_>>().join("\n")
}

impl ImportError {
    /// What to do about it; `again` is the command that continues.
    pub fn hint(&self, again: &CommandLine) -> Option<String> {
        Some(match self {
            Self::ReadsItsOwnOutput { .. } => "name a folder that has only the files: s3://BUCKET/FOLDER".to_owned(),
            Self::NoFiles(nothing) => nothing.hint(),
            Self::NotConvertible(what) => what.hint(),
            Self::Lost(lost) => lost.hint(),
            Self::Unfinished(unfinished) => unfinished.hint(again),
            Self::LeftRunning(_) => format!("`{again}` waits for it; `{}` shows it", hlctl!("data jobs")),
            Self::NotAll { unconverted: 1.., .. } => {
                format!("correct those files, then `{again}` sends what has changed")
            }
            Self::NotAll { refused: 0, .. } => format!("`{again}` imports all of them again"),
            Self::NotAll { .. } => format!("correct those lines, then `{again}` sends what has changed"),
            Self::LessStrict { asked, .. } => format!("`{again}` imports them again as {}", asked.as_str()),
            Self::FilesChanged => format!("`{again}` imports them as they are now"),
            Self::InputKept { error, .. } => {
                let again = format!("`{again}` deletes them, and imports nothing again");
                error.hint().map_or_else(|| again.clone(), |cause| format!("{cause}\n{again}"))
            }
            Self::ConversionUnread { error, .. } => {
                let again = format!("`{again}` looks again, and imports nothing again");
                error.hint().map_or_else(|| again.clone(), |cause| format!("{cause}\n{again}"))
            }
            Self::Jobs(error) => return hlctl_aws::hint::hint(error),
            Self::Journal(_) | Self::NotChecked(_) | Self::Problems(_) | Self::Blocked(_) | Self::Interrupted(_) => {
                return None;
            }
        })
    }
}

impl From<ImportError> for ImportFailure {
    fn from(error: ImportError) -> Self {
        Self { error, report: None }
    }
}

impl From<TransferJournalError> for ImportFailure {
    fn from(error: TransferJournalError) -> Self {
        ImportError::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_imported_is_counted_by_whose_fault_it_is() {
        let not_all_of = |refused, lost, unconverted| {
            let logs = "s3://b/".to_owned();
            ImportError::NotAll { imported: 1, refused, lost, unconverted, logs }
        };
        let not_all = |refused, lost| not_all_of(refused, lost, 0);
        let again = CommandLine::new("data import");
        let error = not_all(0, 3);
        let text = "1 resource imported, 0 refused, 3 lost to service failures; the complete logs are under s3://b/";
        assert_eq!(error.to_string(), text);
        assert!(error.hint(&again).is_some_and(|hint| hint.ends_with("imports all of them again")));
        let error = not_all(2, 0);
        assert_eq!(error.to_string(), "1 resource imported, 2 refused; the complete logs are under s3://b/");
        assert!(error.hint(&again).is_some_and(|hint| hint.starts_with("correct those lines")));
        let error = not_all_of(0, 0, 2);
        let text = "1 resource imported, 0 refused; 2 files were not converted or not as a whole; the complete logs are under s3://b/";
        assert_eq!(error.to_string(), text);
        assert!(error.hint(&again).is_some_and(|hint| hint.starts_with("correct those files")));
    }
}
