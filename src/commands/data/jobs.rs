//! `hlctl data jobs`

use super::open;
use crate::cli::JsonArgs;
use crate::data::job::{self, Job, JobList};
use crate::error::CommandError;
use crate::session::Session;
use hlctl_model::exit_code::ExitCode;

/// Lists the jobs, the newest first.
pub(super) async fn run(session: &Session, arguments: &JsonArgs) -> Result<ExitCode, CommandError> {
    let bulk = open(session).await?;
    let jobs = async { job::list(&bulk.cx, &bulk.store).await.map_err(CommandError::Aws) };
    let jobs = session.interruptible(jobs).await?;
    if arguments.json {
        let jobs = serde_json::json!(JobList { store: bulk.store, jobs });
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
    let counts = job.progress.map(|counts| match job.is_over() {
        true => format!(
            "  {} of {} imported, {} refused",
            counts.resources_imported, counts.resources_scanned, counts.resources_refused
        ),
        // What has been scanned so far is no total.
        false => format!("  {} imported and {} refused so far", counts.resources_imported, counts.resources_refused),
    });
    let message = job.message.as_deref().map(|message| format!("  {message}")).unwrap_or_default();
    format!("{submitted}  {:6}  {:21}  {}{}{message}", job.kind.name(), job.status, job.id, counts.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::job::{JobCounts, JobKind};

    fn reported(status: &str) -> String {
        let counts =
            JobCounts { resources_scanned: 12, resources_imported: 11, resources_refused: 1, ..JobCounts::default() };
        line(&Job {
            kind: JobKind::Import,
            id: "j".to_owned(),
            name: None,
            status: status.to_owned(),
            submitted: None,
            ended: None,
            message: None,
            input: None,
            output: None,
            validation_level: None,
            progress: Some(counts),
        })
    }

    #[test]
    fn what_has_been_read_so_far_is_called_a_total_only_at_the_end() {
        for status in ["SUBMITTED", "QUEUED", "IN_PROGRESS", "CANCEL_IN_PROGRESS"] {
            let reported = reported(status);
            assert!(reported.ends_with("11 imported and 1 refused so far"), "{reported}");
        }
        for status in ["COMPLETED", "COMPLETED_WITH_ERRORS", "FAILED"] {
            let reported = reported(status);
            assert!(reported.ends_with("11 of 12 imported, 1 refused"), "{reported}");
        }
    }
}
