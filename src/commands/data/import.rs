//! `hlctl data import`: checks, upload, job, and what became of each resource.

use std::path::Path;

use serde_json::{Value, json};

use super::check::{Reading, nothing_under, of_source, refuse, tell};
use super::{BulkContext, interrupted_by, journals, of_aws, of_failed, of_upload, of_wait, place_of};
use crate::aws::{AwsError, ErrorKind};
use crate::cli::{DataImportArgs, Level};
use crate::data::access::{self, Concern, Means};
use crate::data::check::{Checker, Findings, Level as CheckLevel, Limits};
use crate::data::failures::{self, Cause};
use crate::data::job::{self, Job, Kind};
use crate::data::journal::{Entry, Journal};
use crate::data::objects::list;
use crate::data::place::{Place, Prefix};
use crate::data::source::Source;
use crate::data::upload::upload;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::invocation::CommandLine;
use crate::model::text::counted;
use crate::resource::ResourceError;
use crate::session::Session;
use crate::ui::transfer;

/// Imports what the command line names.
pub(super) async fn run(session: &Session, arguments: &DataImportArgs) -> Result<ExitCode, CommandError> {
    let from = place_of(&arguments.from)?;
    let mut told = json!({});
    let source = match &from {
        Place::S3(prefix) if arguments.check_references => return Err(not_read(prefix)),
        Place::S3(_) => None,
        Place::Local(path) => Some(check(session, arguments, path, &mut told).await?),
    };
    let bulk = BulkContext::open(session).await?;
    let again = again(arguments);
    import(session, &bulk, Order { arguments, from: &from, source: source.as_ref(), again: &again }, told).await?;
    Ok(ExitCode::Success)
}

/// The command that goes on.
fn again(arguments: &DataImportArgs) -> CommandLine {
    let DataImportArgs { from, validation_level, check_references, allow_problems, .. } = arguments;
    let mut again = hlctl!("data import", from);
    if *validation_level != Level::Strict {
        again = again.option("--validation-level", validation_level.as_str());
    }
    if *check_references {
        again = again.flag("--check-references");
    }
    if *allow_problems { again.flag("--allow-problems") } else { again }
}

/// What is imported, and how.
#[derive(Clone, Copy)]
pub(super) struct Order<'a> {
    /// Level, and whether to wait.
    pub(super) arguments: &'a DataImportArgs,
    /// Where the files are.
    pub(super) from: &'a Place,
    /// The files, if they are on this machine.
    pub(super) source: Option<&'a Source>,
    /// The command that goes on.
    pub(super) again: &'a CommandLine,
}

/// Uploads what is not in S3 yet, and imports; goes on where an earlier run stood.
pub(super) async fn import(
    session: &Session,
    bulk: &BulkContext,
    order: Order<'_>,
    mut told: Value,
) -> Result<(), CommandError> {
    let Order { arguments, from, source, again } = order;
    let subject = from.subject();
    let journal = Journal::open(&journals(session), "import", &bulk.store, &subject)?;
    let known = journal.read();
    let is_resumed = known.is_some();
    let mut entry = known.unwrap_or_else(|| Entry::new(&bulk.store, &subject, &bulk.place("import"), "import"));
    let input = match from {
        Place::S3(prefix) => prefix.clone(),
        Place::Local(_) => entry.prefix.under("input"),
    };
    let output = entry.prefix.under("output");
    if input.contains(&output) {
        return Err(reads_its_own_output(&input, &entry.prefix));
    }
    let flow = Flow { session, arguments, bulk, again, input, output };
    if entry.job.is_none() {
        if source.is_none() {
            Box::pin(flow.check_objects(&mut told)).await?;
        }
        Box::pin(flow.check_access(&mut told)).await?;
    }
    journal.write(&entry)?;
    if is_resumed {
        session.printer.say(&format!("Continuing with {}, which an earlier run started.", entry.run));
    }
    if entry.job.is_none() {
        if let Some(source) = source {
            Box::pin(flow.upload(source, &journal, &mut entry, &mut told)).await?;
        }
        flow.start(&journal, &mut entry, source.map(Source::fingerprint)).await?;
    }
    let id =
        entry.job.clone().ok_or_else(|| of_aws(AwsError::incomplete("healthlake", "StartFHIRImportJob", "job id")))?;
    told["job"] = json!({"id": id, "name": entry.run});
    if arguments.no_wait {
        flow.print(&told);
        return Err(CommandError::LeftRunning {
            message: format!("The job {id} was started and is under way."),
            hint: format!("`{}` waits for it; `{}` shows it", flow.again, hlctl!("data jobs")),
        });
    }
    let job = flow.wait(&id).await?;
    told["job"] = json!(job);
    let causes = interrupted_by(session, again, flow.causes(&job)).await?;
    let result = flow.conclude(&job, &causes, &mut told);
    let result = result.and_then(|()| flow.check_same(&entry, source));
    flow.print(&told);
    if result.is_ok() {
        journal.close();
    } else {
        // Its uploads are kept; what is started next is another job.
        entry.forget_job("import");
        journal.write(&entry)?;
    }
    result
}

