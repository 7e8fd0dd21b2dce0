//! Cognito user pool: the people who may log in.
//!
//! Identity: the id that AWS gives. Ownership: its tags. UpdateUserPool sets whatever a request leaves out to its default
//! (Cognito API reference, `UpdateUserPool`), so every change but that of tags reads the pool, alters what differs and sends it
//! whole.

mod attachments;
mod look;
mod settings;
mod triggers;

use std::collections::{BTreeMap, HashMap};

use aws_sdk_cognitoidentityprovider::types::{
    AliasAttributeType, DefaultEmailOptionType, DeletionProtectionType, IssuerConfigurationType, IssuerType,
    SoftwareTokenMfaConfigType, UserPoolMfaType, UserPoolTierType, UserPoolType, VerifiedAttributeType,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::once::create_once;
use super::reference::{Known, Ref, Reference, Text};
use super::tags::{TagChange, as_attribute};
use super::{
    Attachment, Attributes, Condition, Context, Identity, Listed, Observed, Parent, PlannedChange, RecoveryHint,
    Resource, ResourceError, Rule, Task, attributes,
};
use hlctl_aws::{AwsError, ops};
use hlctl_model::{Action, AttributeChange};
use look::{
    describe, ids_of_all, jwks_uri, no_pool, observed_attributes, password_policy_shown, recorded_of, search, tags_of,
};
use settings::{email_schema, protection, send_whole, with_our_password_policy};

/// What the configuration asks for. The rest is as the module has it.
#[derive(Clone, Debug)]
pub struct CognitoUserPool {
    /// Its name; not unique.
    pub name: String,
    /// Cognito's own protection against deletion.
    pub deletion_protection: bool,
    /// Least length of a password.
    pub password_minimum_length: u32,
    /// `LITE`, `ESSENTIALS` or `PLUS`.
    pub tier: String,
    /// What its tokens name.
    pub issuer: Issuer,
    /// The functions that Cognito calls, by the configuration's names; `None` leaves them to others.
    pub triggers: Option<BTreeMap<String, String>>,
    /// `OFF`, `ON` or `OPTIONAL`. The second factor is an authenticator app.
    pub mfa: String,
    /// All its tags.
    pub tags: BTreeMap<String, String>,
}

/// The issuer that a pool's tokens name, and that hosts its keys (Cognito API reference, `IssuerConfigurationType`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Issuer {
    /// `cognito-idp.REGION.amazonaws.com`.
    #[default]
    Original,
    /// `issuer-cognito-idp.REGION.amazonaws.com`, with the same keys in several Regions.
    Updated,
}

impl Issuer {
    /// The one with this name in Cognito's API; what it does not know, a later kind of AWS's, is none.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Original, Self::Updated].into_iter().find(|issuer| issuer.as_str() == name)
    }

    /// Its name in Cognito's API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Original => "ORIGINAL",
            Self::Updated => "UPDATED",
        }
    }

    /// What comes before the pool's id, with the slash.
    pub fn base(self, region: &str) -> String {
        match self {
            Self::Original => format!("https://cognito-idp.{region}.amazonaws.com/"),
            Self::Updated => format!("https://issuer-cognito-idp.{region}.amazonaws.com/"),
        }
    }

    /// The request's member. The original one is left out where the pool has none, for servers that do not know it.
    fn configuration(self, seen: Option<&IssuerConfigurationType>) -> Option<IssuerConfigurationType> {
        if self == Self::Original && seen.is_none() {
            return None;
        }
        Some(IssuerConfigurationType::builder().r#type(IssuerType::from(self.as_str())).build())
    }
}

/// What comes after an issuer where its keys are.
pub const KEYS: &str = "/.well-known/jwks.json";

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

    /// What the pool's tokens name as their issuer. It follows the configuration, not the record, so that whatever trusts the
    /// issuer changes together with the pool.
    pub fn issuer(&self, issuer: Issuer, region: &str) -> Text {
        Text::from(issuer.base(region)) + self.id()
    }
}

