//! CloudTrail: LookupEvents, out of the log of requests that this process keeps anyway.
//!
//! Choices made: an event is there as soon as its request has been answered, in every region and for every account; its
//! resources are the names, ids and ARNs in the request, so that a key that was named by its id is not found by its ARN;
//! objects of buckets, FHIR resources and invocations of functions are data events and no part of it, as with CloudTrail.

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use super::{Cx, text};
use crate::clock::epoch_seconds;
use crate::error::{AwsError, AwsResult};
use crate::journal::RequestRecord;
use crate::protocol::shape::{self, Field, Shape, optional, required};
use crate::protocol::{Operation, read};

/// Operations as `X-Amz-Target` names them.
pub(crate) const TARGET_PREFIX: &str = "CloudTrail_20131101.";
/// What botocore's model has before that; AWS takes both.
pub(crate) const TARGET_NAMESPACE: &str = "com.amazonaws.cloudtrail.v20131101.";

pub(crate) const OPERATIONS: &[Operation] = &[read("LookupEvents", LOOKUP, lookup)];

const KEYS: &[&str] =
    &["EventId", "EventName", "ReadOnly", "Username", "ResourceType", "ResourceName", "EventSource", "AccessKeyId"];
const ATTRIBUTE: &[Field] =
    &[required("AttributeKey", shape::one_of(KEYS)), required("AttributeValue", shape::text(1, 2000))];
const LOOKUP: &[Field] = &[
    optional("LookupAttributes", Shape::List { of: &Shape::Struct(ATTRIBUTE), min: 0, max: 1 }),
    optional("StartTime", Shape::Time),
    optional("EndTime", Shape::Time),
    optional("EventCategory", shape::one_of(&["insight"])),
    optional("MaxResults", Shape::Whole { min: 1, max: MOST }),
    optional("NextToken", shape::text(0, usize::MAX)),
];
/// Events in an answer at most, and where none are asked for (CloudTrail API reference, `LookupEvents`).
const MOST: i64 = 50;

fn lookup(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let wanted = &input["LookupAttributes"][0];
    let (key, value) = (text(wanted, "AttributeKey"), text(wanted, "AttributeValue"));
    let seconds = |name: &str| input[name].as_f64();
    let events = cx.journal.records().into_iter().filter(is_management).filter(|event| {
        let at = epoch_seconds(event.started);
        let is_in_time =
            seconds("StartTime").is_none_or(|start| at >= start) && seconds("EndTime").is_none_or(|end| at <= end);
        is_in_time && has(event, key, value)
    });
    let mut events: Vec<RequestRecord> = events.collect();
    // The newest come first.
    events.reverse();
    let start: usize = match text(input, "NextToken") {
        "" => 0,
        token => token.parse().map_err(|_| AwsError::bad_request("InvalidNextTokenException", "Invalid token."))?,
    };
    let most = usize::try_from(input["MaxResults"].as_i64().unwrap_or(MOST)).unwrap_or_default();
    let page: Vec<Value> = events.iter().skip(start).take(most).map(shown).collect();
    let next = (start + page.len() < events.len()).then(|| (start + page.len()).to_string());
    Ok(json!({"Events": page, "NextToken": next}))
}

fn has(event: &RequestRecord, key: &str, value: &str) -> bool {
    match key {
        "" => true,
        "EventId" => event_id(event) == value,
        "EventName" => event.operation == value,
        "ReadOnly" => is_read(event).to_string() == value,
        "Username" => user(event) == value,
        "ResourceName" => event.names.iter().any(|name| name == value),
        "EventSource" => source(event) == value,
        _ => false,
    }
}

/// What CloudTrail keeps for everyone; the rest are data events.
fn is_management(event: &RequestRecord) -> bool {
    let name = &event.operation;
    match event.service.as_str() {
        "s3" => ["Bucket", "PublicAccessBlock"].iter().any(|part| name.contains(part)) && name != "HeadBucket",
        "healthlake" => name.contains("Datastore") || name.contains("Tag"),
        "lambda" => name != "Invoke",
        _ => name != "Unknown",
    }
}

fn is_read(event: &RequestRecord) -> bool {
    ["Get", "Head", "List", "Describe", "AdminGet", "Lookup"].iter().any(|verb| event.operation.starts_with(verb))
}

fn user(event: &RequestRecord) -> &str {
    event.caller.rsplit('/').next().unwrap_or_default()
}

fn source(event: &RequestRecord) -> String {
    format!("{}.amazonaws.com", event.service)
}

fn event_id(event: &RequestRecord) -> String {
    format!("00000000-0000-0000-0000-{:012x}", event.number)
}

fn shown(event: &RequestRecord) -> Value {
    let resources: Vec<Value> = event.names.iter().map(|name| json!({"ResourceName": name})).collect();
    let whole = json!({
        "eventVersion": "1.11",
        "userIdentity": {"arn": event.caller, "userName": user(event)},
        "eventTime": event.started.to_string(),
        "eventSource": source(event),
        "eventName": event.operation,
        "readOnly": is_read(event),
        "errorCode": event.error,
        "resources": event.names,
        "eventID": event_id(event),
    });
    json!({
        "EventId": event_id(event),
        "EventName": event.operation,
        "ReadOnly": is_read(event).to_string(),
        "EventTime": epoch_seconds(event.started),
        "EventSource": source(event),
        "Username": user(event),
        "Resources": resources,
        "CloudTrailEvent": whole.to_string(),
    })
}

/// Names that are kept of one request.
const MOST_NAMES: usize = 12;

/// What a request names. Other values are left where they are: there may be secrets among them.
pub(crate) fn names(request: &Request<Bytes>) -> Vec<String> {
    let mut names: Vec<String> = request
        .uri()
        .path()
        .split('/')
        .filter(|part| !part.is_empty())
        .map(|part| percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned())
        .collect();
    // The members of a form are those of a structure, and everything else is not read.
    let is_form = request.body().starts_with(b"Action=");
    if is_form {
        let form = form_urlencoded::parse(request.body());
        names.extend(form.filter(|(name, _)| is_name(name)).map(|(_, value)| value.into_owned()));
    } else if let Ok(Value::Object(members)) = serde_json::from_slice(request.body()) {
        let named = members.iter().filter(|(name, _)| is_name(name));
        names.extend(named.filter_map(|(_, value)| value.as_str().map(ToOwned::to_owned)));
    }
    names.truncate(MOST_NAMES);
    names
}

fn is_name(member: &str) -> bool {
    ["Name", "name", "Arn", "ARN", "Id", "Identifier", "Domain"].iter().any(|end| member.ends_with(end))
}
