//! Asks Cognito what is there, and reads its answers.

use std::collections::BTreeMap;

use aws_sdk_cognitoidentityprovider::types::{
    AccountRecoverySettingType, AliasAttributeType, AttributeDataType, DefaultEmailOptionType, DeletionProtectionType,
    EmailConfigurationType, EmailSendingAccountType, PasswordPolicyType, SchemaAttributeType,
    StringAttributeConstraintsType, UserPoolMfaType, UserPoolPolicyType, UserPoolType, UsernameConfigurationType,
    VerificationMessageTemplateType, VerifiedAttributeType,
};
use serde_json::{Value, json};

use super::{Issuer, KEYS, Recorded, USUAL_TIER, triggers};
use crate::tags::{is_ours, without_aws};
use crate::{Attributes, Context, Identity, ResourceError, attributes};
use hlctl_aws::{AwsError, Operation, ops};
use hlctl_model::address::Address;

pub(super) async fn describe(cx: &Context, id: &str) -> Result<Option<UserPoolType>, AwsError> {
    let describe = || cx.clients.cognito.describe_user_pool().user_pool_id(id).send();
    match cx.call(ops::cognito::DESCRIBE_USER_POOL, describe).await {
        Ok(answer) if answer.user_pool.is_none() => Err(AwsError::incomplete(ops::cognito::DESCRIBE_USER_POOL, "pool")),
        Ok(answer) => Ok(answer.user_pool),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The pool with our tags that is none of those in `taken`. Names are not unique, so every pool is looked at.
pub(super) async fn search(
    cx: &Context,
    address: &Address,
    taken: &[Value],
) -> Result<Option<Recorded>, ResourceError> {
    let taken: Vec<&str> = taken.iter().filter_map(|recorded| recorded.get("id")?.as_str()).collect();
    let ids = ids_of_all(cx).await?;
    for id in ids.iter().filter(|id| !taken.contains(&id.as_str())) {
        let Some(pool) = describe(cx, id).await? else { continue };
        if is_ours(cx, address, &tags_of(&pool)) {
            return recorded_of(cx, &pool).map(Some);
        }
    }
    Ok(None)
}

pub(super) async fn ids_of_all(cx: &Context) -> Result<Vec<String>, AwsError> {
    let mut ids = Vec::new();
    let mut token = None;
    loop {
        let list = || cx.clients.cognito.list_user_pools().max_results(60).set_next_token(token.clone()).send();
        let page = cx.call(ops::cognito::LIST_USER_POOLS, list).await?;
        for pool in page.user_pools() {
            let id = pool.id().ok_or_else(|| AwsError::incomplete(ops::cognito::LIST_USER_POOLS, "pool id"))?;
            ids.push(id.to_owned());
        }
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            return Ok(ids);
        }
    }
}

pub(super) fn tags_of(pool: &UserPoolType) -> BTreeMap<String, String> {
    without_aws(pool.user_pool_tags().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())))
}

pub(super) fn recorded_of(cx: &Context, pool: &UserPoolType) -> Result<Recorded, ResourceError> {
    let id = pool.id().ok_or_else(|| no_pool(ops::cognito::DESCRIBE_USER_POOL))?;
    let Identity { account, region, partition, .. } = &cx.identity;
    let arn = format!("arn:{partition}:cognito-idp:{region}:{account}:userpool/{id}");
    Ok(Recorded {
        arn: pool.arn().map_or(arn, str::to_owned),
        name: pool
            .name()
            .ok_or_else(|| AwsError::incomplete(ops::cognito::DESCRIBE_USER_POOL, "pool name"))?
            .to_owned(),
        jwks_uri: jwks_uri(issuer_of(pool).and_then(Issuer::parse).unwrap_or_default(), region, id),
        id: id.to_owned(),
    })
}

pub(super) fn jwks_uri(issuer: Issuer, region: &str, id: &str) -> String {
    format!("{}{id}{KEYS}", issuer.base(region))
}

