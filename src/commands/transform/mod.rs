//! `hlctl transform ...`: mappings of HealthLake's Data Transformation Agent, and the profiles that hold them.

mod cases;
mod comparison;
mod error;
mod profiles;
mod pull;
mod rollback;
mod run;
mod test;
mod trial;

pub(super) use profiles::find_published;
pub(super) use run::coverage;

use crate::cli::TransformCommand;
use crate::error::CommandError;
use crate::session::Session;
use hlctl_model::exit_code::ExitCode;

/// Runs one of them.
pub(super) async fn run(session: &Session, command: &TransformCommand) -> Result<ExitCode, CommandError> {
    match command {
        TransformCommand::Test(arguments) => test::run(session, arguments),
        TransformCommand::List(arguments) => profiles::list(session, arguments).await,
        TransformCommand::Versions(arguments) => profiles::versions(session, arguments).await,
        TransformCommand::Pull(arguments) => pull::run(session, arguments).await,
        TransformCommand::Rollback(arguments) => rollback::run(session, arguments).await,
        TransformCommand::Try(arguments) => Box::pin(trial::run(session, arguments)).await,
        TransformCommand::Run(arguments) => Box::pin(run::run(session, arguments)).await,
    }
}
