//! Log-in domain of a user pool: a prefix of `auth.REGION.amazoncognito.com`.
//!
//! Identity: the prefix, unique in a region across all accounts. It carries no tags; it is ours because its pool is.

use aws_sdk_cognitoidentityprovider::types::{DomainDescriptionType, DomainStatusType};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::cognito_managed_login_branding::CognitoManagedLoginBranding;
use super::cognito_user_pool::CognitoUserPool;
use super::reference::{Known, Ref, Reference, Text};
use super::task::parent;
use super::{
    Attributes, Condition, Context, Identity, Observed, PlannedChange, RecoveryHint, Resource, ResourceError, Rule,
    Task, attributes,
};
use hlctl_aws::{AwsError, Met, ops};
use hlctl_engine::wait::{self, Poll, PollPolicy};
use hlctl_model::{Action, AttributeChange};

/// What the configuration asks for.
#[derive(Clone, Debug)]
pub struct CognitoUserPoolDomain {
    /// The prefix.
    pub domain: String,
    /// The pool whose users log in there.
    pub pool: Ref<CognitoUserPool>,
    /// The branding of managed login, without which its pages are not shown; `None` for the classic pages.
    pub branding: Option<Ref<CognitoManagedLoginBranding>>,
}

/// What the state file remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// The prefix.
    pub domain: String,
    /// Id of the pool; empty where only the name is predicted.
    pub user_pool_id: String,
    /// Where the OAuth endpoints are, without a slash at the end.
    pub base_url: String,
}

/// The classic hosted pages, which need no branding style of each client (Cognito developer guide, "Managed login").
const CLASSIC: i32 = 1;
/// Managed login, which the tier `LITE` does not have.
const MANAGED: i32 = 2;

