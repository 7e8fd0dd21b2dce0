//! `hlctl transform ...`: CSV to FHIR by mappings of HealthLake's Data Transformation Agent.

mod cases;
mod comparison;
mod error;
mod test;

use crate::cli::TransformCommand;
use crate::error::CommandError;
use crate::session::Session;
use hlctl_model::exit_code::ExitCode;

/// Runs one of them.
pub(super) fn run(session: &Session, command: &TransformCommand) -> Result<ExitCode, CommandError> {
    match command {
        TransformCommand::Test(arguments) => test::run(session, arguments),
    }
}
