//! Why a state in S3 cannot be read, written or locked.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

use hlctl_aws::clients::S3Endpoint;
use hlctl_aws::{AwsError, ErrorKind, hint};
use hlctl_engine::state::{Place, StateError, StorageError};

/// S3 refused, or could not be asked.
#[derive(Debug, Error)]
#[error("{error}")]
pub(super) struct S3Error {
    pub(super) error: AwsError,
    /// The server that is asked instead of Amazon S3, if one is.
    pub(super) endpoint: Option<Arc<S3Endpoint>>,
}

impl StorageError for S3Error {
    fn hint(&self) -> Option<String> {
        let Self { error, endpoint } = self;
        match endpoint {
            _ if error.code == "NoSuchBucket" => Some(
                "hlctl does not create the bucket for its state. Create it, versioned and private, or correct \
                 `backend` in the config"
                    .to_owned(),
            ),
            _ if error.kind == ErrorKind::Denied => Some(
                "the state needs s3:GetObject, s3:PutObject and s3:DeleteObject on its keys and s3:ListBucket on the bucket, and \
                 kms:Decrypt and kms:GenerateDataKey on its KMS key"
                    .to_owned(),
            ),
            Some(endpoint) if !is_answer_of_s3(error.kind) => Some(format!(
                "check that an S3 server answers at {} (set by {}), and check the network and any proxy; then run the \
                 command again",
                endpoint.url, endpoint.named_by
            )),
            _ => hint::hint(error),
        }
    }

    fn endpoint_url(&self) -> Option<&str> {
        self.endpoint.as_ref().map(|endpoint| endpoint.url.as_str())
    }
}

/// Whether S3 has answered, whatever it was.
fn is_answer_of_s3(kind: ErrorKind) -> bool {
    !matches!(kind, ErrorKind::Unreachable | ErrorKind::Untrusted | ErrorKind::NoAnswer | ErrorKind::Garbled)
}

/// The S3 server writes whatever the condition, so that its locks hold nobody off.
#[derive(Debug, Error)]
#[error(
    "the S3 server at {} {} {condition}, so it cannot lock the state: two runs could change the stack at the same time{}",
    endpoint.url,
    match refusal {
        Some(_) => "does not support writes with",
        None => "ignores",
    },
    match refusal {
        Some(refusal) => format!(" ({refusal})"),
        None => String::new(),
    }
)]
pub(super) struct CannotLock {
    /// The lock.
    pub(super) lock: Place,
    /// The server.
    pub(super) endpoint: Arc<S3Endpoint>,
    /// What it does not heed.
    pub(super) condition: Condition,
    /// How it refused, if it did.
    pub(super) refusal: Option<AwsError>,
    /// Whether the lock of this run could not be removed again.
    pub(super) left: bool,
}

impl From<CannotLock> for StateError {
    fn from(unfit: CannotLock) -> Self {
        Self::CannotLock(Box::new(unfit))
    }
}

impl StorageError for CannotLock {
    fn hint(&self) -> Option<String> {
        let Self { lock, endpoint, left, .. } = self;
        let mut hint = format!(
            "keep the state in Amazon S3, on a server that refuses a PutObject whose If-None-Match or If-Match does not \
             hold, or in a file, without `backend`; this server is named by {}",
            endpoint.named_by
        );
        if *left {
            let url = &endpoint.url;
            hint.push_str(&format!(
                "\nthe lock of this run could not be removed: aws s3 rm {lock} --endpoint-url {url}"
            ));
        }
        Some(hint)
    }
}

/// What a write may require of what is there (S3 API reference, PutObject).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// That nothing is.
    IfNoneMatch,
    /// That it is of a certain version.
    IfMatch,
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::IfNoneMatch => "If-None-Match",
            Self::IfMatch => "If-Match",
        })
    }
}

/// What S3 said, where a state could not be reached because of that.
pub fn aws_error(error: &StateError) -> Option<&AwsError> {
    let StateError::Remote { error, .. } = error else { return None };
    let error: &(dyn std::error::Error + 'static) = &**error;
    error.downcast_ref().map(|error: &S3Error| &error.error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hlctl_aws::clients::NamedBy;
    use hlctl_aws::ops;

    fn unreachable(endpoint: Option<S3Endpoint>) -> Option<String> {
        let error = AwsError {
            kind: ErrorKind::Unreachable,
            message: "connection refused".to_owned(),
            ..AwsError::incomplete(ops::s3::GET_OBJECT, "")
        };
        let place = Place::Object { bucket: "states".to_owned(), key: "fhir.json".to_owned() };
        let error = S3Error { error, endpoint: endpoint.map(Arc::new) };
        StateError::Remote { doing: "read", place, error: Box::new(error) }.hint()
    }

    #[test]
    fn an_endpoint_that_cannot_be_reached_is_named_with_where_it_is_set() {
        let at = |named_by| S3Endpoint { url: "http://127.0.0.1:9".to_owned(), named_by };
        for (named_by, said) in [
            (NamedBy::Backend, "backend.endpoint in the config"),
            (NamedBy::Variable("AWS_ENDPOINT_URL_S3"), "AWS_ENDPOINT_URL_S3"),
            (NamedBy::Profile, "endpoint_url in the AWS profile"),
        ] {
            let hint = unreachable(Some(at(named_by))).unwrap_or_default();
            assert!(hint.contains("http://127.0.0.1:9") && hint.contains(said), "{hint}");
        }
        assert!(unreachable(None).is_some_and(|hint| !hint.contains("backend.endpoint")));
    }
}
