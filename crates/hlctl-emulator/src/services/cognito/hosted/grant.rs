//! Giving an application what it asked for, and remembering who is signed in.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use jiff::Timestamp;

use super::super::auth::Moment;
use super::super::client::Client;
use super::super::issued::{Browser, Code};
use super::super::pool::UserPool;
use super::super::tokens::{self, Session};
use super::super::{no_client, no_user, pool_of_client};
use super::authorize::AuthorizationRequest;
use super::reply;
use super::request::HostedRequest;
use crate::error::AwsResult;
use crate::origin::Origin;
use crate::services::Cx;

/// How long a code can be exchanged (developer guide, authorization code grant).
const CODE_LIFETIME: Duration = Duration::from_secs(300);
/// How long a browser stays signed in (developer guide, managed login session duration).
const BROWSER_SECONDS: u64 = 3600;
/// The cookie of a browser that is signed in.
const COOKIE: &str = "cognito";

/// What the cookie is called. At AWS each domain has cookies of its own; where all pools share one host, their names tell them apart.
pub(super) fn cookie_name(origin: &Origin, pool: &UserPool) -> String {
    if origin.is_aws() { COOKIE.to_owned() } else { format!("{COOKIE}-{}", pool.id) }
}

/// What the application gets, and where.
pub(super) struct Grant {
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
    /// Whether tokens are given at once, in the fragment of the address.
    pub(super) is_implicit: bool,
    pub(super) scopes: String,
    pub(super) nonce: Option<String>,
    pub(super) challenge: Option<String>,
    /// What the access token is bound to.
    pub(super) resource: Option<String>,
}

impl Grant {
    pub(super) fn refused(&self, error: &str, description: &str) -> Response<Bytes> {
        self.back(&[("error", error), ("error_description", description)])
    }

    fn back(&self, params: &[(&str, &str)]) -> Response<Bytes> {
        let state = self.state.as_deref().map(|state| ("state", state));
        let params: Vec<(&str, &str)> = params.iter().copied().chain(state).collect();
        reply::redirect(&reply::with_params(&self.redirect_uri, if self.is_implicit { '#' } else { '?' }, &params))
    }
}

/// A user, and when they gave their password.
pub(super) struct SignedIn {
    pub(super) sub: String,
    pub(super) since: Timestamp,
}

/// Who has signed in with this browser in the last hour.
pub(super) fn signed_in(cx: &mut Cx<'_>, request: &HostedRequest, client: &Client) -> Option<SignedIn> {
    let now = cx.now;
    let pool = pool_of_client(cx.world, &client.id)?;
    let name = cookie_name(&cx.caller.origin, pool);
    let browser = pool.issued.browsers.get(request.cookie(&name)?, now)?;
    let user = pool.user(&browser.sub).filter(|user| user.enabled)?;
    Some(SignedIn { sub: user.sub.clone(), since: browser.since })
}

/// Remembers that a user has just signed in with the browser that gets `response`.
pub(super) fn remember(cx: &mut Cx<'_>, client: &Client, sub: &str, response: &mut Response<Bytes>) {
    let (now, cookie) = (cx.now, cx.options.ids.alphanumeric(64));
    if let Some(pool) = pool_of_client(cx.world, &client.id) {
        let browser = Browser { sub: sub.to_owned(), since: now };
        pool.issued.browsers.put(&cookie, browser, now, Duration::from_secs(BROWSER_SECONDS));
        let name = cookie_name(&cx.caller.origin, pool);
        reply::set_cookie(response, &name, &cookie, Some(BROWSER_SECONDS));
    }
}

/// Sends the browser back to the application with a code or with tokens.
pub(super) fn give(cx: &mut Cx<'_>, authorization: &AuthorizationRequest, user: &SignedIn) -> Response<Bytes> {
    let outcome =
        if authorization.grant.is_implicit { tokens(cx, authorization, user) } else { code(cx, authorization, user) };
    match outcome {
        Ok(params) => {
            let params: Vec<(&str, &str)> = params.iter().map(|(name, value)| (*name, value.as_str())).collect();
            authorization.grant.back(&params)
        }
        Err(error) => reply::failure(&error),
    }
}

fn session(cx: &mut Cx<'_>, authorization: &AuthorizationRequest, user: &SignedIn) -> AwsResult<Session> {
    let moment = Moment::of(cx);
    let pool = pool_of_client(cx.world, &authorization.client.id).ok_or_else(|| no_client(&authorization.client.id))?;
    let known = pool.user(&user.sub).ok_or_else(no_user)?;
    let scopes = Some(authorization.grant.scopes.clone());
    let session = Session::new(&authorization.client, known, scopes, user.since, &moment.ids);
    let (nonce, resource) = (authorization.grant.nonce.clone(), authorization.grant.resource.clone());
    Ok(Session { nonce, resource, ..session })
}

type Given = Vec<(&'static str, String)>;

fn code(cx: &mut Cx<'_>, authorization: &AuthorizationRequest, user: &SignedIn) -> AwsResult<Given> {
    let session = session(cx, authorization, user)?;
    let (now, code) = (cx.now, cx.options.ids.uuid());
    let kept = Code {
        redirect_uri: authorization.grant.redirect_uri.clone(),
        challenge: authorization.grant.challenge.clone(),
        session,
    };
    let pool = pool_of_client(cx.world, &authorization.client.id).ok_or_else(|| no_client(&authorization.client.id))?;
    pool.issued.codes.put(&code, kept, now, CODE_LIFETIME);
    Ok(vec![("code", code)])
}

fn tokens(cx: &mut Cx<'_>, authorization: &AuthorizationRequest, user: &SignedIn) -> AwsResult<Given> {
    let session = session(cx, authorization, user)?;
    let moment = Moment::of(cx);
    let pool = pool_of_client(cx.world, &authorization.client.id).ok_or_else(|| no_client(&authorization.client.id))?;
    let tokens = tokens::issue(pool, &session, &moment)?;
    let id = tokens.id.map(|id| ("id_token", id));
    let rest = [
        ("access_token", tokens.access),
        ("expires_in", tokens.expires_in.to_string()),
        ("token_type", "Bearer".to_owned()),
    ];
    Ok(id.into_iter().chain(rest).collect())
}
