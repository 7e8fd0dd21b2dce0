use std::time::Duration;

use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::error::ProvideErrorMetadata as _;
use aws_sdk_cognitoidentityprovider::types::{
    AttributeType, AuthFlowType, ChallengeNameType, DeletionProtectionType, ExplicitAuthFlowsType, MessageActionType,
    OAuthFlowType, ResourceServerScopeType, VerifiedAttributeType,
};
use hlctl_emulator::Emulator;

use crate::{config, config_as, open, still_options};

pub(crate) const PASSWORD: &str = "Correct-Horse-7";
pub(crate) const CALLBACK: &str = "https://localhost/callback";

/// A pool with a domain, a resource server, a client for every flow and a user.
pub(crate) struct Stack {
    pub(crate) cognito: Client,
    pub(crate) pool: String,
    pub(crate) client: String,
}

impl Stack {
    pub(crate) async fn new(emulator: &Emulator) -> Self {
        Self::at(emulator, "smart").await
    }

    pub(crate) async fn at(emulator: &Emulator, domain: &str) -> Self {
        let cognito = Client::new(&config(emulator));
        let pool = cognito.create_user_pool().pool_name(domain).send().await.unwrap().user_pool.unwrap().id.unwrap();
        cognito.create_user_pool_domain().user_pool_id(&pool).domain(domain).send().await.unwrap();
        let scope = ResourceServerScopeType::builder().scope_name("*.read").scope_description("all").build().unwrap();
        let server = cognito.create_resource_server().user_pool_id(&pool).identifier("patient").name("patient");
        server.scopes(scope).send().await.unwrap();
        let client = cognito
            .create_user_pool_client()
            .user_pool_id(&pool)
            .client_name("app")
            .explicit_auth_flows(ExplicitAuthFlowsType::AllowUserPasswordAuth)
            .explicit_auth_flows(ExplicitAuthFlowsType::AllowRefreshTokenAuth)
            .allowed_o_auth_flows_user_pool_client(true)
            .allowed_o_auth_flows(OAuthFlowType::Code)
            .allowed_o_auth_scopes("openid")
            .allowed_o_auth_scopes("patient/*.read")
            .supported_identity_providers("COGNITO")
            .callback_urls(CALLBACK)
            .send()
            .await
            .unwrap();
        let client = client.user_pool_client.unwrap().client_id.unwrap();
        let stack = Self { cognito, pool, client };
        stack.add_user("alice", Some(PASSWORD)).await;
        stack
    }

    /// With a temporary password if none is given.
    async fn add_user(&self, name: &str, password: Option<&str>) {
        let create = self.cognito.admin_create_user().user_pool_id(&self.pool).username(name);
        let create = create.message_action(MessageActionType::Suppress).temporary_password("Temporary-1");
        create.send().await.unwrap();
        if let Some(password) = password {
            let set = self.cognito.admin_set_user_password().user_pool_id(&self.pool).username(name);
            set.password(password).permanent(true).send().await.unwrap();
        }
    }

    /// Tokens or a challenge, or the code of the error.
    async fn initiate(
        &self,
        flow: AuthFlowType,
        parameters: &[(&str, &str)],
    ) -> Result<aws_sdk_cognitoidentityprovider::operation::initiate_auth::InitiateAuthOutput, String> {
        let mut call = self.cognito.initiate_auth().client_id(&self.client).auth_flow(flow);
        for (name, value) in parameters {
            call = call.auth_parameters(*name, *value);
        }
        call.send().await.map_err(|error| error.code().unwrap_or_default().to_owned())
    }

    async fn sign_in(
        &self,
        name: &str,
        password: &str,
    ) -> Result<aws_sdk_cognitoidentityprovider::operation::initiate_auth::InitiateAuthOutput, String> {
        self.initiate(AuthFlowType::UserPasswordAuth, &[("USERNAME", name), ("PASSWORD", password)]).await
    }
}

