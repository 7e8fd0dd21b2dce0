//! Published versions.

use serde_json::Value;

use super::function::{Function, Published, Version};
use super::shapes::{DESCRIPTION, FUNCTION, REVISION};
use super::update::not_in_passage;
use super::{find, invalid, lambda, same_revision};
use crate::clock::after;
use crate::error::AwsResult;
use crate::protocol::shape::{Field, optional, text as string};
use crate::services::{Cx, owned};

pub(super) const PUBLISH: &[Field] = &[FUNCTION, optional("CodeSha256", string(0, usize::MAX)), DESCRIPTION, REVISION];

pub(super) fn publish_version(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let now = cx.now;
    let function = find(cx, input)?;
    not_in_passage(function, now)?;
    same_revision(input, &function.latest.revision)?;
    let current = function.latest.code.base64();
    if let Some(expected) = input["CodeSha256"].as_str().filter(|expected| !expected.is_empty() && *expected != current)
    {
        return Err(invalid(format!(
            "CodeSHA256 ({expected}) is different from current CodeSHA256 in $LATEST ({current}). Please try again \
             with the CodeSHA256 in $LATEST."
        )));
    }
    let mut function = function.clone();
    let number = publish(cx, &mut function, owned(input, "Description"));
    let settings = &function.published[&number].settings;
    let version = Version { function: &function, number: Some(number), settings };
    let output = Value::Object(version.show(Some(&number.to_string()), now));
    lambda(cx).functions.insert(function.name.clone(), function);
    Ok(output)
}

/// The number of a version that is as `$LATEST` is now: the newest, if nothing has changed since
/// (Lambda API reference, PublishVersion), or else a new one.
pub(super) fn publish(cx: &Cx<'_>, function: &mut Function, description: Option<String>) -> u64 {
    if let Some((number, newest)) = function.published.last_key_value()
        && newest.of_revision == function.latest.revision
    {
        return *number;
    }
    function.newest += 1;
    let mut settings = function.latest.clone();
    settings.revision = cx.options.ids.uuid();
    settings.description = description.unwrap_or(settings.description);
    let published = Published {
        settings,
        pending_until: after(cx.now, cx.options.delays.function),
        of_revision: function.latest.revision.clone(),
    };
    function.published.insert(function.newest, published);
    function.newest
}
