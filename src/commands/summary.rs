//! How an apply, a destroy or a wait ended, in the last lines and in the exit code.

use std::fmt;

use crate::apply::{Outcome, Report};
use crate::cli::ExecutionArgs;
use crate::error::{CommandError, Ending, Failure};
use crate::plan::Action;
use crate::session::Session;
use hlctl_engine::wait::Signal;
use hlctl_model::address::Address;
use hlctl_model::invocation::CommandLine;
use hlctl_resources::ResourceError;

/// Says what failed and what to do about it, and turns the report into the command's result. `again` is the command that goes
/// on with the work; a wait has none of its own.
pub(super) fn conclude(
    session: &Session,
    report: &Report,
    what: &str,
    execution: &ExecutionArgs,
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
    Err(NotDone {
        what: what.to_owned(),
        failed: failed.len(),
        unfinished,
        skipped,
        signal: session.stop.signal(),
        no_wait: execution.no_wait,
        again: again.cloned(),
    }
    .into())
}

/// A plan that was not carried out whole; what failed was reported one by one.
#[derive(Debug)]
struct NotDone {
    /// What was carried out, as the beginning of a sentence.
    what: String,
    failed: usize,
    /// Resources that AWS is still at work on.
    unfinished: usize,
    /// Resources that were not begun.
    skipped: usize,
    signal: Option<Signal>,
    no_wait: bool,
    /// The command that continues.
    again: Option<CommandLine>,
}

impl NotDone {
    /// Whether AWS is still at work only because nobody was to wait.
    fn is_asked_for(&self) -> bool {
        self.no_wait && self.failed == 0 && self.signal.is_none() && self.unfinished > 0
    }
}

impl std::error::Error for NotDone {}

impl fmt::Display for NotDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = &self.what;
        let parts =
            [(self.failed, "failed"), (self.unfinished, "still under way in AWS"), (self.skipped, "not started")];
        let parts: Vec<String> =
            parts.into_iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
        let parts = parts.join(", ");
        if self.is_asked_for() {
            return write!(f, "{what} is not finished, as --no-wait asks: {parts}. The state is saved.");
        }
        let cut_short = match self.signal {
            Some(Signal::Interrupt) => "interrupted; ",
            Some(Signal::Terminate | Signal::HangUp) => "stopped by a signal; ",
            None => "",
        };
        write!(f, "{what} is incomplete: {cut_short}{parts}. The state is saved")
    }
}

impl Failure for NotDone {
    fn ending(&self) -> Ending {
        if self.is_asked_for() { Ending::LeftRunning } else { Ending::Incomplete }
    }

    fn hint(&self) -> Option<String> {
        Some(match &self.again {
            None => {
                concat!("`", hlctl!("wait"), "` keeps waiting; `", hlctl!("apply"), "` retries and finishes").to_owned()
            }
            Some(again) if self.failed == 0 && self.skipped == 0 => {
                format!("`{}` waits until AWS is done; `{again}` continues where this stopped", hlctl!("wait"))
            }
            Some(again) if self.failed == 0 => format!("`{again}` continues where this stopped"),
            Some(again) => format!("fix what failed, then `{again}` continues where this stopped"),
        })
    }
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
        hlctl_model::text::duration(took)
    )
}

fn count(report: &Report, matches: impl Fn(&Outcome) -> bool) -> usize {
    report.outcomes.iter().filter(|(_, _, outcome)| matches(outcome)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn not_done(failed: usize, unfinished: usize, signal: Option<Signal>) -> NotDone {
        let again = Some(CommandLine::new("apply"));
        NotDone { what: "The apply".to_owned(), failed, unfinished, skipped: 0, signal, no_wait: true, again }
    }

    #[test]
    fn only_what_nobody_was_to_wait_for_is_left_running() {
        let error = not_done(0, 1, None);
        assert_eq!(error.ending(), Ending::LeftRunning);
        let text = "The apply is not finished, as --no-wait asks: 1 still under way in AWS. The state is saved.";
        assert_eq!(error.to_string(), text);
        for error in [not_done(1, 1, None), not_done(0, 1, Some(Signal::Interrupt)), not_done(1, 0, None)] {
            assert_eq!(error.ending(), Ending::Incomplete);
            assert!(error.to_string().starts_with("The apply is incomplete: "), "{error}");
        }
    }
}
