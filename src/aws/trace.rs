//! A line for each call to AWS when `HLCTL_LOG=calls` is set. Never a header, a body or a secret.

use std::sync::OnceLock;
use std::time::Duration;

use super::{AwsError, Operation};

static LOG: OnceLock<fn(&str)> = OnceLock::new();

/// Gives each line to `log` from here on, in the whole process; only the first call counts.
pub fn enable(log: fn(&str)) {
    LOG.get_or_init(|| log);
}

/// Notes one attempt.
pub(super) fn call(operation: &Operation, took: Duration, error: Option<&AwsError>) {
    let Some(log) = LOG.get() else { return };
    let outcome = error.map_or("ok", |error| if error.code.is_empty() { "no answer" } else { &error.code });
    log(&format!("call {}:{} {} ms {outcome}", operation.service, operation.name, took.as_millis()));
}
