//! `hlctl data jobs`

use super::{Desk, of_aws};
use crate::cli::JsonArgs;
use crate::commands::interruptible;
use crate::data::job::{self, Job};
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::session::Session;

/// Lists the jobs, the newest first.
pub(super) async fn run(session: &Session, arguments: &JsonArgs) -> Result<ExitCode, CommandError> {
    let desk = Desk::open(session).await?;
    let jobs = async { job::list(&desk.cx, &desk.store).await.map_err(of_aws) };
    let jobs = interruptible(&session.stop, jobs).await?;
    if arguments.json {
        let jobs = serde_json::json!({"store": desk.store, "jobs": jobs});
        session.printer.data(&format!("{jobs:#}"));
    } else if jobs.is_empty() {
        session.printer.say("The store has had no jobs.");
    } else {
        session.printer.data(&jobs.iter().map(line).collect::<Vec<_>>().join("\n"));
    }
    Ok(ExitCode::Success)
}

fn line(job: &Job) -> String {
    let submitted = job.submitted.as_deref().unwrap_or("-");
    let counts = job.progress.map(|counts| {
        format!(
            "  {} of {} imported, {} refused",
            counts.resources_imported, counts.resources_scanned, counts.resources_refused
        )
    });
    let message = job.message.as_deref().map(|message| format!("  {message}")).unwrap_or_default();
    format!("{submitted}  {:6}  {:21}  {}{}{message}", job.kind.name(), job.status, job.id, counts.unwrap_or_default())
}
