//! One invocation, as it is handed to an execution environment, and what becomes of it.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

use super::function::{Settings, Version};
use super::{code, conflict};
use crate::emulator::Core;
use crate::error::AwsResult;

/// One invocation.
pub(super) struct Job {
    /// The function's ARN without a qualifier.
    pub(super) function: String,
    pub(super) name: String,
    /// The ARN that was invoked.
    pub(super) invoked: String,
    /// `$LATEST` or a number.
    pub(super) version: String,
    pub(super) settings: Settings,
    pub(super) account: String,
    pub(super) region: String,
    pub(super) reserved: Option<u64>,
    pub(super) request_id: String,
    pub(super) client_context: Option<String>,
    pub(super) event: Bytes,
    /// The folder with the unpacked code.
    pub(super) code: PathBuf,
}

/// How an invocation ended that took place.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    /// What the function answered, or the error it ended with.
    pub(super) payload: Result<Bytes, Bytes>,
    /// The end of its log.
    pub(super) log: String,
}

/// Why an invocation did not take place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The function's reserved concurrency is in use.
    Throttled,
    /// This machine cannot run it, and why.
    NotRunnable(String),
    /// The emulator has ended.
    Ended,
}

/// What is to be run, if the version is ready for it.
pub(super) fn job(
    core: &Core,
    version: Version<'_>,
    qualifier: Option<&str>,
    request_id: String,
    event: Bytes,
) -> AwsResult<Job> {
    let function = version.function;
    if version.state(core.options.clock.now()) == "Pending" {
        return Err(conflict(
            "The operation cannot be performed at this time. The function is currently in the following state: Pending",
        ));
    }
    let mut parts = function.arn.split(':').skip(3).map(ToOwned::to_owned);
    let (region, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    Ok(Job {
        function: function.arn.clone(),
        name: function.name.clone(),
        invoked: qualifier.map_or_else(|| function.arn.clone(), |qualifier| function.qualified_arn(qualifier)),
        version: version.name(),
        settings: version.settings.clone(),
        account,
        region,
        reserved: function.reserved,
        request_id,
        client_context: None,
        event,
        code: PathBuf::new(),
    })
}

/// Unpacks the code and finds the interpreter, or says why the package is of no use. To AWS this is a part of
/// deploying the function, not of invoking it.
pub(super) async fn prepare(core: &Arc<Core>, mut job: Job) -> Result<Job, String> {
    let (unpacking, package) = (Arc::clone(core), job.settings.code.sha256.clone());
    let unpacked = tokio::task::spawn_blocking(move || code::unpacked(&unpacking.files, &package)).await;
    job.code = unpacked.map_err(|error| error.to_string())??;
    core.lambda.prepare(&job).await;
    Ok(job)
}
