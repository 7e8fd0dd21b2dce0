//! From an SDK error to what it means. The only file that looks at the text of an error.

use std::error::Error;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use http_body_util::LengthLimitError;

use super::call::Certainty;
use super::limited::LONGEST_ANSWER;
use super::repeat::{Met, met};

/// A call to AWS that failed for good.
#[derive(Clone, Debug)]
pub struct AwsError {
    /// Service prefix as IAM actions have it, for example `kms`.
    pub service: &'static str,
    /// Operation, for example `CreateKey`.
    pub operation: &'static str,
    /// The error's code; empty where no answer came.
    pub code: String,
    /// AWS's message, or what went wrong on the way.
    pub message: String,
    /// The request's id, to quote to AWS Support.
    pub request_id: Option<String>,
    /// Region that S3 named when the bucket is elsewhere.
    pub other_region: Option<String>,
    /// What it means.
    pub kind: ErrorKind,
    /// How many times the call was sent.
    pub attempts: u32,
    /// What is known of the change that was asked for.
    pub certainty: Certainty,
}

/// What an error means to hlctl.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The thing does not exist.
    NotFound,
    /// A thing of that name exists.
    AlreadyExists,
    /// Too many requests; the call was not carried out.
    Throttled,
    /// AWS failed (5xx); the call may have been carried out.
    Unavailable,
    /// The connection broke; the call may have been carried out.
    NoAnswer,
    /// No answer came in time; the call may have been carried out.
    Silent,
    /// No connection could be made; the call was not carried out.
    Unreachable,
    /// Something answered that is not AWS.
    Garbled,
    /// The caller may not do this.
    Denied,
    /// Credentials are missing, wrong or expired.
    Credentials,
    /// The thing is busy or in a state that forbids this.
    Conflict,
    /// The bucket lives in another region.
    WrongRegion,
    /// AWS refused the request for what it says.
    Refused,
    /// It was not sent: the lock was taken away from this run.
    NotSent,
}

impl ErrorKind {
    /// Whether the call may have been carried out all the same: what came was no answer of AWS's to it.
    pub fn loses_the_answer(self) -> bool {
        matches!(self, Self::NoAnswer | Self::Silent | Self::Unavailable | Self::Garbled)
    }
}

impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} failed", self.service, self.operation)?;
        if !self.code.is_empty() {
            write!(f, ": {}", self.code)?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request id {id})")?;
        }
        if self.attempts > 1 {
            write!(f, " (after {} attempts)", self.attempts)?;
        }
        Ok(())
    }
}

impl Error for AwsError {}

impl AsMut<AwsError> for AwsError {
    fn as_mut(&mut self) -> &mut AwsError {
        self
    }
}

impl AwsError {
    /// A success without what it promises. Nothing follows from it, least of all that a thing is not there.
    pub fn incomplete(service: &'static str, operation: &'static str, missing: &str) -> Self {
        Self {
            service,
            operation,
            code: String::new(),
            message: format!("the answer is incomplete: it has no {missing}"),
            request_id: None,
            other_region: None,
            kind: ErrorKind::Garbled,
            attempts: 1,
            certainty: Certainty::NotApplied,
        }
    }

    /// A call that this run may not make any more.
    pub fn not_sent(service: &'static str, operation: &'static str) -> Self {
        Self {
            service,
            operation,
            code: String::new(),
            message: "the lock is lost: another process took it over, so this run sends nothing more".to_owned(),
            request_id: None,
            other_region: None,
            kind: ErrorKind::NotSent,
            attempts: 1,
            certainty: Certainty::NotApplied,
        }
    }

    /// Whether AWS said that the thing is not there.
    pub fn is_not_found(&self) -> bool {
        self.kind == ErrorKind::NotFound
    }

    /// The state that the call's own first attempt, whose answer was lost, can have led to and that this error tells of.
    pub fn meets(&self) -> Option<Met> {
        met(self.service, self.operation, &self.code)
    }

