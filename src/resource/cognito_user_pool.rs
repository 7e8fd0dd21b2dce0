//! Cognito user pool: the people who may log in.
//!
//! Identity: the id that AWS gives. Ownership: its tags. UpdateUserPool sets whatever a request leaves out to its default
//! (Cognito API reference, `UpdateUserPool`), so every change reads the pool, alters what differs and sends it whole.

mod hanging;

use std::collections::{BTreeMap, HashMap};

use aws_sdk_cognitoidentityprovider::types::{
    AccountRecoverySettingType, AdminCreateUserConfigType, AliasAttributeType, AttributeDataType,
    DefaultEmailOptionType, DeletionProtectionType, EmailConfigurationType, EmailSendingAccountType,
    PasswordPolicyType, RecoveryOptionNameType, RecoveryOptionType, SchemaAttributeType, SoftwareTokenMfaConfigType,
    StringAttributeConstraintsType, UserAttributeUpdateSettingsType, UserPoolMfaType, UserPoolPolicyType, UserPoolType,
    UsernameConfigurationType, VerificationMessageTemplateType, VerifiedAttributeType,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::once::create_once;
use super::reference::{Known, Ref, Reference, Text};
use super::tags::{as_attribute, is_ours, without_aws};
use super::{
    Attributes, Condition, Context, Hanging, Identity, Listed, Observed, Occasion, Parent, Resource, Rule, Task, Trail,
    attributes,
};
use crate::address::Address;
use crate::aws::{AwsError, Operation};
use crate::error::ResourceError;
use crate::plan::{Action, AttributeChange};

/// What the configuration asks for. The rest is as the module has it.
#[derive(Clone, Debug)]
pub struct CognitoUserPool {
    /// Its name; not unique.
    pub name: String,
    /// Cognito's own protection against deletion.
    pub deletion_protection: bool,
    /// Least length of a password.
    pub password_minimum_length: u32,
    /// `OFF`, `ON` or `OPTIONAL`. The second factor is an authenticator app.
    pub mfa: String,
    /// All its tags.
    pub tags: BTreeMap<String, String>,
}

/// What the state file remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Id of the pool, for example `us-east-1_AbCdEf123`.
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// Where its public keys are.
    pub jwks_uri: String,
}

impl Ref<CognitoUserPool> {
    /// The pool's id.
    pub fn id(&self) -> Text {
        self.attribute("id")
    }

    /// The pool's ARN.
    pub fn arn(&self) -> Text {
        self.attribute("arn")
    }

    /// Where the pool's public keys are.
    pub fn jwks_uri(&self) -> Text {
        self.attribute("jwks_uri")
    }
}

/// What a pool takes along when it is deleted: its clients, resource servers and users, but not its domain.
pub(super) const A_USER_POOL: Parent = Parent { kind: "cognito_user_pool", named: "user_pool_id", name: "id" };
const TEMPORARY_PASSWORD_DAYS: i32 = 7;
const SCHEMA_IS_FIXED: &str = "Cognito can add attributes to a user pool but not change them";
const FIXED: &str = "Cognito fixes it when it makes a user pool";

