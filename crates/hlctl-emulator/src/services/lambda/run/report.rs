//! The lines that Lambda itself writes into a function's log, and the errors it gives in a function's name.

use std::process::ExitStatus;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;

/// How an invocation went, for its last line.
pub(super) struct Report<'a> {
    pub(super) request_id: &'a str,
    pub(super) duration: Duration,
    /// Megabytes the function may hold.
    pub(super) memory: u64,
    /// Megabytes it has held, if that is known.
    pub(super) used: Option<u64>,
    /// How long the initialisation took, if this invocation began with one.
    pub(super) init: Option<Duration>,
    /// `timeout`, or `error` and its type.
    pub(super) status: Option<String>,
}

impl Report<'_> {
    pub(super) fn line(&self) -> String {
        let milliseconds = |duration: Duration| duration.as_secs_f64() * 1000.0;
        let billed = (milliseconds(self.duration) + self.init.map_or(0.0, milliseconds)).ceil();
        let mut line = format!(
            "REPORT RequestId: {}\tDuration: {:.2} ms\tBilled Duration: {billed:.0} ms\tMemory Size: {} MB\tMax Memory \
             Used: {} MB",
            self.request_id,
            milliseconds(self.duration),
            self.memory,
            self.used.unwrap_or_default().min(self.memory),
        );
        if let Some(init) = self.init {
            line.push_str(&format!("\tInit Duration: {:.2} ms", milliseconds(init)));
        }
        if let Some(status) = &self.status {
            line.push_str(&format!("\tStatus: {status}"));
        }
        line
    }
}

/// The payload of an error that is not of the function's own making.
pub(super) fn error(kind: &str, request_id: &str, what: &str) -> Bytes {
    Bytes::from(
        json!({"errorType": kind, "errorMessage": format!("RequestId: {request_id} Error: {what}")}).to_string(),
    )
}

/// The message for a runtime that has ended while it should have answered.
pub(super) fn exited(status: Option<ExitStatus>) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    let signal = status.and_then(|status| status.signal());
    match (signal, status.and_then(|status| status.code())) {
        (Some(9), _) => "Runtime exited with error: signal: killed".to_owned(),
        (Some(6), _) => "Runtime exited with error: signal: aborted".to_owned(),
        (Some(11), _) => "Runtime exited with error: signal: segmentation fault".to_owned(),
        (Some(signal), _) => format!("Runtime exited with error: signal: {signal}"),
        (None, Some(code)) if code != 0 => format!("Runtime exited with error: exit status {code}"),
        _ => "Runtime exited without providing a reason".to_owned(),
    }
}

/// The message for an invocation that has taken too long.
pub(super) fn timed_out(limit: Duration) -> String {
    format!("Task timed out after {:.2} seconds", limit.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_says_how_it_went() {
        let report = Report {
            request_id: "id",
            duration: Duration::from_micros(3961),
            memory: 128,
            used: Some(36),
            init: Some(Duration::from_millis(120)),
            status: Some("timeout".to_owned()),
        };
        assert_eq!(
            report.line(),
            "REPORT RequestId: id\tDuration: 3.96 ms\tBilled Duration: 124 ms\tMemory Size: 128 MB\tMax Memory Used: \
             36 MB\tInit Duration: 120.00 ms\tStatus: timeout"
        );
    }

    #[test]
    fn a_time_out_is_reported_in_seconds() {
        assert_eq!(timed_out(Duration::from_secs(3)), "Task timed out after 3.00 seconds");
    }
}
