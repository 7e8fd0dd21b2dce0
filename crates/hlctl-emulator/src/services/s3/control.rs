//! S3 Control's tagging of buckets, and the switch of ABAC, which s3s does not model.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use percent_encoding::percent_decode_str;
use quick_xml::escape::escape;
use s3s::{S3Error, S3Result};

use super::extras::{leaves, tags};
use super::settings::{MOST_TAGS, checked_tags};
use super::{S3Cx, error, with_cx};
use crate::authorize;
use crate::emulator::{Core, Trace};
use crate::error::AwsError;
use crate::protocol::Effect;
use crate::route::{Caller, Service};
use crate::services::tags::Tags;

/// Where S3 Control has the tags of a resource, whose ARN follows (S3 Control model, `TagResource`).
const TAGS_OF: &str = "/v20180820/tags/";

/// A call that is served here.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Call {
    GetAbac { bucket: String },
    PutAbac { bucket: String },
    ListTags { arn: String },
    Tag { arn: String },
    Untag { arn: String, keys: Vec<String> },
}

impl Call {
    /// Of S3 Control, which has the account before its host, and in a header.
    pub(super) fn of_control(request: &Request<Bytes>) -> Option<Self> {
        let arn = request.uri().path().strip_prefix(TAGS_OF)?;
        if !request.headers().contains_key("x-amz-account-id") {
            return None;
        }
        let arn = percent_decode_str(arn).decode_utf8().ok()?.into_owned();
        let query = request.uri().query().unwrap_or_default().as_bytes();
        let keys = form_urlencoded::parse(query).filter(|(name, _)| name == "tagKeys");
        Some(match *request.method() {
            Method::GET => Self::ListTags { arn },
            Method::POST => Self::Tag { arn },
            Method::DELETE => Self::Untag { arn, keys: keys.map(|(_, key)| key.into_owned()).collect() },
            _ => return None,
        })
    }

    /// Of S3, once the bucket is in the path.
    pub(super) fn of_s3(request: &Request<Bytes>) -> Option<Self> {
        let query = request.uri().query().unwrap_or_default();
        let bucket = request.uri().path().trim_matches('/');
        if bucket.is_empty()
            || bucket.contains('/')
            || !form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "abac")
        {
            return None;
        }
        let bucket = bucket.to_owned();
        match *request.method() {
            Method::GET => Some(Self::GetAbac { bucket }),
            Method::PUT => Some(Self::PutAbac { bucket }),
            _ => None,
        }
    }

    fn operation(&self) -> &'static str {
        match self {
            Self::GetAbac { .. } => "GetBucketAbac",
            Self::PutAbac { .. } => "PutBucketAbac",
            Self::ListTags { .. } => "ListTagsForResource",
            Self::Tag { .. } => "TagResource",
            Self::Untag { .. } => "UntagResource",
        }
    }

    fn effect(&self) -> Effect {
        match self {
            Self::GetAbac { .. } | Self::ListTags { .. } => Effect::Read,
            Self::PutAbac { .. } | Self::Tag { .. } | Self::Untag { .. } => Effect::Write,
        }
    }

    fn bucket(&self) -> &str {
        match self {
            Self::GetAbac { bucket } | Self::PutAbac { bucket } => bucket,
            Self::ListTags { arn } | Self::Tag { arn } | Self::Untag { arn, .. } => bucket_of(arn).unwrap_or_default(),
        }
    }

    /// S3 Control writes its errors as most services with XML do, and S3 does not (trait `restXml` of the two models).
    fn is_of_control(&self) -> bool {
        !matches!(self, Self::GetAbac { .. } | Self::PutAbac { .. })
    }
}

/// The bucket that an ARN names.
fn bucket_of(arn: &str) -> Option<&str> {
    let name = arn.strip_prefix("arn:")?.split_once(":s3:::")?.1;
    (!name.is_empty() && !name.contains('/')).then_some(name)
}

/// Serves a call.
pub(super) async fn serve(
    core: &Core,
    caller: &Caller,
    call: Call,
    request: &Request<Bytes>,
    trace: &Arc<Trace>,
) -> Response<Bytes> {
    let answer = admitted(core, caller, &call, request.body(), trace).await;
    answer.unwrap_or_else(|refusal| error_response(&refusal, &call, trace.request_id()))
}

