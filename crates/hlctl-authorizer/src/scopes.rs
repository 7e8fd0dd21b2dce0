//! The grammar of SMART's clinical scopes, versions 1 and 2.
//!
//! Version 1 is `(patient|user|system)/(Resource|*).(read|write|*)`. Version 2 has one or more of the letters `cruds`, in that
//! order, in place of the verb, and may end in `?param=value&...` (HL7 SMART App Launch, "Scopes and Launch Context"; HealthLake
//! Developer Guide, "OAuth scopes"). HealthLake takes no filter for all resources at once. Resource types are judged by their
//! form only, so that the list of them need not be kept here; HealthLake knows which there are.

const CONTEXTS: [&str; 3] = ["patient", "user", "system"];
const VERBS: [&str; 3] = ["read", "write", "*"];
/// Create, read, update, delete, search.
const INTERACTIONS: &str = "cruds";
/// No FHIR resource type is as long as this.
const RESOURCE_LIMIT: usize = 64;

/// Whether a token's `scope` has at least one that gives access to FHIR resources. `launch/...` and `openid` give none.
pub(crate) fn any_clinical(scope: &str) -> bool {
    scope.split(' ').any(is_clinical)
}

/// Whether this is one clinical scope.
pub(crate) fn is_clinical(scope: &str) -> bool {
    let Some((context, rest)) = scope.split_once('/') else { return false };
    let Some((resource, access)) = rest.split_once('.') else { return false };
    CONTEXTS.contains(&context) && is_resource(resource) && is_access(access, resource)
}

fn is_resource(name: &str) -> bool {
    let is_type = name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.bytes().all(|byte| byte.is_ascii_alphabetic())
        && name.len() <= RESOURCE_LIMIT;
    name == "*" || is_type
}

fn is_access(access: &str, resource: &str) -> bool {
    match access.split_once('?') {
        Some((letters, query)) => resource != "*" && are_interactions(letters) && is_query(query),
        None => VERBS.contains(&access) || are_interactions(access),
    }
}

/// A subset of the letters in their order: each is found after the one before it.
fn are_interactions(letters: &str) -> bool {
    let mut left = INTERACTIONS.chars();
    !letters.is_empty() && letters.chars().all(|letter| left.any(|next| next == letter))
}

fn is_query(query: &str) -> bool {
    query.split('&').all(|pair| {
        let parts = pair.split_once('=');
        parts.is_some_and(|(name, value)| is_search_text(name) && is_search_text(value))
    })
}

/// What RFC 6749 lets a scope have (`scope-token`), without the signs that part a query.
fn is_search_text(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b'&' | b'?' | b'#');
    !text.is_empty() && text.bytes().all(allowed)
}
