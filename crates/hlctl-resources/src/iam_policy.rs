//! Customer-managed IAM policy.
//!
//! Identity: the ARN, which account and name decide. Ownership: its tags. A change of the document is a new default version;
//! IAM keeps five at most.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::iam_role::{
    A_MOMENT, NOT_YET_VISIBLE, STILL_ATTACHED, as_iam_tags, check_same, decode_document, from_iam_tags,
};
use super::iam_role_policy_attachment::IamRolePolicyAttachment;
use super::once::once;
use super::policy::Document;
use super::reference::{Known, Ref, Reference, Text};
use super::tags::{TagChange, as_attribute, take_over_when_seen};
use super::{
    Attachment, Attributes, Condition, Context, Identity, Observed, Resource, ResourceError, Rule, Task, attributes,
};
use hlctl_aws::{AwsError, ErrorKind, ops};
use hlctl_model::AttributeChange;

/// What the configuration asks for.
#[derive(Clone, Debug)]
pub struct IamPolicy {
    /// Its name.
    pub name: String,
    /// What it is for, in words. IAM cannot change it later.
    pub description: String,
    /// What it allows.
    pub policy: Document,
    /// All its tags.
    pub tags: BTreeMap<String, String>,
}

/// What the state file remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Name of the policy.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// What IAM tells it by from any other of its name; none where it has not been read yet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unique_id: Option<String>,
}

impl Ref<IamPolicy> {
    /// The policy's ARN.
    pub fn arn(&self) -> Text {
        self.attribute("arn")
    }
}

/// Most versions of a policy that IAM keeps ("IAM and AWS STS quotas").
const MOST_VERSIONS: usize = 5;

impl Resource for IamPolicy {
    const KIND: &'static str = "iam_policy";
    const RULES: &'static [Rule] = &[Rule::replaces("name", "IAM cannot rename a policy"), Rule::document("policy")];
    const NAMED: bool = true;
    type Recorded = Recorded;

    fn references(&self) -> Vec<Reference> {
        self.policy.references()
    }

    fn desired(&self, known: &Known) -> Attributes {
        attributes([
            ("name", json!(self.name)),
            ("policy", self.policy.render(known)),
            ("tags", as_attribute(&self.tags)),
        ])
    }

    fn predicted(&self, identity: &Identity, _known: &Known) -> Option<Recorded> {
        let arn = format!("arn:{}:iam::{}:policy/{}", identity.partition, identity.account, self.name);
        Some(Recorded { name: self.name.clone(), arn, unique_id: None })
    }

