//! `hlctl outputs`: from the state alone, but for secrets, which are fetched on demand and kept nowhere.

mod formats;

use serde_json::{Map, Value};
use thiserror::Error;

use crate::cli::{OutputFormat, OutputsArgs};
use crate::error::{CommandError, Ending, Failure};
use crate::module;
use crate::session::{OpenStack, Session};
use hlctl_config::nearest::nearest;
use hlctl_model::address::Address;
use hlctl_model::exit_code::ExitCode;
use hlctl_resources::{ResourceError, secret_of};

/// Prints the outputs, or one of them.
pub(super) async fn run(session: &Session, arguments: &OutputsArgs) -> Result<ExitCode, CommandError> {
    if arguments.show_secrets {
        return run_with_secrets(session, arguments).await;
    }
    let state = session.deployed_state().await?;
    print(session, arguments, module::outputs(&state))
}

/// The same with the secrets of the app clients.
async fn run_with_secrets(session: &Session, arguments: &OutputsArgs) -> Result<ExitCode, CommandError> {
    let state = session.deployed_state().await?;
    let mut outputs = module::outputs(&state);
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
            let failed = |error| CommandError::Resource { address: Address::parse(address), error };
            let secret = session.interruptible(async { secret.await.map_err(failed) }).await?;
            let missing = || failed(ResourceError::SecretNotReturned(id("id").unwrap_or_default().to_owned()));
            outputs.insert(name.to_owned(), secret.ok_or_else(missing)?.expose().into());
        }
    } else if arguments.name.as_deref().is_none_or(is_secret) {
        let error = arguments.name.clone().map_or(OutputsError::NoClient, OutputsError::NoSuchClient);
        return Err(error.into());
    }
    print(session, arguments, outputs)
}

fn print(session: &Session, arguments: &OutputsArgs, outputs: Map<String, Value>) -> Result<ExitCode, CommandError> {
    if let Some(written) = for_others(arguments, &outputs)? {
        // An empty line would not be a line of such a file.
        if !written.is_empty() {
            session.printer.data(&written);
        }
        return Ok(ExitCode::Success);
    }
    match &arguments.name {
        None if arguments.json => session.printer.json(&Value::from(outputs)),
        None => session.printer.data(&as_text(&outputs)),
        Some(name) => {
            let value = outputs.get(name).ok_or_else(|| unknown(name, &outputs))?;
            match value {
                Value::String(text) if arguments.raw => session.printer.raw(text),
                Value::Null if arguments.raw => return Err(OutputsError::Null(name.clone()).into()),
                value => session.printer.data(&value.to_string()),
            }
        }
    }
    Ok(ExitCode::Success)
}

/// The outputs, or the one that is named, as another program reads them; none if that is not asked for.
fn for_others(arguments: &OutputsArgs, outputs: &Map<String, Value>) -> Result<Option<String>, OutputsError> {
    if arguments.format.is_none() && arguments.to_ssm.is_none() {
        return Ok(None);
    }
    let one = arguments.name.as_ref().map(|name| {
        let value = outputs.get(name).ok_or_else(|| unknown(name, outputs))?;
        Ok(Map::from_iter([(name.clone(), value.clone())]))
    });
    let chosen = one.transpose()?.unwrap_or_else(|| outputs.clone());
    Ok(Some(match (arguments.format, &arguments.to_ssm) {
        (Some(OutputFormat::Tfvars), _) => formats::tfvars(&chosen),
        (Some(OutputFormat::Dotenv), _) => formats::dotenv(&chosen),
        (Some(OutputFormat::Github), _) => formats::github(&chosen),
        (None, prefix) => formats::ssm(&chosen, prefix.as_deref().unwrap_or_default(), &is_secret),
    }))
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

fn unknown(name: &str, outputs: &Map<String, Value>) -> OutputsError {
    if is_secret(name) {
        return OutputsError::Secret(name.to_owned());
    }
    let near = nearest(name, outputs.keys().map(String::as_str).chain(module::SECRETS.map(|(secret, _)| secret)));
    OutputsError::Unknown { name: name.to_owned(), nearest: near.map(str::to_owned) }
}

/// There is no such output.
#[derive(Debug, Error)]
enum OutputsError {
    /// The secret of a client that the stack does not have.
    #[error("there is no {0}: the stack has no such client")]
    NoSuchClient(String),
    #[error("there are no secrets: the stack has no app client")]
    NoClient,
    #[error("{0} is a secret, which hlctl does not keep")]
    Secret(String),
    #[error("there is no output {name}")]
    Unknown { name: String, nearest: Option<String> },
    #[error("the output {0} is null: the stack has no such resource")]
    Null(String),
}

impl Failure for OutputsError {
    fn ending(&self) -> Ending {
        match self {
            Self::NoSuchClient(_) | Self::NoClient | Self::Secret(_) | Self::Unknown { .. } => Ending::Usage,
            Self::Null(_) => Ending::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoSuchClient(_) | Self::NoClient => concat!(
                "smart_on_fhir = true creates a client, cognito_machine_client = true a second one for machines; then `",
                hlctl!("apply"),
                "`"
            )
            .to_owned(),
            Self::Secret(name) => format!("`{}` fetches it from AWS", hlctl!("outputs --show-secrets", name)),
            Self::Unknown { nearest, .. } => {
                let near = nearest.as_ref().map(|near| format!("did you mean {near}? ")).unwrap_or_default();
                format!("{near}`{}` lists them all", hlctl!("outputs"))
            }
            Self::Null(_) => return None,
        })
    }
}
