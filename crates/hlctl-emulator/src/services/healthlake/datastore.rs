//! One datastore. What it is like at a given instant follows from what is kept of it and the instant
//! alone, so that a process which starts while a store is being created sees how far it has got.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::fhir::bulk::Place;
use crate::clock::{after, epoch_seconds};
use crate::services::tags::Tags;

const DAY: u64 = 86_400;
/// How long a deleted store can still be described (HealthLake developer guide).
const DAYS_AFTER_DELETION: u64 = 7;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Datastore {
    pub(super) id: String,
    pub(super) arn: String,
    pub(super) endpoint: String,
    pub(super) name: Option<String>,
    pub(super) created: Timestamp,
    pub(super) encryption: Value,
    pub(super) preload: Option<Value>,
    pub(super) identity_provider: Value,
    pub(super) profile: Option<Value>,
    pub(super) nlp: Toggle,
    pub(super) analytics: Toggle,
    pub(super) backup: Option<Backup>,
    pub(super) tags: Tags,
    pub(super) passage: Passage,
    /// Why the last creation or update failed.
    pub(super) error: Option<String>,
    /// What is still to be copied from the store that this one restores.
    #[serde(default)]
    pub(super) restoring: Option<Restoring>,
    /// The store that this one restores.
    #[serde(default)]
    pub(super) restored_from: Option<String>,
    /// Whether the resources are kept although the store was deleted.
    #[serde(default)]
    pub(super) retained: bool,
}

/// A restore under way.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Restoring {
    source: String,
    /// The restore point.
    at: Timestamp,
    place: Place,
}

/// A status of passage, until when it lasts, and the status it ends in.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Passage {
    pub(super) status: String,
    pub(super) until: Timestamp,
    pub(super) ends_as: String,
}

/// A setting that changes asynchronously; both are statuses such as `ENABLED`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Toggle {
    pub(super) from: String,
    pub(super) to: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Backup {
    pub(super) enabled: bool,
    pub(super) retention_days: u64,
    pub(super) tags_enabled: bool,
    pub(super) enabled_at: Option<Timestamp>,
}

impl Backup {
    fn retention(&self) -> Duration {
        Duration::from_secs(self.retention_days * DAY)
    }
}

impl Toggle {
    pub(super) fn steady(status: &str) -> Self {
        Self { from: status.to_owned(), to: status.to_owned() }
    }

    /// What to say of it while the store has `status`.
    fn shown(&self, status: &str) -> &str {
        match (status, self.to.as_str()) {
            _ if self.from == self.to => &self.to,
            ("CREATING" | "UPDATING", "ENABLED") => "ENABLING",
            ("CREATING" | "UPDATING", "DISABLED") => "DISABLING",
            ("CREATING" | "UPDATING", _) => "PAUSING",
            ("UPDATE_FAILED" | "CREATE_FAILED", _) => &self.from,
            _ => &self.to,
        }
    }
}

impl Datastore {
    pub(super) fn status(&self, now: Timestamp) -> &str {
        if self.restoring.is_some() {
            return "CREATING";
        }
        if now < self.passage.until { &self.passage.status } else { &self.passage.ends_as }
    }

    pub(super) fn has_vanished(&self, now: Timestamp) -> bool {
        let kept = match &self.backup {
            Some(backup) if backup.enabled => backup.retention_days.max(DAYS_AFTER_DELETION),
            _ => DAYS_AFTER_DELETION,
        };
        let kept = Duration::from_secs(kept * DAY);
        self.passage.ends_as == "DELETED" && now >= after(self.passage.until, kept)
    }

    /// Makes what the finished passage has led to the starting point of the next.
    pub(super) fn settle(&mut self, now: Timestamp) {
        let status = self.status(now).to_owned();
        for toggle in [&mut self.nlp, &mut self.analytics] {
            *toggle = Toggle::steady(toggle.shown(&status));
        }
    }

    /// What creating and deleting answer.
    pub(super) fn summary(&self, now: Timestamp) -> Value {
        json!({
            "DatastoreId": self.id,
            "DatastoreArn": self.arn,
            "DatastoreStatus": self.status(now),
            "DatastoreEndpoint": self.endpoint,
        })
    }

    /// What creating and restoring answer: CREATING even where that takes no time at all.
    pub(super) fn as_created(&self, now: Timestamp) -> Value {
        let mut output = self.summary(now);
        output["DatastoreStatus"] = json!("CREATING");
        output
    }

