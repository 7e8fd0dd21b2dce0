//! HealthLake FHIR data store.
//!
//! Identity: the id that AWS gives; the name is not unique. Ownership: its tags. Creation and deletion take 15 to 30 minutes
//! and go on in AWS whether or not anyone watches.

mod await_store;
mod identity_provider;
mod impact;
mod look;
mod request;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_healthlake::types::{FhirVersion, IdentityProviderConfiguration};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use identity_provider::IdentityProvider;
pub(super) use look::list_tags;
pub use look::{BackupWindow, Vitals, vitals};

use super::kms_key::KmsKey;
use super::reference::{Known, Ref, Reference, Text};
use super::tags::{TagChange, as_attribute, is_ours};
use super::{
    Attributes, Context, Identity, Listed, Observed, PlannedChange, RecoveryHint, Remains, Resource, ResourceError,
    Rule, Task, attributes,
};
use await_store::{Begun, Impaired, order_deletion, send_update, settle, wait_until_gone};
use hlctl_aws::{AwsError, Call, Met, Operation, ops};
use hlctl_config::{Analytics, Backup};
use hlctl_engine::wait::Due;
use hlctl_model::address::Address;
use hlctl_model::{Action, AttributeChange};
use look::{
    all_living, condition_of, describe, is_ending, observed_attributes, recorded_of, remains_of, sorted, switch,
};
use request::{analytics, as_healthlake_tags, backup, encryption, nlp, preload, profiles, restore_configuration};

/// What the configuration asks for. `None` leaves AWS's default, or what somebody set, alone.
#[derive(Clone, Debug)]
pub struct FhirDatastore {
    /// Its name.
    pub name: String,
    /// The customer's key, or `None` for one that AWS owns.
    pub key: Option<Ref<KmsKey>>,
    /// What it begins with.
    pub beginning: InitialData,
    /// SQL analytics.
    pub analytics: Option<Analytics>,
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
    /// Whether it is only kept as it is: nothing of it is compared but its tags.
    pub kept: bool,
}

/// What a store holds when it is ready for the first time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InitialData {
    /// Nothing.
    Empty,
    /// Synthetic patients.
    Synthea,
    /// What another store held.
    Restored {
        /// Id of that store.
        source: String,
        /// Seconds since 1970; `None` for the latest point that can be restored.
        at: Option<i64>,
    },
    /// Nothing, or whatever came later from elsewhere: not compared.
    Any,
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

/// How long throttling is tolerated: AWS allows one creation and one deletion a minute and account ("AWS HealthLake endpoints and
/// quotas"), and others may be before us.
const TURN_PATIENCE: std::time::Duration = std::time::Duration::from_secs(600);
fn creation(operation: &'static Operation) -> Call {
    operation.patience(TURN_PATIENCE).eventually(NOT_YET_VISIBLE).unseen(UNSEEN)
}

/// A key, a function or its permission made just before.
const NOT_YET_VISIBLE: &[(&str, &str)] = &[
    ("ValidationException", "KMS"),
    ("AccessDeniedException", "KMS"),
    ("ValidationException", "kms"),
    ("ValidationException", "ambda"),
    ("AccessDeniedException", "ambda"),
];
/// What HealthLake does not see yet, by a word of its refusal.
const UNSEEN: &[(&str, &str)] = &[("KMS", "the key"), ("kms", "the key"), ("ambda", "the function")];

