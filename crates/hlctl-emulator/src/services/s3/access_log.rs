//! Server access logs: one object for each request, if the options ask for them.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use jiff::Timestamp;

use super::{S3Cx, checksum, object};
use crate::emulator::{Core, Trace, storage_failed};
use crate::error::AwsError;
use crate::protocol::Effect;
use crate::route::Caller;
use crate::services::Cx;
use crate::services::policy::{self, Kind};
use crate::store::objects::Object;

/// The principal that delivers logs, as a policy names it (S3 user guide).
const DELIVERY: &str = "Service:logging.s3.amazonaws.com";

/// What a log line says of a request, kept before the request is served.
pub(super) struct Line {
    method: Method,
    path: String,
    bucket: String,
}

impl Line {
    pub(super) fn start(request: &Request<Bytes>) -> Self {
        let path = request.uri().path();
        Self {
            method: request.method().clone(),
            path: path.to_owned(),
            bucket: path.trim_start_matches('/').split('/').next().unwrap_or_default().to_owned(),
        }
    }

    /// Leaves a log object in the target bucket, if the bucket is logged and the target lets it in.
    pub(super) fn deliver(
        &self,
        core: &Core,
        caller: &Caller,
        status: StatusCode,
        trace: &Trace,
    ) -> Result<(), AwsError> {
        let now = core.options.clock.now();
        core.store
            .with(Effect::Write, |world, objects| {
                let mut cx = S3Cx {
                    cx: Cx {
                        world,
                        caller,
                        now,
                        options: &core.options,
                        faults: core.faults.current(),
                        files: &core.files,
                        journal: &core.journal,
                        guard: &core.guard,
                    },
                    objects,
                    expected_owner: None,
                    extras: super::Extras::default(),
                };
                self.deliver_in(&mut cx, status, trace)
            })
            .map_err(|failure| storage_failed(&failure))?
            .map_err(|failure| AwsError::new(500, "InternalError", failure.to_string()))
    }

    fn deliver_in(&self, cx: &mut S3Cx<'_>, status: StatusCode, trace: &Trace) -> Result<(), s3s::S3Error> {
        let Some(source) = cx.cx.world.buckets.get(&self.bucket) else {
            return Ok(());
        };
        let Some(logging) = source.logging.clone() else {
            return Ok(());
        };
        let now = cx.cx.now;
        let key =
            format!("{}{}-{}", logging.prefix, now.strftime("%Y-%m-%d-%H-%M-%S"), cx.cx.options.ids.unique_id(""));
        if !self.is_let_in(cx, &logging.target, &key) {
            return Ok(());
        }
        let data = Bytes::from(self.text(cx.cx.caller, now, status, trace));
        let target = cx.bucket_id(&logging.target)?;
        let object = Object {
            size: data.len() as u64,
            etag: checksum::etag(&data),
            body: object::keep_body(cx, &target, &data)?,
            encryption: Some(("AES256".to_owned(), None)),
            ..Object::default()
        };
        object::store(cx, &logging.target, &key, object).map(drop)
    }

    /// The target's policy must allow delivery, and its default encryption must not be with KMS.
    fn is_let_in(&self, cx: &mut S3Cx<'_>, target: &str, key: &str) -> bool {
        let account = cx.cx.caller.account.clone();
        let partition = cx.cx.caller.partition();
        let Ok(bucket) = cx.bucket(target) else {
            return false;
        };
        let plain = bucket.encryption.rules.iter().all(|rule| {
            rule.apply_server_side_encryption_by_default
                .as_ref()
                .is_none_or(|defaults| defaults.sse_algorithm.as_str() == "AES256")
        });
        let source = format!("arn:{partition}:s3:::{}", self.bucket);
        let resource = format!("arn:{partition}:s3:::{target}/{key}");
        let context = [
            ("aws:SourceAccount", account.as_str()),
            ("aws:SourceArn", source.as_str()),
            ("aws:SecureTransport", "true"),
        ];
        plain
            && bucket
                .policy
                .as_deref()
                .and_then(|document| policy::parse(document, Kind::Resource).ok())
                .is_some_and(|policy| policy.allows("s3:PutObject", &resource, &[DELIVERY], &context))
    }

    /// The first fields of the log format (S3 user guide, log format).
    fn text(&self, caller: &Caller, now: Timestamp, status: StatusCode, trace: &Trace) -> String {
        format!(
            "{:0>64} {} [{}] 127.0.0.1 {} {} - - \"{} {} HTTP/1.1\" {} - - - - - \"-\" \"-\" -\n",
            caller.account,
            self.bucket,
            now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            caller.arn,
            trace.request_id(),
            self.method,
            self.path,
            status.as_u16(),
        )
    }
}
