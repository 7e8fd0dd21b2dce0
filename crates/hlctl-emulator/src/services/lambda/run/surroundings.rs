//! The environment variables of a function.

use std::sync::LazyLock;

use regex_lite::{Captures, Regex};

use crate::route::{self, partition};
use crate::services::lambda::job::Job;

/// What Lambda sets, and then the function's own (Lambda developer guide, runtime environment variables).
///
/// The function's SDKs reach this emulator at `origin`. So do its own requests to Cognito, whose addresses in
/// the function's variables are rewritten; an issuer alone is left as it is, since it is compared with tokens'.
pub(super) fn variables(job: &Job, origin: &str, stream: &str) -> Vec<(String, String)> {
    let settings = &job.settings;
    let role = settings.role.rsplit('/').next().unwrap_or_default();
    let session = format!("arn:{}:sts::{}:assumed-role/{role}/{}", partition(&job.region), job.account, job.name);
    let address = origin.strip_prefix("http://").unwrap_or(origin);
    let mut variables: Vec<(String, String)> = [
        ("_HANDLER", settings.handler.as_str()),
        ("AWS_REGION", &job.region),
        ("AWS_DEFAULT_REGION", &job.region),
        ("AWS_EXECUTION_ENV", &format!("AWS_Lambda_{}", settings.runtime)),
        ("AWS_LAMBDA_FUNCTION_NAME", &job.name),
        ("AWS_LAMBDA_FUNCTION_VERSION", &job.version),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &settings.memory.to_string()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", &settings.logging.group),
        ("AWS_LAMBDA_LOG_STREAM_NAME", stream),
        ("AWS_LAMBDA_RUNTIME_API", address),
        ("AWS_ENDPOINT_URL", origin),
        ("AWS_ACCESS_KEY_ID", &format!("ASIA{}", job.account)),
        ("AWS_SECRET_ACCESS_KEY", "sandbox"),
        ("AWS_SESSION_TOKEN", &route::session_token(&session)),
        ("LAMBDA_TASK_ROOT", &job.code.to_string_lossy()),
        ("TZ", ":UTC"),
        ("LANG", "en_US.UTF-8"),
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    for (name, value) in &settings.variables {
        variables.retain(|(other, _)| other != name);
        variables.push((name.clone(), rewritten(value, origin)));
    }
    variables
}

/// The origins of user pools and of their domains, with the end of the origin.
static COGNITO: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"https://(?:(?:issuer-)?cognito-idp\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?|[a-z0-9-]+\.auth\.[a-z0-9-]+\.amazoncognito\.com)(?::443)?([/?#"'\s,;]|$)"#,
    )
    .ok()
});

/// An issuer and nothing else (Cognito developer guide, verifying JSON web tokens).
static ISSUER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^https://(?:issuer-)?cognito-idp\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/[a-z0-9-]+_[A-Za-z0-9]+$").ok()
});

fn rewritten(value: &str, origin: &str) -> String {
    if ISSUER.as_ref().is_some_and(|issuer| issuer.is_match(value)) {
        return value.to_owned();
    }
    match COGNITO.as_ref() {
        Some(cognito) => {
            cognito.replace_all(value, |found: &Captures<'_>| format!("{origin}{}", &found[1])).into_owned()
        }
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_cognito_lead_to_the_emulator() {
        let origin = "http://127.0.0.1:1";
        for (value, expected) in [
            (
                "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Ab1/.well-known/jwks.json",
                "http://127.0.0.1:1/us-east-1_Ab1/.well-known/jwks.json",
            ),
            ("https://my-app.auth.eu-west-2.amazoncognito.com", "http://127.0.0.1:1"),
            (
                r#"{"a":"https://x.auth.us-east-1.amazoncognito.com/oauth2/userInfo","b":"https://cognito-idp.us-east-1.amazonaws.com:443/"}"#,
                r#"{"a":"http://127.0.0.1:1/oauth2/userInfo","b":"http://127.0.0.1:1/"}"#,
            ),
        ] {
            assert_eq!(rewritten(value, origin), expected);
        }
    }

    #[test]
    fn issuers_and_other_addresses_stay() {
        for value in [
            "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Ab1",
            "https://cognito-idp.us-east-1.amazonaws.com.example.org/x",
            "https://example.org/?to=cognito-idp.us-east-1.amazonaws.com",
            "cognito-idp.us-east-1.amazonaws.com",
        ] {
            assert_eq!(rewritten(value, "http://127.0.0.1:1"), value);
        }
    }
}
