//! What a resource is given to work with.

use std::error::Error;
use std::future::Future;
use std::sync::Arc;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::reference::Known;
use super::{Attributes, Resource, ResourceError};
use crate::address::Address;
use crate::aws::{AwsError, Caller, Clients, Deeds, Gate, Hold, HoldObserver, Operation, Permit};
use crate::config::{Config, ForceDestroy};
use crate::wait::{Pace, Stop};

/// Who the caller is and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Account number, 12 digits.
    pub account: String,
    /// Region name.
    pub region: String,
    /// `aws`, `aws-us-gov`, `aws-cn`.
    pub partition: String,
    /// ARN of the principal that runs hlctl.
    pub caller: String,
}

/// Settings that a deletion needs when the configuration is gone; kept in the state file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Days from the order to delete a key to its end.
    pub kms_deletion_window_in_days: u8,
    /// Which buckets may be emptied.
    pub force_destroy: ForceDestroy,
}

impl Settings {
    /// Those that the configuration gives.
    pub fn of(config: &Config) -> Self {
        Self { kms_deletion_window_in_days: config.kms_deletion_window_in_days, force_destroy: config.force_destroy }
    }
}

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
    pub async fn call<T, E, F, Fut>(&self, operation: Operation, send: F) -> Result<T, AwsError>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + Error + 'static,
    {
        self.caller.call(operation, send).await
    }
}

/// What leads back to a resource that an earlier run began to make.
pub struct Trail<'a> {
    /// Its address.
    pub address: &'a Address,
    /// What that run meant to make, as it wrote it down before it began.
    pub attributes: &'a Attributes,
    /// The resources that it builds on.
    pub needs: &'a [Address],
    /// What is known of the others.
    pub known: &'a Known,
    /// The identities that the state records already: none of them is what is looked for.
    pub taken: &'a [Value],
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

/// What a resource tells about its work.
#[derive(Clone, Debug)]
pub enum Report {
    /// AWS has given it an identity; the value is what to record.
    Identified(Value),
    /// It may have been made twice.
    Doubtful,
    /// It is coming along.
    Progress(Progress),
}

/// How far along a resource is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// AWS names this status.
    Status(String),
    /// AWS began with it at this time, in seconds since 1970; that may have been in an earlier run.
    Since(i64),
    /// A call that changes something is put on hold: nothing has come of it yet. `None` when it is through.
    OnHold(Option<Hold>),
    /// So many of its contents are deleted.
    Emptied(u64),
}

/// One change to one resource.
pub struct Task<'a> {
    /// What all tasks share.
    pub cx: &'a Context,
    /// The resource's address.
    pub address: &'a Address,
    /// What is known of the others.
    pub known: &'a Known,
    /// The identities that the state records already: none of them is what this task is about to make.
    pub others: &'a [Value],
    /// Idempotency token of a creation; state has it on record.
    pub token: &'a str,
    /// Whether an earlier run was interrupted in the same creation.
    pub resumed: bool,
    /// Whether to wait until the resource is ready.
    pub wait: bool,
    /// Whether what it is part of is deleted already, and it with that.
    pub with_parent: bool,
    /// Where reports go.
    pub report: &'a (dyn Fn(Report) + Send + Sync),
}

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
