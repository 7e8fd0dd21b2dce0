//! `hlctl schema`

use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::session::Session;

/// Prints the configuration's JSON Schema.
pub(super) fn run(session: &Session) -> Result<ExitCode, CommandError> {
    session.printer.json(&crate::config::json_schema());
    Ok(ExitCode::Success)
}