impl Resource for CognitoUserPool {
    const KIND: &'static str = "cognito_user_pool";
    const RULES: &'static [Rule] = &[
        Rule::replaces("alias_attributes", FIXED),
        Rule::replaces("username_case_sensitive", FIXED),
        Rule::replaces("email_attribute", SCHEMA_IS_FIXED),
    ];
    const PRECIOUS: bool = true;
    const NAMELESS: bool = true;
    type Recorded = Recorded;

    fn references(&self) -> Vec<Reference> {
        Vec::new()
    }

    fn desired(&self, _known: &Known) -> Attributes {
        attributes([
            ("name", json!(self.name)),
            ("deletion_protection", json!(protection(self.deletion_protection).as_str())),
            ("mfa_configuration", json!(self.mfa)),
            ("alias_attributes", json!(["email"])),
            ("auto_verified_attributes", json!(["email"])),
            ("admin_create_user_only", json!(true)),
            ("account_recovery", json!(["verified_email"])),
            ("email_sending_account", json!("COGNITO_DEFAULT")),
            ("password_policy", password_policy_shown(&self.password_policy())),
            (
                "email_attribute",
                json!({"type": "String", "mutable": true, "required": true, "min": "0", "max": "2048"}),
            ),
            ("attributes_verified_before_update", json!(["email"])),
            ("username_case_sensitive", json!(false)),
            ("verification_by", json!("CONFIRM_WITH_CODE")),
            ("tags", as_attribute(&self.tags)),
        ])
    }

    fn foretold(&self, _identity: &Identity, _known: &Known) -> Option<Recorded> {
        None
    }

    async fn find(cx: &Context, trail: &Trail<'_>) -> Result<Option<Recorded>, ResourceError> {
        search(cx, trail.address, trail.taken).await
    }

    async fn read(cx: &Context, recorded: &Recorded) -> Result<Option<Observed<Recorded>>, ResourceError> {
        let Some(pool) = describe(cx, &recorded.id).await? else { return Ok(None) };
        let tags = tags_of(&pool);
        let mut seen = observed_attributes(&pool);
        seen.insert("tags".to_owned(), as_attribute(&tags));
        let recorded = recorded_of(cx, &pool)?;
        Ok(Some(Observed { recorded, attributes: seen, tags: Some(tags), condition: Condition::Ready }))
    }

    /// Its app clients, resource servers and domains. Users are what a pool is for, whoever makes them.
    async fn hanging(cx: &Context, recorded: &Recorded) -> Result<Vec<Hanging>, ResourceError> {
        hanging::all(cx, &recorded.id).await
    }

    async fn create(&self, task: &Task<'_>) -> Result<Recorded, ResourceError> {
        let recorded = self.make(task).await?;
        task.identified(&recorded)?;
        if self.mfa != UserPoolMfaType::Off.as_str() {
            self.set_mfa(task.cx, &recorded.id).await?;
        }
        Ok(recorded)
    }

    async fn update(
        &self,
        task: &Task<'_>,
        recorded: Recorded,
        changes: &[AttributeChange],
    ) -> Result<Recorded, ResourceError> {
        let cx = task.cx;
        let pool = describe(cx, &recorded.id).await?.ok_or(ResourceError::Vanished)?;
        if changes.iter().any(|change| change.attribute() != "mfa_configuration") {
            self.put(cx, &pool, protection(self.deletion_protection)).await?;
        }
        if changes.iter().any(|change| change.attribute() == "mfa_configuration") {
            self.set_mfa(cx, &recorded.id).await?;
        }
        Ok(Recorded { name: self.name.clone(), ..recorded })
    }

    async fn delete(task: &Task<'_>, recorded: Recorded) -> Result<(), ResourceError> {
        let cx = task.cx;
        let Some(pool) = describe(cx, &recorded.id).await? else { return Ok(()) };
        if pool.deletion_protection() == Some(&DeletionProtectionType::Active) {
            send_whole(cx, &pool, |update| update.deletion_protection(DeletionProtectionType::Inactive)).await?;
        }
        let delete = || cx.clients.cognito.delete_user_pool().user_pool_id(&recorded.id).send();
        match cx.call(Operation::new("cognito-idp", "DeleteUserPool").eventually(DOMAIN_NOT_YET_GONE), delete).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn name(recorded: &Recorded) -> String {
        recorded.name.clone()
    }

    fn import_id(recorded: &Recorded) -> String {
        recorded.id.clone()
    }

    fn of_import_id(identity: &Identity, id: &str) -> Option<Recorded> {
        let Identity { account, region, partition, .. } = identity;
        let arn = format!("arn:{partition}:cognito-idp:{region}:{account}:userpool/{id}");
        let jwks_uri = jwks_uri(region, id);
        id.contains('_').then(|| Recorded { id: id.to_owned(), arn, name: String::new(), jwks_uri })
    }

    async fn list(cx: &Context) -> Result<Vec<Listed<Recorded>>, ResourceError> {
        let mut listed = Vec::new();
        for id in ids_of_all(cx).await? {
            if let Some(pool) = describe(cx, &id).await? {
                listed.push(Listed { recorded: recorded_of(cx, &pool)?, tags: tags_of(&pool) });
            }
        }
        Ok(listed)
    }

    fn meaning(occasion: &Occasion<'_>) -> Vec<String> {
        match occasion.action {
            Action::Delete | Action::Replace => {
                vec![
                    "Every user in the pool is deleted with it; nobody can log in with a token of it again.".to_owned(),
                ]
            }
            Action::Create if occasion.vanished => {
                vec!["The missing pool's users are gone; the new pool has the test users alone.".to_owned()]
            }
            _ => Vec::new(),
        }
    }
}

