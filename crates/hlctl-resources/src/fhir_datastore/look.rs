//! Asks HealthLake what is there, and reads its answers.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_healthlake::types::{
    BackupConfiguration, BackupStatus, CmkType, DatastoreProperties, ProfileConfiguration,
};
use aws_smithy_types::DateTime;
use serde_json::{Value, json};

use super::{Recorded, identity_provider};
use crate::tags::without_aws;
use crate::{Attributes, Condition, Context, Remains, attributes};
use hlctl_aws::answers::dated;
use hlctl_aws::{AwsError, Operation, ops};

pub(super) async fn all_living(cx: &Context) -> Result<Vec<Recorded>, AwsError> {
    let mut living = Vec::new();
    let mut token = None;
    loop {
        let list = || cx.clients.healthlake.list_fhir_datastores().set_next_token(token.clone()).send();
        let page = cx.call(ops::healthlake::LIST_FHIR_DATASTORES, list).await?;
        for store in page.datastore_properties_list().iter().filter(|store| !is_ending(store)) {
            living.push(recorded_of(&whole(ops::healthlake::LIST_FHIR_DATASTORES, store.clone())?));
        }
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            return Ok(living);
        }
    }
}

pub(super) async fn describe(cx: &Context, id: &str) -> Result<Option<DatastoreProperties>, AwsError> {
    let describe = || cx.clients.healthlake.describe_fhir_datastore().datastore_id(id).send();
    match cx.call(ops::healthlake::DESCRIBE_FHIR_DATASTORE, describe).await {
        Ok(answer) => match answer.datastore_properties {
            Some(store) => whole(ops::healthlake::DESCRIBE_FHIR_DATASTORE, store).map(Some),
            None => Err(AwsError::incomplete(ops::healthlake::DESCRIBE_FHIR_DATASTORE, "data store")),
        },
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The same, with the store's age, by HealthLake's own clock: that of this machine may differ.
pub(super) async fn describe_with_age(
    cx: &Context,
    id: &str,
) -> Result<(Option<DatastoreProperties>, Option<Duration>), AwsError> {
    let (store, now) = dated(describe(cx, id)).await;
    let store = store?;
    let created = store.as_ref().and_then(|store| store.created_at()).map(DateTime::secs);
    Ok((store, age_at(now, created).filter(|age| *age < LONGEST_CREATION)))
}

fn age_at(now: Option<i64>, created: Option<i64>) -> Option<Duration> {
    let seconds = now?.checked_sub(created?)?;
    u64::try_from(seconds).ok().map(Duration::from_secs)
}

/// No creation takes a day: what seems older has its `CreatedAt` by another clock than its `Date`, as what plays AWS may.
const LONGEST_CREATION: Duration = Duration::from_secs(24 * 60 * 60);

/// The SDK puts nothing in the place of what AWS should have said and has not.
fn whole(operation: &'static Operation, store: DatastoreProperties) -> Result<DatastoreProperties, AwsError> {
    let parts = [
        ("id", store.datastore_id()),
        ("ARN", store.datastore_arn()),
        ("endpoint", store.datastore_endpoint()),
        ("status", store.datastore_status().as_str()),
    ];
    let missing = parts.into_iter().find(|(_, value)| value.is_empty()).map(|(name, _)| name);
    match missing {
        Some(missing) => Err(AwsError::incomplete(operation, missing)),
        None => Ok(store),
    }
}

pub(super) fn status_of(store: &DatastoreProperties) -> String {
    store.datastore_status().as_str().to_owned()
}

/// A deleted store is described for seven days more (HealthLake developer guide, "Deleting a data store").
pub(super) fn is_gone(store: &DatastoreProperties) -> bool {
    store.datastore_status().as_str() == "DELETED"
}

pub(super) fn is_ending(store: &DatastoreProperties) -> bool {
    matches!(store.datastore_status().as_str(), "DELETED" | "DELETING")
}

/// Statuses as the guide explains them; one that hlctl does not know is a change under way, for AWS adds some over time.
pub(super) fn condition_of(store: &DatastoreProperties) -> Condition {
    let cause = || {
        let message = store.error_cause().and_then(|cause| cause.error_message());
        message.unwrap_or("AWS gives no cause").to_owned()
    };
    match store.datastore_status().as_str() {
        "ACTIVE" => Condition::Ready,
        "CREATE_FAILED" => Condition::Failed { status: status_of(store), cause: cause() },
        "UPDATE_FAILED" => Condition::Impaired { status: status_of(store), cause: cause() },
        _ => Condition::Changing(status_of(store)),
    }
}

pub(super) fn recorded_of(store: &DatastoreProperties) -> Recorded {
    Recorded {
        id: store.datastore_id().to_owned(),
        arn: store.datastore_arn().to_owned(),
        endpoint: store.datastore_endpoint().to_owned(),
        name: store.datastore_name().unwrap_or_default().to_owned(),
    }
}

pub(super) fn observed_attributes(store: &DatastoreProperties) -> Attributes {
    let encryption = store.sse_configuration().and_then(|sse| sse.kms_encryption_config());
    let customers = encryption.filter(|config| *config.cmk_type() == CmkType::CmCmk);
    let mut seen = attributes([
        ("name", json!(store.datastore_name())),
        ("fhir_version", json!(store.datastore_type_version().as_str())),
        ("encryption", json!(encryption.map_or("AWS_OWNED_KMS_KEY", |config| config.cmk_type().as_str()))),
        ("kms_key_arn", json!(customers.and_then(|config| config.kms_key_id()))),
        ("preload_data_type", json!(store.preload_data_config().map(|config| config.preload_data_type().as_str()))),
    ]);
    seen.extend(identity_provider::observed(store));
    let mut set = |name: &str, value: Value| {
        seen.insert(name.to_owned(), value);
    };
    set(
        "analytics",
        json!(
            store.analytics_configuration().and_then(|config| config.status()).map(|status| settled(status.as_str()))
        ),
    );
    set(
        "nlp",
        json!(store.nlp_configuration().and_then(|config| config.status()).map(|status| settled(status.as_str()))),
    );
    set(
        "default_profiles",
        sorted(store.profile_configuration().map(ProfileConfiguration::default_profiles).unwrap_or_default()),
    );
    let backup = store.backup_status_info().and_then(|info| info.configuration());
    set("backup", json!(backup.and_then(BackupConfiguration::status).map(BackupStatus::as_str)));
    set("backup_retention_days", json!(backup.and_then(BackupConfiguration::retention_period_in_days)));
    set("backup_tags", json!(backup.map(BackupConfiguration::backup_tags_enabled)));
    seen
}

pub(super) fn switch(on: bool) -> &'static str {
    if on { "ENABLED" } else { "DISABLED" }
}

/// A switch on its way counts as where it is going.
fn settled(status: &str) -> &str {
    match status {
        "ENABLING" => "ENABLED",
        "DISABLING" => "DISABLED",
        "PAUSING" => "PAUSED",
        other => other,
    }
}

pub(super) fn sorted(profiles: &[String]) -> Value {
    let mut profiles = profiles.to_vec();
    profiles.sort();
    json!(profiles)
}

pub(crate) async fn list_tags(cx: &Context, arn: &str) -> Result<BTreeMap<String, String>, AwsError> {
    let list = || cx.clients.healthlake.list_tags_for_resource().resource_arn(arn).send();
    match cx.call(ops::healthlake::LIST_TAGS_FOR_RESOURCE, list).await {
        Ok(answer) => Ok(without_aws(answer.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())))),
        Err(error) if error.is_not_found() => Ok(BTreeMap::new()),
        Err(error) => Err(error),
    }
}

