//! Looking at functions, and deleting them.

use serde_json::{Map, Value, json};

use super::function::{Function, LATEST, Version};
use super::shapes::{LONG_FUNCTION, MARKER, MAX_ITEMS, QUALIFIER};
use super::{conflict, find, invalid, lambda, no_such_function, page_size, qualifier, sweep};
use crate::error::AwsResult;
use crate::protocol::shape::{Field, one_of, optional, text as string};
use crate::services::{Cx, page, text};

pub(super) const ONE: &[Field] = &[LONG_FUNCTION, QUALIFIER];
pub(super) const LIST: &[Field] =
    &[optional("MasterRegion", string(1, 50)), optional("FunctionVersion", one_of(&["ALL"])), MARKER, MAX_ITEMS];
pub(super) const LIST_VERSIONS: &[Field] = &[LONG_FUNCTION, MARKER, MAX_ITEMS];

pub(super) fn get(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let configuration = Value::Object(shown(cx, input)?);
    let qualifier = qualifier(input)?;
    let function = find(cx, input)?;
    let missing = no_such_function(&function.arn, qualifier.as_deref());
    let package = &function.version(qualifier.as_deref()).ok_or(missing)?.settings.code.sha256;
    // The path of the package; `done` puts before it the server that was asked.
    let mut output = json!({
        "Configuration": configuration,
        "Code": {"RepositoryType": "S3", "Location": super::package_path(package)},
    });
    if !function.tags.is_empty() {
        output["Tags"] = json!(function.tags);
    }
    if let Some(reserved) = function.reserved {
        output["Concurrency"] = json!({"ReservedConcurrentExecutions": reserved});
    }
    Ok(output)
}

pub(super) fn get_configuration(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    shown(cx, input).map(Value::Object)
}

/// No function has its code signed: such a function's answer names no configuration.
pub(super) fn get_code_signing(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    Ok(json!({"FunctionName": find(cx, input)?.name}))
}

/// The configuration of the version that is asked for, with the qualifier it was asked by in its ARN.
fn shown(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Map<String, Value>> {
    let now = cx.now;
    let qualifier = qualifier(input)?;
    let function = find(cx, input)?;
    let missing = no_such_function(&function.arn, qualifier.as_deref());
    Ok(function.version(qualifier.as_deref()).ok_or(missing)?.show(qualifier.as_deref(), now))
}

#[expect(clippy::unnecessary_wraps, reason = "every operation has the same signature")]
pub(super) fn list(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let now = cx.now;
    let all = text(input, "FunctionVersion") == "ALL";
    let mut items: Vec<(String, Value)> = Vec::new();
    for function in lambda(cx).functions.values() {
        if all {
            items.extend(all_versions(function, now));
        } else if let Some(latest) = function.version(None) {
            items.push((function.name.clone(), stateless(latest.show(None, now))));
        }
    }
    Ok(listed(items, input, "Functions"))
}

pub(super) fn list_versions(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let now = cx.now;
    Ok(listed(all_versions(find(cx, input)?, now), input, "Versions"))
}

/// `$LATEST` and the published versions, oldest first.
fn all_versions(function: &Function, now: jiff::Timestamp) -> Vec<(String, Value)> {
    let latest = Version { function, number: None, settings: &function.latest };
    let published = function.published.iter().map(|(number, published)| Version {
        function,
        number: Some(*number),
        settings: &published.settings,
    });
    std::iter::once(latest)
        .chain(published)
        .map(|version| {
            let key = format!("{}:{:020}", function.name, version.number.unwrap_or(0));
            (key, stateless(version.show(Some(&version.name()), now)))
        })
        .collect()
}

/// Lists leave out the state (Lambda API reference, ListFunctions).
fn stateless(mut shown: Map<String, Value>) -> Value {
    shown.retain(|name, _| !name.starts_with("State") && !name.starts_with("LastUpdate"));
    Value::Object(shown)
}

fn listed(items: Vec<(String, Value)>, input: &Value, name: &str) -> Value {
    let (items, next) = page(items, input["Marker"].as_str(), page_size(input), |(key, _)| key.clone());
    super::with_marker(json!({name: items.into_iter().map(|(_, shown)| shown).collect::<Vec<_>>()}), next)
}

/// Without a qualifier the function goes with everything that is its own; with one, that version.
pub(super) fn delete(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let qualifier = qualifier(input)?;
    let function = find(cx, input)?;
    let (name, packages) = (function.name.clone(), function.packages());
    match qualifier.as_deref() {
        None => drop(lambda(cx).functions.remove(&name)),
        Some(LATEST) => {
            return Err(invalid("$LATEST version cannot be deleted without deleting the function."));
        }
        Some(version) => delete_version(function, version)?,
    }
    sweep(cx, packages);
    Ok(Value::Null)
}

fn delete_version(function: &mut Function, version: &str) -> AwsResult<()> {
    if function.aliases.contains_key(version) {
        return Err(invalid("Deletion of aliases is not currently supported."));
    }
    let users: Vec<&str> = function
        .aliases
        .iter()
        .filter(|(_, alias)| alias.version == version || alias.weights.contains_key(version))
        .map(|(name, _)| name.as_str())
        .collect();
    if !users.is_empty() {
        return Err(conflict(format!(
            "Version {version} is currently referenced by aliases: {}. Remove the version from the aliases first.",
            users.join(", ")
        )));
    }
    // A version that is gone already is no error.
    if let Ok(number) = version.parse() {
        function.published.remove(&number);
        function.policies.remove(version);
        function.provisioned.remove(version);
    }
    Ok(())
}
