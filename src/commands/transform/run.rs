//! `hlctl transform run`: files are converted by jobs of HealthLake.

use std::fmt;

use serde_json::Value;
use thiserror::Error;

use super::profiles::find_published;
use crate::cli::{Switch, TransformRunArgs};
use crate::commands::data::{JobProgress, files_to_convert, journals, others_there, place_of, trouble_line};
use crate::data::bulk_context::BulkContext;
use crate::data::conversion::{
    ConversionError, ConversionEvent, ConversionJob, ConversionObserver, ConversionReport, ConversionRequest, Families,
    Indivisible, JobRole, convert, divide,
};
use crate::data::import::ending_of;
use crate::data::place::{DataLocation, Prefix};
use crate::data::profiles::{self, TransformProfile};
use crate::error::{CommandError, Ending, Failure};
use crate::session::{OpenStack, Region, Session};
use crate::ui::Printer;
use crate::ui::json::TransformRun;
use hlctl_aws::Clients;
use hlctl_model::exit_code::ExitCode;
use hlctl_model::invocation::CommandLine;
use hlctl_model::text::{counted, shown};
use hlctl_transform::Mapping;

/// Converts what the command line names.
pub(super) async fn run(session: &Session, arguments: &TransformRunArgs) -> Result<ExitCode, CommandError> {
    let from = place_of(&arguments.from)?;
    let output = match &arguments.output {
        None => None,
        Some(text) => Some(Prefix::parse(text).ok_or_else(|| RunError::NotInS3(text.clone()))?),
    };
    let stack = OpenStack::open(session, Region::OfState).await?;
    let configured = stack.config.as_ref().and_then(|config| config.transform_role_arn.clone());
    let bulk = BulkContext::of(stack.cx, &stack.state)?;
    let profile = session.interruptible(find_published(&bulk.cx.clients, &arguments.transform_profile)).await?;
    let ending = ending_of(&profile.format);
    let (files, parts) = match &from {
        DataLocation::S3(_) => (None, 1),
        DataLocation::Local(path) => {
            let mut source = files_to_convert(session, path, ending).await?;
            let families = session.interruptible(families(&bulk.cx.clients, &profile)).await?;
            let parts = divide(&mut source, &profile.format, &families).map_err(RunError::Indivisible)?;
            (Some(source), parts)
        }
    };
    let given = arguments.role_arn.as_ref().or(configured.as_ref());
    let request = ConversionRequest {
        from: &from,
        files: files.as_ref(),
        parts,
        ending,
        profile: &profile,
        output: output.as_ref(),
        role: given.map_or(JobRole::OfStack(&bulk.role), |arn| JobRole::Given(arn)),
        key: arguments.kms_key.as_ref().unwrap_or(&bulk.key),
        drift: arguments.drift_report == Switch::On,
        provenance: arguments.provenance == Switch::On,
        wait: !arguments.no_wait,
        journals: &journals(session),
    };
    let converted = Box::pin(convert(&bulk, request, &JobProgress::new(session.printer))).await;
    let (report, result) = match converted {
        Ok(report) => (report, Ok(ExitCode::Success)),
        Err(failure) => (*failure.report, Err(ConversionEnded::error(failure.error, again(arguments)))),
    };
    let is_begun = report.upload.is_some() || !report.jobs.is_empty();
    if !arguments.json {
        show(session.printer, &report);
    } else if result.is_ok() || is_begun {
        session.printer.json(&TransformRun::of(profile, report));
    }
    result
}

/// Which tables of the mapping that is published belong together.
async fn families(clients: &Clients, profile: &TransformProfile) -> Result<Families, CommandError> {
    if profile.format != "CSV" {
        return Ok(None);
    }
    let mapping = profiles::mapping(clients, &profile.id, profile.version).await.map_err(CommandError::Aws)?;
    let mut texts = mapping.0.values();
    let only = texts.next().filter(|_| texts.next().is_none());
    // AWS may take what hlctl's converter does not.
    Ok(only.and_then(|text| Mapping::parse(text).ok()).map(|mapping| mapping.families()))
}

/// The command that continues.
fn again(arguments: &TransformRunArgs) -> CommandLine {
    let mut again = hlctl!("transform run", arguments.transform_profile, arguments.from);
    let options =
        [("--output", &arguments.output), ("--role-arn", &arguments.role_arn), ("--kms-key", &arguments.kms_key)];
    for (name, value) in options {
        if let Some(value) = value {
            again = again.option(name, value);
        }
    }
    for (name, switch) in [("--drift-report", arguments.drift_report), ("--provenance", arguments.provenance)] {
        if switch == Switch::Off {
            again = again.option(name, "off");
        }
    }
    again
}

