//! Aliases.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::function::{Alias, Function, LATEST};
use super::shapes::{
    ALIAS, DESCRIPTION, FUNCTION, FUNCTION_VERSION, MARKER, MAX_ITEMS, NEEDED_VERSION, REVISION, ROUTING,
};
use super::{conflict, find, invalid, no_such_function, not_found, page_size, same_revision};
use crate::error::AwsResult;
use crate::protocol::shape::Field;
use crate::services::{Cx, page, text};

pub(super) const CREATE: &[Field] = &[FUNCTION, ALIAS, NEEDED_VERSION, DESCRIPTION, ROUTING];
pub(super) const UPDATE: &[Field] = &[FUNCTION, ALIAS, FUNCTION_VERSION, DESCRIPTION, ROUTING, REVISION];
pub(super) const ONE: &[Field] = &[FUNCTION, ALIAS];
pub(super) const LIST: &[Field] = &[FUNCTION, FUNCTION_VERSION, MARKER, MAX_ITEMS];

pub(super) fn create(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let revision = cx.options.ids.uuid();
    let function = find(cx, input)?;
    let name = text(input, "Name");
    if function.aliases.contains_key(name) {
        return Err(conflict(format!("Alias already exists: {}", function.qualified_arn(name))));
    }
    let mut alias =
        Alias { version: String::new(), description: String::new(), weights: BTreeMap::new(), revision: String::new() };
    apply(function, &mut alias, input, revision)?;
    let output = show(function, name, &alias);
    function.aliases.insert(name.to_owned(), alias);
    Ok(output)
}

pub(super) fn update(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let revision = cx.options.ids.uuid();
    let function = find(cx, input)?;
    let name = text(input, "Name");
    let mut alias = existing(function, name)?.clone();
    same_revision(input, &alias.revision)?;
    apply(function, &mut alias, input, revision)?;
    let output = show(function, name, &alias);
    function.aliases.insert(name.to_owned(), alias);
    Ok(output)
}

fn apply(function: &Function, alias: &mut Alias, input: &Value, revision: String) -> AwsResult<()> {
    if let Some(version) = input["FunctionVersion"].as_str() {
        let known = function.version(Some(version)).is_some();
        if !known {
            return Err(no_such_function(&function.arn, Some(version)));
        }
        version.clone_into(&mut alias.version);
    }
    if let Some(description) = input["Description"].as_str() {
        description.clone_into(&mut alias.description);
    }
    if let Some(weights) = input["RoutingConfig"]["AdditionalVersionWeights"].as_object() {
        alias.weights =
            weights.iter().map(|(version, share)| (version.clone(), share.as_f64().unwrap_or_default())).collect();
    }
    if !alias.weights.is_empty() {
        check_weights(function, alias)?;
    }
    alias.revision = revision;
    Ok(())
}

/// An alias points to two versions at most, both published (Lambda developer guide, weighted aliases).
fn check_weights(function: &Function, alias: &Alias) -> AwsResult<()> {
    if alias.version == LATEST {
        return Err(invalid("$LATEST is not supported for an alias pointing to more than 1 version"));
    }
    if alias.weights.len() > 1 {
        return Err(invalid("Number of items in AdditionalVersionWeights cannot be greater than 1"));
    }
    for version in alias.weights.keys() {
        if *version == alias.version {
            return Err(invalid(format!(
                "Invalid function version {version}. Function version {version} is already included in routing configuration."
            )));
        }
        if !version.parse().is_ok_and(|number: u64| function.published.contains_key(&number)) {
            return Err(no_such_function(&function.arn, Some(version)));
        }
    }
    Ok(())
}

fn existing<'a>(function: &'a Function, name: &str) -> AwsResult<&'a Alias> {
    function
        .aliases
        .get(name)
        .ok_or_else(|| not_found(format!("Cannot find alias arn: {}", function.qualified_arn(name))))
}

fn show(function: &Function, name: &str, alias: &Alias) -> Value {
    let mut shown = json!({
        "AliasArn": function.qualified_arn(name),
        "Name": name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
        "RevisionId": alias.revision,
    });
    if !alias.weights.is_empty() {
        shown["RoutingConfig"] = json!({"AdditionalVersionWeights": alias.weights});
    }
    shown
}

pub(super) fn get(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let function = find(cx, input)?;
    let name = text(input, "Name");
    Ok(show(function, name, existing(function, name)?))
}

pub(super) fn list(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let function = find(cx, input)?;
    let wanted = input["FunctionVersion"].as_str();
    let all: Vec<(&String, &Alias)> = function
        .aliases
        .iter()
        .filter(|(_, alias)| {
            wanted.is_none_or(|version| alias.version == version || alias.weights.contains_key(version))
        })
        .collect();
    let (some, next) = page(all, input["Marker"].as_str(), page_size(input), |(name, _)| (*name).clone());
    let shown: Vec<Value> = some.into_iter().map(|(name, alias)| show(function, name, alias)).collect();
    Ok(super::with_marker(json!({"Aliases": shown}), next))
}

/// An alias that is gone already is no error (Lambda answers 204 in any case).
pub(super) fn delete(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let function = find(cx, input)?;
    let name = text(input, "Name");
    function.aliases.remove(name);
    function.policies.remove(name);
    function.provisioned.remove(name);
    Ok(Value::Null)
}
