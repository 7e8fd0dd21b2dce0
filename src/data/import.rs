//! An import from its check to its end: uploads what is not in S3 yet, runs the job, and tells what became of each resource.
//!
//! An [`ImportObserver`] follows what happens; the [`ImportReport`] is the result as JSON.

mod converting;

use schemars::JsonSchema;
use serde::Serialize;
use thiserror::Error;

pub use converting::{FilesFound, ImportConversionReport, NotConvertible, ending_of, hint_of};

use super::access::{self, JobResources, PreflightIssue};
use super::bulk_context::{BulkContext, until_stopped};
use super::check::{Checker, Findings, Level as CheckLevel, Limits};
use super::conversion::ConversionTrouble;
use super::failures::{self, Cause};
use super::job::{self, Job, JobKind};
use super::journal::{ImportConversion, TransferEntry, TransferJournal, TransferJournalError};
use super::lost_store::LostStore;
use super::objects::list;
use super::place::{DataLocation, Prefix};
use super::profiles::TransformProfile;
use super::source::Source;
use super::unfinished::{NotStarted, Unfinished};
use super::upload::{UploadError, Uploaded, upload};
use crate::module::IMPORT_FOLDER;
use hlctl_aws::{AwsError, ErrorKind};
use hlctl_engine::wait::Signal;
use hlctl_model::invocation::CommandLine;
use hlctl_model::text::counted;
use hlctl_resources::{ResourceError, delete_all_versions};

/// What is imported, and how.
#[derive(Clone, Copy, Debug)]
pub struct ImportRequest<'a> {
    /// Where the files are.
    pub from: &'a DataLocation,
    /// The files and what was found in them, if they are on this machine.
    pub files: Option<&'a CheckedFiles>,
    /// How HealthLake converts them first, if they are no FHIR yet.
    pub conversion: Option<ProfileToConvertBy<'a>>,
    /// How strictly HealthLake validates.
    pub validation_level: ValidationLevel,
    /// Whether to import despite what the checks find.
    pub allow_problems: bool,
    /// Whether to wait for the job.
    pub wait: bool,
    /// Whether to delete the uploaded files once all is imported.
    pub delete_input: bool,
    /// Where journals of imports are.
    pub journals: &'a std::path::Path,
}

/// A profile by which HealthLake converts files before it imports them.
#[derive(Clone, Copy, Debug)]
pub struct ProfileToConvertBy<'a> {
    /// The profile.
    pub profile: &'a TransformProfile,
    /// Whether HealthLake reports what of the files the mapping does not use.
    pub drift: bool,
    /// Whether HealthLake adds resources that say where each one comes from.
    pub provenance: bool,
}

impl ProfileToConvertBy<'_> {
    /// What the job is started with.
    fn recorded(&self) -> ImportConversion {
        ImportConversion {
            format: self.profile.format.clone(),
            profile: self.profile.id.clone(),
            drift: self.drift,
            provenance: self.provenance,
        }
    }
}

/// Local files that were checked.
#[derive(Clone, Debug)]
pub struct CheckedFiles {
    /// The files.
    pub source: Source,
    /// What the check found; files that HealthLake converts first are not read for it.
    pub findings: Option<Findings>,
}

/// `ValidationLevel` of an import (HealthLake API reference, `StartFHIRImportJob`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValidationLevel {
    /// Against FHIR R4 and profiles.
    Strict,
    /// Only against FHIR R4.
    StructureOnly,
    /// As little as possible.
    Minimal,
}

impl ValidationLevel {
    /// As AWS writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::StructureOnly => "structure-only",
            Self::Minimal => "minimal",
        }
    }
}

/// An import as JSON, as far as it came (docs/json.md).
#[derive(Clone, Debug, Default, Serialize)]
pub struct ImportReport {
    /// What the check of the files found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<Findings>,
    /// What the job may fail for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concerns: Option<Vec<PreflightIssue>>,
    /// What was uploaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload: Option<UploadReport>,
    /// The job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<JobReport>,
    /// What has come of the conversion, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversion: Option<ImportConversionReport>,
    /// Resources that were refused, by cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Vec<Cause>>,
    /// Whether the uploaded files were deleted, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_deleted: Option<bool>,
}

/// What was uploaded, and where to.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct UploadReport {
    /// The prefix in S3.
    pub to: String,
    /// Files that were sent.
    pub sent: u64,
    /// Files that were there already.
    pub kept: u64,
}

