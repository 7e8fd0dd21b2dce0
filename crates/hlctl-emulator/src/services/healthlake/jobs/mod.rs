//! Import and export jobs, which really read and write the buckets of this emulator.
//!
//! A job is carried on whenever the emulator is looked at: by any request, and where it serves a socket, by itself
//! (see [`carry_on`]). With [`Delays::job`](crate::Delays) as much of the work is done as of that time has passed;
//! without it the next look does all of it, or where that is much, what can be done in a second.
//!
//! Where AWS documents nothing, this is what happens here. A job that is submitted to a store that is not ACTIVE is
//! refused with a ValidationException, for the API has no ConflictException of jobs; so are buckets and keys that
//! cannot be used, while a role that lacks trust or a permission is an AccessDeniedException. One import and one
//! export run at a time in an account and region. The 26th job in the queue of a store is a ThrottlingException. A
//! repeated ClientToken gives the same job, or with other parameters a ValidationException. Names are compared whole;
//! lists are in the order of submission. An import reads the object that its address names, or those below it as a
//! folder; files that do not end in `.ndjson`, or cannot be read, count as files with a customer's error. An import
//! of which nothing got in ends as FAILED without a message. A job whose store, bucket, key or role is gone when it
//! is to begin ends as FAILED with one. An import of CSV is converted when it begins, by the version of the profile that is published last
//! then; what it reports of scanned files and resources are those of the conversion's output. Megabytes have a million bytes, as the sizes in the guide's examples have.
//!
//! An export for download is none of the jobs that the API describes and lists, since these have an output in S3. It waits its turn
//! with the other exports.
//!
//! An object at the place where the output goes, `.healthlake_write_access_check_file.temp`, and the lack of a
//! FAILURE folder where nothing failed are not in the guide, but people who have imported report them.

mod access;
mod carry_on;
mod download;
mod export;
mod import;
mod output;
mod shapes;
mod show;
mod start;
mod tally;

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::HealthLake;
use crate::clock::after;
use crate::fault::JobFaults;
use crate::protocol::{Operation, read, write};
pub(super) use access::Party;
pub(crate) use carry_on::{Pace, carry_on};
pub(super) use download::{Download, Requester};
use export::Export;
use import::Import;
pub(super) use shapes::START_EXPORT as EXPORT_INPUT;
pub(super) use start::{start_download, start_export};

pub(super) const START_IMPORT: Operation = write("StartFHIRImportJob", shapes::START_IMPORT, start::import);
pub(super) const DESCRIBE_IMPORT: Operation = read("DescribeFHIRImportJob", shapes::DESCRIBE, show::describe_import);
pub(super) const LIST_IMPORTS: Operation = read("ListFHIRImportJobs", shapes::LIST, show::list_imports);
pub(super) const START_EXPORT: Operation = write("StartFHIRExportJob", shapes::START_EXPORT, start::export);
pub(super) const DESCRIBE_EXPORT: Operation = read("DescribeFHIRExportJob", shapes::DESCRIBE, show::describe_export);
pub(super) const LIST_EXPORTS: Operation = read("ListFHIRExportJobs", shapes::LIST, show::list_exports);

/// An import or export job.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) id: String,
    pub(super) name: Option<String>,
    /// The datastore's id.
    pub(super) store: String,
    pub(super) submitted: Timestamp,
    /// Its place among all jobs of the account and region.
    number: u64,
    /// The role that works on buckets; an export for download has none.
    pub(super) role: Option<String>,
    pub(super) output: Option<Output>,
    /// How long it is to take, in milliseconds.
    takes_ms: u64,
    faults: JobFaults,
    phase: Phase,
    started: Option<Timestamp>,
    pub(super) ended: Option<Timestamp>,
    pub(super) message: Option<String>,
    pub(super) work: Work,
}

/// Where a job is on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    Waiting,
    Working,
    Cancelling,
    /// With the status that it ended in.
    Ended(String),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Work {
    Import(Import),
    Export(Export),
    /// An export that was asked for by GET.
    Download(Download),
}

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Import,
    Export,
}

/// Where a job writes to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Output {
    bucket: String,
    /// What the names of all its objects begin with; it ends with a slash.
    folder: String,
    /// The key as it was given.
    key: String,
    key_arn: String,
}

impl Output {
    pub(super) fn new(bucket: &str, folder: String, key: &str, key_arn: String) -> Self {
        Self { bucket: bucket.to_owned(), folder, key: key.to_owned(), key_arn }
    }

    /// The folder of the job's conversion, where there is one: next to its own, since both layouts of the guide are there ("Composite
    /// import"), and how they lie to each other is not documented.
    fn of_conversion(&self, job: &str) -> Self {
        let above = self.folder.trim_end_matches('/').rsplit_once('/').map_or("", |(above, _)| above);
        let folder = if above.is_empty() { format!("{job}/") } else { format!("{above}/{job}/") };
        Self { folder, ..self.clone() }
    }

