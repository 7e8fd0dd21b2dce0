//! `hlctl schema`

use crate::error::CommandError;
use crate::session::Session;
use hlctl_model::exit_code::ExitCode;

/// Prints the configuration's JSON Schema.
pub(super) fn run(session: &Session) -> Result<ExitCode, CommandError> {
    session.printer.json(&hlctl_config::json_schema());
    Ok(ExitCode::Success)
}
