//! An import from its check to its end: uploads what is not in S3 yet, runs the job, and tells what became of each resource.
//!
//! An [`ImportObserver`] follows what happens; the [`ImportReport`] is the result as JSON.

mod converting;
mod error;
mod observer;
mod report;
mod request;

pub use converting::{FilesFound, ImportConversionReport, NotConvertible, ending_of, hint_of};
pub use error::{ImportError, ImportFailure, NoFiles, ProblemsFound};
pub use observer::{ImportEvent, ImportObserver};
pub use report::{ImportReport, JobReport, UploadReport};
pub use request::{CheckedFiles, ImportRequest, ProfileToConvertBy, ValidationLevel};

use super::access::{self, JobResources, PreflightIssue};
use super::bulk_context::{BulkContext, until_stopped};
use super::check::{Checker, Level as CheckLevel, Limits};
use super::conversion::ConversionTrouble;
use super::failures::{self, Cause};
use super::job::{self, Job, JobKind};
use super::journal::{ImportConversion, TransferEntry, TransferJournal};
use super::objects::list;
use super::place::{DataLocation, Prefix};
use super::source::Source;
use super::unfinished::{NotStarted, Unfinished};
use super::upload::{UploadError, upload};
use crate::module::IMPORT_FOLDER;
use hlctl_aws::ErrorKind;
use hlctl_resources::{ResourceError, delete_all_versions};

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
    let result = flow.conclude(&job, &causes).and_then(|()| flow.check_same(&entry, &job));
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
    fn check_same(&self, entry: &TransferEntry, job: &Job) -> Result<(), ImportError> {
        let now = self.request.files.map(|files| files.source.fingerprint());
        if entry.files.is_some() && now.is_some() && entry.files != now {
            return Err(ImportError::FilesChanged);
        }
        let asked = self.request.validation_level;
        match job.validation_level.as_deref().and_then(ValidationLevel::parse) {
            Some(level) if level < asked => Err(ImportError::LessStrict { level, asked }),
            _ => Ok(()),
        }
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
        let work = upload(&self.bulk.cx, &self.input, source, journal, entry, progress);
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
            if was_sent {
                self.check_conversion(entry);
            } else {
                self.renew_order(entry);
            }
            entry.start_sent = true;
            journal.write(entry)?;
            let order = bulk.order(entry, &self.output);
            let level = entry.validation_level.as_deref().unwrap_or(self.request.validation_level.as_str());
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

    /// Notes what the job is started with, where no earlier start may have arrived.
    fn renew_order(&self, entry: &mut TransferEntry) {
        let level = self.request.validation_level.as_str();
        let is_another = (entry.conversion.is_some() && entry.conversion != self.conversion)
            || entry.validation_level.as_deref().is_some_and(|noted| noted != level);
        if is_another {
            entry.forget_job("import");
        }
        entry.conversion.clone_from(&self.conversion);
        entry.validation_level = Some(level.to_owned());
        entry.files = self.request.files.map(|files| files.source.fingerprint());
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
