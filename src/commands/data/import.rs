//! `hlctl data import`: checks, upload, job, and what became of each resource.

use std::path::Path;

use serde_json::{Value, json};

use super::check::{of_source, refuse, tell};
use super::{Desk, journals, of_failed, of_upload, of_wait, plural};
use crate::cli::DataImportArgs;
use crate::commands::interruptible;
use crate::data::access::{self, Concern, Means};
use crate::data::failures::{self, Cause};
use crate::data::job::{self, Job, Kind};
use crate::data::journal::{Entry, Journal};
use crate::data::place::{Place, Prefix};
use crate::data::source::Source;
use crate::data::upload::upload;
use crate::error::{CommandError, ResourceError};
use crate::exit_code::ExitCode;
use crate::session::Session;
use crate::ui::transfer;

/// Imports what the command line names.
pub(super) async fn run(session: &Session, arguments: &DataImportArgs) -> Result<ExitCode, CommandError> {
    let from = Place::parse(&arguments.from).ok_or_else(|| CommandError::Usage {
        message: format!("{} names no bucket", arguments.from),
        hint: "write s3://BUCKET/PREFIX, or a path".to_owned(),
    })?;
    let mut told = json!({});
    let source = match &from {
        Place::S3(_) => None,
        Place::Local(path) => Some(check(session, arguments, path, &mut told).await?),
    };
    let desk = Desk::open(session).await?;
    let again = format!("hlctl data import {}", arguments.from);
    import(session, &desk, Order { arguments, from: &from, source: source.as_ref(), again: &again }, told).await?;
    Ok(ExitCode::Success)
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
    pub(super) again: &'a str,
}

/// Uploads what is not in S3 yet, and imports; goes on where an earlier run stood.
pub(super) async fn import(
    session: &Session,
    desk: &Desk,
    order: Order<'_>,
    mut told: Value,
) -> Result<(), CommandError> {
    let Order { arguments, from, source, again } = order;
    let subject = match from {
        Place::S3(prefix) => prefix.to_string(),
        Place::Local(path) => std::path::absolute(path).unwrap_or_else(|_| path.clone()).display().to_string(),
    };
    let journal = Journal::open(&journals(session), "import", &desk.store, &subject)?;
    let known = journal.read();
    let is_resumed = known.is_some();
    let mut entry = known.unwrap_or_else(|| Entry::new(&desk.store, &subject, &desk.place("import"), "import"));
    let input = match from {
        Place::S3(prefix) => prefix.clone(),
        Place::Local(_) => entry.prefix.under("input"),
    };
    let output = entry.prefix.under("output");
    let flow = Flow { session, arguments, desk, again, input, output };
    if entry.job.is_none() {
        flow.check_access(&mut told).await?;
    }
    journal.write(&entry)?;
    if is_resumed {
        session.printer.say(&format!("Going on with {}, which an earlier run began.", entry.run));
    }
    if entry.job.is_none() {
        if let Some(source) = source {
            flow.upload(source, &journal, &mut entry, &mut told).await?;
        }
        flow.start(&journal, &mut entry).await?;
    }
    let id = entry.job.clone().unwrap_or_default();
    told["job"] = json!({"id": id, "name": entry.run});
    if arguments.no_wait {
        flow.print(&told);
        return Err(CommandError::Incomplete {
            message: format!("the job {id} was started"),
            hint: format!("`{}` waits for it; `hlctl data jobs` shows it", flow.again),
        });
    }
    let job = flow.wait(&id).await?;
    told["job"] = json!(job);
    let result = flow.conclude(&job, &mut told).await;
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

async fn check(
    session: &Session,
    arguments: &DataImportArgs,
    path: &Path,
    told: &mut Value,
) -> Result<Source, CommandError> {
    let (source, findings) = of_source(session, path).await?;
    tell(session, &source, &findings);
    told["check"] = json!(findings);
    match refuse(&findings) {
        Err(_) if arguments.allow_problems => session.printer.say("Importing all the same."),
        Err(error) => {
            if arguments.json {
                session.printer.data(&format!("{told:#}"));
            }
            return Err(error);
        }
        Ok(()) => {}
    }
    Ok(source)
}

/// What the steps of one import share.
struct Flow<'a> {
    session: &'a Session,
    arguments: &'a DataImportArgs,
    desk: &'a Desk,
    /// The command that goes on.
    again: &'a str,
    input: Prefix,
    output: Prefix,
}

