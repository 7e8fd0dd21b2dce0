//! What hangs on a user pool and opens it: its app clients, its resource servers, its domains.

use serde_json::json;

use super::super::cognito_resource_server::CognitoResourceServer;
use super::super::cognito_user_pool_client::CognitoUserPoolClient;
use super::super::cognito_user_pool_domain::CognitoUserPoolDomain;
use super::super::{Attachment, Context, Resource};
use super::look::describe;
use crate::ResourceError;
use hlctl_aws::{AwsError, ops};

pub(super) async fn all(cx: &Context, pool: &str) -> Result<Vec<Attachment>, ResourceError> {
    let (clients, servers, domains) = tokio::join!(clients(cx, pool), servers(cx, pool), domains(cx, pool));
    Ok([clients?, servers?, domains?].concat())
}

async fn clients(cx: &Context, pool: &str) -> Result<Vec<Attachment>, AwsError> {
    let (mut all, mut token) = (Vec::new(), None);
    loop {
        let list = || {
            let list = cx.clients.cognito.list_user_pool_clients().user_pool_id(pool).max_results(60);
            list.set_next_token(token.clone()).send()
        };
        let page = match cx.call(ops::cognito::LIST_USER_POOL_CLIENTS, list).await {
            Ok(page) => page,
            Err(error) if error.is_not_found() => return Ok(all),
            Err(error) => return Err(error),
        };
        for client in page.user_pool_clients() {
            let missing = || AwsError::incomplete(ops::cognito::LIST_USER_POOL_CLIENTS, "client id");
            let (id, name) =
                (client.client_id().ok_or_else(missing)?, client.client_name().unwrap_or("without a name"));
            all.push(Attachment {
                kind: CognitoUserPoolClient::KIND,
                what: format!("the pool has the app client {name} ({id})"),
                recorded: json!({"user_pool_id": pool, "id": id}),
            });
        }
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            return Ok(all);
        }
    }
}

async fn servers(cx: &Context, pool: &str) -> Result<Vec<Attachment>, AwsError> {
    let (mut all, mut token) = (Vec::new(), None);
    loop {
        let list = || {
            let list = cx.clients.cognito.list_resource_servers().user_pool_id(pool).max_results(50);
            list.set_next_token(token.clone()).send()
        };
        let page = match cx.call(ops::cognito::LIST_RESOURCE_SERVERS, list).await {
            Ok(page) => page,
            Err(error) if error.is_not_found() => return Ok(all),
            Err(error) => return Err(error),
        };
        all.extend(page.resource_servers().iter().filter_map(|server| server.identifier()).map(|identifier| {
            Attachment {
                kind: CognitoResourceServer::KIND,
                what: format!("the pool has the resource server {identifier}"),
                recorded: json!({"user_pool_id": pool, "identifier": identifier}),
            }
        }));
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            return Ok(all);
        }
    }
}

async fn domains(cx: &Context, pool: &str) -> Result<Vec<Attachment>, AwsError> {
    let Some(described) = describe(cx, pool).await? else { return Ok(Vec::new()) };
    let domains = [described.domain(), described.custom_domain()].into_iter().flatten();
    let attachments = domains.map(|domain| Attachment {
        kind: CognitoUserPoolDomain::KIND,
        what: format!("users log in at the domain {domain}"),
        recorded: json!({"user_pool_id": pool, "domain": domain}),
    });
    Ok(attachments.collect())
}