/// A job as far as it is known.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum JobReport {
    /// It was started.
    Started {
        /// Its id.
        id: String,
        /// Its name.
        name: String,
    },
    /// It has ended.
    Ended(Box<Job>),
}

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
    LogsUnreadable(&'a hlctl_resources::ResourceError),
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
    /// The job imported what the files were when an earlier run started it.
    #[error("the job imported the files as they were when it started; they have changed since")]
    FilesChanged,
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

/// Uploads what is not in S3 yet, and imports; continues where an earlier run stopped.
///
/// # Errors
/// Not everything was imported, or the job is not waited for.
pub async fn import(
    bulk: &BulkContext,
    request: ImportRequest<'_>,
    observer: &dyn ImportObserver,
) -> Result<ImportReport, ImportFailure> {
    let conversion = request.conversion.as_ref().map(ProfileToConvertBy::recorded);
    // What is converted otherwise is another import.
    let subject = match &conversion {
        None => request.from.subject(),
        Some(ImportConversion { format, profile, .. }) => format!("{}\n{format} {profile}", request.from.subject()),
    };
    let journal = TransferJournal::open(request.journals, "import", &bulk.store, &subject)?;
    let known = journal.read();
    let is_continued = known.is_some();
    let mut entry =
        known.unwrap_or_else(|| TransferEntry::new(&bulk.store, &subject, &bulk.place(IMPORT_FOLDER), "import"));
    let input = match request.from {
        DataLocation::S3(prefix) => prefix.clone(),
        DataLocation::Local(_) => entry.prefix.under("input"),
    };
    let output = entry.prefix.under("output");
    if input.contains(&output) {
        return Err(ImportError::ReadsItsOwnOutput { input, run: entry.prefix }.into());
    }
    let check = request.files.and_then(|files| files.findings.clone());
    let report = ImportReport { check, ..ImportReport::default() };
    let mut flow = Flow { bulk, request, conversion, observer, input, output, report, unread: None };
    if entry.job.is_none() {
        if request.files.is_none() {
            Box::pin(flow.check_objects()).await?;
        }
        Box::pin(flow.check_access()).await?;
    }
    journal.write(&entry)?;
    if is_continued {
        observer.notice(ImportEvent::Continued { run: &entry.run });
    }
    let id = match &entry.job {
        Some(id) => {
            flow.check_conversion(&entry);
            id.clone()
        }
        None => {
            if let Some(files) = request.files {
                Box::pin(flow.upload(&files.source, &journal, &mut entry)).await?;
            }
            Box::pin(flow.start(&journal, &mut entry)).await?
        }
    };
    flow.report.job = Some(JobReport::Started { id: id.clone(), name: entry.run.clone() });
    if !request.wait {
        return Err(flow.reported(ImportError::LeftRunning(id)));
    }
    let job = flow.wait(&id).await?;
    flow.report.job = Some(JobReport::Ended(Box::new(job.clone())));
    let logs = async { (flow.converted(&job, &entry).await, flow.causes(&job).await) };
    let logs = until_stopped(&bulk.cx.stop, logs).await;
    let ((conversion, unread), causes) = logs.map_err(|_| ImportError::from(Unfinished::Interrupted))?;
    (flow.report.conversion, flow.unread) = (conversion, unread);
    let result = flow.conclude(&job, &causes).and_then(|()| flow.check_same(&entry));
    flow.report.refused = Some(causes);
    match result {
        Ok(()) => {
            // Before the journal is closed: the next run finds the job done, and deletes again.
            if let Err(kept) = Box::pin(flow.delete_input()).await {
                return Err(flow.reported(kept));
            }
            journal.close();
            Ok(flow.report)
        }
        Err(error) => {
            let failure = flow.reported(error);
            // Its uploads are kept; what is started next is another job.
            entry.forget_job("import");
            match journal.write(&entry) {
                Ok(()) => Err(failure),
                Err(error) => Err(ImportFailure { error: error.into(), ..failure }),
            }
        }
    }
}

/// What the steps of one import share.
struct Flow<'a> {
    bulk: &'a BulkContext,
    request: ImportRequest<'a>,
    /// What is asked for of the conversion, if there is one.
    conversion: Option<ImportConversion>,
    observer: &'a dyn ImportObserver,
    input: Prefix,
    output: Prefix,
    report: ImportReport,
    /// Why it cannot be read what the job says of its conversion.
    unread: Option<ResourceError>,
}

