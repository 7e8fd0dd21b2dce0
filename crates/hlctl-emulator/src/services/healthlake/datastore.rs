//! One datastore. What it is like at a given instant follows from what is kept of it and the instant
//! alone, so that a process which starts while a store is being created sees how far it has got.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

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
        if now < self.passage.until { &self.passage.status } else { &self.passage.ends_as }
    }

    pub(super) fn has_vanished(&self, now: Timestamp) -> bool {
        let kept = Duration::from_secs(DAYS_AFTER_DELETION * DAY);
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
        let retention = Duration::from_secs(backup.retention_days * DAY);
        let mut info = json!({"Configuration": {
            "Status": if backup.enabled { "ENABLED" } else { "DISABLED" },
            "BackupType": "CONTINUOUS",
            "RetentionPeriodInDays": backup.retention_days,
            "BackupTagsEnabled": backup.tags_enabled,
        }});
        if let (true, Some(since)) = (backup.enabled, backup.enabled_at) {
            let window = now.checked_sub(retention).unwrap_or(Timestamp::MIN);
            info["BackupEnabledAt"] = json!(epoch_seconds(since));
            info["EarliestRestorePoint"] = json!(epoch_seconds(since.max(window)));
            info["LatestRestorePoint"] = json!(epoch_seconds(now));
            if self.passage.ends_as == "DELETED" {
                let gone = after(self.passage.until, retention);
                info["LatestRestorePoint"] = json!(epoch_seconds(self.passage.until.min(now)));
                info["ScheduledPermanentDeletionTime"] = json!(epoch_seconds(gone));
            }
        }
        info
    }
}
