//! The secrets of a client, of which there may be two.

use aws_sdk_cognitoidentityprovider::primitives::DateTime;
use aws_sdk_cognitoidentityprovider::types::ClientSecretDescriptorType;
use serde_json::json;

use super::Recorded;
use crate::aws::ops;
use crate::resource::answers::watching;
use crate::resource::{Context, Hanging, ResourceError};

/// What such a secret is called among what is attached to a client.
pub const SECRET: &str = "cognito_user_pool_client_secret";

/// All but the oldest, which the client was made with or which is left of a rotation.
pub(super) async fn further(cx: &Context, recorded: &Recorded) -> Result<Vec<Hanging>, ResourceError> {
    let (mut all, mut token) = (Vec::new(), None);
    loop {
        let list = || {
            let list = cx.clients.cognito.list_user_pool_client_secrets().user_pool_id(&recorded.user_pool_id);
            list.client_id(&recorded.id).set_next_token(token.clone()).send()
        };
        let page = match cx.call(watching(ops::cognito::LIST_USER_POOL_CLIENT_SECRETS), list).await {
            Ok(page) => page,
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        token = page.next_token().map(str::to_owned);
        all.extend(page.client_secrets.unwrap_or_default());
        if token.is_none() {
            break;
        }
    }
    let made = |secret: &ClientSecretDescriptorType| secret.client_secret_create_date().map(DateTime::secs);
    all.sort_by_key(made);
    let hanging = |secret: &ClientSecretDescriptorType| {
        let id = secret.client_secret_id().unwrap_or_default();
        let time = made(secret).and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
        let time = time.map(|time| format!(", created {time}")).unwrap_or_default();
        Hanging {
            kind: SECRET,
            what: format!("the client has another secret, {id}{time}"),
            recorded: json!({"user_pool_id": recorded.user_pool_id, "client_id": recorded.id, "secret_id": id}),
        }
    };
    Ok(all.iter().skip(1).map(hanging).collect())
}
