//! App client of a user pool: an app that may send its users to log in, or a machine that logs in for itself.
//!
//! Identity: the pool and the id that AWS gives. It carries no tags; it is ours because its pool is. UpdateUserPoolClient
//! sets whatever a request leaves out to its default (Cognito API reference), so every change reads the client, alters
//! what differs and sends it whole. The client secret is neither kept nor shown.

mod secrets;

use std::collections::BTreeSet;

use aws_sdk_cognitoidentityprovider::operation::update_user_pool_client::builders::UpdateUserPoolClientFluentBuilder;
use aws_sdk_cognitoidentityprovider::types::{
    ExplicitAuthFlowsType, OAuthFlowType, PreventUserExistenceErrorTypes, TimeUnitsType, TokenValidityUnitsType,
    UserPoolClientType,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::cognito_managed_login_branding;
use super::cognito_resource_server::CognitoResourceServer;
use super::cognito_user_pool::{self, A_USER_POOL, CognitoUserPool};
use super::once::create_once;
use super::reference::{Known, Ref, Reference, Text};
use super::task::parent;
use super::{
    Attachment, Attributes, Condition, Context, Identity, Observed, Parent, PlannedChange, RecoveryHint, Resource,
    ResourceError, Rule, Task, attributes,
};
use hlctl_aws::{AwsError, ops};
use hlctl_config::{Secret, TokenValidity};
use hlctl_model::{Action, AttributeChange};

pub use secrets::{AddedSecret, ClientSecret, SECRET, add_secret, remove_secret, secrets_of};

/// What the configuration asks for.
#[derive(Clone, Debug)]
pub struct CognitoUserPoolClient {
    /// The pool.
    pub pool: Ref<CognitoUserPool>,
    /// The servers whose scopes it may ask for: they must be there first.
    pub servers: Vec<Ref<CognitoResourceServer>>,
    /// Its name.
    pub name: String,
    /// For whom it asks.
    pub flow: Flow,
    /// The scopes it may ask for.
    pub scopes: BTreeSet<String>,
    /// How long its tokens are valid.
    pub validity: TokenValidity,
}

/// For whom a client asks for tokens. `client_credentials` may be no client's second flow (Cognito API reference,
/// `CreateUserPoolClient`, `AllowedOAuthFlows`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flow {
    /// For a user, by the authorization code.
    User {
        /// Where a browser may be sent after log-in.
        callback_urls: Vec<String>,
        /// Where a browser may be sent after log-out.
        logout_urls: Vec<String>,
    },
    /// For itself, by its credentials.
    Machine,
}

/// What the state file remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Id of the client.
    pub id: String,
    /// Id of the pool.
    pub user_pool_id: String,
    /// Its name.
    pub name: String,
}

impl Ref<CognitoUserPoolClient> {
    /// The client's id.
    pub fn id(&self) -> Text {
        self.attribute("id")
    }

    /// The id of the client's pool.
    pub fn pool_id(&self) -> Text {
        self.attribute("user_pool_id")
    }
}

/// Another change to the same client is under way.
const BUSY: &[(&str, &str)] = &[("ConcurrentModificationException", "")];
/// What users may see of themselves through the app: the standard attributes.
const READABLE: [&str; 19] = [
    "address",
    "birthdate",
    "email",
    "email_verified",
    "family_name",
    "gender",
    "given_name",
    "locale",
    "middle_name",
    "name",
    "nickname",
    "phone_number",
    "phone_number_verified",
    "picture",
    "preferred_username",
    "profile",
    "updated_at",
    "website",
    "zoneinfo",
];
/// Apart from the hosted pages, the API may only exchange refresh tokens: no flow takes a password.
const FLOWS: ExplicitAuthFlowsType = ExplicitAuthFlowsType::AllowRefreshTokenAuth;
const NOT_WRITABLE: [&str; 2] = ["email_verified", "phone_number_verified"];