    /// Whether AWS may take the same request with other credentials: it knows these no more.
    pub fn may_pass_with_other_credentials(&self) -> bool {
        self.kind == ErrorKind::Credentials && !self.code.is_empty() && self.code != "RequestTimeTooSkewed"
    }

    /// The action that AWS says is lacking; it may be another than the operation's own.
    pub fn lacked_action(&self) -> Option<&str> {
        let rest = self.message.split_once("not authorized to perform: ")?.1;
        let action = rest.split_whitespace().next()?;
        let is_action = action.split_once(':').is_some_and(|(service, name)| !service.is_empty() && !name.is_empty());
        is_action.then_some(action)
    }

    /// Whether the error has this code and its message holds `part`.
    pub fn says(&self, code: &str, part: &str) -> bool {
        self.code == code && self.message.contains(part)
    }
}

/// Reads an SDK error.
pub fn classify<E>(service: &'static str, operation: &'static str, error: &SdkError<E, HttpResponse>) -> AwsError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let failure = match error {
        SdkError::ServiceError(service_error) => Failure::Service(service_error.err().meta()),
        SdkError::TimeoutError(_) => Failure::Timeout,
        SdkError::ResponseError(_) => Failure::Response(error),
        other => Failure::Other(other),
    };
    failure.tell(service, operation, error.raw_response())
}

/// An SDK error without the type of its operation, for which everything would be compiled anew.
enum Failure<'a> {
    Service(&'a ErrorMetadata),
    Timeout,
    Response(&'a (dyn Error + 'static)),
    Other(&'a (dyn Error + 'static)),
}

impl Failure<'_> {
    fn tell(self, service: &'static str, operation: &'static str, response: Option<&HttpResponse>) -> AwsError {
        let status = response.map(|response| response.status().as_u16());
        let header = |name: &str| response.and_then(|response| response.headers().get(name)).map(str::to_owned);
        let mut told = AwsError {
            service,
            operation,
            code: String::new(),
            message: String::new(),
            request_id: header("x-amzn-requestid").or_else(|| header("x-amz-request-id")),
            other_region: header("x-amz-bucket-region"),
            kind: ErrorKind::Refused,
            attempts: 1,
            certainty: Certainty::NotApplied,
        };
        match self {
            Self::Service(meta) => {
                told.code = crate::ui::printer::shortened(meta.code().unwrap_or_default()).into_owned();
                told.message = crate::ui::printer::shortened(meta.message().unwrap_or_default()).into_owned();
                if told.code.is_empty() && operation.starts_with("Head") {
                    // A HEAD has no body, so S3 can only speak by status.
                    told.code = code_of_status(status).to_owned();
                } else if told.code.is_empty() && service == "s3" {
                    // Servers other than AWS leave the body out.
                    told.code = code_of_bare_status(status).to_owned();
                }
                told.kind = kind_of_code(&told.code, &told.message, status);
                if told.message.is_empty() && told.code.is_empty() {
                    told.message = not_aws(status);
                }
            }
            Self::Timeout => {
                told.kind = ErrorKind::Silent;
                told.message = "no answer in time".to_owned();
            }
            Self::Response(error) if is_cut_off(error) => {
                told.kind = ErrorKind::NoAnswer;
                told.message = "the answer was incomplete".to_owned();
            }
            Self::Response(error) => {
                told.kind = match status {
                    Some(429) => ErrorKind::Throttled,
                    Some(500..) => ErrorKind::Unavailable,
                    _ => ErrorKind::Garbled,
                };
                told.message = if is_too_long(error) { too_long() } else { not_aws(status) };
            }
            Self::Other(error) => {
                told.kind = kind_of_failure(error);
                told.message = innermost(error);
            }
        }
        told
    }
}

