//! Resources that come with no request: what a sandbox begins with.

use jiff::Timestamp;
use serde_json::json;

use super::create::create;
use super::fhir::bulk::{Intake, Level, Taken};
use crate::error::{AwsResult, Error};
use crate::services::{Cx, text};
use crate::store::World;
use crate::store::resources::Resources;

/// The ids of the datastores that are there and not being deleted.
pub(crate) fn living(world: &World, now: Timestamp) -> Vec<String> {
    let stores =
        world.accounts.values().flat_map(|account| account.healthlake.values()).flat_map(|h| h.stores.values());
    stores
        .filter(|store| !["DELETING", "DELETED", "CREATE_FAILED"].contains(&store.status(now)))
        .map(|store| store.id.clone())
        .collect()
}

/// Makes a datastore for what is to be loaded, and gives its id.
pub(crate) fn create_to_load(cx: &mut Cx<'_>) -> AwsResult<String> {
    let made = create(cx, &json!({"DatastoreTypeVersion": "R4", "DatastoreName": "sandbox"}))?;
    Ok(text(&made, "DatastoreId").to_owned())
}

/// Takes in numbered lines, and gives those that were refused, with why.
pub(crate) fn load(
    resources: &mut Resources,
    store: &str,
    lines: &[(u64, Vec<u8>)],
    now: Timestamp,
) -> Result<Vec<(u64, String)>, Error> {
    let mut intake = Intake::new(resources.of_store(store)?, Level::StructureOnly, &[], now);
    let refused = lines.iter().filter_map(|(number, line)| match intake.take(line.trim_ascii()) {
        Taken::Accepted { .. } => None,
        Taken::Refused { text, .. } => Some((*number, text)),
    });
    let refused = refused.collect();
    intake.commit()?;
    Ok(refused)
}
