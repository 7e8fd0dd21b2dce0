//! `hlctl man`

use std::env;
use std::io;
use std::path::Path;

use anyhow::Context;
use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::cli::{docs, manual};
use crate::error::CommandError;
use crate::session::Session;
use hlctl_model::exit_code::ExitCode;

/// What each exit code means, in short; `docs/exit-codes.md` has more.
const EXIT_STATUS: [(ExitCode, &str); 12] = [
    (ExitCode::Success, "The command did what it was asked to do."),
    (ExitCode::Failure, "Something failed before anything was started."),
    (ExitCode::Changes, "plan --detailed-exitcode: there are changes. drift: there is drift. audit: a check failed."),
    (ExitCode::Locked, "Another run holds the state lock."),
    (ExitCode::Credentials, "Credentials are missing, wrong or expired."),
    (ExitCode::Protected, "Refused: something protected would be destroyed."),
    (ExitCode::Incomplete, "Work was started and is not finished. Run the command again to continue."),
    (ExitCode::Aborted, "A second Ctrl-C stopped it at once. Run the command again to continue."),
    (ExitCode::Usage, "The command line is wrong."),
    (ExitCode::Bug, "A bug in hlctl. Run the command again to continue, and report the place that it names."),
    (ExitCode::Interrupted, "SIGINT came before anything was started."),
    (ExitCode::Terminated, "SIGTERM or SIGHUP came before anything was started."),
];

const ENVIRONMENT: [(&str, &str); 10] = [
    ("HLCTL_CONFIG", "The configuration file, as --config."),
    ("HLCTL_ENV", "The environment of the configuration, as --env."),
    ("HLCTL_STATE", "Where the state is, as --state."),
    ("HLCTL_SANDBOX", "If set, run against the emulator, as --sandbox."),
    ("HLCTL_<KEY>", "A key of the configuration, in capitals: HLCTL_DATASTORE_NAME."),
    ("HLCTL_TOKEN", "A SMART access token for the fhir commands."),
    ("HLCTL_LOG", "Log to stderr: calls for a line for each call to AWS, debug for a whole log."),
    ("HLCTL_LOG_FILE", "Log to this file instead, as JSON."),
    ("AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL, ...", "As for the AWS CLI and the AWS SDKs."),
    ("NO_COLOR", "If set, print no colour."),
];

const FILES: [(&str, &str); 4] = [
    ("healthlake.toml", "The configuration."),
    (
        "healthlake.state.json",
        "The state, next to the configuration, unless backend or --state names another place. With -e prod: healthlake.prod.state.json.",
    ),
    ("healthlake.state.json.backup", "The state before the last change."),
    (".hlctl/", "Data of the sandbox and of bulk transfers."),
];

/// Writes a man page for hlctl and for each command.
pub(super) fn run(session: &Session, directory: &Path) -> Result<ExitCode, CommandError> {
    std::fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
    let mut command = manual::command();
    command.build();
    write(&command, directory, &date(), &["hlctl"])
        .with_context(|| format!("cannot write into {}", directory.display()))?;
    session.printer.say(&format!("Wrote the man pages into {}", directory.display()));
    Ok(ExitCode::Success)
}

/// Today, or the day of `SOURCE_DATE_EPOCH`, so that a build can be repeated (reproducible-builds.org).
fn date() -> String {
    let given = env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.parse().ok());
    let time = given.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    time.unwrap_or_else(jiff::Timestamp::now).strftime("%Y-%m-%d").to_string()
}

/// `path` has the names of the command and of those above it, with that of the program.
fn write(command: &Command, directory: &Path, date: &str, path: &[&str]) -> io::Result<()> {
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        write(inner, directory, date, &[path, &[inner.get_name()]].concat())?;
    }
    std::fs::write(directory.join(format!("{}.1", path.join("-"))), page(command.clone(), date, path)?)
}

fn page(mut command: Command, date: &str, path: &[&str]) -> io::Result<Vec<u8>> {
    let name = path.join("-");
    // A page has room for the description that --help shows below the usage.
    if let Some(description) = command.get_before_help().cloned() {
        let about = command.get_about().map(|about| format!("{about}.\n\n{description}")).unwrap_or_default();
        command = command.long_about(about);
    }
    let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let source = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone()).title(&name).date(date).source(source).manual("hlctl manual");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    rest(&examples, path).to_writer(&mut page)?;
    Ok(page)
}

/// The sections that clap knows nothing of.
fn rest(examples: &str, path: &[&str]) -> Roff {
    let mut roff = Roff::new();
    if let Some(examples) = examples.strip_prefix("Examples:\n") {
        roff.control("SH", ["EXAMPLES"]).control("nf", []);
        for example in examples.lines().take_while(|line| !line.is_empty()) {
            roff.text([roman(example.trim_start())]);
        }
        roff.control("fi", []);
    }
    let codes = EXIT_STATUS.map(|(code, impact)| ((code as u8).to_string(), impact));
    list(&mut roff, "EXIT STATUS", codes.iter().map(|(code, impact)| (code.as_str(), *impact)));
    list(&mut roff, "ENVIRONMENT", ENVIRONMENT);
    list(&mut roff, "FILES", FILES);
    roff.control("SH", ["SEE ALSO"]);
    let mut see = Vec::new();
    if let [_, command, ..] = path {
        see.extend([bold("hlctl"), roman("(1), ")]);
        let topic = docs::of(command).map(|topic| manual::docs_command(Some(topic)));
        see.extend(topic.into_iter().flat_map(|command| [bold(command), roman(", ")]));
    } else {
        see.extend([bold(manual::docs_command(None)), roman(", ")]);
    }
    see.push(roman(documentation!("")));
    roff.text(see);
    roff
}

fn list<'a>(roff: &mut Roff, title: &str, entries: impl IntoIterator<Item = (&'a str, &'a str)>) {
    roff.control("SH", [title]);
    for (term, impact) in entries {
        roff.control("TP", []);
        roff.text([bold(term)]);
        roff.text([roman(impact)]);
    }
}
