//! User of a user pool, for trying SMART out.
//!
//! Identity: the pool and the username. It carries no tags; it is ours because its pool is. Its password cannot be read
//! back: the state keeps a salted, deliberately slow hash of it, by which a changed one is noticed. A user that was adopted
//! keeps the password it came with.

use std::collections::BTreeMap;

use aws_sdk_cognitoidentityprovider::types::{AttributeType, MessageActionType, UserStatusType};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::cognito_user_pool::{A_USER_POOL, CognitoUserPool};
use super::reference::{Known, Ref, Reference};
use super::task::parent;
use super::{
    Attributes, Condition, Context, Identity, Observed, Parent, RecoveryHint, Resource, ResourceError, Rule, SECRET,
    Task, attributes,
};
use hlctl_aws::{Certainty, ErrorKind, Met, ops};
use hlctl_config::Secret;
use hlctl_config::fingerprint::Fingerprint;
use hlctl_model::AttributeChange;
use hlctl_model::address::Address;

/// What the configuration asks for.
#[derive(Clone, Debug)]
pub struct CognitoUser {
    /// Its own address: what is recorded of the password is found there.
    pub address: Address,
    /// The pool.
    pub pool: Ref<CognitoUserPool>,
    /// Log-in name.
    pub username: String,
    /// `preferred_username`, `email` and `email_verified`.
    pub user_attributes: BTreeMap<String, String>,
    /// The password; empty where it is not at hand and nothing is to be changed.
    pub password: Secret,
}

/// What the state file remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Id of the pool.
    pub user_pool_id: String,
    /// Log-in name.
    pub username: String,
    /// By which a changed password is noticed; none where no password has been set by hlctl.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub password: Option<Fingerprint>,
    /// Whether the user came with a password that hlctl does not know, and leaves alone.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub password_is_anothers: bool,
}

/// What a password that differs from the one set last is shown as.
const ANOTHER: &str = "(sensitive, changed)";

