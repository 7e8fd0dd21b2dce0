//! `hlctl validate`

use serde_json::json;

use crate::cli::JsonArgs;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::session::Session;
use crate::ui::json::FORMAT_VERSION;

/// Checks the configuration without AWS.
pub(super) fn run(session: &Session, arguments: &JsonArgs) -> Result<ExitCode, CommandError> {
    let problems = match session.sources() {
        Ok(sources) => crate::config::examine(&sources).problems,
        Err(problems) => problems,
    };
    let valid = !problems.has_errors();
    if arguments.json {
        let answer = json!({"format_version": FORMAT_VERSION, "valid": valid, "problems": problems.to_json()});
        session.printer.data(&format!("{answer:#}"));
        return Ok(if valid { ExitCode::Success } else { ExitCode::Failure });
    }
    if !valid {
        return Err(CommandError::Config(problems));
    }
    if !problems.is_empty() {
        session.printer.say(problems.render(session.printer.colours_stderr()).trim_end());
    }
    session.printer.say(&format!("{} is valid.", session.global.config.display()));
    Ok(ExitCode::Success)
}