/// What an answer of the FHIR interface means that is no success: by AWS's code where there is one, else by its status.
pub fn kind_of_answer(code: &str, message: &str, status: u16) -> ErrorKind {
    match kind_of_code(code, message, Some(status)) {
        ErrorKind::Refused | ErrorKind::Garbled => match status {
            401 => ErrorKind::Credentials,
            403 => ErrorKind::Denied,
            404 | 410 => ErrorKind::NotFound,
            408 => ErrorKind::NoAnswer,
            409 | 412 => ErrorKind::Conflict,
            400..=499 | 501 => ErrorKind::Refused,
            _ => ErrorKind::Garbled,
        },
        known => known,
    }
}

/// What is said of an answer that AWS did not give.
pub fn not_aws(status: Option<u16>) -> String {
    let status = status.map_or_else(String::new, |status| format!(" (HTTP {status})"));
    format!("the answer does not come from AWS{status}")
}

fn is_too_long(error: &(dyn Error + 'static)) -> bool {
    sources(error).any(<dyn Error>::is::<LengthLimitError>)
}

/// Whether the connection ended before the answer did.
fn is_cut_off(error: &(dyn Error + 'static)) -> bool {
    sources(error).any(<dyn Error>::is::<std::io::Error>)
}

/// The error and whatever brought it about.
fn sources<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

fn too_long() -> String {
    format!("the answer does not come from AWS: it has more than {} MB", LONGEST_ANSWER >> 20)
}

fn code_of_status(status: Option<u16>) -> &'static str {
    match status {
        Some(301 | 307 | 308) => "PermanentRedirect",
        Some(400) => "BadRequest",
        Some(403) => "Forbidden",
        Some(404) => "NotFound",
        Some(409) => "Conflict",
        _ => "",
    }
}

/// What these statuses alone say in S3 (S3 API reference, "List of error codes").
fn code_of_bare_status(status: Option<u16>) -> &'static str {
    match status {
        Some(405) => "MethodNotAllowed",
        Some(412) => "PreconditionFailed",
        Some(501) => "NotImplemented",
        _ => "",
    }
}

/// Codes are compared, never statuses alone: HealthLake answers 400 where others answer 403 or 404
/// (HealthLake API reference, "Common Errors").
fn kind_of_code(code: &str, message: &str, status: Option<u16>) -> ErrorKind {
    match code {
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "TooManyRequestsException"
        | "SlowDown"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "BandwidthLimitExceeded"
        | "PriorRequestNotComplete"
        | "LimitExceededException"
            if code != "LimitExceededException" || message.contains("ate exceeded") =>
        {
            ErrorKind::Throttled
        }
        "NoSuchEntity"
        | "NotFoundException"
        | "ResourceNotFoundException"
        | "NotFound"
        | "NoSuchBucket"
        | "NoSuchKey"
        | "NoSuchTagSet"
        | "NoSuchLifecycleConfiguration"
        | "NoSuchBucketPolicy"
        | "NoSuchVersion"
        | "NoSuchPublicAccessBlockConfiguration"
        | "UserNotFoundException"
        | "ProvisionedConcurrencyConfigNotFoundException"
        | "ServerSideEncryptionConfigurationNotFoundError" => ErrorKind::NotFound,
        "EntityAlreadyExists"
        | "EntityAlreadyExistsException"
        | "BucketAlreadyExists"
        | "BucketAlreadyOwnedByYou"
        | "ResourceAlreadyExistsException"
        | "UsernameExistsException"
        | "AlreadyExistsException" => ErrorKind::AlreadyExists,
        "AccessDenied"
        | "AccessDeniedException"
        | "Forbidden"
        | "UnauthorizedOperation"
        | "AuthorizationError"
        | "AllAccessDisabled" => ErrorKind::Denied,
        "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "InvalidToken"
        | "RequestExpired"
        | "TokenRefreshRequired"
        | "RequestTimeTooSkewed"
        | "AuthFailure" => ErrorKind::Credentials,
        // Lambda has one code for both (Lambda API reference, CreateFunction and UpdateFunctionCode).
        "ResourceConflictException" if message.contains("already exist") => ErrorKind::AlreadyExists,
        "ConflictException"
        | "Conflict"
        | "ResourceConflictException"
        | "OperationAbortedException"
        | "OperationAborted"
        | "DeleteConflict"
        | "ConcurrentModification"
        | "ConcurrentModificationException"
        | "BucketNotEmpty"
        | "KMSInvalidStateException"
        | "DisabledException" => ErrorKind::Conflict,
        "PermanentRedirect"
        | "AuthorizationHeaderMalformed"
        | "IllegalLocationConstraintException"
        | "TemporaryRedirect" => ErrorKind::WrongRegion,
        "RequestTimeout" | "RequestTimeoutException" => ErrorKind::NoAnswer,
        "InternalError"
        | "InternalFailure"
        | "InternalServerException"
        | "InternalServerError"
        | "ServiceUnavailable"
        | "ServiceUnavailableException"
        | "ServiceFailure"
        | "KMSInternalException"
        | "DependencyTimeoutException"
        | "InternalErrorException"
        | "ServiceException" => ErrorKind::Unavailable,
        _ if status.is_some_and(|status| status == 429) => ErrorKind::Throttled,
        _ if status.is_some_and(|status| status >= 500 && status != 501) => ErrorKind::Unavailable,
        "" => ErrorKind::Garbled,
        _ => ErrorKind::Refused,
    }
}

