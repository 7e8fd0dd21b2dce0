//! What a pool serves itself, to browsers and to applications: the sign-in pages, the OAuth endpoints and
//! the public keys.
//!
//! These requests carry no AWS signature. They are recognised by Cognito's own host names, or on any other
//! host by their exact path; the pool then follows from the client id, from the pool id in the path or from
//! the token. Choices where the developer guide is silent:
//!
//! - A wrong client or redirect address gets a page with status 400, and so does a wrong password.
//! - A code is spent by the first exchange that names it, whether it succeeds or not.
//! - A form is good for ten minutes and for one sending, in the browser that asked for it.
//! - All pages are the same plain ones. With managed login they are written by a script, and a client has none without a branding
//!   style (API reference, CreateUserPoolDomain), whose looks are left out; neither has a client that does not name `COGNITO` among
//!   its identity providers.
//! - With managed login `resource` may be any URL.
//! - The sign-in page asks for attributes that the pool requires and the user lacks.

mod authorize;
mod grant;
mod login;
mod logout;
mod page;
mod pkce;
mod reply;
mod request;
mod revoke;
mod scopes;
mod token;
mod user_info;
mod well_known;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};

use super::client::Client;
use super::domains::Domain;
use super::pool::UserPool;
use super::pool_of_client;
use crate::emulator::{Core, Trace, storage_failed};
use crate::protocol::Effect;
use crate::route::{Caller, Service};
use crate::services::Cx;
use request::{HostedRequest, Place};

/// One thing that a pool serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Authorize,
    Login,
    Logout,
    Token,
    UserInfo,
    Revoke,
    /// The public keys of a pool.
    Jwks(String),
    /// The OpenID configuration of a pool.
    Configuration(String),
    /// A path that a pool's domain does not have.
    Unknown,
}

/// What faults and the list of requests call the endpoints.
pub(crate) const NAMES: &[&str] =
    &["Authorize", "Login", "Logout", "Token", "UserInfo", "Revoke", "Jwks", "OpenIdConfiguration", "Unknown"];

/// What an unsigned request is for, if it is for a pool.
pub(crate) fn endpoint(request: &Request<Bytes>) -> Option<Endpoint> {
    if is_signed(request) {
        return None;
    }
    let place = Place::of(request)?;
    let by_path = match request.uri().path() {
        "/oauth2/authorize" => Some(Endpoint::Authorize),
        "/login" => Some(Endpoint::Login),
        "/logout" => Some(Endpoint::Logout),
        "/oauth2/token" => Some(Endpoint::Token),
        "/oauth2/userInfo" => Some(Endpoint::UserInfo),
        "/oauth2/revoke" => Some(Endpoint::Revoke),
        _ => None,
    };
    match place {
        Place::Domain { .. } => Some(by_path.unwrap_or(Endpoint::Unknown)),
        Place::Issuer => well_known(request.uri().path()),
        Place::Anywhere => by_path.or_else(|| well_known(request.uri().path())),
    }
}

/// `/POOL/.well-known/...`. The id of a pool holds an underscore, which no name of a bucket may.
fn well_known(path: &str) -> Option<Endpoint> {
    let (pool, document) = path.strip_prefix('/')?.split_once("/.well-known/")?;
    let pool = Some(pool.to_owned()).filter(|pool| pool.contains('_') && !pool.contains('/'))?;
    match document {
        "jwks.json" => Some(Endpoint::Jwks(pool)),
        "openid-configuration" => Some(Endpoint::Configuration(pool)),
        _ => None,
    }
}

fn is_signed(request: &Request<Bytes>) -> bool {
    let header = request.headers().get(http::header::AUTHORIZATION);
    header.is_some_and(|value| value.as_bytes().starts_with(b"AWS4-"))
        || request.uri().query().is_some_and(|query| {
            // The address is presigned, with version 4 or 2.
            query.contains("X-Amz-Algorithm=") || query.contains("AWSAccessKeyId=")
        })
        || request.headers().contains_key("x-amz-target")
}

impl Endpoint {
    /// One of [`NAMES`].
    fn name(&self) -> &'static str {
        match self {
            Self::Authorize => "Authorize",
            Self::Login => "Login",
            Self::Logout => "Logout",
            Self::Token => "Token",
            Self::UserInfo => "UserInfo",
            Self::Revoke => "Revoke",
            Self::Jwks(_) => "Jwks",
            Self::Configuration(_) => "OpenIdConfiguration",
            Self::Unknown => "Unknown",
        }
    }

    fn takes(&self, method: &Method) -> bool {
        match self {
            Self::Token | Self::Revoke => method == Method::POST,
            Self::Login | Self::UserInfo => [Method::GET, Method::HEAD, Method::POST].contains(method),
            _ => [Method::GET, Method::HEAD].contains(method),
        }
    }

    fn effect(&self) -> Effect {
        match self {
            Self::UserInfo | Self::Configuration(_) | Self::Unknown => Effect::Read,
            _ => Effect::Write,
        }
    }

    fn answer(&self, cx: &mut Cx<'_>, request: &HostedRequest) -> Response<Bytes> {
        match self {
            Self::Authorize => authorize::answer(cx, request),
            Self::Login => login::answer(cx, request),
            Self::Logout => logout::answer(cx, request),
            Self::Token => token::answer(cx, request),
            Self::UserInfo => user_info::answer(cx, request),
            Self::Revoke => revoke::answer(cx, request),
            Self::Jwks(pool) => well_known::keys(cx, pool),
            Self::Configuration(pool) => well_known::configuration(cx, pool),
            Self::Unknown => reply::page(StatusCode::NOT_FOUND, page::problem("There is no such page.")),
        }
    }
}

