//! Tokens as Cognito makes them out (developer guide, understanding user pool JSON web tokens).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64_URL;
use bytes::Bytes;
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::auth::Moment;
use super::client::{Client, OIDC_SCOPES, SELF_SERVICE};
use super::pool::UserPool;
use super::user::User;
use super::validity::Kind;
use super::{jwt, not_authorized, pool_anywhere};
use crate::clock::after;
use crate::error::AwsResult;
use crate::ids::Ids;
use crate::store::World;

/// What stays the same in all tokens that come from one sign-in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Session {
    pub(super) client: String,
    pub(super) sub: String,
    /// Separated by blanks. `None` if the user signed in through the API.
    pub(super) scopes: Option<String>,
    pub(super) nonce: Option<String>,
    /// What its access tokens are bound to, those from a refresh token too.
    #[serde(default)]
    pub(super) resource: Option<String>,
    pub(super) auth_time: Timestamp,
    pub(super) origin_jti: String,
    pub(super) event_id: String,
}

impl Session {
    pub(super) fn new(client: &Client, user: &User, scopes: Option<String>, now: Timestamp, ids: &Ids) -> Self {
        Self {
            client: client.id.clone(),
            sub: user.sub.clone(),
            scopes,
            nonce: None,
            resource: None,
            auth_time: now,
            origin_jti: ids.uuid(),
            event_id: ids.uuid(),
        }
    }

    fn has(&self, scope: &str) -> bool {
        self.scopes.as_ref().is_none_or(|scopes| scopes.split(' ').any(|item| item == scope))
    }
}

/// The tokens that a client gets.
pub(super) struct Tokens {
    pub(super) access: String,
    /// Only with the scope `openid`, or through the API.
    pub(super) id: Option<String>,
    pub(super) refresh: Option<String>,
    /// Seconds that the access token is valid.
    pub(super) expires_in: u64,
}

/// Tokens for a session that begins now, with a refresh token.
pub(super) fn begin(pool: &mut UserPool, session: Session, moment: &Moment) -> AwsResult<Tokens> {
    let mut tokens = issue(pool, &session, moment)?;
    tokens.refresh = Some(keep_refresh_token(pool, session, moment));
    Ok(tokens)
}

/// A refresh token looks like the encrypted tokens that Cognito gives, and says as little.
fn keep_refresh_token(pool: &mut UserPool, session: Session, moment: &Moment) -> String {
    const HEADER: &str = r#"{"cty":"JWT","enc":"A256GCM","alg":"RSA-OAEP"}"#;
    let random = [342, 16, 1024, 22].map(|length| moment.ids.alphanumeric(length));
    let token = format!("{}.{}", BASE64_URL.encode(HEADER), random.join("."));
    let lifetime = pool.clients.get(&session.client).map(|client| client.lifetime(Kind::Refresh)).unwrap_or_default();
    pool.issued.refresh_tokens.put(&token, session, moment.now, lifetime);
    token
}

/// New tokens for a refresh token, or `None` if it is not, or no longer, this client's. A client that rotates
/// its refresh tokens gets another one, and the old one ends with the period of grace.
pub(super) fn renew(pool: &mut UserPool, client: &Client, token: &str, moment: &Moment) -> AwsResult<Option<Tokens>> {
    let now = moment.now;
    let session = pool.issued.refresh_tokens.get(token, now).filter(|session| session.client == client.id).cloned();
    let is_enabled = |sub: &str| pool.user(sub).is_some_and(|user| user.enabled);
    let Some(session) = session.filter(|session| is_enabled(&session.sub)) else {
        return Ok(None);
    };
    let mut tokens = issue(pool, &session, moment)?;
    if let Some(grace) = client.rotation_grace() {
        pool.issued.refresh_tokens.end_within(token, now, grace);
        tokens.refresh = Some(keep_refresh_token(pool, session, moment));
    }
    Ok(Some(tokens))
}

