//! What is on the terminal while files are on their way and jobs are waited for.

use std::cell::RefCell;

use crate::ui::transfer::{self, Moving};
use crate::ui::{Printer, attention};

/// A line that moves on a terminal, and the last status that was shown.
pub(in crate::commands) struct JobProgress {
    pub(in crate::commands) printer: Printer,
    moving: RefCell<Option<Moving>>,
    last: RefCell<String>,
}

impl JobProgress {
    pub(in crate::commands) fn new(printer: Printer) -> Self {
        Self { printer, moving: RefCell::default(), last: RefCell::default() }
    }

    /// Says that an earlier run began this one.
    pub(in crate::commands) fn is_continued(&self, run: &str) {
        self.printer.say(&format!("Continuing with {run}, which an earlier run started."));
    }

    /// A job is waited for from now on.
    pub(in crate::commands) fn waits(&self) {
        drop(self.moving.replace(Some(transfer::spinner(self.printer))));
    }

    /// Nothing moves any more.
    pub(in crate::commands) fn rests(&self) {
        drop(self.moving.take());
    }

    /// Shows how far a job is: in place on a terminal, and elsewhere as a line whenever that has changed.
    pub(in crate::commands) fn shows(&self, line: &str) {
        let moving = self.moving.borrow();
        if let Some(spinner) = moving.as_ref() {
            spinner.set_message(line.to_owned());
            spinner.tick();
            attention::title(line);
        }
        if self.last.replace(line.to_owned()) != line && moving.as_ref().is_none_or(|spinner| spinner.is_hidden()) {
            self.printer.say(line);
        }
    }

    /// A transfer of so many bytes begins; the returned function is called with bytes that are done.
    pub(in crate::commands) fn moves(&self, doing: &'static str, bytes: u64) -> Box<dyn Fn(u64) + Send + Sync> {
        let bar = transfer::bar(self.printer, doing, bytes);
        let heard = bar.clone();
        self.moving.replace(Some(bar));
        Box::new(move |bytes| heard.inc(bytes))
    }
}
