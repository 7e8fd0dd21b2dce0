//! Cognito user pools: the API (`cognito-idp`), and the pages and endpoints that a pool serves itself
//! ([`hosted`]).
//!
//! The service model gives the limits, the API reference and the developer guide the behaviour. Where they
//! are silent, this was chosen:
//!
//! - Updates reset what they omit, tags and deletion protection included; names, and the DCR, key and issuer
//!   configurations stay. A password policy that is given in part has the requirements it omits off.
//! - A pool or client setting without a documented default is absent until it is given.
//! - A domain that another account or region holds is described as one that does not exist.
//! - The standard attributes stand in the order of the API reference's example.
//! - Read and write attributes of a client must be in the schema; `sub` and the verified flags cannot be
//!   written by a client.
//! - The callback and log-out addresses of a client count as OAuth features, which need
//!   AllowedOAuthFlowsUserPoolClient.
//! - A scope stays with a client when its resource server loses it, but is no longer granted.
//! - DescribeUserPoolClient shows the oldest of a client's secrets if Cognito generated it, and none if its value was given.
//! - Texts of errors follow those that AWS has been seen to give; clients should not read them.

mod attributes;
mod auth;
mod challenge;
mod client;
mod clients;
mod domains;
mod doors;
mod hidden;
pub(crate) mod hosted;
mod issued;
mod jwt;
mod keys;
mod listing;
mod mfa;
mod password;
mod pool;
mod pools;
mod random;
mod schema;
mod servers;
mod setting_shapes;
mod settings;
mod shapes;
mod signed_in;
mod tagging;
mod tokens;
mod urls;
mod user;
mod users;
mod validity;

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Cx;
use super::tags::Tags;
use crate::error::{AwsError, AwsResult};
use crate::protocol::{Operation, read, write};
use crate::route::Caller;
use crate::store::World;
use client::Client;
use pool::UserPool;
use user::User;

/// What stands before an operation's name in `X-Amz-Target`.
pub(crate) const TARGET_PREFIX: &str = "AWSCognitoIdentityProviderService.";

/// Operations that a user calls, who has no AWS credentials (service model, `authtype`).
pub(crate) const UNSIGNED: &[&str] = &["InitiateAuth", "RespondToAuthChallenge", "RevokeToken", "GetUser"];

/// Whether this is done without asking any IAM policy: an operation without a signature, or a page.
pub(crate) fn is_public(operation: &str) -> bool {
    UNSIGNED.contains(&operation) || hosted::NAMES.contains(&operation)
}

/// The user pools of one account in one region, by id.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Cognito {
    pools: BTreeMap<String, UserPool>,
}