/// An access token, and an ID token where it is due.
pub(super) fn issue(pool: &mut UserPool, session: &Session, moment: &Moment) -> AwsResult<Tokens> {
    let keys = pool.keys()?.clone();
    let client = pool.clients.get(&session.client).ok_or_else(|| super::no_client(&session.client))?;
    let user = pool.user(&session.sub).ok_or_else(super::no_user)?;
    let access = jwt::sign(&keys.access, &access_claims(pool, client, user, session, moment))?;
    let id = if session.has("openid") {
        let mut claims = id_claims(pool, client, user, session, moment);
        if session.scopes.is_some() {
            claims["at_hash"] = at_hash(&access).into();
        }
        Some(jwt::sign(&keys.id, &claims)?)
    } else {
        None
    };
    Ok(Tokens { access, id, refresh: None, expires_in: client.lifetime(Kind::Access).as_secs() })
}

/// An access token for a client itself, which no user stands behind.
pub(super) fn for_machine(pool: &mut UserPool, client: &Client, scopes: &str, moment: &Moment) -> AwsResult<Tokens> {
    let now = moment.now;
    let lifetime = client.lifetime(Kind::Access);
    let claims = json!({
        "sub": client.id,
        "client_id": client.id,
        "token_use": "access",
        "scope": scopes,
        "iss": pool.issuer_at(&moment.origin),
        "auth_time": now.as_second(),
        "iat": now.as_second(),
        "exp": after(now, lifetime).as_second(),
        "version": 2,
        "jti": moment.ids.uuid(),
    });
    let access = jwt::sign(&pool.keys()?.access, &claims)?;
    Ok(Tokens { access, id: None, refresh: None, expires_in: lifetime.as_secs() })
}

/// Without `nbf`, which Cognito's access tokens do not have, and with `aud` only if they are bound to a resource.
fn access_claims(pool: &UserPool, client: &Client, user: &User, session: &Session, moment: &Moment) -> Value {
    let mut claims = common_claims(pool, client, session, Kind::Access, moment);
    claims["token_use"] = "access".into();
    claims["client_id"] = json!(client.id);
    claims["username"] = json!(user.name);
    claims["scope"] = json!(session.scopes.as_deref().unwrap_or(SELF_SERVICE));
    if session.scopes.is_some() {
        claims["version"] = 2.into();
    }
    if let Some(resource) = &session.resource {
        claims["aud"] = json!(resource);
    }
    claims
}

fn id_claims(pool: &UserPool, client: &Client, user: &User, session: &Session, moment: &Moment) -> Value {
    let mut claims = common_claims(pool, client, session, Kind::Id, moment);
    claims["token_use"] = "id".into();
    claims["aud"] = json!(client.id);
    claims["cognito:username"] = json!(user.name);
    if let Some(nonce) = &session.nonce {
        claims["nonce"] = json!(nonce);
    }
    for (name, value) in visible_attributes(pool, client, user, session.scopes.as_deref()) {
        claims[name] = match name {
            "email_verified" | "phone_number_verified" => json!(value == "true"),
            "address" => json!({"formatted": value}),
            _ => json!(value),
        };
    }
    claims
}

fn common_claims(pool: &UserPool, client: &Client, session: &Session, kind: Kind, moment: &Moment) -> Value {
    let now = moment.now;
    let mut claims = json!({
        "sub": session.sub,
        "iss": pool.issuer_at(&moment.origin),
        "event_id": session.event_id,
        "auth_time": session.auth_time.as_second(),
        "iat": now.as_second(),
        "exp": after(now, client.lifetime(kind)).as_second(),
    });
    // Both are there for revocation (developer guide, ending user sessions with token revocation).
    if client.revokes() {
        claims["origin_jti"] = json!(session.origin_jti);
        claims["jti"] = json!(moment.ids.uuid());
    }
    claims
}

/// The attributes that a client may read and that the scopes open: all with `openid` alone, otherwise those
/// that belong to the other scopes (developer guide, authorize endpoint, `scope`). `None` is the API.
pub(super) fn visible_attributes<'a>(
    pool: &UserPool,
    client: &Client,
    user: &'a User,
    scopes: Option<&str>,
) -> Vec<(&'a str, &'a str)> {
    let opened: Vec<&str> = scopes
        .unwrap_or_default()
        .split(' ')
        .filter(|scope| *scope != "openid" && OIDC_SCOPES.contains(scope))
        .collect();
    user.attributes
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .filter(|(name, _)| client.reads(pool, name))
        .filter(|(name, _)| opened.is_empty() || opened.contains(&scope_of(name)))
        .collect()
}

