//! What else may lead to a function, or out of it: function URLs, event source mappings, asynchronous invocation. They are kept
//! and described; nothing is invoked by them.

use serde_json::{Value, json};

use super::shapes::{FUNCTION, LONG_FUNCTION, MARKER, MAX_ITEMS, QUALIFIER};
use super::{conflict, find, lambda, not_found, qualifier};
use crate::clock::epoch_seconds;
use crate::error::AwsResult;
use crate::protocol::shape::{Field, Shape, one_of, optional, required, text as string};
use crate::services::{Cx, text};

const STRINGS: Shape = Shape::List { of: &string(0, 1024), min: 0, max: 100 };
const CORS: Shape = Shape::Struct(&[
    optional("AllowCredentials", Shape::Flag),
    optional("AllowHeaders", STRINGS),
    optional("AllowMethods", STRINGS),
    optional("AllowOrigins", STRINGS),
    optional("ExposeHeaders", STRINGS),
    optional("MaxAge", Shape::Whole { min: 0, max: 86_400 }),
]);
const DESTINATION: Shape = Shape::Struct(&[optional("Destination", string(0, 350))]);
const DESTINATIONS: Shape = Shape::Struct(&[optional("OnSuccess", DESTINATION), optional("OnFailure", DESTINATION)]);

pub(super) const CREATE_URL: &[Field] = &[
    FUNCTION,
    QUALIFIER,
    required("AuthType", one_of(&["NONE", "AWS_IAM"])),
    optional("Cors", CORS),
    optional("InvokeMode", one_of(&["BUFFERED", "RESPONSE_STREAM"])),
];
pub(super) const ONE: &[Field] = &[FUNCTION, QUALIFIER];
pub(super) const LIST_URLS: &[Field] = &[FUNCTION, MARKER, MAX_ITEMS];
pub(super) const CREATE_SOURCE: &[Field] = &[
    LONG_FUNCTION,
    required("EventSourceArn", string(1, 1024)),
    optional("Enabled", Shape::Flag),
    optional("BatchSize", Shape::Whole { min: 1, max: 10_000 }),
    optional("StartingPosition", one_of(&["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"])),
];
pub(super) const LIST_SOURCES: &[Field] =
    &[optional("EventSourceArn", string(1, 1024)), optional("FunctionName", string(1, 256)), MARKER, MAX_ITEMS];
pub(super) const SOURCE: &[Field] = &[required("UUID", string(1, 1000))];
pub(super) const PUT_EVENTS: &[Field] = &[
    FUNCTION,
    QUALIFIER,
    optional("MaximumRetryAttempts", Shape::Whole { min: 0, max: 2 }),
    optional("MaximumEventAgeInSeconds", Shape::Whole { min: 60, max: 21_600 }),
    optional("DestinationConfig", DESTINATIONS),
];

pub(super) fn create_url(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let (now, id, region) = (cx.now, cx.options.ids.hex32(), cx.caller.region.clone());
    let qualifier = qualifier(input)?;
    let function = find(cx, input)?;
    let arn = qualifier.map_or_else(|| function.arn.clone(), |qualifier| function.qualified_arn(&qualifier));
    if function.urls.iter().any(|url| url["FunctionArn"] == arn.as_str()) {
        return Err(conflict(format!(
            "Failed to create function url config for [functionArn = {arn}]. Error message: FunctionUrlConfig exists for this Lambda function"
        )));
    }
    let mut url = json!({
        "FunctionUrl": format!("https://{id}.lambda-url.{region}.on.aws/"),
        "FunctionArn": arn,
        "AuthType": input["AuthType"],
        "InvokeMode": input["InvokeMode"].as_str().unwrap_or("BUFFERED"),
        "CreationTime": now.to_string(),
        "LastModifiedTime": now.to_string(),
    });
    if !input["Cors"].is_null() {
        url["Cors"] = input["Cors"].clone();
    }
    function.urls.push(url.clone());
    Ok(url)
}

pub(super) fn list_urls(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    Ok(json!({"FunctionUrlConfigs": find(cx, input)?.urls}))
}

pub(super) fn delete_url(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let qualifier = qualifier(input)?;
    let function = find(cx, input)?;
    let arn = qualifier.map_or_else(|| function.arn.clone(), |qualifier| function.qualified_arn(&qualifier));
    let before = function.urls.len();
    function.urls.retain(|url| url["FunctionArn"] != arn.as_str());
    if function.urls.len() == before {
        return Err(not_found("The resource you requested does not exist."));
    }
    Ok(json!({}))
}

pub(super) fn create_source(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let (now, id) = (cx.now, cx.options.ids.uuid());
    let function = find(cx, input)?;
    let source = json!({
        "UUID": id,
        "BatchSize": input["BatchSize"].as_u64().unwrap_or(10),
        "EventSourceArn": input["EventSourceArn"],
        "FunctionArn": function.arn,
        "LastModified": epoch_seconds(now),
        "State": if input["Enabled"] == false { "Disabled" } else { "Enabled" },
        "StateTransitionReason": "USER_INITIATED",
    });
    function.sources.push(source.clone());
    Ok(source)
}

pub(super) fn list_sources(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let of_function = input["FunctionName"].is_string();
    let mut all: Vec<Value> = if of_function {
        find(cx, input)?.sources.clone()
    } else {
        lambda(cx).functions.values().flat_map(|function| function.sources.clone()).collect()
    };
    all.retain(|source| input["EventSourceArn"].is_null() || source["EventSourceArn"] == input["EventSourceArn"]);
    Ok(json!({"EventSourceMappings": all}))
}

pub(super) fn delete_source(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let id = text(input, "UUID").to_owned();
    for function in lambda(cx).functions.values_mut() {
        if let Some(place) = function.sources.iter().position(|source| source["UUID"] == id.as_str()) {
            return Ok(function.sources.remove(place));
        }
    }
    Err(not_found("The resource you requested does not exist."))
}

pub(super) fn put_events(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let now = cx.now;
    let function = find(cx, input)?;
    let mut config = json!({"FunctionArn": function.arn, "LastModified": epoch_seconds(now)});
    for member in ["MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig"] {
        if !input[member].is_null() {
            config[member] = input[member].clone();
        }
    }
    function.events = Some(config.clone());
    Ok(config)
}

pub(super) fn get_events(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let function = find(cx, input)?;
    let missing = || not_found(format!("The function {} doesn't have an EventInvokeConfig", function.arn));
    function.events.clone().ok_or_else(missing)
}

pub(super) fn delete_events(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    find(cx, input)?.events = None;
    Ok(json!({}))
}
