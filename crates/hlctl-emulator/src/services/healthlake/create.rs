//! CreateFHIRDatastore.

use serde_json::{Value, json};

use super::datastore::{Backup, Datastore, Passage, Toggle};
use super::{Token, healthlake, smart, tagging, validation, within_rate};
use crate::clock::after;
use crate::error::AwsResult;
use crate::services::{Cx, kms, lakeformation, owned, text};

pub(super) fn create(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let (now, limited) = (cx.now, cx.options.rate_limits);
    if let Some(output) = replay(cx, input)? {
        return Ok(output);
    }
    lakeformation::check_administrator(cx)?;
    within_rate(&mut healthlake(cx).last_create, now, limited)?;
    let store = build(cx, input)?;
    let output = store.as_created(now);
    remember(cx, input, store);
    Ok(output)
}

/// Keeps a new store, and under which client token it was made.
pub(super) fn remember(cx: &mut Cx<'_>, input: &Value, store: Datastore) {
    let healthlake = healthlake(cx);
    if let Some(token) = owned(input, "ClientToken") {
        let request = input.clone();
        let store = store.id.clone();
        healthlake.tokens.insert(token, Token { request, store });
    }
    healthlake.stores.insert(store.id.clone(), store);
}

/// The store that this client token has made already.
pub(super) fn replay(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Option<Value>> {
    let now = cx.now;
    let healthlake = healthlake(cx);
    let Some(token) = healthlake.tokens.get(text(input, "ClientToken")) else {
        return Ok(None);
    };
    let Some(store) = healthlake.stores.get(&token.store).filter(|store| !store.has_vanished(now)) else {
        return Ok(None);
    };
    if token.request != *input {
        return Err(validation("The client token has been used with other parameters."));
    }
    Ok(Some(store.summary(now)))
}

pub(super) fn build(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Datastore> {
    let tags = tagging::parse(&input["Tags"])?;
    let encryption = encryption(cx, input)?;
    let identity_provider = smart::checked(&input["IdentityProviderConfiguration"])?;
    let nlp = asked_status(input, "NlpConfiguration")?.unwrap_or("DISABLED");
    let analytics = asked_status(input, "AnalyticsConfiguration")?.unwrap_or("ENABLED");
    let id = cx.options.ids.hex32();
    let faults = &cx.faults.healthlake;
    let ends_as = faults.create_ends_as.clone().unwrap_or_else(|| "ACTIVE".to_owned());
    let error = (ends_as != "ACTIVE")
        .then(|| faults.error_message.clone().unwrap_or_else(|| "The creation was made to fail.".to_owned()));
    Ok(Datastore {
        arn: cx.caller.regional_arn("healthlake", &format!("datastore/fhir/{id}")),
        endpoint: format!("https://healthlake.{}.amazonaws.com/datastore/{id}/r4/", cx.caller.region),
        id,
        name: owned(input, "DatastoreName"),
        created: cx.now,
        encryption,
        preload: input.get("PreloadDataConfig").filter(|v| !v.is_null()).cloned(),
        identity_provider,
        profile: input.get("ProfileConfiguration").filter(|v| !v.is_null()).cloned(),
        nlp: Toggle::steady(nlp),
        analytics: Toggle::steady(analytics),
        backup: backup(&input["BackupConfiguration"], None, cx.now),
        tags,
        passage: Passage { status: "CREATING".to_owned(), until: after(cx.now, cx.options.delays.create), ends_as },
        error,
        restoring: None,
        restored_from: None,
        retained: false,
    })
}

/// The encryption as it will be described; a customer's key by its ARN.
fn encryption(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let config = &input["SseConfiguration"]["KmsEncryptionConfig"];
    let key = config["KmsKeyId"].as_str();
    match (text(config, "CmkType"), key) {
        ("CUSTOMER_MANAGED_KMS_KEY", Some(key)) => {
            let arn = kms::encrypt_with(cx, key).map_err(|reason| {
                let reason = match reason {
                    kms::Unusable::NotFound => "does not exist",
                    kms::Unusable::Disabled => "is disabled",
                    kms::Unusable::PendingDeletion => "is pending deletion",
                    kms::Unusable::NotSymmetric => "is not a symmetric encryption key",
                };
                validation(format!("The KMS key {key} {reason}."))
            })?;
            Ok(json!({"KmsEncryptionConfig": {
                "CmkType": "CUSTOMER_MANAGED_KMS_KEY",
                "KmsKeyId": arn,
            }}))
        }
        ("CUSTOMER_MANAGED_KMS_KEY", None) => Err(validation("KmsKeyId is required for a customer managed key.")),
        (_, Some(_)) => Err(validation("KmsKeyId must be absent for an AWS owned key.")),
        (_, None) => Ok(json!({"KmsEncryptionConfig": {"CmkType": "AWS_OWNED_KMS_KEY"}})),
    }
}

/// The status that `block` asks for. The statuses of passage cannot be asked for.
pub(super) fn asked_status<'a>(input: &'a Value, block: &str) -> AwsResult<Option<&'a str>> {
    match input[block]["Status"].as_str() {
        Some(status) if status.ends_with("ING") => {
            Err(validation(format!("{block} cannot be set to {status}: ask for the status that it shall end in.")))
        }
        status => Ok(status),
    }
}

/// The backup after `block` has been applied to what there was `before`.
pub(super) fn backup(block: &Value, before: Option<Backup>, now: jiff::Timestamp) -> Option<Backup> {
    if !block.is_object() {
        return before;
    }
    let mut backup =
        before.unwrap_or(Backup { enabled: false, retention_days: 7, tags_enabled: false, enabled_at: None });
    let enabled = block["Status"].as_str().map_or(backup.enabled, |status| status == "ENABLED");
    if enabled && !backup.enabled {
        backup.enabled_at = Some(now);
    }
    backup.enabled = enabled;
    if let Some(days) = block["RetentionPeriodInDays"].as_u64() {
        backup.retention_days = days;
    }
    if let Some(tags) = block["BackupTagsEnabled"].as_bool() {
        backup.tags_enabled = tags;
    }
    Some(backup)
}
