//! `hlctl outputs`: from the state alone.

use serde_json::{Map, Value};

use crate::cli::OutputsArgs;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::module;
use crate::session::Session;
use crate::state::{LocalStore, State, StateError};

/// Prints the outputs, or one of them.
pub(super) fn run(session: &Session, arguments: &OutputsArgs) -> Result<ExitCode, CommandError> {
    let state = read(&session.store())?;
    let outputs = module::outputs(|address| state.recorded(address));
    match &arguments.name {
        None if arguments.json => session.printer.data(&format!("{:#}", Value::from(outputs))),
        None => session.printer.data(&as_text(&outputs)),
        Some(name) => {
            let value = outputs.get(name).ok_or_else(|| unknown(name, &outputs))?;
            match value {
                Value::String(text) if arguments.raw => session.printer.raw(text),
                Value::Null if arguments.raw => return Err(null(name)),
                value => session.printer.data(&value.to_string()),
            }
        }
    }
    Ok(ExitCode::Success)
}

/// The state, which must exist.
pub(super) fn read(store: &LocalStore) -> Result<State, CommandError> {
    let state = store.read()?;
    Ok(state.ok_or_else(|| StateError::Missing { path: store.path().to_owned() })?)
}

/// The outputs for people: one a line.
pub(super) fn as_text(outputs: &Map<String, Value>) -> String {
    let width = outputs.keys().map(String::len).max().unwrap_or_default();
    let lines: Vec<String> = outputs.iter().map(|(name, value)| format!("{name:width$} = {value}")).collect();
    lines.join("\n")
}

fn unknown(name: &str, outputs: &Map<String, Value>) -> CommandError {
    let near = outputs.keys().max_by(|a, b| strsim::jaro(a, name).total_cmp(&strsim::jaro(b, name)));
    CommandError::Usage {
        message: format!("there is no output {name}"),
        hint: near.map(|near| format!("did you mean {near}?")).unwrap_or_default(),
    }
}

fn null(name: &str) -> CommandError {
    CommandError::Other(anyhow::anyhow!("the output {name} is null: the stack has no such resource"))
}