impl Resource for CognitoUserPoolDomain {
    const KIND: &'static str = "cognito_user_pool_domain";
    const RULES: &'static [Rule] = &[
        Rule::replaces("domain", "Cognito cannot rename a domain"),
        Rule::replaces("user_pool_id", "a domain belongs to its user pool"),
    ];
    const ALONE: bool = true;
    type Recorded = Recorded;

    fn references(&self) -> Vec<Reference> {
        let branding = self.branding.iter().map(Ref::<CognitoManagedLoginBranding>::client_id);
        let texts: Vec<Text> = std::iter::once(self.pool.id()).chain(branding).collect();
        texts.iter().flat_map(Text::references).cloned().collect()
    }

    fn desired(&self, known: &Known) -> Attributes {
        attributes([
            ("domain", json!(self.domain)),
            ("user_pool_id", known.shown(&self.pool.id())),
            ("managed_login_version", json!(self.version())),
        ])
    }

    fn predicted(&self, identity: &Identity, known: &Known) -> Option<Recorded> {
        let user_pool_id = known.text(&self.pool.id()).unwrap_or_default();
        Some(Recorded { domain: self.domain.clone(), user_pool_id, base_url: base_url(identity, &self.domain) })
    }

    fn is_whole(predicted: &Recorded) -> bool {
        !predicted.user_pool_id.is_empty()
    }

    async fn find(cx: &Context, recovery: &RecoveryHint<'_>) -> Result<Option<Recorded>, ResourceError> {
        let domain = recovery.intended("domain");
        let pool = parent::<CognitoUserPool>(recovery);
        Ok(domain.zip(pool).map(|(domain, pool)| Recorded {
            domain: domain.to_owned(),
            user_pool_id: pool.id,
            base_url: base_url(&cx.identity, domain),
        }))
    }

    async fn read(cx: &Context, recorded: &Recorded) -> Result<Option<Observed<Recorded>>, ResourceError> {
        let Some(domain) = describe(cx, &recorded.domain).await? else { return Ok(None) };
        let pool = domain.user_pool_id();
        let pool = pool.ok_or_else(|| AwsError::incomplete(ops::cognito::DESCRIBE_USER_POOL_DOMAIN, "pool id"))?;
        if pool != recorded.user_pool_id {
            return Err(ResourceError::Taken { name: recorded.domain.clone(), owner: None });
        }
        let condition = match domain.status() {
            Some(DomainStatusType::Active) | None => Condition::Ready,
            Some(DomainStatusType::Deleting) => return Ok(None),
            Some(status) => Condition::Changing(status.as_str().to_owned()),
        };
        let attributes = attributes([
            ("domain", json!(recorded.domain)),
            ("user_pool_id", json!(pool)),
            ("managed_login_version", json!(domain.managed_login_version().unwrap_or(CLASSIC))),
        ]);
        Ok(Some(Observed { recorded: recorded.clone(), attributes, tags: None, condition }))
    }

    async fn create(&self, task: &Task<'_>) -> Result<Recorded, ResourceError> {
        let cx = task.cx;
        let recorded = Recorded {
            domain: self.domain.clone(),
            user_pool_id: task.text(&self.pool.id())?,
            base_url: base_url(&cx.identity, &self.domain),
        };
        let create = || {
            let create = cx.clients.cognito.create_user_pool_domain().domain(&recorded.domain);
            // Cognito's own choice is the classic pages.
            let version = self.branding.is_some().then_some(MANAGED);
            create.user_pool_id(&recorded.user_pool_id).set_managed_login_version(version).send()
        };
        match cx.call(ops::cognito::CREATE_USER_POOL_DOMAIN, create).await {
            Ok(_) => {}
            // "Domain already associated with another user pool", or with this one, if an earlier answer was lost.
            Err(error) if error.meets() == Some(Met::Exists) => {
                let seen = describe(cx, &recorded.domain).await?;
                if seen.is_none_or(|seen| seen.user_pool_id() != Some(&recorded.user_pool_id)) {
                    let taken = ResourceError::Taken { name: recorded.domain.clone(), owner: None };
                    return Err(if error.is_domain_taken() { taken } else { error.into() });
                }
            }
            Err(error) => return Err(error.into()),
        }
        task.identified(&recorded)?;
        Self::settle(task, recorded).await
    }

    /// All but the pages' version takes a new domain.
    async fn update(
        &self,
        task: &Task<'_>,
        recorded: Recorded,
        _changes: &[AttributeChange],
    ) -> Result<Recorded, ResourceError> {
        let update = || {
            let update = task.cx.clients.cognito.update_user_pool_domain().domain(&recorded.domain);
            update.user_pool_id(&recorded.user_pool_id).managed_login_version(self.version()).send()
        };
        task.cx.call(ops::cognito::UPDATE_USER_POOL_DOMAIN, update).await?;
        Self::settle(task, recorded).await
    }

    async fn settle(task: &Task<'_>, recorded: Recorded) -> Result<Recorded, ResourceError> {
        let look = async || match describe(task.cx, &recorded.domain).await? {
            Some(domain) if domain.status().is_none_or(|status| *status == DomainStatusType::Active) => {
                Ok::<_, ResourceError>(Poll::Ready(()))
            }
            Some(domain) if domain.status() == Some(&DomainStatusType::Failed) => {
                let cause = "AWS gives no cause".to_owned();
                Err(ResourceError::Failed { status: "FAILED".to_owned(), cause })
            }
            _ => Ok(Poll::Pending("CREATING".to_owned())),
        };
        wait::until(pace(task), &task.cx.stop, |_| {}, look).await?;
        Ok(recorded)
    }

    async fn delete(task: &Task<'_>, recorded: Recorded) -> Result<(), ResourceError> {
        let cx = task.cx;
        let ours = |domain: &DomainDescriptionType| domain.user_pool_id() == Some(&recorded.user_pool_id);
        if !describe(cx, &recorded.domain).await?.as_ref().is_some_and(ours) {
            return Ok(());
        }
        let delete = || {
            let delete = cx.clients.cognito.delete_user_pool_domain().domain(&recorded.domain);
            delete.user_pool_id(&recorded.user_pool_id).send()
        };
        match cx.call(ops::cognito::DELETE_USER_POOL_DOMAIN, delete).await {
            Ok(_) => {}
            Err(error) if error.meets() == Some(Met::Gone) => {
                let is_ending = |domain: &DomainDescriptionType| domain.status() == Some(&DomainStatusType::Deleting);
                if describe(cx, &recorded.domain).await?.is_some_and(|domain| ours(&domain) && !is_ending(&domain)) {
                    return Err(error.into());
                }
            }
            Err(error) => return Err(error.into()),
        }
        let look = async || match describe(cx, &recorded.domain).await? {
            Some(domain) if ours(&domain) => Ok::<_, ResourceError>(Poll::Pending("DELETING".to_owned())),
            _ => Ok(Poll::Ready(())),
        };
        Ok(wait::until(pace(task), &cx.stop, |_| {}, look).await?)
    }

    fn name(recorded: &Recorded) -> String {
        recorded.domain.clone()
    }

    fn import_id(recorded: &Recorded) -> String {
        recorded.domain.clone()
    }

    fn of_import_id(identity: &Identity, id: &str) -> Option<Recorded> {
        let base_url = base_url(identity, id);
        Some(Recorded { domain: id.to_owned(), user_pool_id: String::new(), base_url })
    }

    fn impact(planned: &PlannedChange<'_>) -> Vec<String> {
        match planned.action {
            Action::Replace => vec!["Apps need the new log-in URLs.".to_owned()],
            Action::Update if planned.changed.contains(&"managed_login_version") => {
                vec!["Users see other log-in pages; they need scripts with managed login.".to_owned()]
            }
            _ => Vec::new(),
        }
    }
}

impl CognitoUserPoolDomain {
    fn version(&self) -> i32 {
        if self.branding.is_some() { MANAGED } else { CLASSIC }
    }
}

/// A prefix domain takes up to a minute.
fn pace(task: &Task<'_>) -> PollPolicy {
    task.cx.pace.at_most(std::time::Duration::from_secs(2))
}

/// "Using the Amazon Cognito domain", Cognito developer guide.
fn base_url(identity: &Identity, domain: &str) -> String {
    format!("https://{domain}.auth.{}.amazoncognito.com", identity.region)
}

/// An unknown domain is described as nothing rather than refused; another account's is not described at all.
async fn describe(cx: &Context, domain: &str) -> Result<Option<DomainDescriptionType>, AwsError> {
    let describe = || cx.clients.cognito.describe_user_pool_domain().domain(domain).send();
    match cx.call(ops::cognito::DESCRIBE_USER_POOL_DOMAIN, describe).await {
        Ok(answer) => match answer.domain_description {
            Some(described) if described.domain().is_some() => Ok(Some(described)),
            Some(described) if described.user_pool_id().is_none() => Ok(None),
            _ => Err(AwsError::incomplete(ops::cognito::DESCRIBE_USER_POOL_DOMAIN, "domain")),
        },
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}
