//! What a resource is given to work with.

use std::error::Error;
use std::future::Future;
use std::sync::Arc;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde::{Deserialize, Serialize};

use super::{Identity, Progress, Report, Resource, ResourceError, Settings, Trail};
use crate::aws::{AwsError, Call, Caller, Clients, Deeds, Gate, HoldObserver, Permit};
use crate::wait::{Pace, Stop};

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
    pub pace: Pace,
    /// Tells everyone to stop.
    pub stop: Stop,
    /// What the account may do only one at a time.
    pub gate: Arc<Gate>,
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

impl Trail<'_> {
    /// What the attribute was meant to be.
    pub fn intended(&self, attribute: &str) -> Option<&str> {
        self.attributes.get(attribute)?.as_str()
    }

    /// What is recorded of the resource of this kind that it hangs on.
    pub fn parent<R: Resource>(&self) -> Option<R::Recorded> {
        let parent = self.needs.iter().find(|need| need.kind() == R::KIND)?;
        R::Recorded::deserialize(self.known.recorded(parent)?).ok()
    }
}

/// One change to one resource.
pub type Task<'a> = crate::engine::Task<'a, Context>;

impl Task<'_> {
    /// Reports the identity, so that it is recorded and dependents may start.
    ///
    /// # Errors
    /// None that AWS can cause.
    pub fn identified<R: Serialize>(&self, recorded: &R) -> Result<(), ResourceError> {
        (self.report)(Report::Identified(super::kind::to_value(recorded)?));
        Ok(())
    }

    /// Reports that there may be two of it, so that later runs look for the other.
    pub fn doubtful(&self) {
        (self.report)(Report::Doubtful);
    }

    /// Reports progress.
    pub fn progress(&self, progress: Progress) {
        (self.report)(Report::Progress(progress));
    }
}
