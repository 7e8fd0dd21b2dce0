//! Making, describing, changing and deleting pools.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::issued::Issued;
use super::mfa::Factors;
use super::pool::UserPool;
use super::shapes::MARKER;
use super::{cognito, invalid, paged, pool, schema, settings, tagging};
use crate::clock::epoch_seconds;
use crate::error::AwsResult;
use crate::protocol::shape::{Field, Shape, optional, required};
use crate::services::{Cx, owned, text};

pub(super) const LIST: &[Field] =
    &[optional("NextToken", MARKER), required("MaxResults", Shape::Whole { min: 1, max: 60 })];

pub(super) fn create(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let pool = UserPool {
        id: format!("{}_{}", cx.caller.region, cx.options.ids.alphanumeric(9)),
        account: cx.caller.account.clone(),
        region: cx.caller.region.clone(),
        name: text(input, "PoolName").to_owned(),
        created: cx.now,
        modified: cx.now,
        settings: settings::created(input)?,
        schema: schema::created(&input["Schema"])?,
        tags: tagging::parse(&input["UserPoolTags"])?,
        factors: Factors::default(),
        domain: None,
        custom_domain: None,
        servers: BTreeMap::new(),
        clients: BTreeMap::new(),
        users: BTreeMap::new(),
        keys: None,
        issued: Issued::default(),
        providers: Vec::new(),
        log_delivery: Value::Null,
        styles: Map::new(),
    };
    let output = json!({"UserPool": pool.describe()});
    cognito(cx).pools.insert(pool.id.clone(), pool);
    Ok(output)
}

pub(super) fn describe(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    Ok(json!({"UserPool": pool(cx, input)?.describe()}))
}

pub(super) fn update(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let now = cx.now;
    let pool = pool(cx, input)?;
    let settings = settings::updated(&pool.settings, input)?;
    let tags = tagging::parse(&input["UserPoolTags"])?;
    if settings["MfaConfiguration"] != "OFF" && settings.get("SmsConfiguration").is_none() && !pool.factors.any() {
        return Err(invalid("SMS configuration is required when MFA is set to ON or OPTIONAL."));
    }
    pool.settings = settings;
    pool.tags = tags;
    pool.name = owned(input, "PoolName").unwrap_or_else(|| pool.name.clone());
    pool.modified = now;
    Ok(json!({}))
}

/// Deletes a pool with all that is in it, but not while a domain leads to it or it is protected (API
/// reference, DeleteUserPool).
pub(super) fn delete(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let pool = pool(cx, input)?;
    if pool.settings["DeletionProtection"] == "ACTIVE" {
        return Err(invalid(
            "The user pool cannot be deleted because deletion protection is activated. Deletion protection must be \
             inactivated first.",
        ));
    }
    if pool.domain.is_some() || pool.custom_domain.is_some() {
        return Err(invalid("User pool cannot be deleted. It has a domain configured that should be deleted first."));
    }
    let id = pool.id.clone();
    cognito(cx).pools.remove(&id);
    Ok(json!({}))
}

#[expect(clippy::unnecessary_wraps, reason = "every operation has the same signature")]
pub(super) fn list(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let pools: Vec<&UserPool> = cognito(cx).pools.values().collect();
    let members = ("UserPools", "MaxResults", "NextToken");
    Ok(paged(
        input,
        members,
        60,
        pools,
        |pool| pool.id.clone(),
        |pool| {
            json!({
                "Id": pool.id,
                "Name": pool.name,
                "LambdaConfig": pool.settings["LambdaConfig"],
                "LastModifiedDate": epoch_seconds(pool.modified),
                "CreationDate": epoch_seconds(pool.created),
            })
        },
    ))
}
