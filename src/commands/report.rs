//! `hlctl report`: from the record of the last run and the state alone.

use super::graph::print;
use crate::cli::ReportArgs;
use crate::error::CommandError;
use crate::journal::Journal;
use crate::module;
use crate::session::Session;
use crate::ui::report;
use hlctl_model::exit_code::ExitCode;

/// Prints the page.
pub(super) async fn run(session: &Session, arguments: &ReportArgs) -> Result<ExitCode, CommandError> {
    let state = session.deployed_state().await?;
    let store = session.local_store();
    let journal = Journal::read(store.path())?;
    journal.check_belongs(&state, store.path())?;
    let outputs = module::outputs(&state);
    if arguments.json {
        let record = serde_json::to_string_pretty(&journal).map_err(|error| CommandError::Other(error.into()))?;
        return print(session, arguments.out.as_deref(), &format!("{record}\n"));
    }
    let with_secrets = session.printer.rendered(hlctl!("outputs --show-secrets"));
    let now = report::Now { outputs: &outputs, with_secrets: &with_secrets, state: Some(&state) };
    print(session, arguments.out.as_deref(), &report::render(&journal, &now))
}
