//! Writing log events, and reading those of one stream.

use serde_json::{Value, json};

use super::shapes::{IDENTIFIER, INSTANT, MAYBE_NAME, NAME, NEXT_TOKEN, STREAM};
use super::{Group, group, group_name, invalid, limit, logs, no_group, no_stream};
use crate::emulator::storage_failed;
use crate::error::AwsResult;
use crate::protocol::shape::{Field, Shape, optional, required, text as string};
use crate::services::{Cx, text};
use crate::store::files::Event;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// The size of a batch, in which each event counts 26 bytes more (CloudWatch Logs API reference, PutLogEvents).
const MOST_BYTES: usize = 1_048_576;
const EVENT_OVERHEAD: usize = 26;

const EVENT: &[Field] = &[required("timestamp", INSTANT), required("message", string(1, usize::MAX))];
const ENTITY_MAP: Shape =
    Shape::Map { key: crate::protocol::shape::Text::len(1, 256), value: &string(1, 512), min: 0, max: 10 };
const ENTITY: &[Field] = &[optional("keyAttributes", ENTITY_MAP), optional("attributes", ENTITY_MAP)];

pub(super) const PUT: &[Field] = &[
    NAME,
    STREAM,
    required("logEvents", Shape::List { of: &Shape::Struct(EVENT), min: 1, max: 10_000 }),
    optional("sequenceToken", string(1, usize::MAX)),
    optional("entity", Shape::Struct(ENTITY)),
];
pub(super) const GET: &[Field] = &[
    MAYBE_NAME,
    IDENTIFIER,
    STREAM,
    optional("startTime", INSTANT),
    optional("endTime", INSTANT),
    NEXT_TOKEN,
    optional("limit", Shape::Whole { min: 1, max: 10_000 }),
    optional("startFromHead", Shape::Flag),
    optional("unmask", Shape::Flag),
];

pub(super) fn put(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let now = cx.now;
    let group = group(cx, input)?;
    let horizon = group.horizon(now);
    let id = group.streams.get(text(input, "logStreamName")).ok_or_else(no_stream)?.id.clone();
    let given = batch(input, now.as_millisecond())?;
    let sorted = sort_out(given, now.as_millisecond(), horizon);
    cx.files.add_events(&id, &sorted.accepted).map_err(|error| storage_failed(&error))?;
    let kept = cx.files.events(&id).map_err(|error| storage_failed(&error))?.len();
    let mut output = json!({"nextSequenceToken": sequence_token(kept)});
    if sorted.rejected != json!({}) {
        output["rejectedLogEventsInfo"] = sorted.rejected;
    }
    Ok(output)
}

/// A token that nothing asks for any more (CloudWatch Logs API reference, PutLogEvents).
pub(super) fn sequence_token(count: usize) -> String {
    format!("{count:056}")
}

fn batch(input: &Value, now: i64) -> AwsResult<Vec<Event>> {
    let events: Vec<Event> = input["logEvents"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|event| Event {
            timestamp: event["timestamp"].as_i64().unwrap_or_default(),
            ingested: now,
            message: text(event, "message").to_owned(),
        })
        .collect();
    if !events.is_sorted_by_key(|event| event.timestamp) {
        return Err(invalid("Log events in a single PutLogEvents request must be in chronological order."));
    }
    if events.iter().map(|event| event.message.len() + EVENT_OVERHEAD).sum::<usize>() > MOST_BYTES {
        return Err(invalid(format!("Upload too large: the maximum is {MOST_BYTES} bytes.")));
    }
    Ok(events)
}

struct Sorted {
    accepted: Vec<Event>,
    rejected: Value,
}

/// Events more than two hours ahead, older than fourteen days or older than the retention are left out
/// (CloudWatch Logs API reference, PutLogEvents).
fn sort_out(events: Vec<Event>, now: i64, horizon: i64) -> Sorted {
    let mut rejected = json!({});
    if let Some(start) = events.iter().position(|event| event.timestamp > now + 2 * HOUR) {
        rejected["tooNewLogEventStartIndex"] = json!(start);
    }
    for (member, limit) in [("tooOldLogEventEndIndex", now - 14 * DAY), ("expiredLogEventEndIndex", horizon)] {
        let end = events.partition_point(|event| event.timestamp < limit);
        if end > 0 {
            rejected[member] = json!(end);
        }
    }
    let fits = |event: &Event| (horizon.max(now - 14 * DAY)..=now + 2 * HOUR).contains(&event.timestamp);
    Sorted { accepted: events.into_iter().filter(fits).collect(), rejected }
}

/// The events of a stream that have not expired and lie within the times of the request, oldest first.
pub(super) fn within(cx: &Cx<'_>, group: &Group, stream: &str, input: &Value) -> AwsResult<Vec<Event>> {
    let from = input["startTime"].as_i64().unwrap_or(i64::MIN).max(group.horizon(cx.now));
    let to = input["endTime"].as_i64().unwrap_or(i64::MAX);
    let mut events = cx.files.events(stream).map_err(|error| storage_failed(&error))?;
    events.retain(|event| (from..to).contains(&event.timestamp));
    events.sort_by_key(|event| event.timestamp);
    Ok(events)
}

pub(super) fn get(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let name = group_name(cx, input)?;
    let group = logs(cx).groups.get(&name).ok_or_else(no_group)?.clone();
    let stream = group.streams.get(text(input, "logStreamName")).ok_or_else(no_stream)?;
    let events = within(cx, &group, &stream.id, input)?;
    let most = limit(input, 10_000);
    let head = input["startFromHead"] == Value::Bool(true);
    let span = match input["nextToken"].as_str() {
        Some(token) => {
            span_of(token, most, events.len()).ok_or_else(|| invalid("The specified nextToken is invalid."))?
        }
        None if head => 0..most.min(events.len()),
        None => events.len().saturating_sub(most)..events.len(),
    };
    let shown: Vec<Value> = events[span.clone()]
        .iter()
        .map(|event| json!({"timestamp": event.timestamp, "message": event.message, "ingestionTime": event.ingested}))
        .collect();
    Ok(json!({
        "events": shown,
        "nextForwardToken": format!("f/{:056}", span.end),
        "nextBackwardToken": format!("b/{:056}", span.start),
    }))
}

/// A token is a direction and a place between two events.
fn span_of(token: &str, most: usize, count: usize) -> Option<std::ops::Range<usize>> {
    let (direction, place) = token.split_once('/')?;
    let place = place.parse::<usize>().ok()?.min(count);
    match direction {
        "f" => Some(place..(place + most).min(count)),
        "b" => Some(place.saturating_sub(most)..place),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn events_out_of_time_are_named_by_their_place() {
        let now = 100 * DAY;
        let at = |timestamp| Event { timestamp, ingested: now, message: "m".to_owned() };
        let events = vec![at(now - 20 * DAY), at(now - 5 * DAY), at(now), at(now + 3 * HOUR)];
        let sorted = sort_out(events, now, now - 3 * DAY);
        assert_eq!(sorted.accepted, [at(now)]);
        assert_eq!(
            sorted.rejected,
            json!({"tooNewLogEventStartIndex": 3, "tooOldLogEventEndIndex": 1, "expiredLogEventEndIndex": 2})
        );
    }

    #[test]
    fn tokens_walk_both_ways_and_stop_at_the_ends() {
        assert_eq!(span_of("f/0002", 2, 5), Some(2..4));
        assert_eq!(span_of("f/0009", 2, 5), Some(5..5));
        assert_eq!(span_of("b/0001", 2, 5), Some(0..1));
        assert_eq!(span_of("x/1", 2, 5), None);
    }
}
