//! The secrets of a client, of which there may be two: they are listed without their values, added and deleted.

use aws_sdk_cognitoidentityprovider::primitives::DateTime;
use aws_sdk_cognitoidentityprovider::types::ClientSecretDescriptorType;
use jiff::Timestamp;
use serde_json::json;

use super::Recorded;
use crate::answers::watching;
use crate::once::once;
use crate::{Attachment, Context, ResourceError};
use hlctl_aws::{AwsError, Call, ops};
use hlctl_config::Secret;

/// What such a secret is called among what is attached to a client.
pub const SECRET: &str = "cognito_user_pool_client_secret";

/// A secret of a client, without its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSecret {
    /// The id that Cognito gave it.
    pub id: String,
    /// When it was created.
    pub created: Option<Timestamp>,
}

/// A secret that was just added.
#[derive(Clone, Debug)]
pub struct AddedSecret {
    /// Which one.
    pub secret: ClientSecret,
    /// Its value, if Cognito generated it: it is returned this once.
    pub value: Option<Secret>,
}

/// The client's secrets, the oldest first.
///
/// # Errors
/// AWS's.
pub async fn secrets_of(cx: &Context, user_pool_id: &str, client_id: &str) -> Result<Vec<ClientSecret>, ResourceError> {
    Ok(list(cx, Call::of(ops::cognito::LIST_USER_POOL_CLIENT_SECRETS), user_pool_id, client_id).await?)
}

/// Gives the client a second secret: this one, or one that Cognito generates.
///
/// # Errors
/// AWS's; the client has two already.
pub async fn add_secret(
    cx: &Context,
    user_pool_id: &str,
    client_id: &str,
    own: Option<&Secret>,
) -> Result<AddedSecret, ResourceError> {
    let before = secrets_of(cx, user_pool_id, client_id).await?;
    let add = async || {
        let send = || {
            let add = cx.clients.cognito.add_user_pool_client_secret().user_pool_id(user_pool_id).client_id(client_id);
            add.set_client_secret(own.map(|secret| secret.expose().to_owned())).send()
        };
        let answer = cx.call(ops::cognito::ADD_USER_POOL_CLIENT_SECRET, send).await?;
        let incomplete = |what| AwsError::incomplete(ops::cognito::ADD_USER_POOL_CLIENT_SECRET, what);
        let made = answer.client_secret_descriptor.ok_or_else(|| incomplete("client secret"))?;
        let secret = described(&made).ok_or_else(|| incomplete("client secret id"))?;
        let value = made.client_secret_value().map(Secret::new);
        if own.is_none() && value.is_none() {
            return Err(incomplete("client secret value").into());
        }
        Ok::<_, ResourceError>(AddedSecret { secret, value })
    };
    // A generated value that was in a lost answer is known to nobody, so that secret makes way for another.
    let search = async || {
        let now = secrets_of(cx, user_pool_id, client_id).await?;
        let Some(secret) = now.into_iter().find(|secret| before.iter().all(|old| old.id != secret.id)) else {
            return Ok(None);
        };
        if own.is_some() {
            return Ok(Some(AddedSecret { secret, value: None }));
        }
        remove_secret(cx, user_pool_id, client_id, &secret.id).await?;
        Ok(None)
    };
    once(add, search, || {}).await
}

/// Deletes one of a client's secrets; that it is gone already is as good.
///
/// # Errors
/// AWS's; it is the only one.
pub async fn remove_secret(
    cx: &Context,
    user_pool_id: &str,
    client_id: &str,
    secret_id: &str,
) -> Result<(), ResourceError> {
    let delete = || {
        let delete = cx.clients.cognito.delete_user_pool_client_secret().user_pool_id(user_pool_id);
        delete.client_id(client_id).client_secret_id(secret_id).send()
    };
    match cx.call(ops::cognito::DELETE_USER_POOL_CLIENT_SECRET, delete).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Whether a client that DescribeUserPoolClient shows no secret of has one all the same. AWS does not say which secret Describe
/// returns once one was added or deleted, or was published to AWS Secrets Manager. A client is replaced only if it is certain that
/// it has none, so a list that cannot be had counts as one with a secret in it.
pub(super) async fn has_hidden(cx: &Context, recorded: &Recorded) -> bool {
    let call = watching(ops::cognito::LIST_USER_POOL_CLIENT_SECRETS);
    list(cx, call, &recorded.user_pool_id, &recorded.id).await.map_or(true, |all| !all.is_empty())
}

/// All but the oldest, which the client was made with or which is left of a rotation.
pub(super) async fn further(cx: &Context, recorded: &Recorded) -> Result<Vec<Attachment>, ResourceError> {
    let call = watching(ops::cognito::LIST_USER_POOL_CLIENT_SECRETS);
    let all = match list(cx, call, &recorded.user_pool_id, &recorded.id).await {
        Ok(all) => all,
        Err(error) if error.is_not_found() => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let attachments = |secret: &ClientSecret| {
        let id = &secret.id;
        let time = secret.created.map(|time| format!(", created {time}")).unwrap_or_default();
        Attachment {
            kind: SECRET,
            what: format!(
                "the client has a second secret, {id}{time}, from a rotation under way or from somebody else"
            ),
            recorded: json!({"user_pool_id": recorded.user_pool_id, "client_id": recorded.id, "secret_id": id}),
        }
    };
    Ok(all.iter().skip(1).map(attachments).collect())
}

async fn list(cx: &Context, call: Call, pool: &str, client: &str) -> Result<Vec<ClientSecret>, AwsError> {
    let (mut all, mut token) = (Vec::new(), None);
    loop {
        let list = || {
            let list = cx.clients.cognito.list_user_pool_client_secrets().user_pool_id(pool);
            list.client_id(client).set_next_token(token.clone()).send()
        };
        let page = cx.call(call, list).await?;
        token = page.next_token().map(str::to_owned);
        for secret in page.client_secrets() {
            let missing = || AwsError::incomplete(ops::cognito::LIST_USER_POOL_CLIENT_SECRETS, "client secret id");
            all.push(described(secret).ok_or_else(missing)?);
        }
        if token.is_none() {
            break;
        }
    }
    all.sort_by_key(|secret| secret.created);
    Ok(all)
}

fn described(secret: &ClientSecretDescriptorType) -> Option<ClientSecret> {
    let exact = |time: &DateTime| Timestamp::new(time.secs(), i32::try_from(time.subsec_nanos()).ok()?).ok();
    let created = secret.client_secret_create_date().and_then(exact);
    Some(ClientSecret { id: secret.client_secret_id()?.to_owned(), created })
}
