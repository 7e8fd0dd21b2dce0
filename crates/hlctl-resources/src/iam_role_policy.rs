//! Policy written into a role.
//!
//! Identity: the role and the policy's name. It carries no tags; it is ours because the role is.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::iam_role::{IamRole, NOT_YET_VISIBLE, decode_document};
use super::policy::Document;
use super::reference::{Known, Ref, Reference};
use super::{Attributes, Condition, Context, Identity, Observed, Resource, ResourceError, Rule, Task, attributes};
use hlctl_aws::ops;
use hlctl_model::AttributeChange;

/// What the configuration asks for.
#[derive(Clone, Debug)]
pub struct IamRolePolicy {
    /// The role.
    pub role: Ref<IamRole>,
    /// Name of the policy within the role.
    pub name: String,
    /// What it allows.
    pub policy: Document,
}

/// What the state file remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Name of the role.
    pub role: String,
    /// Name of the policy.
    pub name: String,
}

impl Resource for IamRolePolicy {
    const KIND: &'static str = "iam_role_policy";
    const RULES: &'static [Rule] = &[
        Rule::replaces("role", "the policy is part of its role"),
        Rule::replaces("name", "IAM cannot rename a policy"),
        Rule::document("policy"),
    ];
    type Recorded = Recorded;

    fn references(&self) -> Vec<Reference> {
        self.role.name().references().cloned().chain(self.policy.references()).collect()
    }

    fn desired(&self, known: &Known) -> Attributes {
        attributes([
            ("role", known.shown(&self.role.name())),
            ("name", json!(self.name)),
            ("policy", self.policy.render(known)),
        ])
    }

    fn predicted(&self, _identity: &Identity, known: &Known) -> Option<Recorded> {
        known.text(&self.role.name()).map(|role| Recorded { role, name: self.name.clone() })
    }

    async fn read(cx: &Context, recorded: &Recorded) -> Result<Option<Observed<Recorded>>, ResourceError> {
        let get = || cx.clients.iam.get_role_policy().role_name(&recorded.role).policy_name(&recorded.name).send();
        let answer = match cx.call(ops::iam::GET_ROLE_POLICY, get).await {
            Ok(answer) => answer,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let attributes = attributes([
            ("role", json!(recorded.role)),
            ("name", json!(recorded.name)),
            ("policy", Some(answer.policy_document()).map_or(Value::Null, decode_document)),
        ]);
        Ok(Some(Observed { recorded: recorded.clone(), attributes, tags: None, condition: Condition::Ready }))
    }

    async fn create(&self, task: &Task<'_>) -> Result<Recorded, ResourceError> {
        let recorded = Recorded { role: task.text(&self.role.name())?, name: self.name.clone() };
        let document = self.policy.text(task)?;
        let put = || {
            let put = task.cx.clients.iam.put_role_policy().role_name(&recorded.role);
            put.policy_name(&recorded.name).policy_document(&document).send()
        };
        task.cx.call(ops::iam::PUT_ROLE_POLICY.eventually(NOT_YET_VISIBLE), put).await?;
        Ok(recorded)
    }

    async fn update(&self, task: &Task<'_>, _: Recorded, _: &[AttributeChange]) -> Result<Recorded, ResourceError> {
        self.create(task).await
    }

    async fn delete(task: &Task<'_>, recorded: Recorded) -> Result<(), ResourceError> {
        let iam = &task.cx.clients.iam;
        let delete = || iam.delete_role_policy().role_name(&recorded.role).policy_name(&recorded.name).send();
        match task.cx.call(ops::iam::DELETE_ROLE_POLICY, delete).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn name(recorded: &Recorded) -> String {
        format!("{} in {}", recorded.name, recorded.role)
    }

    fn import_id(recorded: &Recorded) -> String {
        format!("{}:{}", recorded.role, recorded.name)
    }

    fn of_import_id(_identity: &Identity, id: &str) -> Option<Recorded> {
        let (role, name) = id.split_once(':')?;
        Some(Recorded { role: role.to_owned(), name: name.to_owned() })
    }
}
