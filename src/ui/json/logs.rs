//! `hlctl logs --json`

use schemars::JsonSchema;
use serde::Serialize;

use super::FORMAT_VERSION;

/// What the token validator has logged.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LogEvents {
    format_version: u32,
    /// Name of the log group.
    log_group: String,
    /// The oldest first.
    events: Vec<LogEvent>,
}

/// An event of the log.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LogEvent {
    /// When it was logged, in UTC.
    time: String,
    /// Name of the log stream.
    stream: String,
    /// What was logged.
    message: String,
}

/// A line of `logs --follow --json`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FollowedLogEvent {
    format_version: u32,
    /// The event.
    #[serde(flatten)]
    event: LogEvent,
}

impl LogEvents {
    /// The events of a log group.
    pub fn of(log_group: String, events: Vec<LogEvent>) -> Self {
        Self { format_version: FORMAT_VERSION, log_group, events }
    }
}

impl LogEvent {
    /// An event.
    pub fn of(time: String, stream: String, message: String) -> Self {
        Self { time, stream, message }
    }

    /// The same as a document of its own.
    pub fn followed(self) -> FollowedLogEvent {
        FollowedLogEvent { format_version: FORMAT_VERSION, event: self }
    }
}
