//! `hlctl data import`: checks, upload, job, and what became of each resource.

use std::cell::RefCell;

use serde_json::json;

use super::check::{Reading, files_of, show};
use super::{ImportEnded, journals, open, place_of};
use crate::cli::{DataImportArgs, Level};
use crate::data::bulk_context::BulkContext;
use crate::data::failures::Cause;
use crate::data::import::{
    CheckedFiles, ImportEvent, ImportObserver, ImportReport, ImportRequest, ProblemsFound, ValidationLevel, import,
};
use crate::data::job::Job;
use crate::data::place::DataLocation;
use crate::error::CommandError;
use crate::session::Session;
use crate::ui::Printer;
use crate::ui::transfer::{self, Moving};
use hlctl_model::exit_code::ExitCode;
use hlctl_model::invocation::CommandLine;
use hlctl_model::text::counted;

/// Imports what the command line names.
pub(super) async fn run(session: &Session, arguments: &DataImportArgs) -> Result<ExitCode, CommandError> {
    let from = place_of(&arguments.from)?;
    let files = match &from {
        DataLocation::S3(prefix) if arguments.check_references => {
            return Err(super::DataError::ReferencesInS3(prefix.clone()).into());
        }
        DataLocation::S3(prefix) if arguments.delete_input => {
            return Err(super::DataError::DeletesInS3(prefix.clone()).into());
        }
        DataLocation::S3(_) => None,
        DataLocation::Local(path) => {
            let files = files_of(session, path, arguments.checks()).await?;
            show(session.printer, &files.source, &files.findings, Reading::Whole);
            decide(session, arguments, &files)?;
            Some(files)
        }
    };
    let bulk = open(session).await?;
    let request = ImportRequest {
        from: &from,
        files: files.as_ref(),
        validation_level: arguments.validation_level.into(),
        allow_problems: arguments.allow_problems,
        wait: !arguments.no_wait,
        delete_input: arguments.delete_input,
        journals: &journals(session),
    };
    carry_out(session, &bulk, request, &again(arguments), arguments.json).await.map(|()| ExitCode::Success)
}

/// Imports, and shows what happens; `again` is the command that continues.
pub(super) async fn carry_out(
    session: &Session,
    bulk: &BulkContext,
    request: ImportRequest<'_>,
    again: &CommandLine,
    as_json: bool,
) -> Result<(), CommandError> {
    let imported = Box::pin(import(bulk, request, &Progress::new(session.printer))).await;
    let (report, result) = match imported {
        Ok(report) => (Some(report), Ok(())),
        Err(failure) => (failure.report.map(|report| *report), Err(ImportEnded::error(failure.error, again))),
    };
    if let Some(report) = report.filter(|_| as_json) {
        session.printer.json(&json!(report));
    }
    result
}

/// The command that continues.
fn again(arguments: &DataImportArgs) -> CommandLine {
    let DataImportArgs { from, validation_level, check_references, allow_problems, delete_input, .. } = arguments;
    let mut again = hlctl!("data import", from);
    if *validation_level != Level::Strict {
        again = again.option("--validation-level", ValidationLevel::from(*validation_level).as_str());
    }
    if *check_references {
        again = again.flag("--check-references");
    }
    if *allow_problems {
        again = again.flag("--allow-problems");
    }
    if *delete_input { again.flag("--delete-input") } else { again }
}

/// Whether what the check found lets the import go on.
fn decide(session: &Session, arguments: &DataImportArgs, files: &CheckedFiles) -> Result<(), CommandError> {
    match ProblemsFound::check(&files.findings) {
        Err(_) if arguments.allow_problems => session.printer.say(PROBLEMS_ALLOWED),
        Err(problems) => {
            if arguments.json {
                let check = Some(files.findings.clone());
                session.printer.json(&json!(ImportReport { check, ..ImportReport::default() }));
            }
            return Err(problems.into());
        }
        Ok(()) => {}
    }
    Ok(())
}

const PROBLEMS_ALLOWED: &str = "Importing anyway.";

/// Shows an import on the terminal.
struct Progress {
    printer: Printer,
    moving: RefCell<Option<Moving>>,
    last: RefCell<String>,
}

impl Progress {
    fn new(printer: Printer) -> Self {
        Self { printer, moving: RefCell::default(), last: RefCell::default() }
    }

    /// How far the job is, whenever that has changed.
    fn seen(&self, job: &Job) {
        let counts = job.progress.unwrap_or_default();
        let line = format!(
            "  {}: {} of {} files, {} resources imported, {} refused",
            job.status,
            counts.files_imported,
            counts.files_scanned,
            counts.resources_imported,
            counts.resources_refused
        );
        super::show_status(self.printer, self.moving.borrow().as_ref(), &self.last, &line);
    }
}

impl ImportObserver for Progress {
    fn notice(&self, event: ImportEvent<'_>) {
        let printer = self.printer;
        match event {
            ImportEvent::Continued { run } => super::say_continued(printer, run),
            ImportEvent::Listed { source, findings } => show(printer, source, findings, Reading::Listed),
            ImportEvent::NotListed(error) => printer.warning(&format!("the files could not be listed: {error}")),
            ImportEvent::ProblemsAllowed => printer.say(PROBLEMS_ALLOWED),
            ImportEvent::Concern(concern) => printer.warning(&concern.text),
            ImportEvent::OtherImport(job) => {
                printer.warning(&format!(
                    "another import, {}, is {}; HealthLake starts this one when that has ended\n  `{}` shows how far it is. You \
                     can stop here with Ctrl-C: the same command continues later",
                    job.id,
                    job.status,
                    hlctl!("data jobs")
                ));
            }
            ImportEvent::UploadEnded | ImportEvent::WaitEnded => drop(self.moving.take()),
            ImportEvent::Uploaded { to, files } => {
                let kept = if files.kept == 0 { String::new() } else { format!(", {} there already", files.kept) };
                printer.say(&format!("Uploaded {} to {to}{kept}.", counted(files.sent, "file")));
            }
            ImportEvent::Started { id } => printer.say(&format!("Import job {id} has been started.")),
            ImportEvent::WaitBegan => drop(self.moving.replace(Some(transfer::spinner(printer)))),
            ImportEvent::Seen(job) => self.seen(job),
            ImportEvent::LogsUnreadable(error) => {
                printer.warning(&format!("the logs of the job cannot be read: {error}"));
            }
            ImportEvent::OtherLevel { level, asked } => printer.warning(&format!(
                "an earlier run started the job, with the validation level {level} instead of {}",
                asked.as_str()
            )),
            ImportEvent::Refused(cause) => printer.insist(&line(cause)),
            ImportEvent::Imported { resources, files_stay_at } => {
                printer.say(&format!("Imported {}.", counted(resources, "resource")));
                if let Some(input) = files_stay_at {
                    printer.say(&format!("The files stay at {input}."));
                }
            }
            ImportEvent::InputDeleted => printer.say("The uploaded files are deleted from S3, with every version."),
        }
    }

    fn upload(&self, bytes: u64) -> Box<dyn Fn(u64) + Send + Sync> {
        let bar = transfer::bar(self.printer, "Uploading", bytes);
        let heard = bar.clone();
        self.moving.replace(Some(bar));
        Box::new(move |bytes| heard.inc(bytes))
    }
}

fn line(cause: &Cause) -> String {
    let times = if cause.count == 1 { String::new() } else { format!(" ({} times, first there)", cause.count) };
    format!("  {}:{}: {}{times}", cause.file, cause.line, cause.cause)
}
