//! What a resource is given to work with.

use std::error::Error;
use std::future::Future;
use std::sync::Arc;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde::Deserialize;

use super::{Identity, RecoveryHint, Resource, SeenMappings, Settings};
use hlctl_aws::{AwsError, Call, Caller, Clients, Deeds, Gate, HoldObserver, Permit};
use hlctl_engine::wait::{PollPolicy, Stop};

/// Everything that the resources of one run share.
#[derive(Clone, Debug)]
pub struct Context {
    /// The SDK's clients.
    pub clients: Clients,
    /// The only place that repeats a call.
    pub caller: Caller,
    /// Account, region, partition.
    pub identity: Identity,
    /// Value of the `hlctl:stack` tag.
    pub stack: String,
    /// Settings for deletions.
    pub settings: Settings,
    /// How to wait for a store.
    pub pace: PollPolicy,
    /// Tells everyone to stop.
    pub stop: Stop,
    /// What the account may do only one at a time.
    pub gate: Arc<Gate>,
    /// The mappings that were seen published.
    pub mappings: Arc<SeenMappings>,
}

impl Context {
    /// The same for as long as the permit is held; see [`Caller::while_permitted`].
    pub fn while_permitted(self, permit: Arc<dyn Permit>) -> Self {
        Self { caller: self.caller.while_permitted(permit), ..self }
    }

    /// The same for one step; see [`Caller::of_step`].
    pub fn of_step(&self, deeds: Deeds, holds: HoldObserver) -> Self {
        Self { caller: self.caller.of_step(deeds, holds), ..self.clone() }
    }

    /// Makes a call; see [`Caller::call`].
    ///
    /// # Errors
    /// What AWS or the way to it answered, after whatever repeating was worth it.
    pub async fn call<T, E, F, Fut>(&self, call: impl Into<Call>, send: F) -> Result<T, AwsError>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + Error + 'static,
    {
        self.caller.call(call, send).await
    }
}

/// What is recorded of the resource of this kind that one builds on which is looked for.
pub(super) fn parent<R: Resource>(recovery: &RecoveryHint<'_>) -> Option<R::Recorded> {
    R::Recorded::deserialize(recovery.recorded_of(R::KIND)?).ok()
}

/// One change to one resource.
pub type Task<'a> = hlctl_engine::Task<'a, Context>;
