//! The settings of a pool, in the SDK's terms.

use aws_sdk_cognitoidentityprovider::types::{
    AccountRecoverySettingType, AdminCreateUserConfigType, AttributeDataType, DefaultEmailOptionType,
    DeletionProtectionType, EmailConfigurationType, EmailSendingAccountType, PasswordPolicyType,
    RecoveryOptionNameType, RecoveryOptionType, SchemaAttributeType, StringAttributeConstraintsType,
    UserAttributeUpdateSettingsType, UserPoolPolicyType, UserPoolType, UsernameConfigurationType,
    VerificationMessageTemplateType, VerifiedAttributeType,
};

use super::CognitoUserPool;
use crate::{Context, ResourceError};
use hlctl_aws::ops;

const TEMPORARY_PASSWORD_DAYS: i32 = 7;

/// What the module sets, and of which an input changes the password's length alone.
pub(super) struct Settings {
    pub(super) policies: UserPoolPolicyType,
    pub(super) admin_create_user: AdminCreateUserConfigType,
    pub(super) recovery: AccountRecoverySettingType,
    pub(super) email: EmailConfigurationType,
    pub(super) attribute_update: UserAttributeUpdateSettingsType,
    pub(super) username: UsernameConfigurationType,
    pub(super) verification: VerificationMessageTemplateType,
}

impl CognitoUserPool {
    pub(super) fn settings(&self) -> Result<Settings, ResourceError> {
        let by_email = RecoveryOptionType::builder()
            .name(RecoveryOptionNameType::VerifiedEmail)
            .priority(1)
            .build()
            .map_err(ResourceError::request)?;
        Ok(Settings {
            policies: UserPoolPolicyType::builder().password_policy(self.password_policy()).build(),
            admin_create_user: AdminCreateUserConfigType::builder().allow_admin_create_user_only(true).build(),
            recovery: AccountRecoverySettingType::builder().recovery_mechanisms(by_email).build(),
            email: EmailConfigurationType::builder()
                .email_sending_account(EmailSendingAccountType::CognitoDefault)
                .build(),
            attribute_update: UserAttributeUpdateSettingsType::builder()
                .attributes_require_verification_before_update(VerifiedAttributeType::Email)
                .build(),
            username: UsernameConfigurationType::builder()
                .case_sensitive(false)
                .build()
                .map_err(ResourceError::request)?,
            verification: VerificationMessageTemplateType::builder()
                .default_email_option(DefaultEmailOptionType::ConfirmWithCode)
                .build(),
        })
    }

    pub(super) fn password_policy(&self) -> PasswordPolicyType {
        PasswordPolicyType::builder()
            .minimum_length(i32::try_from(self.password_minimum_length).unwrap_or(i32::MAX))
            .require_uppercase(true)
            .require_lowercase(true)
            .require_numbers(true)
            .require_symbols(true)
            .temporary_password_validity_days(TEMPORARY_PASSWORD_DAYS)
            .build()
    }
}

pub(super) fn with_our_password_policy(
    seen: Option<&UserPoolPolicyType>,
    ours: &UserPoolPolicyType,
) -> UserPoolPolicyType {
    let mut whole = seen.cloned().unwrap_or_else(|| ours.clone());
    let history = whole.password_policy().and_then(PasswordPolicyType::password_history_size);
    let ours = ours.password_policy().cloned();
    whole.password_policy = ours.map(|mut policy| {
        policy.password_history_size = history;
        policy
    });
    whole
}

pub(super) fn email_schema() -> Result<SchemaAttributeType, ResourceError> {
    Ok(SchemaAttributeType::builder()
        .name("email")
        .attribute_data_type(AttributeDataType::String)
        .mutable(true)
        .required(true)
        .developer_only_attribute(false)
        .string_attribute_constraints(
            StringAttributeConstraintsType::builder().min_length("0").max_length("2048").build(),
        )
        .build())
}

pub(super) fn protection(on: bool) -> DeletionProtectionType {
    if on { DeletionProtectionType::Active } else { DeletionProtectionType::Inactive }
}

/// Sends every setting of the pool, those that `change` leaves alone as they are.
pub(super) async fn send_whole(
    cx: &Context,
    pool: &UserPoolType,
    change: impl Fn(UpdateRequest) -> UpdateRequest,
) -> Result<(), ResourceError> {
    let mut admin_create_user = pool.admin_create_user_config().cloned();
    if let Some(config) = &mut admin_create_user {
        // The older name of the password policy's temporary validity; both together are refused. Zero is not sent.
        config.unused_account_validity_days = 0;
    }
    let send = || {
        let update = cx.clients.cognito.update_user_pool().set_user_pool_id(pool.id.clone());
        let whole = update
            .set_pool_name(pool.name.clone())
            .set_policies(pool.policies.clone())
            .set_deletion_protection(pool.deletion_protection.clone())
            .set_lambda_config(pool.lambda_config.clone())
            .set_auto_verified_attributes(pool.auto_verified_attributes.clone())
            .set_sms_verification_message(pool.sms_verification_message.clone())
            .set_email_verification_message(pool.email_verification_message.clone())
            .set_email_verification_subject(pool.email_verification_subject.clone())
            .set_verification_message_template(pool.verification_message_template.clone())
            .set_sms_authentication_message(pool.sms_authentication_message.clone())
            .set_user_attribute_update_settings(pool.user_attribute_update_settings.clone())
            .set_mfa_configuration(pool.mfa_configuration.clone())
            .set_device_configuration(pool.device_configuration.clone())
            .set_email_configuration(pool.email_configuration.clone())
            .set_sms_configuration(pool.sms_configuration.clone())
            .set_user_pool_tags(pool.user_pool_tags.clone())
            .set_admin_create_user_config(admin_create_user.clone())
            .set_user_pool_add_ons(pool.user_pool_add_ons.clone())
            .set_account_recovery_setting(pool.account_recovery_setting.clone())
            .set_user_pool_tier(pool.user_pool_tier.clone())
            .set_key_configuration(pool.key_configuration.clone())
            .set_issuer_configuration(pool.issuer_configuration.clone())
            .set_acr_configuration(pool.acr_configuration.clone());
        change(whole).send()
    };
    cx.call(ops::cognito::UPDATE_USER_POOL, send).await?;
    Ok(())
}

type UpdateRequest =
    aws_sdk_cognitoidentityprovider::operation::update_user_pool::builders::UpdateUserPoolFluentBuilder;