fn not_read(prefix: &Prefix) -> CommandError {
    CommandError::Usage {
        message: format!("the references in {prefix} cannot be checked: an import from S3 does not read the files"),
        hint: format!("`{}` reads them", hlctl!("data check", prefix).flag("--check-references")),
    }
}

/// AWS does not say whether a job takes what it writes itself for input; the logs of earlier jobs it does.
fn reads_its_own_output(input: &Prefix, run: &Prefix) -> CommandError {
    CommandError::Usage {
        message: format!(
            "{input} contains {run}, where this import would write: it would read logs, including its own"
        ),
        hint: "name a folder that has only the files: s3://BUCKET/FOLDER".to_owned(),
    }
}

async fn check(
    session: &Session,
    arguments: &DataImportArgs,
    path: &Path,
    told: &mut Value,
) -> Result<Source, CommandError> {
    let (source, findings) = of_source(session, path, arguments.checks()).await?;
    tell(session, &source, &findings, Reading::Whole);
    decide(session, arguments, &findings, told)?;
    Ok(source)
}

/// Whether what the check found lets the import go on.
fn decide(
    session: &Session,
    arguments: &DataImportArgs,
    findings: &Findings,
    told: &mut Value,
) -> Result<(), CommandError> {
    told["check"] = json!(findings);
    match refuse(findings) {
        Err(_) if arguments.allow_problems => session.printer.say("Importing anyway."),
        Err(error) => {
            if arguments.json {
                session.printer.json(told);
            }
            return Err(error);
        }
        Ok(()) => {}
    }
    Ok(())
}

/// What the steps of one import share.
struct Flow<'a> {
    session: &'a Session,
    arguments: &'a DataImportArgs,
    bulk: &'a BulkContext,
    /// The command that goes on.
    again: &'a CommandLine,
    input: Prefix,
    output: Prefix,
}

