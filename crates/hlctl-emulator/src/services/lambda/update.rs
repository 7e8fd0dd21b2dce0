//! UpdateFunctionCode and UpdateFunctionConfiguration.

use jiff::Timestamp;
use serde_json::Value;

use super::function::{Function, Version};
use super::shapes::{
    ARCHITECTURES, DEAD_LETTER, DESCRIPTION, ENVIRONMENT, EPHEMERAL, FILE_SYSTEMS, FUNCTION, HANDLER, KMS_KEY, LAYERS,
    LOGGING, MEMORY, REVISION, ROLE, SNAP_START, TIMEOUT, TRACING, VPC_CONFIG,
};
use super::{code, conflict, find, same_revision, settings, sweep, versions};
use crate::clock::after;
use crate::error::AwsResult;
use crate::protocol::shape::{Field, Shape, optional, text as string};
use crate::services::Cx;

pub(super) const CODE: &[Field] = &[
    FUNCTION,
    code::ZIP_FILE,
    code::S3_BUCKET,
    code::S3_KEY,
    code::S3_VERSION,
    code::S3_MODE,
    code::IMAGE,
    code::SOURCE_KEY,
    ARCHITECTURES,
    optional("Publish", Shape::Flag),
    optional("DryRun", Shape::Flag),
    REVISION,
];

pub(super) const CONFIGURATION: &[Field] = &[
    FUNCTION,
    optional("Role", ROLE),
    HANDLER,
    DESCRIPTION,
    TIMEOUT,
    MEMORY,
    VPC_CONFIG,
    ENVIRONMENT,
    optional("Runtime", string(0, usize::MAX)),
    DEAD_LETTER,
    KMS_KEY,
    TRACING,
    REVISION,
    LAYERS,
    FILE_SYSTEMS,
    EPHEMERAL,
    SNAP_START,
    LOGGING,
];

pub(super) fn code(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let mut function = changeable(cx, input)?;
    let tried = input["DryRun"] == Value::Bool(true);
    function.latest.code = code::accept(cx, input, !tried)?;
    if let Some(architecture) = input["Architectures"][0].as_str() {
        architecture.clone_into(&mut function.latest.architecture);
    }
    if tried {
        return Ok(updated(&function, None, cx.now));
    }
    finish(cx, function, input["Publish"] == Value::Bool(true))
}

pub(super) fn configuration(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let mut function = changeable(cx, input)?;
    settings::apply(cx, &mut function.latest, input)?;
    finish(cx, function, false)
}

/// A copy of the function, if nothing stands against changing it.
fn changeable(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Function> {
    let now = cx.now;
    let function = find(cx, input)?;
    not_in_passage(function, now)?;
    same_revision(input, &function.latest.revision)?;
    Ok(function.clone())
}

/// Refuses what must wait until a creation or an update is over.
pub(super) fn not_in_passage(function: &Function, now: Timestamp) -> AwsResult<()> {
    if function.state(now) == "Pending" {
        return Err(conflict(
            "The operation cannot be performed at this time. The function is currently in the following state: Pending",
        ));
    }
    if function.is_updating(now) {
        return Err(conflict(format!(
            "The operation cannot be performed at this time. An update is in progress for resource: {}",
            function.arn
        )));
    }
    Ok(())
}

/// Puts the changed copy in the function's place.
fn finish(cx: &mut Cx<'_>, mut function: Function, publish: bool) -> AwsResult<Value> {
    function.latest.revision = cx.options.ids.uuid();
    function.latest.modified = cx.now;
    function.updating_until = after(cx.now, cx.options.delays.function);
    let number = publish.then(|| versions::publish(cx, &mut function, None));
    let output = updated(&function, number, cx.now);
    let before = super::lambda(cx).functions.insert(function.name.clone(), function);
    sweep(cx, before.into_iter().flat_map(|function| function.packages()));
    Ok(output)
}

/// The answer to an update, which is in progress even if it takes no time at all.
fn updated(function: &Function, number: Option<u64>, now: Timestamp) -> Value {
    let settings = number.and_then(|number| Some(&function.published.get(&number)?.settings));
    let version = Version { function, number, settings: settings.unwrap_or(&function.latest) };
    let qualifier = number.map(|number| number.to_string());
    let mut shown = version.show(qualifier.as_deref(), now);
    if number.is_none() {
        shown.insert("LastUpdateStatus".to_owned(), "InProgress".into());
        shown.insert("LastUpdateStatusReason".to_owned(), "The function is being updated.".into());
    }
    Value::Object(shown)
}
