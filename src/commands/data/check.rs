//! `hlctl data check`: what an import would refuse. Of AWS it needs no more than the files, where they are in S3.

use std::path::Path;

use super::{DataError, journals, place_of};
use crate::cli::DataCheckArgs;
use crate::data::check::{Checks, Findings, Group};
use crate::data::import::{CheckedFiles, NoFiles, ProblemsFound};
use crate::data::place::{DataLocation, Prefix};
use crate::data::source::Source;
use crate::data::streamed::{Objects, StreamedError};
use crate::error::CommandError;
use crate::session::{ConnectOptions, Session};
use crate::ui::{Printer, transfer};
use hlctl_model::exit_code::ExitCode;
use hlctl_model::text::counted;
use hlctl_resources::ResourceError;

/// Checks, and tells.
pub(super) async fn run(session: &Session, arguments: &DataCheckArgs) -> Result<ExitCode, CommandError> {
    let scratch = std::env::temp_dir();
    let place = match arguments.path.to_str() {
        Some(text) => place_of(text)?,
        // No address in S3, but the name of a file may be like this.
        None => DataLocation::Local(arguments.path.clone()),
    };
    let (source, findings) = match place {
        DataLocation::Local(path) => checked(session, &path, arguments.checks(), &scratch).await?,
        DataLocation::S3(prefix) => Box::pin(in_s3(session, &prefix, arguments.checks(), &scratch)).await?,
    };
    if arguments.json {
        session.printer.json(&serde_json::json!(findings));
    } else {
        show(session.printer, &source, &findings, Reading::Whole);
    }
    ProblemsFound::check(&findings)?;
    Ok(ExitCode::Success)
}

/// Checks the files of a path before their import, with progress.
pub(super) async fn files_of(session: &Session, path: &Path, checks: Checks) -> Result<CheckedFiles, CommandError> {
    let scratch = journals(session);
    std::fs::create_dir_all(&scratch).map_err(|error| CommandError::Other(error.into()))?;
    let (source, findings) = checked(session, path, checks, &scratch).await?;
    Ok(CheckedFiles { source, findings: Some(findings) })
}

async fn checked(
    session: &Session,
    path: &Path,
    checks: Checks,
    scratch: &Path,
) -> Result<(Source, Findings), CommandError> {
    if path == Path::new("-") {
        return Err(DataError::StandardInput.into());
    }
    let source = Source::list(path).map_err(|error| DataError::Unreadable { path: path.to_owned(), error })?;
    if source.files.is_empty() {
        return Err(DataError::NoFiles(path.to_owned()).into());
    }
    let bar = transfer::bar(session.printer, "Checking", source.bytes());
    let (scratch, heard) = (scratch.to_owned(), bar.clone());
    let work = tokio::task::spawn_blocking(move || {
        let mut source = source;
        let findings = source.check(checks, &scratch, |bytes| heard.inc(bytes))?;
        Ok::<_, std::io::Error>((source, findings))
    });
    let checked = session.interruptible(async { Ok(work.await?) }).await?;
    bar.finish_and_clear();
    checked.map_err(|error| CommandError::Other(anyhow::Error::from(error).context(NOT_FINISHED)))
}

/// Checks the files under a prefix while they are read; says which others there are.
async fn in_s3(
    session: &Session,
    under: &Prefix,
    checks: Checks,
    scratch: &Path,
) -> Result<(Source, Findings), CommandError> {
    let config = session.config_if_any()?;
    let options = ConnectOptions::from_config_or_flags(config.as_ref(), &session.global);
    let work = async {
        let clients = session.connect(options).await?.clients;
        let objects = Objects::list(&clients, under).await.map_err(CommandError::Aws)?;
        if objects.is_empty() {
            return Err(DataError::NoObjects(NoFiles(under.clone())).into());
        }
        let bar = transfer::bar(session.printer, "Checking", objects.bytes());
        let heard = bar.clone();
        let checked = objects.check(&clients, checks, scratch.to_owned(), move |bytes| heard.inc(bytes)).await;
        bar.finish_and_clear();
        let findings = checked.map_err(|error| match error {
            StreamedError::Resource(ResourceError::Aws(error)) => CommandError::Aws(error),
            error => CommandError::Other(anyhow::Error::from(error).context(NOT_FINISHED)),
        })?;
        Ok((objects.left_out, findings))
    };
    session.interruptible(work).await
}

const NOT_FINISHED: &str = "the check did not finish";

/// How much of the files was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// All of them.
    Whole,
    /// Their names and sizes.
    Listed,
}

/// What was found, for people.
pub(super) fn show(printer: Printer, source: &Source, findings: &Findings, reading: Reading) {
    let (files, size) = (counted(findings.files, "file"), transfer::size(findings.bytes));
    match reading {
        Reading::Listed => {
            printer.say(&format!("Found {files} in {size}; files in S3 are not read before the import."));
        }
        Reading::Whole => {
            let resources = counted(findings.count(), "good resource");
            printer.say(&format!("Checked {files} with {resources} in {size}."));
        }
    }
    if source.others > 0 {
        let first = source.other.as_deref().map(|name| format!(": {} is the first", name.escape_debug()));
        let others = counted(source.others, "file");
        printer
            .warning(&format!("{others} skipped, since the names do not end in .ndjson{}", first.unwrap_or_default()));
    }
    if findings.unchecked > 0 {
        let unchecked = counted(findings.unchecked, "resource");
        printer.warning(&format!(
            "the structure and references of {unchecked} were not checked: larger than 2 MiB, with half of a surrogate \
             pair, or of a type that FHIR R4 does not define"
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
