//! Resource servers and their scopes.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::pool::UserPool;
use super::shapes::{MARKER, POOL_FIELD, is_scope_character, name};
use super::{invalid, missing, paged, pool};
use crate::error::{AwsError, AwsResult};
use crate::protocol::shape::{Field, Shape, Text, optional, required, text as string};
use crate::services::{Cx, text};

/// A pool has at most this many resource servers (developer guide, quotas).
const MOST: usize = 25;

const IDENTIFIER: Shape =
    Shape::Text(Text::len(1, 256).pattern(r"[\x21\x23-\x5B\x5D-\x7E]+", |text| text.chars().all(is_scope_character)));
const SCOPE_NAME: Shape =
    Shape::Text(Text::len(1, 256).pattern(r"[\x21\x23-\x2E\x30-\x5B\x5D-\x7E]+", |text| {
        text.chars().all(|c| is_scope_character(c) && c != '/')
    }));
const SCOPE: &[Field] = &[required("ScopeName", SCOPE_NAME), required("ScopeDescription", string(1, 256))];
pub(super) const PUT: &[Field] = &[
    POOL_FIELD,
    required("Identifier", IDENTIFIER),
    required("Name", name(256)),
    optional("Scopes", Shape::List { of: &Shape::Struct(SCOPE), min: 0, max: 100 }),
];
pub(super) const NAMED: &[Field] = &[POOL_FIELD, required("Identifier", IDENTIFIER)];
pub(super) const LIST: &[Field] =
    &[POOL_FIELD, optional("MaxResults", Shape::Whole { min: 1, max: 50 }), optional("NextToken", MARKER)];

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Server {
    identifier: String,
    name: String,
    pub(super) scopes: Vec<Scope>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Scope {
    pub(super) name: String,
    description: String,
}

impl Server {
    fn of(input: &Value) -> AwsResult<Self> {
        let mut scopes: Vec<Scope> = Vec::new();
        for scope in input["Scopes"].as_array().into_iter().flatten() {
            let name = text(scope, "ScopeName").to_owned();
            if scopes.iter().any(|other| other.name == name) {
                return Err(invalid(format!("Duplicate scope name {name}.")));
            }
            scopes.push(Scope { name, description: text(scope, "ScopeDescription").to_owned() });
        }
        Ok(Self { identifier: text(input, "Identifier").to_owned(), name: text(input, "Name").to_owned(), scopes })
    }

    fn describe(&self, pool: &str) -> Value {
        let scope = |scope: &Scope| json!({"ScopeName": scope.name, "ScopeDescription": scope.description});
        json!({
            "UserPoolId": pool,
            "Identifier": self.identifier,
            "Name": self.name,
            "Scopes": self.scopes.iter().map(scope).collect::<Vec<_>>(),
        })
    }
}

pub(super) fn create(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let server = Server::of(input)?;
    let pool = pool(cx, input)?;
    if pool.servers.contains_key(&server.identifier) {
        return Err(invalid(format!("{} already exists in user pool {}.", server.identifier, pool.id)));
    }
    if pool.servers.len() >= MOST {
        return Err(AwsError::bad_request(
            "LimitExceededException",
            format!("User pool {} cannot have more than {MOST} resource servers.", pool.id),
        ));
    }
    Ok(put(pool, server))
}

/// Replaces the name and all scopes.
pub(super) fn update(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let server = Server::of(input)?;
    let pool = pool(cx, input)?;
    find(pool, input)?;
    Ok(put(pool, server))
}

fn put(pool: &mut UserPool, server: Server) -> Value {
    let output = json!({"ResourceServer": server.describe(&pool.id)});
    pool.servers.insert(server.identifier.clone(), server);
    output
}

pub(super) fn describe(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let pool = pool(cx, input)?;
    Ok(json!({"ResourceServer": find(pool, input)?.describe(&pool.id)}))
}

pub(super) fn delete(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let pool = pool(cx, input)?;
    let identifier = find(pool, input)?.identifier.clone();
    pool.servers.remove(&identifier);
    Ok(json!({}))
}

pub(super) fn list(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let pool = pool(cx, input)?;
    let servers: Vec<&Server> = pool.servers.values().collect();
    let members = ("ResourceServers", "MaxResults", "NextToken");
    Ok(paged(input, members, 50, servers, |server| server.identifier.clone(), |server| server.describe(&pool.id)))
}

fn find<'a>(pool: &'a UserPool, input: &Value) -> AwsResult<&'a Server> {
    let identifier = text(input, "Identifier");
    pool.servers
        .get(identifier)
        .ok_or_else(|| missing(format!("Resource server {identifier} does not exist in user pool {}.", pool.id)))
}
