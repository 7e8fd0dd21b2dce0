//! `hlctl man`

use std::path::Path;

use anyhow::Context;
use clap::CommandFactory;

use crate::cli::Cli;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::session::Session;

/// Writes a man page for hlctl and for each command.
pub(super) fn run(session: &Session, directory: &Path) -> Result<ExitCode, CommandError> {
    std::fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
    clap_mangen::generate_to(Cli::command(), directory)
        .with_context(|| format!("cannot write into {}", directory.display()))?;
    session.printer.say(&format!("Wrote the man pages into {}", directory.display()));
    Ok(ExitCode::Success)
}
