//! Conversion of files in S3 by a profile of the Data Transformation Agent: uploads what is not in S3 yet, runs one job after another,
//! and tells what became of each.
//!
//! HealthLake runs one such job of an account at a time, and none takes more than some files. So files are divided into parts, each with a
//! job of its own. A job's token is written down before it is sent: after a crash or a lost answer the same command finds the job.

mod jobs;
mod parts;
pub(in crate::data) mod results;

use std::cell::RefCell;
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest, Sha256};
use thiserror::Error;

pub use jobs::ConversionJob;
pub use parts::{Families, Indivisible, NotOneJob, divide, into_one, most_files, within_quotas};
pub use results::ConversionTrouble;

use super::bulk_context::{BulkContext, until_stopped};
use super::import::UploadReport;
use super::journal::{ConversionPart, TransferEntry, TransferJournal, TransferJournalError};
use super::objects::list;
use super::place::{DataLocation, Prefix};
use super::profiles::TransformProfile;
use super::source::Source;
use super::unfinished::may_be_applied;
use super::upload::{UploadError, Uploaded, upload};
use crate::module::IMPORT_FOLDER;
use hlctl_aws::AwsError;
use hlctl_engine::wait::{Ended, Signal};
use hlctl_model::invocation::CommandLine;
use hlctl_model::text::counted;
use hlctl_resources::ResourceError;

/// What is converted, and how.
#[derive(Clone, Copy, Debug)]
pub struct ConversionRequest<'a> {
    /// Where the files are.
    pub from: &'a DataLocation,
    /// The files with their names in S3, if they are on this machine; [`divide`] gives these names.
    pub files: Option<&'a Source>,
    /// How many parts the files are divided into.
    pub parts: usize,
    /// What the names of files end in.
    pub ending: &'a str,
    /// By which profile.
    pub profile: &'a TransformProfile,
    /// Where the output goes; `None` is the stack's bucket.
    pub output: Option<&'a Prefix>,
    /// The role that HealthLake assumes.
    pub role: JobRole<'a>,
    /// The key of the output.
    pub key: &'a str,
    /// Whether HealthLake reports what of the files the mapping does not use.
    pub drift: bool,
    /// Whether HealthLake adds resources that say where each one comes from.
    pub provenance: bool,
    /// Whether to wait for the jobs.
    pub wait: bool,
    /// Where journals are.
    pub journals: &'a Path,
}

/// A role for jobs that convert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobRole<'a> {
    /// It was made for that.
    Given(&'a str),
    /// That of the stack's imports and exports, whose trust names the store. A job that only converts has no store, and the guide shows
    /// a trust with the account alone (HealthLake developer guide, "Setting up" of the Data Transformation Agent); whether
    /// HealthLake takes this one is not confirmed.
    OfStack(&'a str),
}

impl<'a> JobRole<'a> {
    /// Its ARN.
    pub fn arn(self) -> &'a str {
        match self {
            Self::Given(arn) | Self::OfStack(arn) => arn,
        }
    }
}

/// A conversion as far as it came.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct ConversionReport {
    /// What was uploaded, if the files were on this machine.
    pub upload: Option<UploadReport>,
    /// The jobs, in their order.
    pub jobs: Vec<ConversionJob>,
    /// Files that could not be converted, or not as a whole, by cause.
    pub errors: Vec<ConversionTrouble>,
}

