//! One object of S3, read whole.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};

use super::{Place, StateError};
use crate::aws::{AwsError, Caller, Operation};

/// How long S3 may take to come back before a state is given up for now.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// No state is larger; whatever is was put there by somebody else.
const LARGEST: i64 = 256 << 20;

/// An object's content, and which version of it that is.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) bytes: Vec<u8>,
    pub(super) version: String,
    /// Seconds since 1970.
    pub(super) modified: Option<i64>,
}

/// The object; `None` if there is none.
pub(super) async fn get(s3: &Client, caller: &Caller, bucket: &str, key: &str) -> Result<Option<Object>, StateError> {
    let place = || Place::Object { bucket: bucket.to_owned(), key: key.to_owned() };
    let read = || async {
        let answer = s3.get_object().bucket(bucket).key(key).send().await?;
        let version = answer.e_tag().unwrap_or_default().to_owned();
        let modified = answer.last_modified().map(aws_sdk_s3::primitives::DateTime::secs);
        if answer.content_length().is_some_and(|length| length > LARGEST) {
            return Ok(None);
        }
        // A body that breaks off is as good as no answer.
        let broken = |error| SdkError::dispatch_failure(ConnectorError::io(Box::new(error)));
        let bytes = answer.body.collect().await.map_err(broken)?.to_vec();
        Ok(Some(Object { bytes, version, modified }))
    };
    match caller.call(Operation::new("s3", "GetObject").persistent().patience(PATIENCE), read).await {
        Ok(Some(object)) => Ok(Some(object)),
        Ok(None) => Err(StateError::Io {
            doing: "read",
            place: place(),
            error: std::io::Error::other("it is far too large for a state"),
        }),
        Err(error) if error.code == "NoSuchKey" => Ok(None),
        Err(error) => Err(remote("read", place(), error)),
    }
}

/// A call to S3 about a state that failed.
pub(super) fn remote(doing: &'static str, place: Place, error: AwsError) -> StateError {
    StateError::Remote { doing, place, error: Box::new(error) }
}
