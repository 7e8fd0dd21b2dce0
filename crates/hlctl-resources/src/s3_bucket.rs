//! S3 bucket: the bucket itself, its region, its tags, and that ACLs are off. Everything else set on it has a file of its own.
//!
//! Identity: the name, unique in all of AWS. Ownership: its tags. Deletion needs it empty of every version of every object.

mod creation;
mod tagging;

use std::collections::BTreeMap;

use aws_sdk_s3::types::{ObjectOwnership, OwnershipControls, OwnershipControlsRule};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::object_versions::{Start, count, delete_all_versions, list_versions};
use super::once::look;
use super::reference::{Known, Ref, Reference, Text};
use super::tags::{as_attribute, take_over};
use super::{
    Attributes, Condition, Contents, Context, Identity, Observed, PlannedChange, Progress, Resource, ResourceError,
    Rule, Task, attributes,
};
use hlctl_aws::answers::RawAnswer;
use hlctl_aws::{AwsError, ErrorKind, Met, ops};
use hlctl_config::{AccountRegionalName, is_logs_bucket};
use hlctl_model::{Action, AttributeChange};

/// What the configuration asks for.
#[derive(Clone, Debug)]
pub struct S3Bucket {
    /// Its name.
    pub name: String,
    /// All its tags.
    pub tags: BTreeMap<String, String>,
}

/// What the state file remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Name of the bucket.
    pub name: String,
    /// Its ARN.
    pub arn: String,
}

impl Ref<S3Bucket> {
    /// The bucket's name.
    pub fn name(&self) -> Text {
        self.attribute("name")
    }

    /// The bucket's ARN.
    pub fn arn(&self) -> Text {
        self.attribute("arn")
    }
}

/// Whether nobody but the account can have the name.
fn is_account_regional(recorded: &Value) -> bool {
    recorded.get("name").and_then(Value::as_str).and_then(AccountRegionalName::of).is_some()
}

/// A new bucket is not visible everywhere at once (S3 user guide, "Amazon S3 data consistency model").
pub(super) const NOT_YET_VISIBLE: &[(&str, &str)] = &[("NoSuchBucket", "")];
/// ACLs are off and the owner of the bucket owns its objects. Holds for the logs bucket too: log delivery is let in by the bucket's
/// policy, and needs no ACL ("Enabling Amazon S3 server access logging", S3 user guide).
const ENFORCED: &str = "BucketOwnerEnforced";
/// Pages looked at to say how much a bucket holds.
const PAGES_COUNTED: usize = 20;

impl Resource for S3Bucket {
    const KIND: &'static str = "s3_bucket";
    const RULES: &'static [Rule] =
        &[Rule::replaces("name", "S3 cannot rename a bucket"), Rule::replaces("region", "S3 cannot move a bucket")];
    const TAGGED_LATER: bool = true;
    const NAMED: bool = true;
    type Recorded = Recorded;

    fn references(&self) -> Vec<Reference> {
        Vec::new()
    }

    fn desired(&self, _known: &Known) -> Attributes {
        attributes([
            ("name", json!(self.name)),
            ("object_ownership", json!(ENFORCED)),
            ("tags", as_attribute(&self.tags)),
        ])
    }

    /// Where nobody may ask, or no server answers, the bucket counts as it should be; that it was not looked at is said.
    fn standby(heard: &[RawAnswer], refused: &Map<String, Value>) -> Attributes {
        let asked = ops::s3::GET_BUCKET_OWNERSHIP_CONTROLS.name();
        let found = heard.iter().find(|answer| answer.operation == asked);
        let ownership = found.and_then(|answer| answer.body.pointer("/Rule/ObjectOwnership"));
        let ownership = match ownership {
            None if refused.contains_key(asked) => json!(ENFORCED),
            ownership => ownership.cloned().unwrap_or_default(),
        };
        attributes([("object_ownership", ownership)])
    }

    fn predicted(&self, identity: &Identity, _known: &Known) -> Option<Recorded> {
        Some(recorded(&identity.partition, &self.name))
    }