/// The domain was deleted just before (Cognito developer guide, "Deleting a user pool").
const DOMAIN_NOT_YET_GONE: &[(&str, &str)] = &[("InvalidParameterException", "omain")];

impl CognitoUserPool {
    async fn make(&self, task: &Task<'_>) -> Result<Recorded, ResourceError> {
        let cx = task.cx;
        let email = email_schema()?;
        let settings = self.settings()?;
        let tags: HashMap<String, String> = self.tags.clone().into_iter().collect();
        let create = async || {
            let send = || {
                let create = cx.clients.cognito.create_user_pool().pool_name(&self.name);
                create
                    .policies(settings.policies.clone())
                    .deletion_protection(protection(self.deletion_protection))
                    .mfa_configuration(UserPoolMfaType::Off)
                    .alias_attributes(AliasAttributeType::Email)
                    .auto_verified_attributes(VerifiedAttributeType::Email)
                    .admin_create_user_config(settings.admin_create_user.clone())
                    .account_recovery_setting(settings.recovery.clone())
                    .email_configuration(settings.email.clone())
                    .schema(email.clone())
                    .user_attribute_update_settings(settings.attribute_update.clone())
                    .username_configuration(settings.username.clone())
                    .verification_message_template(settings.verification.clone())
                    .set_user_pool_tags(Some(tags.clone()))
                    .send()
            };
            let answer = cx.call(Operation::new("cognito-idp", "CreateUserPool").once(), send).await?;
            let pool = answer.user_pool.ok_or_else(|| no_pool("CreateUserPool"))?;
            recorded_of(cx, &pool)
        };
        create_once(task, create, || search(cx, task.address, task.others)).await
    }

    /// Sends the pool as it is but for what the configuration decides.
    async fn put(
        &self,
        cx: &Context,
        pool: &UserPoolType,
        protection: DeletionProtectionType,
    ) -> Result<(), ResourceError> {
        let settings = self.settings()?;
        // Message texts that somebody wrote stay; only how the address is verified is ours.
        let mut admin_create_user = settings.admin_create_user.clone();
        admin_create_user.invite_message_template =
            pool.admin_create_user_config().and_then(|config| config.invite_message_template.clone());
        let template = pool.verification_message_template().map_or_else(
            || settings.verification.clone(),
            |template| {
                let mut template = template.clone();
                template.default_email_option = Some(DefaultEmailOptionType::ConfirmWithCode);
                template
            },
        );
        let tags: HashMap<String, String> = self.tags.clone().into_iter().collect();
        send_whole(cx, pool, |update| {
            update
                .pool_name(&self.name)
                .policies(with_our_password_policy(pool.policies(), &settings.policies))
                .deletion_protection(protection.clone())
                .set_auto_verified_attributes(Some(vec![VerifiedAttributeType::Email]))
                .admin_create_user_config(admin_create_user.clone())
                .account_recovery_setting(settings.recovery.clone())
                .email_configuration(settings.email.clone())
                .user_attribute_update_settings(settings.attribute_update.clone())
                .verification_message_template(template.clone())
                .set_user_pool_tags(Some(tags.clone()))
        })
        .await
    }

    /// An authenticator app is the only second factor that needs nothing else in the account.
    async fn set_mfa(&self, cx: &Context, id: &str) -> Result<(), ResourceError> {
        let on = self.mfa != UserPoolMfaType::Off.as_str();
        let set = || {
            let set = cx.clients.cognito.set_user_pool_mfa_config().user_pool_id(id);
            set.set_software_token_mfa_configuration(
                on.then(|| SoftwareTokenMfaConfigType::builder().enabled(true).build()),
            )
            .mfa_configuration(UserPoolMfaType::from(self.mfa.as_str()))
            .send()
        };
        cx.call(Operation::new("cognito-idp", "SetUserPoolMfaConfig"), set).await?;
        Ok(())
    }
}

/// What the module sets, and of which an input changes the password's length alone.
struct Settings {
    policies: UserPoolPolicyType,
    admin_create_user: AdminCreateUserConfigType,
    recovery: AccountRecoverySettingType,
    email: EmailConfigurationType,
    attribute_update: UserAttributeUpdateSettingsType,
    username: UsernameConfigurationType,
    verification: VerificationMessageTemplateType,
}