fn scope_of(attribute: &str) -> &'static str {
    match attribute {
        "email" | "email_verified" => "email",
        "phone_number" | "phone_number_verified" => "phone",
        _ => "profile",
    }
}

/// An event for a function with its bearer token as AWS's Cognito would have issued it, if it is a good one of a pool here. A
/// function knows the pool by the issuer among its variables, which is AWS's own, whatever address the token was asked for at. A
/// token that anybody has altered stays as it is, and so does a scheme before the token: an event may hold all of the header's value.
pub(super) fn as_issued_at_aws<'w>(pools: impl Iterator<Item = &'w UserPool>, event: &Bytes) -> Option<Bytes> {
    memchr::memmem::find(event, b"bearerToken")?;
    let mut event: Value = serde_json::from_slice(event).ok()?;
    let (scheme, token) = after_scheme(event.get("bearerToken")?.as_str()?);
    let issuer = jwt::unverified(token)?;
    let issuer = issuer["iss"].as_str()?;
    let id = issuer.rsplit('/').next()?;
    let pool = pools.into_iter().find(|pool| pool.id == id).filter(|pool| pool.issuer() != issuer)?;
    let token = jwt::reissued(pool.keys.as_ref()?, token, &pool.issuer())?;
    event["bearerToken"] = format!("{scheme}{token}").into();
    Some(Bytes::from(event.to_string()))
}

/// `Bearer ` and a token, the one as it was written and empty if it is not there. A scheme has no case (RFC 9110, 11.1).
fn after_scheme(text: &str) -> (&str, &str) {
    let token = match text.split_once(' ') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer") => rest.trim_start_matches(' '),
        _ => text,
    };
    text.split_at(text.len() - token.len())
}

/// The left half of the access token's digest (OpenID Connect Core, section 3.1.3.6).
fn at_hash(access: &str) -> String {
    BASE64_URL.encode(&digest(&SHA256, access.as_bytes()).as_ref()[..16])
}

/// Whether this is an access or ID token, which are signed and not encrypted.
pub(super) fn is_jwt(token: &str) -> bool {
    jwt::unverified(token).is_some()
}

/// Whose access token this is, and what it says.
pub(super) struct Bearer<'a> {
    pub(super) pool: &'a mut UserPool,
    pub(super) claims: Map<String, Value>,
}

impl Bearer<'_> {
    pub(super) fn text(&self, claim: &str) -> &str {
        self.claims.get(claim).and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn has_scope(&self, scope: &str) -> bool {
        self.text("scope").split(' ').any(|item| item == scope)
    }

    /// The user and the client that the token is for.
    pub(super) fn parties(&self) -> Option<(&User, &Client)> {
        let user = self.pool.user(self.text("sub"))?;
        Some((user, self.pool.clients.get(self.text("client_id"))?))
    }
}

/// Believes an access token that a pool here has made out, that is in time and that has not been revoked.
pub(super) fn bearer<'a>(world: &'a mut World, token: &str, now: Timestamp) -> AwsResult<Bearer<'a>> {
    let refused = || not_authorized("Invalid Access Token");
    let issuer = jwt::unverified(token).ok_or_else(refused)?;
    let id = issuer["iss"].as_str().and_then(|issuer| issuer.rsplit('/').next()).unwrap_or_default();
    let pool = pool_anywhere(world, id).ok_or_else(refused)?;
    let claims = pool.keys.as_ref().and_then(|keys| jwt::verified(keys, token)).ok_or_else(refused)?;
    let Value::Object(claims) = claims else { return Err(refused()) };
    let bearer = Bearer { pool, claims };
    // The issuer is the address that the token was asked for at, and it has led to the keys that have signed it.
    if bearer.text("token_use") != "access" {
        return Err(refused());
    }
    if bearer.claims.get("exp").and_then(Value::as_i64).is_none_or(|exp| exp <= now.as_second()) {
        return Err(not_authorized("Access Token has expired"));
    }
    if bearer.pool.issued.is_revoked(bearer.text("origin_jti"), now) {
        return Err(not_authorized("Access Token has been revoked"));
    }
    Ok(bearer)
}
