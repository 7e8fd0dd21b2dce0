//! RestoreFHIRDatastore (HealthLake developer guide, restoring a data store).
//!
//! The restored store is a new one that takes over nothing but the resources, each as it was at the restore point and
//! without its history, and the tags where the backup keeps them. It stays CREATING until they are all there.
//!
//! Where AWS documents nothing, this is what happens here: a point in time outside of the window, and a source without
//! a backup, are ValidationExceptions; tags of the request win over the backup's; a resource keeps its
//! `lastUpdated`, and its version is 1; the backup's window ends now, not minutes ago; a restored store has no backup
//! of its own; a deleted store is described for as long as it can be restored.

use jiff::Timestamp;
use serde_json::Value;

use super::create::{build, remember, replay};
use super::{conflict, healthlake, not_found, validation};
use crate::error::AwsResult;
use crate::services::{Cx, text};

/// How many resources are copied in one go.
pub(super) const STEP: usize = 1_000;

pub(super) fn restore(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    if let Some(output) = replay(cx, input)? {
        return Ok(output);
    }
    let source = text(input, "SourceDatastoreId");
    let (point, tags) = restore_point(cx, source, &input["RestoreConfiguration"])?;
    let mut store = build(cx, input)?;
    let own = std::mem::replace(&mut store.tags, tags);
    store.tags.extend(own);
    store.begin_restoration(source, point);
    let output = store.as_created(cx.now);
    remember(cx, input, store);
    Ok(output)
}

/// The instant to go back to, and the tags that come along.
fn restore_point(
    cx: &mut Cx<'_>,
    id: &str,
    configuration: &Value,
) -> AwsResult<(Timestamp, crate::services::tags::Tags)> {
    let now = cx.now;
    let configuration = &configuration["ContinuousBackupRestoreConfiguration"];
    if !configuration.is_object() {
        return Err(validation("RestoreConfiguration must have ContinuousBackupRestoreConfiguration."));
    }
    let healthlake = healthlake(cx);
    let source = healthlake.stores.get(id).filter(|source| !source.has_vanished(now)).ok_or_else(|| not_found(id))?;
    if healthlake.stores.values().any(|store| store.is_being_restored_from(id, now)) {
        return Err(conflict(id, "being restored already"));
    }
    match source.status(now) {
        status @ ("CREATING" | "DELETING") => return Err(conflict(id, status)),
        "CREATE_FAILED" => return Err(validation(format!("The datastore {id} has nothing to restore."))),
        _ => {}
    }
    let (earliest, latest) = source
        .restore_window(now)
        .ok_or_else(|| validation(format!("Continuous backup is not enabled on the datastore {id}.")))?;
    let point = match configuration["RestorePointTime"].as_f64() {
        None => latest,
        Some(seconds) => instant(seconds).ok_or_else(|| validation("RestorePointTime is not a time."))?,
    };
    if point < earliest || point > latest {
        return Err(validation(format!(
            "RestorePointTime {point} is outside of the restore window from {earliest} to {latest}."
        )));
    }
    Ok((point, source.backed_up_tags()))
}

/// An instant by its seconds since the epoch, to the millisecond.
fn instant(seconds: f64) -> Option<Timestamp> {
    #[expect(clippy::cast_possible_truncation, reason = "what is out of range becomes the ends of the range")]
    let milliseconds = (seconds * 1000.0).round() as i64;
    Timestamp::from_millisecond(milliseconds).ok()
}
