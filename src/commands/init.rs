//! `hlctl init`

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use thiserror::Error;

use crate::cli::InitArgs;
use crate::error::{CommandError, Ending, Failure};
use crate::session::Session;
use hlctl_model::exit_code::ExitCode;

/// Writes a commented configuration.
pub(super) fn run(session: &Session, arguments: &InitArgs) -> Result<ExitCode, CommandError> {
    let path = &session.global.config;
    if path.exists() && !arguments.force {
        return Err(ConfigExists(path.clone()).into());
    }
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    let mut file = options.open(path).with_context(|| format!("cannot write {}", path.display()))?;
    file.write_all(hlctl_config::example_file().as_bytes())
        .with_context(|| format!("cannot write {}", path.display()))?;
    session.printer.say(&format!("Wrote {}. Set the three names in it, then: {}", path.display(), hlctl!("plan")));
    Ok(ExitCode::Success)
}

/// There is a configuration already.
#[derive(Debug, Error)]
#[error("{} exists already", .0.display())]
struct ConfigExists(PathBuf);

impl Failure for ConfigExists {
    fn ending(&self) -> Ending {
        Ending::Usage
    }

    fn hint(&self) -> Option<String> {
        Some("--force overwrites it; -c FILE names another".to_owned())
    }
}