#[tokio::test]
async fn a_pool_is_described_as_it_was_made() {
    let emulator = open();
    let cognito = Client::new(&config(&emulator));
    let made = cognito
        .create_user_pool()
        .pool_name("smart")
        .deletion_protection(DeletionProtectionType::Active)
        .auto_verified_attributes(VerifiedAttributeType::Email)
        .user_pool_tags("hlctl:stack", "test")
        .send()
        .await
        .unwrap()
        .user_pool
        .unwrap();
    let id = made.id().unwrap();
    assert!(id.starts_with("us-east-1_") && id.len() == 19, "{id}");
    let described = cognito.describe_user_pool().user_pool_id(id).send().await.unwrap().user_pool.unwrap();
    assert_eq!(described, made);
    assert_eq!(described.user_pool_tags().unwrap()["hlctl:stack"], "test");
    assert_eq!(described.policies().unwrap().password_policy().unwrap().minimum_length(), Some(8));
    let error = cognito.delete_user_pool().user_pool_id(id).send().await.unwrap_err();
    assert_eq!(error.code(), Some("InvalidParameterException"));
    cognito.update_user_pool().user_pool_id(id).send().await.unwrap();
    cognito.delete_user_pool().user_pool_id(id).send().await.unwrap();
}

#[tokio::test]
async fn accounts_and_regions_have_pools_of_their_own() {
    let emulator = open();
    let stack = Stack::new(&emulator).await;
    for (key, region) in [("222222222222", "us-east-1"), ("AKIATEST", "eu-west-2")] {
        let other = Client::new(&config_as(&emulator, key, region));
        let error = other.describe_user_pool().user_pool_id(&stack.pool).send().await.unwrap_err();
        assert_eq!(error.code(), Some("ResourceNotFoundException"));
        // A user signs in wherever the client is, without credentials that would say so.
        let call = other.initiate_auth().client_id(&stack.client).auth_flow(AuthFlowType::UserPasswordAuth);
        let call = call.auth_parameters("USERNAME", "alice").auth_parameters("PASSWORD", PASSWORD);
        assert!(call.send().await.unwrap().authentication_result().is_some());
    }
}

#[tokio::test]
async fn a_token_names_its_user_until_it_expires() {
    let (options, clock) = still_options();
    let emulator = Emulator::open(options).unwrap();
    let stack = Stack::new(&emulator).await;
    let result = stack.sign_in("alice", PASSWORD).await.unwrap().authentication_result.unwrap();
    let access = result.access_token().unwrap();
    let user = stack.cognito.get_user().access_token(access).send().await.unwrap();
    assert_eq!(user.username(), "alice");
    clock.advance(Duration::from_secs(3599));
    stack.cognito.get_user().access_token(access).send().await.unwrap();
    clock.advance(Duration::from_secs(1));
    let error = stack.cognito.get_user().access_token(access).send().await.unwrap_err();
    assert_eq!(error.code(), Some("NotAuthorizedException"));

    let refresh = [("REFRESH_TOKEN", result.refresh_token().unwrap())];
    clock.advance(Duration::from_secs(30 * 86_400 - 3601));
    let renewed = stack.initiate(AuthFlowType::RefreshTokenAuth, &refresh).await.unwrap();
    let renewed = renewed.authentication_result.unwrap();
    assert!(renewed.refresh_token().is_none());
    stack.cognito.get_user().access_token(renewed.access_token().unwrap()).send().await.unwrap();
    clock.advance(Duration::from_secs(1));
    let error = stack.initiate(AuthFlowType::RefreshTokenAuth, &refresh).await.unwrap_err();
    assert_eq!(error, "NotAuthorizedException");
}

