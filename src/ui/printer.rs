//! The only place that writes to stdout and stderr.

use std::borrow::Cow;
use std::io::{ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::cli::Invocation;
use hlctl_model::text::shortened;

/// Prints data to stdout and talk to stderr. Colour and motion appear on a terminal only, and never with `NO_COLOR`.
#[derive(Clone, Copy, Debug)]
pub struct Printer {
    quiet: bool,
    /// How this run was started, for the commands that messages name.
    invocation: &'static Invocation,
    /// Where there are several stacks: the one that this is for.
    stack: Option<&'static OfStack>,
}

/// What belongs to one of several stacks: its talk is marked, its data kept until all are done.
#[derive(Debug)]
struct OfStack {
    label: String,
    data: Mutex<String>,
}

/// Marks what is good, bad, or worth a look.
pub mod style {
    use super::{AnsiColor, Style};

    /// Things that come.
    pub const ADD: Style = AnsiColor::Green.on_default();
    /// Things that change.
    pub const CHANGE: Style = AnsiColor::Yellow.on_default();
    /// Things that go.
    pub const DESTROY: Style = AnsiColor::Red.on_default();
    /// What must not be overlooked.
    pub const STRONG: Style = Style::new().bold();
    /// What may be.
    pub const FAINT: Style = Style::new().dimmed();
}

static PRINTED: AtomicBool = AtomicBool::new(false);
static UNHEARD: AtomicBool = AtomicBool::new(false);
static FAILURE: OnceLock<String> = OnceLock::new();
static SUMMARY: Mutex<String> = Mutex::new(String::new());

fn note(result: std::io::Result<()>) {
    PRINTED.store(true, Ordering::Relaxed);
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => UNHEARD.store(true, Ordering::Relaxed),
        Err(error) => drop(FAILURE.set(error.to_string())),
        Ok(()) => {}
    }
}

