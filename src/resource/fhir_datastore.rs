//! HealthLake FHIR data store.
//!
//! Identity: the id that AWS gives; the name is not unique. Ownership: its tags. Creation and deletion take 15 to 30 minutes
//! and go on in AWS whether or not anyone watches.

mod identity_provider;

use std::collections::BTreeMap;

use aws_sdk_healthlake::types::{
    AnalyticsConfiguration, AnalyticsStatus, BackupConfiguration, BackupStatus, BackupType, CmkType,
    DatastoreProperties, FhirVersion, KmsEncryptionConfig, NlpConfiguration, NlpStatus, PreloadDataConfig,
    PreloadDataType, ProfileConfiguration, SseConfiguration, Tag,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use identity_provider::IdentityProvider;

use super::kms_key::KmsKey;
use super::reference::{Known, Ref, Reference, Text};
use super::tags::{TagChange, as_attribute, is_ours, without_aws};
use super::{
    Attributes, Condition, Context, Identity, Listed, Observed, Occasion, Progress, Resource, Rule, Task, Trail,
    attributes,
};
use crate::aws::{AwsError, Operation};
use crate::config::Backup;
use crate::error::ResourceError;
use crate::plan::{Action, AttributeChange};
use crate::wait::{self, Ended, Look};

/// What the configuration asks for. `None` leaves AWS's default, or what somebody set, alone.
#[derive(Clone, Debug)]
pub struct FhirDatastore {
    /// Its name.
    pub name: String,
    /// The customer's key, or `None` for one that AWS owns.
    pub key: Option<Ref<KmsKey>>,
    /// Whether to begin with synthetic patients.
    pub preload: bool,
    /// SQL analytics.
    pub analytics: Option<bool>,
    /// Medical NLP.
    pub nlp: Option<bool>,
    /// Default FHIR profiles.
    pub default_profiles: Option<Vec<String>>,
    /// Continuous backup.
    pub backup: Option<Backup>,
    /// SMART's identity provider; without one AWS decides who may do what.
    pub identity_provider: Option<IdentityProvider>,
    /// All its tags.
    pub tags: BTreeMap<String, String>,
}

/// What the state file remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Id of the store, 32 hexadecimal digits.
    pub id: String,
    /// ARN as AWS gave it.
    pub arn: String,
    /// FHIR endpoint, ending in a slash.
    pub endpoint: String,
    /// Name of the store.
    pub name: String,
}

impl Ref<FhirDatastore> {
    /// The store's ARN; known as soon as its creation has begun.
    pub fn arn(&self) -> Text {
        self.attribute("arn")
    }
}

/// AWS allows one creation and one deletion a minute and account ("AWS HealthLake endpoints and quotas").
const ONE_A_MINUTE: std::time::Duration = std::time::Duration::from_secs(600);
/// A key, a function or its permission made just before.
const NOT_YET_VISIBLE: &[(&str, &str)] = &[
    ("ValidationException", "KMS"),
    ("AccessDeniedException", "KMS"),
    ("ValidationException", "kms"),
    ("ValidationException", "ambda"),
    ("AccessDeniedException", "ambda"),
];