    async fn read(cx: &Context, recorded: &Recorded) -> Result<Option<Observed<Recorded>>, ResourceError> {
        let iam = &cx.clients.iam;
        let arn = &recorded.arn;
        let result = cx.call(ops::iam::GET_POLICY, || iam.get_policy().policy_arn(arn).send()).await;
        let policy = match result {
            Ok(answer) => answer.policy,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let policy = policy.ok_or_else(|| ResourceError::Answer("iam:GetPolicy returned no policy".to_owned()))?;
        let version = policy.default_version_id().unwrap_or("v1");
        let get = || iam.get_policy_version().policy_arn(arn).version_id(version).send();
        let answer = cx.call(ops::iam::GET_POLICY_VERSION.eventually(NOT_YET_VISIBLE), get).await?;
        let document = answer.policy_version.and_then(|version| version.document);
        let tags = from_iam_tags(policy.tags());
        let attributes = attributes([
            ("name", json!(recorded.name)),
            ("policy", document.map_or(Value::Null, |document| decode_document(&document))),
            ("tags", as_attribute(&tags)),
        ]);
        let unique_id = policy.policy_id().ok_or_else(|| AwsError::incomplete(ops::iam::GET_POLICY, "policy id"))?;
        check_same(cx, &recorded.name, recorded.unique_id.as_deref(), unique_id, &tags)?;
        let recorded = Recorded { unique_id: Some(unique_id.to_owned()), ..recorded.clone() };
        Ok(Some(Observed { recorded, attributes, tags: Some(tags), condition: Condition::Ready }))
    }

    /// What else the policy is attached to.
    async fn attachments(cx: &Context, recorded: &Recorded) -> Result<Vec<Attachment>, ResourceError> {
        let (mut all, mut marker) = (Vec::new(), None);
        loop {
            let list = || {
                let list = cx.clients.iam.list_entities_for_policy().policy_arn(&recorded.arn);
                list.set_marker(marker.clone()).send()
            };
            let page = match cx.call(ops::iam::LIST_ENTITIES_FOR_POLICY, list).await {
                Ok(page) => page,
                Err(error) if error.is_not_found() => return Ok(all),
                Err(error) => return Err(error.into()),
            };
            let roles = page.policy_roles().iter().filter_map(|role| role.role_name()).map(|role| ("role", role));
            let users = page.policy_users().iter().filter_map(|user| user.user_name()).map(|user| ("user", user));
            let groups =
                page.policy_groups().iter().filter_map(|group| group.group_name()).map(|group| ("group", group));
            all.extend(roles.chain(users).chain(groups).map(|(entity, name)| Attachment {
                kind: IamRolePolicyAttachment::KIND,
                what: format!("the policy is attached to the {entity} {name}"),
                recorded: json!({entity: name, "policy_arn": recorded.arn}),
            }));
            marker = page.marker().filter(|_| page.is_truncated()).map(str::to_owned);
            if marker.is_none() {
                return Ok(all);
            }
        }
    }

    async fn create(&self, task: &Task<'_>) -> Result<Recorded, ResourceError> {
        let cx = task.cx;
        let document = self.policy.text(task)?;
        let tags = as_iam_tags(&self.tags)?;
        let result = cx
            .call(ops::iam::CREATE_POLICY, || {
                let create = cx.clients.iam.create_policy().policy_name(&self.name).description(&self.description);
                create.policy_document(&document).set_tags(Some(tags.clone())).send()
            })
            .await;
        let predicted = self
            .predicted(&cx.identity, task.known)
            .ok_or_else(|| ResourceError::Internal("a policy's identity is always predicted".to_owned()))?;
        match result {
            Ok(answer) => {
                let (arn, unique_id) = answer.policy.map(|policy| (policy.arn, policy.policy_id)).unwrap_or_default();
                let recorded = Recorded { name: self.name.clone(), arn: arn.unwrap_or(predicted.arn), unique_id };
                task.identified(&recorded)?;
                // The next reader, be it the next run, must not take it for gone.
                let get = || cx.clients.iam.get_policy().policy_arn(&recorded.arn).send();
                cx.call(ops::iam::GET_POLICY.eventually(NOT_YET_VISIBLE), get).await?;
                Ok(recorded)
            }
            Err(error) if error.kind == ErrorKind::AlreadyExists => {
                take_over_when_seen(task, &self.name, || Self::read(cx, &predicted)).await
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn update(
        &self,
        task: &Task<'_>,
        recorded: Recorded,
        changes: &[AttributeChange],
    ) -> Result<Recorded, ResourceError> {
        let cx = task.cx;
        let iam = &cx.clients.iam;
        let arn = &recorded.arn;
        let changed = |attribute: &str| changes.iter().any(|change| change.attribute() == attribute);
        if changed("policy") {
            let document = self.policy.text(task)?;
            let wanted = self.policy.render(task.known);
            let create = async || {
                make_room(cx, arn).await?;
                let create = || {
                    let create = iam.create_policy_version().policy_arn(arn).policy_document(&document);
                    create.set_as_default(true).send()
                };
                cx.call(ops::iam::CREATE_POLICY_VERSION, create).await?;
                Ok::<_, ResourceError>(())
            };
            let search = async || {
                let seen = Self::read(cx, &recorded).await?;
                Ok(seen.filter(|seen| seen.attributes.get("policy") == Some(&wanted)).map(drop))
            };
            once(create, search, || {}).await?;
        }
        if changed("tags") {
            let before = cx.call(ops::iam::LIST_POLICY_TAGS, || iam.list_policy_tags().policy_arn(arn).send()).await?;
            let change = TagChange::between(&from_iam_tags(before.tags()), &self.tags);
            let set = as_iam_tags(&change.set)?;
            if !set.is_empty() {
                let tag = || iam.tag_policy().policy_arn(arn).set_tags(Some(set.clone())).send();
                cx.call(ops::iam::TAG_POLICY, tag).await?;
            }
            if !change.remove.is_empty() {
                let untag = || iam.untag_policy().policy_arn(arn).set_tag_keys(Some(change.remove.clone())).send();
                cx.call(ops::iam::UNTAG_POLICY, untag).await?;
            }
        }
        Ok(recorded)
    }

    async fn delete(task: &Task<'_>, recorded: Recorded) -> Result<(), ResourceError> {
        let cx = task.cx;
        let arn = &recorded.arn;
        let versions = match other_versions(cx, arn).await {
            Ok(versions) => versions,
            Err(error) if error.is_not_found() => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        for version in versions {
            delete_version(cx, arn, &version).await?;
        }
        let delete = || cx.clients.iam.delete_policy().policy_arn(arn).send();
        match cx.call(ops::iam::DELETE_POLICY.eventually(STILL_ATTACHED).within(A_MOMENT), delete).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn name(recorded: &Recorded) -> String {
        recorded.name.clone()
    }

    fn import_id(recorded: &Recorded) -> String {
        recorded.arn.clone()
    }

    fn of_import_id(identity: &Identity, id: &str) -> Option<Recorded> {
        let Identity { account, partition, .. } = identity;
        let arn =
            if id.starts_with("arn:") { id.to_owned() } else { format!("arn:{partition}:iam::{account}:policy/{id}") };
        Some(Recorded { name: arn.rsplit('/').next()?.to_owned(), arn, unique_id: None })
    }
}

/// Versions that are not the default one, oldest first.
async fn other_versions(cx: &Context, arn: &str) -> Result<Vec<String>, AwsError> {
    let list = || cx.clients.iam.list_policy_versions().policy_arn(arn).send();
    let answer = cx.call(ops::iam::LIST_POLICY_VERSIONS, list).await?;
    let mut others: Vec<_> = answer.versions().iter().filter(|version| !version.is_default_version()).collect();
    others.sort_by_key(|version| version.create_date().map(|date| (date.secs(), date.subsec_nanos())));
    Ok(others.into_iter().filter_map(|version| version.version_id().map(str::to_owned)).collect())
}

async fn make_room(cx: &Context, arn: &str) -> Result<(), AwsError> {
    let others = other_versions(cx, arn).await?;
    // The default version counts too.
    if others.len() + 1 >= MOST_VERSIONS
        && let Some(oldest) = others.first()
    {
        delete_version(cx, arn, oldest).await?;
    }
    Ok(())
}

async fn delete_version(cx: &Context, arn: &str, version: &str) -> Result<(), AwsError> {
    let delete = || cx.clients.iam.delete_policy_version().policy_arn(arn).version_id(version).send();
    match cx.call(ops::iam::DELETE_POLICY_VERSION, delete).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}
