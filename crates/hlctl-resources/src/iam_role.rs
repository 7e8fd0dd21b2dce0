//! IAM role: whom it trusts, and its tags. What it may do is attached to it.
//!
//! Identity: the name, unique in the account. Ownership: its tags.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_iam::types::Tag;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::iam_role_policy::IamRolePolicy;
use super::iam_role_policy_attachment::IamRolePolicyAttachment;
use super::policy::{self, Document};
use super::reference::{Known, Ref, Reference, Text};
use super::tags::{TagChange, as_attribute, take_over_when_seen, without_aws};
use super::{
    Attachment, Attributes, Condition, Context, Identity, Observed, Resource, ResourceError, Rule, STACK_TAG, Task,
    attributes,
};
use hlctl_aws::{AwsError, ErrorKind, ops};
use hlctl_model::AttributeChange;

/// What the configuration asks for.
#[derive(Clone, Debug)]
pub struct IamRole {
    /// Its name.
    pub name: String,
    /// Who may take it on.
    pub trust: Document,
    /// All its tags.
    pub tags: BTreeMap<String, String>,
}

/// What the state file remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Name of the role.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// What IAM tells it by from any other of its name; none where it has not been read yet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unique_id: Option<String>,
}

impl Ref<IamRole> {
    /// The role's name.
    pub fn name(&self) -> Text {
        self.attribute("name")
    }

    /// The role's ARN.
    pub fn arn(&self) -> Text {
        self.attribute("arn")
    }
}

/// What IAM has made is not visible everywhere at once (IAM user guide, "Troubleshoot IAM").
pub(super) const NOT_YET_VISIBLE: &[(&str, &str)] = &[("NoSuchEntity", "")];
/// A policy that was just detached may count for a while yet; one that somebody else attached counts for good.
pub(super) const STILL_ATTACHED: &[(&str, &str)] = &[("DeleteConflict", "")];
pub(super) const A_MOMENT: Duration = Duration::from_secs(20);
const PRINCIPAL_NOT_YET_VISIBLE: &[(&str, &str)] = &[("MalformedPolicyDocument", "rincipal")];

impl Resource for IamRole {
    const KIND: &'static str = "iam_role";
    const RULES: &'static [Rule] =
        &[Rule::replaces("name", "IAM cannot rename a role"), Rule::document("assume_role_policy")];
    const NAMED: bool = true;
    type Recorded = Recorded;

    fn references(&self) -> Vec<Reference> {
        self.trust.references()
    }

    fn desired(&self, known: &Known) -> Attributes {
        attributes([
            ("name", json!(self.name)),
            ("assume_role_policy", self.trust.render(known)),
            ("tags", as_attribute(&self.tags)),
        ])
    }

    fn predicted(&self, identity: &Identity, _known: &Known) -> Option<Recorded> {
        let arn = format!("arn:{}:iam::{}:role/{}", identity.partition, identity.account, self.name);
        Some(Recorded { name: self.name.clone(), arn, unique_id: None })
    }

