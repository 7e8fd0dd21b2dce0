//! Log group of CloudWatch Logs, declared so that its retention is ours and a destroy leaves no logs behind.
//!
//! Identity: the name, unique in account and region. Ownership: its tags.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_cloudwatchlogs::types::LogGroup;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answers::WATCHED;
use super::reference::{Known, Ref, Reference, Text};
use super::tags::{TagChange, as_attribute, take_over_when_seen, without_aws};
use super::{
    Attributes, Condition, Context, Identity, Observed, PlannedChange, Resource, ResourceError, Rule, Task, attributes,
};
use hlctl_aws::{AwsError, ErrorKind, ops};
use hlctl_model::{Action, AttributeChange};

/// What the configuration asks for.
#[derive(Clone, Debug)]
pub struct CloudwatchLogGroup {
    /// Its name.
    pub name: String,
    /// Days that logs are kept.
    pub retention_in_days: u32,
    /// All its tags.
    pub tags: BTreeMap<String, String>,
}

/// What the state file remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Its name.
    pub name: String,
    /// Its ARN, without the `:*` that stands for its streams.
    pub arn: String,
}

impl Ref<CloudwatchLogGroup> {
    /// The group's name.
    pub fn name(&self) -> Text {
        self.attribute("name")
    }
}

/// Another change to the group is under way (CloudWatch Logs API reference, `OperationAbortedException`).
const BUSY: &[(&str, &str)] = &[("OperationAbortedException", "")];
/// A new group may not be seen by the next call yet.
const BUSY_OR_NOT_YET_VISIBLE: &[(&str, &str)] =
    &[("OperationAbortedException", ""), ("ResourceNotFoundException", "")];

impl Resource for CloudwatchLogGroup {
    const KIND: &'static str = "cloudwatch_log_group";
    const RULES: &'static [Rule] = &[Rule::replaces("name", "CloudWatch Logs cannot rename a log group")];
    const NAMED: bool = true;
    type Recorded = Recorded;

    fn references(&self) -> Vec<Reference> {
        Vec::new()
    }

    fn desired(&self, _known: &Known) -> Attributes {
        attributes([
            ("name", json!(self.name)),
            ("retention_in_days", json!(self.retention_in_days)),
            ("tags", as_attribute(&self.tags)),
        ])
    }

    fn predicted(&self, identity: &Identity, _known: &Known) -> Option<Recorded> {
        Some(recorded(identity, &self.name))
    }

    async fn read(cx: &Context, recorded: &Recorded) -> Result<Option<Observed<Recorded>>, ResourceError> {
        let (group, tags) = tokio::join!(describe(cx, &recorded.name), list_tags(cx, &recorded.arn));
        let Some(group) = group? else { return Ok(None) };
        let tags = tags?;
        let attributes = attributes([
            ("name", json!(recorded.name)),
            ("retention_in_days", json!(group.retention_in_days())),
            ("tags", as_attribute(&tags)),
        ]);
        Ok(Some(Observed { recorded: recorded.clone(), attributes, tags: Some(tags), condition: Condition::Ready }))
    }

    async fn may_exist(cx: &Context, recorded: &Recorded) -> Result<bool, ResourceError> {
        Ok(describe(cx, &recorded.name).await?.is_some())
    }

    async fn create(&self, task: &Task<'_>) -> Result<Recorded, ResourceError> {
        let cx = task.cx;
        let tags: HashMap<String, String> = self.tags.clone().into_iter().collect();
        let create =
            || cx.clients.logs.create_log_group().log_group_name(&self.name).set_tags(Some(tags.clone())).send();
        let made = match cx.call(ops::logs::CREATE_LOG_GROUP.eventually(BUSY), create).await {
            Ok(_) => recorded(&cx.identity, &self.name),
            Err(error) if error.kind == ErrorKind::AlreadyExists => {
                let group = recorded(&cx.identity, &self.name);
                take_over_when_seen(task, &self.name, || Self::read(cx, &group)).await?
            }
            Err(error) => return Err(error.into()),
        };
        task.identified(&made)?;
        self.put_retention(cx).await?;
        Ok(made)
    }

    async fn update(
        &self,
        task: &Task<'_>,
        recorded: Recorded,
        changes: &[AttributeChange],
    ) -> Result<Recorded, ResourceError> {
        let cx = task.cx;
        let changed = |name: &str| changes.iter().any(|change| change.attribute() == name);
        if changed("retention_in_days") {
            self.put_retention(cx).await?;
        }
        if changed("tags") {
            self.put_tags(cx, &recorded.arn).await?;
        }
        Ok(recorded)
    }