impl Resource for CognitoUserPoolClient {
    const KIND: &'static str = "cognito_user_pool_client";
    const RULES: &'static [Rule] = &[
        Rule::replaces("user_pool_id", "a client belongs to its user pool"),
        Rule::replaces("has_secret", "Cognito gives a client its first secret only when it creates the client"),
    ];
    const NAMELESS: bool = true;
    const ENDS_WITH: Option<Parent> = Some(A_USER_POOL);
    type Recorded = Recorded;

    fn references(&self) -> Vec<Reference> {
        let servers = self.servers.iter().map(Ref::<CognitoResourceServer>::identifier);
        let texts: Vec<Text> = std::iter::once(self.pool.id()).chain(servers).collect();
        texts.iter().flat_map(Text::references).cloned().collect()
    }

    fn desired(&self, known: &Known) -> Attributes {
        let (callbacks, logouts) = self.urls();
        let units = &self.validity;
        let mut wanted = attributes([
            ("user_pool_id", known.shown(&self.pool.id())),
            ("name", json!(self.name)),
            ("has_secret", json!(true)),
            ("oauth_flows", json!([self.flow.as_cognito().as_str()])),
            ("oauth_scopes", json!(self.scopes)),
            ("oauth_for_pool", json!(true)),
            ("identity_providers", json!(["COGNITO"])),
            ("callback_urls", json!(callbacks.iter().collect::<BTreeSet<_>>())),
            ("logout_urls", json!(logouts.iter().collect::<BTreeSet<_>>())),
            ("access_token_validity", json!(format!("{} {}", units.access.value, units.access.unit))),
            ("id_token_validity", json!(format!("{} {}", units.id.value, units.id.unit))),
            ("refresh_token_validity", json!(format!("{} {}", units.refresh.value, units.refresh.unit))),
            ("prevent_user_existence_errors", json!("ENABLED")),
            ("explicit_auth_flows", json!([FLOWS.as_str()])),
        ]);
        if matches!(self.flow, Flow::User { .. }) {
            wanted.insert("readable_attributes".to_owned(), json!(READABLE));
            wanted.insert("writable_attributes".to_owned(), json!(writable().collect::<Vec<_>>()));
        }
        wanted
    }

    fn predicted(&self, _identity: &Identity, _known: &Known) -> Option<Recorded> {
        None
    }

    /// Names are not unique, but in a pool of ours only a run of ours made a client of this name.
    async fn find(cx: &Context, recovery: &RecoveryHint<'_>) -> Result<Option<Recorded>, ResourceError> {
        let pool: Option<cognito_user_pool::Recorded> = parent::<CognitoUserPool>(recovery);
        match (pool, recovery.intended("name")) {
            (Some(pool), Some(name)) => search(cx, &pool.id, name, recovery.taken).await,
            _ => Ok(None),
        }
    }

    async fn read(cx: &Context, recorded: &Recorded) -> Result<Option<Observed<Recorded>>, ResourceError> {
        let Some(client) = describe(cx, recorded).await? else { return Ok(None) };
        let name = client.client_name();
        let name = name.ok_or_else(|| AwsError::incomplete(ops::cognito::DESCRIBE_USER_POOL_CLIENT, "client name"))?;
        let recorded = Recorded { name: name.to_owned(), ..recorded.clone() };
        let has_secret = client.client_secret().is_some() || secrets::has_hidden(cx, &recorded).await;
        let attributes = observed_attributes(&client, &recorded, has_secret);
        Ok(Some(Observed { recorded, attributes, tags: None, condition: Condition::Ready }))
    }

    /// Its secrets but the first, each of which is a key to what the client may do, and the style of its log-in pages.
    async fn attachments(cx: &Context, recorded: &Recorded) -> Result<Vec<Attachment>, ResourceError> {
        let style = cognito_managed_login_branding::of_client(cx, &recorded.user_pool_id, &recorded.id);
        let (secrets, style) = tokio::join!(secrets::further(cx, recorded), style);
        let mut all = secrets?;
        all.extend(style?);
        Ok(all)
    }

    async fn create(&self, task: &Task<'_>) -> Result<Recorded, ResourceError> {
        let cx = task.cx;
        let pool = task.text(&self.pool.id())?;
        let (callbacks, logouts) = self.urls();
        let create = async || {
            let send = || {
                let create = cx.clients.cognito.create_user_pool_client().user_pool_id(&pool).client_name(&self.name);
                create
                    .generate_secret(true)
                    .allowed_o_auth_flows(self.flow.as_cognito())
                    .allowed_o_auth_flows_user_pool_client(true)
                    .set_allowed_o_auth_scopes(Some(self.scopes.iter().cloned().collect()))
                    .supported_identity_providers("COGNITO")
                    .set_explicit_auth_flows(Some(vec![FLOWS]))
                    .set_callback_urls(Some(callbacks.to_vec()).filter(|urls| !urls.is_empty()))
                    .set_logout_urls(Some(logouts.to_vec()).filter(|urls| !urls.is_empty()))
                    .set_access_token_validity(days(self.validity.access.value))
                    .set_id_token_validity(days(self.validity.id.value))
                    .set_refresh_token_validity(days(self.validity.refresh.value))
                    .token_validity_units(self.units())
                    .prevent_user_existence_errors(PreventUserExistenceErrorTypes::Enabled)
                    .set_read_attributes(self.readable())
                    .set_write_attributes(self.writable())
                    .send()
            };
            let call = ops::cognito::CREATE_USER_POOL_CLIENT.eventually(BUSY);
            let answer = cx.call(call, send).await?;
            let id = answer.user_pool_client.and_then(|client| client.client_id);
            let id = id.ok_or_else(|| {
                ResourceError::Answer("cognito-idp:CreateUserPoolClient returned no client id".to_owned())
            })?;
            Ok(Recorded { id, user_pool_id: pool.clone(), name: self.name.clone() })
        };
        create_once(task, create, || search(cx, &pool, &self.name, task.others)).await
    }

    async fn update(
        &self,
        task: &Task<'_>,
        recorded: Recorded,
        _changes: &[AttributeChange],
    ) -> Result<Recorded, ResourceError> {
        let cx = task.cx;
        let client = describe(cx, &recorded).await?.ok_or(ResourceError::Vanished)?;
        let (callbacks, logouts) = self.urls();
        let send = || {
            whole(cx, &client)
                .client_name(&self.name)
                .set_explicit_auth_flows(Some(vec![FLOWS]))
                .set_allowed_o_auth_flows(Some(vec![self.flow.as_cognito()]))
                .allowed_o_auth_flows_user_pool_client(true)
                .set_allowed_o_auth_scopes(Some(self.scopes.iter().cloned().collect()))
                .set_supported_identity_providers(Some(vec!["COGNITO".to_owned()]))
                .set_callback_urls(Some(callbacks.to_vec()))
                .set_logout_urls(Some(logouts.to_vec()))
                .set_default_redirect_uri(client.default_redirect_uri.clone().filter(|uri| callbacks.contains(uri)))
                .set_access_token_validity(days(self.validity.access.value))
                .set_id_token_validity(days(self.validity.id.value))
                .set_refresh_token_validity(days(self.validity.refresh.value))
                .token_validity_units(self.units())
                .prevent_user_existence_errors(PreventUserExistenceErrorTypes::Enabled)
                .set_read_attributes(self.readable().or_else(|| client.read_attributes.clone()))
                .set_write_attributes(self.writable().or_else(|| client.write_attributes.clone()))
                .send()
        };
        cx.call(ops::cognito::UPDATE_USER_POOL_CLIENT.eventually(BUSY), send).await?;
        Ok(Recorded { name: self.name.clone(), ..recorded })
    }

    async fn delete(task: &Task<'_>, recorded: Recorded) -> Result<(), ResourceError> {
        if task.with_parent {
            return Ok(());
        }
        let delete = || {
            let delete = task.cx.clients.cognito.delete_user_pool_client().user_pool_id(&recorded.user_pool_id);
            delete.client_id(&recorded.id).send()
        };
        match task.cx.call(ops::cognito::DELETE_USER_POOL_CLIENT.eventually(BUSY), delete).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn name(recorded: &Recorded) -> String {
        recorded.name.clone()
    }

    fn import_id(recorded: &Recorded) -> String {
        format!("{}/{}", recorded.user_pool_id, recorded.id)
    }

    fn of_import_id(_identity: &Identity, id: &str) -> Option<Recorded> {
        let (pool, id) = id.split_once('/')?;
        Some(Recorded { id: id.to_owned(), user_pool_id: pool.to_owned(), name: String::new() })
    }

    fn impact(planned: &PlannedChange<'_>) -> Vec<String> {
        match planned.action {
            Action::Replace => {
                vec!["Apps need the new client's id and secret; tokens of the old client are refused.".to_owned()]
            }
            _ => Vec::new(),
        }
    }
}

