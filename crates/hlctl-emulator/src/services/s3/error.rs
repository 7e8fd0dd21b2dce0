//! S3's errors.

use s3s::{S3Error, S3ErrorCode};

use crate::emulator::storage_failed;
use crate::error::{AwsError, Error};

pub(super) fn with(code: S3ErrorCode, message: impl Into<String>) -> S3Error {
    S3Error::with_message(code, message.into())
}

/// An error whose code s3s may not know.
pub(super) fn custom(status: u16, code: &str, message: impl Into<String>) -> S3Error {
    let code = S3ErrorCode::from_bytes(code.as_bytes()).unwrap_or(S3ErrorCode::InternalError);
    let mut error = with(code, message);
    if let Ok(status) = http::StatusCode::from_u16(status) {
        error.set_status_code(status);
    }
    error
}

pub(super) fn from_aws(error: &AwsError) -> S3Error {
    custom(error.status, &error.code, error.message.clone())
}

pub(super) fn storage(error: &Error) -> S3Error {
    from_aws(&storage_failed(error))
}

pub(super) fn no_such_key() -> S3Error {
    with(S3ErrorCode::NoSuchKey, "The specified key does not exist.")
}

pub(super) fn no_such_version() -> S3Error {
    with(S3ErrorCode::NoSuchVersion, "The specified version does not exist.")
}

pub(super) fn conditional_delete_not_implemented() -> S3Error {
    with(S3ErrorCode::NotImplemented, "A header you provided implies functionality that is not implemented: If-Match")
}

pub(super) fn precondition_failed() -> S3Error {
    with(S3ErrorCode::PreconditionFailed, "At least one of the pre-conditions you specified did not hold")
}

pub(super) fn access_denied() -> S3Error {
    with(S3ErrorCode::AccessDenied, "Access Denied")
}

pub(super) fn malformed_xml() -> S3Error {
    with(
        S3ErrorCode::MalformedXML,
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
}

pub(super) fn invalid_argument(message: impl Into<String>) -> S3Error {
    with(S3ErrorCode::InvalidArgument, message)
}

pub(super) fn invalid_request(message: impl Into<String>) -> S3Error {
    with(S3ErrorCode::InvalidRequest, message)
}
