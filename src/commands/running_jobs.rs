//! Plans that would take their store, bucket, role or key from jobs that are under way: refused, or put off until they have ended.

use thiserror::Error;

use crate::cli::RunningJobs;
use crate::data::job::{BETWEEN_LOOKS, Job};
use crate::error::{CommandError, Ending, Failure};
use crate::plan::{Action, Options};
use crate::session::{Connection, Prepared, Session, prepare, under_way};
use hlctl_config::{Config, is_logs_bucket};
use hlctl_engine::state::State;
use hlctl_engine::wait::{self, Ended, Poll};
use hlctl_resources::{Contents, ResourceError, Settings, count_contents};

/// As [`prepare`], once no job stands in the way, if those are to be waited for. What they have left is in the plan then.
pub(super) async fn prepare_after_jobs(
    session: &Session,
    connection: &Connection,
    config: Option<&Config>,
    state: State,
    options: &Options,
    settings: Settings,
    wish: RunningJobs,
) -> Result<Prepared, CommandError> {
    loop {
        let preparing = prepare(connection, session, config, state.clone(), options, settings.clone());
        let prepared = preparing.await?;
        if wish != RunningJobs::Wait || prepared.jobs().running().next().is_none() {
            return Ok(prepared);
        }
        wait_for_jobs(session, &prepared, options).await?;
    }
}

async fn wait_for_jobs(session: &Session, prepared: &Prepared, options: &Options) -> Result<(), CommandError> {
    let now: Vec<Job> = prepared.jobs().running().cloned().collect();
    session.printer.say(&format!("Nothing has been changed yet: {}. Waiting.", under_way(&now)));
    let look = || async move {
        let jobs = prepared.jobs_now().await?;
        let jobs = if options.exports_first { jobs.without_exports() } else { jobs };
        let running: Vec<Job> = jobs.running().cloned().collect();
        Ok(if running.is_empty() { Poll::Ready(()) } else { Poll::Pending(under_way(&running)) })
    };
    match wait::until(prepared.cx.pace.at_least(BETWEEN_LOOKS), &session.stop, |_| {}, look).await {
        Ok(()) => Ok(()),
        Err(Ended::Failed(error)) => Err(error),
        Err(Ended::TimedOut(status)) => Err(InTheWay::StillRunning(status).into()),
        Err(Ended::Stopped(_)) => {
            // It can only have ended by a signal.
            Err(session.stop.signal().map_or(CommandError::Declined("it was stopped"), CommandError::Interrupted))
        }
    }
}

/// Looks once more before anything is deleted: there was time for new jobs while somebody was asked, or an export was made.
pub(super) async fn check_again(session: &Session, prepared: &Prepared, wish: RunningJobs) -> Result<(), CommandError> {
    if wish == RunningJobs::Ignore {
        return Ok(());
    }
    let jobs = session.interruptible(prepared.jobs_now()).await?;
    let running: Vec<Job> = jobs.running().cloned().collect();
    if running.is_empty() {
        return Ok(());
    }
    Err(InTheWay::NewJobs(running).into())
}

/// The same of buckets that were empty when the plan was made, and that may not be emptied: they would end a destroy half-way.
pub(super) async fn check_buckets_again(session: &Session, prepared: &Prepared) -> Result<(), CommandError> {
    let force = prepared.cx.settings.force_destroy;
    for change in &prepared.plan.changes {
        let was_empty = change.contents.as_ref().is_some_and(Contents::is_empty);
        let Some(bucket) = change.name.as_ref().filter(|_| was_empty && change.action == Action::Delete) else {
            continue;
        };
        if force.empties(change.address.as_str()) {
            continue;
        }
        let count = async { count_contents(&prepared.cx, bucket).await.map_err(CommandError::Aws) };
        let contents = session.interruptible(count).await?;
        if !contents.is_empty() {
            let is_for_logs = is_logs_bucket(change.address.as_str());
            let error = ResourceError::NotEmpty { bucket: bucket.clone(), contents, is_for_logs };
            return Err(InTheWay::NewObjects(error).into());
        }
    }
    Ok(())
}

/// What keeps a plan from being carried out that was made when there was less in its way.
#[derive(Debug, Error)]
enum InTheWay {
    /// Jobs did not end in the time that there was; their status.
    #[error("nothing was changed: {0}")]
    StillRunning(String),
    #[error("nothing was deleted: {}", under_way(.0))]
    NewJobs(Vec<Job>),
    #[error("nothing was deleted; new objects have arrived since the plan was made: {0}")]
    NewObjects(ResourceError),
}

impl Failure for InTheWay {
    fn ending(&self) -> Ending {
        match self {
            Self::StillRunning(_) => Ending::Incomplete,
            Self::NewJobs(_) | Self::NewObjects(_) => Ending::Protected,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::StillRunning(_) => {
                Some("run the same command to keep waiting; `wait_timeout` in the config sets for how long".to_owned())
            }
            Self::NewJobs(_) => {
                Some("run the command again; --running-jobs=wait waits until they have ended".to_owned())
            }
            Self::NewObjects(error) => error.hint(),
        }
    }
}