impl Flow {
    fn as_cognito(&self) -> OAuthFlowType {
        match self {
            Self::User { .. } => OAuthFlowType::Code,
            Self::Machine => OAuthFlowType::ClientCredentials,
        }
    }
}

impl CognitoUserPoolClient {
    fn urls(&self) -> (&[String], &[String]) {
        match &self.flow {
            Flow::User { callback_urls, logout_urls } => (callback_urls, logout_urls),
            Flow::Machine => (&[], &[]),
        }
    }

    fn readable(&self) -> Option<Vec<String>> {
        matches!(self.flow, Flow::User { .. }).then(|| READABLE.map(str::to_owned).to_vec())
    }

    fn writable(&self) -> Option<Vec<String>> {
        matches!(self.flow, Flow::User { .. }).then(|| writable().map(str::to_owned).collect())
    }

    fn units(&self) -> TokenValidityUnitsType {
        TokenValidityUnitsType::builder()
            .access_token(TimeUnitsType::from(self.validity.access.unit.as_str()))
            .id_token(TimeUnitsType::from(self.validity.id.unit.as_str()))
            .refresh_token(TimeUnitsType::from(self.validity.refresh.unit.as_str()))
            .build()
    }
}

fn writable() -> impl Iterator<Item = &'static str> {
    READABLE.into_iter().filter(|name| !NOT_WRITABLE.contains(name))
}