/// What has come of it: where the converted files are, on stdout, and the rest.
fn show(printer: Printer, report: &ConversionReport) {
    for trouble in &report.errors {
        printer.insist(&trouble_line(trouble));
    }
    for job in report.jobs.iter().filter(|job| job.is_over() && job.status != "FAILED") {
        let version =
            job.profile_version.map(|version| format!(" by version {version} of the profile")).unwrap_or_default();
        printer.say(&format!(
            "{} of {} converted to {}{version}.",
            job.files_converted,
            counted(u64::try_from(job.files_scanned).unwrap_or_default(), "file"),
            counted(u64::try_from(job.resources).unwrap_or_default(), "resource")
        ));
        if let Some(drift) = &job.drift {
            coverage(drift).iter().for_each(|line| printer.say(&format!("  {line}")));
        }
        printer.data(&job.converted);
    }
}

/// What a drift report says in short; its form is the guide's ("Understanding drift reports"), and what it does not have is left out. Names of
/// tables and columns are the mapping's and the files', not patients'.
pub(in crate::commands) fn coverage(drift: &Value) -> Vec<String> {
    let percent = |value: &Value| value.as_f64().map(|rate| format!("{:.0} %", (rate * 100.0).floor()));
    let mut lines = Vec::new();
    let summary = &drift["summary"];
    if let Some(rate) = percent(&summary["overallCoverageRate"]) {
        lines.push(format!("the mapping uses {rate} of the columns"));
    }
    for (member, whose) in
        [("rowsFailedCustomerError", "by their own fault"), ("rowsFailedServerError", "by HealthLake's fault")]
    {
        if let Some(rows) = summary[member].as_u64().filter(|rows| *rows > 0) {
            lines.push(format!("{} not converted, {whose}", counted(rows, "row")));
        }
    }
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let names = |value: &Value| {
        list(value).iter().filter_map(|name| name.as_str().map(str::to_owned)).collect::<Vec<_>>().join(", ")
    };
    for table in list(&drift["unmappedTables"]) {
        let name = table["tableName"].as_str().unwrap_or("a table");
        lines.push(format!("the mapping has no table {name}"));
    }
    for columns in list(&drift["unmappedColumns"]) {
        let name = columns["tableName"].as_str().unwrap_or("a table");
        lines.push(format!("not used of {name}: {}", names(&columns["columns"])));
    }
    for (member, what) in [
        ("avgOverallCoverageRate", "of the documents is covered"),
        ("avgSectionCoverageRate", "of their sections"),
        ("avgEntryCoverageRate", "of their entries"),
        ("avgResourceAccuracy", "accuracy of resources"),
    ] {
        if let Some(rate) = percent(&drift[member]) {
            lines.push(format!("{rate} {what}"));
        }
    }
    for (member, what) in [("unknownSections", "sections"), ("unknownEntries", "entries")] {
        let found =
            drift[member].as_object().map(|found| found.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
        if !found.is_empty() {
            lines.push(format!("unknown {what}: {}", found.join(", ")));
        }
    }
    lines.iter().map(|line| shown(line).into_owned()).collect()
}

/// How far a job is.
fn status(job: &ConversionJob) -> String {
    format!(
        "  {}: {} of {} files converted, {} failed, {} resources",
        job.status, job.files_converted, job.files_scanned, job.files_failed, job.resources
    )
}

impl ConversionObserver for JobProgress {
    fn notice(&self, event: ConversionEvent<'_>) {
        let printer = self.printer;
        match event {
            ConversionEvent::Continued { run } => self.is_continued(run),
            ConversionEvent::FilesChanged => printer.warning(
                "the files have changed since an earlier run started a job for them; all of them are converted again",
            ),
            ConversionEvent::NotListed(error) => printer.warning(&format!("the files could not be listed: {error}")),
            ConversionEvent::Others { count } => printer.warning(&others_there(count)),
            ConversionEvent::Divided { jobs } => {
                printer.say(&format!("The files are more than one job takes: {jobs} jobs convert them, one after another."));
            }
            ConversionEvent::UploadEnded | ConversionEvent::WaitEnded => self.rests(),
            ConversionEvent::Uploaded { to, files } => {
                let kept = if files.kept == 0 { String::new() } else { format!(", {} there already", files.kept) };
                printer.say(&match files.sent {
                    0 => format!("All files are at {to} already."),
                    sent => format!("Uploaded {} to {to}{kept}.", counted(sent, "file")),
                });
            }
            ConversionEvent::RoleOfStack { arn } => printer.warning(&format!(
                "the role {arn} trusts HealthLake for the stack's store, and this job has no store; whether HealthLake takes it is not \
                 confirmed\n  --role-arn or transform_role_arn names another"
            )),
            ConversionEvent::OtherOrder { id } => printer.warning(&format!(
                "an earlier run started the job {id} with another role, key, profile or report than this command names; it stays as \
                 it is\n  --output with another place starts another job"
            )),
            ConversionEvent::Started { id, number, of } => {
                let which = if of == 1 { String::new() } else { format!(", {number} of {of},") };
                printer.say(&format!("Job {id}{which} has been started."));
            }
            ConversionEvent::WaitBegan => self.waits(),
            ConversionEvent::Seen(job) => self.shows(&status(job)),
            ConversionEvent::ResultsUnreadable(error) => {
                printer.warning(&format!("what the job has written about errors and coverage cannot be read: {error}"));
            }
        }
    }

    fn upload(&self, bytes: u64) -> Box<dyn Fn(u64) + Send + Sync> {
        self.moves("Uploading", bytes)
    }
}

/// What keeps files from being converted.
#[derive(Debug, Error)]
enum RunError {
    /// The output is to go elsewhere.
    #[error("{0} is no place in S3")]
    NotInS3(String),
    /// What belongs together does not fit into one job, or is not known.
    #[error("{0}")]
    Indivisible(Indivisible),
}

impl Failure for RunError {
    fn ending(&self) -> Ending {
        match self {
            Self::Indivisible(_) => Ending::Refused,
            Self::NotInS3(_) => Ending::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotInS3(_) => "write s3://BUCKET/PREFIX".to_owned(),
            Self::Indivisible(Indivisible::Scattered { .. }) => {
                "put the files whose rows refer to each other into one folder each, all tables of the mapping in every folder (one without \
                 rows has its header alone); or run the command for each folder"
                    .to_owned()
            }
            Self::Indivisible(Indivisible::TooLarge(_)) => {
                "tables that refer to each other are converted by one job: split their rows into folders, each of which is converted \
                 by itself"
                    .to_owned()
            }
        })
    }
}

