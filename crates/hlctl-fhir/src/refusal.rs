//! What an answer of the FHIR interface means that is no success.

use std::fmt;

use bytes::Bytes;
use serde_json::Value;
use thiserror::Error;

use super::client::Authority;
use crate::oauth::{Reply, tell_up_to};
use hlctl_aws::classify::{kind_of_answer, not_aws};
use hlctl_aws::{AwsError, ErrorKind, Operation, Skew, hint};

/// What the store's side says of one thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// FHIR's IssueSeverity.
    pub severity: String,
    /// FHIR's IssueType.
    pub code: String,
    /// What is wrong, in words.
    pub text: String,
    /// Where in the resource.
    pub place: Option<String>,
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{} at {place}", self.text),
            None => write!(f, "{}", self.text),
        }
    }
}

/// How a request proved who makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// By a signature.
    Signature,
    /// By a SMART token.
    Token,
}

/// A request that was not carried out, or whose answer never came.
#[derive(Clone)]
pub struct ErrorResponse {
    /// What it means, by AWS's code where there is one.
    pub aws: AwsError,
    /// What was asked, without parameters: these may be patient data.
    pub about: String,
    /// HTTP status; `None` where no answer came.
    pub status: Option<u16>,
    /// What an OperationOutcome says.
    pub issues: Vec<Issue>,
    /// How it was asked.
    pub proof: Proof,
    /// Whether the store is known to have an identity provider.
    pub smart: bool,
    /// The resource that came instead of an OperationOutcome: what an earlier request of the same idempotency key made.
    pub resource: Option<Bytes>,
    /// The whole of the message.
    pub message: String,
    /// Whether the answer to an earlier attempt was lost.
    pub repeated: bool,
    /// A better hint than that of the status, from those who know what was asked.
    pub advice: Option<String>,
}

impl fmt::Debug for ErrorResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal").field("aws", &self.aws).field("status", &self.status).finish_non_exhaustive()
    }
}

impl AsMut<AwsError> for Box<ErrorResponse> {
    fn as_mut(&mut self) -> &mut AwsError {
        &mut self.aws
    }
}

impl fmt::Display for ErrorResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.about)?;
        if self.aws.origin.as_ref().is_some_and(|origin| origin.is_obtaining()) {
            return write!(f, ": not sent: {}", self.aws);
        }
        match self.status {
            Some(status) => write!(f, ": {status}, {}", in_words(status))?,
            None if self.aws.kind == ErrorKind::NoAnswer => write!(f, ": no answer")?,
            None => write!(f, ": not sent")?,
        }
        if !self.aws.code.is_empty() {
            write!(f, " ({})", self.aws.code)?;
        }
        match self.issues.as_slice() {
            [] if self.aws.message.is_empty() => {}
            [] => write!(f, ": {}", self.aws.message)?,
            [one] => write!(f, ": {one}")?,
            many => {
                for issue in many {
                    write!(f, "\n  {}: {issue}", issue.severity)?;
                }
                writeln!(f)?;
            }
        }
        if let Some(skew) = &self.aws.skew {
            write!(f, "; {skew}")?;
        }
        if let Some(id) = &self.aws.request_id {
            write!(f, " (request id {id})")?;
        }
        if self.aws.attempts > 1 {
            write!(f, " (after {} attempts)", self.aws.attempts)?;
        }
        Ok(())
    }
}

fn in_words(status: u16) -> &'static str {
    match status {
        200..300 => "but not an answer of the FHIR interface",
        400 => "invalid request",
        401 => "not logged in",
        403 => "not allowed",
        404 => "not found",
        405 => "not offered",
        409 => "conflict with the current resource",
        410 => "deleted",
        412 => "precondition failed",
        413 => "too large",
        415 | 406 => "in the wrong format",
        422 => "not acceptable",
        429 => "too many requests",
        501 => "not offered",
        500.. => "a failure of the server",
        _ => "refused",
    }
}

