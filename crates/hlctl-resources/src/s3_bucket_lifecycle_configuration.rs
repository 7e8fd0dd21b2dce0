//! Lifecycle rules of a bucket.
//!
//! Identity: the bucket. The rules are put whole and S3 hands them back in any order.

use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, ExpirationStatus, LifecycleExpiration,
    LifecycleRule as S3Rule, LifecycleRuleAndOperator, LifecycleRuleFilter, NoncurrentVersionExpiration, Transition,
    TransitionStorageClass,
};
use serde_json::{Map, Value, json};

use super::bucket_part::BucketPart;
use super::reference::{Known, Ref};
use super::s3_bucket::{NOT_YET_VISIBLE, S3Bucket};
use super::{Attributes, Context, PlannedChange, ResourceError, Task, attributes};
use hlctl_aws::{AwsError, ops};
use hlctl_model::{Action, AttributeChange};

/// What the configuration asks for.
#[derive(Clone, Debug)]
pub struct S3BucketLifecycleConfiguration {
    /// The bucket.
    pub bucket: Ref<S3Bucket>,
    /// Its rules; ids are unique.
    pub rules: Vec<LifecycleRule>,
}

/// One enabled rule. Days are counted from an object's creation, or an upload's beginning.
#[derive(Clone, Debug, Default)]
pub struct LifecycleRule {
    /// Names the rule.
    pub id: &'static str,
    /// Keys it is for; empty means all.
    pub prefix: String,
    /// Days after which an unfinished multipart upload is dropped.
    pub abort_uploads_after_days: Option<i32>,
    /// Storage class, and days after which objects move there.
    pub transitions: Vec<(&'static str, i32)>,
    /// Days after which objects expire.
    pub expire_after_days: Option<i32>,
    /// Days after which a version that is no longer the current one is deleted.
    pub expire_noncurrent_after_days: Option<i32>,
}

impl BucketPart for S3BucketLifecycleConfiguration {
    const KIND: &'static str = "s3_bucket_lifecycle_configuration";

    fn bucket(&self) -> &Ref<S3Bucket> {
        &self.bucket
    }

    fn desired(&self, _known: &Known) -> Attributes {
        let rules: Map<String, Value> = self.rules.iter().map(|rule| (rule.id.to_owned(), wanted(rule))).collect();
        attributes([("rules", rules.into())])
    }

    fn impact(planned: &PlannedChange<'_>) -> Vec<String> {
        let days = |rule: Option<&Value>| rule?.get("expiration_days")?.as_i64();
        let sooner = |change: &AttributeChange| {
            let (then, now) = (days(change.before.as_ref()), days(change.after.as_ref())?);
            let prefix = change.after.as_ref()?.get("prefix")?.as_str()?.to_owned();
            then.is_none_or(|then| now < then).then_some((prefix, now))
        };
        let rules = planned.attributes.iter().filter(|change| change.attribute() == "rules");
        let sooner = rules.filter(|_| planned.action == Action::Update).filter_map(sooner);
        sooner
            .map(|(prefix, days)| {
                format!("S3 deletes everything under {prefix} that is {days} days old, also what is there already.")
            })
            .collect()
    }

    async fn get(cx: &Context, bucket: &str) -> Result<Option<Attributes>, AwsError> {
        let answer = cx
            .call(ops::s3::GET_BUCKET_LIFECYCLE_CONFIGURATION, || {
                cx.clients.s3.get_bucket_lifecycle_configuration().bucket(bucket).send()
            })
            .await?;
        let rules: Map<String, Value> = answer
            .rules()
            .iter()
            .enumerate()
            .map(|(index, rule)| (rule.id().map_or_else(|| format!("unnamed {index}"), str::to_owned), found(rule)))
            .collect();
        Ok((!rules.is_empty()).then(|| attributes([("rules", rules.into())])))
    }

    async fn put(&self, task: &Task<'_>, bucket: &str) -> Result<(), ResourceError> {
        let rules = self.rules.iter().map(as_s3).collect::<Result<Vec<_>, _>>()?;
        let whole =
            BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build().map_err(ResourceError::request)?;
        let call = ops::s3::PUT_BUCKET_LIFECYCLE_CONFIGURATION.eventually(NOT_YET_VISIBLE);
        let s3 = &task.cx.clients.s3;
        let put =
            || s3.put_bucket_lifecycle_configuration().bucket(bucket).lifecycle_configuration(whole.clone()).send();
        task.cx.call(call, put).await?;
        Ok(())
    }

