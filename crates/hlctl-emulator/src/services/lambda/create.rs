//! CreateFunction.

use std::collections::BTreeMap;

use serde_json::Value;

use super::function::{Function, Version};
use super::names::Name;
use super::shapes::{
    ARCHITECTURES, DEAD_LETTER, DESCRIPTION, ENVIRONMENT, EPHEMERAL, FILE_SYSTEMS, FUNCTION, HANDLER, KMS_KEY, LAYERS,
    LOGGING, MEMORY, ROLE, SNAP_START, TAGS, TIMEOUT, TRACING, VPC_CONFIG,
};
use super::{code, conflict, invalid, lambda, not_modelled, settings, sweep, tagging, versions};
use crate::clock::after;
use crate::error::{AwsError, AwsResult};
use crate::protocol::shape::{Field, Shape, one_of, optional, required, text as string};
use crate::services::{Cx, text};

pub(super) const CREATE: &[Field] = &[
    FUNCTION,
    optional("Runtime", string(0, usize::MAX)),
    required("Role", ROLE),
    HANDLER,
    required("Code", Shape::Struct(code::CODE)),
    DESCRIPTION,
    TIMEOUT,
    MEMORY,
    optional("Publish", Shape::Flag),
    VPC_CONFIG,
    optional("PackageType", one_of(&["Zip", "Image"])),
    DEAD_LETTER,
    ENVIRONMENT,
    KMS_KEY,
    TRACING,
    optional("Tags", TAGS),
    LAYERS,
    FILE_SYSTEMS,
    ARCHITECTURES,
    EPHEMERAL,
    SNAP_START,
    LOGGING,
];

pub(super) fn create(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let name = new_name(cx, text(input, "FunctionName"))?;
    if text(input, "PackageType") == "Image" {
        return Err(not_modelled("functions made of container images"));
    }
    let tags = tagging::parse(&input["Tags"])?;
    if lambda(cx).functions.contains_key(&name) {
        return Err(conflict(format!("Function already exist: {name}")));
    }
    let code = code::accept(cx, &input["Code"], true)?;
    let package = code.sha256.clone();
    let latest = settings::of_new(cx, &name, input, code);
    if latest.is_err() {
        sweep(cx, [package]);
    }
    let latest = latest?;
    let pending_until = after(cx.now, cx.options.delays.function);
    let mut function = Function {
        arn: cx.caller.regional_arn("lambda", &format!("function:{name}")),
        latest,
        published: BTreeMap::new(),
        newest: 0,
        aliases: BTreeMap::new(),
        policies: BTreeMap::new(),
        tags,
        reserved: None,
        provisioned: BTreeMap::new(),
        pending_until,
        updating_until: cx.now,
        urls: Vec::new(),
        sources: Vec::new(),
        events: None,
        name: name.clone(),
    };
    let number = (input["Publish"] == Value::Bool(true)).then(|| versions::publish(cx, &mut function, None));
    let output = created(&function, number, cx.now);
    lambda(cx).functions.insert(name, function);
    Ok(output)
}

/// The answer to a creation, in which the function is `Pending` even if it takes no time at all.
fn created(function: &Function, number: Option<u64>, now: jiff::Timestamp) -> Value {
    let settings = number.and_then(|number| Some(&function.published.get(&number)?.settings));
    let version = Version { function, number, settings: settings.unwrap_or(&function.latest) };
    let qualifier = number.map(|number| number.to_string());
    let mut shown = version.show(qualifier.as_deref(), now);
    shown.remove("LastUpdateStatus");
    shown.insert("State".to_owned(), "Pending".into());
    shown.insert("StateReason".to_owned(), "The function is being created.".into());
    shown.insert("StateReasonCode".to_owned(), "Creating".into());
    Value::Object(shown)
}

fn new_name(cx: &Cx<'_>, given: &str) -> AwsResult<String> {
    let name = Name::parse(given).filter(|name| name.qualifier.is_none() && name.is_within(cx.caller));
    let name =
        name.ok_or_else(|| invalid(format!("{given} is not a name for a new function of this account and region")))?;
    // The API reference has 64 characters for the name alone; the model has ARNs in mind.
    if name.function.len() > 64 {
        return Err(AwsError::bad_request(
            "ValidationException",
            format!(
                "1 validation error detected: Value '{given}' at 'functionName' failed to satisfy constraint: Member \
                 must have length less than or equal to 64"
            ),
        ));
    }
    Ok(name.function)
}
