//! Branding of managed login for an app client: without a style of its own, a client's pages are not shown (Cognito API reference,
//! `CreateUserPoolDomain`, `ManagedLoginVersion`).
//!
//! Identity: the pool and the client, which has one style at most. It begins as Cognito's own; what is made of it in Cognito's
//! branding editor stays. It carries no tags; it is ours because its pool is.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::cognito_user_pool::A_USER_POOL;
use super::cognito_user_pool_client::CognitoUserPoolClient;
use super::reference::{Known, Ref, Reference, Text};
use super::task::parent;
use super::{
    Attachment, Attributes, Condition, Context, Identity, Observed, Parent, RecoveryHint, Resource, ResourceError,
    Rule, Task, attributes,
};
use crate::answers::watching;
use hlctl_aws::{AwsError, Call, Met, ops};
use hlctl_model::AttributeChange;

/// What the configuration asks for.
#[derive(Clone, Debug)]
pub struct CognitoManagedLoginBranding {
    /// The client whose pages it is for.
    pub client: Ref<CognitoUserPoolClient>,
}

/// What the state file remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Id of the pool.
    pub user_pool_id: String,
    /// Id of the client.
    pub client_id: String,
    /// Id of the style; empty until Cognito has given it one.
    #[serde(default)]
    pub id: String,
}

impl Ref<CognitoManagedLoginBranding> {
    /// The client, for what needs the style to be there.
    pub fn client_id(&self) -> Text {
        self.attribute("client_id")
    }
}

/// Another change to the same client is under way.
const BUSY: &[(&str, &str)] = &[("ConcurrentModificationException", "")];

