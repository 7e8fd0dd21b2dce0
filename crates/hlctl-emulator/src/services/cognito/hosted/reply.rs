//! Answers: pages, redirects and JSON.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::error::AwsError;

/// A page that no other page may frame and that runs nothing.
pub(super) fn page(status: StatusCode, html: String) -> Response<Bytes> {
    let mut response = plain(status, "text/html; charset=utf-8", html);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
        ),
    );
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// Sends the browser elsewhere. An address that cannot stand in a header gets a page instead.
pub(super) fn redirect(location: &str) -> Response<Bytes> {
    let Ok(location) = HeaderValue::from_str(location) else {
        return page(StatusCode::BAD_REQUEST, super::page::problem("The redirect address cannot be used."));
    };
    let mut response = plain(StatusCode::FOUND, "text/plain", String::new());
    response.headers_mut().insert(header::LOCATION, location);
    response
}

pub(super) fn json(status: StatusCode, body: &Value) -> Response<Bytes> {
    plain(status, "application/json;charset=UTF-8", body.to_string())
}

/// An error of an OAuth endpoint. Cognito answers all of them with 400 (developer guide, token endpoint).
pub(super) fn oauth_error(error: &str) -> Response<Bytes> {
    json(StatusCode::BAD_REQUEST, &json!({"error": error}))
}

/// An error that is not the asker's.
pub(super) fn failure(error: &AwsError) -> Response<Bytes> {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    json(status, &json!({"error": "server_error", "error_description": format!("{}: {}", error.code, error.message)}))
}

/// A cookie for this browser's time, or for `seconds`. It is sent over plain HTTP too, which is all there is.
pub(super) fn set_cookie(response: &mut Response<Bytes>, name: &str, value: &str, seconds: Option<u64>) {
    let age = seconds.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
    if let Ok(cookie) = HeaderValue::from_str(&format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{age}")) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// `uri` with parameters added to its query, or to its fragment.
pub(super) fn with_params(uri: &str, mark: char, params: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(params);
    let mark = if mark == '?' && uri.contains('?') { '&' } else { mark };
    format!("{uri}{mark}{}", query.finish())
}

fn plain(status: StatusCode, kind: &'static str, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_join_what_the_address_has() {
        assert_eq!(
            with_params("https://a", '?', &[("code", "1"), ("state", "a b&c")]),
            "https://a?code=1&state=a+b%26c"
        );
        assert_eq!(with_params("https://a?x=1", '?', &[("code", "1")]), "https://a?x=1&code=1");
        assert_eq!(with_params("myapp://a?x=1", '#', &[("t", "1")]), "myapp://a?x=1#t=1");
    }
}
