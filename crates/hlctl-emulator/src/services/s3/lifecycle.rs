//! Lifecycle rules: kept and checked, not carried out.

use s3s::S3Result;
use s3s::dto::{
    DeleteBucketLifecycleInput, DeleteBucketLifecycleOutput, GetBucketLifecycleConfigurationInput,
    GetBucketLifecycleConfigurationOutput, LifecycleRule, PutBucketLifecycleConfigurationInput,
    PutBucketLifecycleConfigurationOutput, TransitionDefaultMinimumObjectSize,
};

use super::{S3Cx, error};

/// A configuration has at most 1,000 rules (S3 API reference).
const MOST: usize = 1000;
/// Objects stay at least this long before and in the infrequent-access classes (S3 user guide).
const INFREQUENT_DAYS: i32 = 30;

fn minimum_size() -> Option<TransitionDefaultMinimumObjectSize> {
    Some(TransitionDefaultMinimumObjectSize::from_static(TransitionDefaultMinimumObjectSize::ALL_STORAGE_CLASSES_128K))
}

pub(super) fn put(
    cx: &mut S3Cx<'_>,
    input: PutBucketLifecycleConfigurationInput,
) -> S3Result<PutBucketLifecycleConfigurationOutput> {
    cx.bucket(&input.bucket)?;
    let mut rules = input.lifecycle_configuration.ok_or_else(error::malformed_xml)?.rules;
    if rules.is_empty() || rules.len() > MOST {
        return Err(error::malformed_xml());
    }
    let mut ids = Vec::new();
    for rule in &mut rules {
        check(rule)?;
        let id = rule.id.get_or_insert_with(|| cx.cx.options.ids.hex32()).clone();
        if ids.contains(&id) {
            return Err(error::invalid_argument("Rule ID must be unique. Found same ID for more than one rule"));
        }
        ids.push(id);
    }
    cx.bucket(&input.bucket)?.lifecycle = Some(rules);
    Ok(PutBucketLifecycleConfigurationOutput { transition_default_minimum_object_size: minimum_size() })
}

fn check(rule: &LifecycleRule) -> S3Result<()> {
    if rule.id.as_ref().is_some_and(|id| id.len() > 255) {
        return Err(error::invalid_argument("ID length should not exceed allowed limit of 255"));
    }
    if !["Enabled", "Disabled"].contains(&rule.status.as_str()) {
        return Err(error::malformed_xml());
    }
    if rule.filter.is_some() == rule.prefix.is_some() {
        return Err(error::malformed_xml());
    }
    check_actions(rule)?;
    check_transitions(rule)
}

fn check_actions(rule: &LifecycleRule) -> S3Result<()> {
    let has_action = rule.abort_incomplete_multipart_upload.is_some()
        || rule.expiration.is_some()
        || rule.noncurrent_version_expiration.is_some()
        || rule.transitions.as_ref().is_some_and(|t| !t.is_empty())
        || rule.noncurrent_version_transitions.as_ref().is_some_and(|t| !t.is_empty());
    if !has_action {
        return Err(error::invalid_request("At least one action needs to be specified in a rule"));
    }
    let positive = |days: Option<i32>, action: &str| match days {
        Some(days) if days <= 0 => {
            Err(error::invalid_argument(format!("'Days' for {action} action must be a positive integer")))
        }
        _ => Ok(()),
    };
    if let Some(abort) = &rule.abort_incomplete_multipart_upload {
        positive(abort.days_after_initiation, "AbortIncompleteMultipartUpload")?;
        let tagged = rule.filter.as_ref().is_some_and(|filter| {
            filter.tag.is_some()
                || filter.and.as_ref().is_some_and(|and| and.tags.as_ref().is_some_and(|tags| !tags.is_empty()))
        });
        if abort.days_after_initiation.is_none() {
            return Err(error::malformed_xml());
        }
        if tagged {
            return Err(error::invalid_request("AbortIncompleteMultipartUpload cannot be specified with Tags."));
        }
    }
    if let Some(expiration) = &rule.expiration {
        positive(expiration.days, "Expiration")?;
        let given =
            [expiration.days.is_some(), expiration.date.is_some(), expiration.expired_object_delete_marker.is_some()];
        if given.iter().filter(|given| **given).count() != 1 {
            return Err(error::malformed_xml());
        }
    }
    if let Some(expiration) = &rule.noncurrent_version_expiration {
        positive(expiration.noncurrent_days, "NoncurrentVersionExpiration")?;
    }
    Ok(())
}

fn check_transitions(rule: &LifecycleRule) -> S3Result<()> {
    let mut infrequent: Option<i32> = None;
    let mut last = 0;
    let mut transitions: Vec<(i32, String)> = Vec::new();
    for transition in rule.transitions.iter().flatten() {
        let class = transition.storage_class.as_ref().ok_or_else(error::malformed_xml)?.as_str().to_owned();
        if transition.days.is_some() == transition.date.is_some() {
            return Err(error::malformed_xml());
        }
        if let Some(days) = transition.days {
            if days < 0 {
                return Err(error::invalid_argument("'Days' in Transition action must be nonnegative"));
            }
            transitions.push((days, class));
        }
    }
    transitions.sort();
    for (days, class) in transitions {
        last = days;
        if ["STANDARD_IA", "ONEZONE_IA"].contains(&class.as_str()) {
            if days < INFREQUENT_DAYS {
                return Err(error::invalid_argument(format!(
                    "'Days' in Transition action must be greater than or equal to \
                     {INFREQUENT_DAYS} for storageClass '{class}'"
                )));
            }
            infrequent = Some(days);
        } else if infrequent.is_some_and(|since| days < since + INFREQUENT_DAYS) {
            return Err(error::invalid_argument(format!(
                "'Days' in the Transition action for StorageClass '{class}' must be \
                 {INFREQUENT_DAYS} days more than 'Days' of the one before it"
            )));
        }
    }
    let expires = rule.expiration.as_ref().and_then(|e| e.days);
    if expires.is_some_and(|days| last > 0 && days <= last) {
        return Err(error::invalid_argument(
            "'Days' in the Expiration action must be greater than 'Days' in the Transition action",
        ));
    }
    Ok(())
}

pub(super) fn get(
    cx: &mut S3Cx<'_>,
    input: GetBucketLifecycleConfigurationInput,
) -> S3Result<GetBucketLifecycleConfigurationOutput> {
    let rules = cx.bucket(&input.bucket)?.lifecycle.clone().ok_or_else(|| {
        error::custom(404, "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist")
    })?;
    Ok(GetBucketLifecycleConfigurationOutput {
        rules: Some(rules),
        transition_default_minimum_object_size: minimum_size(),
    })
}

pub(super) fn delete(cx: &mut S3Cx<'_>, input: DeleteBucketLifecycleInput) -> S3Result<DeleteBucketLifecycleOutput> {
    cx.bucket(&input.bucket)?.lifecycle = None;
    Ok(DeleteBucketLifecycleOutput::default())
}
