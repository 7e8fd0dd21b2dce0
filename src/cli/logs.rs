//! `hlctl logs`

use std::time::Duration;

use clap::Args;

use super::parse_duration;

/// `hlctl logs`
#[derive(Debug, Args)]
pub struct LogsArgs {
    /// From when on: how long ago, e.g. 90s, 10m or 2h, or a time such as 2026-05-01T09:30:00Z
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = parse_since)]
    pub since: Since,

    /// Continue until Ctrl-C, and print what is logged in the meantime
    #[arg(short, long)]
    pub follow: bool,

    /// Only events that match this filter pattern of CloudWatch Logs, e.g. '"refused"'
    #[arg(long, value_name = "PATTERN", value_parser = pattern)]
    pub filter: Option<String>,

    /// Print JSON; with --follow a document on each line
    #[arg(long)]
    pub json: bool,
}

/// From when on events are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// This long before now.
    Ago(Duration),
    /// Milliseconds since 1970.
    At(i64),
}

fn parse_since(text: &str) -> Result<Since, String> {
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Ok(Since::At(at.as_millisecond()));
    }
    parse_duration(text).map(Since::Ago).map_err(|error| format!("{error}, or as 2026-05-01T09:30:00Z"))
}

/// `FilterLogEvents` takes 1,024 characters (CloudWatch Logs API reference).
fn pattern(text: &str) -> Result<String, String> {
    if text.chars().count() <= 1024 {
        Ok(text.to_owned())
    } else {
        Err("a pattern has 1024 characters at most".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_is_a_time_or_how_long_ago_it_was() {
        assert_eq!(parse_since("10m"), Ok(Since::Ago(Duration::from_secs(600))));
        assert_eq!(parse_since("1970-01-01T00:00:01Z"), Ok(Since::At(1000)));
        assert!(parse_since("yesterday").is_err_and(|error| error.contains("2026-05-01T09:30:00Z")));
    }
}