/// A conversion that did not do all of its work, and the command that continues it.
#[derive(Debug)]
struct ConversionEnded {
    error: ConversionError,
    again: CommandLine,
}

impl ConversionEnded {
    fn error(error: ConversionError, again: CommandLine) -> CommandError {
        match error {
            ConversionError::Journal(error) => error.into(),
            ConversionError::Interrupted(signal) => CommandError::Interrupted(signal),
            error => Self { error, again }.into(),
        }
    }
}

impl std::error::Error for ConversionEnded {}

impl fmt::Display for ConversionEnded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Failure for ConversionEnded {
    fn ending(&self) -> Ending {
        match &self.error {
            ConversionError::NoFiles { .. }
            | ConversionError::TooMuchInS3 { .. }
            | ConversionError::ReadsItsOwnOutput { .. } => Ending::Usage,
            ConversionError::LeftRunning { .. } => Ending::LeftRunning,
            ConversionError::Journal(_) | ConversionError::Interrupted(_) => Ending::Failed,
            ConversionError::Stopped
            | ConversionError::Upload(_)
            | ConversionError::NotStarted { .. }
            | ConversionError::Unseen { .. }
            | ConversionError::StillRunning { .. }
            | ConversionError::Failed(_)
            | ConversionError::NotAll { .. } => Ending::Incomplete,
        }
    }

    fn hint(&self) -> Option<String> {
        self.error.hint(&self.again)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_from_files_are_shown_without_what_a_terminal_would_do() {
        let report = json!({"unmappedTables": [{"tableName": "A\u{1b}[2J\u{202e}B"}], "unknownSections": {"\u{7}": 1}});
        let lines = ["the mapping has no table A\\u{1b}[2J\\u{202e}B", "unknown sections: \\u{7}"];
        assert_eq!(coverage(&report), lines);
    }
}