    pub(super) fn bucket(&self) -> &str {
        &self.bucket
    }

    pub(super) fn folder(&self) -> &str {
        &self.folder
    }

    /// Whether this is one of its objects.
    fn holds(&self, bucket: &str, key: &str) -> bool {
        bucket == self.bucket && key.starts_with(&self.folder)
    }
}

/// Client tokens that have made a job.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct JobToken {
    request: Value,
    job: String,
}

impl Direction {
    /// As it stands in the names of folders and in texts.
    fn name(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Export => "export",
        }
    }
}

impl Output {
    /// Its address in S3.
    pub(super) fn uri(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.folder)
    }

    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// The address of one of its objects.
    pub(super) fn uri_of(&self, name: &str) -> String {
        format!("{}{name}", self.uri())
    }
}

impl Work {
    fn direction(&self) -> Direction {
        match self {
            Self::Import(_) => Direction::Import,
            Self::Export(_) | Self::Download(_) => Direction::Export,
        }
    }
}

impl Job {
    pub(super) fn direction(&self) -> Direction {
        self.work.direction()
    }

    /// The status, where `busy` says whether another job of its kind is being worked on.
    pub(super) fn status(&self, busy: bool) -> &str {
        match &self.phase {
            Phase::Waiting if busy => "QUEUED",
            Phase::Waiting => "SUBMITTED",
            Phase::Working => "IN_PROGRESS",
            Phase::Cancelling => "CANCEL_IN_PROGRESS",
            Phase::Ended(status) => status,
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended(_))
    }

    fn is_working(&self) -> bool {
        self.phase == Phase::Working
    }

    /// Asks it to stop; whether there was anything to stop.
    pub(super) fn cancel(&mut self) -> bool {
        let stops = matches!(self.phase, Phase::Waiting | Phase::Working);
        if stops {
            self.phase = Phase::Cancelling;
        }
        stops
    }

    /// When it will have had the time that it takes.
    fn due(&self) -> Option<Timestamp> {
        self.started.map(|started| after(started, Duration::from_millis(self.takes_ms)))
    }

    /// How far it is to have come at an instant, in bytes read or resources gone through; `None` for the end.
    fn target(&self, now: Timestamp) -> Option<u64> {
        let whole = match &self.work {
            Work::Import(import) => import.whole(),
            Work::Export(export) => export.whole(),
            Work::Download(download) => download.whole(),
        };
        let started = self.started.unwrap_or(now);
        let elapsed = u64::try_from(now.as_millisecond().saturating_sub(started.as_millisecond())).unwrap_or(0);
        if elapsed >= self.takes_ms {
            return None;
        }
        let share = u128::from(whole) * u128::from(elapsed) / u128::from(self.takes_ms.max(1));
        Some(u64::try_from(share).unwrap_or(whole))
    }

    /// How many resources it has gone through.
    fn seen(&self) -> u64 {
        match &self.work {
            Work::Import(import) => import.seen(),
            Work::Export(export) => export.seen(),
            Work::Download(download) => download.seen(),
        }
    }

    /// How many more resources it may go through before it is made to fail or to stand still.
    fn until_fault(&self) -> u64 {
        if self.faults.hang || self.faults.ends_as.is_some() {
            return self.faults.after_resources.saturating_sub(self.seen());
        }
        u64::MAX
    }

    fn end(&mut self, status: &str, message: Option<String>, now: Timestamp) {
        self.phase = Phase::Ended(status.to_owned());
        self.message = message.map(|message| as_message(&message));
        self.ended = Some(now);
    }
}

impl HealthLake {
    /// An export job of a store, and whether one is being worked on.
    pub(super) fn export(&self, store: &str, id: &str) -> Option<(&Job, bool)> {
        let job = self.jobs.get(id).filter(|job| job.store == store && job.direction() == Direction::Export)?;
        Some((job, self.is_busy(Direction::Export)))
    }

    /// Forgets a job.
    pub(super) fn forget_job(&mut self, id: &str) {
        self.jobs.remove(id);
    }

    pub(super) fn export_mut(&mut self, store: &str, id: &str) -> Option<&mut Job> {
        self.jobs.get_mut(id).filter(|job| job.store == store && job.direction() == Direction::Export)
    }
}

/// A text with no characters but those that the model allows in a `Message`.
fn as_message(text: &str) -> String {
    let allowed = |c: char| c.is_alphanumeric() || c == ' ' || "_.:/=+-%@".contains(c);
    text.chars().map(|c| if allowed(c) { c } else { ' ' }).take(2048).collect()
}