impl Flow<'_> {
    /// A failure of which the report says more.
    fn reported(&self, error: ImportError) -> ImportFailure {
        ImportFailure { error, report: Some(Box::new(self.report.clone())) }
    }

    /// Names and sizes of what is in S3 already; it is not read.
    async fn check_objects(&mut self) -> Result<(), ImportFailure> {
        let listed = until_stopped(&self.bulk.cx.stop, list(&self.bulk.cx, &self.input)).await;
        let objects = match listed.map_err(ImportError::Interrupted)? {
            Ok(objects) => objects,
            // Whether there is such a bucket is looked at next; and the role may list what this principal may not.
            Err(error) if error.is_not_found() || error.kind == ErrorKind::WrongRegion => return Ok(()),
            Err(error) => {
                self.observer.notice(ImportEvent::NotListed(&error));
                return Ok(());
            }
        };
        if let Some(conversion) = &self.conversion {
            let found = converting::examine(&objects, &self.input, &conversion.format);
            let (found, quotas) = found.map_err(ImportError::from)?;
            match &quotas {
                Err(error) if self.request.allow_problems => {
                    self.observer.notice(ImportEvent::ListedToConvert(found));
                    self.observer.notice(ImportEvent::QuotaExceeded(error));
                    self.observer.notice(ImportEvent::ProblemsAllowed);
                }
                Err(error) => return Err(ImportError::from(error.clone()).into()),
                Ok(()) => self.observer.notice(ImportEvent::ListedToConvert(found)),
            }
            return Ok(());
        }
        let mut checker = Checker::new(Limits::default(), CheckLevel::None, &std::env::temp_dir());
        let files = objects.iter().filter(|object| object.name.ends_with(".ndjson"));
        files.for_each(|object| checker.unread(&object.name, object.size));
        let findings = checker.finish().map_err(ImportError::NotChecked)?;
        if findings.files == 0 {
            return Err(ImportError::NoFiles(NoFiles(self.input.clone())).into());
        }
        let source = Source { others: objects.len() as u64 - findings.files, ..Source::default() };
        self.observer.notice(ImportEvent::Listed { source: &source, findings: &findings });
        let checked = ProblemsFound::check(&findings);
        self.report.check = Some(findings);
        match checked {
            Ok(()) => {}
            Err(_) if self.request.allow_problems => self.observer.notice(ImportEvent::ProblemsAllowed),
            Err(problems) => return Err(self.reported(problems.into())),
        }
        Ok(())
    }

    /// A job that an earlier run started has imported what the files were then, and as strictly as it was asked then.
    fn check_same(&self, entry: &TransferEntry) -> Result<(), ImportError> {
        let now = self.request.files.map(|files| files.source.fingerprint());
        if entry.files.is_none() || now.is_none() || entry.files == now {
            return Ok(());
        }
        Err(ImportError::FilesChanged)
    }

    /// Role, buckets, key; and whether another job is in the way.
    async fn check_access(&mut self) -> Result<(), ImportFailure> {
        let bulk = self.bulk;
        let means = JobResources {
            store: &bulk.arn,
            role: &bulk.role,
            key: &bulk.key,
            input: Some(&self.input),
            output: &self.output,
        };
        let look =
            async { tokio::join!(access::concerns(&bulk.cx, means), job::list(&bulk.cx, &bulk.store), bulk.lost()) };
        let (concerns, jobs, lost) = until_stopped(&bulk.cx.stop, look).await.map_err(ImportError::Interrupted)?;
        // Nothing is uploaded for a store that is gone.
        if let Some(lost) = lost {
            return Err(ImportError::Lost(Box::new(lost)).into());
        }
        let (certain, uncertain): (Vec<PreflightIssue>, Vec<PreflightIssue>) =
            concerns.iter().cloned().partition(|concern| concern.is_certain);
        self.report.concerns = Some(concerns);
        uncertain.iter().for_each(|concern| self.observer.notice(ImportEvent::Concern(concern)));
        for job in jobs.map_err(ImportError::Jobs)?.iter().filter(|job| job.kind == JobKind::Import && !job.is_over()) {
            self.observer.notice(ImportEvent::OtherImport(job));
        }
        if certain.is_empty() {
            return Ok(());
        }
        if self.request.allow_problems {
            certain.iter().for_each(|concern| self.observer.notice(ImportEvent::Concern(concern)));
            return Ok(());
        }
        Err(self.reported(ImportError::Blocked(certain)))
    }

    /// Deletes every version of what was uploaded, if that is asked for.
    async fn delete_input(&mut self) -> Result<(), ImportError> {
        if !self.request.delete_input || matches!(self.request.from, DataLocation::S3(_)) {
            return Ok(());
        }
        if let Some(error) = self.unread.take() {
            self.report.input_deleted = Some(false);
            return Err(ImportError::ConversionUnread { input: self.input.clone(), error });
        }
        let Prefix { bucket, prefix } = &self.input;
        let cx = &self.bulk.cx;
        let deleted = until_stopped(&cx.stop, delete_all_versions(cx, bucket, prefix, |_| {})).await;
        self.report.input_deleted = Some(matches!(deleted, Ok(Ok(()))));
        match deleted {
            Ok(Ok(())) => {}
            Err(_) | Ok(Err(ResourceError::StillGoing { .. })) => return Err(Unfinished::Interrupted.into()),
            Ok(Err(error)) => return Err(ImportError::InputKept { input: self.input.clone(), error }),
        }
        self.observer.notice(ImportEvent::InputDeleted);
        Ok(())
    }

    async fn upload(
        &mut self,
        source: &Source,
        journal: &TransferJournal,
        entry: &mut TransferEntry,
    ) -> Result<(), ImportError> {
        let progress = self.observer.upload(source.bytes());
        let work = upload(&self.bulk.cx, &self.input, &source.files, journal, entry, progress);
        let uploaded = until_stopped(&self.bulk.cx.stop, work).await.unwrap_or(Err(UploadError::Stopped));
        self.observer.notice(ImportEvent::UploadEnded);
        let files = uploaded.map_err(Unfinished::Upload)?;
        self.observer.notice(ImportEvent::Uploaded { to: &self.input, files });
        self.report.upload = Some(UploadReport { to: self.input.to_string(), sent: files.sent, kept: files.kept });
        Ok(())
    }

    /// Starts the job, unless an earlier run did and could not write that down.
    async fn start(&self, journal: &TransferJournal, entry: &mut TransferEntry) -> Result<String, ImportError> {
        let bulk = self.bulk;
        let was_sent = entry.start_sent;
        let start = async {
            let known = job::find(&bulk.cx, JobKind::Import, &bulk.store, &entry.run).await;
            if let Some(id) = known.map_err(|error| NotStarted::of_list(error, was_sent))? {
                self.check_conversion(entry);
                return Ok(id);
            }
            // What AWS does with a token that comes back with something else is not documented, and with another token what was sent
            // before could become a second job.
            if was_sent && entry.conversion.is_some() {
                self.check_conversion(entry);
            } else {
                if entry.conversion.is_some() && entry.conversion != self.conversion {
                    entry.forget_job("import");
                }
                entry.conversion.clone_from(&self.conversion);
            }
            entry.start_sent = true;
            entry.files = self.request.files.map(|files| files.source.fingerprint());
            journal.write(entry)?;
            let order = bulk.order(entry, &self.output);
            let level = self.request.validation_level.as_str();
            Ok(job::import(&bulk.cx, &order, &self.input.to_string(), level, entry.conversion.as_ref()).await?)
        };
        let started = until_stopped(&bulk.cx.stop, start).await.unwrap_or(Err(NotStarted::Stopped));
        if matches!(started, Err(NotStarted::Resource(_))) && !was_sent {
            // Surely refused, and no run has asked before.
            entry.start_sent = false;
            journal.write(entry)?;
        }
        let id = match started {
            Ok(id) => id,
            Err(error) => {
                let lost = bulk.lost().await.map(|lost| ImportError::Lost(Box::new(lost)));
                return Err(lost.unwrap_or(ImportError::Unfinished(error.into())));
            }
        };
        self.observer.notice(ImportEvent::Started { id: &id });
        entry.job = Some(id.clone());
        journal.write(entry)?;
        Ok(id)
    }

    async fn wait(&self, id: &str) -> Result<Job, ImportError> {
        self.observer.notice(ImportEvent::WaitBegan);
        let hear = |job: &Job| self.observer.notice(ImportEvent::Seen(job));
        let job = job::wait(&self.bulk.cx, JobKind::Import, &self.bulk.store, id, hear).await;
        self.observer.notice(ImportEvent::WaitEnded);
        job.map_err(|ended| ImportError::Unfinished(Unfinished::of_wait(ended, id)))
    }

    /// Why some were refused, as the logs of the job have it.
    async fn causes(&self, job: &Job) -> Vec<Cause> {
        let causes = match job.folder(&self.bulk.store) {
            Some(folder) if job.status != "COMPLETED" => failures::causes(&self.bulk.cx, &folder).await,
            _ => Ok(Vec::new()),
        };
        causes.unwrap_or_else(|error| {
            self.observer.notice(ImportEvent::LogsUnreadable(&error));
            Vec::new()
        })
    }

    /// Says so if an earlier run started the job with something else than is asked for now. AWS tells nothing of it.
    fn check_conversion(&self, entry: &TransferEntry) {
        if let Some(started) = entry.conversion.as_ref().filter(|started| self.conversion.as_ref() != Some(*started)) {
            self.observer.notice(ImportEvent::OtherConversion(started));
        }
    }

    /// What has come of the conversion, if there was one, and why that cannot be read, if it cannot.
    async fn converted(
        &self,
        job: &Job,
        entry: &TransferEntry,
    ) -> (Option<ImportConversionReport>, Option<ResourceError>) {
        let (Some(asked), Some(started)) = (self.request.conversion, entry.conversion.as_ref()) else {
            return (None, None);
        };
        let results = converting::results(&self.bulk.cx, job, &self.bulk.store, &self.output, started).await;
        let ((errors, drift), unread) = match results {
            Ok(results) => (results, None),
            Err(error) => {
                self.observer.notice(ImportEvent::LogsUnreadable(&error));
                ((Vec::new(), None), Some(error))
            }
        };
        let report = ImportConversionReport { profile: asked.profile.clone(), errors, drift };
        let counts = job.progress.unwrap_or_default();
        let (files, resources) =
            (counts.files_converted.unwrap_or_default(), counts.resources_generated.unwrap_or_default());
        self.observer.notice(ImportEvent::Converted { files, resources, report: &report });
        (Some(report), unread)
    }

    /// What became of it, with the refusals by cause.
    fn conclude(&self, job: &Job, causes: &[Cause]) -> Result<(), ImportError> {
        let asked = self.request.validation_level;
        if let Some(level) = job.validation_level.as_deref().filter(|level| *level != asked.as_str()) {
            self.observer.notice(ImportEvent::OtherLevel { level, asked });
        }
        causes.iter().for_each(|cause| self.observer.notice(ImportEvent::Refused(cause)));
        match job.status.as_str() {
            "COMPLETED" if self.unconverted() > 0 => Err(self.not_all(job, causes)),
            "COMPLETED" => {
                let files_stay_at = self.request.files.filter(|_| !self.request.delete_input).map(|_| &self.input);
                self.observer.notice(ImportEvent::Imported { resources: imported(job), files_stay_at });
                Ok(())
            }
            "COMPLETED_WITH_ERRORS" => Err(self.not_all(job, causes)),
            _ => Err(Unfinished::Failed { job: Box::new(job.clone()), store: self.bulk.store.clone() }.into()),
        }
    }

    /// Files that were not converted, or not as a whole.
    fn unconverted(&self) -> u64 {
        let errors = self.report.conversion.iter().flat_map(|conversion| &conversion.errors);
        errors.map(|trouble: &ConversionTrouble| trouble.count).sum()
    }

    fn not_all(&self, job: &Job, causes: &[Cause]) -> ImportError {
        let lost = causes.iter().filter(|cause| cause.is_the_services()).map(|cause| cause.count).sum();
        let by_data = causes.iter().filter(|cause| !cause.is_the_services()).map(|cause| cause.count).sum();
        let counted = u64::try_from(job.progress.unwrap_or_default().resources_refused).unwrap_or_default();
        let refused = counted.max(by_data);
        let unconverted = self.unconverted();
        let logs = if unconverted > 0 && refused + lost == 0 {
            self.output.to_string()
        } else {
            job.folder(&self.bulk.store).map(|folder| format!("{folder}FAILURE/")).unwrap_or_default()
        };
        ImportError::NotAll { imported: imported(job), refused, lost, unconverted, logs }
    }
}

/// How many resources the job has put into the store.
fn imported(job: &Job) -> u64 {
    u64::try_from(job.progress.unwrap_or_default().resources_imported).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_report_has_what_was_done_and_no_more() {
        assert_eq!(json!(ImportReport::default()), json!({}));
        let report = ImportReport {
            concerns: Some(Vec::new()),
            upload: Some(UploadReport { to: "s3://b/input/".to_owned(), sent: 2, kept: 1 }),
            job: Some(JobReport::Started { id: "j".to_owned(), name: "run".to_owned() }),
            ..ImportReport::default()
        };
        let reported = json!({
            "concerns": [],
            "job": {"id": "j", "name": "run"},
            "upload": {"to": "s3://b/input/", "sent": 2, "kept": 1},
        });
        assert_eq!(json!(report), reported);
    }

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
