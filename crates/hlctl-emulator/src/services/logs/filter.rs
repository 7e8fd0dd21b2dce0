//! FilterLogEvents.

use serde_json::{Value, json};

use super::events::within;
use super::shapes::{IDENTIFIER, INSTANT, MAYBE_NAME, NEXT_TOKEN, STREAM_NAME};
use super::{group_name, invalid, limit, logs, no_group, no_stream, with_token};
use crate::error::AwsResult;
use crate::protocol::shape::{Field, Shape, optional, text as string};
use crate::services::{Cx, page, text};
use crate::store::files::Event;

pub(super) const FILTER: &[Field] = &[
    MAYBE_NAME,
    IDENTIFIER,
    optional("logStreamNames", Shape::List { of: &STREAM_NAME, min: 1, max: 100 }),
    optional("logStreamNamePrefix", STREAM_NAME),
    optional("startTime", INSTANT),
    optional("endTime", INSTANT),
    optional("filterPattern", string(0, 1024)),
    NEXT_TOKEN,
    optional("limit", Shape::Whole { min: 1, max: 10_000 }),
    optional("startFromHead", Shape::Flag),
    optional("interleaved", Shape::Flag),
    optional("unmask", Shape::Flag),
];

pub(super) fn filter(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let name = group_name(cx, input)?;
    let names = input["logStreamNames"].as_array();
    if names.is_some() && input["logStreamNamePrefix"].is_string() {
        return Err(invalid("logStreamNames and logStreamNamePrefix are mutually exclusive parameters."));
    }
    let pattern = Pattern::parse(text(input, "filterPattern"))?;
    let group = logs(cx).groups.get(&name).ok_or_else(no_group)?.clone();
    let unknown = |name: &&Value| !group.streams.contains_key(name.as_str().unwrap_or_default());
    if names.into_iter().flatten().any(|name| unknown(&name)) {
        return Err(no_stream());
    }
    let prefix = text(input, "logStreamNamePrefix");
    let mut found: Vec<(String, Value)> = Vec::new();
    for (name, stream) in &group.streams {
        if !name.starts_with(prefix) || !names.is_none_or(|names| names.iter().any(|wanted| wanted == name)) {
            continue;
        }
        for (place, event) in within(cx, &group, &stream.id, input)?.iter().enumerate() {
            if pattern.matches(&event.message) {
                found.push(shown(name, &stream.id, place, event));
            }
        }
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    let (some, next) = page(found, input["nextToken"].as_str(), limit(input, 10_000), |(key, _)| key.clone());
    let events: Vec<Value> = some.into_iter().map(|(_, event)| event).collect();
    Ok(with_token(json!({"events": events, "searchedLogStreams": []}), next))
}

/// The event, and a key that puts it in its place.
fn shown(stream: &str, id: &str, place: usize, event: &Event) -> (String, Value) {
    let key = format!("{:020}{place:010}{id}", event.timestamp);
    let shown = json!({
        "logStreamName": stream,
        "timestamp": event.timestamp,
        "message": event.message,
        "ingestionTime": event.ingested,
        "eventId": key,
    });
    (key, shown)
}

/// Terms that a message must, may and must not hold (CloudWatch Logs user guide, filter pattern syntax).
#[derive(Debug, Default, PartialEq, Eq)]
struct Pattern {
    all: Vec<String>,
    any: Vec<String>,
    none: Vec<String>,
}

impl Pattern {
    fn parse(text: &str) -> AwsResult<Self> {
        let text = text.trim();
        if text.starts_with(['{', '[']) || text.contains('%') {
            return Err(invalid("hlctl-emulator models filter patterns of terms only."));
        }
        let mut pattern = Self::default();
        let mut rest = text;
        while !rest.is_empty() {
            let (kind, after) = match rest.as_bytes()[0] {
                b'-' => (&mut pattern.none, &rest[1..]),
                b'?' => (&mut pattern.any, &rest[1..]),
                _ => (&mut pattern.all, rest),
            };
            let (term, after) = match after.strip_prefix('"') {
                Some(quoted) => {
                    quoted.split_once('"').ok_or_else(|| invalid("Invalid filter pattern: a quote is open."))?
                }
                None => after.split_once(char::is_whitespace).unwrap_or((after, "")),
            };
            kind.push(term.to_owned());
            rest = after.trim_start();
        }
        Ok(pattern)
    }

    fn matches(&self, message: &str) -> bool {
        self.all.iter().all(|term| message.contains(term))
            && (self.any.is_empty() || self.any.iter().any(|term| message.contains(term)))
            && !self.none.iter().any(|term| message.contains(term))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn terms_are_wanted_unwanted_or_alternatives() {
        let matches = |pattern: &str, message: &str| Pattern::parse(pattern).unwrap().matches(message);
        assert!(matches("", "anything"));
        assert!(matches("ERROR", "an ERROR here"));
        assert!(!matches("ERROR", "an error here"));
        assert!(matches(r#""an error" -fatal"#, "an error here"));
        assert!(!matches(r#""an error" -fatal"#, "an error, fatal"));
        assert!(matches("?WARN ?ERROR", "WARN"));
        assert!(!matches("?WARN ?ERROR", "INFO"));
        assert!(Pattern::parse("{ $.a = 1 }").is_err());
        assert!(Pattern::parse(r#""open"#).is_err());
    }
}
