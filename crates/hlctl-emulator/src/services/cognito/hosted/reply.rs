//! Answers: pages, redirects and JSON.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::error::AwsError;
use crate::origin::is_scheme;

/// A page that no other page may frame, that runs nothing and that sends nothing.
pub(super) fn page(status: StatusCode, html: String) -> Response<Bytes> {
    page_with(status, html, "form-action 'none'")
}

/// A page whose form is sent to this host and nowhere else. Browsers hold the redirect that follows to the same list, and those
/// that follow it in turn: so it has the client's own addresses, and whatever this machine serves.
pub(super) fn form_page(status: StatusCode, html: String, redirect_uris: &[&str]) -> Response<Bytes> {
    let mut sources = vec!["'self'".to_owned(), "http://localhost:*".to_owned(), "http://127.0.0.1:*".to_owned()];
    sources.extend(redirect_uris.iter().filter_map(|uri| csp_source(uri)));
    sources.dedup();
    page_with(status, html, &format!("form-action {}", sources.join(" ")))
}

/// The source expression of an address (Content Security Policy Level 3, section 2.3.1), which knows no IPv6 addresses: there, and
/// for an app's own scheme, it is the scheme alone.
fn csp_source(address: &str) -> Option<String> {
    let (scheme, rest) = address.split_once(':')?;
    if !is_scheme(scheme) {
        return None;
    }
    let host = rest.strip_prefix("//").filter(|_| matches!(scheme, "http" | "https"));
    let host = host.and_then(|rest| rest.split(['/', '?', '#']).next());
    let is_host = |host: &&str| {
        !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.:_".contains(&byte))
    };
    Some(host.filter(is_host).map_or_else(|| format!("{scheme}:"), |host| format!("{scheme}://{host}")))
}

fn page_with(status: StatusCode, html: String, form_action: &str) -> Response<Bytes> {
    // Only the pages of managed login have a script, and nothing in them is not escaped.
    const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";
    let scripts = if html.contains("<script>") { "; script-src 'unsafe-inline'" } else { "" };
    let mut response = plain(status, "text/html; charset=utf-8", html);
    let headers = response.headers_mut();
    let policy = HeaderValue::try_from(format!("{POLICY}{scripts}; {form_action}"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        policy.unwrap_or(HeaderValue::from_static("default-src 'none'; form-action 'none'")),
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
    fn a_form_goes_to_its_own_host_and_back_to_the_app_only() {
        for (address, source) in [
            ("https://app.example.org/callback?x=1", Some("https://app.example.org")),
            ("http://localhost:8484/callback", Some("http://localhost:8484")),
            ("http://[::1]:8484/callback", Some("http:")),
            ("https://a;script-src *", Some("https:")),
            ("myapp://callback", Some("myapp:")),
            ("my app://callback", None),
            ("nothing", None),
        ] {
            assert_eq!(csp_source(address).as_deref(), source, "{address}");
        }
        let shown = form_page(StatusCode::OK, String::new(), &["https://app.example.org/callback"]);
        let policy = shown.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap_or_default();
        let wanted = "form-action 'self' http://localhost:* http://127.0.0.1:* https://app.example.org";
        assert!(policy.ends_with(wanted), "{policy}");
        let problem = page(StatusCode::BAD_REQUEST, String::new());
        let policy = problem.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap_or_default();
        assert!(policy.ends_with("form-action 'none'"), "{policy}");
    }

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