impl Resource for CognitoUser {
    const KIND: &'static str = "cognito_user";
    const RULES: &'static [Rule] = &[
        Rule::replaces("user_pool_id", "a user belongs to its pool"),
        Rule::replaces("username", "Cognito cannot rename a user"),
    ];
    const ENDS_WITH: Option<Parent> = Some(A_USER_POOL);
    type Recorded = Recorded;

    fn references(&self) -> Vec<Reference> {
        self.pool.id().references().cloned().collect()
    }

    fn desired(&self, known: &Known) -> Attributes {
        let mut wanted = attributes([
            ("user_pool_id", known.shown(&self.pool.id())),
            ("username", json!(self.username)),
            ("enabled", json!(true)),
            ("user_attributes", json!(self.user_attributes)),
        ]);
        let recorded = self.recorded(known);
        if !recorded.as_ref().is_some_and(|recorded| recorded.password_is_anothers) {
            let shown = if self.is_another_password(recorded) { ANOTHER } else { SECRET };
            wanted.insert("password".to_owned(), json!(shown));
        }
        wanted
    }

    fn predicted(&self, _identity: &Identity, known: &Known) -> Option<Recorded> {
        known.text(&self.pool.id()).map(|user_pool_id| self.unset(user_pool_id))
    }

    async fn find(_cx: &Context, recovery: &RecoveryHint<'_>) -> Result<Option<Recorded>, ResourceError> {
        let username = recovery.intended("username");
        let pool = parent::<CognitoUserPool>(recovery);
        Ok(username.zip(pool).map(|(username, pool)| Recorded {
            user_pool_id: pool.id,
            username: username.to_owned(),
            password: None,
            password_is_anothers: false,
        }))
    }

    async fn read(cx: &Context, recorded: &Recorded) -> Result<Option<Observed<Recorded>>, ResourceError> {
        let get = || {
            let get = cx.clients.cognito.admin_get_user().user_pool_id(&recorded.user_pool_id);
            get.username(&recorded.username).send()
        };
        let user = match cx.call(ops::cognito::ADMIN_GET_USER, get).await {
            Ok(user) => user,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let seen: BTreeMap<&str, &str> = user
            .user_attributes()
            .iter()
            .filter(|attribute| OURS.contains(&attribute.name()))
            .map(|attribute| (attribute.name(), attribute.value().unwrap_or_default()))
            .collect();
        // A user whose permanent password was never set cannot log in without changing it first.
        let is_set = user.user_status() == Some(&UserStatusType::Confirmed);
        let attributes = attributes([
            ("user_pool_id", json!(recorded.user_pool_id)),
            ("username", json!(recorded.username)),
            ("enabled", json!(user.enabled())),
            ("password", if is_set { json!(SECRET) } else { Value::Null }),
            ("user_attributes", json!(seen)),
        ]);
        Ok(Some(Observed { recorded: recorded.clone(), attributes, tags: None, condition: Condition::Ready }))
    }

    async fn create(&self, task: &Task<'_>) -> Result<Recorded, ResourceError> {
        let cx = task.cx;
        if self.password.is_empty() {
            let problem = format!("there is no password for the new user {}", self.username);
            return Err(ResourceError::request(problem));
        }
        let mut recorded = self.unset(task.text(&self.pool.id())?);
        let given = self.as_cognito()?;
        let create = || {
            let create = cx.clients.cognito.admin_create_user().user_pool_id(&recorded.user_pool_id);
            let create = create.username(&self.username).message_action(MessageActionType::Suppress);
            create.set_user_attributes(Some(given.clone())).send()
        };
        match cx.call(ops::cognito::ADMIN_CREATE_USER, create).await {
            Ok(_) => {}
            // An earlier answer was lost; the pool is ours, and so is the user.
            Err(error) if error.kind == ErrorKind::AlreadyExists => self.put_attributes(cx, &recorded).await?,
            Err(error) => return Err(error.into()),
        }
        task.identified(&recorded)?;
        recorded.password = Some(self.set_password(cx, &recorded).await?);
        Ok(recorded)
    }

    async fn update(
        &self,
        task: &Task<'_>,
        mut recorded: Recorded,
        changes: &[AttributeChange],
    ) -> Result<Recorded, ResourceError> {
        let cx = task.cx;
        let changed = |name: &str| changes.iter().any(|change| change.attribute() == name);
        if changed("enabled") {
            let enable = || {
                let enable = cx.clients.cognito.admin_enable_user().user_pool_id(&recorded.user_pool_id);
                enable.username(&recorded.username).send()
            };
            cx.call(ops::cognito::ADMIN_ENABLE_USER, enable).await?;
        }
        if changed("user_attributes") {
            self.put_attributes(cx, &recorded).await?;
        }
        if changed("password") {
            recorded.password = Some(self.set_password(cx, &recorded).await?);
        }
        Ok(recorded)
    }

    async fn delete(task: &Task<'_>, recorded: Recorded) -> Result<(), ResourceError> {
        if task.with_parent {
            return Ok(());
        }
        let delete = || {
            let delete = task.cx.clients.cognito.admin_delete_user().user_pool_id(&recorded.user_pool_id);
            delete.username(&recorded.username).send()
        };
        match task.cx.call(ops::cognito::ADMIN_DELETE_USER, delete).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn name(recorded: &Recorded) -> String {
        recorded.username.clone()
    }

    fn import_id(recorded: &Recorded) -> String {
        format!("{}/{}", recorded.user_pool_id, recorded.username)
    }

    fn of_import_id(_identity: &Identity, id: &str) -> Option<Recorded> {
        let (pool, username) = id.split_once('/')?;
        let (user_pool_id, username) = (pool.to_owned(), username.to_owned());
        Some(Recorded { user_pool_id, username, password: None, password_is_anothers: true })
    }
}

/// The attributes that the configuration decides; Cognito adds `sub`.
const OURS: [&str; 3] = ["preferred_username", "email", "email_verified"];

impl CognitoUser {
    /// What is recorded before its password is set.
    fn unset(&self, user_pool_id: String) -> Recorded {
        Recorded { user_pool_id, username: self.username.clone(), password: None, password_is_anothers: false }
    }

    fn recorded(&self, known: &Known) -> Option<Recorded> {
        known.recorded(&self.address).and_then(|recorded| Recorded::deserialize(recorded).ok())
    }

    fn is_another_password(&self, recorded: Option<Recorded>) -> bool {
        if self.password.is_empty() {
            return false;
        }
        recorded.is_some_and(|recorded| !recorded.password.is_some_and(|print| print.is_of(&self.password)))
    }

    fn as_cognito(&self) -> Result<Vec<AttributeType>, ResourceError> {
        self.user_attributes.iter().map(|(name, value)| attribute(name, value)).collect()
    }

    /// The pool wants a new address verified before it takes the place of the old one, unless the same request calls it
    /// verified (Cognito API reference, `AdminUpdateUserAttributes`). One that is to count as unverified is called so
    /// afterwards.
    async fn put_attributes(&self, cx: &Context, recorded: &Recorded) -> Result<(), ResourceError> {
        let given = self.as_cognito()?;
        let verified = attribute("email_verified", "true")?;
        let at_first: Vec<AttributeType> =
            given.iter().filter(|given| given.name() != verified.name()).chain([&verified]).cloned().collect();
        put(cx, recorded, at_first).await?;
        match given.into_iter().find(|given| given.name() == verified.name()) {
            Some(wanted) if wanted != verified => put(cx, recorded, vec![wanted]).await,
            _ => Ok(()),
        }
    }

    /// Permanent: nobody is asked to change it at the first log-in.
    async fn set_password(&self, cx: &Context, recorded: &Recorded) -> Result<Fingerprint, ResourceError> {
        let set = || {
            let set = cx.clients.cognito.admin_set_user_password().user_pool_id(&recorded.user_pool_id);
            set.username(&recorded.username).password(self.password.expose()).permanent(true).send()
        };
        match cx.call(ops::cognito::ADMIN_SET_USER_PASSWORD, set).await {
            Ok(_) => {}
            // The first attempt has set it, and a pool that keeps a history does not take it twice.
            Err(error) if error.meets() == Some(Met::Exists) && error.certainty == Certainty::MayBeApplied => {}
            Err(error) => return Err(error.into()),
        }
        // It takes long on purpose; everything else that is under way goes on meanwhile.
        let password = self.password.clone();
        let print = tokio::task::spawn_blocking(move || Fingerprint::of(&password)).await;
        print.map_err(|error| error.to_string()).flatten().map_err(ResourceError::Internal)
    }
}

fn attribute(name: &str, value: &str) -> Result<AttributeType, ResourceError> {
    AttributeType::builder().name(name).value(value).build().map_err(ResourceError::request)
}

async fn put(cx: &Context, recorded: &Recorded, attributes: Vec<AttributeType>) -> Result<(), ResourceError> {
    let put = || {
        let put = cx.clients.cognito.admin_update_user_attributes().user_pool_id(&recorded.user_pool_id);
        put.username(&recorded.username).set_user_attributes(Some(attributes.clone())).send()
    };
    cx.call(ops::cognito::ADMIN_UPDATE_USER_ATTRIBUTES, put).await?;
    Ok(())
}
