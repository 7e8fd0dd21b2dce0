//! Bytes on their way, live on a terminal.

use indicatif::{ProgressBar, ProgressStyle};

use super::Printer;

/// A bar that counts bytes; it is not seen where nothing may move.
pub fn bar(printer: Printer, doing: &'static str, total: u64) -> ProgressBar {
    if !printer.is_lively() {
        return ProgressBar::hidden();
    }
    let style =
        ProgressStyle::with_template("{msg:10} [{bar:30}] {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left");
    let bar = ProgressBar::new(total).with_message(doing);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
    bar
}

/// A line that says what is going on, on a terminal.
pub fn spinner(printer: Printer) -> ProgressBar {
    if printer.is_lively() { ProgressBar::new_spinner() } else { ProgressBar::hidden() }
}

/// Bytes as people say them.
pub fn size(bytes: u64) -> String {
    indicatif::DecimalBytes(bytes).to_string()
}
