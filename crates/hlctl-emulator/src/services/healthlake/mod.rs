//! HealthLake: the control plane for datastores and their tags, in [`jobs`] what moves data in and out of them, and in
//! [`fhir`] what the datastores do.
//!
//! Where AWS documents nothing, this is what happens here: a repeated ClientToken with the same
//! parameters gives the same store and with others a ValidationException, for as long as the store
//! can be described; the name filter compares whole names; NLP is off and analytics are on unless
//! asked otherwise; a backup without a retention is kept for seven days; a customer key that cannot
//! be used is a ValidationException, but one by its ARN in an account that nobody has played here is
//! taken to exist, since another emulator may play KMS; deleting or updating a DELETED store finds nothing.

mod create;
mod datastore;
pub(crate) mod fhir;
pub(crate) mod jobs;
mod list;
mod load;
mod restore;
mod shapes;
mod smart;
mod tagging;
pub(crate) mod transformation;
mod update;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::tags::Tags;
use super::{Cx, lakeformation, text};
use crate::clock::after;
use crate::error::{AwsError, AwsResult};
use crate::protocol::{Operation, read, write};
use crate::route::Caller;
use crate::store::World;
pub(crate) use datastore::Datastore;
use datastore::Passage;
pub(crate) use load::{create_to_load, living, load};

/// The datastores of one account in one region.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct HealthLake {
    stores: BTreeMap<String, Datastore>,
    /// Client tokens that have made a store.
    tokens: BTreeMap<String, Token>,
    last_create: Option<Timestamp>,
    last_delete: Option<Timestamp>,
    jobs: BTreeMap<String, jobs::Job>,
    /// Client tokens that have started a job.
    job_tokens: BTreeMap<String, jobs::JobToken>,
    transformation: transformation::Transformation,
}

#[derive(Debug, Serialize, Deserialize)]
struct Token {
    request: Value,
    store: String,
}

pub(crate) const OPERATIONS: &[Operation] = &[
    write("CreateFHIRDatastore", shapes::CREATE, create::create),
    read("DescribeFHIRDatastore", shapes::STORE, describe),
    read("ListFHIRDatastores", shapes::LIST, list::list),
    write("UpdateFHIRDatastore", shapes::UPDATE, update::update),
    write("DeleteFHIRDatastore", shapes::STORE, delete),
    write("TagResource", shapes::TAG, tagging::tag),
    write("UntagResource", shapes::UNTAG, tagging::untag),
    read("ListTagsForResource", shapes::LIST_TAGS, tagging::list),
    write("RestoreFHIRDatastore", shapes::RESTORE, restore::restore),
    jobs::START_IMPORT,
    jobs::DESCRIBE_IMPORT,
    jobs::LIST_IMPORTS,
    jobs::START_EXPORT,
    jobs::DESCRIBE_EXPORT,
    jobs::LIST_EXPORTS,
    transformation::CREATE,
    transformation::GET,
    transformation::UPDATE,
    transformation::PUBLISH,
    transformation::DELETE,
    transformation::LIST,
    transformation::LIST_VERSIONS,
    transformation::jobs::START,
    transformation::jobs::DESCRIBE,
    transformation::jobs::LIST_JOBS,
];

fn validation(message: impl Into<String>) -> AwsError {
    AwsError::bad_request("ValidationException", message)
}

fn not_found(id: &str) -> AwsError {
    AwsError::bad_request("ResourceNotFoundException", format!("The requested datastore {id} was not found."))
}

fn conflict(id: &str, status: &str) -> AwsError {
    AwsError::bad_request(
        "ConflictException",
        format!("The datastore {id} is {status} and the requested action cannot be performed."),
    )
}

fn healthlake<'a>(cx: &'a mut Cx<'_>) -> &'a mut HealthLake {
    let (account, region) = (&cx.caller.account, cx.caller.region.clone());
    cx.world.account(account).healthlake.entry(region).or_default()
}

/// The store `id`, also for seven days after its deletion.
fn find<'a>(cx: &'a mut Cx<'_>, id: &str) -> AwsResult<&'a mut Datastore> {
    let now = cx.now;
    healthlake(cx).stores.get_mut(id).filter(|store| !store.has_vanished(now)).ok_or_else(|| not_found(id))
}

/// The tags of a datastore or profile of the caller's account and region.
pub(crate) fn tags_of<'w>(world: &'w World, caller: &Caller, id: &str) -> Option<&'w Tags> {
    let healthlake = world.accounts.get(&caller.account)?.healthlake.get(&caller.region)?;
    let of_store = healthlake.stores.get(id).map(|store| &store.tags);
    of_store.or_else(|| healthlake.transformation.profiles.get(id).map(|profile| &profile.tags))
}

/// Lets one call a minute pass, where the limits are on (HealthLake quotas).
fn within_rate(last: &mut Option<Timestamp>, now: Timestamp, limited: bool) -> AwsResult<()> {
    let early = last.is_some_and(|last| now < after(last, Duration::from_secs(60)));
    if limited && early {
        return Err(AwsError::bad_request("ThrottlingException", "Rate exceeded"));
    }
    *last = Some(now);
    Ok(())
}

fn describe(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let now = cx.now;
    let store = find(cx, text(input, "DatastoreId"))?;
    Ok(json!({"DatastoreProperties": store.properties(now)}))
}

fn delete(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let (now, limited, delay) = (cx.now, cx.options.rate_limits, cx.options.delays.delete);
    lakeformation::check_administrator(cx)?;
    within_rate(&mut healthlake(cx).last_delete, now, limited)?;
    let id = text(input, "DatastoreId");
    let store = find(cx, id)?;
    match store.status(now) {
        "CREATING" | "UPDATING" | "DELETING" => {
            let status = store.status(now).to_owned();
            return Err(conflict(id, &status));
        }
        "DELETED" => return Err(not_found(id)),
        _ => {}
    }
    store.settle(now);
    store.passage = Passage { status: "DELETING".to_owned(), until: after(now, delay), ends_as: "DELETED".to_owned() };
    // The answer is DELETING even where the deletion takes no time at all.
    let mut output = store.summary(now);
    output["DatastoreStatus"] = json!("DELETING");
    // A backup is kept for a while after its store.
    store.retained = store.restore_window(now).is_some();
    if !store.retained {
        let id = store.id.clone();
        cx.world.emptied_datastores.push(id);
    }
    Ok(output)
}