impl Flow<'_> {
    fn print(&self, told: &Value) {
        if self.arguments.json {
            self.session.printer.data(&format!("{told:#}"));
        }
    }

    /// Role, buckets, key; and whether another job is in the way.
    async fn check_access(&self, told: &mut Value) -> Result<(), CommandError> {
        let desk = self.desk;
        let means = Means {
            kind: Kind::Import,
            store: &desk.arn,
            role: &desk.role,
            key: &desk.key,
            input: Some(&self.input),
            output: &self.output,
        };
        let look = async { Ok(tokio::join!(access::concerns(&desk.cx, means), job::list(&desk.cx, &desk.store))) };
        let (concerns, jobs) = interruptible(&self.session.stop, look).await?;
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
        let work = upload(&self.desk.cx, &self.input, &source.files, journal, entry, move |bytes| heard.inc(bytes));
        let uploaded = tokio::select! {
            uploaded = work => uploaded,
            _ = self.session.stop.requested() => Err(crate::data::upload::UploadError::Stopped),
        };
        bar.finish_and_clear();
        let uploaded = uploaded.map_err(|error| of_upload(&error, self.again))?;
        let there = if uploaded.kept == 0 { String::new() } else { format!(", {} there already", uploaded.kept) };
        printer.say(&format!("Uploaded {} to {}{there}.", plural(uploaded.sent, "file"), self.input));
        told["upload"] = json!({"to": self.input.to_string(), "sent": uploaded.sent, "kept": uploaded.kept});
        Ok(())
    }

    /// Starts the job, unless an earlier run did and could not write that down.
    async fn start(&self, journal: &Journal, entry: &mut Entry) -> Result<(), CommandError> {
        let desk = self.desk;
        let start = async {
            if let Some(id) = job::find(&desk.cx, Kind::Import, &desk.store, &entry.run).await? {
                return Ok(id);
            }
            let order = desk.order(entry, &self.output);
            job::import(&desk.cx, &order, &self.input.to_string(), self.arguments.validation_level.as_str()).await
        };
        let started = tokio::select! {
            started = start => started,
            _ = self.session.stop.requested() => Err(ResourceError::StillGoing { status: "being started".to_owned() }),
        };
        let id = started.map_err(|error| {
            super::unfinished(format!("the job was not started: {error}"), error.hint(), self.again)
        })?;
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
        let job = job::wait(&self.desk.cx, Kind::Import, &self.desk.store, id, hear).await;
        spinner.finish_and_clear();
        job.map_err(|ended| of_wait(ended, id, self.again))
    }

    /// What became of it, with the refusals by cause.
    async fn conclude(&self, job: &Job, told: &mut Value) -> Result<(), CommandError> {
        let printer = self.session.printer;
        let counts = job.progress.unwrap_or_default();
        let folder = job.folder(&self.desk.store);
        let causes = match &folder {
            Some(folder) if job.status != "COMPLETED" => failures::causes(&self.desk.cx, folder).await,
            _ => Ok(Vec::new()),
        };
        let causes = causes.unwrap_or_else(|error| {
            printer.warning(&format!("the logs of the job cannot be read: {error}"));
            Vec::new()
        });
        told["refused"] = json!(causes);
        causes.iter().for_each(|cause| printer.insist(&line(cause)));
        if job.status == "COMPLETED" {
            printer.say(&format!("Imported {} resources.", counts.resources_imported));
            if let Place::Local(_) = Place::parse(&self.arguments.from).unwrap_or(Place::S3(self.input.clone())) {
                printer.say(&format!("The files stay at {}.", self.input));
            }
            return Ok(());
        }
        if job.status == "COMPLETED_WITH_ERRORS" {
            let logs = folder.map(|folder| format!("{folder}FAILURE/")).unwrap_or_default();
            return Err(CommandError::Incomplete {
                message: format!(
                    "{} resources were imported, {} refused; the whole logs are under {logs}",
                    counts.resources_imported, counts.resources_refused
                ),
                hint: format!("mend those lines, then `{}` sends what has changed", self.again),
            });
        }
        Err(of_failed(job, self.again))
    }
}

fn text(concern: &Concern) -> String {
    concern.text.clone()
}

fn line(cause: &Cause) -> String {
    let times = if cause.count == 1 { String::new() } else { format!(" ({} times, first there)", cause.count) };
    format!("  {}:{}: {}{times}", cause.file, cause.line, cause.cause)
}
