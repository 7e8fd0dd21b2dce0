//! From an SDK error to what it means. The only file that looks at the text of an error.

use std::error::Error;
use std::fmt;

use aws_credential_types::provider::error::{CredentialsError, TokenError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use http_body_util::LengthLimitError;

use super::clock::Skew;
use super::limited::LONGEST_ANSWER;
use super::ops::{self, Met, Operation};
use super::origin::{CredentialsOrigin, kind_for_unsent};
use super::request_id;
use hlctl_model::Certainty;

/// A call to AWS that failed for good.
#[derive(Clone, Debug)]
pub struct AwsError {
    /// What was called; `None` where nothing was, since there were no credentials.
    pub operation: Option<&'static Operation>,
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
    /// How wrong this machine's clock is, if the refusal shows that it is wrong.
    pub skew: Option<Skew>,
    /// Where the credentials come from, if the error is about them.
    pub origin: Option<Box<CredentialsOrigin>>,
}

/// Why there are no credentials, on its way through the SDK.
#[derive(Clone, Debug)]
pub struct NoCredentials(pub AwsError);

impl fmt::Display for NoCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for NoCredentials {}

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
    /// The server's certificate is not one that is trusted; the call was not carried out.
    Untrusted,
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
        let call = self.operation.map(|operation| format!("{operation} failed")).unwrap_or_default();
        let parts = [call.as_str(), &self.code, &self.message];
        write!(f, "{}", parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": "))?;
        if let Some(skew) = &self.skew {
            write!(f, "; {skew}")?;
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
    /// An error that AWS did not tell.
    pub fn of_kind(kind: ErrorKind, operation: &'static Operation, message: impl Into<String>) -> Self {
        Self { operation: Some(operation), ..Self::without_call(kind, message) }
    }

    /// The same, of what comes before any call.
    pub fn without_call(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            operation: None,
            code: String::new(),
            message: message.into(),
            request_id: None,
            other_region: None,
            kind,
            attempts: 1,
            certainty: Certainty::NotApplied,
            skew: None,
            origin: None,
        }
    }

    /// A success without what it promises. Nothing follows from it, least of all that a thing is not there.
    pub fn incomplete(operation: &'static Operation, missing: &str) -> Self {
        let message = format!("the answer is incomplete: it has no {missing}");
        Self::of_kind(ErrorKind::Garbled, operation, message)
    }

    /// A call that this run may not make any more.
    pub fn not_sent(operation: &'static Operation) -> Self {
        let message = "the lock is lost: another process took it over, so this run sends nothing more";
        Self::of_kind(ErrorKind::NotSent, operation, message)
    }

    /// Credentials that could not be obtained.
    pub fn without_credentials(error: &(dyn Error + 'static), operation: &'static Operation) -> Self {
        match sources(error).find_map(|error| error.downcast_ref::<NoCredentials>()) {
            Some(NoCredentials(error)) => error.clone(),
            None => Self::of_kind(ErrorKind::Credentials, operation, causes(error)),
        }
    }

    /// A call that was to obtain credentials, as an error of the call that they are for: that one was not sent.
    pub fn obtaining(self, origin: CredentialsOrigin) -> Self {
        let kind = kind_for_unsent(self.kind);
        Self { kind, certainty: Certainty::NotApplied, origin: Some(Box::new(origin)), ..self }
    }

    /// Prefix of the service that was called, as IAM actions have it.
    pub fn service(&self) -> Option<&'static str> {
        self.operation.map(Operation::service)
    }

    /// Whether the call that failed was one that only reads.
    pub fn is_of_read(&self) -> bool {
        self.operation.is_some_and(Operation::is_read)
    }

    /// Whether AWS said that the thing is not there.
    pub fn is_not_found(&self) -> bool {
        self.kind == ErrorKind::NotFound
    }

    /// The state that the call's own first attempt, whose answer was lost, can have led to and that this error tells of.
    pub fn meets(&self) -> Option<Met> {
        self.operation?.met(&self.code)
    }

    /// Whether AWS may take the same request with other credentials: it knows these no more.
    pub fn may_pass_with_other_credentials(&self) -> bool {
        let was_sent = !self.origin.as_ref().is_some_and(|origin| origin.is_obtaining());
        let is_late = self.code == "RequestTimeTooSkewed" || (self.skew.is_some() && !self.has_expired());
        self.kind == ErrorKind::Credentials && !self.code.is_empty() && was_sent && !is_late
    }

    /// Whether the credentials were good once.
    pub fn has_expired(&self) -> bool {
        let codes = ["ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"];
        codes.contains(&self.code.as_str())
    }

    /// Whether AWS said that the caller may not do this, whatever that means to hlctl.
    pub fn is_denied(&self) -> bool {
        kind_of_code(&self.code, &self.message, None) == ErrorKind::Denied
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
        self.code == code && self.mentions(part)
    }

    /// Whether the message holds `part`.
    pub fn mentions(&self, part: &str) -> bool {
        self.message.contains(part)
    }

    /// Whether the caller lacks a right that Lake Formation gives and IAM does not.
    pub fn lacks_lake_formation(&self) -> bool {
        self.kind == ErrorKind::Denied && self.mentions("Lake Formation")
    }

    /// Whether Cognito refuses a domain because a pool has it. The code alone does not say so: it is
    /// `InvalidParameterException`, as for a domain that is malformed.
    pub fn is_domain_taken(&self) -> bool {
        self.mentions("already") || self.mentions("exist")
    }
}

