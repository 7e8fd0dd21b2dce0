//! Resource server of a user pool: an identifier under which scopes can be asked for, as `patient/*.read`.
//!
//! Identity: the pool and the identifier. It carries no tags; it is ours because its pool is.

use std::collections::BTreeSet;

use aws_sdk_cognitoidentityprovider::types::ResourceServerScopeType;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::cognito_user_pool::{A_USER_POOL, CognitoUserPool};
use super::reference::{Known, Ref, Reference, Text};
use super::task::parent;
use super::{
    Attributes, Condition, Context, Identity, Observed, Parent, PlannedChange, RecoveryHint, Resource, ResourceError,
    Rule, Task, attributes,
};
use hlctl_aws::{AwsError, Met, ops};
use hlctl_model::{Action, AttributeChange};

/// What the configuration asks for.
#[derive(Clone, Debug)]
pub struct CognitoResourceServer {
    /// The pool.
    pub pool: Ref<CognitoUserPool>,
    /// Its identifier, which is its name too: what stands before the slash of a scope.
    pub identifier: String,
    /// What stands after it.
    pub scopes: BTreeSet<String>,
}

/// What the state file remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Id of the pool.
    pub user_pool_id: String,
    /// The identifier.
    pub identifier: String,
    /// The scopes as they are asked for, identifier and all.
    pub scope_identifiers: BTreeSet<String>,
}

impl Ref<CognitoResourceServer> {
    /// The identifier, for what may be made only after its scopes.
    pub fn identifier(&self) -> Text {
        self.attribute("identifier")
    }
}

