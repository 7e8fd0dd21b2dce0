//! Customer-managed IAM policy.
//!
//! Identity: the ARN, which account and name decide. Ownership: its tags. A change of the document is a new default version;
//! IAM keeps five at most.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::iam_role::{A_MOMENT, NOT_YET_VISIBLE, STILL_ATTACHED, as_iam_tags, decode_document, from_iam_tags};
use super::policy::Document;
use super::reference::{Known, Ref, Reference, Text};
use super::tags::{TagChange, as_attribute, take_over};
use super::{Attributes, Condition, Context, Identity, Observed, Resource, Rule, Task, attributes};
use crate::aws::{AwsError, ErrorKind, Operation};
use crate::error::ResourceError;
use crate::plan::AttributeChange;

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

    fn foretold(&self, identity: &Identity, _known: &Known) -> Option<Recorded> {
        let arn = format!("arn:{}:iam::{}:policy/{}", identity.partition, identity.account, self.name);
        Some(Recorded { name: self.name.clone(), arn })
    }

    async fn read(cx: &Context, recorded: &Recorded) -> Result<Option<Observed<Recorded>>, ResourceError> {
        let iam = &cx.clients.iam;
        let arn = &recorded.arn;
        let result = cx.call(Operation::new("iam", "GetPolicy"), || iam.get_policy().policy_arn(arn).send()).await;
        let policy = match result {
            Ok(answer) => answer.policy,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let policy = policy.ok_or_else(|| ResourceError::Answer("iam:GetPolicy gave no policy".to_owned()))?;
        let version = policy.default_version_id().unwrap_or("v1");
        let get = || iam.get_policy_version().policy_arn(arn).version_id(version).send();
        let answer = cx.call(Operation::new("iam", "GetPolicyVersion").eventually(NOT_YET_VISIBLE), get).await?;
        let document = answer.policy_version.and_then(|version| version.document);
        let tags = from_iam_tags(policy.tags());
        let attributes = attributes([
            ("name", json!(policy.policy_name())),
            ("policy", document.map_or(Value::Null, |document| decode_document(&document))),
            ("tags", as_attribute(&tags)),
        ]);
        Ok(Some(Observed { recorded: recorded.clone(), attributes, tags: Some(tags), condition: Condition::Ready }))
    }

    async fn create(&self, task: &Task<'_>) -> Result<Recorded, ResourceError> {
        let cx = task.cx;
        let document = self.policy.text(task.known);
        let tags = as_iam_tags(&self.tags)?;
        let result = cx
            .call(Operation::new("iam", "CreatePolicy"), || {
                let create = cx.clients.iam.create_policy().policy_name(&self.name).description(&self.description);
                create.policy_document(&document).set_tags(Some(tags.clone())).send()
            })
            .await;
        let foretold = self
            .foretold(&cx.identity, task.known)
            .ok_or_else(|| ResourceError::Internal("a policy's identity is always foretold".to_owned()))?;
        match result {
            Ok(answer) => {
                let arn = answer.policy.and_then(|policy| policy.arn).unwrap_or(foretold.arn);
                let recorded = Recorded { name: self.name.clone(), arn };
                task.identified(&recorded)?;
                // Whoever reads it next, be it the next run, must not take it for gone.
                let get = || cx.clients.iam.get_policy().policy_arn(&recorded.arn).send();
                cx.call(Operation::new("iam", "GetPolicy").eventually(NOT_YET_VISIBLE), get).await?;
                Ok(recorded)
            }
            Err(error) if error.kind == ErrorKind::AlreadyExists => {
                let seen = Self::read(cx, &foretold).await?;
                take_over(cx, task.address, &self.name, seen)
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
            make_room(cx, arn).await?;
            let document = self.policy.text(task.known);
            let create =
                || iam.create_policy_version().policy_arn(arn).policy_document(&document).set_as_default(true).send();
            cx.call(Operation::new("iam", "CreatePolicyVersion"), create).await?;
        }
        if changed("tags") {
            let before = cx
                .call(Operation::new("iam", "ListPolicyTags"), || iam.list_policy_tags().policy_arn(arn).send())
                .await?;
            let change = TagChange::between(&from_iam_tags(before.tags()), &self.tags);
            let set = as_iam_tags(&change.set)?;
            if !set.is_empty() {
                let tag = || iam.tag_policy().policy_arn(arn).set_tags(Some(set.clone())).send();
                cx.call(Operation::new("iam", "TagPolicy"), tag).await?;
            }
            if !change.remove.is_empty() {
                let untag = || iam.untag_policy().policy_arn(arn).set_tag_keys(Some(change.remove.clone())).send();
                cx.call(Operation::new("iam", "UntagPolicy"), untag).await?;
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
        match cx.call(Operation::new("iam", "DeletePolicy").eventually(STILL_ATTACHED).within(A_MOMENT), delete).await {
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
        Some(Recorded { name: arn.rsplit('/').next()?.to_owned(), arn })
    }
}

/// Versions that are not the default one, oldest first.
async fn other_versions(cx: &Context, arn: &str) -> Result<Vec<String>, AwsError> {
    let list = || cx.clients.iam.list_policy_versions().policy_arn(arn).send();
    let answer = cx.call(Operation::new("iam", "ListPolicyVersions"), list).await?;
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
    match cx.call(Operation::new("iam", "DeletePolicyVersion"), delete).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}