    async fn read(cx: &Context, recorded: &Recorded) -> Result<Option<Observed<Recorded>>, ResourceError> {
        let s3 = &cx.clients.s3;
        let (head, tags) = tokio::join!(
            cx.call(ops::s3::HEAD_BUCKET, || s3.head_bucket().bucket(&recorded.name).send()),
            tagging::get(cx, &recorded.name),
        );
        match head {
            Ok(answer) => {
                let region = answer.bucket_region().filter(|region| *region != cx.identity.region);
                if let Some(region) = region {
                    return Err(elsewhere(region).into());
                }
            }
            Err(error) if error.is_not_found() => return Ok(None),
            // The answer to a HEAD has no room for a reason; that to the other call has.
            Err(error) => {
                return Err(tags.err().filter(|reported| is_plainer(reported, &error)).unwrap_or(error).into());
            }
        }
        let tags = tags?;
        let attributes = attributes([("name", json!(recorded.name)), ("tags", as_attribute(&tags))]);
        Ok(Some(Observed { recorded: recorded.clone(), attributes, tags: Some(tags), condition: Condition::Ready }))
    }

    async fn may_exist(cx: &Context, recorded: &Recorded) -> Result<bool, ResourceError> {
        let head = || cx.clients.s3.head_bucket().bucket(&recorded.name).send();
        match cx.call(ops::s3::HEAD_BUCKET, head).await {
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) if error.kind.loses_the_answer() => Err(error.into()),
            // The answer to a HEAD has no room for a reason; reading the bucket tells it.
            _ => Ok(true),
        }
    }

    async fn create(&self, task: &Task<'_>) -> Result<Recorded, ResourceError> {
        let cx = task.cx;
        let recorded = recorded(&cx.identity.partition, &self.name);
        self.check_free(task, &recorded).await?;
        match self.send_creation(cx).await {
            Ok(()) => {}
            Err(ResourceError::Aws(error)) if error.meets() == Some(Met::Exists) => self.claim(task, &recorded).await?,
            Err(error) => return Err(error),
        }
        task.identified(&recorded)?;
        // A server may not know that tags can come with the request, and S3 may not show the bucket yet.
        if tagging::get(cx, &self.name).await.ok().as_ref() != Some(&self.tags) {
            tagging::put(cx, &recorded, &self.tags).await?;
        }
        Ok(recorded)
    }

    async fn update(
        &self,
        task: &Task<'_>,
        recorded: Recorded,
        changes: &[AttributeChange],
    ) -> Result<Recorded, ResourceError> {
        let is_of_ownership = |change: &AttributeChange| change.attribute() == "object_ownership";
        if changes.iter().any(is_of_ownership) {
            enforce_ownership(task.cx, &recorded.name).await?;
        }
        if changes.is_empty() || !changes.iter().all(is_of_ownership) {
            tagging::put(task.cx, &recorded, &self.tags).await?;
        }
        Ok(recorded)
    }

    async fn delete(task: &Task<'_>, recorded: Recorded) -> Result<(), ResourceError> {
        let cx = task.cx;
        let may_be_emptied = cx.settings.force_destroy.empties(task.address.as_str());
        // Logs are delivered for a while after logging was switched off, so emptying may be needed more than once.
        for _ in 0..20 {
            if may_be_emptied {
                let progress = |deleted| task.progress(Progress::Emptied(deleted));
                delete_all_versions(cx, &recorded.name, "", progress).await?;
            }
            let result =
                cx.call(ops::s3::DELETE_BUCKET, || cx.clients.s3.delete_bucket().bucket(&recorded.name).send()).await;
            match result {
                Ok(_) => return Ok(()),
                Err(error) if error.is_not_found() => return Ok(()),
                Err(error) if error.code == "BucketNotEmpty" && may_be_emptied => {}
                Err(error) if error.code == "BucketNotEmpty" => break,
                Err(error) => return Err(error.into()),
            }
        }
        let contents = count_contents(cx, &recorded.name).await?;
        let is_for_logs = is_logs_bucket(task.address.as_str());
        Err(ResourceError::NotEmpty { bucket: recorded.name, contents, is_for_logs })
    }

    fn name(recorded: &Recorded) -> String {
        recorded.name.clone()
    }

    fn import_id(recorded: &Recorded) -> String {
        recorded.name.clone()
    }

    fn of_import_id(identity: &Identity, id: &str) -> Option<Recorded> {
        Some(recorded(&identity.partition, id))
    }

    fn impact(planned: &PlannedChange<'_>) -> Vec<String> {
        match (planned.action, planned.contents) {
            (Action::Delete | Action::Replace, Some(contents)) if !contents.is_empty() => {
                vec![format!("The bucket holds {contents}; all of it would be deleted for good.")]
            }
            (Action::Delete, _) if planned.recorded.is_some_and(is_account_regional) => {
                vec!["The bucket is empty; its name stays this account's in this region.".to_owned()]
            }
            (Action::Delete, _) => {
                vec!["The bucket is empty; its name becomes free for anyone in AWS to take.".to_owned()]
            }
            (Action::Create, _) if planned.vanished => vec!["The contents of the missing bucket are lost.".to_owned()],
            _ => Vec::new(),
        }
    }

    fn group(recorded: &Recorded) -> Option<String> {
        Some(recorded.name.clone())
    }
}