impl Resource for FhirDatastore {
    const KIND: &'static str = "healthlake_fhir_datastore";
    const RULES: &'static [Rule] = &[
        Rule::replaces("encryption", "HealthLake cannot change the encryption of a store"),
        Rule::replaces("kms_key_arn", "HealthLake cannot change the encryption of a store"),
        Rule::replaces("preload_data_type", "HealthLake preloads data only while it makes a store"),
        Rule::replaces("fhir_version", "HealthLake cannot change the FHIR version of a store"),
    ];
    const PRECIOUS: bool = true;
    type Recorded = Recorded;

    fn references(&self) -> Vec<Reference> {
        let key = self.key.iter().flat_map(|key| key.arn().references().cloned().collect::<Vec<_>>());
        key.chain(self.identity_provider.iter().flat_map(IdentityProvider::references)).collect()
    }

    fn desired(&self, known: &Known) -> Attributes {
        let mut wanted = attributes([
            ("name", json!(self.name)),
            ("fhir_version", json!("R4")),
            ("encryption", json!(if self.key.is_some() { "CUSTOMER_MANAGED_KMS_KEY" } else { "AWS_OWNED_KMS_KEY" })),
            ("kms_key_arn", self.key.as_ref().map_or(Value::Null, |key| json!(known.text(&key.arn())))),
            ("preload_data_type", if self.preload { json!("SYNTHEA") } else { Value::Null }),
            ("tags", as_attribute(&self.tags)),
        ]);
        wanted.extend(identity_provider::desired(self.identity_provider.as_ref(), known));
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                wanted.insert(name.to_owned(), value);
            }
        };
        set("analytics", self.analytics.map(|on| json!(switch(on))));
        set("nlp", self.nlp.map(|on| json!(switch(on))));
        set("default_profiles", self.default_profiles.as_ref().map(|profiles| sorted(profiles)));
        set("backup", self.backup.as_ref().map(|backup| json!(switch(backup.enabled))));
        let backup = self.backup.as_ref();
        set("backup_retention_days", backup.and_then(|backup| backup.retention_days).map(|days| json!(days)));
        set("backup_tags", backup.and_then(|backup| backup.tags).map(|on| json!(on)));
        wanted
    }

    fn foretold(&self, _identity: &Identity, _known: &Known) -> Option<Recorded> {
        None
    }

    async fn find(cx: &Context, trail: &Trail<'_>) -> Result<Option<Recorded>, ResourceError> {
        let known: Vec<&str> = trail.taken.iter().filter_map(|recorded| recorded.get("arn")?.as_str()).collect();
        for store in all_living(cx).await?.into_iter().filter(|store| !known.contains(&store.arn.as_str())) {
            if is_ours(cx, trail.address, &list_tags(cx, &store.arn).await?) {
                return Ok(Some(store));
            }
        }
        Ok(None)
    }

    async fn read(cx: &Context, recorded: &Recorded) -> Result<Option<Observed<Recorded>>, ResourceError> {
        let (store, tags) = tokio::join!(describe(cx, &recorded.id), list_tags(cx, &recorded.arn));
        let Some(store) = store?.filter(|store| !is_ending(store)) else {
            return Ok(None);
        };
        let tags = tags?;
        let mut seen = observed_attributes(&store);
        seen.insert("tags".to_owned(), as_attribute(&tags));
        let condition = condition_of(&store);
        Ok(Some(Observed { recorded: recorded_of(&store), attributes: seen, tags: Some(tags), condition }))
    }

    async fn create(&self, task: &Task<'_>) -> Result<Recorded, ResourceError> {
        let cx = task.cx;
        let tags = as_healthlake_tags(&self.tags)?;
        let encryption = self.encryption(task.known)?;
        let preload = self.preload.then(|| {
            PreloadDataConfig::builder()
                .preload_data_type(PreloadDataType::Synthea)
                .build()
                .map_err(ResourceError::request)
        });
        let preload = preload.transpose()?;
        let provider = self.identity_provider.as_ref();
        let provider = provider.map(|provider| identity_provider::request(Some(provider), task.known)).transpose()?;
        let operation =
            Operation::new("healthlake", "CreateFHIRDatastore").patience(ONE_A_MINUTE).eventually(NOT_YET_VISIBLE);
        let turn = cx.gate.to_create().await;
        let answer = cx
            .call(operation, || {
                let create = cx.clients.healthlake.create_fhir_datastore().datastore_name(&self.name);
                create
                    .datastore_type_version(FhirVersion::R4)
                    .sse_configuration(encryption.clone())
                    .set_preload_data_config(preload.clone())
                    .set_analytics_configuration(self.analytics.map(analytics))
                    .set_nlp_configuration(self.nlp.map(nlp))
                    .set_profile_configuration(self.default_profiles.as_deref().map(profiles))
                    .set_backup_configuration(self.backup.as_ref().map(backup))
                    .set_identity_provider_configuration(provider.clone())
                    .client_token(task.token)
                    .set_tags(Some(tags.clone()))
                    .send()
            })
            .await?;
        drop(turn);
        let given = [&answer.datastore_id, &answer.datastore_arn, &answer.datastore_endpoint];
        if given.into_iter().any(String::is_empty) {
            return Err(AwsError::incomplete("healthlake", "CreateFHIRDatastore", "id, ARN or endpoint").into());
        }
        let recorded = Recorded {
            id: answer.datastore_id,
            arn: answer.datastore_arn,
            endpoint: answer.datastore_endpoint,
            name: self.name.clone(),
        };
        task.identified(&recorded)?;
        Self::settle(task, recorded).await
    }

    async fn update(
        &self,
        task: &Task<'_>,
        recorded: Recorded,
        changes: &[AttributeChange],
    ) -> Result<Recorded, ResourceError> {
        let cx = task.cx;
        let changed = |names: &[&str]| changes.iter().any(|change| names.contains(&change.attribute()));
        // HealthLake takes one change at a time and none while the store is in transition.
        let recorded = settle(task, recorded, task.wait, Impaired::Works).await?;
        if changed(&["tags"]) {
            self.update_tags(cx, &recorded.arn).await?;
        }
        let name = changed(&["name"]);
        let profile = self.default_profiles.as_deref().filter(|_| changed(&["default_profiles"]));
        let backups = self.backup.as_ref().filter(|_| changed(&["backup", "backup_retention_days", "backup_tags"]));
        let provider = changed(&identity_provider::PARTS)
            .then(|| identity_provider::request(self.identity_provider.as_ref(), task.known))
            .transpose()?;
        if name || profile.is_some() || backups.is_some() || provider.is_some() {
            cx.call(update_operation(), || {
                let update = cx.clients.healthlake.update_fhir_datastore().datastore_id(&recorded.id);
                update
                    .set_datastore_name(name.then(|| self.name.clone()))
                    .set_profile_configuration(profile.map(profiles))
                    .set_backup_configuration(backups.map(backup))
                    .set_identity_provider_configuration(provider.clone())
                    .send()
            })
            .await?;
            settle(task, recorded.clone(), true, Impaired::Fails).await?;
        }
        let analysis = self.analytics.filter(|_| changed(&["analytics"]));
        let language = self.nlp.filter(|_| changed(&["nlp"]));
        if analysis.is_some() || language.is_some() {
            cx.call(update_operation(), || {
                let update = cx.clients.healthlake.update_fhir_datastore().datastore_id(&recorded.id);
                update
                    .set_analytics_configuration(analysis.map(analytics))
                    .set_nlp_configuration(language.map(nlp))
                    .send()
            })
            .await?;
        }
        let recorded = Recorded { name: self.name.clone(), ..recorded };
        task.identified(&recorded)?;
        Self::settle(task, recorded).await
    }

    async fn settle(task: &Task<'_>, recorded: Recorded) -> Result<Recorded, ResourceError> {
        settle(task, recorded, task.wait, Impaired::Fails).await
    }

    async fn delete(task: &Task<'_>, recorded: Recorded) -> Result<(), ResourceError> {
        let cx = task.cx;
        let operation = Operation::new("healthlake", "DeleteFHIRDatastore").patience(ONE_A_MINUTE);
        match describe(cx, &recorded.id).await? {
            None => return Ok(()),
            Some(store) if is_gone(&store) => return Ok(()),
            Some(store) if is_ending(&store) => {}
            Some(_) => {
                match settle(task, recorded.clone(), task.wait, Impaired::Works).await {
                    // A store that could not be made, or changed, can still be deleted.
                    Ok(_) | Err(ResourceError::Failed { .. }) => {}
                    Err(error) => return Err(error),
                }
                let turn = cx.gate.to_delete().await;
                let delete = || cx.clients.healthlake.delete_fhir_datastore().datastore_id(&recorded.id).send();
                match cx.call(operation, delete).await {
                    Ok(_) => {}
                    Err(error) if error.is_not_found() => return Ok(()),
                    Err(error) => return Err(error.into()),
                }
                drop(turn);
            }
        }
        wait_until_gone(task, &recorded.id).await
    }

    fn name(recorded: &Recorded) -> String {
        recorded.name.clone()
    }

    fn import_id(recorded: &Recorded) -> String {
        recorded.id.clone()
    }

    fn of_import_id(identity: &Identity, id: &str) -> Option<Recorded> {
        let id = id.rsplit('/').next()?;
        let is_id = id.len() == 32 && id.chars().all(|char| char.is_ascii_hexdigit());
        let Identity { account, region, partition, .. } = identity;
        let arn = format!("arn:{partition}:healthlake:{region}:{account}:datastore/fhir/{id}");
        is_id.then(|| Recorded { id: id.to_owned(), arn, endpoint: String::new(), name: String::new() })
    }

    async fn list(cx: &Context) -> Result<Vec<Listed<Recorded>>, ResourceError> {
        let mut listed = Vec::new();
        for recorded in all_living(cx).await? {
            let tags = list_tags(cx, &recorded.arn).await?;
            listed.push(Listed { recorded, tags });
        }
        Ok(listed)
    }

    /// As the module's users saw it, and as the dates in the guide's EventBridge examples show.
    fn usual_time(action: Action) -> Option<&'static str> {
        match action {
            Action::Create | Action::Replace | Action::Settle => Some("usually 20 to 30 min"),
            Action::Delete => Some("usually 15 to 20 min"),
            _ => None,
        }
    }

    fn meaning(occasion: &Occasion<'_>) -> Vec<String> {
        match occasion.action {
            Action::Delete => vec!["The store and every patient record in it are deleted for good.".to_owned()],
            Action::Replace => vec![
                "A new, empty store takes its place, with another id and endpoint; every patient record in the old one is \
                 deleted for good."
                    .to_owned(),
            ],
            Action::Create if occasion.vanished => {
                vec!["The missing store's records are gone; the new store is empty, with another id and endpoint.".to_owned()]
            }
            Action::Create => vec!["Creation takes 20 to 30 minutes in AWS.".to_owned()],
            Action::Update => {
                let mut sentences = vec!["The store keeps its id, its endpoint and its data.".to_owned()];
                if occasion.changed.contains(&"authorization_strategy") {
                    sentences.push("Whoever uses the store must log in another way from then on.".to_owned());
                }
                sentences
            }
            _ => Vec::new(),
        }
    }
}

