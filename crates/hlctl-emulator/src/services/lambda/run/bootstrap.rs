//! The program that an environment starts.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;

use super::interpreter::{Interpreters, Language};
use crate::services::lambda::job::Job;

/// The clients of the Runtime API for languages whose functions are not programs of their own.
const PYTHON: &str = include_str!("bootstrap.py");
const NODE: &str = include_str!("bootstrap.js");

/// Why there is no program, or why it did not start.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// This machine lacks something.
    NotRunnable(String),
    /// The function does, as Lambda would say.
    InvalidEntrypoint(String),
}

/// The command for a job's runtime, with what it reads.
pub(super) async fn command(job: &Job, interpreters: &Interpreters) -> Result<Command, Problem> {
    let Some((language, program)) = interpreter(job, interpreters).await? else {
        let mut command = Command::new(own_program(job)?);
        command.stdin(Stdio::null());
        return Ok(command);
    };
    let mut command = Command::new(program);
    let client = match language {
        Language::Python => {
            // Output appears when it is written, and the packages of this machine's user are not the function's.
            command.args(["-u", "-s", "-"]);
            PYTHON
        }
        Language::Node => {
            command.arg("-");
            NODE
        }
    };
    command.stdin(holding(client).map_err(|error| Problem::NotRunnable(error.to_string()))?);
    Ok(command)
}

/// The interpreter for a job's runtime, if it needs one.
pub(super) async fn interpreter(
    job: &Job,
    interpreters: &Interpreters,
) -> Result<Option<(Language, PathBuf)>, Problem> {
    let runtime = job.settings.runtime.as_str();
    let language = match runtime {
        _ if runtime.starts_with("provided") => return Ok(None),
        _ if runtime.starts_with("python3") => Language::Python,
        _ if runtime.starts_with("nodejs") => Language::Node,
        _ => {
            return Err(Problem::NotRunnable(format!(
                "hlctl-emulator runs functions of provided.*, python3.* and nodejs*, not of {runtime}"
            )));
        }
    };
    let program = interpreters.find(language, runtime).await.map_err(Problem::NotRunnable)?;
    Ok(Some((language, program)))
}

/// A pipe with a text in it, and its end. The texts are far shorter than what pipes hold.
fn holding(text: &str) -> io::Result<Stdio> {
    let (reader, mut writer) = io::pipe()?;
    writer.write_all(text.as_bytes())?;
    Ok(Stdio::from(reader))
}

fn own_program(job: &Job) -> Result<PathBuf, Problem> {
    let path = job.code.join("bootstrap");
    if path.is_file() {
        return Ok(path);
    }
    let what = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]";
    Err(Problem::InvalidEntrypoint(what.to_owned()))
}

/// What a failed start means.
pub(super) fn start_failure(job: &Job, error: &io::Error) -> Problem {
    let what = match error.kind() {
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        // The file is there, so that it is the interpreter it names, or the loader, which is not.
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        _ if is_foreign(error) => {
            if let Some(reason) = unfit(&job.settings.architecture) {
                return Problem::NotRunnable(reason);
            }
            "exec format error".to_owned()
        }
        _ => return Problem::NotRunnable(format!("the function's process cannot be started: {error}")),
    };
    Problem::InvalidEntrypoint(format!("fork/exec /var/task/bootstrap: {what}"))
}

/// Whether the system does not know what to make of a program.
fn is_foreign(error: &io::Error) -> bool {
    // The standard library has no kind for these two.
    [rustix::io::Errno::NOEXEC, rustix::io::Errno::INVAL]
        .map(|errno| Some(errno.raw_os_error()))
        .contains(&error.raw_os_error())
}

/// Why this machine cannot run a program for Linux on `architecture`, if that is so.
fn unfit(architecture: &str) -> Option<String> {
    let (system, machine) = (std::env::consts::OS, std::env::consts::ARCH);
    let wanted = if architecture == "arm64" { "aarch64" } else { architecture };
    (system != "linux" || machine != wanted).then(|| {
        format!("the function is a program for linux on {wanted}, and the emulator runs under {system} on {machine}")
    })
}
