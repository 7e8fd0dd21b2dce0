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
mod control;
mod copy;
mod delete;
mod doors;
mod encryption;
mod error;
mod extras;
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

use self::control::Call;
use self::extras::Extras;
use super::{Cx, not_modelled};
use crate::authorize::{self, Ask};
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
        if let Some(call) = Call::of_control(&request) {
            return Ok(control::serve(&self.core, &caller, call, &request, trace).await);
        }
        let mut request = wire::prepare(request)?;
        if let Some(call) = Call::of_s3(&request) {
            return Ok(control::serve(&self.core, &caller, call, &request, trace).await);
        }
        let asks_for_encryption = encryption::is_asked(&request);
        let extras = Extras::of(&request);
        if extras.blocked.is_some() {
            request = extras::without_block(request);
        }
        request.extensions_mut().insert(extras);
        let line = access_log::Line::start(&request);
        request.extensions_mut().insert(caller.clone());
        request.extensions_mut().insert(Arc::clone(trace));
        let failed = |reason: String| AwsError::new(500, "InternalError", reason);
        let answer =
            self.service.call(request.map(s3s::Body::from)).await.map_err(|error| failed(format!("{error:?}")))?;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.map_err(|error| failed(error.to_string()))?.to_bytes();
        let mut response = wire::completed(Response::from_parts(parts, body), trace.request_id());
        if let Some(bucket) = asks_for_encryption.filter(|_| response.status().is_success()) {
            response = encryption::with_blocked(&self.core, &bucket, response)?;
        }
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
        let of_owner = cx.headers().contains_key("x-amz-object-ownership");
        let brings = cx.headers().contains_key("x-amz-server-side-encryption-customer-algorithm");
        let place = (place.0.to_owned(), place.1.map(ToOwned::to_owned));
        let extras = cx.extensions_mut().get::<Extras>().cloned().unwrap_or_default();
        let asks = || {
            let of = |key| authorize::s3_asks(&operation, &caller, (&place.0, key), versioned);
            let ask = of(place.1.as_deref());
            match operation.as_str() {
                "CreateBucket" => creation_asks(ask, &extras, of_owner),
                // Each key is asked for by itself (S3 API reference, `DeleteObjects`, Permissions).
                "DeleteObjects" if !extras.deleted.is_empty() => {
                    extras.deleted.iter().map(|key| of(Some(key.as_str()))).collect()
                }
                _ => vec![ask],
            }
        };
        self.core.authorize_s3(&caller, &trace, asks).map_err(|refusal| error::from_aws(&refusal))?;
        if brings { encryption::check_customer_key(&self.core, &operation, &place.0) } else { Ok(()) }
    }
}

/// A bucket that comes with tags or with ownership controls asks for the actions that set them too (S3 API reference,
/// `CreateBucket`, Permissions; S3 user guide, "Using tags with S3 general purpose buckets").
fn creation_asks(ask: Ask, extras: &Extras, of_owner: bool) -> Vec<Ask> {
    let tags = || extras.tags.iter().filter_map(|tag| tag.key.as_deref().zip(tag.value.as_deref()));
    let neighbour = |action: &str| Ask { action: action.to_owned(), ..ask.clone() };
    let tagging = (!extras.tags.is_empty()).then(|| authorize::bringing(neighbour("s3:TagResource"), tags()));
    let owning = of_owner.then(|| neighbour("s3:PutBucketOwnershipControls"));
    let mut creating = authorize::bringing(ask.clone(), tags());
    creating.context.extend(extras.namespace.iter().map(|name| ("s3:x-amz-bucket-namespace".to_owned(), name.clone())));
    std::iter::once(creating).chain(tagging).chain(owning).collect()
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
    /// What s3s does not see of the request.
    extras: Extras,
}

/// Runs an operation on the world as it is.
fn with_cx<O>(
    core: &Core,
    caller: &Caller,
    effect: Effect,
    (expected_owner, extras): (Option<String>, Extras),
    run: impl FnOnce(&mut S3Cx<'_>) -> S3Result<O>,
) -> S3Result<O> {
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
                extras,
            };
            run(&mut cx)
        })
        .unwrap_or_else(|failure| Err(error::from_aws(&storage_failed(&failure))))
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
        let extras = request.extensions.get::<Extras>().cloned().unwrap_or_default();
        with_cx(&self.core, caller, effect, (expected_owner, extras), |cx| run(cx, request.input)).map(S3Response::new)
    }
}
