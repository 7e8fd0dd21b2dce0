//! What happens during an import.

use super::ValidationLevel;
use super::converting::{FilesFound, ImportConversionReport, NotConvertible};
use crate::data::access::PreflightIssue;
use crate::data::check::Findings;
use crate::data::failures::Cause;
use crate::data::job::Job;
use crate::data::journal::ImportConversion;
use crate::data::place::Prefix;
use crate::data::source::Source;
use crate::data::upload::Uploaded;
use hlctl_aws::AwsError;
use hlctl_resources::ResourceError;

/// Follows an import.
pub trait ImportObserver {
    /// Something happened.
    fn notice(&self, event: ImportEvent<'_>);

    /// An upload of so many bytes begins; the returned function is called with bytes that were sent.
    fn upload(&self, bytes: u64) -> Box<dyn Fn(u64) + Send + Sync>;
}

/// What happens during an import.
#[derive(Clone, Copy, Debug)]
pub enum ImportEvent<'a> {
    /// An earlier run began this import.
    Continued {
        /// The run.
        run: &'a str,
    },
    /// These files are in S3 already; only their names and sizes were looked at.
    Listed {
        /// Files that are not imported.
        source: &'a Source,
        /// What was found.
        findings: &'a Findings,
    },
    /// These files are in S3 already, and HealthLake will convert them; only their names and sizes were looked at.
    ListedToConvert(FilesFound),
    /// They exceed a quota of a job, and the import continues.
    QuotaExceeded(&'a NotConvertible),
    /// What is in S3 could not be listed.
    NotListed(&'a AwsError),
    /// The import continues despite problems.
    ProblemsAllowed,
    /// The job may fail for this, and the import continues.
    Concern(&'a PreflightIssue),
    /// Another job comes first.
    OtherImport(&'a Job),
    /// The upload is over, however it ended.
    UploadEnded,
    /// All files are in S3.
    Uploaded {
        /// Where.
        to: &'a Prefix,
        /// How many.
        files: Uploaded,
    },
    /// The job was started.
    Started {
        /// Its id.
        id: &'a str,
    },
    /// The job is waited for.
    WaitBegan,
    /// The job as it is now.
    Seen(&'a Job),
    /// The job is no longer waited for.
    WaitEnded,
    /// Why resources were refused cannot be read.
    LogsUnreadable(&'a ResourceError),
    /// An earlier run started the job, and validates otherwise.
    OtherLevel {
        /// The level of the job.
        level: &'a str,
        /// The level that was asked for.
        asked: ValidationLevel,
    },
    /// An earlier run started the job, and said otherwise whether there is to be provenance, or a report of what the mapping does not use.
    OtherConversion(&'a ImportConversion),
    /// The files have been converted, as far as that was possible.
    Converted {
        /// How many.
        files: i64,
        /// Resources that were made of them.
        resources: i64,
        /// What HealthLake says besides.
        report: &'a ImportConversionReport,
    },
    /// Resources were refused.
    Refused(&'a Cause),
    /// All resources were imported.
    Imported {
        /// How many.
        resources: u64,
        /// Where the uploaded files stay.
        files_stay_at: Option<&'a Prefix>,
    },
    /// The uploaded files are deleted.
    InputDeleted,
}
