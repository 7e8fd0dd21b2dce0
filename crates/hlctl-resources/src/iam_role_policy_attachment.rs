//! A managed policy attached to a role.
//!
//! Identity: the pair of role and policy. It carries no tags; it is ours because the role is.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::iam_role::{IamRole, NOT_YET_VISIBLE};
use super::once::once;
use super::reference::{Known, Ref, Reference, Text};
use super::{Attributes, Condition, Context, Identity, Observed, Resource, ResourceError, Rule, Task, attributes};
use hlctl_aws::ops;
use hlctl_model::AttributeChange;

/// What the configuration asks for.
#[derive(Clone, Debug)]
pub struct IamRolePolicyAttachment {
    /// The role.
    pub role: Ref<IamRole>,
    /// ARN of the policy: one of ours, or one that AWS keeps.
    pub policy: Text,
}

/// What the state file remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Name of the role.
    pub role: String,
    /// ARN of the policy.
    pub policy_arn: String,
}

impl Resource for IamRolePolicyAttachment {
    const KIND: &'static str = "iam_role_policy_attachment";
    const RULES: &'static [Rule] = &[
        Rule::replaces("role", "an attachment is the pair of role and policy"),
        Rule::replaces("policy_arn", "an attachment is the pair of role and policy"),
    ];
    type Recorded = Recorded;

    fn references(&self) -> Vec<Reference> {
        (self.role.name() + self.policy.clone()).references().cloned().collect()
    }

    fn desired(&self, known: &Known) -> Attributes {
        attributes([("role", known.shown(&self.role.name())), ("policy_arn", known.shown(&self.policy))])
    }

    fn predicted(&self, _identity: &Identity, known: &Known) -> Option<Recorded> {
        let (role, policy_arn) = known.text(&self.role.name()).zip(known.text(&self.policy))?;
        Some(Recorded { role, policy_arn })
    }

    async fn read(cx: &Context, recorded: &Recorded) -> Result<Option<Observed<Recorded>>, ResourceError> {
        let mut marker = None;
        loop {
            let list = || {
                let list = cx.clients.iam.list_attached_role_policies().role_name(&recorded.role);
                list.set_marker(marker.clone()).send()
            };
            let page = match cx.call(ops::iam::LIST_ATTACHED_ROLE_POLICIES, list).await {
                Ok(page) => page,
                Err(error) if error.is_not_found() => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            if page.attached_policies().iter().any(|policy| policy.policy_arn() == Some(&recorded.policy_arn)) {
                let attributes =
                    attributes([("role", json!(recorded.role)), ("policy_arn", json!(recorded.policy_arn))]);
                return Ok(Some(Observed {
                    recorded: recorded.clone(),
                    attributes,
                    tags: None,
                    condition: Condition::Ready,
                }));
            }
            marker = page.marker().filter(|_| page.is_truncated()).map(str::to_owned);
            if marker.is_none() {
                return Ok(None);
            }
        }
    }

    async fn create(&self, task: &Task<'_>) -> Result<Recorded, ResourceError> {
        let recorded = Recorded { role: task.text(&self.role.name())?, policy_arn: task.text(&self.policy)? };
        // Nothing to AWS, but moto 5.2.5 counts what is attached twice twice. So it is looked for before it is sent again.
        let call = ops::iam::ATTACH_ROLE_POLICY.eventually(NOT_YET_VISIBLE).once();
        let iam = &task.cx.clients.iam;
        let attach = || iam.attach_role_policy().role_name(&recorded.role).policy_arn(&recorded.policy_arn).send();
        let attach = async || {
            task.cx.call(call, attach).await?;
            Ok::<_, ResourceError>(())
        };
        let search = async || Ok(Self::read(task.cx, &recorded).await?.map(drop));
        once(attach, search, || {}).await?;
        Ok(recorded)
    }

    async fn update(&self, _: &Task<'_>, recorded: Recorded, _: &[AttributeChange]) -> Result<Recorded, ResourceError> {
        Ok(recorded)
    }

    async fn delete(task: &Task<'_>, recorded: Recorded) -> Result<(), ResourceError> {
        let iam = &task.cx.clients.iam;
        let detach = || iam.detach_role_policy().role_name(&recorded.role).policy_arn(&recorded.policy_arn).send();
        match task.cx.call(ops::iam::DETACH_ROLE_POLICY, detach).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn name(recorded: &Recorded) -> String {
        format!("{} on {}", recorded.policy_arn, recorded.role)
    }

    fn import_id(recorded: &Recorded) -> String {
        format!("{}/{}", recorded.role, recorded.policy_arn)
    }

    fn of_import_id(_identity: &Identity, id: &str) -> Option<Recorded> {
        let (role, policy_arn) = id.split_once('/').filter(|(_, arn)| arn.starts_with("arn:"))?;
        Some(Recorded { role: role.to_owned(), policy_arn: policy_arn.to_owned() })
    }
}
