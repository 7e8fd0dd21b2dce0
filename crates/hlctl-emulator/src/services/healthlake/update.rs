//! UpdateFHIRDatastore: the name, profiles, identity provider and backup at once, NLP and analytics
//! by way of UPDATING (HealthLake developer guide, updating a data store).

use serde_json::{Value, json};

use super::create::{asked_status, backup};
use super::datastore::{Passage, Toggle};
use super::{conflict, find, not_found, smart, validation};
use crate::clock::after;
use crate::error::AwsResult;
use crate::services::{Cx, owned, text};

pub(super) fn update(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    if input.as_object().is_some_and(|members| members.values().filter(|v| !v.is_null()).count() < 2) {
        return Err(validation("There is nothing to update."));
    }
    let nlp = asked_status(input, "NlpConfiguration")?;
    let analytics = asked_status(input, "AnalyticsConfiguration")?;
    let identity_provider = match &input["IdentityProviderConfiguration"] {
        Value::Null => None,
        block => Some(smart::checked(block)?),
    };
    let (now, delay) = (cx.now, cx.options.delays.update);
    let faults = cx.faults.healthlake.clone();
    let id = text(input, "DatastoreId");
    let store = find(cx, id)?;
    match store.status(now) {
        "ACTIVE" | "UPDATE_FAILED" => {}
        "DELETED" => return Err(not_found(id)),
        status => return Err(conflict(id, status)),
    }
    store.settle(now);
    if let Some(name) = owned(input, "DatastoreName") {
        store.name = Some(name);
    }
    if let Some(block) = identity_provider {
        store.identity_provider = block;
    }
    if !input["ProfileConfiguration"].is_null() {
        store.profile = Some(input["ProfileConfiguration"].clone());
    }
    store.backup = backup(&input["BackupConfiguration"], store.backup.take(), now);
    let nlp_changes = turn(&mut store.nlp, nlp);
    let analytics_changes = turn(&mut store.analytics, analytics);
    if nlp_changes || analytics_changes {
        let ends_as = faults.update_ends_as.unwrap_or_else(|| "ACTIVE".to_owned());
        store.error = (ends_as != "ACTIVE")
            .then(|| faults.error_message.unwrap_or_else(|| "The update was made to fail.".to_owned()));
        store.passage = Passage { status: "UPDATING".to_owned(), until: after(now, delay), ends_as };
    }
    Ok(json!({"DatastoreProperties": store.properties(now)}))
}

/// Sets the aim of a toggle and says whether that is a change.
fn turn(toggle: &mut Toggle, asked: Option<&str>) -> bool {
    let Some(status) = asked else { return false };
    status.clone_into(&mut toggle.to);
    toggle.from != toggle.to
}