    async fn read(cx: &Context, recorded: &Recorded) -> Result<Option<Observed<Recorded>>, ResourceError> {
        let result = cx.call(ops::iam::GET_ROLE, || cx.clients.iam.get_role().role_name(&recorded.name).send()).await;
        let role = match result {
            Ok(answer) => answer.role,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let role = role.ok_or_else(|| ResourceError::Answer("iam:GetRole returned no role".to_owned()))?;
        let tags = from_iam_tags(role.tags());
        let attributes = attributes([
            ("name", json!(recorded.name)),
            ("assume_role_policy", decode_document(role.assume_role_policy_document().unwrap_or_default())),
            ("tags", as_attribute(&tags)),
        ]);
        // For a moment a new role shows its unique id where the ARN belongs; the predicted one is right.
        let arn = Some(role.arn()).filter(|arn| arn.starts_with("arn:")).unwrap_or(&recorded.arn).to_owned();
        check_same(cx, &recorded.name, recorded.unique_id.as_deref(), role.role_id(), &tags)?;
        let seen = Some(role.role_id().to_owned()).filter(|id| !id.is_empty());
        let unique_id = seen.or_else(|| recorded.unique_id.clone());
        let recorded = Recorded { name: recorded.name.clone(), arn, unique_id };
        Ok(Some(Observed { recorded, attributes, tags: Some(tags), condition: Condition::Ready }))
    }

    async fn attachments(cx: &Context, recorded: &Recorded) -> Result<Vec<Attachment>, ResourceError> {
        let (attached, written) = tokio::join!(attached(cx, &recorded.name), written(cx, &recorded.name));
        let attached = attached?.into_iter().map(|arn| Attachment {
            kind: IamRolePolicyAttachment::KIND,
            what: format!("the policy {arn} is attached to the role"),
            recorded: json!({"role": recorded.name, "policy_arn": arn}),
        });
        let written = written?.into_iter().map(|name| Attachment {
            kind: IamRolePolicy::KIND,
            what: format!("the policy {name} is written into the role"),
            recorded: json!({"role": recorded.name, "name": name}),
        });
        Ok(attached.chain(written).collect())
    }

    async fn create(&self, task: &Task<'_>) -> Result<Recorded, ResourceError> {
        let cx = task.cx;
        let document = self.trust.text(task)?;
        let tags = as_iam_tags(&self.tags)?;
        let result = cx
            .call(ops::iam::CREATE_ROLE.eventually(PRINCIPAL_NOT_YET_VISIBLE), || {
                let create = cx.clients.iam.create_role().role_name(&self.name);
                create.assume_role_policy_document(&document).set_tags(Some(tags.clone())).send()
            })
            .await;
        match result {
            Ok(answer) => {
                let role =
                    answer.role.ok_or_else(|| ResourceError::Answer("iam:CreateRole returned no role".to_owned()))?;
                let predicted = self.predicted(&cx.identity, task.known);
                let arn =
                    Some(role.arn).filter(|arn| arn.starts_with("arn:")).or(predicted.map(|predicted| predicted.arn));
                let arn = arn.ok_or_else(|| ResourceError::Answer("iam:CreateRole returned no ARN".to_owned()))?;
                let unique_id = Some(role.role_id).filter(|id| !id.is_empty());
                let recorded = Recorded { name: self.name.clone(), arn, unique_id };
                task.identified(&recorded)?;
                // The next reader, be it the next run, must not take it for gone.
                let get = || cx.clients.iam.get_role().role_name(&self.name).send();
                cx.call(ops::iam::GET_ROLE.eventually(NOT_YET_VISIBLE), get).await?;
                Ok(recorded)
            }
            Err(error) if error.kind == ErrorKind::AlreadyExists => {
                let predicted = self
                    .predicted(&cx.identity, task.known)
                    .ok_or_else(|| ResourceError::Internal("a role's identity is always predicted".to_owned()))?;
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
        let name = &recorded.name;
        let changed = |attribute: &str| changes.iter().any(|change| change.attribute() == attribute);
        if changed("assume_role_policy") {
            let document = self.trust.text(task)?;
            let call = ops::iam::UPDATE_ASSUME_ROLE_POLICY.eventually(PRINCIPAL_NOT_YET_VISIBLE);
            cx.call(call, || iam.update_assume_role_policy().role_name(name).policy_document(&document).send()).await?;
        }
        if changed("tags") {
            let before = cx.call(ops::iam::LIST_ROLE_TAGS, || iam.list_role_tags().role_name(name).send()).await?;
            let change = TagChange::between(&from_iam_tags(before.tags()), &self.tags);
            let set = as_iam_tags(&change.set)?;
            if !set.is_empty() {
                let tag = || iam.tag_role().role_name(name).set_tags(Some(set.clone())).send();
                cx.call(ops::iam::TAG_ROLE, tag).await?;
            }
            if !change.remove.is_empty() {
                let untag = || iam.untag_role().role_name(name).set_tag_keys(Some(change.remove.clone())).send();
                cx.call(ops::iam::UNTAG_ROLE, untag).await?;
            }
        }
        Ok(recorded)
    }

    async fn delete(task: &Task<'_>, recorded: Recorded) -> Result<(), ResourceError> {
        let cx = task.cx;
        let call = ops::iam::DELETE_ROLE.eventually(STILL_ATTACHED).within(A_MOMENT);
        let result = cx.call(call, || cx.clients.iam.delete_role().role_name(&recorded.name).send()).await;
        match result {
            Ok(_) => Ok(()),
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn name(recorded: &Recorded) -> String {
        recorded.name.clone()
    }

    fn import_id(recorded: &Recorded) -> String {
        recorded.name.clone()
    }

    fn of_import_id(identity: &Identity, id: &str) -> Option<Recorded> {
        let name = id.rsplit('/').next()?;
        let Identity { account, partition, .. } = identity;
        Some(Recorded {
            name: name.to_owned(),
            arn: format!("arn:{partition}:iam::{account}:role/{name}"),
            unique_id: None,
        })
    }
}

/// Whether it is the one that was recorded, or one of ours: after a deletion somebody else may have made one of its name.
///
/// # Errors
/// [`ResourceError::Taken`] if it is neither.
pub(super) fn check_same(
    cx: &Context,
    name: &str,
    recorded: Option<&str>,
    seen: &str,
    tags: &BTreeMap<String, String>,
) -> Result<(), ResourceError> {
    let owner = tags.get(STACK_TAG);
    if seen.is_empty() || recorded.is_none_or(|recorded| recorded == seen) || owner == Some(&cx.stack) {
        return Ok(());
    }
    Err(ResourceError::Taken { name: name.to_owned(), owner: owner.cloned() })
}

/// ARNs of the managed policies attached to the role.
async fn attached(cx: &Context, role: &str) -> Result<Vec<String>, AwsError> {
    let (mut all, mut marker) = (Vec::new(), None);
    loop {
        let list = || cx.clients.iam.list_attached_role_policies().role_name(role).set_marker(marker.clone()).send();
        let page = match cx.call(ops::iam::LIST_ATTACHED_ROLE_POLICIES, list).await {
            Ok(page) => page,
            Err(error) if error.is_not_found() => return Ok(all),
            Err(error) => return Err(error),
        };
        all.extend(page.attached_policies().iter().filter_map(|policy| policy.policy_arn().map(str::to_owned)));
        marker = page.marker().filter(|_| page.is_truncated()).map(str::to_owned);
        if marker.is_none() {
            return Ok(all);
        }
    }
}

/// Names of the policies written into the role.
async fn written(cx: &Context, role: &str) -> Result<Vec<String>, AwsError> {
    let (mut all, mut marker) = (Vec::new(), None);
    loop {
        let list = || cx.clients.iam.list_role_policies().role_name(role).set_marker(marker.clone()).send();
        let page = match cx.call(ops::iam::LIST_ROLE_POLICIES, list).await {
            Ok(page) => page,
            Err(error) if error.is_not_found() => return Ok(all),
            Err(error) => return Err(error),
        };
        all.extend(page.policy_names().iter().cloned());
        marker = page.marker().filter(|_| page.is_truncated()).map(str::to_owned);
        if marker.is_none() {
            return Ok(all);
        }
    }
}

/// IAM hands documents back URL-encoded (IAM API reference, `GetRole`).
pub(super) fn decode_document(encoded: &str) -> Value {
    let text = percent_decode_str(encoded).decode_utf8_lossy().into_owned();
    policy::normalise(&serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

pub(super) fn as_iam_tags(tags: &BTreeMap<String, String>) -> Result<Vec<Tag>, ResourceError> {
    tags.iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build().map_err(ResourceError::request))
        .collect()
}

pub(super) fn from_iam_tags(tags: &[Tag]) -> BTreeMap<String, String> {
    without_aws(tags.iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())))
}