/// Reads an SDK error.
pub fn classify<E>(operation: &'static Operation, error: &SdkError<E, HttpResponse>) -> AwsError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let failure = match error {
        SdkError::ServiceError(service_error) => Failure::Service(service_error.err().meta()),
        SdkError::TimeoutError(_) => Failure::Timeout,
        SdkError::ResponseError(_) => Failure::Response(error),
        other => Failure::Other(other),
    };
    failure.tell(operation, error.raw_response())
}

/// An SDK error without the type of its operation, for which everything would be compiled again.
enum Failure<'a> {
    Service(&'a ErrorMetadata),
    Timeout,
    Response(&'a (dyn Error + 'static)),
    Other(&'a (dyn Error + 'static)),
}

impl Failure<'_> {
    fn tell(self, operation: &'static Operation, response: Option<&HttpResponse>) -> AwsError {
        let status = response.map(|response| response.status().as_u16());
        let header = |name: &str| response.and_then(|response| response.headers().get(name)).map(str::to_owned);
        let mut reported = AwsError {
            request_id: request_id::of_headers(|name| response?.headers().get(name)),
            other_region: header("x-amz-bucket-region"),
            ..AwsError::of_kind(ErrorKind::Refused, operation, "")
        };
        match self {
            Self::Service(meta) => {
                reported.code = hlctl_model::text::shortened(meta.code().unwrap_or_default()).into_owned();
                reported.message = hlctl_model::text::shortened(meta.message().unwrap_or_default()).into_owned();
                if reported.code.is_empty() && [ops::s3::HEAD_BUCKET, ops::s3::HEAD_OBJECT].contains(&operation) {
                    // A HEAD has no body, so S3 can only speak by status.
                    reported.code = code_of_status(status).to_owned();
                } else if reported.code.is_empty() && operation.service() == ops::s3::SERVICE {
                    // Servers other than AWS leave the body out.
                    reported.code = code_of_bare_status(status).to_owned();
                }
                reported.kind = kind_of_code(&reported.code, &reported.message, status);
                if reported.message.is_empty() && reported.code.is_empty() {
                    reported.message = not_aws(status);
                }
                reported.skew = Skew::of_refusal(&reported.message, header("date").as_deref());
            }
            Self::Timeout => {
                reported.kind = ErrorKind::Silent;
                reported.message = "no answer in time".to_owned();
            }
            Self::Response(error) if is_cut_off(error) => {
                reported.kind = ErrorKind::NoAnswer;
                reported.message = "the answer was incomplete".to_owned();
            }
            Self::Response(error) => {
                reported.kind = match status {
                    Some(429) => ErrorKind::Throttled,
                    Some(500..) => ErrorKind::Unavailable,
                    _ => ErrorKind::Garbled,
                };
                reported.message = if is_too_long(error) { too_long() } else { not_aws(status) };
            }
            Self::Other(error) => match kind_of_failure(error) {
                ErrorKind::Credentials => return AwsError::without_credentials(error, operation),
                kind => {
                    reported.kind = kind;
                    reported.message = innermost(error);
                }
            },
        }
        reported
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
pub(super) fn sources<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
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

/// What a call that was not sent, or not answered, means. Credentials that cannot be obtained because nobody answers count as
/// missing: the call itself was not sent.
pub(super) fn kind_of_failure(error: &(dyn Error + 'static)) -> ErrorKind {
    let mut source = Some(error);
    while let Some(error) = source {
        if error.is::<CredentialsError>() {
            return ErrorKind::Credentials;
        }
        if is_untrusted(error) {
            return ErrorKind::Untrusted;
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

/// Whether it is the certificate of the server that was refused.
pub fn is_untrusted(error: &(dyn Error + 'static)) -> bool {
    // An I/O error does not count what it wraps among its sources, and there may be one in another.
    if let Some(io) = error.downcast_ref::<std::io::Error>() {
        return io.get_ref().is_some_and(|wrapped| is_untrusted(wrapped));
    }
    matches!(error.downcast_ref::<rustls::Error>(), Some(rustls::Error::InvalidCertificate(_)))
}

/// What all causes of an error say, from the outermost, each once. Those of the SDK that only announce another are left out, and so is
/// its `ErrorMetadata`, which is shown as Rust shows a struct.
pub(super) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut said: Vec<String> = Vec::new();
    for error in sources(error).filter(|error| !error.is::<CredentialsError>() && !error.is::<TokenError>()) {
        let text = error.to_string();
        // What the SDK says of a program that failed ends in a label, whether or not the program printed anything.
        let text = text.trim_end().trim_end_matches("Stderr:").trim_end().to_owned();
        if !error.is::<ErrorMetadata>() && !said.iter().any(|said| said.contains(&text)) {
            said.push(text);
        }
    }
    let line = said.join(": ").split_whitespace().collect::<Vec<_>>().join(" ");
    hlctl_model::text::shortened(&line).into_owned()
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
        let tell = |error: &(dyn Error + 'static)| Failure::Response(error).tell(ops::iam::GET_ROLE, None).kind;
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