impl ErrorResponse {
    /// Reads an answer that is no success.
    pub fn of(
        reply: &Reply,
        operation: &'static Operation,
        about: &str,
        authority: &Authority,
        smart: bool,
    ) -> Box<Self> {
        let status = reply.status.as_u16();
        let header = |name: &str| reply.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let issues = issues(&body);
        let whole = [&body["message"], &body["Message"], &body["issue"][0]["diagnostics"]];
        let whole = whole.into_iter().find_map(Value::as_str).unwrap_or_default().to_owned();
        // `x-amzn-errortype` may have an address after a colon (AWS JSON protocols, "Operation error serialization").
        let code =
            header("x-amzn-errortype").or_else(|| body["__type"].as_str().map(str::to_owned)).unwrap_or_default();
        let code = code.split(':').next().unwrap_or_default().rsplit('#').next().unwrap_or_default().to_owned();
        let is_theirs = body.is_object();
        let message = if is_theirs { tell_up_to(MOST, &whole) } else { not_aws(Some(status)) };
        let kind = if status < 400 { ErrorKind::Garbled } else { kind_of_answer(&code, &message, status) };
        let is_signed = authority.proof() == Proof::Signature;
        let is_resource = body["resourceType"].is_string() && body["resourceType"] != "OperationOutcome";
        Box::new(Self {
            aws: AwsError {
                code,
                request_id: reply.request_id(),
                skew: Skew::of_refusal(&whole, header("date").as_deref()).filter(|_| is_signed && status >= 400),
                ..AwsError::of_kind(kind, operation, message)
            },
            about: about.to_owned(),
            status: Some(status),
            issues,
            proof: authority.proof(),
            smart,
            resource: is_resource.then(|| reply.body.clone()),
            message: whole,
            repeated: false,
            advice: None,
        })
    }

    /// A request that was not sent, or not answered.
    pub(super) fn unsent(aws: AwsError, about: &str, authority: &Authority, smart: bool) -> Box<Self> {
        let (about, proof) = (about.to_owned(), authority.proof());
        Box::new(Self {
            aws,
            about,
            status: None,
            issues: Vec::new(),
            proof,
            smart,
            resource: None,
            message: String::new(),
            repeated: false,
            advice: None,
        })
    }

    /// Whether the request may have been carried out all the same.
    pub fn may_have_worked(&self) -> bool {
        self.aws.kind.loses_the_answer()
    }

    /// Whether it is the signature that was refused.
    pub fn is_about_signature(&self) -> bool {
        matches!(
            self.aws.code.as_str(),
            "InvalidSignatureException"
                | "SignatureDoesNotMatch"
                | "IncompleteSignatureException"
                | "IncompleteSignature"
        ) || self.message.contains("request signature we calculated does not match")
    }