impl Resource for CognitoResourceServer {
    const KIND: &'static str = "cognito_resource_server";
    const RULES: &'static [Rule] = &[
        Rule::replaces("user_pool_id", "a resource server belongs to its user pool"),
        Rule::replaces("identifier", "Cognito cannot rename a resource server"),
    ];
    const ENDS_WITH: Option<Parent> = Some(A_USER_POOL);
    type Recorded = Recorded;

    fn references(&self) -> Vec<Reference> {
        self.pool.id().references().cloned().collect()
    }

    fn desired(&self, known: &Known) -> Attributes {
        attributes([
            ("user_pool_id", known.shown(&self.pool.id())),
            ("identifier", json!(self.identifier)),
            ("name", json!(self.identifier)),
            ("scopes", json!(self.scopes)),
        ])
    }

    fn predicted(&self, _identity: &Identity, known: &Known) -> Option<Recorded> {
        known.text(&self.pool.id()).map(|pool| self.recorded(pool))
    }

    async fn find(_cx: &Context, recovery: &RecoveryHint<'_>) -> Result<Option<Recorded>, ResourceError> {
        let identifier = recovery.intended("identifier");
        let pool = parent::<CognitoUserPool>(recovery);
        Ok(identifier.zip(pool).map(|(identifier, pool)| Recorded {
            user_pool_id: pool.id,
            identifier: identifier.to_owned(),
            scope_identifiers: BTreeSet::new(),
        }))
    }

    async fn read(cx: &Context, recorded: &Recorded) -> Result<Option<Observed<Recorded>>, ResourceError> {
        let describe = || {
            let describe = cx.clients.cognito.describe_resource_server().user_pool_id(&recorded.user_pool_id);
            describe.identifier(&recorded.identifier).send()
        };
        let server = match cx.call(ops::cognito::DESCRIBE_RESOURCE_SERVER, describe).await {
            Ok(answer) => answer.resource_server,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let missing = || AwsError::incomplete(ops::cognito::DESCRIBE_RESOURCE_SERVER, "resource server");
        let server = server.ok_or_else(missing)?;
        let scopes: BTreeSet<String> = server.scopes().iter().map(|scope| scope.scope_name().to_owned()).collect();
        let attributes = attributes([
            ("user_pool_id", json!(recorded.user_pool_id)),
            ("identifier", json!(recorded.identifier)),
            ("name", json!(server.name())),
            ("scopes", json!(scopes)),
        ]);
        let recorded = Recorded { scope_identifiers: qualified(&recorded.identifier, &scopes), ..recorded.clone() };
        Ok(Some(Observed { recorded, attributes, tags: None, condition: Condition::Ready }))
    }

    async fn create(&self, task: &Task<'_>) -> Result<Recorded, ResourceError> {
        let cx = task.cx;
        let recorded = self.recorded(task.text(&self.pool.id())?);
        let scopes = self.scopes()?;
        let create = || {
            let create = cx.clients.cognito.create_resource_server().user_pool_id(&recorded.user_pool_id);
            create.identifier(&self.identifier).name(&self.identifier).set_scopes(Some(scopes.clone())).send()
        };
        match cx.call(ops::cognito::CREATE_RESOURCE_SERVER, create).await {
            Ok(_) => Ok(recorded),
            // If it is there, an earlier answer was lost, and the pool is ours.
            Err(error) if error.meets() == Some(Met::Exists) => match Self::read(cx, &recorded).await? {
                Some(seen) if seen.attributes == self.desired(task.known) => Ok(seen.recorded),
                Some(_) => self.put(task, recorded).await,
                None => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    async fn update(
        &self,
        task: &Task<'_>,
        recorded: Recorded,
        _changes: &[AttributeChange],
    ) -> Result<Recorded, ResourceError> {
        self.put(task, recorded).await
    }

    async fn delete(task: &Task<'_>, recorded: Recorded) -> Result<(), ResourceError> {
        if task.with_parent {
            return Ok(());
        }
        let delete = || {
            let delete = task.cx.clients.cognito.delete_resource_server().user_pool_id(&recorded.user_pool_id);
            delete.identifier(&recorded.identifier).send()
        };
        match task.cx.call(ops::cognito::DELETE_RESOURCE_SERVER, delete).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn name(recorded: &Recorded) -> String {
        recorded.identifier.clone()
    }

    fn import_id(recorded: &Recorded) -> String {
        format!("{}|{}", recorded.user_pool_id, recorded.identifier)
    }

    fn of_import_id(_identity: &Identity, id: &str) -> Option<Recorded> {
        let (pool, identifier) = id.split_once('|')?;
        let (user_pool_id, identifier) = (pool.to_owned(), identifier.to_owned());
        Some(Recorded { user_pool_id, identifier, scope_identifiers: BTreeSet::new() })
    }

    fn impact(planned: &PlannedChange<'_>) -> Vec<String> {
        let removes = planned.action == Action::Update && planned.changed.contains(&"scopes");
        let sentence = "Log-in fails for an app that asks for a deleted scope.";
        if removes { vec![sentence.to_owned()] } else { Vec::new() }
    }
}

impl CognitoResourceServer {
    fn recorded(&self, user_pool_id: String) -> Recorded {
        Recorded {
            user_pool_id,
            identifier: self.identifier.clone(),
            scope_identifiers: qualified(&self.identifier, &self.scopes),
        }
    }

    fn scopes(&self) -> Result<Vec<ResourceServerScopeType>, ResourceError> {
        let scope = |name: &String| {
            let scope = ResourceServerScopeType::builder().scope_name(name);
            scope.scope_description(format!("{}/{name}", self.identifier)).build().map_err(ResourceError::request)
        };
        self.scopes.iter().map(scope).collect()
    }

    /// The request names everything that can change, so nothing is reset by being left out.
    async fn put(&self, task: &Task<'_>, recorded: Recorded) -> Result<Recorded, ResourceError> {
        let scopes = self.scopes()?;
        let put = || {
            let put = task.cx.clients.cognito.update_resource_server().user_pool_id(&recorded.user_pool_id);
            put.identifier(&self.identifier).name(&self.identifier).set_scopes(Some(scopes.clone())).send()
        };
        task.cx.call(ops::cognito::UPDATE_RESOURCE_SERVER, put).await?;
        Ok(self.recorded(recorded.user_pool_id))
    }
}

fn qualified(identifier: &str, scopes: &BTreeSet<String>) -> BTreeSet<String> {
    scopes.iter().map(|scope| format!("{identifier}/{scope}")).collect()
}
