//! Customer-managed symmetric KMS key with yearly rotation.
//!
//! Identity: the key's ARN. Ownership: its tags. Deletion only orders the end; the key waits out its window first.

mod grants;
mod usage;

use std::collections::BTreeMap;

use aws_sdk_kms::types::{KeyMetadata, KeyState, Tag};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::once::create_once;
use super::policy::{self, Document};
use super::reference::{Known, Ref, Reference, Text};
use super::tags::{TagChange, as_attribute, is_ours, without_aws};
use super::{
    Attachment, Attributes, Condition, Context, Identity, Listed, Observed, PlannedChange, RecoveryHint, Resource,
    ResourceError, Rule, Task, attributes,
};
use hlctl_aws::{AwsError, ErrorKind, Met, cli, ops};
use hlctl_model::address::Address;
use hlctl_model::{Action, AttributeChange};

pub use grants::GRANT;
pub use usage::last_usage;

/// What the configuration asks for.
#[derive(Clone, Debug)]
pub struct KmsKey {
    /// What it is for, in words.
    pub description: String,
    /// Who may do what with it.
    pub policy: Document,
    /// All its tags.
    pub tags: BTreeMap<String, String>,
}

/// What the state file remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// ARN of the key.
    pub arn: String,
    /// Its id: the last part of the ARN.
    pub id: String,
}

impl Ref<KmsKey> {
    /// The key's ARN.
    pub fn arn(&self) -> Text {
        self.attribute("arn")
    }
}

/// A new key is not visible everywhere at once (KMS API reference, "Eventual consistency").
const NOT_YET_VISIBLE: &[(&str, &str)] = &[("NotFoundException", "")];
/// A principal in the policy may be too new for KMS to see (KMS API reference, `PutKeyPolicy`, parameter `Policy`).
const PRINCIPAL_NOT_YET_VISIBLE: &[(&str, &str)] =
    &[("NotFoundException", ""), ("MalformedPolicyDocumentException", "rincipal")];

impl Resource for KmsKey {
    const KIND: &'static str = "kms_key";
    const RULES: &'static [Rule] = &[Rule::document("policy")];
    const PRECIOUS: bool = true;
    const NAMELESS: bool = true;
    type Recorded = Recorded;

    fn references(&self) -> Vec<Reference> {
        self.policy.references()
    }

    fn desired(&self, known: &Known) -> Attributes {
        attributes([
            ("description", json!(self.description)),
            ("enabled", json!(true)),
            ("rotation_enabled", json!(true)),
            ("policy", self.policy.render(known)),
            ("tags", as_attribute(&self.tags)),
        ])
    }

    fn predicted(&self, _identity: &Identity, _known: &Known) -> Option<Recorded> {
        None
    }

    async fn find(cx: &Context, recovery: &RecoveryHint<'_>) -> Result<Option<Recorded>, ResourceError> {
        search(cx, recovery.address, recovery.taken).await
    }