    /// The next step, where one is known.
    pub fn hint(&self) -> Option<String> {
        if self.advice.is_some() {
            return self.advice.clone();
        }
        if self.aws.origin.as_ref().is_some_and(|origin| origin.is_obtaining()) {
            return hint::hint(&self.aws);
        }
        let is_refused = matches!(self.aws.kind, ErrorKind::Credentials | ErrorKind::Denied);
        let text = match (self.status, self.proof) {
            (_, Proof::Signature) if self.aws.skew.is_some() && is_refused => return hint::hint(&self.aws),
            (Some(401), Proof::Token) if self.message.contains("Timeout during custom Idp execution") => {
                "the token validator took longer than its limit of one second: run the command again; \
                 lambda_provisioned_concurrency keeps one warm"
            }
            (Some(401), Proof::Token) => {
                concat!(
                    "the token has expired, or is not for this store: get another (`",
                    hlctl!("smart token"),
                    "`, or --smart); \
                 `",
                    hlctl!("smart test"),
                    "` shows what the store accepts"
                )
            }
            (Some(401 | 403), Proof::Signature) if self.smart && !self.is_about_signature() => {
                "the store has an identity provider: use a SMART token (--smart, or --token FILE)"
            }
            (Some(403), Proof::Token) if !self.smart && self.aws.code.starts_with("IncompleteSignature") => {
                "the store accepts signatures, not tokens: leave out --token, --smart and HLCTL_TOKEN"
            }
            (Some(403), Proof::Token) => {
                concat!(
                    "the token's scopes or the service role do not allow this: ask for other scopes (--smart --scope SCOPE), or \
                 see `",
                    hlctl!("smart test"),
                    "`"
                )
            }
            (_, Proof::Signature) if self.is_about_signature() => {
                concat!(
                    "`",
                    hlctl!("fhir explain URL"),
                    "` shows what is signed, and with --send which difference it probably is; also check the \
                 secret key"
                )
            }
            (Some(403), _) if self.aws.kind == ErrorKind::Denied => {
                return Some(format!(
                    "allow the action {} on the store for the principal that runs hlctl; if the store has \
                     a key of its own, also kms:Decrypt and kms:GenerateDataKey on that key",
                    self.aws.operation.map(Operation::action).unwrap_or_default()
                ));
            }
            (Some(404), _) => "check the type and id; a search finds new resources only after a few moments",
            (Some(410), _) => concat!("`", hlctl!("fhir history TYPE/ID"), "` shows the versions before the deletion"),
            (Some(412), _) => {
                "it has changed in the meantime, or more than one resource matches the condition: read it again, and \
                 use its version for --if-match"
            }
            (Some(413), _) => {
                "HealthLake accepts 5 MB per request: leave out attachments, or import it (Binary up to 164 MB)"
            }
            (Some(409), _) => {
                concat!(
                    "read the current resource; if the store itself is in transition, `",
                    hlctl!("wait"),
                    "` waits until that is over"
                )
            }
            (Some(400 | 422), _) if self.aws.kind == ErrorKind::Refused => {
                "correct what it names, then run the command again"
            }
            (Some(405 | 501), _) => concat!("`", hlctl!("fhir get metadata"), "` lists what the store offers"),
            _ => return hint::hint(&self.aws),
        };
        Some(text.to_owned())
    }
}

/// As much of a foreign text as an error tells.
const MOST: usize = 600;

/// What an OperationOutcome says.
pub fn issues(body: &Value) -> Vec<Issue> {
    if body["resourceType"] != "OperationOutcome" {
        return Vec::new();
    }
    let read = |issue: &Value| {
        let text = |value: &Value| value.as_str().map(|text| tell_up_to(MOST, text)).filter(|text| !text.is_empty());
        let code = text(&issue["code"]).unwrap_or_default();
        let coding = &issue["details"]["coding"][0];
        let words = [&issue["diagnostics"], &issue["details"]["text"], &coding["display"], &coding["code"]];
        Issue {
            severity: text(&issue["severity"]).unwrap_or_else(|| "error".to_owned()),
            text: words.into_iter().find_map(text).unwrap_or_else(|| code.clone()),
            place: text(&issue["expression"][0]).or_else(|| text(&issue["location"][0])),
            code,
        }
    };
    body["issue"].as_array().into_iter().flatten().map(read).collect()
}

/// What can go wrong with the FHIR interface.
#[derive(Clone, Debug, Error)]
pub enum FhirError {
    /// The store refused, or nobody answered.
    #[error("{0}")]
    Refused(Box<ErrorResponse>),
    /// A link leads away from the store.
    #[error("the store's answer continues at {link}, which is not below its own URL: nothing was sent there")]
    Elsewhere {
        /// Without its query.
        link: String,
    },
    /// A link leads back.
    #[error("the pages of the answer form a loop: a next link occurred before")]
    Circles,
    /// An answer that is not what it should be.
    #[error("the answer to {about} is not what FHIR defines for it: {problem}")]
    NotFhir {
        /// What was asked.
        about: String,
        /// Why not.
        problem: String,
    },
    /// Entries of a bundle that were refused; the answer has been printed.
    #[error("{} of {all} entries were refused:\n{}", .refused.len(), .refused.join("\n"))]
    Entries {
        /// All that were sent.
        all: usize,
        /// Which, and why.
        refused: Vec<String>,
    },
}

impl From<Box<ErrorResponse>> for FhirError {
    fn from(refusal: Box<ErrorResponse>) -> Self {
        Self::Refused(refusal)
    }
}