pub(crate) const OPERATIONS: &[Operation] = &[
    write("CreateUserPool", setting_shapes::CREATE, pools::create),
    read("DescribeUserPool", shapes::POOL, pools::describe),
    write("UpdateUserPool", setting_shapes::UPDATE, pools::update),
    write("DeleteUserPool", shapes::POOL, pools::delete),
    read("ListUserPools", pools::LIST, pools::list),
    write("AddCustomAttributes", schema::ADD, schema::add),
    write("SetUserPoolMfaConfig", mfa::SET, mfa::set),
    read("GetUserPoolMfaConfig", shapes::POOL, mfa::get),
    write("CreateUserPoolDomain", domains::CREATE, domains::create),
    read("DescribeUserPoolDomain", domains::DESCRIBE, domains::describe),
    write("UpdateUserPoolDomain", domains::CREATE, domains::update),
    write("DeleteUserPoolDomain", domains::DELETE, domains::delete),
    write("CreateResourceServer", servers::PUT, servers::create),
    read("DescribeResourceServer", servers::NAMED, servers::describe),
    write("UpdateResourceServer", servers::PUT, servers::update),
    write("DeleteResourceServer", servers::NAMED, servers::delete),
    read("ListResourceServers", servers::LIST, servers::list),
    write("CreateUserPoolClient", clients::CREATE, clients::create),
    read("DescribeUserPoolClient", clients::NAMED, clients::describe),
    write("UpdateUserPoolClient", clients::UPDATE, clients::update),
    write("DeleteUserPoolClient", clients::NAMED, clients::delete),
    read("ListUserPoolClients", clients::LIST, clients::list),
    write("CreateIdentityProvider", doors::CREATE_PROVIDER, doors::create_provider),
    read("ListIdentityProviders", doors::LIST_PROVIDERS, doors::list_providers),
    write("DeleteIdentityProvider", doors::DELETE_PROVIDER, doors::delete_provider),
    write("SetLogDeliveryConfiguration", doors::SET_LOGS, doors::set_logs),
    read("GetLogDeliveryConfiguration", shapes::POOL, doors::get_logs),
    read("DescribeRiskConfiguration", doors::RISK, doors::risk),
    read("ListUserPoolReplicas", doors::LIST_REPLICAS, doors::list_replicas),
    write("AddUserPoolClientSecret", doors::ADD_SECRET, doors::add_secret),
    read("ListUserPoolClientSecrets", doors::SECRETS, doors::list_secrets),
    write("DeleteUserPoolClientSecret", doors::DELETE_SECRET, doors::delete_secret),
    write("CreateManagedLoginBranding", doors::CREATE_BRANDING, doors::create_branding),
    read("DescribeManagedLoginBrandingByClient", doors::BRANDING, doors::branding),
    write("DeleteManagedLoginBranding", doors::DELETE_BRANDING, doors::delete_branding),
    write("SetUICustomization", doors::SET_CUSTOMIZATION, doors::set_customization),
    read("GetUICustomization", doors::CUSTOMIZATION, doors::customization),
    write("AdminCreateUser", users::CREATE, users::create),
    write("AdminSetUserPassword", users::SET_PASSWORD, users::set_password),
    read("AdminGetUser", shapes::USER, users::get),
    write("AdminUpdateUserAttributes", attributes::UPDATE, attributes::update),
    write("AdminDeleteUserAttributes", attributes::DELETE, attributes::delete),
    write("AdminDisableUser", shapes::USER, users::disable),
    write("AdminEnableUser", shapes::USER, users::enable),
    write("AdminDeleteUser", shapes::USER, users::delete),
    read("ListUsers", listing::LIST, listing::list),
    write("AdminInitiateAuth", auth::ADMIN_INITIATE, auth::admin_initiate),
    write("InitiateAuth", auth::INITIATE, auth::initiate),
    write("AdminRespondToAuthChallenge", challenge::ADMIN_RESPOND, challenge::admin_respond),
    write("RespondToAuthChallenge", challenge::RESPOND, challenge::respond),
    write("RevokeToken", signed_in::REVOKE, signed_in::revoke),
    read("GetUser", signed_in::GET_USER, signed_in::get_user),
    write("TagResource", tagging::TAG, tagging::tag),
    write("UntagResource", tagging::UNTAG, tagging::untag),
    read("ListTagsForResource", tagging::LIST, tagging::list),
];

/// Gives a pool new signing keys and forgets the old ones. `Err` says why it could not.
pub(crate) fn rotate(world: &mut World, pool: &str) -> Result<Value, String> {
    let keys = keys::Keys::new().map_err(|_| "no key could be created".to_owned())?;
    let pool = pool_anywhere(world, pool).ok_or_else(|| format!("there is no user pool {pool:?}"))?;
    let set = keys.set();
    pool.keys = Some(keys);
    Ok(set)
}

/// See [`tokens::as_issued_at_aws`].
pub(crate) fn as_issued_at_aws(world: &World, event: Bytes) -> Bytes {
    let pools = world.accounts.values().flat_map(|account| account.cognito.values()).flat_map(|c| c.pools.values());
    tokens::as_issued_at_aws(pools, &event).unwrap_or(event)
}

