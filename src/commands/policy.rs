//! `hlctl policy`: IAM policies for this stack, as JSON on stdout.

use serde::Serialize;
use thiserror::Error;

use crate::cli::{DeployerArgs, PolicyCommand};
use crate::error::{CommandError, Ending, Failure};
use crate::permissions::{LONGEST, PolicyDocument, PolicyScope, client, data, deployer, in_parts, readonly};
use crate::session::{ConnectOptions, Session};
use hlctl_aws::{Clients, Endpoint};
use hlctl_config::Config;
use hlctl_engine::state::Home;
use hlctl_model::exit_code::ExitCode;
use hlctl_resources::Identity;

/// Prints one of the policies.
pub(super) async fn run(session: &Session, command: &PolicyCommand) -> Result<ExitCode, CommandError> {
    let config = session.config()?;
    let store = session.store(Some(&config)).await?;
    let state = session.read_unlocked(&store).await?;
    let identity = match &state {
        Some(state) => state.identity.clone(),
        None => identity(session, &config).await?,
    };
    let places = PolicyScope::of(&config, &identity, state.as_ref())?;
    match command {
        PolicyCommand::Deployer(arguments) => print_deployer(session, &places, arguments)?,
        PolicyCommand::Client => print(session, &client(&places))?,
        PolicyCommand::Data => print(session, &data(&places))?,
        PolicyCommand::Readonly => print(session, &readonly(&places))?,
    }
    Ok(ExitCode::Success)
}

/// The caller's account; where nobody says who that is, the only one that the configuration allows, or any.
async fn identity(session: &Session, config: &Config) -> Result<Identity, CommandError> {
    let error = match session.connect(ConnectOptions::from_config(config)).await {
        Ok(connection) => return Ok(connection.identity),
        Err(CommandError::Aws(error)) if session.home() == Home::Aws => error,
        Err(error) => return Err(error),
    };
    let region = Clients::new(Endpoint::Aws, config.region.as_deref(), config.profile.as_deref()).await?.region;
    let region = region.ok_or(CommandError::Aws(error))?;
    let only = config.allowed_account_ids.iter().next().filter(|_| config.allowed_account_ids.len() == 1);
    let account = only.map_or("*", String::as_str);
    session.printer.say(&format!("note: AWS does not say which account this is, so the policy has {account}"));
    let partition = partition_of(&region).to_owned();
    Ok(Identity { account: account.to_owned(), region, partition, caller: String::new() })
}

fn partition_of(region: &str) -> &'static str {
    match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

fn print_deployer(session: &Session, places: &PolicyScope, arguments: &DeployerArgs) -> Result<(), CommandError> {
    let deployer = deployer(places);
    let parts = in_parts(deployer.statements, LONGEST);
    let count = parts.len();
    let data = match (arguments.part, parts.as_slice()) {
        (None, [whole]) => pretty(whole)?,
        (None, several) => {
            session.printer.say(&format!(
                "note: IAM allows {LONGEST} characters per policy, so these are {count} policies in a JSON array; \
                 `--part 1` to `--part {count}` print them one by one. Attach them all"
            ));
            pretty(&several)?
        }
        (Some(number), several) => {
            let part = number.checked_sub(1).and_then(|index| several.get(index));
            let part = part.ok_or(NoSuchPart { number, count })?;
            pretty(part)?
        }
    };
    deployer.notes.iter().for_each(|note| session.printer.say(&format!("note: {note}")));
    session.printer.data(&data);
    Ok(())
}

fn print(session: &Session, (document, notes): &(PolicyDocument, Vec<String>)) -> Result<(), CommandError> {
    notes.iter().for_each(|note| session.printer.say(&format!("note: {note}")));
    session.printer.data(&pretty(document)?);
    Ok(())
}

/// In the order in which policies are written.
fn pretty(policy: &impl Serialize) -> Result<String, CommandError> {
    serde_json::to_string_pretty(policy).map_err(|error| CommandError::Other(error.into()))
}

/// The policy has fewer parts.
#[derive(Debug, Error)]
#[error("there is no part {number}")]
struct NoSuchPart {
    number: usize,
    count: usize,
}

impl Failure for NoSuchPart {
    fn ending(&self) -> Ending {
        Ending::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(format!("the policy has {} of them, from --part 1", self.count))
    }
}