/// Serves one request of a browser or an application.
pub(crate) async fn serve(core: &Core, caller: &Caller, request: &Request<Bytes>, trace: &Trace) -> Response<Bytes> {
    let endpoint = endpoint(request).unwrap_or(Endpoint::Unknown);
    trace.name(Service::Cognito, endpoint.name());
    if let Err(error) = core.admit(Service::Cognito, endpoint.name(), caller, trace).await {
        return reply::failure(&error);
    }
    if !endpoint.takes(request.method()) {
        return reply::page(StatusCode::METHOD_NOT_ALLOWED, page::problem("This method is not offered here."));
    }
    let request = HostedRequest::of(request);
    core.with(endpoint.effect(), caller, |cx| endpoint.answer(cx, &request))
        .unwrap_or_else(|error| reply::failure(&storage_failed(&error)))
}

/// The pool that has this client, if the request came to a domain of it that is ready.
fn pool_at<'a>(cx: &'a mut Cx<'_>, place: &Place, client: &str) -> Option<&'a mut UserPool> {
    let (now, wait) = (cx.now, cx.faults.propagation.cognito_ms);
    pool_of_client(cx.world, client)
        .filter(|pool| domains_at(pool, place).any(|domain| !domain.is_being_made(now, wait)))
}

/// The domains of a pool that a request to `place` may have come to.
fn domains_at<'a>(pool: &'a UserPool, place: &'a Place) -> impl Iterator<Item = &'a Domain> {
    [&pool.domain, &pool.custom_domain].into_iter().flatten().filter(move |domain| match place {
        Place::Domain { prefix, region } => *prefix == domain.name && *region == pool.region,
        Place::Issuer | Place::Anywhere => true,
    })
}

/// The client that `pool_at` has found a pool by.
fn client_in(pool: &UserPool, id: &str) -> Option<Client> {
    pool.clients.get(id).cloned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn at(host: &str, path: &str) -> Option<Endpoint> {
        endpoint(&Request::builder().uri(path).header("host", host).body(Bytes::new()).unwrap())
    }

    #[test]
    fn on_any_host_exact_paths_lead_to_the_pool() {
        let host = "127.0.0.1:4566";
        assert_eq!(at(host, "/oauth2/authorize?client_id=x"), Some(Endpoint::Authorize));
        assert_eq!(at(host, "/login"), Some(Endpoint::Login));
        assert_eq!(at(host, "/us-east-1_Ab1/.well-known/jwks.json"), Some(Endpoint::Jwks("us-east-1_Ab1".to_owned())));
        for other in ["/", "/oauth2", "/oauth2/", "/oauth2/token/", "/login/x", "/bucket/.well-known/jwks.json", "/a/b"]
        {
            assert_eq!(at(host, other), None, "{other}");
        }
    }

    #[test]
    fn buckets_with_hosts_of_their_own_keep_all_their_paths() {
        for host in ["data.s3.us-east-1.amazonaws.com", "data.localhost:4566", "s3.amazonaws.com"] {
            assert_eq!(at(host, "/login"), None, "{host}");
            assert_eq!(at(host, "/oauth2/token"), None, "{host}");
        }
    }

    #[test]
    fn cognitos_own_hosts_serve_nothing_else() {
        assert_eq!(at("smart.auth.us-east-1.amazoncognito.com", "/oauth2/token"), Some(Endpoint::Token));
        assert_eq!(at("smart.auth.us-east-1.amazoncognito.com", "/bucket"), Some(Endpoint::Unknown));
        let issuer = "cognito-idp.eu-west-2.amazonaws.com";
        let configuration = Endpoint::Configuration("eu-west-2_x".to_owned());
        assert_eq!(at(issuer, "/eu-west-2_x/.well-known/openid-configuration"), Some(configuration));
        assert_eq!(at(issuer, "/oauth2/token"), None);
    }

    #[test]
    fn a_signed_request_is_never_for_a_page() {
        let request = Request::builder()
            .uri("/login")
            .header("authorization", "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/s3/aws4_request")
            .body(Bytes::new())
            .unwrap();
        assert_eq!(endpoint(&request), None);
        let request = Request::builder().uri("/login?X-Amz-Algorithm=AWS4-HMAC-SHA256").body(Bytes::new()).unwrap();
        assert_eq!(endpoint(&request), None);
    }
}