impl Resource for CognitoManagedLoginBranding {
    const KIND: &'static str = "cognito_managed_login_branding";
    const RULES: &'static [Rule] = &[
        Rule::replaces("user_pool_id", "a style belongs to its user pool"),
        Rule::replaces("client_id", "a style belongs to its app client"),
    ];
    const ENDS_WITH: Option<Parent> = Some(A_USER_POOL);
    type Recorded = Recorded;

    fn references(&self) -> Vec<Reference> {
        let texts = [self.client.id(), self.client.pool_id()];
        texts.iter().flat_map(Text::references).cloned().collect()
    }

    fn desired(&self, known: &Known) -> Attributes {
        attributes([
            ("user_pool_id", known.shown(&self.client.pool_id())),
            ("client_id", known.shown(&self.client.id())),
        ])
    }

    fn predicted(&self, _identity: &Identity, known: &Known) -> Option<Recorded> {
        self.recorded(|text| known.text(text).ok_or(())).ok()
    }

    async fn find(_cx: &Context, recovery: &RecoveryHint<'_>) -> Result<Option<Recorded>, ResourceError> {
        let client = parent::<CognitoUserPoolClient>(recovery);
        Ok(client.map(|client| Recorded { user_pool_id: client.user_pool_id, client_id: client.id, id: String::new() }))
    }

    async fn read(cx: &Context, recorded: &Recorded) -> Result<Option<Observed<Recorded>>, ResourceError> {
        let call = Call::of(ops::cognito::DESCRIBE_MANAGED_LOGIN_BRANDING_BY_CLIENT);
        let Some(id) = style_of(cx, call, &recorded.user_pool_id, &recorded.client_id).await? else { return Ok(None) };
        let attributes =
            attributes([("user_pool_id", json!(recorded.user_pool_id)), ("client_id", json!(recorded.client_id))]);
        let recorded = Recorded { id, ..recorded.clone() };
        Ok(Some(Observed { recorded, attributes, tags: None, condition: Condition::Ready }))
    }

    async fn create(&self, task: &Task<'_>) -> Result<Recorded, ResourceError> {
        let cx = task.cx;
        let recorded = self.recorded(|text| task.text(text))?;
        let create = || {
            let create = cx.clients.cognito.create_managed_login_branding().user_pool_id(&recorded.user_pool_id);
            create.client_id(&recorded.client_id).use_cognito_provided_values(true).send()
        };
        let missing = |operation| AwsError::incomplete(operation, "branding id");
        match cx.call(ops::cognito::CREATE_MANAGED_LOGIN_BRANDING.eventually(BUSY), create).await {
            Ok(answer) => {
                let id = answer.managed_login_branding.and_then(|style| style.managed_login_branding_id);
                let id = id.ok_or_else(|| missing(ops::cognito::CREATE_MANAGED_LOGIN_BRANDING))?;
                Ok(Recorded { id, ..recorded })
            }
            // An earlier answer was lost, or somebody styled the pages of this client: either way it has a style.
            Err(error) if error.meets() == Some(Met::Exists) => {
                let call = Call::of(ops::cognito::DESCRIBE_MANAGED_LOGIN_BRANDING_BY_CLIENT);
                let id = style_of(cx, call, &recorded.user_pool_id, &recorded.client_id).await?;
                Ok(Recorded { id: id.ok_or(ResourceError::Aws(error))?, ..recorded })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whatever can change takes another style.
    async fn update(
        &self,
        _task: &Task<'_>,
        recorded: Recorded,
        _changes: &[AttributeChange],
    ) -> Result<Recorded, ResourceError> {
        Ok(recorded)
    }

    async fn delete(task: &Task<'_>, recorded: Recorded) -> Result<(), ResourceError> {
        if task.with_parent {
            return Ok(());
        }
        let cx = task.cx;
        let call = Call::of(ops::cognito::DESCRIBE_MANAGED_LOGIN_BRANDING_BY_CLIENT);
        let Some(id) = style_of(cx, call, &recorded.user_pool_id, &recorded.client_id).await? else { return Ok(()) };
        let delete = || {
            let delete = cx.clients.cognito.delete_managed_login_branding().user_pool_id(&recorded.user_pool_id);
            delete.managed_login_branding_id(&id).send()
        };
        match cx.call(ops::cognito::DELETE_MANAGED_LOGIN_BRANDING.eventually(BUSY), delete).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn name(recorded: &Recorded) -> String {
        recorded.client_id.clone()
    }

    fn import_id(recorded: &Recorded) -> String {
        format!("{}/{}", recorded.user_pool_id, recorded.client_id)
    }

    fn of_import_id(_identity: &Identity, id: &str) -> Option<Recorded> {
        let (pool, client) = id.split_once('/')?;
        Some(Recorded { user_pool_id: pool.to_owned(), client_id: client.to_owned(), id: String::new() })
    }
}

impl CognitoManagedLoginBranding {
    fn recorded<E>(&self, text: impl Fn(&Text) -> Result<String, E>) -> Result<Recorded, E> {
        let (user_pool_id, client_id) = (text(&self.client.pool_id())?, text(&self.client.id())?);
        Ok(Recorded { user_pool_id, client_id, id: String::new() })
    }
}

/// The style of a client, as what is attached to it.
pub(super) async fn of_client(cx: &Context, pool: &str, client: &str) -> Result<Option<Attachment>, AwsError> {
    let call = watching(ops::cognito::DESCRIBE_MANAGED_LOGIN_BRANDING_BY_CLIENT);
    let style = style_of(cx, call, pool, client).await?;
    Ok(style.map(|id| Attachment {
        kind: CognitoManagedLoginBranding::KIND,
        what: format!("the client's log-in pages have the style {id}"),
        recorded: json!({"user_pool_id": pool, "client_id": client, "id": id}),
    }))
}

/// The id of a client's style.
async fn style_of(cx: &Context, call: Call, pool: &str, client: &str) -> Result<Option<String>, AwsError> {
    let describe = || {
        let describe = cx.clients.cognito.describe_managed_login_branding_by_client().user_pool_id(pool);
        describe.client_id(client).send()
    };
    match cx.call(call, describe).await {
        Ok(answer) => {
            let id = answer.managed_login_branding.and_then(|style| style.managed_login_branding_id);
            let missing =
                || AwsError::incomplete(ops::cognito::DESCRIBE_MANAGED_LOGIN_BRANDING_BY_CLIENT, "branding id");
            id.map(Some).ok_or_else(missing)
        }
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}