impl S3Bucket {
    /// In us-east-1 making a bucket that one has already succeeds and resets its ACLs (S3 API reference, `CreateBucket`),
    /// so what has come into being since the plan must be noticed first.
    async fn check_free(&self, task: &Task<'_>, recorded: &Recorded) -> Result<(), ResourceError> {
        if !Self::may_exist(task.cx, recorded).await? {
            return Ok(());
        }
        match Self::read(task.cx, recorded).await? {
            None => Ok(()),
            seen => take_over(task.cx, task.address, &self.name, seen).map(|_| ()),
        }
    }

    /// The bucket is in our account. It is ours if its tags say so, or if it has none yet: then an attempt of ours made
    /// it and died before tagging, for a moment ago there was no bucket of this name.
    async fn claim(&self, task: &Task<'_>, recorded: &Recorded) -> Result<(), ResourceError> {
        let read = || Self::read(task.cx, recorded);
        let seen = match read().await? {
            // S3 has just said that it exists. A HEAD that does not find it yet proves nothing.
            None => look(&read).await?,
            seen => seen,
        };
        if seen.as_ref().is_some_and(|seen| seen.tags.as_ref().is_some_and(BTreeMap::is_empty)) {
            return Ok(());
        }
        take_over(task.cx, task.address, &self.name, seen).map(|_| ())
    }
}

fn recorded(partition: &str, name: &str) -> Recorded {
    Recorded { name: name.to_owned(), arn: format!("arn:{partition}:s3:::{name}") }
}

/// Whether the other call's error says what was behind a HEAD that failed.
fn is_plainer(reported: &AwsError, head: &AwsError) -> bool {
    reported.kind == ErrorKind::Credentials || head.code == "BadRequest"
}

fn elsewhere(region: &str) -> AwsError {
    AwsError {
        code: "PermanentRedirect".to_owned(),
        other_region: Some(region.to_owned()),
        ..AwsError::of_kind(ErrorKind::WrongRegion, ops::s3::HEAD_BUCKET, format!("the bucket is in {region}"))
    }
}

/// Turns ACLs off.
async fn enforce_ownership(cx: &Context, bucket: &str) -> Result<(), ResourceError> {
    let rule = OwnershipControlsRule::builder().object_ownership(ObjectOwnership::BucketOwnerEnforced);
    let rule = rule.build().map_err(ResourceError::request)?;
    let controls = OwnershipControls::builder().rules(rule).build().map_err(ResourceError::request)?;
    let put =
        || cx.clients.s3.put_bucket_ownership_controls().bucket(bucket).ownership_controls(controls.clone()).send();
    cx.call(ops::s3::PUT_BUCKET_OWNERSHIP_CONTROLS, put).await?;
    Ok(())
}

/// Counts what a bucket holds, up to twenty thousand versions.
///
/// # Errors
/// AWS's. A bucket that is not there holds nothing.
pub async fn count_contents(cx: &Context, bucket: &str) -> Result<Contents, AwsError> {
    let mut contents = Contents::default();
    let mut next = Start::default();
    for _ in 0..PAGES_COUNTED {
        let page = match list_versions(cx, bucket, "", &next).await {
            Ok(page) => page,
            Err(error) if error.is_not_found() => return Ok(contents),
            Err(error) => return Err(error),
        };
        let current = page.versions().iter().filter(|version| version.is_latest() == Some(true)).count();
        contents.objects += count(current);
        contents.older_versions += count(page.versions().len() - current);
        contents.delete_markers += count(page.delete_markers().len());
        match Start::after(&page) {
            Some(start) => next = start,
            None => return Ok(contents),
        }
    }
    contents.at_least = true;
    Ok(contents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_are_reported_in_words() {
        let contents = Contents { objects: 1, older_versions: 2, delete_markers: 0, at_least: true };
        assert_eq!(contents.to_string(), "at least 1 object, 2 older versions and 0 delete markers");
    }
}