impl Flow<'_> {
    fn print(&self, told: &Value) {
        if self.arguments.json {
            self.session.printer.json(told);
        }
    }

    /// Names and sizes of what is in S3 already; it is not read.
    async fn check_objects(&self, told: &mut Value) -> Result<(), CommandError> {
        let listed = self.session.interruptible(async { Ok(list(&self.bulk.cx, &self.input).await) }).await?;
        let objects = match listed {
            Ok(objects) => objects,
            // Whether there is such a bucket is looked at next; and the role may list what this principal may not.
            Err(error) if error.is_not_found() || error.kind == ErrorKind::WrongRegion => return Ok(()),
            Err(error) => {
                self.session.printer.warning(&format!("the files could not be listed: {error}"));
                return Ok(());
            }
        };
        let mut checker = Checker::new(Limits::default(), CheckLevel::None, &std::env::temp_dir());
        let files = objects.iter().filter(|object| object.name.ends_with(".ndjson"));
        files.for_each(|object| checker.unread(&object.name, object.size));
        let findings = checker.finish().map_err(|error| CommandError::Other(error.into()))?;
        if findings.files == 0 {
            return Err(nothing_under(&self.input));
        }
        let source = Source { others: objects.len() as u64 - findings.files, ..Source::default() };
        tell(self.session, &source, &findings, Reading::Listed);
        decide(self.session, self.arguments, &findings, told)
    }

    /// A job that an earlier run started has imported what the files were then, and as strictly as it was told then.
    fn check_same(&self, entry: &Entry, source: Option<&Source>) -> Result<(), CommandError> {
        let now = source.map(Source::fingerprint);
        if entry.files.is_none() || now.is_none() || entry.files == now {
            return Ok(());
        }
        Err(CommandError::Incomplete {
            message: "the job imported the files as they were when it started; they have changed since".to_owned(),
            hint: format!("`{}` imports them as they are now", self.again),
        })
    }

    /// Role, buckets, key; and whether another job is in the way.
    async fn check_access(&self, told: &mut Value) -> Result<(), CommandError> {
        let bulk = self.bulk;
        let means = Means {
            kind: Kind::Import,
            store: &bulk.arn,
            role: &bulk.role,
            key: &bulk.key,
            input: Some(&self.input),
            output: &self.output,
        };
        let look = async {
            Ok(tokio::join!(
                access::concerns(&bulk.cx, means),
                job::list(&bulk.cx, &bulk.store),
                bulk.lost(self.session)
            ))
        };
        let (concerns, jobs, lost) = self.session.interruptible(look).await?;
        // Nothing is uploaded for a store that is gone.
        if let Some(lost) = lost {
            return Err(lost);
        }
        let printer = self.session.printer;
        told["concerns"] = json!(concerns);
        let certain: Vec<String> = concerns.iter().filter(|concern| concern.is_certain).map(text).collect();
        concerns.iter().filter(|concern| !concern.is_certain).for_each(|concern| printer.warning(&concern.text));
        for job in jobs.map_err(CommandError::Aws)?.iter().filter(|job| job.kind == Kind::Import && !job.is_over()) {
            printer.warning(&format!("another import, {}, is {}; this one waits for it", job.id, job.status));
        }
        if certain.is_empty() {
            return Ok(());
        }
        if self.arguments.allow_problems {
            certain.iter().for_each(|text| printer.warning(text));
            return Ok(());
        }
        self.print(told);
        Err(CommandError::Refused(certain))
    }

    async fn upload(
        &self,
        source: &Source,
        journal: &Journal,
        entry: &mut Entry,
        told: &mut Value,
    ) -> Result<(), CommandError> {
        let printer = self.session.printer;
        let bar = transfer::bar(printer, "Uploading", source.bytes());
        let heard = bar.clone();
        let work = upload(&self.bulk.cx, &self.input, &source.files, journal, entry, move |bytes| heard.inc(bytes));
        let uploaded = tokio::select! {
            uploaded = work => uploaded,
            _ = self.session.stop.requested() => Err(crate::data::upload::UploadError::Stopped),
        };
        bar.finish_and_clear();
        let uploaded = uploaded.map_err(|error| of_upload(&error, self.again))?;
        let there = if uploaded.kept == 0 { String::new() } else { format!(", {} there already", uploaded.kept) };
        printer.say(&format!("Uploaded {} to {}{there}.", counted(uploaded.sent, "file"), self.input));
        told["upload"] = json!({"to": self.input.to_string(), "sent": uploaded.sent, "kept": uploaded.kept});
        Ok(())
    }

    /// Starts the job, unless an earlier run did and could not write that down.
    async fn start(&self, journal: &Journal, entry: &mut Entry, files: Option<String>) -> Result<(), CommandError> {
        let bulk = self.bulk;
        let start = async {
            if let Some(id) = job::find(&bulk.cx, Kind::Import, &bulk.store, &entry.run).await.map_err(of_start)? {
                return Ok(id);
            }
            entry.files = files;
            journal.write(entry).map_err(|error| (error.to_string(), None))?;
            let order = bulk.order(entry, &self.output);
            let level = self.arguments.validation_level.as_str();
            job::import(&bulk.cx, &order, &self.input.to_string(), level).await.map_err(of_start)
        };
        let started = tokio::select! {
            started = start => started,
            _ = self.session.stop.requested() => Err(("still being started".to_owned(), None)),
        };
        let id = match started {
            Ok(id) => id,
            Err((error, hint)) => {
                let unfinished = super::unfinished(format!("the job was not started: {error}"), hint, self.again);
                return Err(bulk.lost(self.session).await.unwrap_or(unfinished));
            }
        };
        self.session.printer.say(&format!("Import job {id} has been started."));
        entry.job = Some(id);
        Ok(journal.write(entry)?)
    }

    /// Waits, and tells how far it is whenever that has changed.
    async fn wait(&self, id: &str) -> Result<Job, CommandError> {
        let printer = self.session.printer;
        let spinner = transfer::spinner(printer);
        let last = std::cell::RefCell::new(String::new());
        let hear = |job: &Job| {
            let counts = job.progress.unwrap_or_default();
            let line = format!(
                "  {}: {} of {} files, {} resources imported, {} refused",
                job.status,
                counts.files_imported,
                counts.files_scanned,
                counts.resources_imported,
                counts.resources_refused
            );
            spinner.set_message(line.clone());
            spinner.tick();
            if last.replace(line.clone()) != line && spinner.is_hidden() {
                printer.say(&line);
            }
        };
        let job = job::wait(&self.bulk.cx, Kind::Import, &self.bulk.store, id, hear).await;
        spinner.finish_and_clear();
        job.map_err(|ended| of_wait(ended, id, self.again))
    }

    /// Why some were refused, as the logs of the job have it.
    async fn causes(&self, job: &Job) -> Result<Vec<Cause>, CommandError> {
        let causes = match job.folder(&self.bulk.store) {
            Some(folder) if job.status != "COMPLETED" => failures::causes(&self.bulk.cx, &folder).await,
            _ => Ok(Vec::new()),
        };
        Ok(causes.unwrap_or_else(|error| {
            self.session.printer.warning(&format!("the logs of the job cannot be read: {error}"));
            Vec::new()
        }))
    }

    /// What became of it, with the refusals by cause.
    fn conclude(&self, job: &Job, causes: &[Cause], told: &mut Value) -> Result<(), CommandError> {
        let printer = self.session.printer;
        let imported = imported(job);
        told["refused"] = json!(causes);
        let asked = self.arguments.validation_level.as_str();
        if let Some(level) = job.validation_level.as_deref().filter(|level| *level != asked) {
            printer.warning(&format!(
                "an earlier run started the job, with the validation level {level} instead of {asked}"
            ));
        }
        causes.iter().for_each(|cause| printer.insist(&line(cause)));
        if job.status == "COMPLETED" {
            printer.say(&format!("Imported {}.", counted(imported, "resource")));
            if let Place::Local(_) = Place::parse(&self.arguments.from).unwrap_or(Place::S3(self.input.clone())) {
                printer.say(&format!("The files stay at {}.", self.input));
            }
            return Ok(());
        }
        if job.status == "COMPLETED_WITH_ERRORS" {
            return Err(self.incomplete(job, causes));
        }
        Err(of_failed(job, &self.bulk.store, self.again))
    }

    /// Some were not imported: by their own fault, which AWS counts, or the service's, which only the logs tell.
    fn incomplete(&self, job: &Job, causes: &[Cause]) -> CommandError {
        let counts = job.progress.unwrap_or_default();
        let imported = imported(job);
        let by_service: u64 = causes.iter().filter(|cause| cause.is_the_services()).map(|cause| cause.count).sum();
        let by_data: u64 = causes.iter().filter(|cause| !cause.is_the_services()).map(|cause| cause.count).sum();
        let refused = u64::try_from(counts.resources_refused).unwrap_or_default().max(by_data);
        let failed = if by_service == 0 { String::new() } else { format!(", {by_service} lost to service failures") };
        let logs = job.folder(&self.bulk.store).map(|folder| format!("{folder}FAILURE/")).unwrap_or_default();
        let again = self.again;
        CommandError::Incomplete {
            message: format!(
                "{} imported, {refused} refused{failed}; the complete logs are under {logs}",
                counted(imported, "resource")
            ),
            hint: if refused == 0 {
                format!("`{again}` imports all of them again")
            } else {
                format!("correct those lines, then `{again}` sends what has changed")
            },
        }
    }
}

/// Why a job was not started, and what to do about it.
fn of_start(error: impl Into<ResourceError>) -> (String, Option<String>) {
    let error = error.into();
    (error.to_string(), error.hint())
}

fn text(concern: &Concern) -> String {
    concern.text.clone()
}

fn line(cause: &Cause) -> String {
    let times = if cause.count == 1 { String::new() } else { format!(" ({} times, first there)", cause.count) };
    format!("  {}:{}: {}{times}", cause.file, cause.line, cause.cause)
}

/// How many resources the job has put into the store.
fn imported(job: &Job) -> u64 {
    u64::try_from(job.progress.unwrap_or_default().resources_imported).unwrap_or_default()
}
