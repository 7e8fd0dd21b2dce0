//! `hlctl export terraform`

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use thiserror::Error;

use crate::cli::ExportCommand;
use crate::error::{CommandError, Ending, Failure};
use crate::export::{self, File};
use crate::session::Session;
use hlctl_model::exit_code::ExitCode;

/// Writes what the state holds as HCL. AWS is not asked.
pub(super) async fn run(session: &Session, command: &ExportCommand) -> Result<ExitCode, CommandError> {
    let ExportCommand::Terraform(arguments) = command;
    let state = session.deployed_state().await?;
    let files = export::terraform(&state)?;
    match &arguments.out {
        None => {
            for file in &files {
                session.printer.data(&format!("# {}\n\n{}", file.name, file.text));
            }
        }
        Some(directory) => write(session, directory, &files)?,
    }
    for address in export::left_out(&state) {
        session.printer.warning(&format!(
            "{address} is not exported: the state does not hold its mapping, and Terraform would replace the profile, with all its \
             versions, for each change"
        ));
    }
    Ok(ExitCode::Success)
}

/// None of the files may be there yet: somebody may have edited it.
fn write(session: &Session, directory: &Path, files: &[File]) -> Result<(), CommandError> {
    std::fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
    if let Some(present) = files.iter().map(|file| directory.join(file.name)).find(|path| path.exists()) {
        return Err(FileExists(present).into());
    }
    for file in files {
        let path = directory.join(file.name);
        let opened = OpenOptions::new().write(true).create_new(true).open(&path);
        let written = opened.and_then(|mut opened| opened.write_all(file.text.as_bytes()));
        written.with_context(|| format!("cannot write {}", path.display()))?;
    }
    let names: Vec<&str> = files.iter().map(|file| file.name).collect();
    session.printer.say(&format!(
        "Wrote {} to {}. `terraform init && terraform plan` there must show imports and nothing else.",
        names.join(", "),
        directory.display()
    ));
    Ok(())
}

/// A file of the export is there already.
#[derive(Debug, Error)]
#[error("{} exists already", .0.display())]
struct FileExists(PathBuf);

impl Failure for FileExists {
    fn ending(&self) -> Ending {
        Ending::Usage
    }

    fn hint(&self) -> Option<String> {
        Some("name an empty directory".to_owned())
    }
}