/// Follows a conversion.
pub trait ConversionObserver {
    /// Something happened.
    fn notice(&self, event: ConversionEvent<'_>);

    /// An upload of so many bytes begins; the returned function is called with bytes that were sent.
    fn upload(&self, bytes: u64) -> Box<dyn Fn(u64) + Send + Sync>;
}

/// What happens during a conversion.
#[derive(Clone, Copy, Debug)]
pub enum ConversionEvent<'a> {
    /// An earlier run began it.
    Continued {
        /// The run.
        run: &'a str,
    },
    /// The files have changed since an earlier run started a job.
    FilesChanged,
    /// What is in S3 could not be listed.
    NotListed(&'a AwsError),
    /// Other files at the place in S3, which the job may report as errors.
    Others {
        /// How many.
        count: u64,
    },
    /// It takes several jobs.
    Divided {
        /// How many.
        jobs: usize,
    },
    /// The upload is over, however it ended.
    UploadEnded,
    /// All files are in S3.
    Uploaded {
        /// Where.
        to: &'a Prefix,
        /// How many.
        files: Uploaded,
    },
    /// A job is started by the stack's role, which HealthLake may not take.
    RoleOfStack {
        /// Its ARN.
        arn: &'a str,
    },
    /// An earlier run has started the job with other options than those of now.
    OtherOrder {
        /// Its id.
        id: &'a str,
    },
    /// A job was started.
    Started {
        /// Its id.
        id: &'a str,
        /// Which it is, from 1.
        number: usize,
        /// How many there are.
        of: usize,
    },
    /// A job is waited for.
    WaitBegan,
    /// A job as it is now.
    Seen(&'a ConversionJob),
    /// A job is no longer waited for.
    WaitEnded,
    /// What a job has written about errors and coverage cannot be read.
    ResultsUnreadable(&'a ResourceError),
}

/// A conversion that did not do all of its work.
#[derive(Debug, Error)]
#[error("{error}")]
pub struct ConversionFailure {
    /// Why not.
    pub error: ConversionError,
    /// How far it came.
    pub report: Box<ConversionReport>,
}

/// Why a conversion did not do all of its work.
#[derive(Debug, Error)]
pub enum ConversionError {
    /// The journal cannot be had.
    #[error("{0}")]
    Journal(#[from] TransferJournalError),
    /// There is nothing to convert.
    #[error("there are no {ending} files under {place}")]
    NoFiles {
        /// Where.
        place: Prefix,
        /// What their names end in.
        ending: String,
    },
    /// One job does not take what is in S3.
    #[error(
        "{place} has {files} {ending} files with {bytes} bytes, and one job takes {most} files and 1,000,000,000 bytes"
    )]
    TooMuchInS3 {
        /// Where.
        place: Prefix,
        /// What their names end in.
        ending: String,
        /// How many there are.
        files: usize,
        /// Their bytes.
        bytes: u64,
        /// How many a job takes.
        most: usize,
    },
    /// The job would read what it writes.
    #[error("{input} contains {output}, where this job would write")]
    ReadsItsOwnOutput {
        /// Where it reads.
        input: Prefix,
        /// Where it would write.
        output: Prefix,
    },
    /// A signal came before anything was begun.
    #[error("interrupted; nothing was changed")]
    Interrupted(Signal),
    /// A signal came.
    #[error("interrupted")]
    Stopped,
    /// Not all files are in S3.
    #[error("the upload is not finished: {0}")]
    Upload(UploadError),
    /// There is no job.
    #[error("{}: {error}", if *may_be_started { "whether the job was started is not known" } else { "the job was not started" })]
    NotStarted {
        /// Why not.
        error: ResourceError,
        /// Whether AWS may have started it all the same.
        may_be_started: bool,
        /// Whether the role is the stack's.
        by_the_stacks_role: bool,
    },
    /// AWS does not say how far a job is.
    #[error("the status of the job {job} cannot be read: {error}")]
    Unseen {
        /// Its id.
        job: String,
        /// Why not.
        error: ResourceError,
    },
    /// A job takes longer than hlctl waited.
    #[error("the job {job} is {status}; AWS continues with it")]
    StillRunning {
        /// Its id.
        job: String,
        /// Its status as AWS names it.
        status: String,
    },
    /// A job is not waited for.
    #[error("The job {job} was started and is under way; it is number {number} of {of}.")]
    LeftRunning {
        /// Its id.
        job: String,
        /// Which it is, from 1.
        number: usize,
        /// How many there are.
        of: usize,
    },
    /// A job has ended without doing its work.
    #[error("the job {} ended as {}{}", .0.id, .0.status, match &.0.message {
        Some(message) => format!(": {message}"),
        None => String::new(),
    })]
    Failed(Box<ConversionJob>),
    /// Some files were not converted, or not as a whole.
    #[error("{} generated; {} not converted or not as a whole", counted(*resources, "resource"), match failed {
        1 => "1 file was".to_owned(),
        failed => format!("{failed} files were"),
    })]
    NotAll {
        /// Resources that were generated.
        resources: u64,
        /// Files with errors.
        failed: u64,
    },
}