/// How a store is, and how far back it can be restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vitals {
    /// What the state would record of it.
    pub recorded: Recorded,
    /// When it was created (`CreatedAt`), in seconds since 1970.
    pub created: Option<i64>,
    /// Its age by HealthLake's own clock; that of this machine may differ.
    pub age: Option<Duration>,
    /// Its status as AWS names it.
    pub status: String,
    /// ARN of the customer's key that it is encrypted with.
    pub key: Option<String>,
    /// The points in time that it can be restored to, if it has a backup.
    pub window: Option<BackupWindow>,
    /// Of a deleted store: when AWS deletes its backup, in seconds since 1970.
    pub backup_ends: Option<i64>,
}

/// Points in time that a store can be restored to, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupWindow {
    /// The earliest.
    pub earliest: i64,
    /// The latest.
    pub latest: i64,
}

impl Vitals {
    /// Whether it is there to be used and exported.
    pub fn is_active(&self) -> bool {
        matches!(self.status.as_str(), "ACTIVE" | "UPDATING" | "UPDATE_FAILED")
    }

    /// Whether it is deleted, and charged no more. It is described for seven days more (HealthLake developer guide, "Deleting a data
    /// store").
    pub fn is_deleted(&self) -> bool {
        self.status == "DELETED"
    }

    /// Whether it is deleted, or about to be.
    pub fn is_ended(&self) -> bool {
        matches!(self.status.as_str(), "DELETED" | "DELETING")
    }
}

/// Looks at a store; `None` once AWS knows nothing of it any more. A deleted store is described for as long as it can be
/// restored ("Restoring a data store", HealthLake developer guide).
///
/// # Errors
/// AWS's.
pub async fn vitals(cx: &Context, id: &str) -> Result<Option<Vitals>, AwsError> {
    let (store, now) = dated(describe(cx, id)).await;
    Ok(store?.map(|store| {
        let created = store.created_at().map(DateTime::secs);
        let encryption = store.sse_configuration().and_then(|sse| sse.kms_encryption_config());
        let customers = encryption.filter(|config| *config.cmk_type() == CmkType::CmCmk);
        let window = store.backup_status_info().and_then(|backup| {
            let (earliest, latest) = (backup.earliest_restore_point()?, backup.latest_restore_point()?);
            // Inwards to the second, so that every whole second between can be restored.
            let earliest = earliest.secs() + i64::from(earliest.subsec_nanos() > 0);
            Some(BackupWindow { earliest, latest: latest.secs() })
        });
        Vitals {
            recorded: recorded_of(&store),
            created,
            age: age_at(now, created),
            status: status_of(&store),
            key: customers.and_then(|config| config.kms_key_id()).map(str::to_owned),
            window,
            backup_ends: backup_ends(&store),
        }
    }))
}

fn backup_ends(store: &DatastoreProperties) -> Option<i64> {
    Some(store.backup_status_info()?.scheduled_permanent_deletion_time()?.secs())
}

/// What can be restored of a store that is gone. With its backup on a deleted store is described until
/// `ScheduledPermanentDeletionTime` at least ("Restoring a data store", HealthLake developer guide).
pub(super) fn remains_of(id: &str, store: Option<&DatastoreProperties>, had_backup: bool) -> Option<Remains> {
    let remains = |until, is_over| Some(Remains { id: id.to_owned(), until, is_over });
    let Some(store) = store else { return had_backup.then(|| remains(None, true)).flatten() };
    if !is_ending(store) {
        return None;
    }
    let info = store.backup_status_info();
    let is_on =
        info.and_then(|info| info.configuration()?.status()).is_some_and(|status| *status == BackupStatus::Enabled);
    let until = backup_ends(store);
    match info.and_then(|info| info.latest_restore_point()) {
        Some(_) => remains(until, false),
        None if is_on || until.is_some() || had_backup => remains(until, true),
        None => None,
    }
}
