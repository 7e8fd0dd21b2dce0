//! Versioning of a bucket: on, so that nothing written over or deleted is lost.
//!
//! Identity: the bucket. S3 can suspend versioning but not undo it.

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use serde_json::json;

use super::bucket_part::BucketPart;
use super::reference::{Known, Ref};
use super::s3_bucket::{NOT_YET_VISIBLE, S3Bucket};
use super::{Attributes, Context, ResourceError, Task, attributes};
use hlctl_aws::{AwsError, ops};

/// What the configuration asks for: versioning on.
#[derive(Clone, Debug)]
pub struct S3BucketVersioning {
    /// The bucket.
    pub bucket: Ref<S3Bucket>,
}

impl BucketPart for S3BucketVersioning {
    const KIND: &'static str = "s3_bucket_versioning";

    fn bucket(&self) -> &Ref<S3Bucket> {
        &self.bucket
    }

    fn desired(&self, _known: &Known) -> Attributes {
        attributes([("status", json!("Enabled"))])
    }

    async fn get(cx: &Context, bucket: &str) -> Result<Option<Attributes>, AwsError> {
        let status = cx
            .call(ops::s3::GET_BUCKET_VERSIONING, || async {
                match cx.clients.s3.get_bucket_versioning().bucket(bucket).send().await {
                    Ok(answer) => Ok(answer.status),
                    Err(error) => under_the_operations_name(&error).ok_or(error),
                }
            })
            .await?;
        Ok(status.map(|status| attributes([("status", json!(status.as_str()))])))
    }

    async fn put(&self, task: &Task<'_>, bucket: &str) -> Result<(), ResourceError> {
        Ok(set(task.cx, bucket, BucketVersioningStatus::Enabled).await?)
    }

    async fn remove(cx: &Context, bucket: &str) -> Result<(), AwsError> {
        set(cx, bucket, BucketVersioningStatus::Suspended).await
    }
}

/// Reads an answer whose root element is named after the operation and not, as S3 has it, `VersioningConfiguration`. That
/// is how moto answers; most SDKs never look at the name, but this one refuses the answer for it.
fn under_the_operations_name<E>(error: &SdkError<E, HttpResponse>) -> Option<Option<BucketVersioningStatus>> {
    let response = error.raw_response().filter(|response| response.status().is_success())?;
    let body = str::from_utf8(response.body().bytes()?).ok()?;
    let (_, content) = body.split_once("<GetBucketVersioningResponse")?;
    let status = content.split_once("<Status>").and_then(|(_, rest)| rest.split_once("</Status>"));
    Some(status.map(|(status, _)| BucketVersioningStatus::from(status.trim())))
}

async fn set(cx: &Context, bucket: &str, status: BucketVersioningStatus) -> Result<(), AwsError> {
    let versioning = VersioningConfiguration::builder().status(status).build();
    let call = ops::s3::PUT_BUCKET_VERSIONING.eventually(NOT_YET_VISIBLE);
    cx.call(call, || {
        cx.clients.s3.put_bucket_versioning().bucket(bucket).versioning_configuration(versioning.clone()).send()
    })
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assertion is what a test is for")]
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;

    use super::*;

    fn answer(status: u16, body: &'static str) -> SdkError<&'static str, HttpResponse> {
        SdkError::service_error("", HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body)))
    }

    #[test]
    fn an_answer_named_after_the_operation_is_read() {
        let on = answer(200, "<GetBucketVersioningResponse><Status>Enabled</Status></GetBucketVersioningResponse>");
        assert_eq!(under_the_operations_name(&on), Some(Some(BucketVersioningStatus::Enabled)));
        let never_set = answer(200, "<GetBucketVersioningResponse/>");
        assert_eq!(under_the_operations_name(&never_set), Some(None));
    }

    #[test]
    fn other_answers_stay_errors() {
        for other in [answer(200, "<html>Status</html>"), answer(404, "<GetBucketVersioningResponse/>")] {
            assert_eq!(under_the_operations_name(&other), None);
        }
    }
}