impl FhirDatastore {
    /// Always said: a SMART store needs it said, and for others it changes nothing.
    fn encryption(&self, known: &Known) -> Result<SseConfiguration, ResourceError> {
        let kind = if self.key.is_some() { CmkType::CmCmk } else { CmkType::AoCmk };
        let key = self.key.as_ref().map(|key| known.text(&key.arn()));
        let config = KmsEncryptionConfig::builder()
            .cmk_type(kind)
            .set_kms_key_id(key)
            .build()
            .map_err(ResourceError::request)?;
        Ok(SseConfiguration::builder().kms_encryption_config(config).build())
    }

    async fn update_tags(&self, cx: &Context, arn: &str) -> Result<(), ResourceError> {
        let healthlake = &cx.clients.healthlake;
        let change = TagChange::between(&list_tags(cx, arn).await?, &self.tags);
        if !change.set.is_empty() {
            let tags = as_healthlake_tags(&change.set)?;
            let tag = || healthlake.tag_resource().resource_arn(arn).set_tags(Some(tags.clone())).send();
            cx.call(Operation::new("healthlake", "TagResource"), tag).await?;
        }
        if !change.remove.is_empty() {
            let untag =
                || healthlake.untag_resource().resource_arn(arn).set_tag_keys(Some(change.remove.clone())).send();
            cx.call(Operation::new("healthlake", "UntagResource"), untag).await?;
        }
        Ok(())
    }
}