/// What a pool takes along when it is deleted: its clients, resource servers and users, but not its domain.
pub(super) const A_USER_POOL: Parent = Parent { kind: "cognito_user_pool", named: "user_pool_id", name: "id" };
const SCHEMA_IS_FIXED: &str = "Cognito can add attributes to a user pool but not change them";
const FIXED: &str = "Cognito sets it for good when it creates a user pool";

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
        let mut wanted = attributes([
            ("name", json!(self.name)),
            ("deletion_protection", json!(protection(self.deletion_protection).as_str())),
            ("mfa_configuration", json!(self.mfa)),
            ("tier", json!(self.tier)),
            ("issuer", json!(self.issuer.as_str())),
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
        ]);
        wanted.extend(self.triggers.iter().map(|triggers| ("triggers".to_owned(), json!(triggers::shown(triggers)))));
        wanted
    }

    fn predicted(&self, _identity: &Identity, _known: &Known) -> Option<Recorded> {
        None
    }

    async fn find(cx: &Context, recovery: &RecoveryHint<'_>) -> Result<Option<Recorded>, ResourceError> {
        search(cx, recovery.address, recovery.taken).await
    }

    async fn read(cx: &Context, recorded: &Recorded) -> Result<Option<Observed<Recorded>>, ResourceError> {
        let Some(pool) = describe(cx, &recorded.id).await? else { return Ok(None) };
        let tags = tags_of(&pool);
        let mut seen = observed_attributes(&pool);
        seen.insert("tags".to_owned(), as_attribute(&tags));
        let recorded = recorded_of(cx, &pool)?;
        Ok(Some(Observed { recorded, attributes: seen, tags: Some(tags), condition: Condition::Ready }))
    }

    /// Its app clients, resource servers and domains. Users are what a pool is for, no matter who makes them.
    async fn attachments(cx: &Context, recorded: &Recorded) -> Result<Vec<Attachment>, ResourceError> {
        attachments::all(cx, &recorded.id).await
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
        let changed = |name: &str| changes.iter().any(|change| change.attribute() == name);
        if changed("tags") {
            self.update_tags(cx, &recorded).await?;
        }
        if changes.iter().any(|change| !["mfa_configuration", "tags"].contains(&change.attribute())) {
            // Read last of all: what others change between this and the request is lost.
            let pool = describe(cx, &recorded.id).await?.ok_or(ResourceError::Vanished)?;
            self.put(cx, &pool, protection(self.deletion_protection)).await?;
        }
        if changed("mfa_configuration") {
            self.set_mfa(cx, &recorded.id).await?;
        }
        let jwks_uri = jwks_uri(self.issuer, &cx.identity.region, &recorded.id);
        Ok(Recorded { name: self.name.clone(), jwks_uri, ..recorded })
    }

    async fn delete(task: &Task<'_>, recorded: Recorded) -> Result<(), ResourceError> {
        let cx = task.cx;
        let Some(pool) = describe(cx, &recorded.id).await? else { return Ok(()) };
        if pool.deletion_protection() == Some(&DeletionProtectionType::Active) {
            send_whole(cx, &pool, |update| update.deletion_protection(DeletionProtectionType::Inactive)).await?;
        }
        let delete = || cx.clients.cognito.delete_user_pool().user_pool_id(&recorded.id).send();
        match cx.call(ops::cognito::DELETE_USER_POOL.eventually(DOMAIN_NOT_YET_GONE), delete).await {
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
        let jwks_uri = jwks_uri(Issuer::default(), region, id);
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

    fn consequence(drifted: &[&str]) -> Option<&'static str> {
        if drifted.contains(&"issuer") {
            return Some("everybody is locked out: tokens name an issuer that the token validator does not trust");
        }
        drifted.contains(&"triggers").then_some("Cognito calls other functions, which can give tokens other scopes")
    }

    fn impact(planned: &PlannedChange<'_>) -> Vec<String> {
        let mut impact = Vec::new();
        match planned.action {
            Action::Delete | Action::Replace => {
                impact.push("Every user in the pool is deleted with it, and its tokens stop working.".to_owned());
            }
            Action::Create if planned.vanished => {
                impact.push("The missing pool's users are lost; the new pool has only the test users.".to_owned());
            }
            _ => {}
        }
        let is_on = |change: &AttributeChange| {
            change.attribute() == "mfa_configuration" && change.after.as_ref().is_some_and(|after| *after == "ON")
        };
        if planned.action == Action::Update && planned.changed.contains(&"triggers") {
            impact.push("Cognito calls other functions: what they do at log-in and add to tokens changes.".to_owned());
        }
        if planned.action == Action::Update && planned.changed.contains(&"issuer") {
            impact.push(
                "Everybody is locked out: tokens that name the other issuer are refused, so each client needs new ones. \
                 Apps that check the issuer of ID tokens must expect the new one."
                    .to_owned(),
            );
        }
        if planned.action != Action::Delete && planned.attributes.iter().any(is_on) {
            impact.push(
                "From then on nobody can log in without an authenticator app: each user, including test users, sets \
                 one up at the next log-in."
                    .to_owned(),
            );
        }
        impact
    }
}