fn hold(data: &Mutex<String>) -> MutexGuard<'_, String> {
    data.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Printer {
    /// A printer for as long as the process lives; a quiet one leaves the talk out.
    pub fn new(quiet: bool, invocation: Invocation) -> Self {
        Self { quiet, invocation: Box::leak(Box::new(invocation)), stack: None }
    }

    /// A printer for one of several stacks, for as long as the process lives.
    pub fn of_stack(self, label: &str, config: &Path) -> Self {
        let stack = OfStack { label: label.to_owned(), data: Mutex::default() };
        let invocation = Box::leak(Box::new(self.invocation.of_stack(config)));
        Self { stack: Some(Box::leak(Box::new(stack))), invocation, ..self }
    }

    /// A text with the commands in it written out as this run needs them.
    pub fn rendered<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.invocation.render(text)
    }

    /// The data kept so far; of a single stack there is none.
    pub fn taken(&self) -> String {
        self.stack.map(|stack| std::mem::take(&mut *hold(&stack.data))).unwrap_or_default()
    }

    /// Data: goes to stdout as it is, with a line's end. A reader that has gone away is no error; any other failure is
    /// kept for [`Printer::failure`].
    pub fn data(&self, text: &str) {
        let text = self.rendered(text);
        if let Some(stack) = self.stack {
            return hold(&stack.data).push_str(&format!("{}\n", text.trim_end_matches('\n')));
        }
        let mut out = AutoStream::auto(std::io::stdout());
        note(writeln!(out, "{}", text.trim_end_matches('\n')).and_then(|()| out.flush()));
    }

    /// JSON for stdout, indented.
    pub fn json(&self, document: &impl Serialize) {
        let mut value = super::json::value(document);
        self.invocation.render_json(&mut value);
        self.data(&format!("{value:#}"));
    }

    /// JSON on one line, with the commands in it written out.
    pub fn json_line(&self, document: &impl Serialize) -> String {
        let mut value = super::json::value(document);
        self.invocation.render_json(&mut value);
        format!("{value}\n")
    }

    /// Bytes for stdout, without a line's end.
    pub fn raw(&self, text: &str) {
        if let Some(stack) = self.stack {
            return hold(&stack.data).push_str(text);
        }
        let mut out = std::io::stdout();
        note(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
    }

    /// Whether anything has gone to stdout.
    pub fn has_printed(&self) -> bool {
        if let Some(stack) = self.stack {
            return !hold(&stack.data).is_empty();
        }
        PRINTED.load(Ordering::Relaxed)
    }

    /// Whether the reader of stdout has gone away, so that more data is for nobody.
    pub fn is_unheard(&self) -> bool {
        UNHEARD.load(Ordering::Relaxed) || FAILURE.get().is_some()
    }

    /// Whether stdout is a terminal.
    pub fn is_read_by_people(&self) -> bool {
        std::io::stdout().is_terminal()
    }

    /// Why data could not be written, if so.
    pub fn failure(&self) -> Option<&'static str> {
        FAILURE.get().map(String::as_str)
    }

    /// Talk: goes to stderr.
    pub fn say(&self, text: &str) {
        if !self.quiet {
            self.marked(text);
        }
    }

    /// How the work ended, in one line: it is said, and kept for [`Printer::summary`].
    pub fn conclude(&self, line: &str) {
        let mut summary = hold(&SUMMARY);
        if !summary.is_empty() {
            summary.push('\n');
        }
        if let Some(stack) = self.stack {
            summary.push_str(&format!("[{}] ", stack.label));
        }
        summary.push_str(line);
        drop(summary);
        self.say(&format!("\n{line}"));
    }

    /// What [`Printer::conclude`] was given, a line for each of several stacks; empty if nothing was done.
    pub fn summary(&self) -> String {
        hold(&SUMMARY).clone()
    }

    fn marked(&self, text: &str) {
        let text = self.rendered(text);
        let text = text.as_ref();
        let Some(stack) = self.stack else { return Self::log(text) };
        let faint = style::FAINT;
        let lines = text.lines().filter(|line| !line.is_empty());
        let lines: Vec<String> = lines.map(|line| format!("{faint}[{}]{faint:#} {line}", stack.label)).collect();
        if !lines.is_empty() {
            Self::log(&lines.join("\n"));
        }
    }

    /// A question or an error: goes to stderr even when quiet.
    pub fn insist(&self, text: &str) {
        self.marked(text);
    }

    /// A line on stderr.
    pub fn log(text: &str) {
        let mut err = AutoStream::auto(std::io::stderr());
        let _ = writeln!(err, "{text}");
    }

    /// An error with its hint, on stderr.
    pub fn error(&self, message: &str, hint: Option<&str>) {
        let (red, bold) = (style::DESTROY.bold(), style::STRONG);
        let message = self.rendered(message);
        let message = shortened(&message);
        let mut text = format!("{red}error{red:#}: {message}");
        if let Some(hint) = hint {
            text.push_str(&format!("\n{bold}next{bold:#}: {hint}"));
        }
        self.marked(&text);
    }

    /// An end that was asked for although there is more to do, with its next step, on stderr.
    pub fn note(&self, message: &str, hint: &str) {
        let bold = style::STRONG;
        self.marked(&format!("{message}\n{bold}next{bold:#}: {hint}"));
    }

    /// Ends a line that a question or the terminal's echo of Ctrl-C has left open.
    pub fn end_line(&self) {
        Self::log("");
    }

    /// A warning, on stderr.
    pub fn warning(&self, message: &str) {
        let yellow = style::CHANGE.bold();
        self.marked(&format!("{yellow}warning{yellow:#}: {message}"));
    }

    /// Whether stderr is a terminal, so that things may move on it.
    pub fn is_lively(&self) -> bool {
        self.stack.is_none()
            && std::io::stderr().is_terminal()
            && !self.quiet
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
    }

    /// Whether a person can be asked.
    pub fn can_ask(&self) -> bool {
        self.stack.is_none() && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    /// Asks on stderr and reads a line from stdin.
    ///
    /// # Errors
    /// stdin cannot be read.
    pub fn ask(&self, question: &str) -> std::io::Result<String> {
        let mut err = AutoStream::auto(std::io::stderr());
        write!(err, "{question} ")?;
        err.flush()?;
        let mut answer = String::new();
        if std::io::stdin().read_line(&mut answer)? == 0 {
            // Ctrl-D ends no line.
            writeln!(err)?;
        }
        Ok(answer.trim().to_owned())
    }

    /// Whether colour may be used on stderr.
    pub fn colours_stderr(&self) -> bool {
        AutoStream::choice(&std::io::stderr()) != ColorChoice::Never
    }
}
