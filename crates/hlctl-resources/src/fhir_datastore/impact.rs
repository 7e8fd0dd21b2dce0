//! What the end of a store means for the records in it. Without a backup they are gone with it; with one they are not.

use serde_json::Value;

use super::look::switch;
use crate::{PlannedChange, Remains};
use hlctl_model::invocation::CommandLine;
use hlctl_model::text::{date_in, instant};

pub(super) fn of_deletion(planned: &PlannedChange<'_>) -> String {
    match (planned.remains, outlives(planned)) {
        (Some(remains), _) => format!("The store is deleted already{}", back(remains)),
        (None, Some(outlives)) => format!("The store and every patient record in it are deleted. {outlives}"),
        (None, None) => "The store and every patient record in it are deleted for good.".to_owned(),
    }
}

pub(super) fn of_replacement(planned: &PlannedChange<'_>) -> String {
    let new = "A new, empty store takes its place, with another id and endpoint; every patient record in the old one is deleted";
    match outlives(planned) {
        Some(outlives) => format!("{new}. {outlives}"),
        None => format!("{new} for good."),
    }
}

pub(super) fn of_new_one(planned: &PlannedChange<'_>) -> String {
    match planned.remains.filter(|remains| !remains.is_over) {
        Some(remains) => {
            format!(
                "The new store is empty, with another id and endpoint. The deleted one is not lost{}",
                back(remains)
            )
        }
        None => {
            "The missing store's records are lost; the new store is empty, with another id and endpoint.".to_owned()
        }
    }
}

/// What turning analytics that are paused on again means.
pub(super) fn of_analytics(planned: &PlannedChange<'_>) -> Option<String> {
    let change = planned.attributes.iter().find(|change| change.attribute() == "analytics")?;
    let is = |value: &Option<Value>, status: &str| value.as_ref().is_some_and(|value| value == status);
    let resumes = is(&change.before, "PAUSED") && is(&change.after, "ENABLED");
    resumes.then(|| {
        "Analytics are paused; this resumes them, which AWS charges for. To leave them: datastore_analytics = \"paused\".".to_owned()
    })
}

/// Until when a store that is deleted now can be restored: as long as its backup reaches back ("Restoring a data store",
/// HealthLake developer guide).
fn outlives(planned: &PlannedChange<'_>) -> Option<String> {
    let attribute = |name: &str| planned.observed.and_then(|observed| observed.get(name));
    if attribute("backup").and_then(Value::as_str) != Some(switch(true)) {
        return None;
    }
    let days = attribute("backup_retention_days").and_then(Value::as_u64).and_then(|days| u8::try_from(days).ok());
    Some(match days {
        Some(days) => {
            format!("It has a backup: it can be restored until {} ({days} days after its deletion).", date_in(days))
        }
        None => "It has a backup: it can be restored as long as the backup is kept.".to_owned(),
    })
}

fn back(remains: &Remains) -> String {
    let restore = CommandLine::new("restore --at latest").option("--from", &remains.id);
    match (remains.is_over, remains.until) {
        (true, _) => "; it can no longer be restored.".to_owned(),
        (false, Some(until)) => {
            format!("; it can be restored until {}: {restore}", instant(until))
        }
        (false, None) => format!("; it can be restored: {restore}"),
    }
}
