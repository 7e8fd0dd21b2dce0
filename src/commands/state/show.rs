//! `hlctl state list` and `hlctl state show`.

use serde::Deserialize as _;
use serde_json::Value;

use super::entry_of;
use crate::cli::JsonArgs;
use crate::error::CommandError;
use crate::module::is_known;
use crate::session::Session;
use crate::ui::json::{ListedResource, StateList};
use hlctl_config::fingerprint::Fingerprint;
use hlctl_engine::state::{Entry, State, Status};
use hlctl_model::SECRET;
use hlctl_model::address::Address;
use hlctl_model::exit_code::ExitCode;

/// Lists the resources.
pub(super) async fn list(session: &Session, arguments: &JsonArgs) -> Result<ExitCode, CommandError> {
    let state = session.deployed_state().await?;
    if arguments.json {
        let resources = state.resources.iter().map(|(address, entry)| listed(address, entry)).collect();
        session.printer.json(&StateList::of(resources));
    } else {
        lines(session, &state);
    }
    Ok(ExitCode::Success)
}

/// Shows one resource, or all.
pub(super) async fn show(session: &Session, address: Option<&str>, json: bool) -> Result<ExitCode, CommandError> {
    let state = session.deployed_state().await?;
    match address {
        Some(address) => one(session, &state, address, json)?,
        None if json => {
            let whole = serde_json::to_value(&state).map_err(|error| CommandError::Other(error.into()))?;
            session.printer.json(&without_fingerprints(whole));
        }
        None => {
            session.printer.data(&heading(&state));
            for (address, entry) in &state.resources {
                session.printer.data(&format!("\n{}", details(address, entry)));
            }
        }
    }
    Ok(ExitCode::Success)
}

fn lines(session: &Session, state: &State) {
    let lines: Vec<String> = state.resources.iter().map(|(address, entry)| line(address, entry)).collect();
    if !lines.is_empty() {
        session.printer.data(&lines.join("\n"));
    }
    for deposed in &state.deposed {
        session.printer.data(&format!("{} (replaced, still to be deleted)", deposed.address));
    }
}

fn line(address: &Address, entry: &Entry) -> String {
    let known = if is_known(address) { "" } else { " (hlctl knows no such address)" };
    match entry.status {
        Status::Ready => format!("{address}{known}"),
        Status::Creating => format!("{address} (creating){known}"),
        Status::Deleting => format!("{address} (deleting){known}"),
    }
}

fn listed(address: &Address, entry: &Entry) -> ListedResource {
    ListedResource {
        address: address.to_string(),
        kind: entry.kind.clone(),
        status: entry.status.into(),
        protected: entry.is_protected(),
        known: is_known(address),
        recorded: entry.recorded.clone().map(without_fingerprints),
    }
}

fn one(session: &Session, state: &State, address: &str, json: bool) -> Result<(), CommandError> {
    let address = Address::parse(address);
    let entry = entry_of(state, &address)?;
    if json {
        let value = serde_json::to_value(entry).map_err(|error| CommandError::Other(error.into()))?;
        let value = without_fingerprints(value);
        session.printer.data(&format!("{value:#}"));
    } else {
        session.printer.data(&details(&address, entry));
    }
    Ok(())
}

/// A value with a mark in place of each fingerprint of a password, by which short ones could be guessed from a log.
fn without_fingerprints(value: Value) -> Value {
    // A derived reader takes a list of two texts too.
    if value.is_object() && Fingerprint::deserialize(&value).is_ok() {
        return SECRET.into();
    }
    match value {
        Value::Object(members) => {
            members.into_iter().map(|(name, member)| (name, without_fingerprints(member))).collect()
        }
        Value::Array(items) => items.into_iter().map(without_fingerprints).collect(),
        other => other,
    }
}

fn heading(state: &State) -> String {
    format!(
        "stack    {}\naccount  {}\nregion   {}\nlineage  {}\nserial   {}",
        state.stack, state.identity.account, state.identity.region, state.lineage, state.serial
    )
}

fn details(address: &Address, entry: &Entry) -> String {
    let mut lines = vec![line(address, entry)];
    let recorded = entry.recorded.as_ref().and_then(Value::as_object);
    let pairs = recorded.into_iter().flatten().chain(
        entry.attributes.iter().filter(|(name, _)| recorded.is_none_or(|recorded| !recorded.contains_key(*name))),
    );
    let pairs = pairs.filter(|(_, value)| !value.is_null());
    lines.extend(pairs.map(|(name, value)| format!("  {name} = {}", without_fingerprints(value.clone()))));
    if entry.is_protected() {
        lines.push("  # protected: destroyed only if you name it".to_owned());
    }
    match entry.protection {
        Some(true) => lines.push("  # by `hlctl protect`, whatever the configuration says".to_owned()),
        Some(false) => {
            lines.push("  # not protected, by `hlctl unprotect`, whatever the configuration says".to_owned());
        }
        None => {}
    }
    lines.join("\n")
}
