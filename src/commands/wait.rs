//! `hlctl wait`: waits for what an earlier run left under way.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use super::apply::walk;
use super::summary;
use crate::apply::Report;
use crate::cli::{ExecutionArgs, NotifyArgs, RunningJobs, WaitArgs};
use crate::data::lost_store::StoreTrace;
use crate::error::{CommandError, Ending, Failure};
use crate::module::Stack;
use crate::module::standby::STORE;
use crate::plan::{Action, Change, Plan};
use crate::session::{OpenStack, Prepared, Region, Session};
use crate::ui::json;
use hlctl_config::{Config, Protect};
use hlctl_engine::state::{Entry, Held, State, Status};
use hlctl_model::address::Address;
use hlctl_model::exit_code::ExitCode;
use hlctl_resources::{Condition, Context, Kind};

/// Waits until every store has settled or is gone.
pub(super) async fn run(session: &Session, arguments: &WaitArgs) -> Result<ExitCode, CommandError> {
    let config = session.config_if_any()?;
    let store = session.store(config.as_ref()).await?;
    session.read_existing(&store).await?;
    let work = async |held| wait(session, arguments, config, held).await;
    session.locked(&store, "hlctl wait", Duration::ZERO, work).await
}

async fn wait(
    session: &Session,
    arguments: &WaitArgs,
    config: Option<Config>,
    held: Arc<Held>,
) -> Result<ExitCode, CommandError> {
    let execution = ExecutionArgs {
        auto_approve: true,
        parallelism: 10,
        no_wait: false,
        running_jobs: RunningJobs::Refuse,
        lock_timeout: Duration::ZERO,
        events: None,
        notify: NotifyArgs::default(),
        json: arguments.json,
    };
    let state = session.read_existing(&held.store()).await?;
    let OpenStack { state, mut cx, .. } = OpenStack::of(session, config, state, Region::OfState).await?;
    cx.pace.timeout = arguments.timeout.unwrap_or(cx.pace.timeout);
    let plan = session.interruptible(unsettled(&cx, &state)).await?;
    let lost = match StoreTrace::of(&state, &Address::parse(STORE)).filter(|_| !plan.changes.iter().any(is_of_store)) {
        Some(trace) => session.interruptible(async { Ok(trace.lost(&cx).await?) }).await?,
        None => None,
    };
    if let (Some(lost), false) = (&lost, plan.has_work()) {
        if arguments.json {
            session.printer.json(&json::report(&Report { outcomes: Vec::new(), state }));
        }
        return Err(lost.clone().into());
    }
    if !plan.has_work() {
        session.printer.say("Nothing to wait for: AWS has finished.");
        if arguments.json {
            session.printer.json(&json::report(&Report { outcomes: Vec::new(), state }));
        }
        return Ok(ExitCode::Success);
    }
    let prepared = Prepared::of_parts(cx, Stack::new(), plan, state, Protect::Default);
    let report = walk(session, held, &prepared, &execution, None).await?;
    if arguments.json {
        session.printer.json(&json::report(&report));
    }
    summary::conclude(session, &report, "The wait", &execution, None)?;
    if let Some(lost) = lost {
        return Err(lost.into());
    }
    session.printer.say("AWS has finished.");
    Ok(ExitCode::Success)
}

fn is_of_store(change: &Change) -> bool {
    change.address.as_str() == STORE
}

/// What is being made, changed or deleted, as a plan to wait for it.
async fn unsettled(cx: &Context, state: &State) -> Result<Plan, CommandError> {
    let mut plan = Plan::default();
    for (address, entry) in &state.resources {
        let Some(kind) = entry.kind::<Kind>().filter(|kind| kind.usual_time(Action::Create).is_some()) else {
            continue;
        };
        let Some(recorded) = &entry.recorded else { return Err(unknown_outcome(address)) };
        let observed = kind.read(cx, recorded).await;
        let observed = observed.map_err(|error| CommandError::Resource { address: address.clone(), error })?;
        let action = match (&observed, entry.status) {
            // It is gone or on its way out; one that lives is not deleted by waiting.
            (None, Status::Deleting) => Action::Delete,
            (Some(observed), _) if matches!(observed.condition, Condition::Changing(_) | Condition::Failed { .. }) => {
                Action::Settle
            }
            (Some(_), Status::Creating) => Action::Settle,
            _ => continue,
        };
        plan.changes.push(waiting(address.clone(), kind, entry, action));
    }
    Ok(plan)
}

/// An earlier run was cut off while it asked AWS for a store: there is nothing yet to look at.
fn unknown_outcome(address: &Address) -> CommandError {
    UnknownOutcome(address.clone()).into()
}

/// A resource that may have been created.
#[derive(Debug, Error)]
#[error("{0}: an earlier run was interrupted before AWS returned its id, so there is nothing to wait for yet")]
struct UnknownOutcome(Address);

impl Failure for UnknownOutcome {
    fn ending(&self) -> Ending {
        Ending::Incomplete
    }

    fn hint(&self) -> Option<String> {
        Some(concat!("`", hlctl!("apply"), "` finds it, or creates it, and waits").to_owned())
    }
}

fn waiting(address: Address, kind: Kind, entry: &Entry, action: Action) -> Change {
    Change {
        address,
        kind,
        name: None,
        action,
        reason: None,
        attributes: Vec::new(),
        impact: Vec::new(),
        protected: entry.protected,
        delete_first: false,
        deposed: false,
        contents: None,
        recorded: entry.recorded.clone(),
        observed: None,
    }
}
