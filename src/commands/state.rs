//! `hlctl state list` and `hlctl state show`.

use serde_json::{Value, json};

use super::outputs::read;
use crate::address::Address;
use crate::cli::StateCommand;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::session::Session;
use crate::state::{Entry, State, Status};
use crate::ui::json::FORMAT_VERSION;

/// Looks into the state.
pub(super) fn run(session: &Session, command: StateCommand) -> Result<ExitCode, CommandError> {
    let state = read(&session.store())?;
    match command {
        StateCommand::List(arguments) if arguments.json => {
            let resources: Vec<Value> =
                state.resources.iter().map(|(address, entry)| line_json(address, entry)).collect();
            session.printer.data(&format!("{:#}", json!({"format_version": FORMAT_VERSION, "resources": resources})));
        }
        StateCommand::List(_) => list(session, &state),
        StateCommand::Show { address: None, json: true } => {
            let whole = serde_json::to_value(&state).map_err(|error| CommandError::Other(error.into()))?;
            session.printer.data(&format!("{whole:#}"));
        }
        StateCommand::Show { address: None, json: false } => {
            session.printer.data(&heading(&state));
            for (address, entry) in &state.resources {
                session.printer.data(&format!("\n{}", details(address, entry)));
            }
        }
        StateCommand::Show { address: Some(address), json } => show(session, &state, &address, json)?,
    }
    Ok(ExitCode::Success)
}

fn list(session: &Session, state: &State) {
    let lines: Vec<String> = state.resources.iter().map(|(address, entry)| line(address, entry)).collect();
    if !lines.is_empty() {
        session.printer.data(&lines.join("\n"));
    }
    for deposed in &state.deposed {
        session.printer.data(&format!("{} (replaced, still to be deleted)", deposed.address));
    }
}

fn line(address: &Address, entry: &Entry) -> String {
    match entry.status {
        Status::Ready => address.to_string(),
        Status::Creating => format!("{address} (creating)"),
        Status::Deleting => format!("{address} (deleting)"),
    }
}

fn line_json(address: &Address, entry: &Entry) -> Value {
    json!({"address": address, "kind": entry.kind, "status": entry.status, "protected": entry.protected, "recorded": entry.recorded})
}

fn show(session: &Session, state: &State, address: &str, json: bool) -> Result<(), CommandError> {
    let address = Address::parse(address);
    let entry = state.resources.get(&address).ok_or_else(|| CommandError::Usage {
        message: format!("the state has no resource {address}"),
        hint: "`hlctl state list` shows the addresses".to_owned(),
    })?;
    if json {
        let value = serde_json::to_value(entry).map_err(|error| CommandError::Other(error.into()))?;
        session.printer.data(&format!("{value:#}"));
    } else {
        session.printer.data(&details(&address, entry));
    }
    Ok(())
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
    lines.extend(pairs.filter(|(_, value)| !value.is_null()).map(|(name, value)| format!("  {name} = {value}")));
    if entry.protected {
        lines.push("  # protected: destroyed only by name".to_owned());
    }
    lines.join("\n")
}