impl ConversionError {
    /// What to do about it; `again` is the command that continues.
    pub fn hint(&self, again: &CommandLine) -> Option<String> {
        let go_on = || format!("`{again}` continues where this stopped");
        Some(match self {
            Self::Journal(_) | Self::Interrupted(_) => return None,
            Self::NoFiles { .. } => "name the folder that has them: s3://BUCKET/PREFIX".to_owned(),
            Self::TooMuchInS3 { .. } => {
                "name a part of it, or give the files on this machine: hlctl divides those into several jobs".to_owned()
            }
            Self::ReadsItsOwnOutput { .. } => "name another place with --output".to_owned(),
            Self::Stopped | Self::Upload(_) => go_on(),
            Self::NotStarted { error, by_the_stacks_role, .. } => {
                let own = error.hint().map(|hint| format!("{hint}\n")).unwrap_or_default();
                let role = if *by_the_stacks_role { ROLE_HINT } else { "" };
                format!("{own}{role}{}", go_on())
            }
            Self::Unseen { error, .. } => {
                let own = error.hint().map(|hint| format!("{hint}\n")).unwrap_or_default();
                format!("{own}{}", go_on())
            }
            Self::StillRunning { .. } | Self::LeftRunning { .. } => format!("`{again}` waits for it"),
            Self::Failed(job) => {
                let manifest = if job.message.is_some() {
                    ""
                } else {
                    "AWS gives no cause; Manifest.json in its folder may say more\n"
                };
                format!("{manifest}fix the cause, then `{again}` starts another job")
            }
            Self::NotAll { .. } => format!(
                "the whole reports are in ERROR/ in the folders of the jobs; correct those files, then `{again}` converts them again"
            ),
        })
    }
}

/// Of a start by the stack's role that was refused.
const ROLE_HINT: &str = "the role is the stack's, whose trust names the store, and this job has none: give it a role that trusts \
                         healthlake.amazonaws.com with the condition aws:SourceAccount alone, by --role-arn or transform_role_arn\n";

/// Uploads what is not in S3 yet, and converts; continues where an earlier run stopped.
///
/// # Errors
/// Not everything was converted, or a job is not waited for.
pub async fn convert(
    bulk: &BulkContext,
    request: ConversionRequest<'_>,
    observer: &dyn ConversionObserver,
) -> Result<ConversionReport, ConversionFailure> {
    let mut flow = Flow { bulk, request, observer, report: ConversionReport::default() };
    match Box::pin(flow.run()).await {
        Ok(()) => Ok(flow.report),
        Err(error) => Err(ConversionFailure { error, report: Box::new(flow.report) }),
    }
}

/// What the steps of one conversion share.
struct Flow<'a> {
    bulk: &'a BulkContext,
    request: ConversionRequest<'a>,
    observer: &'a dyn ConversionObserver,
    report: ConversionReport,
}