/// A number that the configuration has bounded to what Cognito takes.
fn days(value: u32) -> Option<i32> {
    i32::try_from(value).ok()
}

/// A request that leaves everything as it is.
fn whole(cx: &Context, client: &UserPoolClientType) -> UpdateUserPoolClientFluentBuilder {
    cx.clients
        .cognito
        .update_user_pool_client()
        .set_user_pool_id(client.user_pool_id.clone())
        .set_client_id(client.client_id.clone())
        .set_analytics_configuration(client.analytics_configuration.clone())
        .set_enable_token_revocation(client.enable_token_revocation)
        .set_enable_propagate_additional_user_context_data(client.enable_propagate_additional_user_context_data)
        .set_auth_session_validity(client.auth_session_validity)
        .set_refresh_token_rotation(client.refresh_token_rotation.clone())
}

async fn describe(cx: &Context, recorded: &Recorded) -> Result<Option<UserPoolClientType>, AwsError> {
    let describe = || {
        let describe = cx.clients.cognito.describe_user_pool_client().user_pool_id(&recorded.user_pool_id);
        describe.client_id(&recorded.id).send()
    };
    match cx.call(ops::cognito::DESCRIBE_USER_POOL_CLIENT, describe).await {
        Ok(answer) if answer.user_pool_client.is_none() => {
            Err(AwsError::incomplete(ops::cognito::DESCRIBE_USER_POOL_CLIENT, "client"))
        }
        Ok(answer) => Ok(answer.user_pool_client),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Asks AWS for a client's secret, which it need not return once secrets were rotated. Hand it to nobody but who asked for it by
/// name.
///
/// # Errors
/// As [`access_of`].
pub async fn secret_of(cx: &Context, user_pool_id: &str, client_id: &str) -> Result<Option<Secret>, ResourceError> {
    access_of(cx, user_pool_id, client_id).await.map(|access| access.secret)
}

/// What an app is given of its client.
#[derive(Clone, Debug)]
pub struct Access {
    /// The secret, if AWS returns it.
    pub secret: Option<Secret>,
    /// Where a browser may be sent after log-in.
    pub callback_urls: Vec<String>,
    /// The scopes it may ask for.
    pub scopes: Vec<String>,
}

/// Asks AWS for what an app needs to log in.
///
/// # Errors
/// AWS's, or the client is gone.
pub async fn access_of(cx: &Context, user_pool_id: &str, client_id: &str) -> Result<Access, ResourceError> {
    let recorded = Recorded { id: client_id.to_owned(), user_pool_id: user_pool_id.to_owned(), name: String::new() };
    let client = describe(cx, &recorded).await?;
    let client = client.ok_or_else(|| ResourceError::Answer(format!("the client {client_id} is gone")))?;
    Ok(Access {
        secret: client.client_secret().map(Secret::new),
        callback_urls: client.callback_urls().to_vec(),
        scopes: client.allowed_o_auth_scopes().to_vec(),
    })
}

async fn search(cx: &Context, pool: &str, name: &str, taken: &[Value]) -> Result<Option<Recorded>, ResourceError> {
    let is_taken = |id: &str| taken.iter().any(|recorded| recorded.get("id").and_then(Value::as_str) == Some(id));
    let mut token = None;
    loop {
        let list = || {
            let list = cx.clients.cognito.list_user_pool_clients().user_pool_id(pool).max_results(60);
            list.set_next_token(token.clone()).send()
        };
        let page = match cx.call(ops::cognito::LIST_USER_POOL_CLIENTS, list).await {
            Ok(page) => page,
            // It went with its pool.
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let named = page.user_pool_clients().iter().filter(|client| client.client_name() == Some(name));
        if let Some(id) = named.filter_map(|client| client.client_id()).find(|id| !is_taken(id)) {
            return Ok(Some(Recorded { id: id.to_owned(), user_pool_id: pool.to_owned(), name: name.to_owned() }));
        }
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            return Ok(None);
        }
    }
}

fn observed_attributes(client: &UserPoolClientType, recorded: &Recorded, has_secret: bool) -> Attributes {
    let set = |items: &[String]| json!(items.iter().collect::<BTreeSet<_>>());
    let units = client.token_validity_units();
    let flows: BTreeSet<&str> = client.explicit_auth_flows().iter().map(ExplicitAuthFlowsType::as_str).collect();
    let shown = |value: Option<i32>, unit: Option<&TimeUnitsType>, default: (i32, &str)| {
        let value = value.filter(|value| *value != 0).unwrap_or(default.0);
        json!(format!("{value} {}", unit.map_or(default.1, TimeUnitsType::as_str)))
    };
    attributes([
        ("user_pool_id", json!(recorded.user_pool_id)),
        ("name", json!(client.client_name())),
        ("has_secret", json!(has_secret)),
        ("oauth_flows", json!(client.allowed_o_auth_flows().iter().map(OAuthFlowType::as_str).collect::<Vec<_>>())),
        ("oauth_scopes", set(client.allowed_o_auth_scopes())),
        ("oauth_for_pool", json!(client.allowed_o_auth_flows_user_pool_client().unwrap_or(false))),
        ("identity_providers", set(client.supported_identity_providers())),
        ("callback_urls", set(client.callback_urls())),
        ("logout_urls", set(client.logout_urls())),
        // What is not set is an hour, and for refresh tokens 30 days ("UserPoolClientType").
        (
            "access_token_validity",
            shown(client.access_token_validity(), units.and_then(|units| units.access_token()), (1, "hours")),
        ),
        (
            "id_token_validity",
            shown(client.id_token_validity(), units.and_then(|units| units.id_token()), (1, "hours")),
        ),
        (
            "refresh_token_validity",
            shown(Some(client.refresh_token_validity()), units.and_then(|units| units.refresh_token()), (30, "days")),
        ),
        (
            "prevent_user_existence_errors",
            json!(client.prevent_user_existence_errors().map(PreventUserExistenceErrorTypes::as_str)),
        ),
        ("explicit_auth_flows", json!(flows)),
        ("readable_attributes", set(client.read_attributes())),
        ("writable_attributes", set(client.write_attributes())),
    ])
}