/// The domains of their own that user pools have.
pub(crate) fn custom_domains(world: &World) -> Vec<String> {
    let pools = world.accounts.values().flat_map(|account| account.cognito.values()).flat_map(|c| c.pools.values());
    pools.filter_map(|pool| pool.custom_domain.as_ref()).map(|domain| domain.name.clone()).collect()
}

fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::bad_request("InvalidParameterException", message)
}

fn missing(message: impl Into<String>) -> AwsError {
    AwsError::bad_request("ResourceNotFoundException", message)
}

fn not_authorized(message: impl Into<String>) -> AwsError {
    AwsError::bad_request("NotAuthorizedException", message)
}

/// The pools of the caller's account and region.
fn cognito<'a>(cx: &'a mut Cx<'_>) -> &'a mut Cognito {
    cx.world.account(&cx.caller.account).cognito.entry(cx.caller.region.clone()).or_default()
}

/// The pool that a request names.
fn pool<'a>(cx: &'a mut Cx<'_>, input: &Value) -> AwsResult<&'a mut UserPool> {
    let id = super::text(input, "UserPoolId");
    cognito(cx).pools.get_mut(id).ok_or_else(|| missing(format!("User pool {id} does not exist.")))
}

/// The tags of a pool of the caller's account and region.
pub(crate) fn tags_of<'w>(world: &'w World, caller: &Caller, id: &str) -> Option<&'w Tags> {
    let cognito = world.accounts.get(&caller.account)?.cognito.get(&caller.region)?;
    cognito.pools.get(id).map(|pool| &pool.tags)
}

/// The client that a request names, in the pool that it names.
fn client<'a>(cx: &'a mut Cx<'_>, input: &Value) -> AwsResult<&'a mut Client> {
    let id = super::text(input, "ClientId");
    pool(cx, input)?.clients.get_mut(id).ok_or_else(|| no_client(id))
}

fn no_client(id: &str) -> AwsError {
    missing(format!("User pool client {id} does not exist."))
}

/// The user that a request names, in the pool that it names.
fn user<'a>(cx: &'a mut Cx<'_>, input: &Value) -> AwsResult<&'a mut User> {
    pool(cx, input)?.user_mut(super::text(input, "Username")).ok_or_else(no_user)
}

fn no_user() -> AwsError {
    AwsError::bad_request("UserNotFoundException", "User does not exist.")
}

fn pools_anywhere(world: &mut World) -> impl Iterator<Item = &mut UserPool> {
    world.accounts.values_mut().flat_map(|account| account.cognito.values_mut()).flat_map(|c| c.pools.values_mut())
}

/// The pool with this id in any account and region. Ids are unique.
fn pool_anywhere<'a>(world: &'a mut World, id: &str) -> Option<&'a mut UserPool> {
    pools_anywhere(world).find(|pool| pool.id == id)
}

/// The pool that has this client. Ids of clients are unique too.
fn pool_of_client<'a>(world: &'a mut World, client: &str) -> Option<&'a mut UserPool> {
    pools_anywhere(world).find(|pool| pool.clients.contains_key(client))
}

/// A page of `items` under `name`, as the members `limit` and `token` of the request ask.
fn paged<T>(
    input: &Value,
    (name, limit, token): (&str, &str, &str),
    most: usize,
    items: Vec<T>,
    key: impl Fn(&T) -> String,
    show: impl Fn(&T) -> Value,
) -> Value {
    let limit = usize::try_from(input[limit].as_i64().unwrap_or_default()).unwrap_or_default();
    let limit = if limit == 0 { most } else { limit };
    let (items, next) = super::page(items, input[token].as_str(), limit, key);
    let mut output = json!({name: items.iter().map(show).collect::<Vec<_>>()});
    if let Some(next) = next {
        output[token] = next.into();
    }
    output
}