/// One change at a time: another one under way is waited out.
fn update_operation() -> Operation {
    Operation::new("healthlake", "UpdateFHIRDatastore").eventually(&[("ConflictException", "")])
}

async fn all_living(cx: &Context) -> Result<Vec<Recorded>, AwsError> {
    let mut living = Vec::new();
    let mut token = None;
    loop {
        let list = || cx.clients.healthlake.list_fhir_datastores().set_next_token(token.clone()).send();
        let page = cx.call(Operation::new("healthlake", "ListFHIRDatastores"), list).await?;
        for store in page.datastore_properties_list().iter().filter(|store| !is_ending(store)) {
            living.push(recorded_of(&whole("ListFHIRDatastores", store.clone())?));
        }
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            return Ok(living);
        }
    }
}

async fn describe(cx: &Context, id: &str) -> Result<Option<DatastoreProperties>, AwsError> {
    let describe = || cx.clients.healthlake.describe_fhir_datastore().datastore_id(id).send();
    match cx.call(Operation::new("healthlake", "DescribeFHIRDatastore"), describe).await {
        Ok(answer) => match answer.datastore_properties {
            Some(store) => whole("DescribeFHIRDatastore", store).map(Some),
            None => Err(AwsError::incomplete("healthlake", "DescribeFHIRDatastore", "data store")),
        },
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The SDK puts nothing in the place of what AWS should have said and has not.
fn whole(operation: &'static str, store: DatastoreProperties) -> Result<DatastoreProperties, AwsError> {
    let parts = [
        ("id", store.datastore_id()),
        ("ARN", store.datastore_arn()),
        ("endpoint", store.datastore_endpoint()),
        ("status", store.datastore_status().as_str()),
    ];
    let missing = parts.into_iter().find(|(_, value)| value.is_empty()).map(|(name, _)| name);
    match missing {
        Some(missing) => Err(AwsError::incomplete("healthlake", operation, missing)),
        None => Ok(store),
    }
}

/// What a store counts as whose last change AWS gave up.
#[derive(Clone, Copy)]
enum Impaired {
    /// It works, and can be changed or deleted.
    Works,
    /// The change was ours.
    Fails,
}

async fn settle(
    task: &Task<'_>,
    recorded: Recorded,
    wait: bool,
    impaired: Impaired,
) -> Result<Recorded, ResourceError> {
    let cx = task.cx;
    let id = recorded.id.as_str();
    let look = async || {
        let store = describe(cx, id).await?.filter(|store| !is_ending(store)).ok_or(ResourceError::Vanished)?;
        match condition_of(&store) {
            Condition::Ready => Ok(Look::Ready(recorded_of(&store))),
            Condition::Changing(status) if wait => Ok(Look::Pending(status)),
            Condition::Changing(status) | Condition::Ending { what: status, .. } => {
                Err(ResourceError::StillGoing { status })
            }
            Condition::Failed { status, cause } => Err(ResourceError::Failed { status, cause }),
            Condition::Impaired { status, cause } => match impaired {
                Impaired::Works => Ok(Look::Ready(recorded_of(&store))),
                Impaired::Fails => Err(ResourceError::Failed { status, cause }),
            },
        }
    };
    let seen = |status: &str| task.progress(Progress::Status(status.to_owned()));
    wait::until(cx.pace, &cx.stop, seen, look).await.map_err(|ended| ended_as_error(ended, cx))
}

async fn wait_until_gone(task: &Task<'_>, id: &str) -> Result<(), ResourceError> {
    let cx = task.cx;
    let look = async || match describe(cx, id).await? {
        None => Ok(Look::Ready(())),
        Some(store) if is_gone(&store) => Ok(Look::Ready(())),
        Some(store) => match condition_of(&store) {
            Condition::Failed { status, cause } if store.error_cause().is_some() => {
                Err(ResourceError::Failed { status, cause })
            }
            _ if !task.wait => Err(ResourceError::StillGoing { status: status_of(&store) }),
            _ => Ok(Look::Pending(status_of(&store))),
        },
    };
    let seen = |status: &str| task.progress(Progress::Status(status.to_owned()));
    wait::until(cx.pace, &cx.stop, seen, look).await.map_err(|ended| ended_as_error(ended, cx))
}

fn ended_as_error(ended: Ended<ResourceError>, cx: &Context) -> ResourceError {
    match ended {
        Ended::TimedOut(status) => ResourceError::TimedOut { status, waited: cx.pace.timeout },
        ended => ended.into(),
    }
}

fn status_of(store: &DatastoreProperties) -> String {
    store.datastore_status().as_str().to_owned()
}

/// A deleted store is described for seven days more (HealthLake developer guide, "Deleting a data store").
fn is_gone(store: &DatastoreProperties) -> bool {
    store.datastore_status().as_str() == "DELETED"
}

fn is_ending(store: &DatastoreProperties) -> bool {
    matches!(store.datastore_status().as_str(), "DELETED" | "DELETING")
}

/// Statuses as the guide explains them; one that hlctl does not know is a change under way, for AWS adds some over time.
fn condition_of(store: &DatastoreProperties) -> Condition {
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

fn recorded_of(store: &DatastoreProperties) -> Recorded {
    Recorded {
        id: store.datastore_id().to_owned(),
        arn: store.datastore_arn().to_owned(),
        endpoint: store.datastore_endpoint().to_owned(),
        name: store.datastore_name().unwrap_or_default().to_owned(),
    }
}

fn observed_attributes(store: &DatastoreProperties) -> Attributes {
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

fn switch(on: bool) -> &'static str {
    if on { "ENABLED" } else { "DISABLED" }
}

/// A switch on its way counts as where it is going.
fn settled(status: &str) -> &str {
    match status {
        "ENABLING" => "ENABLED",
        "DISABLING" => "DISABLED",
        other => other,
    }
}

fn sorted(profiles: &[String]) -> Value {
    let mut profiles = profiles.to_vec();
    profiles.sort();
    json!(profiles)
}

fn analytics(on: bool) -> AnalyticsConfiguration {
    AnalyticsConfiguration::builder().status(AnalyticsStatus::from(switch(on))).build()
}

fn nlp(on: bool) -> NlpConfiguration {
    NlpConfiguration::builder().status(NlpStatus::from(switch(on))).build()
}

fn profiles(profiles: &[String]) -> ProfileConfiguration {
    ProfileConfiguration::builder().set_default_profiles(Some(profiles.to_vec())).build()
}

fn backup(backup: &Backup) -> BackupConfiguration {
    BackupConfiguration::builder()
        .status(BackupStatus::from(switch(backup.enabled)))
        .set_backup_type(backup.enabled.then_some(BackupType::Continuous))
        .set_retention_period_in_days(backup.retention_days.map(i32::from))
        .set_backup_tags_enabled(backup.tags)
        .build()
}

fn as_healthlake_tags(tags: &BTreeMap<String, String>) -> Result<Vec<Tag>, ResourceError> {
    tags.iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build().map_err(ResourceError::request))
        .collect()
}

async fn list_tags(cx: &Context, arn: &str) -> Result<BTreeMap<String, String>, AwsError> {
    let list = || cx.clients.healthlake.list_tags_for_resource().resource_arn(arn).send();
    match cx.call(Operation::new("healthlake", "ListTagsForResource"), list).await {
        Ok(answer) => Ok(without_aws(answer.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())))),
        Err(error) if error.is_not_found() => Ok(BTreeMap::new()),
        Err(error) => Err(error),
    }
}