    /// `DatastoreProperties`.
    pub(super) fn properties(&self, now: Timestamp) -> Value {
        let status = self.status(now);
        let mut properties = self.summary(now);
        properties["CreatedAt"] = json!(epoch_seconds(self.created));
        properties["DatastoreTypeVersion"] = json!("R4");
        properties["SseConfiguration"] = self.encryption.clone();
        properties["IdentityProviderConfiguration"] = self.identity_provider.clone();
        properties["NlpConfiguration"] = json!({"Status": self.nlp.shown(status)});
        properties["AnalyticsConfiguration"] = json!({"Status": self.analytics.shown(status)});
        if let Some(name) = &self.name {
            properties["DatastoreName"] = json!(name);
        }
        if let Some(preload) = &self.preload {
            properties["PreloadDataConfig"] = preload.clone();
        }
        if let Some(profile) = &self.profile {
            properties["ProfileConfiguration"] = profile.clone();
        }
        if let Some(backup) = &self.backup {
            properties["BackupStatusInfo"] = self.backup_status(backup, now);
        }
        if let Some(message) = &self.error
            && !["ACTIVE", "CREATING", "UPDATING"].contains(&status)
        {
            properties["ErrorCause"] = json!({
                "ErrorMessage": message,
                "ErrorCategory": "NON_RETRYABLE_ERROR",
            });
        }
        properties
    }

    fn backup_status(&self, backup: &Backup, now: Timestamp) -> Value {
        let mut info = json!({"Configuration": {
            "Status": if backup.enabled { "ENABLED" } else { "DISABLED" },
            "BackupType": "CONTINUOUS",
            "RetentionPeriodInDays": backup.retention_days,
            "BackupTagsEnabled": backup.tags_enabled,
        }});
        if let (Some((earliest, latest)), Some(since)) = (self.restore_window(now), backup.enabled_at) {
            info["BackupEnabledAt"] = json!(epoch_seconds(since));
            info["EarliestRestorePoint"] = json!(epoch_seconds(earliest));
            info["LatestRestorePoint"] = json!(epoch_seconds(latest));
            if let Some(gone) = self.permanent_deletion() {
                info["ScheduledPermanentDeletionTime"] = json!(epoch_seconds(gone));
            }
        }
        info
    }

    /// The points in time that the store can be restored to, if it is backed up.
    pub(super) fn restore_window(&self, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let backup = self.backup.as_ref().filter(|backup| backup.enabled)?;
        let since = backup.enabled_at?;
        let latest = if self.passage.ends_as == "DELETED" { self.passage.until.min(now) } else { now };
        if self.permanent_deletion().is_some_and(|gone| now >= gone) {
            return None;
        }
        let window = latest.checked_sub(backup.retention()).unwrap_or(Timestamp::MIN);
        Some((since.max(window).min(latest), latest))
    }

    /// When the backup of a deleted store ends.
    fn permanent_deletion(&self) -> Option<Timestamp> {
        let backup = self.backup.as_ref().filter(|backup| backup.enabled)?;
        (self.passage.ends_as == "DELETED").then(|| after(self.passage.until, backup.retention()))
    }

    /// Whether the resources of a deleted store have been kept for long enough.
    pub(super) fn backup_is_over(&self, now: Timestamp) -> bool {
        self.retained && self.permanent_deletion().is_none_or(|gone| now >= gone)
    }

    pub(super) fn forget_backup(&mut self) {
        self.retained = false;
    }

    /// The tags that the backup holds.
    pub(super) fn backed_up_tags(&self) -> Tags {
        let kept = self.backup.as_ref().is_some_and(|backup| backup.tags_enabled);
        if kept { self.tags.clone() } else { Tags::new() }
    }

    pub(super) fn begin_restoration(&mut self, source: &str, at: Timestamp) {
        self.restoring = Some(Restoring { source: source.to_owned(), at, place: Place::default() });
        self.restored_from = Some(source.to_owned());
    }

    pub(super) fn is_being_restored(&self) -> bool {
        self.restoring.is_some()
    }

    /// Whether this store is a restoration of `source` that is not done.
    pub(super) fn is_being_restored_from(&self, source: &str, now: Timestamp) -> bool {
        self.restored_from.as_deref() == Some(source) && self.status(now) == "CREATING"
    }

    /// From which store, as of when and from which place on there is something to copy.
    pub(super) fn restoration(&self) -> Option<(String, Timestamp, Place)> {
        self.restoring.as_ref().map(|restoring| (restoring.source.clone(), restoring.at, restoring.place.clone()))
    }

    pub(super) fn restore_on(&mut self, from: Place) {
        if let Some(restoring) = &mut self.restoring {
            restoring.place = from;
        }
    }

    /// Ends the copying, which failed if there is an error.
    pub(super) fn end_restoration(&mut self, error: Option<String>) {
        self.restoring = None;
        if error.is_some() {
            "CREATE_FAILED".clone_into(&mut self.passage.ends_as);
            self.error = error;
        }
    }

    /// The profiles that resources are held to, whatever they name.
    pub(super) fn default_profiles(&self) -> Vec<String> {
        let profiles = self.profile.as_ref().and_then(|profile| profile["DefaultProfiles"].as_array());
        profiles.into_iter().flatten().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
    }
}
