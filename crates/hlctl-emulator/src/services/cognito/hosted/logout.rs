//! `/logout`: the browser forgets who is signed in.

use bytes::Bytes;
use http::{Response, StatusCode};

use super::grant::cookie_name;
use super::request::HostedRequest;
use super::{client_in, page, pool_at, reply};
use crate::services::Cx;

/// Goes on to `logout_uri`, or, where an application asks as it would at the sign-in page, to that page.
pub(super) fn answer(cx: &mut Cx<'_>, request: &HostedRequest) -> Response<Bytes> {
    let (now, origin) = (cx.now, &cx.caller.origin);
    let problem = |what| reply::page(StatusCode::BAD_REQUEST, page::problem(what));
    let query = &request.query;
    let Some(id) = query.get("client_id") else { return problem("invalid_request: client_id is missing.") };
    let Some(pool) = pool_at(cx, &request.place, id) else {
        return problem("invalid_client: there is no such client at this domain.");
    };
    let Some(client) = client_in(pool, id) else {
        return problem("invalid_client: there is no such client at this domain.");
    };
    let location = match (query.get("logout_uri"), query.get("redirect_uri")) {
        (Some(uri), _) if client.lists("LogoutURLs", uri) => uri.to_owned(),
        (None, Some(uri)) if client.lists("CallbackURLs", uri) => {
            format!("{}/login?{}", origin.prefix(), request.raw_query)
        }
        (None, None) => return problem("invalid_request: logout_uri is missing."),
        _ => return problem("redirect_mismatch: the address is not registered with this client."),
    };
    let name = cookie_name(origin, pool);
    if let Some(cookie) = request.cookie(&name) {
        pool.issued.browsers.take(cookie, now);
    }
    let mut response = reply::redirect(&location);
    reply::set_cookie(&mut response, &name, "", Some(0));
    response
}