async fn admitted(
    core: &Core,
    caller: &Caller,
    call: &Call,
    body: &[u8],
    trace: &Arc<Trace>,
) -> Result<Response<Bytes>, AwsError> {
    let operation = call.operation();
    trace.name(Service::S3, operation);
    core.admit(Service::S3, operation, caller, trace).await?;
    let leaves = leaves(body);
    let brought = tags(&leaves, "TagResourceRequest/Tags");
    core.authorize_s3(caller, trace, || {
        let ask = authorize::s3_asks(operation, caller, (call.bucket(), None), false);
        vec![authorize::bringing(ask, brought.iter().filter_map(|tag| tag.key.as_deref().zip(tag.value.as_deref())))]
    })?;
    let run = |cx: &mut S3Cx<'_>| -> S3Result<Response<Bytes>> {
        match call {
            Call::GetAbac { bucket } => {
                let status = if cx.bucket(bucket)?.abac { "Enabled" } else { "Disabled" };
                Ok(xml(&format!("<AbacStatus><Status>{status}</Status></AbacStatus>")))
            }
            Call::PutAbac { bucket } => {
                let status = leaves.iter().find(|(path, _)| path == "AbacStatus/Status").map(|(_, text)| text.as_str());
                cx.bucket(bucket)?.abac = match status {
                    Some("Enabled") => true,
                    Some("Disabled") => false,
                    _ => return Err(error::malformed_xml()),
                };
                Ok(empty(StatusCode::OK))
            }
            Call::ListTags { arn } => Ok(xml(&listed(tags_of(cx, arn)?))),
            Call::Tag { arn } => {
                let mut tags = tags_of(cx, arn)?.clone();
                tags.extend(checked_tags(brought, MOST_TAGS)?);
                if tags.len() > MOST_TAGS {
                    return Err(error::custom(400, "TooManyTags", "The number of tags exceeds the limit"));
                }
                *tags_of(cx, arn)? = tags;
                Ok(empty(StatusCode::NO_CONTENT))
            }
            Call::Untag { arn, keys } => {
                tags_of(cx, arn)?.retain(|key, _| !keys.contains(key));
                Ok(empty(StatusCode::NO_CONTENT))
            }
        }
    };
    with_cx(core, caller, call.effect(), (None, super::Extras::default()), run).map_err(|refusal| of_s3s(&refusal))
}

fn tags_of<'a>(cx: &'a mut S3Cx<'_>, arn: &str) -> S3Result<&'a mut Tags> {
    let bucket = bucket_of(arn).ok_or_else(|| {
        error::custom(501, "NotImplemented", "hlctl-emulator tags general purpose buckets only by S3 Control")
    })?;
    Ok(&mut cx.bucket(bucket)?.tags)
}

fn listed(tags: &Tags) -> String {
    let tag = |(key, value): (&String, &String)| {
        format!("<Tag><Key>{}</Key><Value>{}</Value></Tag>", escape(key.as_str()), escape(value.as_str()))
    };
    let tags: String = tags.iter().map(tag).collect();
    format!("<ListTagsForResourceResult><Tags>{tags}</Tags></ListTagsForResourceResult>")
}

fn xml(body: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}")));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
}

fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

fn of_s3s(error: &S3Error) -> AwsError {
    let status = error.status_code().or_else(|| error.code().status_code()).unwrap_or(StatusCode::BAD_REQUEST);
    AwsError::new(status.as_u16(), error.code().as_str(), error.message().unwrap_or_default())
}

fn error_response(error: &AwsError, call: &Call, request_id: &str) -> Response<Bytes> {
    let mut response = super::wire::error_response(error, request_id);
    if call.is_of_control() {
        let (code, message) = (escape(error.code.as_str()), escape(error.message.as_str()));
        *response.body_mut() = Bytes::from(format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error>\
             <RequestId>{request_id}</RequestId></ErrorResponse>"
        ));
    }
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn calls_of_s3_control_are_distinguished_from_objects_of_a_bucket() {
        let request = |account: bool| {
            let builder = Request::get("/v20180820/tags/arn%3Aaws%3As3%3A%3A%3Afhir-data");
            let builder = if account { builder.header("x-amz-account-id", "111122223333") } else { builder };
            builder.body(Bytes::new()).unwrap()
        };
        let arn = "arn:aws:s3:::fhir-data".to_owned();
        assert_eq!(Call::of_control(&request(true)), Some(Call::ListTags { arn: arn.clone() }));
        assert_eq!(Call::of_control(&request(false)), None);
        assert_eq!(bucket_of(&arn), Some("fhir-data"));
        assert_eq!(bucket_of("arn:aws:s3:us-east-1:111122223333:accesspoint/a"), None);
    }
}