    async fn read(cx: &Context, recorded: &Recorded) -> Result<Option<Observed<Recorded>>, ResourceError> {
        let id = &recorded.id;
        let kms = &cx.clients.kms;
        let (metadata, policy, rotation, tags) = tokio::join!(
            cx.call(ops::kms::DESCRIBE_KEY, || kms.describe_key().key_id(id).send()),
            cx.call(ops::kms::GET_KEY_POLICY, || kms.get_key_policy().key_id(id).policy_name("default").send()),
            cx.call(ops::kms::GET_KEY_ROTATION_STATUS, || kms.get_key_rotation_status().key_id(id).send()),
            list_tags(cx, id),
        );
        let metadata = match metadata {
            Ok(answer) => answer.key_metadata,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let metadata = metadata.ok_or_else(|| AwsError::incomplete(ops::kms::DESCRIBE_KEY, "metadata"))?;
        let tags = tags?;
        let document = policy?.policy.unwrap_or_default();
        let rotation = match rotation {
            Ok(answer) => answer.key_rotation_enabled(),
            // KMS does not answer for a disabled key; once that is enabled, it does again.
            Err(error) if error.kind == ErrorKind::Conflict => false,
            Err(error) => return Err(error.into()),
        };
        let attributes = attributes([
            ("description", json!(metadata.description().unwrap_or_default())),
            ("enabled", json!(metadata.enabled())),
            ("rotation_enabled", json!(rotation)),
            ("policy", policy::normalise(&serde_json::from_str(&document).unwrap_or(Value::String(document)))),
            ("tags", as_attribute(&tags)),
        ]);
        let condition = if is_ending(&metadata) { ending(&metadata, &cx.identity.region) } else { Condition::Ready };
        Ok(Some(Observed { recorded: recorded.clone(), attributes, tags: Some(tags), condition }))
    }

    /// Who may use it by a grant.
    async fn attachments(cx: &Context, recorded: &Recorded) -> Result<Vec<Attachment>, ResourceError> {
        grants::all(cx, &recorded.id).await
    }

    async fn create(&self, task: &Task<'_>) -> Result<Recorded, ResourceError> {
        let recorded = self.make(task).await?;
        task.identified(&recorded)?;
        enable_rotation(task.cx, &recorded.id).await?;
        Ok(recorded)
    }

    async fn update(
        &self,
        task: &Task<'_>,
        recorded: Recorded,
        changes: &[AttributeChange],
    ) -> Result<Recorded, ResourceError> {
        let cx = task.cx;
        let kms = &cx.clients.kms;
        let id = &recorded.id;
        let changed = |name: &str| changes.iter().any(|change| change.attribute() == name);
        if changed("enabled") {
            let call = ops::kms::ENABLE_KEY.eventually(NOT_YET_VISIBLE);
            cx.call(call, || kms.enable_key().key_id(id).send()).await?;
        }
        if changed("policy") {
            let document = self.policy.text(task)?;
            let call = ops::kms::PUT_KEY_POLICY.eventually(PRINCIPAL_NOT_YET_VISIBLE);
            cx.call(call, || kms.put_key_policy().key_id(id).policy_name("default").policy(&document).send()).await?;
        }
        if changed("description") {
            let call = ops::kms::UPDATE_KEY_DESCRIPTION.eventually(NOT_YET_VISIBLE);
            cx.call(call, || kms.update_key_description().key_id(id).description(&self.description).send()).await?;
        }
        if changed("rotation_enabled") || changed("enabled") {
            enable_rotation(cx, id).await?;
        }
        if changed("tags") {
            self.update_tags(cx, id).await?;
        }
        Ok(recorded)
    }

    async fn delete(task: &Task<'_>, recorded: Recorded) -> Result<(), ResourceError> {
        let cx = task.cx;
        let window = i32::from(cx.settings.kms_deletion_window_in_days);
        let result = cx
            .call(ops::kms::SCHEDULE_KEY_DELETION, || {
                cx.clients.kms.schedule_key_deletion().key_id(&recorded.id).pending_window_in_days(window).send()
            })
            .await;
        match result {
            Ok(_) => Ok(()),
            Err(error) if error.is_not_found() => Ok(()),
            // Pending deletion already, or in a state in which nobody can order it.
            Err(error) if error.meets() == Some(Met::InTransition) => match living(cx, &recorded.arn).await? {
                None => Ok(()),
                Some(_) => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    fn name(recorded: &Recorded) -> String {
        recorded.id.clone()
    }

    fn import_id(recorded: &Recorded) -> String {
        recorded.id.clone()
    }

    fn of_import_id(identity: &Identity, id: &str) -> Option<Recorded> {
        let id = id.rsplit('/').next().filter(|id| !id.is_empty())?;
        let Identity { account, region, partition, .. } = identity;
        let arn = format!("arn:{partition}:kms:{region}:{account}:key/{id}");
        (!id.contains(':')).then(|| Recorded { arn, id: id.to_owned() })
    }

    async fn list(cx: &Context) -> Result<Vec<Listed<Recorded>>, ResourceError> {
        let mut listed = Vec::new();
        for arn in arns_of_all(cx).await? {
            // Keys on their way out are nobody's, nor those that we may not look into.
            let Some(tags) = tags_if_allowed(cx, &arn).await? else { continue };
            if let Some(recorded) = living(cx, &arn).await? {
                listed.push(Listed { recorded, tags });
            }
        }
        Ok(listed)
    }

    fn impact(planned: &PlannedChange<'_>) -> Vec<String> {
        let days = planned.settings.kms_deletion_window_in_days;
        match planned.action {
            Action::Delete | Action::Replace => {
                let ends = format!(
                    "The key is deleted on {}, {days} days from now. What it encrypts becomes unreadable as soon as the \
                     deletion is scheduled, and is lost for good after that day.",
                    hlctl_model::text::date_in(days)
                );
                let key = planned.recorded.and_then(|recorded| Recorded::deserialize(recorded).ok());
                let cancel =
                    key.map(|key| format!(" To cancel it before then: {}", cancel_deletion(&key.arn, &key.id)));
                vec![ends + &cancel.unwrap_or_default()]
            }
            Action::Create if planned.vanished => {
                vec!["What the missing key encrypted stays unreadable: the new key cannot read it.".to_owned()]
            }
            _ => Vec::new(),
        }
    }
}

impl KmsKey {
    /// CreateKey has no idempotency token, so after a lost answer the key is looked for by its tags before another is made.
    async fn make(&self, task: &Task<'_>) -> Result<Recorded, ResourceError> {
        let cx = task.cx;
        let document = self.policy.text(task)?;
        let tags: Vec<Tag> = as_kms_tags(&self.tags)?;
        let call = ops::kms::CREATE_KEY.eventually(PRINCIPAL_NOT_YET_VISIBLE);
        let create = async || {
            let send = || {
                let create = cx.clients.kms.create_key().description(&self.description);
                create.policy(&document).set_tags(Some(tags.clone())).send()
            };
            let made = cx.call(call, send).await?.key_metadata.and_then(|metadata| recorded_of(&metadata));
            made.ok_or_else(|| ResourceError::Answer("kms:CreateKey returned no ARN".to_owned()))
        };
        create_once(task, create, || search(cx, task.address, task.others)).await
    }

    async fn update_tags(&self, cx: &Context, id: &str) -> Result<(), ResourceError> {
        let kms = &cx.clients.kms;
        let change = TagChange::between(&list_tags(cx, id).await?, &self.tags);
        if !change.set.is_empty() {
            let tags = as_kms_tags(&change.set)?;
            let call = ops::kms::TAG_RESOURCE.eventually(NOT_YET_VISIBLE);
            cx.call(call, || kms.tag_resource().key_id(id).set_tags(Some(tags.clone())).send()).await?;
        }
        if !change.remove.is_empty() {
            let call = ops::kms::UNTAG_RESOURCE.eventually(NOT_YET_VISIBLE);
            cx.call(call, || kms.untag_resource().key_id(id).set_tag_keys(Some(change.remove.clone())).send()).await?;
        }
        Ok(())
    }
}

/// The living key with our tags that is none of those in `taken`: a key that this one is to replace carries them too.
async fn search(cx: &Context, address: &Address, taken: &[Value]) -> Result<Option<Recorded>, ResourceError> {
    let taken: Vec<&str> = taken.iter().filter_map(|recorded| recorded.get("arn")?.as_str()).collect();
    let arns = arns_of_all(cx).await?;
    for arn in arns.iter().filter(|arn| !taken.contains(&arn.as_str())) {
        if let Some(found) = ours(cx, address, arn).await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

async fn arns_of_all(cx: &Context) -> Result<Vec<String>, AwsError> {
    let mut arns = Vec::new();
    let mut marker = None;
    loop {
        let list = || cx.clients.kms.list_keys().limit(1000).set_marker(marker.clone()).send();
        let page = cx.call(ops::kms::LIST_KEYS, list).await?;
        arns.extend(page.keys().iter().filter_map(|key| key.key_arn().map(str::to_owned)));
        marker = page.next_marker().map(str::to_owned);
        if marker.is_none() {
            return Ok(arns);
        }
    }
}

/// The end that somebody ordered; until then it can be called off, and nothing that the key encrypted is lost.
fn ending(metadata: &KeyMetadata, region: &str) -> Condition {
    let date = metadata.deletion_date().map_or("soon".to_owned(), |date| hlctl_model::text::date_of(date.secs()));
    Condition::Ending {
        what: format!(
            "the key is scheduled for deletion ({date}); what it encrypts cannot be read now, and is lost for good \
             after that"
        ),
        rescue: cli::command(region, "kms", "cancel-key-deletion", &[("--key-id", metadata.key_id())]),
    }
}

/// The command that keeps a key whose deletion is scheduled. The key's ARN says in which region that is.
fn cancel_deletion(arn: &str, id: &str) -> String {
    let region = arn.split(':').nth(3).unwrap_or_default();
    cli::command(region, "kms", "cancel-key-deletion", &[("--key-id", id)])
}

/// A key on its way out encrypts nothing any more.
fn is_ending(metadata: &KeyMetadata) -> bool {
    matches!(metadata.key_state(), Some(KeyState::PendingDeletion | KeyState::PendingReplicaDeletion))
}

fn recorded_of(metadata: &KeyMetadata) -> Option<Recorded> {
    let arn = metadata.arn()?;
    // The id is the last part of the ARN, should it not be there by itself.
    let id = Some(metadata.key_id()).filter(|id| !id.is_empty()).or(arn.rsplit('/').next())?;
    Some(Recorded { arn: arn.to_owned(), id: id.to_owned() })
}

/// The key, if it carries our tags and lives. Keys that we may not look into are not ours.
async fn ours(cx: &Context, address: &Address, arn: &str) -> Result<Option<Recorded>, ResourceError> {
    match tags_if_allowed(cx, arn).await? {
        Some(tags) if is_ours(cx, address, &tags) => living(cx, arn).await,
        _ => Ok(None),
    }
}

async fn tags_if_allowed(cx: &Context, arn: &str) -> Result<Option<BTreeMap<String, String>>, ResourceError> {
    match list_tags(cx, arn).await {
        Ok(tags) => Ok(Some(tags)),
        Err(error) if matches!(error.kind, ErrorKind::Denied | ErrorKind::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The key, unless it is on its way out.
async fn living(cx: &Context, arn: &str) -> Result<Option<Recorded>, ResourceError> {
    let answer = cx
        .call(ops::kms::DESCRIBE_KEY.eventually(NOT_YET_VISIBLE), || cx.clients.kms.describe_key().key_id(arn).send())
        .await?;
    Ok(answer.key_metadata.filter(|metadata| !is_ending(metadata)).and_then(|metadata| recorded_of(&metadata)))
}

async fn list_tags(cx: &Context, id: &str) -> Result<BTreeMap<String, String>, AwsError> {
    let answer = cx
        .call(ops::kms::LIST_RESOURCE_TAGS, || cx.clients.kms.list_resource_tags().key_id(id).limit(50).send())
        .await?;
    Ok(without_aws(answer.tags().iter().map(|tag| (tag.tag_key().to_owned(), tag.tag_value().to_owned()))))
}

fn as_kms_tags(tags: &BTreeMap<String, String>) -> Result<Vec<Tag>, ResourceError> {
    tags.iter()
        .map(|(key, value)| Tag::builder().tag_key(key).tag_value(value).build().map_err(ResourceError::request))
        .collect()
}

async fn enable_rotation(cx: &Context, id: &str) -> Result<(), ResourceError> {
    let call = ops::kms::ENABLE_KEY_ROTATION.eventually(&[("NotFoundException", ""), ("DisabledException", "")]);
    cx.call(call, || cx.clients.kms.enable_key_rotation().key_id(id).send()).await?;
    Ok(())
}
