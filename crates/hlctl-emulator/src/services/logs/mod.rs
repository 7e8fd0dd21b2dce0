//! CloudWatch Logs: groups, streams and events, as far as a stack and its functions need them.
//!
//! Choices made: a stream keeps its newest megabyte of events, and a group to which functions write keeps
//! their newest hundred streams; what a group stores is always said to be nothing, as AWS says of streams; of
//! filter patterns the terms are understood (`word "a phrase" -not ?either ?or`), not those for JSON or columns.

mod deliver;
mod events;
mod filter;
mod groups;
mod shapes;
mod streams;
mod subscriptions;
mod tagging;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::tags::Tags;
use super::{Cx, text};
use crate::error::{AwsError, AwsResult};
use crate::protocol::{Operation, read, write};

pub(crate) use deliver::{Destination, deliver};
pub(crate) use shapes::GROUP_NAME;

/// The log groups of one account in one region.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Logs {
    groups: BTreeMap<String, Group>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Group {
    created: Timestamp,
    retention_days: Option<i64>,
    kms_key: Option<String>,
    class: String,
    protected: bool,
    tags: Tags,
    streams: BTreeMap<String, Stream>,
    /// Subscription filters by name, as they are described.
    #[serde(default)]
    subscriptions: BTreeMap<String, Value>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Stream {
    /// Names the file of its events.
    id: String,
    created: Timestamp,
}

impl Group {
    fn new(created: Timestamp) -> Self {
        Self {
            created,
            retention_days: None,
            kms_key: None,
            class: "STANDARD".to_owned(),
            protected: false,
            tags: Tags::new(),
            streams: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
        }
    }

    /// The instant before which events have expired, in milliseconds.
    fn horizon(&self, now: Timestamp) -> i64 {
        self.retention_days.map_or(i64::MIN, |days| now.as_millisecond() - days * 86_400_000)
    }
}

// Events have files of their own: adding some leaves the control file as it is, and is a read to it.
pub(crate) const OPERATIONS: &[Operation] = &[
    write("CreateLogGroup", groups::CREATE, groups::create),
    read("DescribeLogGroups", groups::DESCRIBE, groups::describe),
    write("DeleteLogGroup", shapes::GROUP, groups::delete),
    write("PutRetentionPolicy", groups::PUT_RETENTION, groups::put_retention),
    write("DeleteRetentionPolicy", shapes::GROUP, groups::delete_retention),
    write("AssociateKmsKey", groups::ASSOCIATE, groups::associate),
    write("DisassociateKmsKey", groups::DISASSOCIATE, groups::disassociate),
    write("TagResource", tagging::TAG, tagging::tag),
    write("UntagResource", tagging::UNTAG, tagging::untag),
    read("ListTagsForResource", tagging::LIST, tagging::list),
    write("PutSubscriptionFilter", subscriptions::PUT, subscriptions::put),
    read("DescribeSubscriptionFilters", subscriptions::DESCRIBE, subscriptions::describe),
    write("DeleteSubscriptionFilter", subscriptions::DELETE, subscriptions::delete),
    write("PutLogGroupDeletionProtection", subscriptions::PROTECT, subscriptions::protect),
    write("CreateLogStream", streams::ONE, streams::create),
    write("DeleteLogStream", streams::ONE, streams::delete),
    read("DescribeLogStreams", streams::DESCRIBE, streams::describe),
    read("PutLogEvents", events::PUT, events::put),
    read("GetLogEvents", events::GET, events::get),
    read("FilterLogEvents", filter::FILTER, filter::filter),
];

fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::bad_request("InvalidParameterException", message)
}

fn not_found(message: &str) -> AwsError {
    AwsError::bad_request("ResourceNotFoundException", message)
}

fn no_group() -> AwsError {
    not_found("The specified log group does not exist.")
}

fn no_stream() -> AwsError {
    not_found("The specified log stream does not exist.")
}

fn logs<'a>(cx: &'a mut Cx<'_>) -> &'a mut Logs {
    let logs = &mut cx.world.account(&cx.caller.account).logs;
    logs.entry(cx.caller.region.clone()).or_default()
}

/// The group that `logGroupName` names.
fn group<'a>(cx: &'a mut Cx<'_>, input: &Value) -> AwsResult<&'a mut Group> {
    logs(cx).groups.get_mut(text(input, "logGroupName")).ok_or_else(no_group)
}

/// The name in `logGroupName` or in `logGroupIdentifier`, of which there must be just one.
fn group_name(cx: &Cx<'_>, input: &Value) -> AwsResult<String> {
    match (input["logGroupName"].as_str(), input["logGroupIdentifier"].as_str()) {
        (Some(name), None) => Ok(name.to_owned()),
        (None, Some(identifier)) => Ok(name_of(cx, identifier).to_owned()),
        _ => Err(invalid("Exactly one of logGroupName and logGroupIdentifier must be given.")),
    }
}

/// The name in an ARN of the caller's account and region, or `identifier` itself.
fn name_of<'a>(cx: &Cx<'_>, identifier: &'a str) -> &'a str {
    identifier.strip_prefix(cx.caller.regional_arn("logs", "log-group:").as_str()).unwrap_or(identifier)
}

fn limit(input: &Value, most: usize) -> usize {
    input["limit"].as_u64().and_then(|limit| usize::try_from(limit).ok()).unwrap_or(most)
}

fn with_token(mut output: Value, next: Option<String>) -> Value {
    if let Some(next) = next {
        output["nextToken"] = next.into();
    }
    output
}
