//! `hlctl outputs`: from the state alone, but for secrets, which are fetched for whoever asks for them and kept nowhere.

use serde_json::{Map, Value};

use crate::address::Address;
use crate::cli::OutputsArgs;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::module;
use crate::nearest::nearest;
use crate::resource::secret_of;
use crate::session::{OpenStack, Session};

/// Prints the outputs, or one of them.
pub(super) async fn run(session: &Session, arguments: &OutputsArgs) -> Result<ExitCode, CommandError> {
    if arguments.show_secrets {
        return run_with_secrets(session, arguments).await;
    }
    let state = session.deployed_state().await?;
    print(session, arguments, module::outputs(|address| state.recorded(address)))
}

/// The same with the secrets of the app clients.
async fn run_with_secrets(session: &Session, arguments: &OutputsArgs) -> Result<ExitCode, CommandError> {
    let state = session.deployed_state().await?;
    let mut outputs = module::outputs(|address| state.recorded(address));
    let wanted: Vec<_> = module::SECRETS
        .into_iter()
        .filter(|(secret, _)| arguments.name.as_deref().is_none_or(|name| name == *secret))
        .filter(|(_, address)| state.recorded(address).is_some())
        .collect();
    if !wanted.is_empty() {
        let OpenStack { state, cx, .. } = OpenStack::of_state(session, state).await?;
        for (name, address) in wanted {
            let id = |name: &str| state.recorded_text(address, name);
            let secret = secret_of(&cx, id("user_pool_id")?, id("id")?);
            let secret = session.interruptible(async {
                secret.await.map_err(|error| CommandError::Resource { address: Address::parse(address), error })
            });
            outputs.insert(name.to_owned(), secret.await?.expose().into());
        }
    } else if arguments.name.as_deref().is_none_or(is_secret) {
        return Err(no_client(arguments.name.as_deref()));
    }
    print(session, arguments, outputs)
}

fn print(session: &Session, arguments: &OutputsArgs, outputs: Map<String, Value>) -> Result<ExitCode, CommandError> {
    match &arguments.name {
        None if arguments.json => session.printer.json(&Value::from(outputs)),
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

/// The outputs for people: one a line.
pub(super) fn as_text(outputs: &Map<String, Value>) -> String {
    let width = outputs.keys().map(String::len).max().unwrap_or_default();
    let lines: Vec<String> = outputs.iter().map(|(name, value)| format!("{name:width$} = {value}")).collect();
    lines.join("\n")
}

fn is_secret(name: &str) -> bool {
    module::SECRETS.iter().any(|(secret, _)| *secret == name)
}

fn no_client(name: Option<&str>) -> CommandError {
    CommandError::Usage {
        message: match name {
            Some(name) => format!("there is no {name}: the stack has no such client"),
            None => "there are no secrets: the stack has no app client".to_owned(),
        },
        hint: concat!(
            "smart_on_fhir = true creates a client, cognito_machine_client = true a second one for machines; then `",
            hlctl!("apply"),
            "`"
        )
        .to_owned(),
    }
}

fn unknown(name: &str, outputs: &Map<String, Value>) -> CommandError {
    if is_secret(name) {
        return CommandError::Usage {
            message: format!("{name} is a secret, which hlctl does not keep"),
            hint: format!("`{}` fetches it from AWS", hlctl!("outputs --show-secrets", name)),
        };
    }
    let near = nearest(name, outputs.keys().map(String::as_str).chain(module::SECRETS.map(|(secret, _)| secret)));
    let near = near.map(|near| format!("did you mean {near}? ")).unwrap_or_default();
    CommandError::Usage {
        message: format!("there is no output {name}"),
        hint: format!("{near}`{}` lists them all", hlctl!("outputs")),
    }
}

fn null(name: &str) -> CommandError {
    CommandError::Other(anyhow::anyhow!("the output {name} is null: the stack has no such resource"))
}
