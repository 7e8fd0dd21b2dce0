//! Log streams.

use serde_json::{Value, json};

use super::shapes::{IDENTIFIER, MAYBE_NAME, NAME, NEXT_TOKEN, STREAM, STREAM_NAME};
use super::{Stream, group, group_name, invalid, limit, logs, no_group, no_stream, with_token};
use crate::emulator::storage_failed;
use crate::error::{AwsError, AwsResult};
use crate::protocol::shape::{Field, Shape, one_of, optional};
use crate::services::{Cx, page, text};
use crate::store::files::Event;

pub(super) const ONE: &[Field] = &[NAME, STREAM];
pub(super) const DESCRIBE: &[Field] = &[
    MAYBE_NAME,
    IDENTIFIER,
    optional("logStreamNamePrefix", STREAM_NAME),
    optional("orderBy", one_of(&["LogStreamName", "LastEventTime"])),
    optional("descending", Shape::Flag),
    NEXT_TOKEN,
    optional("limit", Shape::Whole { min: 1, max: 50 }),
];

pub(super) fn create(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let stream = Stream { id: cx.options.ids.hex32(), created: cx.now };
    let group = group(cx, input)?;
    let name = text(input, "logStreamName");
    if group.streams.contains_key(name) {
        return Err(AwsError::bad_request("ResourceAlreadyExistsException", "The specified log stream already exists"));
    }
    group.streams.insert(name.to_owned(), stream);
    Ok(json!({}))
}

pub(super) fn delete(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let gone = group(cx, input)?.streams.remove(text(input, "logStreamName")).ok_or_else(no_stream)?;
    cx.files.remove_events(&gone.id);
    Ok(json!({}))
}

pub(super) fn describe(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let name = group_name(cx, input)?;
    let prefix = text(input, "logStreamNamePrefix");
    let by_time = text(input, "orderBy") == "LastEventTime";
    if by_time && !prefix.is_empty() {
        return Err(invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
    }
    let arn = cx.caller.regional_arn("logs", &format!("log-group:{name}:log-stream:"));
    let streams = logs(cx).groups.get(&name).ok_or_else(no_group)?.streams.clone();
    let mut items = Vec::new();
    for (name, stream) in streams.iter().filter(|(name, _)| name.starts_with(prefix)) {
        let events = cx.files.events(&stream.id).map_err(|error| storage_failed(&error))?;
        let last = events.last().map_or(0, |event| event.timestamp);
        let key = if by_time { format!("{last:020}:{name}") } else { name.clone() };
        items.push((key, shown(&arn, name, stream, &events)));
    }
    let (some, next) = in_order(items, input["descending"] == Value::Bool(true), input);
    Ok(with_token(json!({"logStreams": some}), next))
}

/// A page of the items by their keys. Backwards, the keys are taken from the other end.
fn in_order(mut items: Vec<(String, Value)>, descending: bool, input: &Value) -> (Vec<Value>, Option<String>) {
    items.sort_by(|one, other| one.0.cmp(&other.0));
    if descending {
        items.reverse();
    }
    let ordered = items.into_iter().enumerate().collect();
    let place = |item: &(usize, (String, Value))| format!("{:020}", item.0);
    let (some, next) = page(ordered, input["nextToken"].as_str(), limit(input, 50), place);
    (some.into_iter().map(|(_, (_, shown))| shown).collect(), next)
}

fn shown(arn: &str, name: &str, stream: &Stream, events: &[Event]) -> Value {
    let mut shown = json!({
        "logStreamName": name,
        "creationTime": stream.created.as_millisecond(),
        "arn": format!("{arn}{name}"),
        "storedBytes": 0,
    });
    if let (Some(first), Some(last)) = (events.first(), events.last()) {
        shown["firstEventTimestamp"] = json!(first.timestamp);
        shown["lastEventTimestamp"] = json!(last.timestamp);
        shown["lastIngestionTime"] = json!(last.ingested);
        shown["uploadSequenceToken"] = json!(super::events::sequence_token(events.len()));
    }
    shown
}
