//! How an apply, a destroy or a wait ended, in the last lines and in the exit code.

use crate::address::Address;
use crate::apply::{Outcome, Report};
use crate::cli::Manner;
use crate::error::CommandError;
use crate::invocation::CommandLine;
use crate::plan::Action;
use crate::resource::ResourceError;
use crate::session::Session;
use crate::wait::Signal;

/// Says what failed and what to do about it, and turns the report into the command's result. `again` is the command that goes
/// on with the work; a wait has none of its own.
pub(super) fn conclude(
    session: &Session,
    report: &Report,
    what: &str,
    manner: &Manner,
    again: Option<&CommandLine>,
) -> Result<(), CommandError> {
    let failed: Vec<(&Address, &ResourceError)> = report
        .outcomes
        .iter()
        .filter_map(|(address, _, outcome)| match outcome {
            Outcome::Failed(error) => Some((address, error)),
            _ => None,
        })
        .collect();
    for (address, error) in &failed {
        session.printer.error(&format!("{address}: {error}"), error.hint_at(address).as_deref());
    }
    let unfinished = count(report, |outcome| matches!(outcome, Outcome::Unfinished(_)));
    let skipped = count(report, |outcome| matches!(outcome, Outcome::Skipped { .. }));
    if failed.is_empty() && unfinished == 0 && skipped == 0 {
        return Ok(());
    }
    let parts = [(failed.len(), "failed"), (unfinished, "still under way in AWS"), (skipped, "not started")];
    let parts: Vec<String> =
        parts.into_iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    let cut_short = match session.stop.signal() {
        Some(Signal::Interrupt) => "interrupted; ",
        Some(Signal::Terminate | Signal::HangUp) => "stopped by a signal; ",
        None => "",
    };
    let hint = match again {
        None => {
            concat!("`", hlctl!("wait"), "` keeps waiting; `", hlctl!("apply"), "` retries and finishes").to_owned()
        }
        Some(again) if failed.is_empty() && skipped == 0 => {
            format!("`{}` waits until AWS is done; `{again}` continues where this stopped", hlctl!("wait"))
        }
        Some(again) if failed.is_empty() => format!("`{again}` continues where this stopped"),
        Some(again) => format!("fix what failed, then `{again}` continues where this stopped"),
    };
    let unfinished_is_asked_for = manner.no_wait && failed.is_empty() && session.stop.signal().is_none();
    if unfinished_is_asked_for && unfinished > 0 {
        let message = format!("{what} is not finished, as --no-wait asks: {}. The state is saved.", parts.join(", "));
        return Err(CommandError::LeftRunning { message, hint });
    }
    Err(CommandError::Incomplete {
        message: format!("{what} is incomplete: {cut_short}{}. The state is saved", parts.join(", ")),
        hint,
    })
}

/// What was done, in one line.
pub(super) fn done(report: &Report, what: &str, took: std::time::Duration) -> String {
    let of = |wanted: Action| {
        let is_done =
            |(_, action, outcome): &&(Address, Action, Outcome)| *action == wanted && matches!(outcome, Outcome::Done);
        report.outcomes.iter().filter(is_done).count()
    };
    // A replacement is two steps.
    format!(
        "{what} complete: {} added, {} changed, {} replaced, {} destroyed in {}.",
        of(Action::Create),
        of(Action::Update),
        of(Action::Replace) / 2,
        of(Action::Delete),
        crate::model::text::duration(took)
    )
}

fn count(report: &Report, matches: impl Fn(&Outcome) -> bool) -> usize {
    report.outcomes.iter().filter(|(_, _, outcome)| matches(outcome)).count()
}