impl Resource for FhirDatastore {
    const KIND: &'static str = "healthlake_fhir_datastore";
    const RULES: &'static [Rule] = &[
        Rule::replaces("encryption", "HealthLake cannot change the encryption of a store"),
        Rule::replaces("kms_key_arn", "HealthLake cannot change the encryption of a store"),
        Rule::replaces("preload_data_type", "HealthLake preloads data only while it creates a store"),
        Rule::replaces("fhir_version", "HealthLake cannot change the FHIR version of a store"),
        // The guide pauses analytics and turns them off nowhere; where that is all that comes of it, it is as good.
        Rule::enough("analytics", &[("DISABLED", "PAUSED")]),
    ];
    const PRECIOUS: bool = true;
    type Recorded = Recorded;

    fn references(&self) -> Vec<Reference> {
        let key = self.key.iter().flat_map(|key| key.arn().references().cloned().collect::<Vec<_>>());
        key.chain(self.identity_provider.iter().flat_map(IdentityProvider::references)).collect()
    }

    fn desired(&self, known: &Known) -> Attributes {
        if self.kept {
            return attributes([("tags", as_attribute(&self.tags))]);
        }
        let mut wanted = attributes([
            ("name", json!(self.name)),
            ("fhir_version", json!("R4")),
            ("encryption", json!(if self.key.is_some() { "CUSTOMER_MANAGED_KMS_KEY" } else { "AWS_OWNED_KMS_KEY" })),
            ("kms_key_arn", self.key.as_ref().map_or(Value::Null, |key| known.shown(&key.arn()))),
            ("tags", as_attribute(&self.tags)),
        ]);
        match self.beginning {
            InitialData::Empty => drop(wanted.insert("preload_data_type".to_owned(), Value::Null)),
            InitialData::Synthea => drop(wanted.insert("preload_data_type".to_owned(), json!("SYNTHEA"))),
            InitialData::Restored { .. } | InitialData::Any => {}
        }
        wanted.extend(identity_provider::desired(self.identity_provider.as_ref(), known));
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                wanted.insert(name.to_owned(), value);
            }
        };
        set("analytics", self.analytics.map(|on| json!(on.status())));
        set("nlp", self.nlp.map(|on| json!(switch(on))));
        set("default_profiles", self.default_profiles.as_ref().map(|profiles| sorted(profiles)));
        set("backup", self.backup.as_ref().map(|backup| json!(switch(backup.enabled))));
        let backup = self.backup.as_ref();
        set("backup_retention_days", backup.and_then(|backup| backup.retention_days).map(|days| json!(days)));
        set("backup_tags", backup.and_then(|backup| backup.tags).map(|on| json!(on)));
        wanted
    }

    fn predicted(&self, _identity: &Identity, _known: &Known) -> Option<Recorded> {
        None
    }

    async fn find(cx: &Context, recovery: &RecoveryHint<'_>) -> Result<Option<Recorded>, ResourceError> {
        ours(cx, recovery.address, recovery.taken).await
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

    async fn remains(
        cx: &Context,
        recorded: &Recorded,
        attributes: &Attributes,
    ) -> Result<Option<Remains>, ResourceError> {
        let had_backup = attributes.get("backup").is_some_and(|backup| backup == switch(true));
        Ok(remains_of(&recorded.id, describe(cx, &recorded.id).await?.as_ref(), had_backup))
    }

    async fn create(&self, task: &Task<'_>) -> Result<Recorded, ResourceError> {
        let recorded = match &self.beginning {
            InitialData::Restored { source, at } => self.restore(task, source, *at).await?,
            _ => self.make(task).await?,
        };
        task.identified(&recorded)?;
        let recorded = settle(task, recorded, task.wait, Begun::Now, Impaired::Fails).await?;
        match (&self.beginning, &self.backup) {
            // A restored store has no backup of its own, and the request has no place for it.
            (InitialData::Restored { .. }, Some(backups)) => {
                let healthlake = &task.cx.clients.healthlake;
                let update = || {
                    let update = healthlake.update_fhir_datastore().datastore_id(&recorded.id);
                    update.backup_configuration(backup(backups)).send()
                };
                send_update(task, &recorded.id, update).await?;
                Self::settle(task, recorded).await
            }
            _ => Ok(recorded),
        }
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
        let recorded = settle(task, recorded, task.wait, Begun::Earlier, Impaired::Works).await?;
        if changed(&["tags"]) {
            put_tags(cx, &recorded.arn, &self.tags).await?;
        }
        let name = changed(&["name"]);
        let profile = self.default_profiles.as_deref().filter(|_| changed(&["default_profiles"]));
        let backups = self.backup.as_ref().filter(|_| changed(&["backup", "backup_retention_days", "backup_tags"]));
        let provider = changed(&identity_provider::PARTS)
            .then(|| identity_provider::request(self.identity_provider.as_ref(), task))
            .transpose()?;
        if name || profile.is_some() || backups.is_some() || provider.is_some() {
            send_update(task, &recorded.id, || {
                let update = cx.clients.healthlake.update_fhir_datastore().datastore_id(&recorded.id);
                update
                    .set_datastore_name(name.then(|| self.name.clone()))
                    .set_profile_configuration(profile.map(profiles))
                    .set_backup_configuration(backups.map(backup))
                    .set_identity_provider_configuration(provider.clone())
                    .send()
            })
            .await?;
            settle(task, recorded.clone(), true, Begun::Earlier, Impaired::Fails).await?;
        }
        let analysis = self.analytics.filter(|_| changed(&["analytics"]));
        let language = self.nlp.filter(|_| changed(&["nlp"]));
        if analysis.is_some() || language.is_some() {
            send_update(task, &recorded.id, || {
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
        settle(task, recorded, task.wait, Begun::Earlier, Impaired::Fails).await
    }

    async fn delete(task: &Task<'_>, recorded: Recorded) -> Result<(), ResourceError> {
        let begun = order_deletion(task, &recorded).await?;
        wait_until_gone(task, &recorded.id, begun).await
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

    fn usual_range(action: Action) -> Option<Due> {
        let minutes = |from: u64, until: u64| Due {
            from: Duration::from_secs(60 * from),
            until: Duration::from_secs(60 * until),
        };
        match action {
            Action::Create | Action::Replace | Action::Settle => Some(minutes(20, 30)),
            Action::Delete => Some(minutes(15, 20)),
            _ => None,
        }
    }

    fn impact(planned: &PlannedChange<'_>) -> Vec<String> {
        match planned.action {
            Action::Delete => vec![impact::of_deletion(planned)],
            Action::Replace => vec![impact::of_replacement(planned)],
            Action::Create if planned.vanished => vec![impact::of_new_one(planned)],
            Action::Create => vec!["Creation takes 20 to 30 minutes in AWS.".to_owned()],
            Action::Update => {
                let mut sentences = vec!["The store keeps its id, its endpoint and its data.".to_owned()];
                if planned.changed.contains(&"authorization_strategy") {
                    sentences.push("From then on, users of the store have to log in in another way.".to_owned());
                }
                sentences.extend(impact::of_analytics(planned));
                sentences
            }
            _ => Vec::new(),
        }
    }
}

/// The living store with our tags that is none of those in `taken`.
async fn ours(cx: &Context, address: &Address, taken: &[Value]) -> Result<Option<Recorded>, ResourceError> {
    let taken: Vec<&str> = taken.iter().filter_map(|recorded| recorded.get("arn")?.as_str()).collect();
    for store in all_living(cx).await?.into_iter().filter(|store| !taken.contains(&store.arn.as_str())) {
        if is_ours(cx, address, &list_tags(cx, &store.arn).await?) {
            return Ok(Some(store));
        }
    }
    Ok(None)
}

impl FhirDatastore {
    async fn make(&self, task: &Task<'_>) -> Result<Recorded, ResourceError> {
        let cx = task.cx;
        let tags = as_healthlake_tags(&self.tags)?;
        let encryption = encryption(self.key.as_ref(), task)?;
        let preload = (self.beginning == InitialData::Synthea).then(preload).transpose()?;
        let provider = self.provider(task)?;
        let turn = cx.gate.to_create().await;
        let answer = cx
            .call(creation(ops::healthlake::CREATE_FHIR_DATASTORE), || {
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
        let given = [answer.datastore_id, answer.datastore_arn, answer.datastore_endpoint];
        self.recorded(ops::healthlake::CREATE_FHIR_DATASTORE, given)
    }

    /// Nothing of the source's settings comes along, so that all of them are said ("Restoring a data store", HealthLake
    /// developer guide).
    async fn restore(&self, task: &Task<'_>, source: &str, at: Option<i64>) -> Result<Recorded, ResourceError> {
        let cx = task.cx;
        let tags = as_healthlake_tags(&self.tags)?;
        let encryption = encryption(self.key.as_ref(), task)?;
        let provider = self.provider(task)?;
        let configuration = restore_configuration(at);
        let turn = cx.gate.to_create().await;
        let answer = cx
            .call(creation(ops::healthlake::RESTORE_FHIR_DATASTORE), || {
                let restore = cx.clients.healthlake.restore_fhir_datastore().source_datastore_id(source);
                restore
                    .datastore_name(&self.name)
                    .restore_configuration(configuration.clone())
                    .sse_configuration(encryption.clone())
                    .set_analytics_configuration(self.analytics.map(analytics))
                    .set_nlp_configuration(self.nlp.map(nlp))
                    .set_profile_configuration(self.default_profiles.as_deref().map(profiles))
                    .set_identity_provider_configuration(provider.clone())
                    .client_token(task.token)
                    .set_tags(Some(tags.clone()))
                    .send()
            })
            .await;
        drop(turn);
        match answer {
            Ok(answer) => {
                let given = [answer.datastore_id, answer.datastore_arn, answer.datastore_endpoint];
                self.recorded(ops::healthlake::RESTORE_FHIR_DATASTORE, given)
            }
            // A store is restored once at a time: it may be our own first attempt that is in the way.
            Err(error) if error.meets() == Some(Met::InTransition) => {
                ours(cx, task.address, task.others).await?.ok_or_else(|| error.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn recorded(&self, operation: &'static Operation, given: [String; 3]) -> Result<Recorded, ResourceError> {
        if given.iter().any(String::is_empty) {
            return Err(AwsError::incomplete(operation, "id, ARN or endpoint").into());
        }
        let [id, arn, endpoint] = given;
        Ok(Recorded { id, arn, endpoint, name: self.name.clone() })
    }

    fn provider(&self, task: &Task<'_>) -> Result<Option<IdentityProviderConfiguration>, ResourceError> {
        let provider = self.identity_provider.as_ref();
        provider.map(|provider| identity_provider::request(Some(provider), task)).transpose()
    }
}

/// Makes the tags of a store, or of anything else of HealthLake's, those that are wanted.
pub(super) async fn put_tags(cx: &Context, arn: &str, wanted: &BTreeMap<String, String>) -> Result<(), ResourceError> {
    let healthlake = &cx.clients.healthlake;
    let change = TagChange::between(&list_tags(cx, arn).await?, wanted);
    if !change.set.is_empty() {
        let tags = as_healthlake_tags(&change.set)?;
        let tag = || healthlake.tag_resource().resource_arn(arn).set_tags(Some(tags.clone())).send();
        cx.call(ops::healthlake::TAG_RESOURCE, tag).await?;
    }
    if !change.remove.is_empty() {
        let untag = || healthlake.untag_resource().resource_arn(arn).set_tag_keys(Some(change.remove.clone())).send();
        cx.call(ops::healthlake::UNTAG_RESOURCE, untag).await?;
    }
    Ok(())
}