fn kind_of_failure(error: &(dyn Error + 'static)) -> ErrorKind {
    let mut source = Some(error);
    while let Some(error) = source {
        if error.is::<CredentialsError>() {
            return ErrorKind::Credentials;
        }
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            match io.kind() {
                std::io::ErrorKind::ConnectionRefused
                | std::io::ErrorKind::HostUnreachable
                | std::io::ErrorKind::NetworkUnreachable
                | std::io::ErrorKind::AddrNotAvailable => return ErrorKind::Unreachable,
                _ => {}
            }
        }
        let text = error.to_string();
        if text.contains("dns error") || text.contains("error trying to connect") {
            return ErrorKind::Unreachable;
        }
        if text.contains("invalid uri") || text.contains("invalid URI") {
            return ErrorKind::Refused;
        }
        if text.contains("no credentials") || text.contains("no identity") {
            return ErrorKind::Credentials;
        }
        source = error.source();
    }
    ErrorKind::NoAnswer
}

/// The first cause that says something; outer layers say only "dispatch failure".
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut deepest = error;
    while let Some(next) = deepest.source() {
        deepest = next;
    }
    deepest.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_was_cut_off_is_no_answer_and_not_somebody_elses() {
        let tell = |error: &(dyn Error + 'static)| Failure::Response(error).tell("iam", "GetRole", None).kind;
        assert_eq!(tell(&std::io::Error::from(std::io::ErrorKind::UnexpectedEof)), ErrorKind::NoAnswer);
        assert_eq!(tell(&fmt::Error), ErrorKind::Garbled);
    }

    #[test]
    fn a_code_decides_before_the_status_does() {
        assert_eq!(kind_of_code("ThrottlingException", "", Some(400)), ErrorKind::Throttled);
        assert_eq!(kind_of_code("AccessDeniedException", "", Some(400)), ErrorKind::Denied);
        assert_eq!(kind_of_code("ValidationException", "", Some(400)), ErrorKind::Refused);
        assert_eq!(kind_of_code("Mystery", "", Some(503)), ErrorKind::Unavailable);
    }

    #[test]
    fn a_quota_is_not_a_throttle() {
        assert_eq!(kind_of_code("LimitExceededException", "too many keys", Some(400)), ErrorKind::Refused);
        assert_eq!(kind_of_code("LimitExceededException", "Rate exceeded", Some(400)), ErrorKind::Throttled);
    }
}
