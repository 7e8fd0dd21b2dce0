//! `hlctl stores delete`: deletes a standby store, and the key that it alone needs.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{StoreOperation, make, standby_by_name, tell_what_can_be_restored};
use crate::cli::DeleteStoreArgs;
use crate::error::CommandError;
use crate::module::standby::is_standby;
use crate::plan::Options;
use crate::session::Session;
use crate::ui::json;
use hlctl_engine::state::{Held, State};
use hlctl_model::address::Address;
use hlctl_model::exit_code::ExitCode;
use hlctl_resources::{KmsKey, Resource};

/// Deletes the store that the command line names; naming it is what lifts its protection.
pub(super) async fn run(session: &Session, arguments: &DeleteStoreArgs) -> Result<ExitCode, CommandError> {
    let config = session.config()?;
    let store = session.store(Some(&config)).await?;
    session.read_existing(&store).await?;
    let execution = &arguments.execution;
    let work = async |held: Arc<Held>| {
        let again = hlctl!("stores delete", arguments.store);
        let (operation, state) = StoreOperation::open(session, &config, execution, held, again).await?;
        let address = standby_by_name(&state, &arguments.store)?;
        let going = going(&state, &address, config.create_kms_key);
        let options = Options {
            targets: going.iter().cloned().chain([Address::parse(make::JOB_ROLE)]).collect(),
            allow_destroy: going.iter().map(ToString::to_string).collect(),
            give_up: BTreeSet::from([address]),
            exactly: true,
            ..Options::default()
        };
        let prepared = operation.plan(state, &options).await?;
        operation.confirm(&prepared, "Delete this store and all its data").await?;
        let report = operation.carry_out_reported(&prepared, "The deletion").await?;
        if execution.json {
            session.printer.json(&json::report(&report));
        } else {
            session.printer.say(&format!("{} is deleted.", arguments.store));
            tell_what_can_be_restored(session, &prepared).await;
        }
        Ok(ExitCode::Success)
    };
    session.locked(&store, "hlctl stores delete", execution.lock_timeout, work).await
}

/// The store, and its key if no other store needs that, nor the configuration.
fn going(state: &State, address: &Address, store_key_is_wanted: bool) -> BTreeSet<Address> {
    let needs = state.resources.get(address).map(|entry| entry.needs.clone()).unwrap_or_default();
    let is_needed = |key: &Address| {
        let mut others =
            state.resources.iter().filter(|(other, _)| *other != address && other.kind() == address.kind());
        others.any(|(_, entry)| entry.needs.contains(key))
    };
    let is_wanted = |key: &Address| store_key_is_wanted && !is_standby(key);
    let is_key = |need: &Address| need.kind() == KmsKey::KIND;
    let keys = needs.into_iter().filter(|need| is_key(need) && !is_wanted(need) && !is_needed(need));
    keys.chain([address.clone()]).collect()
}
