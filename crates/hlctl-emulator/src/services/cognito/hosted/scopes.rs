//! Which scopes a request gets.

use super::super::client::{Client, OIDC_SCOPES, SELF_SERVICE};
use super::super::pool::UserPool;

/// The scopes of a sign-in: those asked for, or all that the client may have. `None` if one of them is not
/// the client's to have, or not there.
pub(super) fn for_user(pool: &UserPool, client: &Client, requested: Option<&str>) -> Option<String> {
    let exists = |scope: &str| OIDC_SCOPES.contains(&scope) || scope == SELF_SERVICE || pool.offers(scope);
    granted(client, requested, exists)
}

/// The scopes of a client itself, which only those of resource servers can be (developer guide, token
/// endpoint, `scope`).
pub(super) fn for_machine(pool: &UserPool, client: &Client, requested: Option<&str>) -> Option<String> {
    granted(client, requested, |scope| pool.offers(scope))
}

fn granted(client: &Client, requested: Option<&str>, exists: impl Fn(&str) -> bool) -> Option<String> {
    let scopes: Vec<&str> = match requested {
        Some(requested) => requested.split(' ').filter(|scope| !scope.is_empty()).collect(),
        None => client.list("AllowedOAuthScopes").filter(|scope| exists(scope)).collect(),
    };
    let is_granted = |scope: &&str| client.lists("AllowedOAuthScopes", scope) && exists(scope);
    (!scopes.is_empty() && scopes.iter().all(is_granted)).then(|| scopes.join(" "))
}
