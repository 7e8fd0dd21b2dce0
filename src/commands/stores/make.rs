//! Makes a standby store.

use std::collections::BTreeSet;

use super::error::StoresError;
use super::{StoreOperation, id_of};
use crate::error::CommandError;
use crate::module::standby::{STORE_KEY, successor, successor_key};
use crate::plan::Options;
use crate::session::{Connection, Prepared};
use hlctl_config::Config;
use hlctl_engine::state::{Entry, Origin, State, Status};
use hlctl_model::address::Address;
use hlctl_resources::{FhirDatastore, Resource};

/// The role that HealthLake takes on for jobs; it names the stores that it may be taken on for.
pub(super) const JOB_ROLE: &str = "iam_role.healthlake";

/// Writes into `state` that a successor is to be made; nothing is in the state file before the plan is agreed to.
pub(super) fn intend(state: &mut State, origin: Origin, key: Option<Address>) {
    let entry = Entry {
        kind: FhirDatastore::KIND.to_owned(),
        status: Status::Creating,
        token: uuid::Uuid::new_v4().to_string(),
        protected: true,
        protection: None,
        needs: key.into_iter().collect(),
        recorded: None,
        predicted: None,
        doubtful_since: None,
        origin: Some(origin),
        attributes: serde_json::Map::new(),
    };
    state.resources.insert(successor(), entry);
}

/// The key of the new store: the stack's, or one of its own.
pub(super) fn key(config: &Config, is_new: bool) -> Option<Address> {
    match config.create_kms_key {
        true if is_new => Some(successor_key()),
        true => Some(Address::parse(STORE_KEY)),
        false => None,
    }
}

/// Makes the successor that the state intends, with what it needs, and lets the job role be taken on for it.
pub(super) async fn make(operation: &StoreOperation<'_>, state: State) -> Result<State, CommandError> {
    let mut prepared = operation.plan(state, &alone()).await?;
    narrow(&mut prepared, &operation.connection)?;
    operation.confirm(&prepared, "Create this store").await?;
    operation.carry_out(&prepared, "The new store").await
}

/// The plan of a successor and what it needs.
pub(super) fn alone() -> Options {
    Options { targets: BTreeSet::from([successor()]), ..Options::default() }
}

/// Plans the role of jobs in addition, and nothing that it needs for other stores.
pub(super) fn narrow(prepared: &mut Prepared, connection: &Connection) -> Result<(), CommandError> {
    let mut targets = prepared.plan.graph.with_needs(&alone().targets);
    targets.insert(Address::parse(JOB_ROLE));
    // What the role needs in addition is the store in use, which is left as it is.
    prepared.decide_again(connection, &Options { targets, exactly: true, ..Options::default() })
}

/// What the state says of a successor.
pub(super) fn present(state: &State) -> Option<&Entry> {
    state.resources.get(&successor())
}

/// The error where a second successor is asked for.
pub(super) fn in_the_way(state: &State) -> CommandError {
    let id = present(state).and_then(id_of).unwrap_or("healthlake_fhir_datastore.successor").to_owned();
    StoresError::SuccessorExists(id).into()
}
