//! `--notify`: what the user has run once a command that takes long has ended.

use std::process::{Command, Stdio};

use crate::ui::Printer;
use hlctl_model::exit_code::ExitCode;

/// How a command ended.
pub(super) struct Ended<'a> {
    /// Its name: `data import`.
    pub(super) command: &'a str,
    pub(super) code: ExitCode,
    /// What it said of itself last: what was done, or why not.
    pub(super) summary: &'a str,
}

/// Runs `script` by `sh -c`. The summary goes by variables, so that no name in it is read by the shell, and its stdout goes to
/// stderr, since hlctl's own may be JSON. That it fails is said, and changes no exit code.
pub(super) fn run(printer: Printer, script: &str, ended: &Ended<'_>) {
    let status = Command::new("sh")
        .args(["-c", script])
        // Not `HLCTL_`, which would be inputs of an hlctl that the script runs.
        .env("NOTIFY_COMMAND", ended.command)
        .env("NOTIFY_EXIT_CODE", (ended.code as u8).to_string())
        .env("NOTIFY_SUMMARY", ended.summary)
        .stdin(Stdio::null())
        .stdout(std::io::stderr())
        .status();
    let failure = match status {
        Ok(status) if status.success() => return,
        Ok(status) => format!("the command of --notify failed: {status}"),
        Err(error) => format!("the command of --notify could not be run: {error}"),
    };
    printer.warning(&failure);
}