#[tokio::test]
async fn a_temporary_password_lasts_seven_days_and_its_challenge_three_minutes() {
    let (options, clock) = still_options();
    let emulator = Emulator::open(options).unwrap();
    let stack = Stack::new(&emulator).await;
    stack.add_user("bob", None).await;
    let asked = stack.sign_in("bob", "Temporary-1").await.unwrap();
    assert_eq!(asked.challenge_name(), Some(&ChallengeNameType::NewPasswordRequired));
    let respond = |session: &str| {
        let call = stack.cognito.respond_to_auth_challenge().client_id(&stack.client).session(session);
        let call = call.challenge_name(ChallengeNameType::NewPasswordRequired);
        call.challenge_responses("USERNAME", "bob").challenge_responses("NEW_PASSWORD", PASSWORD).send()
    };
    clock.advance(Duration::from_secs(180));
    let error = respond(asked.session().unwrap()).await.unwrap_err();
    assert_eq!(error.code(), Some("NotAuthorizedException"));
    clock.advance(Duration::from_secs(7 * 86_400 - 181));
    let asked = stack.sign_in("bob", "Temporary-1").await.unwrap();
    respond(asked.session().unwrap()).await.unwrap();
    stack.sign_in("bob", PASSWORD).await.unwrap();

    stack.add_user("carol", None).await;
    clock.advance(Duration::from_secs(7 * 86_400));
    assert_eq!(stack.sign_in("carol", "Temporary-1").await.unwrap_err(), "NotAuthorizedException");
}

#[tokio::test]
async fn what_is_wrong_with_a_password_is_said_without_it() {
    let emulator = open();
    let stack = Stack::new(&emulator).await;
    let set = |password: &str| {
        let call = stack.cognito.admin_set_user_password().user_pool_id(&stack.pool).username("alice");
        call.password(password).permanent(true).send()
    };
    for (password, code) in [("weakling", "InvalidPasswordException"), ("two words", "InvalidParameterException")] {
        let error = set(password).await.unwrap_err();
        assert_eq!(error.code(), Some(code));
        assert!(!format!("{error:?}").contains(password));
    }
}

#[tokio::test]
async fn all_that_is_wrong_with_a_request_is_named_at_once() {
    let emulator = open();
    let cognito = Client::new(&config(&emulator));
    let call = cognito.create_user_pool().pool_name("").sms_verification_message("no code").user_pool_tags("", "v");
    let error = call.send().await.unwrap_err();
    assert_eq!(error.code(), Some("InvalidParameterException"));
    let message = error.message().unwrap();
    for part in [
        "3 validation errors",
        "'poolName'",
        "'smsVerificationMessage'",
        "at 'userPoolTags' failed to satisfy constraint: Map keys",
    ] {
        assert!(message.contains(part), "{part} not in {message}");
    }
}

#[tokio::test]
async fn an_address_that_has_to_be_verified_is_not_changed_before() {
    let emulator = open();
    let cognito = Client::new(&config(&emulator));
    let settings = aws_sdk_cognitoidentityprovider::types::UserAttributeUpdateSettingsType::builder()
        .attributes_require_verification_before_update(VerifiedAttributeType::Email)
        .build();
    let pool = cognito.create_user_pool().pool_name("p").user_attribute_update_settings(settings).send().await.unwrap();
    let pool = pool.user_pool.unwrap().id.unwrap();
    let attribute = |name: &str, value: &str| AttributeType::builder().name(name).value(value).build().unwrap();
    let create = cognito.admin_create_user().user_pool_id(&pool).username("alice");
    create.user_attributes(attribute("email", "old@example.com")).send().await.unwrap();
    let update = |verified: bool| {
        let call = cognito.admin_update_user_attributes().user_pool_id(&pool).username("alice");
        let call = call.user_attributes(attribute("email", "new@example.com"));
        call.user_attributes(attribute("email_verified", &verified.to_string())).send()
    };
    let email = async || {
        let user = cognito.admin_get_user().user_pool_id(&pool).username("alice").send().await.unwrap();
        let found = user.user_attributes().iter().find(|attribute| attribute.name() == "email");
        found.and_then(AttributeType::value).unwrap().to_owned()
    };
    update(false).await.unwrap();
    assert_eq!(email().await, "old@example.com");
    update(true).await.unwrap();
    assert_eq!(email().await, "new@example.com");
}
