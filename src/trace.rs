//! A line on stderr for each call to AWS when `HLCTL_LOG=calls` is set. Never a header, a body or a secret.

use std::sync::OnceLock;
use std::time::Duration;

use crate::aws::{AwsError, Operation};

static ON: OnceLock<bool> = OnceLock::new();

/// Switches the trace on or off for the whole process; only the first call counts.
pub fn enable(on: bool) {
    ON.get_or_init(|| on);
}

/// Notes one attempt.
pub fn call(operation: &Operation, took: Duration, error: Option<&AwsError>) {
    if !ON.get().copied().unwrap_or(false) {
        return;
    }
    let outcome = error.map_or("ok", |error| if error.code.is_empty() { "no answer" } else { &error.code });
    let line = format!("call {}:{} {} ms {outcome}", operation.service, operation.name, took.as_millis());
    crate::ui::printer::Printer::log(&line);
}
