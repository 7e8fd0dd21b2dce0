//! Whether a plan may be carried out: what bars it, and what the user says.

use std::collections::BTreeSet;

use thiserror::Error;

use crate::error::{CommandError, Ending, Failure};
use crate::plan::{Plan, Refusal, UnknownName};
use crate::session::Session;
use hlctl_engine::wait::Stop;

/// What bars the plan for good, as an error; nothing that naming could lift.
pub(super) fn check(session: &Session, plan: &Plan) -> Result<(), CommandError> {
    note_unknown_names(session, plan);
    check_again(plan)
}

/// The same for a plan that was decided again with names that the user has typed.
pub(super) fn check_again(plan: &Plan) -> Result<(), CommandError> {
    let barred: Vec<&Refusal> =
        plan.refusals.iter().filter(|refusal| refusal.blocker.name_to_give().is_none()).collect();
    match barred.as_slice() {
        [] => Ok(()),
        // Reported along with what must be named, so that the next attempt can succeed.
        barred if barred.iter().all(|refusal| refusal.blocker.is_protection()) => {
            Err(protected(&[barred, unnamed(plan).as_slice()].concat()))
        }
        barred => Err(Barred(barred.iter().map(|refusal| (*refusal).clone()).collect()).into()),
    }
}

/// Says which names were given that nothing has: a mistyped name protects what it meant. It is no error, since the same command is
/// given again after a run that ended halfway, when some of what it names is gone. In a run over several stacks a name may be that of
/// something in another of them.
fn note_unknown_names(session: &Session, plan: &Plan) {
    if let Some(fleet) = &session.fleet {
        let unknown = plan.unknown_names.iter().map(|unknown| unknown.name.clone());
        return fleet.note_unknown_names(&session.global.config, unknown.collect());
    }
    for UnknownName { name, nearest } in &plan.unknown_names {
        let meant = nearest.as_ref().map(|nearest| format!("; did you mean {nearest}?")).unwrap_or_default();
        session.printer.warning(&format!("--allow-destroy {name}: nothing in this stack is called that{meant}"));
    }
}

/// What must still be named before the plan may be carried out.
pub(super) fn unnamed(plan: &Plan) -> Vec<&Refusal> {
    plan.refusals.iter().filter(|refusal| refusal.blocker.name_to_give().is_some()).collect()
}

/// The refusal of a plan that would destroy what is protected.
pub(super) fn protected(refusals: &[&Refusal]) -> CommandError {
    Unnamed(refusals.iter().map(|refusal| (*refusal).clone()).collect()).into()
}

/// What keeps the plan from being carried out, whatever is named.
#[derive(Debug, Error)]
#[error("{}", .0.iter().map(|refusal| format!("{}: {}\n  {}", refusal.address, refusal.message, refusal.hint))
    .collect::<Vec<_>>().join("\n"))]
struct Barred(Vec<Refusal>);

impl Failure for Barred {
    fn ending(&self) -> Ending {
        Ending::Refused
    }

    /// Each refusal has its own.
    fn hint(&self) -> Option<String> {
        None
    }
}

/// Protected resources that the plan would destroy, and that the user has not named.
#[derive(Debug, Error)]
#[error("{}", .0.iter().map(|refusal| format!("{}: {}", refusal.address, refusal.message)).collect::<Vec<_>>().join("\n"))]
struct Unnamed(Vec<Refusal>);

impl Failure for Unnamed {
    fn ending(&self) -> Ending {
        Ending::Protected
    }

    fn hint(&self) -> Option<String> {
        let hints: BTreeSet<&str> = self.0.iter().map(|refusal| refusal.hint.as_str()).collect();
        Some(hints.into_iter().collect::<Vec<_>>().join("\n"))
    }
}

/// Has the user type the name of each thing that would be destroyed although it is protected. `what` says what the whole plan
/// does, and where.
pub(super) async fn ask_for_names(
    session: &Session,
    refusals: &[&Refusal],
    what: &str,
) -> Result<Vec<String>, CommandError> {
    let mut wanted: Vec<String> =
        refusals.iter().filter_map(|refusal| refusal.blocker.name_to_give().map(str::to_owned)).collect();
    wanted.sort();
    wanted.dedup();
    for name in &wanted {
        let question = format!("\n{what}\nTo confirm that the protected {name:?} is destroyed, type its name:");
        if ask(session, question).await? != *name {
            return Err(CommandError::Declined("what was typed is not the name"));
        }
    }
    Ok(wanted)
}

/// Asks for a yes, unless the user gave it beforehand. Without a terminal that is refused.
pub(super) async fn approve(session: &Session, approved: bool, question: &str) -> Result<(), CommandError> {
    if approved {
        return Ok(());
    }
    if let Some(fleet) = &session.fleet {
        let approved = tokio::select! {
            approved = fleet.approval() => approved,
            signal = session.stop.requested() => return Err(CommandError::Interrupted(signal)),
        };
        let declined = CommandError::Declined("the answer for all stacks was not 'yes'");
        return if approved { Ok(()) } else { Err(declined) };
    }
    if !session.printer.can_ask() {
        return Err(CommandError::Declined("there is no terminal to ask on; --auto-approve skips the question"));
    }
    if ask(session, format!("{question}\nType 'yes' to continue:")).await? == "yes" {
        Ok(())
    } else {
        Err(CommandError::Declined("the answer was not 'yes'"))
    }
}

async fn ask(session: &Session, question: String) -> Result<String, CommandError> {
    let printer = session.printer;
    let answer = tokio::task::spawn_blocking(move || printer.ask(&question));
    let stop: &Stop = &session.stop;
    tokio::select! {
        answer = answer => {
            answer?.map_err(|error| CommandError::Other(error.into()))
        }
        signal = stop.requested() => {
            session.printer.end_line();
            Err(CommandError::Interrupted(signal))
        }
    }
}