impl CognitoUserPool {
    fn settings(&self) -> Result<Settings, ResourceError> {
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

    fn password_policy(&self) -> PasswordPolicyType {
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

fn with_our_password_policy(seen: Option<&UserPoolPolicyType>, ours: &UserPoolPolicyType) -> UserPoolPolicyType {
    let mut whole = seen.cloned().unwrap_or_else(|| ours.clone());
    let history = whole.password_policy().and_then(PasswordPolicyType::password_history_size);
    let ours = ours.password_policy().cloned();
    whole.password_policy = ours.map(|mut policy| {
        policy.password_history_size = history;
        policy
    });
    whole
}

fn email_schema() -> Result<SchemaAttributeType, ResourceError> {
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

fn protection(on: bool) -> DeletionProtectionType {
    if on { DeletionProtectionType::Active } else { DeletionProtectionType::Inactive }
}

/// Sends every setting of the pool, those that `change` leaves alone as they are.
async fn send_whole(
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
    cx.call(Operation::new("cognito-idp", "UpdateUserPool"), send).await?;
    Ok(())
}

type UpdateRequest =
    aws_sdk_cognitoidentityprovider::operation::update_user_pool::builders::UpdateUserPoolFluentBuilder;

async fn describe(cx: &Context, id: &str) -> Result<Option<UserPoolType>, AwsError> {
    let describe = || cx.clients.cognito.describe_user_pool().user_pool_id(id).send();
    match cx.call(Operation::new("cognito-idp", "DescribeUserPool"), describe).await {
        Ok(answer) if answer.user_pool.is_none() => {
            Err(AwsError::incomplete("cognito-idp", "DescribeUserPool", "pool"))
        }
        Ok(answer) => Ok(answer.user_pool),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The pool with our tags that is none of those in `taken`. Names are not unique, so every pool is looked at.
async fn search(cx: &Context, address: &Address, taken: &[Value]) -> Result<Option<Recorded>, ResourceError> {
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

async fn ids_of_all(cx: &Context) -> Result<Vec<String>, AwsError> {
    let mut ids = Vec::new();
    let mut token = None;
    loop {
        let list = || cx.clients.cognito.list_user_pools().max_results(60).set_next_token(token.clone()).send();
        let page = cx.call(Operation::new("cognito-idp", "ListUserPools"), list).await?;
        ids.extend(page.user_pools().iter().filter_map(|pool| pool.id().map(str::to_owned)));
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            return Ok(ids);
        }
    }
}

fn tags_of(pool: &UserPoolType) -> BTreeMap<String, String> {
    without_aws(pool.user_pool_tags().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())))
}

fn recorded_of(cx: &Context, pool: &UserPoolType) -> Result<Recorded, ResourceError> {
    let id = pool.id().ok_or_else(|| no_pool("DescribeUserPool"))?;
    let Identity { account, region, partition, .. } = &cx.identity;
    let arn = format!("arn:{partition}:cognito-idp:{region}:{account}:userpool/{id}");
    Ok(Recorded {
        arn: pool.arn().map_or(arn, str::to_owned),
        name: pool.name().unwrap_or_default().to_owned(),
        jwks_uri: jwks_uri(region, id),
        id: id.to_owned(),
    })
}

fn jwks_uri(region: &str, id: &str) -> String {
    format!("https://cognito-idp.{region}.amazonaws.com/{id}/.well-known/jwks.json")
}

fn no_pool(operation: &str) -> ResourceError {
    ResourceError::Answer(format!("cognito-idp:{operation} gave no user pool"))
}

fn observed_attributes(pool: &UserPoolType) -> Attributes {
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

fn password_policy_shown(policy: &PasswordPolicyType) -> Value {
    json!({
        "minimum_length": policy.minimum_length(),
        "require_lowercase": policy.require_lowercase(),
        "require_numbers": policy.require_numbers(),
        "require_symbols": policy.require_symbols(),
        "require_uppercase": policy.require_uppercase(),
        "temporary_password_validity_days": policy.temporary_password_validity_days(),
    })
}

fn schema_shown(attribute: &SchemaAttributeType) -> Value {
    let bounds = attribute.string_attribute_constraints();
    json!({
        "type": attribute.attribute_data_type().map(AttributeDataType::as_str),
        "mutable": attribute.mutable(),
        "required": attribute.required(),
        "min": bounds.and_then(StringAttributeConstraintsType::min_length),
        "max": bounds.and_then(StringAttributeConstraintsType::max_length),
    })
}
