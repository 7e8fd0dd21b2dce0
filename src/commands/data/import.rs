//! `hlctl data import`: checks, upload, job, and what became of each resource.

use serde_json::json;

use super::check::{Reading, files_of, show};
use super::{DataError, ImportEnded, JobProgress, files_to_convert, journals, open, place_of};
use crate::cli::{DataImportArgs, ImportFormat, Level, Switch};
use crate::commands::transform::{coverage, find_published};
use crate::data::bulk_context::BulkContext;
use crate::data::conversion::{ConversionTrouble, into_one, within_quotas};
use crate::data::failures::Cause;
use crate::data::import::{
    CheckedFiles, FilesFound, ImportConversionReport, ImportEvent, ImportObserver, ImportReport, ImportRequest,
    ProblemsFound, ProfileToConvertBy, ValidationLevel, ending_of, import,
};
use crate::data::job::Job;
use crate::data::place::DataLocation;
use crate::error::CommandError;
use crate::session::Session;
use crate::ui::Printer;
use crate::ui::transfer;
use hlctl_model::exit_code::ExitCode;
use hlctl_model::invocation::CommandLine;
use hlctl_model::text::counted;

/// Imports what the command line names.
pub(super) async fn run(session: &Session, arguments: &DataImportArgs) -> Result<ExitCode, CommandError> {
    let from = place_of(&arguments.from)?;
    if let Some(format) = arguments.format {
        return Box::pin(convert_and_import(session, arguments, &from, format)).await;
    }
    let files = match &from {
        DataLocation::S3(prefix) if arguments.check_references => {
            return Err(DataError::ReferencesInS3(prefix.clone()).into());
        }
        DataLocation::S3(prefix) if arguments.delete_input => {
            return Err(DataError::DeletesInS3(prefix.clone()).into());
        }
        DataLocation::S3(_) => None,
        DataLocation::Local(path) => {
            let files = files_of(session, path, arguments.checks()).await?;
            if let Some(findings) = &files.findings {
                show(session.printer, &files.source, findings, Reading::Whole);
            }
            decide(session, arguments, &files)?;
            Some(files)
        }
    };
    let bulk = open(session).await?;
    let request = ImportRequest {
        from: &from,
        files: files.as_ref(),
        conversion: None,
        validation_level: arguments.validation_level.into(),
        allow_problems: arguments.allow_problems,
        wait: !arguments.no_wait,
        delete_input: arguments.delete_input,
        journals: &journals(session),
    };
    carry_out(session, &bulk, request, &again(arguments), arguments.json).await.map(|()| ExitCode::Success)
}

/// Imports what HealthLake converts first. What a job takes is looked at before anything is sent; the files are read for their checksums alone.
async fn convert_and_import(
    session: &Session,
    arguments: &DataImportArgs,
    from: &DataLocation,
    format: ImportFormat,
) -> Result<ExitCode, CommandError> {
    let Some(name) = &arguments.transform_profile else {
        let aws_profile = session.global.profile.clone();
        return Err(DataError::NoTransformProfile { format: format.name(), aws_profile }.into());
    };
    if arguments.check_references {
        return Err(DataError::ReferencesToConvert.into());
    }
    if let (DataLocation::S3(prefix), true) = (from, arguments.delete_input) {
        return Err(DataError::DeletesInS3(prefix.clone()).into());
    }
    let bulk = open(session).await?;
    let profile = session.interruptible(find_published(&bulk.cx.clients, name)).await?;
    if !profile.format.eq_ignore_ascii_case(format.name()) {
        let (profile, converts) = (name.clone(), profile.format);
        return Err(DataError::OtherFormat { profile, converts, format: format.name() }.into());
    }
    let files = match from {
        DataLocation::S3(_) => None,
        DataLocation::Local(path) => {
            let mut source = files_to_convert(session, path, ending_of(&profile.format)).await?;
            let not_one_job = |error| DataError::NotOneJob { path: path.clone(), error };
            let quotas = within_quotas(&source, &profile.format).map_err(not_one_job);
            into_one(&mut source, &profile.format).map_err(not_one_job)?;
            let exceeded = match quotas {
                Err(error) if !arguments.allow_problems => return Err(error.into()),
                quotas => quotas.err(),
            };
            session.printer.say(&found(source.files.len() as u64, source.bytes()));
            if let Some(error) = exceeded {
                session.printer.warning(&error.to_string());
                session.printer.say(PROBLEMS_ALLOWED);
            }
            Some(CheckedFiles { source, findings: None })
        }
    };
    let version = profile.version;
    session.printer.say(&format!("HealthLake converts them by version {version} of {name}, the one published last."));
    let is_on = |switch: Option<Switch>| switch != Some(Switch::Off);
    let conversion = ProfileToConvertBy {
        profile: &profile,
        drift: is_on(arguments.drift_report),
        provenance: is_on(arguments.provenance),
    };
    let request = ImportRequest {
        from,
        files: files.as_ref(),
        conversion: Some(conversion),
        validation_level: arguments.validation_level.into(),
        allow_problems: arguments.allow_problems,
        wait: !arguments.no_wait,
        delete_input: arguments.delete_input,
        journals: &journals(session),
    };
    carry_out(session, &bulk, request, &again(arguments), arguments.json).await.map(|()| ExitCode::Success)
}

