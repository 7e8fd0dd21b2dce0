//! Simple Storage Service. The protocol is s3s's; what the operations do is here.
#![expect(
    clippy::needless_pass_by_value,
    reason = "all operations take the input that s3s gives away, whether they need all of it or not"
)]

mod access_log;
mod api;
pub(crate) mod bucket;
mod buckets;
mod checksum;
mod copy;
mod delete;
mod doors;
mod encryption;
mod error;
pub(crate) mod inside;
mod lifecycle;
mod listing;
mod multipart;
mod object;
mod parts;
mod read;
mod settings;
mod versions;
mod walk;
mod wire;

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::path::S3Path;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3ErrorCode, S3Request, S3Response, S3Result};

use super::{Cx, not_modelled};
use crate::authorize;
use crate::emulator::{Core, Trace, storage_failed};
use crate::error::AwsError;
use crate::protocol::Effect;
use crate::route::{Caller, Service};
use crate::store::objects::Objects;

/// S3 as an HTTP service.
#[derive(Clone)]
pub(crate) struct Endpoint {
    core: Arc<Core>,
    service: S3Service,
}

impl Endpoint {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        let mut builder = S3ServiceBuilder::new(S3 { core: Arc::clone(&core) });
        builder.set_auth(NoSecrets);
        builder.set_access(Admission { core: Arc::clone(&core) });
        Self { core, service: builder.build() }
    }

    pub(crate) async fn serve(&self, caller: Caller, request: Request<Bytes>, trace: &Arc<Trace>) -> Response<Bytes> {
        let answer = self.try_serve(caller, request, trace).await;
        answer.unwrap_or_else(|error| wire::error_response(&error, trace.request_id()))
    }

    async fn try_serve(
        &self,
        caller: Caller,
        request: Request<Bytes>,
        trace: &Arc<Trace>,
    ) -> Result<Response<Bytes>, AwsError> {
        authenticate(&caller, &request)?;
        let mut request = wire::prepare(request)?;
        let line = access_log::Line::start(&request);
        request.extensions_mut().insert(caller.clone());
        request.extensions_mut().insert(Arc::clone(trace));
        let failed = |reason: String| AwsError::new(500, "InternalError", reason);
        let answer =
            self.service.call(request.map(s3s::Body::from)).await.map_err(|error| failed(format!("{error:?}")))?;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.map_err(|error| failed(error.to_string()))?.to_bytes();
        let response = wire::with_request_id(Response::from_parts(parts, body), trace.request_id());
        if self.core.options.access_logs {
            line.deliver(&self.core, &caller, response.status(), trace)?;
        }
        Ok(response)
    }
}

