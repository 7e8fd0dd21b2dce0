//! What all settings of a bucket have in common: they are read, put and removed whole, and they end with the bucket.

use std::future::Future;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::reference::{Known, Ref, Reference};
use super::s3_bucket::S3Bucket;
use super::{
    Attributes, Condition, Context, Identity, Observed, Parent, PlannedChange, Resource, ResourceError, Rule, Task,
};
use hlctl_aws::AwsError;
use hlctl_model::AttributeChange;

/// One setting of one bucket.
pub trait BucketPart: Clone + Send + Sync + 'static {
    /// The module's name for the type, without the provider prefix.
    const KIND: &'static str;
    /// As [`Resource::RULES`]; `bucket` must be among them.
    const RULES: &'static [Rule] = &[BUCKET];
    /// Whether it must be removed even when its bucket goes too.
    const REMOVED_BEFORE_BUCKET: bool = false;

    /// The bucket it belongs to.
    fn bucket(&self) -> &Ref<S3Bucket>;

    /// What it refers to in addition to its bucket.
    fn references(&self) -> Vec<Reference> {
        Vec::new()
    }

    /// What the configuration asks for, without the bucket.
    fn desired(&self, known: &Known) -> Attributes;

    /// What a change means for what the bucket holds.
    fn impact(_planned: &PlannedChange<'_>) -> Vec<String> {
        Vec::new()
    }

    /// Reads it; `None` if it was never set or the bucket is gone.
    fn get(cx: &Context, bucket: &str) -> impl Future<Output = Result<Option<Attributes>, AwsError>> + Send;

    /// Sets it whole.
    fn put(&self, task: &Task<'_>, bucket: &str) -> impl Future<Output = Result<(), ResourceError>> + Send;

    /// Takes it away.
    fn remove(cx: &Context, bucket: &str) -> impl Future<Output = Result<(), AwsError>> + Send;
}

const A_BUCKET: Parent = Parent { kind: "s3_bucket", named: "bucket", name: "name" };
/// Every part's rule for its bucket.
pub(super) const BUCKET: Rule = Rule::replaces("bucket", "it belongs to its bucket");

/// What the state file remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Name of the bucket.
    pub bucket: String,
}

impl<P: BucketPart> Resource for P {
    const KIND: &'static str = P::KIND;
    const RULES: &'static [Rule] = P::RULES;
    const ENDS_WITH: Option<Parent> = if P::REMOVED_BEFORE_BUCKET { None } else { Some(A_BUCKET) };
    type Recorded = Recorded;

    fn references(&self) -> Vec<Reference> {
        let mut references: Vec<Reference> = self.bucket().name().references().cloned().collect();
        references.extend(BucketPart::references(self));
        references
    }

    fn desired(&self, known: &Known) -> Attributes {
        let mut attributes = BucketPart::desired(self, known);
        attributes.insert("bucket".to_owned(), known.shown(&self.bucket().name()));
        attributes
    }

    fn predicted(&self, _identity: &Identity, known: &Known) -> Option<Recorded> {
        known.text(&self.bucket().name()).map(|bucket| Recorded { bucket })
    }

    async fn read(cx: &Context, recorded: &Recorded) -> Result<Option<Observed<Recorded>>, ResourceError> {
        let result = P::get(cx, &recorded.bucket).await;
        let found = match result {
            Ok(found) => found,
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(error.into()),
        };
        Ok(found.map(|mut attributes| {
            attributes.insert("bucket".to_owned(), json!(recorded.bucket));
            Observed { recorded: recorded.clone(), attributes, tags: None, condition: Condition::Ready }
        }))
    }

    async fn create(&self, task: &Task<'_>) -> Result<Recorded, ResourceError> {
        let recorded = Recorded { bucket: task.text(&self.bucket().name())? };
        self.put(task, &recorded.bucket).await?;
        Ok(recorded)
    }

    async fn update(
        &self,
        task: &Task<'_>,
        recorded: Recorded,
        _changes: &[AttributeChange],
    ) -> Result<Recorded, ResourceError> {
        self.put(task, &recorded.bucket).await?;
        Ok(recorded)
    }

    async fn delete(task: &Task<'_>, recorded: Recorded) -> Result<(), ResourceError> {
        if task.with_parent {
            return Ok(());
        }
        match P::remove(task.cx, &recorded.bucket).await {
            Ok(()) => Ok(()),
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn impact(planned: &PlannedChange<'_>) -> Vec<String> {
        P::impact(planned)
    }

    fn name(recorded: &Recorded) -> String {
        recorded.bucket.clone()
    }

    fn import_id(recorded: &Recorded) -> String {
        recorded.bucket.clone()
    }

    fn of_import_id(_identity: &Identity, id: &str) -> Option<Recorded> {
        Some(Recorded { bucket: id.to_owned() })
    }

    fn group(recorded: &Recorded) -> Option<String> {
        Some(recorded.bucket.clone())
    }
}