fn found(files: u64, bytes: u64) -> String {
    format!("Found {} in {}.", counted(files, "file"), transfer::size(bytes))
}

/// Imports, and shows what happens; `again` is the command that continues.
pub(super) async fn carry_out(
    session: &Session,
    bulk: &BulkContext,
    request: ImportRequest<'_>,
    again: &CommandLine,
    as_json: bool,
) -> Result<(), CommandError> {
    let imported = Box::pin(import(bulk, request, &JobProgress::new(session.printer))).await;
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
    if let Some(format) = arguments.format {
        again = again.option("--format", format.name());
    }
    if let Some(name) = &arguments.transform_profile {
        again = again.option("--transform-profile", name);
    }
    for (name, switch) in [("--drift-report", arguments.drift_report), ("--provenance", arguments.provenance)] {
        if switch == Some(Switch::Off) {
            again = again.option(name, "off");
        }
    }
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
    let Some(findings) = &files.findings else { return Ok(()) };
    match ProblemsFound::check(findings) {
        Err(_) if arguments.allow_problems => session.printer.say(PROBLEMS_ALLOWED),
        Err(problems) => {
            if arguments.json {
                let check = Some(findings.clone());
                session.printer.json(&json!(ImportReport { check, ..ImportReport::default() }));
            }
            return Err(problems.into());
        }
        Ok(()) => {}
    }
    Ok(())
}

const PROBLEMS_ALLOWED: &str = "Importing anyway.";

/// How far the job is.
fn status(job: &Job) -> String {
    let counts = job.progress.unwrap_or_default();
    let converted = match (counts.files_converted, counts.resources_generated) {
        (Some(files), Some(resources)) => format!("{files} files converted to {resources} resources, "),
        _ => String::new(),
    };
    format!(
        "  {}: {converted}{} of {} files, {} resources imported, {} refused",
        job.status, counts.files_imported, counts.files_scanned, counts.resources_imported, counts.resources_refused
    )
}

impl ImportObserver for JobProgress {
    fn notice(&self, event: ImportEvent<'_>) {
        let printer = self.printer;
        match event {
            ImportEvent::Continued { run } => self.is_continued(run),
            ImportEvent::Listed { source, findings } => show(printer, source, findings, Reading::Listed),
            ImportEvent::ListedToConvert(FilesFound { files, bytes, others }) => {
                printer.say(&found(files, bytes));
                if others > 0 {
                    printer.warning(&others_there(others));
                }
            }
            ImportEvent::QuotaExceeded(error) => printer.warning(&error.to_string()),
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
            ImportEvent::UploadEnded | ImportEvent::WaitEnded => self.rests(),
            ImportEvent::Uploaded { to, files } => {
                let kept = if files.kept == 0 { String::new() } else { format!(", {} there already", files.kept) };
                printer.say(&format!("Uploaded {} to {to}{kept}.", counted(files.sent, "file")));
            }
            ImportEvent::Started { id } => printer.say(&format!("Import job {id} has been started.")),
            ImportEvent::WaitBegan => self.waits(),
            ImportEvent::Seen(job) => self.shows(&status(job)),
            ImportEvent::LogsUnreadable(error) => {
                printer.warning(&format!("the logs of the job cannot be read: {error}"));
            }
            ImportEvent::OtherLevel { level, asked } => printer.warning(&format!(
                "an earlier run started the job, with the validation level {level} instead of {}",
                asked.as_str()
            )),
            ImportEvent::OtherConversion(started) => {
                let switch = |is_on| if is_on { "on" } else { "off" };
                printer.warning(&format!(
                    "an earlier run started the job with --drift-report {} and --provenance {}; it stays as it is",
                    switch(started.drift),
                    switch(started.provenance)
                ));
            }
            ImportEvent::Converted { files, resources, report } => converted(printer, (files, resources), report),
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
        self.moves("Uploading", bytes)
    }
}

/// Of files at a place in S3 that no conversion is for.
pub(in crate::commands) fn others_there(count: u64) -> String {
    let files = if count == 1 { "1 file is".to_owned() } else { format!("{count} files are") };
    format!("{files} there with another ending; HealthLake may report them as errors")
}

/// A cause for which files were not converted, with the first of them.
pub(in crate::commands) fn trouble_line(trouble: &ConversionTrouble) -> String {
    let more =
        if trouble.count == 1 { String::new() } else { format!(" ({} files, this is the first)", trouble.count) };
    format!("  {}: {}{more}", trouble.file, trouble.cause)
}

/// What the first phase of the job has done.
fn converted(printer: Printer, (files, resources): (i64, i64), report: &ImportConversionReport) {
    let as_count = |number: i64| u64::try_from(number).unwrap_or_default();
    let (files, resources) = (counted(as_count(files), "file"), counted(as_count(resources), "resource"));
    printer.say(&format!("{files} converted to {resources}."));
    for line in report.drift.iter().flat_map(coverage) {
        printer.say(&format!("  {line}"));
    }
    report.errors.iter().for_each(|trouble| printer.insist(&trouble_line(trouble)));
}

fn line(cause: &Cause) -> String {
    let times = if cause.count == 1 { String::new() } else { format!(" ({} times, first there)", cause.count) };
    format!("  {}:{}: {}{times}", cause.file, cause.line, cause.cause)
}