fn authenticate(caller: &Caller, request: &Request<Bytes>) -> Result<(), AwsError> {
    match caller.access_key.as_deref() {
        None if is_signed_by_version_2(request) => Err(AwsError::bad_request(
            "InvalidRequest",
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256. (hlctl-emulator does not \
             model Signature Version 2: in boto3 set signature_version=\"s3v4\", for the AWS CLI \
             `aws configure set default.s3.signature_version s3v4`.)",
        )),
        None => Err(AwsError::new(403, "AccessDenied", "Access Denied")),
        Some(key) if key.starts_with("EXPIRED") => {
            Err(AwsError::new(400, "ExpiredToken", "The provided token has expired."))
        }
        Some(key) if key.starts_with("INVALID") => Err(AwsError::new(
            403,
            "InvalidAccessKeyId",
            "The AWS Access Key Id you provided does not exist in our records.",
        )),
        Some(_) => Ok(()),
    }
}

/// The older signature, in the header or in a presigned address (S3 developer guide, "Signing and authenticating REST requests").
fn is_signed_by_version_2(request: &Request<Bytes>) -> bool {
    let header = request.headers().get(http::header::AUTHORIZATION);
    header.is_some_and(|value| value.as_bytes().starts_with(b"AWS "))
        || request.uri().query().is_some_and(|query| query.split('&').any(|part| part.starts_with("AWSAccessKeyId=")))
}

/// s3s asks about admission only where it also knows of secrets. Signatures are taken off the
/// requests before s3s sees them, so that it never asks for one.
struct NoSecrets;

#[async_trait::async_trait]
impl S3Auth for NoSecrets {
    async fn get_secret_key(&self, _access_key: &str) -> S3Result<SecretKey> {
        Err(S3ErrorCode::InvalidAccessKeyId.into())
    }
}

/// Names the operation and lets the faults have their say.
struct Admission {
    core: Arc<Core>,
}

#[async_trait::async_trait]
impl S3Access for Admission {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        let operation = cx.s3_op().name().to_owned();
        let caller = cx.extensions_mut().get::<Caller>().cloned();
        let trace = cx.extensions_mut().get::<Arc<Trace>>().cloned();
        let (Some(caller), Some(trace)) = (caller, trace) else {
            return Err(S3ErrorCode::AccessDenied.into());
        };
        trace.name(Service::S3, &operation);
        if !api::MODELLED.contains(&operation.as_str()) {
            return Err(error::with(S3ErrorCode::NotImplemented, not_modelled("s3", &operation)));
        }
        self.core.admit(Service::S3, &operation, &caller, &trace).await.map_err(|refusal| error::from_aws(&refusal))?;
        let place = match cx.s3_path() {
            S3Path::Root => ("", None),
            S3Path::Bucket { bucket } => (&**bucket, None),
            S3Path::Object { bucket, key } => (&**bucket, Some(&**key)),
        };
        let versioned = cx.uri().query().is_some_and(|query| query.contains("versionId="));
        let ask = || authorize::s3_asks(&operation, &caller, place, versioned);
        self.core.authorize_s3(&caller, &trace, ask).map_err(|refusal| error::from_aws(&refusal))
    }
}

/// The operations.
struct S3 {
    core: Arc<Core>,
}

/// What an S3 operation works with.
struct S3Cx<'a> {
    cx: Cx<'a>,
    objects: &'a mut Objects,
    /// The account that the caller expects to own the bucket, if it says so.
    expected_owner: Option<String>,
}

impl S3 {
    fn read<I, O>(
        &self,
        request: S3Request<I>,
        run: impl FnOnce(&mut S3Cx<'_>, I) -> S3Result<O>,
    ) -> S3Result<S3Response<O>> {
        self.run(Effect::Read, request, run)
    }

    fn write<I, O>(
        &self,
        request: S3Request<I>,
        run: impl FnOnce(&mut S3Cx<'_>, I) -> S3Result<O>,
    ) -> S3Result<S3Response<O>> {
        self.run(Effect::Write, request, run)
    }

    fn run<I, O>(
        &self,
        effect: Effect,
        request: S3Request<I>,
        run: impl FnOnce(&mut S3Cx<'_>, I) -> S3Result<O>,
    ) -> S3Result<S3Response<O>> {
        let caller = request.extensions.get::<Caller>().ok_or(S3ErrorCode::AccessDenied)?;
        let expected_owner = request
            .headers
            .get("x-amz-expected-bucket-owner")
            .and_then(|value| value.to_str().ok())
            .map(ToOwned::to_owned);
        let core = &self.core;
        core.store
            .with(effect, |world, objects| {
                let mut cx = S3Cx {
                    cx: Cx {
                        world,
                        caller,
                        now: core.options.clock.now(),
                        options: &core.options,
                        faults: core.faults.current(),
                        files: &core.files,
                        journal: &core.journal,
                        guard: &core.guard,
                    },
                    objects,
                    expected_owner,
                };
                run(&mut cx, request.input)
            })
            .unwrap_or_else(|failure| Err(error::from_aws(&storage_failed(&failure))))
            .map(S3Response::new)
    }
}