    async fn remove(cx: &Context, bucket: &str) -> Result<(), AwsError> {
        let call = ops::s3::DELETE_BUCKET_LIFECYCLE;
        cx.call(call, || cx.clients.s3.delete_bucket_lifecycle().bucket(bucket).send()).await?;
        Ok(())
    }
}

fn wanted(rule: &LifecycleRule) -> Value {
    let transitions: Map<String, Value> =
        rule.transitions.iter().map(|(class, days)| ((*class).to_owned(), json!(days))).collect();
    let mut value = json!({
        "status": "Enabled",
        "prefix": rule.prefix,
        "abort_incomplete_multipart_upload_days": rule.abort_uploads_after_days,
        "transition_days": transitions,
        "expiration_days": rule.expire_after_days,
    });
    if let Some(days) = rule.expire_noncurrent_after_days {
        value["noncurrent_version_expiration"] = noncurrent(Some(days), None);
    }
    value
}

fn noncurrent(days: Option<i32>, newer_versions: Option<i32>) -> Value {
    json!({"days": days, "newer_versions": newer_versions})
}

/// A rule as S3 has it. What hlctl never sets shows up only where somebody else did, as a difference.
fn found(rule: &S3Rule) -> Value {
    let filter = rule.filter();
    #[expect(deprecated, reason = "S3 still returns the prefix where the rule was put")]
    let prefix = filter.and_then(LifecycleRuleFilter::prefix).or_else(|| rule.prefix()).unwrap_or_default();
    let transitions: Map<String, Value> = rule
        .transitions()
        .iter()
        .map(|transition| {
            let class = transition.storage_class().map_or("", TransitionStorageClass::as_str);
            (class.to_owned(), json!(transition.days()))
        })
        .collect();
    let mut value = json!({
        "status": rule.status().as_str(),
        "prefix": prefix,
        "abort_incomplete_multipart_upload_days":
            rule.abort_incomplete_multipart_upload().and_then(AbortIncompleteMultipartUpload::days_after_initiation),
        "transition_days": transitions,
        "expiration_days": rule.expiration().and_then(LifecycleExpiration::days),
    });
    // Each of these makes the rule another one, and an apply puts the whole rule back.
    let dated: Map<String, Value> = rule
        .transitions()
        .iter()
        .filter_map(|transition| {
            let class = transition.storage_class().map_or("", TransitionStorageClass::as_str);
            Some((class.to_owned(), json!(transition.date()?.to_string())))
        })
        .collect();
    if !dated.is_empty() {
        value["transition_dates"] = dated.into();
    }
    if let Some(date) = rule.expiration().and_then(LifecycleExpiration::date) {
        value["expiration_date"] = json!(date.to_string());
    }
    if rule.expiration().and_then(LifecycleExpiration::expired_object_delete_marker).unwrap_or_default() {
        value["expired_object_delete_marker"] = json!(true);
    }
    let narrowed = filter.is_some_and(|filter| {
        filter.tag().is_some()
            || filter.and().is_some()
            || filter.object_size_greater_than().is_some()
            || filter.object_size_less_than().is_some()
    });
    if let Some(filter) = filter.filter(|_| narrowed) {
        value["filter"] = narrowing(filter);
    }
    if let Some(expiration) = rule.noncurrent_version_expiration() {
        value["noncurrent_version_expiration"] =
            noncurrent(expiration.noncurrent_days(), expiration.newer_noncurrent_versions());
    }
    if !rule.noncurrent_version_transitions().is_empty() {
        let transitions = rule.noncurrent_version_transitions().iter().map(|transition| {
            json!({
                "storage_class": transition.storage_class().map(TransitionStorageClass::as_str),
                "days": transition.noncurrent_days(),
                "newer_versions": transition.newer_noncurrent_versions(),
            })
        });
        value["noncurrent_version_transitions"] = transitions.collect();
    }
    value
}

/// What of the objects under the prefix the rule is for.
fn narrowing(filter: &LifecycleRuleFilter) -> Value {
    let and = filter.and();
    let tags = filter.tag().into_iter().chain(and.into_iter().flat_map(LifecycleRuleAndOperator::tags));
    json!({
        "prefix": and.and_then(LifecycleRuleAndOperator::prefix),
        "tags": tags.map(|tag| (tag.key().to_owned(), json!(tag.value()))).collect::<Map<String, Value>>(),
        "larger_than": filter.object_size_greater_than().or_else(|| and?.object_size_greater_than()),
        "smaller_than": filter.object_size_less_than().or_else(|| and?.object_size_less_than()),
    })
}

fn as_s3(rule: &LifecycleRule) -> Result<S3Rule, ResourceError> {
    let transitions = rule.transitions.iter().map(|(class, days)| {
        Transition::builder().storage_class(TransitionStorageClass::from(*class)).days(*days).build()
    });
    S3Rule::builder()
        .id(rule.id)
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().prefix(&rule.prefix).build())
        .set_abort_incomplete_multipart_upload(
            rule.abort_uploads_after_days
                .map(|days| AbortIncompleteMultipartUpload::builder().days_after_initiation(days).build()),
        )
        .set_transitions((!rule.transitions.is_empty()).then(|| transitions.collect()))
        .set_expiration(rule.expire_after_days.map(|days| LifecycleExpiration::builder().days(days).build()))
        .set_noncurrent_version_expiration(
            rule.expire_noncurrent_after_days
                .map(|days| NoncurrentVersionExpiration::builder().noncurrent_days(days).build()),
        )
        .build()
        .map_err(ResourceError::request)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn a_rule_reads_back_as_it_was_put() {
        let rule = LifecycleRule {
            id: "transition",
            prefix: "log/".into(),
            abort_uploads_after_days: Some(7),
            transitions: vec![("STANDARD_IA", 30), ("GLACIER", 365)],
            expire_after_days: Some(1825),
            expire_noncurrent_after_days: Some(1),
        };
        assert_eq!(found(&as_s3(&rule).unwrap()), wanted(&rule));
    }
}
