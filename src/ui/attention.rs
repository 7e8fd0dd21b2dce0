//! The terminal's title and bell, for a person who does something else while a command waits.
//!
//! The sequences are xterm's ("XTerm Control Sequences": `OSC 2`, and `CSI 22 t` and `CSI 23 t`, which keep the title and bring it back).

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hlctl_model::exit_code::ExitCode;
use hlctl_model::text::shown;

use super::Printer;

/// What is shorter is usually watched to its end.
const LONG: Duration = Duration::from_secs(60);

const PROGRAM: &str = env!("CARGO_PKG_NAME");

static TITLE: Mutex<Title> = Mutex::new(Title { command: None, shown: None });

/// The title that this run has given to the terminal.
struct Title {
    /// The command that waits; none where the terminal has no title.
    command: Option<String>,
    shown: Option<String>,
}

fn hold() -> MutexGuard<'static, Title> {
    TITLE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Title {
    /// What the terminal is sent to show a title, unless it shows it already.
    fn sequence(&mut self, progress: &str) -> Option<String> {
        let title = format!("{} - {PROGRAM} {}", shown(progress), self.command.as_ref()?);
        let keep = if self.shown.is_none() { "\x1b[22;2t" } else { "" };
        if self.shown.as_ref() == Some(&title) {
            return None;
        }
        let sequence = format!("{keep}\x1b]2;{title}\x1b\\");
        self.shown = Some(title);
        Some(sequence)
    }

    /// What brings the earlier title back.
    fn end(&mut self) -> &'static str {
        self.command = None;
        if self.shown.take().is_some() { "\x1b[23;2t" } else { "" }
    }
}

/// Shows in the terminal's title how far the command is, if a run with [`Attention`] has a terminal.
pub fn title(progress: &str) {
    if let Some(sequence) = hold().sequence(progress) {
        send(&sequence);
    }
}

fn send(sequence: &str) {
    // On a terminal that has gone away there is nobody to tell.
    let mut terminal = io::stderr();
    let _ = terminal.write_all(sequence.as_bytes()).and_then(|()| terminal.flush());
}

/// A command that may take long, at a terminal.
pub struct Attention {
    since: Instant,
}

impl Attention {
    /// One that begins; none where there is no terminal.
    pub fn begin(printer: Printer, command: &str) -> Option<Self> {
        if !printer.is_lively() {
            return None;
        }
        // The console of Linux has no title.
        let has_title = std::env::var_os("TERM").is_some_and(|term| term != "linux");
        hold().command = has_title.then(|| command.to_owned());
        Some(Self { since: Instant::now() })
    }

    /// Brings the earlier title back, and rings the bell after a long run.
    pub fn end(self, code: ExitCode) {
        let title = hold().end();
        let bell = if rings(self.since.elapsed(), code) { "\x07" } else { "" };
        send(&format!("{title}{bell}"));
    }
}

/// Whether the end of a run asks for somebody who may not be looking; who has pressed Ctrl-C is.
fn rings(took: Duration, code: ExitCode) -> bool {
    took >= LONG && !matches!(code, ExitCode::Aborted | ExitCode::Interrupted | ExitCode::Terminated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earlier_title_is_kept_once_and_comes_back() {
        let mut title = Title { command: Some("apply".to_owned()), shown: None };
        assert_eq!(title.sequence("1m").as_deref(), Some("\x1b[22;2t\x1b]2;1m - hlctl apply\x1b\\"));
        assert_eq!(title.sequence("1m"), None);
        assert_eq!(title.sequence("2m").as_deref(), Some("\x1b]2;2m - hlctl apply\x1b\\"));
        assert_eq!(title.end(), "\x1b[23;2t");
        assert_eq!((title.sequence("3m"), title.end()), (None, ""));
    }

    #[test]
    fn a_title_ends_no_sequence_early() {
        let mut title = Title { command: Some("apply".to_owned()), shown: None };
        let sequence = title.sequence("a\x07b\x1b\\c\u{9c}").unwrap_or_default();
        assert_eq!(sequence, "\x1b[22;2t\x1b]2;a\\u{7}b\\u{1b}\\c\\u{9c} - hlctl apply\x1b\\");
    }

    #[test]
    fn the_bell_rings_after_a_long_run_that_nobody_has_stopped() {
        let long = Duration::from_secs(60);
        for code in [ExitCode::Success, ExitCode::Failure, ExitCode::Incomplete, ExitCode::Credentials] {
            assert!(rings(long, code), "{code:?}");
            assert!(!rings(Duration::from_secs(59), code), "{code:?}");
        }
        for code in [ExitCode::Interrupted, ExitCode::Terminated, ExitCode::Aborted] {
            assert!(!rings(long, code), "{code:?}");
        }
    }
}