impl Flow<'_> {
    async fn run(&mut self) -> Result<(), ConversionError> {
        let request = self.request;
        let output = request.output.map(Prefix::to_string).unwrap_or_default();
        // Stacks of one folder, such as the environments of one file, have journals of their own.
        let place = self.bulk.place(IMPORT_FOLDER);
        let subject = format!("{}\n{output}\n{place}", request.from.subject());
        let journal = TransferJournal::open(request.journals, "transform", &request.profile.id, &subject)?;
        let mut entry = self.entry(&journal, &subject);
        let input = match request.from {
            DataLocation::S3(prefix) => prefix.clone(),
            DataLocation::Local(_) => entry.prefix.under("input"),
        };
        let output = request.output.cloned().unwrap_or_else(|| entry.prefix.under("output"));
        if input.contains(&output) {
            return Err(ConversionError::ReadsItsOwnOutput { input, output });
        }
        let is_begun = entry.parts.iter().any(|part| part.order.is_some());
        if request.files.is_none() && !is_begun {
            self.look_at(&input).await?;
        }
        journal.write(&entry)?;
        // S3 may have deleted since what an earlier run has uploaded.
        let is_waiting = entry.parts.iter().any(|part| part.job.is_none());
        if let Some(files) = request.files.filter(|_| is_waiting) {
            self.upload(files, &input, &journal, &mut entry).await?;
        }
        for number in 0..entry.parts.len() {
            let from = if request.files.is_some() { input.under(&parts::folder(number)) } else { input.clone() };
            let id = match &entry.parts[number].job {
                Some(id) => {
                    let id = id.clone();
                    self.check_order(&entry, number, (&from, &output));
                    id
                }
                None => self.start(&journal, &mut entry, number, (&from, &output)).await?,
            };
            let job = self.wait(&id, number, entry.parts.len(), &output).await?;
            let failed = job.status == "FAILED";
            self.report.jobs.push(job.clone());
            if failed {
                // The others keep theirs; the next run starts another for this one.
                entry.parts[number] = ConversionPart::new();
                journal.write(&entry)?;
                return Err(ConversionError::Failed(Box::new(job)));
            }
        }
        self.conclude(journal, entry)
    }

    /// What an earlier run has begun, or a new run. Files that have changed since a job was started go to a place of their own: that job may
    /// still be reading the others.
    fn entry(&self, journal: &TransferJournal, subject: &str) -> TransferEntry {
        let request = self.request;
        let files = request.files.map(Source::fingerprint);
        let begin = || {
            let mut entry =
                TransferEntry::new(&request.profile.id, subject, &self.bulk.place(IMPORT_FOLDER), "transform");
            entry.parts = (0..request.parts).map(|_| ConversionPart::new()).collect();
            entry.files.clone_from(&files);
            entry
        };
        let Some(mut known) = journal.read() else { return begin() };
        if known.files == files && known.parts.len() == request.parts {
            self.observer.notice(ConversionEvent::Continued { run: &known.run });
            return known;
        }
        if known.parts.iter().any(|part| part.order.is_some()) {
            self.observer.notice(ConversionEvent::FilesChanged);
            return begin();
        }
        known.parts = (0..request.parts).map(|_| ConversionPart::new()).collect();
        known.files = files;
        known
    }

    /// What is in S3 already: only names and sizes.
    async fn look_at(&self, input: &Prefix) -> Result<(), ConversionError> {
        let ConversionRequest { ending, profile, .. } = self.request;
        let listed = until_stopped(&self.bulk.cx.stop, list(&self.bulk.cx, input)).await;
        let objects = match listed.map_err(ConversionError::Interrupted)? {
            Ok(objects) => objects,
            // The role may list what this principal may not, and the job says what is wrong with the bucket.
            Err(error) => {
                self.observer.notice(ConversionEvent::NotListed(&error));
                return Ok(());
            }
        };
        // The console makes an empty object for a folder.
        let files: Vec<_> =
            objects.iter().filter(|object| !object.name.is_empty() && !object.name.ends_with('/')).collect();
        let wanted: Vec<_> = files.iter().filter(|object| object.name.ends_with(ending)).collect();
        if wanted.is_empty() {
            return Err(ConversionError::NoFiles { place: input.clone(), ending: ending.to_owned() });
        }
        let (count, bytes) = (wanted.len(), wanted.iter().map(|object| object.size).sum::<u64>());
        let most = most_files(&profile.format);
        if count > most || bytes > parts::MOST_BYTES {
            let ending = ending.to_owned();
            return Err(ConversionError::TooMuchInS3 { place: input.clone(), ending, files: count, bytes, most });
        }
        if files.len() > count {
            self.observer.notice(ConversionEvent::Others { count: (files.len() - count) as u64 });
        }
        Ok(())
    }

    async fn upload(
        &mut self,
        files: &Source,
        to: &Prefix,
        journal: &TransferJournal,
        entry: &mut TransferEntry,
    ) -> Result<(), ConversionError> {
        if entry.parts.len() > 1 {
            self.observer.notice(ConversionEvent::Divided { jobs: entry.parts.len() });
        }
        let progress = self.observer.upload(files.bytes());
        let work = upload(&self.bulk.cx, to, files, journal, entry, progress);
        let uploaded = until_stopped(&self.bulk.cx.stop, work).await.unwrap_or(Err(UploadError::Stopped));
        self.observer.notice(ConversionEvent::UploadEnded);
        let files = uploaded.map_err(ConversionError::Upload)?;
        self.observer.notice(ConversionEvent::Uploaded { to, files });
        self.report.upload = Some(UploadReport { to: to.to_string(), sent: files.sent, kept: files.kept });
        Ok(journal.write(entry)?)
    }

    /// Says so if a job was started with something else than is asked for now: its result is not what the user expects.
    fn check_order(&self, entry: &TransferEntry, number: usize, (from, output): (&Prefix, &Prefix)) {
        let part = &entry.parts[number];
        let order = self.order(from, output);
        if let Some(id) = part.job.as_ref().filter(|_| part.order.as_ref().is_some_and(|sent| *sent != order)) {
            self.observer.notice(ConversionEvent::OtherOrder { id });
        }
    }

    /// Starts the job of a part, unless an earlier run did and could not write that down.
    async fn start(
        &self,
        journal: &TransferJournal,
        entry: &mut TransferEntry,
        number: usize,
        (from, output): (&Prefix, &Prefix),
    ) -> Result<String, ConversionError> {
        let (bulk, request) = (self.bulk, self.request);
        let by_the_stacks_role = matches!(request.role, JobRole::OfStack(_));
        if by_the_stacks_role {
            self.observer.notice(ConversionEvent::RoleOfStack { arn: request.role.arn() });
        }
        let of = entry.parts.len();
        let order = self.order(from, output);
        let not_started = |error: ResourceError| ConversionError::NotStarted {
            may_be_started: may_be_applied(&error),
            error,
            by_the_stacks_role,
        };
        // An earlier run may have started it.
        let not_listed = |error: AwsError| ConversionError::NotStarted {
            error: error.into(),
            may_be_started: true,
            by_the_stacks_role: false,
        };
        let start = async {
            let part = &mut entry.parts[number];
            let mut known = None;
            if part.order.is_some() {
                known = jobs::find(&bulk.cx, &part.token).await.map_err(not_listed)?;
            }
            if known.is_none() && part.order.as_ref().is_some_and(|sent| *sent != order) {
                // What AWS does with a token that comes back with something else is not documented.
                *part = ConversionPart::new();
            }
            if let Some(id) = known {
                return Ok(id);
            }
            part.order = Some(order);
            let token = part.token.clone();
            journal.write(entry)?;
            let order = jobs::ConversionOrder {
                token: &token,
                profile: request.profile,
                from,
                output,
                key: request.key,
                role: request.role.arn(),
                drift: request.drift,
                provenance: request.provenance,
            };
            jobs::start(&bulk.cx, &order).await.map_err(not_started)
        };
        let id = until_stopped(&bulk.cx.stop, start).await.map_err(|_| ConversionError::Stopped)??;
        self.observer.notice(ConversionEvent::Started { id: &id, number: number + 1, of });
        entry.parts[number].job = Some(id.clone());
        self.check_order(entry, number, (from, output));
        journal.write(entry)?;
        Ok(id)
    }

    /// What stands for all that a job is started with, apart from its token.
    fn order(&self, from: &Prefix, output: &Prefix) -> String {
        let ConversionRequest { profile, role, key, drift, provenance, .. } = self.request;
        let text = format!("{}\n{from}\n{output}\n{}\n{key}\n{drift} {provenance}", profile.id, role.arn());
        format!("{:.16x}", Sha256::digest(text))
    }

    /// The job once it is over, with what it has written about errors and coverage.
    async fn wait(
        &mut self,
        id: &str,
        number: usize,
        of: usize,
        output: &Prefix,
    ) -> Result<ConversionJob, ConversionError> {
        let cx = &self.bulk.cx;
        let folder = output.under(id);
        let unseen = |error: ResourceError| ConversionError::Unseen { job: id.to_owned(), error };
        let mut job = if self.request.wait {
            self.observer.notice(ConversionEvent::WaitBegan);
            let last = RefCell::new(None);
            let hear = |job: &ConversionJob| {
                self.observer.notice(ConversionEvent::Seen(job));
                last.replace(Some(job.clone()));
            };
            let waited = jobs::wait(cx, id, &folder, hear).await;
            self.observer.notice(ConversionEvent::WaitEnded);
            if waited.is_err() {
                self.report.jobs.extend(last.into_inner());
            }
            waited.map_err(|ended| match ended {
                Ended::Failed(error) => unseen(error),
                Ended::TimedOut(status) | Ended::Stopped(status) => {
                    ConversionError::StillRunning { job: id.to_owned(), status }
                }
            })?
        } else {
            let look = until_stopped(&cx.stop, jobs::look(cx, id, &folder)).await;
            look.map_err(|_| ConversionError::Stopped)?.map_err(unseen)?
        };
        if !job.is_over() {
            self.report.jobs.push(job);
            return Err(ConversionError::LeftRunning { job: id.to_owned(), number: number + 1, of });
        }
        let read = async {
            let drift = if self.request.drift { results::drift(cx, &folder).await? } else { None };
            Ok::<_, ResourceError>((drift, results::errors(cx, &folder).await?))
        };
        match until_stopped(&cx.stop, read).await.map_err(|_| ConversionError::Stopped)? {
            Ok((drift, errors)) => {
                job.drift = drift;
                self.report.errors.extend(errors);
            }
            Err(error) => self.observer.notice(ConversionEvent::ResultsUnreadable(&error)),
        }
        Ok(job)
    }

    fn conclude(&mut self, journal: TransferJournal, mut entry: TransferEntry) -> Result<(), ConversionError> {
        self.report.errors = results::together(std::mem::take(&mut self.report.errors));
        // A status that says nothing of errors is not believed against what the job has written about them.
        let is_whole = self.report.jobs.iter().all(|job| job.status == "COMPLETED" && job.files_failed == 0);
        let with_errors = !is_whole || !self.report.errors.is_empty();
        if !with_errors {
            journal.close();
            return Ok(());
        }
        // Its uploads are kept; what is started next are other jobs.
        entry.parts = entry.parts.iter().map(|_| ConversionPart::new()).collect();
        journal.write(&entry)?;
        let count = |of: fn(&ConversionJob) -> i64| {
            self.report.jobs.iter().map(|job| u64::try_from(of(job)).unwrap_or_default()).sum::<u64>()
        };
        let listed: u64 = self.report.errors.iter().map(|trouble| trouble.count).sum();
        Err(ConversionError::NotAll {
            resources: count(|job| job.resources),
            failed: count(|job| job.files_failed).max(listed),
        })
    }
}