fn issuer_of(pool: &UserPoolType) -> Option<&str> {
    Some(pool.issuer_configuration()?.r#type()?.as_str())
}

pub(super) fn no_pool(operation: &'static Operation) -> ResourceError {
    ResourceError::Answer(format!("{operation} returned no user pool"))
}

pub(super) fn observed_attributes(pool: &UserPoolType) -> Attributes {
    let email = pool.schema_attributes().iter().find(|attribute| attribute.name() == Some("email"));
    let recovery = pool.account_recovery_setting().map(AccountRecoverySettingType::recovery_mechanisms);
    let verified = |attributes: &[VerifiedAttributeType]| {
        json!(attributes.iter().map(VerifiedAttributeType::as_str).collect::<Vec<_>>())
    };
    let email_sender = pool.email_configuration().and_then(EmailConfigurationType::email_sending_account);
    let policy = pool.policies().and_then(UserPoolPolicyType::password_policy);
    attributes([
        ("name", json!(pool.name())),
        ("deletion_protection", json!(pool.deletion_protection().map_or("INACTIVE", DeletionProtectionType::as_str))),
        ("mfa_configuration", json!(pool.mfa_configuration().map_or("OFF", UserPoolMfaType::as_str))),
        ("tier", json!(pool.user_pool_tier().unwrap_or(&USUAL_TIER).as_str())),
        ("issuer", json!(issuer_of(pool).unwrap_or(Issuer::default().as_str()))),
        ("triggers", json!(triggers::observed(pool.lambda_config()))),
        ("alias_attributes", json!(pool.alias_attributes().iter().map(AliasAttributeType::as_str).collect::<Vec<_>>())),
        ("auto_verified_attributes", verified(pool.auto_verified_attributes())),
        (
            "admin_create_user_only",
            json!(pool.admin_create_user_config().is_some_and(|config| config.allow_admin_create_user_only)),
        ),
        (
            "account_recovery",
            json!(recovery.unwrap_or_default().iter().map(|option| option.name().as_str()).collect::<Vec<_>>()),
        ),
        ("email_sending_account", json!(email_sender.map_or("COGNITO_DEFAULT", EmailSendingAccountType::as_str))),
        ("password_policy", policy.map_or(Value::Null, password_policy_shown)),
        ("email_attribute", email.map_or(Value::Null, schema_shown)),
        (
            "attributes_verified_before_update",
            verified(
                pool.user_attribute_update_settings()
                    .map_or(&[], |settings| settings.attributes_require_verification_before_update()),
            ),
        ),
        (
            "username_case_sensitive",
            json!(pool.username_configuration().is_none_or(UsernameConfigurationType::case_sensitive)),
        ),
        (
            "verification_by",
            json!(
                pool.verification_message_template()
                    .and_then(VerificationMessageTemplateType::default_email_option)
                    .map_or("CONFIRM_WITH_CODE", DefaultEmailOptionType::as_str)
            ),
        ),
    ])
}

pub(super) fn password_policy_shown(policy: &PasswordPolicyType) -> Value {
    json!({
        "minimum_length": policy.minimum_length(),
        "require_lowercase": policy.require_lowercase(),
        "require_numbers": policy.require_numbers(),
        "require_symbols": policy.require_symbols(),
        "require_uppercase": policy.require_uppercase(),
        "temporary_password_validity_days": policy.temporary_password_validity_days(),
    })
}

pub(super) fn schema_shown(attribute: &SchemaAttributeType) -> Value {
    let bounds = attribute.string_attribute_constraints();
    json!({
        "type": attribute.attribute_data_type().map(AttributeDataType::as_str),
        "mutable": attribute.mutable(),
        "required": attribute.required(),
        "min": bounds.and_then(StringAttributeConstraintsType::min_length),
        "max": bounds.and_then(StringAttributeConstraintsType::max_length),
    })
}