impl FhirError {
    /// The next step, where one is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Refused(refusal) => refusal.hint(),
            Self::Elsewhere { .. } | Self::Circles | Self::NotFhir { .. } => {
                Some("check AWS_ENDPOINT_URL_HEALTHLAKE and any proxy: AWS does not answer like this".to_owned())
            }
            Self::Entries { .. } => Some("correct these entries and send them again".to_owned()),
        }
    }

    /// Whether it is the credentials that were refused.
    pub fn is_about_credentials(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.aws.kind == ErrorKind::Credentials)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use hlctl_aws::ops;

    fn reply(status: u16, error: &str, body: &str) -> Reply {
        let mut headers = http::HeaderMap::new();
        if let Ok(error) = http::HeaderValue::from_str(error) {
            headers.insert("x-amzn-errortype", error);
        }
        headers.insert("x-amzn-requestid", http::HeaderValue::from_static("id-1"));
        let status = http::StatusCode::from_u16(status).unwrap_or_default();
        Reply { status, headers, body: Bytes::from(body.to_owned()) }
    }

    fn refusal(status: u16, error: &str, body: &str) -> Box<ErrorResponse> {
        let token = Authority::Token(hlctl_config::Secret::new("x.y.z"));
        ErrorResponse::of(&reply(status, error, body), ops::fhir::READ_RESOURCE, "GET Patient/1", &token, true)
    }

    #[test]
    fn every_issue_is_reported_with_its_place() {
        let outcome = json!({"resourceType": "OperationOutcome", "issue": [
            {"severity": "error", "code": "invalid", "diagnostics": "No such\u{1b}[31m\ncode", "expression": ["Patient.gender"]},
            {"severity": "warning", "code": "invariant", "details": {"text": "Too long"}},
        ]});
        let refused = refusal(422, "ValidationException", &outcome.to_string());
        let wanted = "GET Patient/1: 422, not acceptable (ValidationException)\n  error: No such [31m code at Patient.gender\n  \
                      warning: Too long\n (request id id-1)";
        assert_eq!(refused.to_string(), wanted);
    }

    #[test]
    fn an_error_of_aws_itself_is_reported_too() {
        let refused = refusal(403, "AccessDeniedException:http://x/", r#"{"message":"User: arn is not authorized"}"#);
        assert_eq!(refused.aws.kind, ErrorKind::Denied);
        let wanted =
            "GET Patient/1: 403, not allowed (AccessDeniedException): User: arn is not authorized (request id id-1)";
        assert_eq!(refused.to_string(), wanted);
    }

    #[test]
    fn kinds_follow_the_code_and_then_the_status() {
        let outcome = r#"{"resourceType":"OperationOutcome","issue":[]}"#;
        for (status, code, body, kind) in [
            (401, "", outcome, ErrorKind::Credentials),
            (403, "", outcome, ErrorKind::Denied),
            (403, "ExpiredTokenException", outcome, ErrorKind::Credentials),
            (404, "", outcome, ErrorKind::NotFound),
            (410, "", outcome, ErrorKind::NotFound),
            (412, "PreconditionFailedException", outcome, ErrorKind::Conflict),
            (422, "", outcome, ErrorKind::Refused),
            (429, "", outcome, ErrorKind::Throttled),
            (400, "ThrottlingException", outcome, ErrorKind::Throttled),
            (500, "", outcome, ErrorKind::Unavailable),
            (503, "", "", ErrorKind::Unavailable),
            (501, "", outcome, ErrorKind::Refused),
            (200, "", "<html>", ErrorKind::Garbled),
        ] {
            assert_eq!(refusal(status, code, body).aws.kind, kind, "{status} {code}");
        }
    }

    #[test]
    fn debug_output_hides_what_was_answered() {
        let refused = refusal(409, "", r#"{"resourceType":"Patient","name":[{"family":"Hidden"}]}"#);
        assert!(refused.resource.is_some());
        assert!(!format!("{refused:?} {refused}").contains("Hidden"));
    }
}
