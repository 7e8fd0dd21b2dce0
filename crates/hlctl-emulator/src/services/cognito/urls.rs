//! The addresses that an app client may send its users to.

use serde_json::Value;

use super::invalid;
use crate::error::AwsResult;

/// Checks the callback and log-out addresses of a client: absolute, without a fragment, and not plain HTTP
/// but on this machine (API reference, CreateUserPoolClient, `CallbackURLs`).
pub(super) fn check(input: &Value) -> AwsResult<()> {
    let strings = |name: &str| input[name].as_array().into_iter().flatten().filter_map(Value::as_str);
    for url in strings("CallbackURLs").chain(strings("LogoutURLs")) {
        check_one(url)?;
    }
    match input["DefaultRedirectURI"].as_str() {
        Some(url) if !strings("CallbackURLs").any(|callback| callback == url) => {
            Err(invalid("DefaultRedirectURI must be one of the callback URLs."))
        }
        _ => Ok(()),
    }
}

fn check_one(url: &str) -> AwsResult<()> {
    let uri = url.split_once(':').filter(|(scheme, rest)| is_scheme(scheme) && !rest.is_empty());
    let Some((scheme, rest)) = uri else {
        return Err(invalid(format!("{url} is not an absolute URL.")));
    };
    if url.contains('#') {
        return Err(invalid(format!("{url} is not valid: it has a fragment.")));
    }
    let authority = rest.strip_prefix("//").map(|rest| rest.split(['/', '?']).next().unwrap_or_default());
    match (scheme, authority) {
        ("https", Some(authority)) if !authority.is_empty() => Ok(()),
        ("http", Some(authority)) if is_this_machine(authority) => Ok(()),
        ("http", Some(_)) => Err(invalid(format!("{url} cannot use the HTTP protocol."))),
        ("https" | "http", _) => Err(invalid(format!("{url} is not valid: it has no host."))),
        _ => Ok(()),
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

fn is_this_machine(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    matches!(host, "localhost" | "127.0.0.1" | "::1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn plain_http_leads_to_this_machine_only() {
        for good in [
            "https://localhost",
            "https://app.example.com/callback?x=1",
            "http://localhost:8910/callback",
            "http://127.0.0.1:1234",
            "http://[::1]:80/",
            "myapp://example",
        ] {
            assert!(check(&json!({"CallbackURLs": [good]})).is_ok(), "{good}");
        }
        for bad in [
            "http://example.com/",
            "http://localhost.example.com",
            "http://127.0.0.2/",
            "https://example.com/#top",
            "/callback",
            "https://",
            "callback",
        ] {
            assert!(check(&json!({"LogoutURLs": [bad]})).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_default_is_one_of_the_callbacks() {
        let url = "https://localhost";
        assert!(check(&json!({"CallbackURLs": [url], "DefaultRedirectURI": url})).is_ok());
        assert!(check(&json!({"CallbackURLs": [url], "DefaultRedirectURI": "https://localhost/"})).is_err());
    }
}
