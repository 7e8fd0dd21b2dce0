//! Imports and exports that have begun and are not finished. The same command continues each of them.

use thiserror::Error;

use super::download::DownloadError;
use super::job::Job;
use super::journal::TransferJournalError;
use super::upload::UploadError;
use hlctl_aws::AwsError;
use hlctl_engine::wait::Ended;
use hlctl_model::Certainty;
use hlctl_model::invocation::CommandLine;
use hlctl_resources::ResourceError;

/// Why an import or an export that has begun is not finished.
#[derive(Debug, Error)]
pub enum Unfinished {
    /// A signal came.
    #[error("interrupted")]
    Interrupted,
    /// Not all files are in S3.
    #[error("the upload is not finished: {0}")]
    Upload(UploadError),
    /// Not all files are here.
    #[error("the download is not finished: {0}")]
    Download(DownloadError),
    /// The export could not be copied to where it goes.
    #[error("{0}")]
    Copy(ResourceError),
    /// There is no job yet.
    #[error("{0}")]
    NotStarted(#[from] NotStarted),
    /// AWS does not say how far the job is.
    #[error("the status of the job {job} cannot be read: {error}")]
    Unseen {
        /// Its id.
        job: String,
        /// Why not.
        error: ResourceError,
    },
    /// The job takes longer than hlctl waited.
    #[error("the job {job} is {status}; AWS continues with it")]
    StillRunning {
        /// Its id.
        job: String,
        /// Its status as AWS names it.
        status: String,
    },
    /// The job has ended without doing its work.
    #[error("the {} job {} ended as {}{}", .job.kind.name(), .job.id, .job.status, match &.job.message {
        Some(message) => format!(": {message}"),
        None => String::new(),
    })]
    Failed {
        /// The job.
        job: Box<Job>,
        /// The store that it was of.
        store: String,
    },
}

/// Why a job was not started.
#[derive(Debug, Error)]
pub enum NotStarted {
    /// AWS did not start it.
    #[error("the job was not started: {0}")]
    Resource(ResourceError),
    /// AWS may have started it: an answer was lost, or an earlier run asked and the jobs cannot be listed.
    #[error("whether the job was started is not known: {0}")]
    Unknown(ResourceError),
    /// What is about to be started could not be written down.
    #[error("the job was not started: {0}")]
    Journal(#[from] TransferJournalError),
    /// A signal came while AWS was asked; whether there is a job is found out by the next run.
    #[error("interrupted; whether the job was started is not known")]
    Stopped,
}

impl NotStarted {
    /// The jobs could not be listed; `start_sent` says whether an earlier run may have started this one.
    pub(super) fn of_list(error: AwsError, start_sent: bool) -> Self {
        if start_sent { Self::Unknown(error.into()) } else { Self::Resource(error.into()) }
    }
}

impl From<ResourceError> for NotStarted {
    fn from(error: ResourceError) -> Self {
        if may_be_applied(&error) { Self::Unknown(error) } else { Self::Resource(error) }
    }
}

/// Whether AWS may have done what was asked, in any of the attempts.
pub(super) fn may_be_applied(error: &ResourceError) -> bool {
    matches!(error, ResourceError::Aws(error) if error.certainty == Certainty::MayBeApplied)
}

impl Unfinished {
    /// A wait for a job that ended without it.
    pub(super) fn of_wait(ended: Ended<ResourceError>, job: &str) -> Self {
        let job = job.to_owned();
        match ended {
            Ended::Failed(error) => Self::Unseen { job, error },
            Ended::TimedOut(status) | Ended::Stopped(status) => Self::StillRunning { job, status },
        }
    }

    /// What to do about it; `again` is the command that continues.
    pub fn hint(&self, again: &CommandLine) -> String {
        let cause = match self {
            Self::StillRunning { .. } => {
                return format!("`{again}` keeps waiting for it; `{}` shows it", hlctl!("data jobs"));
            }
            Self::Failed { job, store } => {
                // "Troubleshooting" of the HealthLake developer guide: without a message the manifest tells.
                let folder = job.folder(store).filter(|_| job.message.is_none());
                let manifest = folder.map(|folder| format!("AWS gives no cause; {folder}manifest.json may say more\n"));
                return format!("{}fix the cause, then `{again}` starts another job", manifest.unwrap_or_default());
            }
            Self::Interrupted | Self::Copy(_) => None,
            Self::Upload(UploadError::Resource(error))
            | Self::Download(DownloadError::Resource(error))
            | Self::NotStarted(NotStarted::Resource(error) | NotStarted::Unknown(error))
            | Self::Unseen { error, .. } => error.hint(),
            Self::Upload(_) | Self::Download(_) | Self::NotStarted(NotStarted::Journal(_) | NotStarted::Stopped) => {
                None
            }
        };
        let again = format!("`{again}` continues where this stopped");
        cause.map_or_else(|| again.clone(), |cause| format!("{cause}\n{again}"))
    }
}
