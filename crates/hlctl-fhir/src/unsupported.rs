//! Whether a refusal says that the store does not have a resource type.
//!
//! In what words HealthLake says so is not documented, so the rule is narrow: a refusal that it does not cover leaves
//! unknown what the store holds, which stops a replacement; a refusal that it covered by mistake would make data
//! count as none. It is the only place that reads these texts.

use super::refusal::{ErrorResponse, Issue};
use hlctl_aws::ErrorKind;

/// FHIR's IssueType for what a server does not offer.
const NOT_SUPPORTED: &str = "not-supported";

/// How a text says that something is not offered; in lower case.
const PHRASES: [&str; 7] = [
    "not supported",
    "unsupported",
    "not a supported",
    "not among the supported",
    "does not support",
    "unknown resource type",
    "invalid resource type",
];

/// Words by which a text is about a type; in lower case.
const ABOUT_TYPES: [&str; 5] = ["type", "types", "resource", "resources", "resourcetype"];

/// Words by which a text is about what was asked of the type, not about the type itself; in lower case.
const ABOUT_THE_REQUEST: [&str; 8] =
    ["parameter", "parameters", "value", "_total", "_count", "_summary", "interaction", "operation"];

/// Whether all that is wrong with a request about `kind` is that the store does not have this type.
pub fn is_unsupported_type(refusal: &ErrorResponse, kind: &str) -> bool {
    // Codes such as ThrottlingException come with status 400 too; the kind of error distinguishes them already.
    let may_be = matches!(refusal.status, Some(400 | 404))
        && matches!(refusal.aws.kind, ErrorKind::Refused | ErrorKind::NotFound);
    let mut errors = refusal.issues.iter().filter(|issue| is_error(issue)).peekable();
    if !may_be {
        return false;
    }
    if errors.peek().is_none() {
        return refusal.issues.is_empty() && says_so("", &refusal.message, kind);
    }
    errors.all(|issue| says_so(&issue.code, &issue.text, kind))
}

fn is_error(issue: &Issue) -> bool {
    !matches!(issue.severity.as_str(), "warning" | "information")
}

fn says_so(code: &str, text: &str, kind: &str) -> bool {
    let is_part = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let words: Vec<&str> = text.split(|char: char| !is_part(char)).collect();
    let lower = text.to_lowercase();
    let has_word = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.to_lowercase().as_str()));
    words.contains(&kind)
        && has_word(&ABOUT_TYPES)
        && !has_word(&ABOUT_THE_REQUEST)
        && (code == NOT_SUPPORTED || PHRASES.iter().any(|phrase| lower.contains(phrase)))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::{Value, json};

    use super::*;
    use crate::client::Authority;
    use crate::oauth::Reply;
    use hlctl_aws::ops;

    fn refusal(status: u16, error: &str, body: &Value) -> Box<ErrorResponse> {
        let mut headers = http::HeaderMap::new();
        if let Ok(error) = http::HeaderValue::from_str(error) {
            headers.insert("x-amzn-errortype", error);
        }
        let status = http::StatusCode::from_u16(status).unwrap_or_default();
        let reply = Reply { status, headers, body: Bytes::from(body.to_string()) };
        let token = Authority::Token(hlctl_config::Secret::new("x.y.z"));
        ErrorResponse::of(&reply, ops::fhir::SEARCH_WITH_GET, "the count of Basic", &token, false)
    }

    fn outcome(code: &str, text: &str) -> Value {
        json!({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code, "diagnostics": text}]})
    }

    #[test]
    fn a_refusal_of_the_type_is_distinguished_from_all_others() {
        for (status, code, text, expected) in [
            (400, "not-supported", "Resource type Basic is not supported", true),
            (404, "not-supported", "Unknown resource type \"Basic\".", true),
            (400, "invalid", "The resource type 'Basic' is not supported by HealthLake", true),
            (400, "processing", "Unsupported resource type: Basic", true),
            (400, "invalid", "Invalid resource type: Basic.", true),
            // About the request, not about the type.
            (400, "not-supported", "_total=accurate is not supported for resource type Basic", false),
            (400, "invalid", "Unknown search parameter \"_total\" for resource type \"Basic\"", false),
            (400, "not-supported", "The search interaction is not supported for type Basic", false),
            (400, "invalid", "Invalid value for _summary: count", false),
            // About another type, or about nothing that is named.
            (400, "not-supported", "Resource type Basics is not supported", false),
            (400, "not-supported", "Resource type Patient is not supported", false),
            (400, "not-supported", "", false),
            (404, "not-found", "The data store was not found.", false),
            // Not the status of such a refusal.
            (401, "not-supported", "Resource type Basic is not supported", false),
            (403, "not-supported", "Resource type Basic is not supported", false),
            (429, "not-supported", "Resource type Basic is not supported", false),
            (500, "not-supported", "Resource type Basic is not supported", false),
            (501, "not-supported", "Resource type Basic is not supported", false),
        ] {
            let found = is_unsupported_type(&refusal(status, "", &outcome(code, text)), "Basic");
            assert_eq!(found, expected, "{status} {code} {text}");
        }
    }

    #[test]
    fn the_error_names_of_aws_and_other_issues_count() {
        let text = "Resource type Basic is not supported";
        assert!(!is_unsupported_type(&refusal(400, "ThrottlingException", &outcome("not-supported", text)), "Basic"));
        assert!(!is_unsupported_type(&refusal(400, "AccessDeniedException", &outcome("not-supported", text)), "Basic"));
        assert!(is_unsupported_type(&refusal(400, "ValidationException", &outcome("not-supported", text)), "Basic"));
        assert!(is_unsupported_type(&refusal(400, "ValidationException", &json!({"message": text})), "Basic"));
        let mut several = outcome("not-supported", text);
        let later = json!({"severity": "error", "code": "throttled", "diagnostics": "Later"});
        several["issue"] = json!([several["issue"][0], later]);
        assert!(!is_unsupported_type(&refusal(400, "", &several), "Basic"));
        several["issue"][1]["severity"] = json!("information");
        assert!(is_unsupported_type(&refusal(400, "", &several), "Basic"));
    }
}
