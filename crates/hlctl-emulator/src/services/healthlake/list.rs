//! ListFHIRDatastores.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use super::datastore::Datastore;
use super::{healthlake, validation};
use crate::clock::epoch_seconds;
use crate::error::AwsResult;
use crate::services::{Cx, page};

/// Stores on a page unless MaxResults says otherwise.
const PAGE: usize = 100;

pub(super) fn list(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let now = cx.now;
    let marker = match input["NextToken"].as_str() {
        None | Some("") => None,
        Some(token) => Some(
            BASE64
                .decode(token)
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .ok_or_else(|| validation("NextToken is not valid."))?,
        ),
    };
    let filter = &input["Filter"];
    let mut stores: Vec<&Datastore> =
        healthlake(cx).stores.values().filter(|store| !store.has_vanished(now) && passes(store, filter, now)).collect();
    stores.sort_by_key(|store| place(store));
    let limit = input["MaxResults"].as_u64().and_then(|limit| usize::try_from(limit).ok()).unwrap_or(PAGE);
    let (stores, next) = page(stores, marker.as_deref(), limit, |store| place(store));
    let mut output = json!({
        "DatastorePropertiesList":
            stores.iter().map(|store| store.properties(now)).collect::<Vec<_>>(),
    });
    if let Some(next) = next {
        output["NextToken"] = json!(BASE64.encode(next));
    }
    Ok(output)
}

/// Oldest first.
fn place(store: &Datastore) -> String {
    format!("{:020} {}", store.created.as_millisecond(), store.id)
}

fn passes(store: &Datastore, filter: &Value, now: jiff::Timestamp) -> bool {
    let created = epoch_seconds(store.created);
    filter["DatastoreName"].as_str().is_none_or(|name| store.name.as_deref() == Some(name))
        && filter["DatastoreStatus"].as_str().is_none_or(|status| store.status(now) == status)
        && filter["CreatedBefore"].as_f64().is_none_or(|limit| created < limit)
        && filter["CreatedAfter"].as_f64().is_none_or(|limit| created > limit)
}
