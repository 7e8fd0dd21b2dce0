//! `hlctl adopt --from-tfstate`

use super::error::AdoptError;
use super::stack::{self, STORE};
use super::{refuse_state, source};
use crate::adopt::instance::Instance;
use crate::adopt::let_go::{OneOfSeveral, Way, let_go};
use crate::adopt::{inputs, instance, tfstate};
use crate::cli::{AdoptArgs, LetGo};
use crate::error::CommandError;
use crate::session::Session;
use hlctl_model::address::Address;
use hlctl_model::exit_code::ExitCode;

/// Reads the Terraform state, looks at what it names, and writes a configuration and a state for it.
pub(super) async fn run(session: &Session, arguments: &AdoptArgs, from: &str) -> Result<ExitCode, CommandError> {
    stack::refuse_config(session)?;
    session.interruptible(refuse_state(session, arguments)).await?;
    let instance = read_instance(session, arguments, from).await?;
    refuse_unfinished(&instance)?;
    let place = inputs::whereabouts(&instance).ok_or(AdoptError::NoAccount)?;
    stack::take_over(session, arguments, &instance, &place, |unused| commands(arguments, &instance, unused)).await
}

/// Refuses a store of which Terraform noted the id alone: its wait for the creation, of 20 to 30 minutes, was interrupted.
fn refuse_unfinished(instance: &Instance) -> Result<(), AdoptError> {
    let Some(store) = instance.resources.get(STORE) else { return Ok(()) };
    if store.text("datastore_name").is_some() {
        return Ok(());
    }
    let id = store.text("datastore_id").or(store.text("id")).map(str::to_owned);
    Err(AdoptError::UnfinishedStore { terraform: store.address(), id })
}

/// What lets Terraform forget what hlctl has.
fn commands(arguments: &AdoptArgs, instance: &Instance, unused: &[Address]) -> Result<Vec<String>, CommandError> {
    let way = match arguments.let_go {
        LetGo::StateRm => Way::StateRm,
        LetGo::RemovedBlocks => Way::RemovedBlocks,
    };
    let taken = instance.resources.iter().filter(|(address, _)| !unused.contains(address));
    let commands = let_go(way, &instance.module, taken.map(|(_, resource)| resource));
    Ok(commands.map_err(|OneOfSeveral(module)| AdoptError::OneOfSeveral(module))?)
}

async fn read_instance(session: &Session, arguments: &AdoptArgs, from: &str) -> Result<Instance, CommandError> {
    let bytes = source::read(session, from).await?;
    let state = tfstate::parse(&bytes).map_err(|error| AdoptError::TerraformState { from: from.to_owned(), error })?;
    let instance = instance::find(state, arguments.module.as_deref());
    Ok(instance.map_err(|error| AdoptError::Instance { from: from.to_owned(), error })?)
}
