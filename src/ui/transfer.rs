//! Bytes on their way, live on a terminal.

use std::ops::Deref;

use indicatif::{ProgressBar, ProgressStyle};

use super::Printer;

/// A line that moves. Whatever ends the work, a signal too, it leaves nothing on the terminal.
#[derive(Debug)]
pub struct Moving(ProgressBar);

impl Deref for Moving {
    type Target = ProgressBar;

    fn deref(&self) -> &ProgressBar {
        &self.0
    }
}

impl Drop for Moving {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A bar that counts bytes; it is not seen where nothing may move.
pub fn bar(printer: Printer, doing: &'static str, total: u64) -> Moving {
    if !printer.is_lively() {
        return Moving(ProgressBar::hidden());
    }
    let style =
        ProgressStyle::with_template("{msg:10} [{bar:30}] {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left");
    let bar = ProgressBar::new(total).with_message(doing);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
    Moving(bar)
}

/// A line that says what is going on, on a terminal.
pub fn spinner(printer: Printer) -> Moving {
    Moving(if printer.is_lively() { ProgressBar::new_spinner() } else { ProgressBar::hidden() })
}

/// Bytes as people say them.
pub fn size(bytes: u64) -> String {
    indicatif::DecimalBytes(bytes).to_string()
}