async fn change_tags(cx: &Context, arn: &str, change: TagChange) -> Result<(), AwsError> {
    let cognito = &cx.clients.cognito;
    if !change.set.is_empty() {
        let tags: HashMap<String, String> = change.set.into_iter().collect();
        let tag = || cognito.tag_resource().resource_arn(arn).set_tags(Some(tags.clone())).send();
        cx.call(ops::cognito::TAG_RESOURCE, tag).await?;
    }
    if !change.remove.is_empty() {
        let untag = || cognito.untag_resource().resource_arn(arn).set_tag_keys(Some(change.remove.clone())).send();
        cx.call(ops::cognito::UNTAG_RESOURCE, untag).await?;
    }
    Ok(())
}

/// The domain was deleted just before (Cognito developer guide, "Deleting a user pool").
const DOMAIN_NOT_YET_GONE: &[(&str, &str)] = &[("InvalidParameterException", "omain")];

/// The plan of a pool that says none (Cognito API reference, `CreateUserPool`, `UserPoolTier`).
const USUAL_TIER: UserPoolTierType = UserPoolTierType::Essentials;

impl CognitoUserPool {
    /// The usual tier is left out where the pool has none, for servers that do not know tiers.
    fn tier_to_send(&self, seen: Option<&UserPoolTierType>) -> Option<UserPoolTierType> {
        let tier = UserPoolTierType::from(self.tier.as_str());
        (tier != USUAL_TIER || seen.is_some()).then_some(tier)
    }

    async fn make(&self, task: &Task<'_>) -> Result<Recorded, ResourceError> {
        let cx = task.cx;
        let email = email_schema()?;
        let settings = self.settings()?;
        let tags: HashMap<String, String> = self.tags.clone().into_iter().collect();
        let lambdas = self.triggers.as_ref().map(triggers::request).transpose()?.flatten();
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
                    .set_lambda_config(lambdas.clone())
                    .set_user_pool_tier(self.tier_to_send(None))
                    .set_issuer_configuration(self.issuer.configuration(None))
                    .verification_message_template(settings.verification.clone())
                    .set_user_pool_tags(Some(tags.clone()))
                    .send()
            };
            let answer = cx.call(ops::cognito::CREATE_USER_POOL, send).await?;
            let pool = answer.user_pool.ok_or_else(|| no_pool(ops::cognito::CREATE_USER_POOL))?;
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
        let lambdas = match &self.triggers {
            Some(triggers) => triggers::request(triggers)?,
            None => pool.lambda_config.clone(),
        };
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
                .set_lambda_config(lambdas.clone())
                .set_user_pool_tier(self.tier_to_send(pool.user_pool_tier()))
                .set_issuer_configuration(self.issuer.configuration(pool.issuer_configuration()))
        })
        .await
    }

    /// Nothing but the tags: `UpdateUserPool` resets whatever it is not given (Cognito API reference, `UpdateUserPool`).
    async fn update_tags(&self, cx: &Context, recorded: &Recorded) -> Result<(), ResourceError> {
        let pool = describe(cx, &recorded.id).await?.ok_or(ResourceError::Vanished)?;
        change_tags(cx, &recorded.arn, TagChange::between(&tags_of(&pool), &self.tags)).await?;
        Ok(())
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
        cx.call(ops::cognito::SET_USER_POOL_MFA_CONFIG, set).await?;
        Ok(())
    }
}
