//! `hlctl sandbox reset`

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::cli::SandboxResetArgs;
use crate::commands::confirm;
use crate::error::CommandError;
use crate::session::Session;
use hlctl_engine::state::LocalStore;
use hlctl_model::exit_code::ExitCode;
use hlctl_model::text::counted;

/// Deletes the sandbox's data and the states of its stacks: a state without its resources would only be in the way.
pub(super) async fn run(session: &Session, arguments: &SandboxResetArgs) -> Result<ExitCode, CommandError> {
    let directory = session.sandbox_directory();
    let entries = entries(&directory).with_context(|| format!("cannot read {}", directory.display()))?;
    if entries.is_empty() {
        session.printer.say(&format!("Nothing to delete: there is no sandbox in {}.", directory.display()));
        return Ok(ExitCode::Success);
    }
    let states: Vec<LocalStore> = entries.iter().filter(|path| is_state(path)).map(LocalStore::new).collect();
    let what = match states.len() {
        0 => String::new(),
        count => format!(" and the {}", counted(count as u64, "state")),
    };
    let question = format!("Delete everything in the sandbox {}{what} there?", directory.display());
    confirm::approve(session, arguments.auto_approve, &question).await?;
    // No command may work on one of the stacks meanwhile.
    let command = "hlctl sandbox reset";
    let locks = states.iter().map(|state| state.lock(command)).collect::<Result<Vec<_>, _>>()?;
    for path in &entries {
        delete(path).with_context(|| format!("cannot delete {}", path.display()))?;
    }
    drop(locks);
    // Its next user makes it again; what somebody else has put there stays.
    let _ = std::fs::remove_dir(&directory);
    session.printer.say("The sandbox is empty.");
    Ok(ExitCode::Success)
}

/// What is in the sandbox's directory. Locks go with those who hold them.
fn entries(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension() != Some(OsStr::new("lock")));
    paths.sort();
    Ok(paths)
}

fn is_state(path: &Path) -> bool {
    path.file_name().and_then(OsStr::to_str).is_some_and(|name| name.ends_with(".state.json"))
}

/// A link is deleted, not what it leads to.
fn delete(path: &Path) -> io::Result<()> {
    let deleted = match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(error) => Err(error),
    };
    match deleted {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        deleted => deleted,
    }
}
