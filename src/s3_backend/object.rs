//! The objects of a state in S3: the bucket that holds them, and one object read whole.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::types::ServerSideEncryption;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};

use super::error::S3Error;
use hlctl_aws::classify::classify;
use hlctl_aws::clients::{S3Alone, S3Endpoint};
use hlctl_aws::{AwsError, Call, Caller, ops};
use hlctl_engine::state::{Place, StateError};

/// How long S3 may take to come back before a state is given up for now.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// No state is larger; whatever is was put there by somebody else.
const LARGEST: i64 = 256 << 20;

/// A bucket with a state in it, and the way there.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    pub(super) s3: aws_sdk_s3::Client,
    pub(super) caller: Caller,
    pub(super) name: String,
    endpoint: Option<Arc<S3Endpoint>>,
}

/// An object's content, and which version of it that is.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) bytes: Vec<u8>,
    pub(super) version: String,
    /// Seconds since 1970.
    pub(super) modified: Option<i64>,
}

/// What a write has made.
#[derive(Debug)]
pub(super) struct Put {
    pub(super) version: String,
    /// How it is encrypted, if that is known.
    pub(super) encryption: Option<ServerSideEncryption>,
}

impl Bucket {
    pub(super) fn new(way: S3Alone, name: &str) -> Self {
        let S3Alone { s3, caller, endpoint } = way;
        Self { s3, caller, name: name.to_owned(), endpoint: endpoint.map(Arc::new) }
    }

    pub(super) fn place(&self, key: &str) -> Place {
        Place::Object { bucket: self.name.clone(), key: key.to_owned() }
    }

    /// The server that is asked, unless it is Amazon S3: whether it heeds the conditions of a write is not known.
    pub(super) fn unproven(&self) -> Option<&Arc<S3Endpoint>> {
        self.endpoint.as_ref().filter(|endpoint| !endpoint.is_aws())
    }

    /// The object; `None` if there is none.
    pub(super) async fn get(&self, key: &str) -> Result<Option<Object>, StateError> {
        let read = || async {
            let answer = self.s3.get_object().bucket(&self.name).key(key).send().await?;
            let version = answer.e_tag().map(str::to_owned);
            let modified = answer.last_modified().map(aws_sdk_s3::primitives::DateTime::secs);
            if answer.content_length().is_some_and(|length| length > LARGEST) {
                return Ok(None);
            }
            // A body that breaks off is as good as no answer.
            let broken = |error| SdkError::dispatch_failure(ConnectorError::io(Box::new(error)));
            let bytes = answer.body.collect().await.map_err(broken)?.to_vec();
            Ok(Some((bytes, version, modified)))
        };
        match self.caller.call(ops::s3::GET_OBJECT.persistent().patience(PATIENCE), read).await {
            Ok(Some((bytes, Some(version), modified))) => Ok(Some(Object { bytes, version, modified })),
            Ok(Some((_, None, _))) => Err(self.failed("read", key, AwsError::incomplete(ops::s3::GET_OBJECT, "ETag"))),
            Ok(None) => Err(StateError::Io {
                doing: "read",
                place: self.place(key),
                error: std::io::Error::other("it is far too large to be a state"),
            }),
            Err(error) if error.code == "NoSuchKey" => Ok(None),
            Err(error) => Err(self.failed("read", key, error)),
        }
    }

    /// Puts an object, by a request that names what it must follow. A success that tells no version is not S3's: what stands in
    /// between has answered, and nothing follows from that.
    pub(super) async fn put(&self, call: Call, request: impl Fn() -> PutObjectFluentBuilder) -> Result<Put, AwsError> {
        let send = || async {
            let sent = request().send().await;
            let answer = sent.map_err(|error| classify(call.operation, &error))?;
            let version = answer.e_tag().map(str::to_owned);
            let version = version.ok_or_else(|| AwsError::incomplete(call.operation, "ETag"))?;
            Ok(Put { version, encryption: answer.server_side_encryption })
        };
        self.caller.repeat(call, send).await
    }

    /// A call about an object that failed.
    pub(super) fn failed(&self, doing: &'static str, key: &str, error: AwsError) -> StateError {
        let error = S3Error { error, endpoint: self.endpoint.clone() };
        StateError::Remote { doing, place: self.place(key), error: Box::new(error) }
    }
}
