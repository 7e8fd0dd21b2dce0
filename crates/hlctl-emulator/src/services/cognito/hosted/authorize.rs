//! `/oauth2/authorize`: an application asks for a user's consent to be signed in.

use bytes::Bytes;
use http::{Response, StatusCode};

use super::super::client::Client;
use super::super::domains::Domain;
use super::super::pool::UserPool;
use super::grant::Grant;
use super::request::{HostedRequest, Params, Place};
use super::{client_in, domains_at, grant, page, pkce, pool_at, reply, scopes};
use crate::services::Cx;

/// What an application asks for, once it is found to be allowed.
pub(super) struct AuthorizationRequest {
    pub(super) client: Client,
    pub(super) grant: Grant,
    pub(super) prompt: Option<String>,
    pub(super) login_hint: Option<String>,
}

/// Why a request is refused.
pub(super) enum Refusal {
    /// To the user only: the application is not known well enough to be redirected to.
    Page(&'static str),
    /// To the application.
    Back(Grant, &'static str, &'static str),
}

impl Refusal {
    pub(super) fn answer(self) -> Response<Bytes> {
        match self {
            Self::Page(what) => reply::page(StatusCode::BAD_REQUEST, page::problem(what)),
            Self::Back(grant, error, description) => grant.refused(error, description),
        }
    }
}

/// Signs the user in who has signed in before, and sends all others to the sign-in page.
pub(super) fn answer(cx: &mut Cx<'_>, request: &HostedRequest) -> Response<Bytes> {
    let authorization = match check(cx, request) {
        Ok(authorization) => authorization,
        Err(refusal) => return refusal.answer(),
    };
    let prompt = authorization.prompt.as_deref();
    if prompt != Some("login")
        && let Some(user) = grant::signed_in(cx, request, &authorization.client)
    {
        return grant::give(cx, &authorization, &user);
    }
    if prompt == Some("none") {
        return authorization.grant.refused("login_required", "Nobody is signed in.");
    }
    reply::redirect(&format!("{}/login?{}", cx.caller.origin.prefix(), request.raw_query))
}

/// Reads what is asked for. An address that is not registered is never redirected to.
pub(super) fn check(cx: &mut Cx<'_>, request: &HostedRequest) -> Result<AuthorizationRequest, Refusal> {
    let query = &request.query;
    let id = query.get("client_id").ok_or(Refusal::Page("invalid_request: client_id is missing."))?;
    let unknown = Refusal::Page("invalid_client: there is no such client at this domain.");
    let Some(pool) = pool_at(cx, &request.place, id) else { return Err(unknown) };
    let Some(client) = client_in(pool, id) else { return Err(unknown) };
    check_pages(pool, &client, &request.place)?;
    let is_managed = is_managed(pool, &request.place);
    let redirect_uri = query
        .get("redirect_uri")
        .or_else(|| client.settings.get("DefaultRedirectURI").and_then(serde_json::Value::as_str))
        .ok_or(Refusal::Page("invalid_request: redirect_uri is missing."))?;
    if !client.lists("CallbackURLs", redirect_uri) {
        return Err(Refusal::Page("redirect_mismatch: redirect_uri is not registered with this client."));
    }
    let mut grant = Grant {
        redirect_uri: redirect_uri.to_owned(),
        state: query.get("state").map(ToOwned::to_owned),
        is_implicit: query.get("response_type") == Some("token"),
        scopes: String::new(),
        nonce: query.get("nonce").map(ToOwned::to_owned),
        challenge: None,
        resource: None,
    };
    if let Err((error, description)) = check_response_type(query, &client) {
        return Err(Refusal::Back(grant, error, description));
    }
    match scopes::for_user(pool, &client, query.get("scope")) {
        Some(scopes) => grant.scopes = scopes,
        None => return Err(Refusal::Back(grant, "invalid_scope", "A scope is not one that this client may have.")),
    }
    match challenge(query) {
        Ok(challenge) => grant.challenge = challenge,
        Err(description) => return Err(Refusal::Back(grant, "invalid_request", description)),
    }
    if is_managed {
        match resource(query) {
            Ok(resource) => grant.resource = resource,
            Err(()) => return Err(Refusal::Back(grant, "invalid_target", "resource is not a URL.")),
        }
    }
    let owned = |name: &str| query.get(name).map(ToOwned::to_owned);
    Ok(AuthorizationRequest { client, grant, prompt: owned("prompt"), login_hint: owned("login_hint") })
}

/// Whether there is a page to sign in on.
fn check_pages(pool: &UserPool, client: &Client, place: &Place) -> Result<(), Refusal> {
    if !client.lists("SupportedIdentityProviders", "COGNITO") {
        return Err(Refusal::Page("Login pages unavailable: COGNITO is not an identity provider of this client."));
    }
    if is_managed(pool, place) && client.branding.is_none() {
        return Err(Refusal::Page(
            "Login pages unavailable: this domain has managed login, and the client has no branding style.",
        ));
    }
    Ok(())
}

/// Whether the pages at this place are those of managed login.
pub(super) fn is_managed(pool: &UserPool, place: &Place) -> bool {
    !domains_at(pool, place).any(Domain::is_classic)
}

/// What an application wants to use the token for (RFC 8707). Only managed login binds tokens (developer guide, scopes, M2M, and
/// resource servers, resource binding); the classic pages take no notice.
fn resource(query: &Params) -> Result<Option<String>, ()> {
    let Some(resource) = query.get("resource") else { return Ok(None) };
    let uri: http::Uri = resource.parse().map_err(|_| ())?;
    let is_url = uri.scheme_str().is_some_and(|scheme| matches!(scheme, "https" | "http")) && uri.host().is_some();
    if is_url && !resource.contains('#') { Ok(Some(resource.to_owned())) } else { Err(()) }
}

fn check_response_type(query: &Params, client: &Client) -> Result<(), (&'static str, &'static str)> {
    if query.repeats() {
        return Err(("invalid_request", "A parameter occurs twice."));
    }
    let flow = match query.get("response_type") {
        Some("code") => "code",
        Some("token") => "implicit",
        _ => return Err(("invalid_request", "response_type must be code or token.")),
    };
    if !client.allows_flow(flow) {
        return Err(("unauthorized_client", "This client may not use this flow."));
    }
    match query.get("identity_provider") {
        None | Some("COGNITO") => Ok(()),
        Some(_) => Err(("invalid_request", "There is no such identity provider.")),
    }
}

fn challenge(query: &Params) -> Result<Option<String>, &'static str> {
    match (query.get("code_challenge"), query.get("code_challenge_method")) {
        (None, None) => Ok(None),
        (Some(challenge), Some("S256")) if pkce::is_well_formed(challenge) => Ok(Some(challenge.to_owned())),
        (Some(_), Some("S256")) => Err("code_challenge is malformed."),
        (Some(_), _) => Err("code_challenge_method must be S256."),
        (None, Some(_)) => Err("code_challenge is missing."),
    }
}
