//! `hlctl data check`: what an import would refuse, without AWS.

use std::path::Path;

use super::journals;
use crate::cli::DataCheckArgs;
use crate::commands::interruptible;
use crate::data::check::{Checks, Findings, Group};
use crate::data::source::Source;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::session::Session;
use crate::ui::{counted, transfer};

/// Checks, and tells.
pub(super) async fn run(session: &Session, arguments: &DataCheckArgs) -> Result<ExitCode, CommandError> {
    let (source, findings) = checked(session, &arguments.path, arguments.checks(), &std::env::temp_dir()).await?;
    if arguments.json {
        session.printer.json(&serde_json::json!(findings));
    } else {
        tell(session, &source, &findings);
    }
    refuse(&findings).map(|()| ExitCode::Success)
}

/// Checks the files of a path, with progress.
pub(super) async fn of_source(
    session: &Session,
    path: &Path,
    checks: Checks,
) -> Result<(Source, Findings), CommandError> {
    let scratch = journals(session);
    std::fs::create_dir_all(&scratch).map_err(|error| CommandError::Other(error.into()))?;
    checked(session, path, checks, &scratch).await
}

async fn checked(
    session: &Session,
    path: &Path,
    checks: Checks,
    scratch: &Path,
) -> Result<(Source, Findings), CommandError> {
    if path == Path::new("-") {
        return Err(CommandError::Usage {
            message: "standard input cannot be checked: what is imported is read twice".to_owned(),
            hint: "write it into a .ndjson file first".to_owned(),
        });
    }
    if path.to_string_lossy().starts_with("s3://") {
        return Err(CommandError::Usage {
            message: "what is in S3 is not read by the check".to_owned(),
            hint: format!("`{}` looks at its names and sizes before it starts", hlctl!("data import", path.display())),
        });
    }
    let unreadable = |error: std::io::Error| CommandError::Usage {
        message: format!("{} cannot be read: {error}", path.display()),
        hint: "name a .ndjson file, a folder that has some, or s3://BUCKET/PREFIX".to_owned(),
    };
    let source = Source::list(path).map_err(unreadable)?;
    if source.files.is_empty() {
        return Err(CommandError::Usage {
            message: format!("{} has no .ndjson files", path.display()),
            hint: "HealthLake imports files whose names end in .ndjson, with one resource on each line".to_owned(),
        });
    }
    let bar = transfer::bar(session.printer, "Checking", source.bytes());
    let (scratch, heard) = (scratch.to_owned(), bar.clone());
    let work = tokio::task::spawn_blocking(move || {
        let mut source = source;
        let findings = source.check(checks, &scratch, |bytes| heard.inc(bytes))?;
        Ok::<_, std::io::Error>((source, findings))
    });
    let checked =
        interruptible(&session.stop, async { work.await.map_err(|error| CommandError::Other(error.into())) }).await?;
    bar.finish_and_clear();
    checked.map_err(|error| CommandError::Other(anyhow::Error::from(error).context("the check was not finished")))
}

/// What was found, for people.
pub(super) fn tell(session: &Session, source: &Source, findings: &Findings) {
    let printer = session.printer;
    let (files, size) = (counted(findings.files, "file"), transfer::size(findings.bytes));
    // Where files are listed only, there is no source of them and nothing is known of their resources.
    if source.files.is_empty() {
        printer.say(&format!("Found {files} in {size}; what is in S3 is not read before it is imported."));
    } else {
        let resources = counted(findings.count(), "good resource");
        printer.say(&format!("Checked {files} with {resources} in {size}."));
    }
    if source.others > 0 {
        let first = source.other.as_deref().map(|name| format!(": {} is the first", name.escape_debug()));
        let others = counted(source.others, "file");
        printer.warning(&format!("{others} left out, whose names do not end in .ndjson{}", first.unwrap_or_default()));
    }
    if findings.unchecked > 0 {
        let unchecked = counted(findings.unchecked, "resource");
        printer.warning(&format!(
            "the structure and references of {unchecked} were not checked: of more than 2 MiB, with a number beyond a double's range, or of a type \
             that FHIR R4 does not define"
        ));
    }
    // An import goes on in spite of these.
    findings.notices.iter().for_each(|group| printer.warning(described(group).trim_start()));
    findings.problems.iter().for_each(|group| printer.insist(&described(group)));
}

/// A problem or notice, where else it is, and what to do about it.
fn described(group: &Group) -> String {
    let times = if group.count == 1 { String::new() } else { format!(" ({} times, first there)", group.count) };
    let spot = group.example.to_string();
    let place = if spot.is_empty() { String::new() } else { format!("{spot}: ") };
    let mut text = format!("  {place}{}{times}", group.text);
    if !group.more.is_empty() {
        let more: Vec<String> = group.more.iter().map(ToString::to_string).collect();
        text = format!("{text}\n    also {}{}", more.join(", "), if group.is_cut() { ", ..." } else { "" });
    }
    format!("{text}\n    {}", group.hint)
}

/// Whether anything is wrong.
pub(super) fn refuse(findings: &Findings) -> Result<(), CommandError> {
    let count: u64 = findings.problems.iter().map(|group| group.count).sum();
    if count == 0 {
        Ok(())
    } else {
        Err(CommandError::Refused(vec![format!("the check found {}", counted(count, "problem"))]))
    }
}
