//! What HealthLake is asked for, in the SDK's terms.

use std::collections::BTreeMap;

use aws_sdk_healthlake::types::{
    AnalyticsConfiguration, AnalyticsStatus, BackupConfiguration, BackupStatus, BackupType, CmkType,
    ContinuousBackupRestoreConfiguration, KmsEncryptionConfig, NlpConfiguration, NlpStatus, PreloadDataConfig,
    PreloadDataType, ProfileConfiguration, RestoreConfiguration, SseConfiguration, Tag,
};
use aws_smithy_types::DateTime;

use super::look::switch;
use crate::kms_key::KmsKey;
use crate::reference::Ref;
use crate::{ResourceError, Task};
use hlctl_config::{Analytics, Backup};

pub(super) fn analytics(wanted: Analytics) -> AnalyticsConfiguration {
    AnalyticsConfiguration::builder().status(AnalyticsStatus::from(wanted.status())).build()
}

pub(super) fn nlp(on: bool) -> NlpConfiguration {
    NlpConfiguration::builder().status(NlpStatus::from(switch(on))).build()
}

pub(super) fn profiles(profiles: &[String]) -> ProfileConfiguration {
    ProfileConfiguration::builder().set_default_profiles(Some(profiles.to_vec())).build()
}

pub(super) fn backup(backup: &Backup) -> BackupConfiguration {
    BackupConfiguration::builder()
        .status(BackupStatus::from(switch(backup.enabled)))
        .set_backup_type(backup.enabled.then_some(BackupType::Continuous))
        .set_retention_period_in_days(backup.retention_days.map(i32::from))
        .set_backup_tags_enabled(backup.tags)
        .build()
}

pub(super) fn as_healthlake_tags(tags: &BTreeMap<String, String>) -> Result<Vec<Tag>, ResourceError> {
    tags.iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build().map_err(ResourceError::request))
        .collect()
}

/// Always said: a SMART store needs it said, and for others it changes nothing.
pub(super) fn encryption(key: Option<&Ref<KmsKey>>, task: &Task<'_>) -> Result<SseConfiguration, ResourceError> {
    let kind = if key.is_some() { CmkType::CmCmk } else { CmkType::AoCmk };
    let key = key.map(|key| task.text(&key.arn())).transpose()?;
    let config = KmsEncryptionConfig::builder().cmk_type(kind).set_kms_key_id(key).build();
    Ok(SseConfiguration::builder().kms_encryption_config(config.map_err(ResourceError::request)?).build())
}

pub(super) fn preload() -> Result<PreloadDataConfig, ResourceError> {
    PreloadDataConfig::builder().preload_data_type(PreloadDataType::Synthea).build().map_err(ResourceError::request)
}

/// To this point in time, in seconds since 1970, or to the latest.
pub(super) fn restore_configuration(at: Option<i64>) -> RestoreConfiguration {
    let point = ContinuousBackupRestoreConfiguration::builder().set_restore_point_time(at.map(DateTime::from_secs));
    RestoreConfiguration::ContinuousBackupRestoreConfiguration(point.build())
}