    async fn delete(task: &Task<'_>, recorded: Recorded) -> Result<(), ResourceError> {
        let cx = task.cx;
        // A plan deletes a protected group only if the user has named it.
        match describe(cx, &recorded.name).await? {
            None => return Ok(()),
            Some(group) if group.deletion_protection_enabled() == Some(true) => {
                lift_protection(cx, &recorded.name).await?;
            }
            Some(_) => {}
        }
        let delete = || cx.clients.logs.delete_log_group().log_group_name(&recorded.name).send();
        match cx.call(ops::logs::DELETE_LOG_GROUP.eventually(BUSY), delete).await {
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
        Some(recorded(identity, id))
    }

    fn impact(planned: &PlannedChange<'_>) -> Vec<String> {
        match planned.action {
            Action::Delete | Action::Replace => {
                let mut impact = vec!["The logs in it are deleted with it.".to_owned()];
                if planned.observed.is_some_and(is_protected) {
                    impact.push("Its deletion protection in CloudWatch Logs is switched off first.".to_owned());
                }
                impact
            }
            _ => Vec::new(),
        }
    }
}

impl CloudwatchLogGroup {
    async fn put_retention(&self, cx: &Context) -> Result<(), ResourceError> {
        let days = i32::try_from(self.retention_in_days).map_err(ResourceError::request)?;
        let put = || {
            let put = cx.clients.logs.put_retention_policy().log_group_name(&self.name);
            put.retention_in_days(days).send()
        };
        cx.call(ops::logs::PUT_RETENTION_POLICY.eventually(BUSY_OR_NOT_YET_VISIBLE), put).await?;
        Ok(())
    }

    async fn put_tags(&self, cx: &Context, arn: &str) -> Result<(), ResourceError> {
        let logs = &cx.clients.logs;
        let change = TagChange::between(&list_tags(cx, arn).await?, &self.tags);
        if !change.set.is_empty() {
            let set: HashMap<String, String> = change.set.into_iter().collect();
            let tag = || logs.tag_resource().resource_arn(arn).set_tags(Some(set.clone())).send();
            cx.call(ops::logs::TAG_RESOURCE, tag).await?;
        }
        if !change.remove.is_empty() {
            let untag = || logs.untag_resource().resource_arn(arn).set_tag_keys(Some(change.remove.clone())).send();
            cx.call(ops::logs::UNTAG_RESOURCE, untag).await?;
        }
        Ok(())
    }
}

fn recorded(identity: &Identity, name: &str) -> Recorded {
    let Identity { account, region, partition, .. } = identity;
    Recorded { name: name.to_owned(), arn: format!("arn:{partition}:logs:{region}:{account}:log-group:{name}") }
}

/// Whether CloudWatch Logs refuses to delete a group that looks like this (CloudWatch Logs API reference,
/// `PutLogGroupDeletionProtection`).
pub(super) fn is_protected(attributes: &Attributes) -> bool {
    let watched = attributes.get(WATCHED).and_then(Value::as_object);
    let mut protection = watched.into_iter().flatten().filter(|(path, _)| path.ends_with(".deletionProtectionEnabled"));
    protection.any(|(_, is_on)| *is_on == json!(true))
}

async fn lift_protection(cx: &Context, name: &str) -> Result<(), ResourceError> {
    let put = || {
        let put = cx.clients.logs.put_log_group_deletion_protection().log_group_identifier(name);
        put.deletion_protection_enabled(false).send()
    };
    cx.call(ops::logs::PUT_LOG_GROUP_DELETION_PROTECTION.eventually(BUSY), put).await?;
    Ok(())
}

/// The group, if there is one of exactly this name.
async fn describe(cx: &Context, name: &str) -> Result<Option<LogGroup>, AwsError> {
    let mut token = None;
    loop {
        let list = || {
            let list = cx.clients.logs.describe_log_groups().log_group_name_prefix(name);
            list.set_next_token(token.clone()).send()
        };
        let page = cx.call(ops::logs::DESCRIBE_LOG_GROUPS, list).await?;
        if page.log_groups.is_none() {
            return Err(AwsError::incomplete(ops::logs::DESCRIBE_LOG_GROUPS, "list of groups"));
        }
        if let Some(group) = page.log_groups().iter().find(|group| group.log_group_name() == Some(name)) {
            return Ok(Some(group.clone()));
        }
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            return Ok(None);
        }
    }
}

async fn list_tags(cx: &Context, arn: &str) -> Result<BTreeMap<String, String>, AwsError> {
    let list = || cx.clients.logs.list_tags_for_resource().resource_arn(arn).send();
    match cx.call(ops::logs::LIST_TAGS_FOR_RESOURCE, list).await {
        Ok(answer) => Ok(without_aws(answer.tags.into_iter().flatten())),
        Err(error) if error.is_not_found() => Ok(BTreeMap::new()),
        Err(error) => Err(error),
    }
}
