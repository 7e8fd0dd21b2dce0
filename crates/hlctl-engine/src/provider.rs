//! What the engine needs of whatever creates the resources: AWS, or a test's resources in memory.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::state::{Held, Place, State, StateError};
use crate::wait::Stop;
use hlctl_model::address::Address;
use hlctl_model::{
    Attachment, AttributeChange, Attributes, Certainty, Contents, Deeds, HoldObserver, Identity, Known, Observed,
    Permit, Progress, RecoveryHint, Remains, ResourceKind, ResourceSpec, Settings, StepReport, Text,
};

/// Creates, reads, changes and deletes resources. One value serves one run.
///
/// The contract: a creation that is repeated with the same token creates nothing more; it reports the identity as soon as that is
/// known, before any further call; reading changes nothing; deleting what is gone succeeds. What a part needs apart from the
/// whole that it ends with does not itself need the whole.
pub trait Provider: Clone + fmt::Debug + Send + Sync + 'static {
    /// The types of resources.
    type Kind: ResourceKind<Error = Self::Error>;
    /// What is asked for.
    type Spec: ResourceSpec<Kind = Self::Kind>;
    /// Why something failed.
    type Error: ProviderError;

    /// Account, region and partition.
    fn identity(&self) -> &Identity;

    /// Settings for deletions.
    fn settings(&self) -> &Settings;

    /// Tells everyone to stop.
    fn stop(&self) -> &Stop;

    /// The same, making no call that changes something once the permit is lost.
    #[must_use]
    fn while_permitted(self, permit: Arc<dyn Permit>) -> Self;

    /// The same for one step, which notes in `deeds` what became of its calls and reports those that are put on hold.
    #[must_use]
    fn of_step(&self, deeds: Deeds, holds: HoldObserver) -> Self;

    /// Reads a resource; `None` if it does not exist.
    fn read(
        &self,
        kind: Self::Kind,
        recorded: &Value,
    ) -> impl Future<Output = Result<Option<Observed>, Self::Error>> + Send;

    /// Reads what may exist under a predicted identity, and most likely does not: `None` should cost as few requests as possible.
    fn look_for(
        &self,
        kind: Self::Kind,
        predicted: &Value,
    ) -> impl Future<Output = Result<Option<Observed>, Self::Error>> + Send {
        self.read(kind, predicted)
    }

    /// Looks for a resource that an earlier run began to create, where its name does not lead to it.
    fn find(
        &self,
        kind: Self::Kind,
        recovery: &RecoveryHint<'_>,
    ) -> impl Future<Output = Result<Option<Value>, Self::Error>> + Send;

    /// Counts what a container of objects holds.
    fn contents(
        &self,
        kind: Self::Kind,
        recorded: &Value,
    ) -> impl Future<Output = Result<Contents, Self::Error>> + Send;

    /// What is left of a resource that is gone, if it can be restored from that.
    fn remains(
        &self,
        kind: Self::Kind,
        recorded: &Value,
        attributes: &Attributes,
    ) -> impl Future<Output = Result<Option<Remains>, Self::Error>> + Send;

    /// Everything that is attached to a resource, this stack's and others'.
    fn attachments(
        &self,
        kind: Self::Kind,
        recorded: &Value,
    ) -> impl Future<Output = Result<Vec<Attachment>, Self::Error>> + Send;

    /// The command that removes something that others attached to a resource, where there is one.
    fn removal(&self, attachment: &Attachment) -> Option<String>;

    /// Creates a resource, and returns what to record of it.
    fn create(task: &Task<'_, Self>, spec: &Self::Spec) -> impl Future<Output = Result<Value, Self::Error>> + Send;

    /// Changes a resource in place, and returns what to record of it.
    fn update(
        task: &Task<'_, Self>,
        spec: &Self::Spec,
        recorded: &Value,
        changes: &[AttributeChange],
    ) -> impl Future<Output = Result<Value, Self::Error>> + Send;

    /// Waits until a resource is ready that is being changed already.
    fn settle(
        task: &Task<'_, Self>,
        kind: Self::Kind,
        recorded: &Value,
    ) -> impl Future<Output = Result<Value, Self::Error>> + Send;

    /// Deletes a resource and waits until it is gone.
    fn delete(
        task: &Task<'_, Self>,
        kind: Self::Kind,
        recorded: &Value,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// Why a provider could not do something, as far as the engine decides by it.
pub trait ProviderError: Error + Clone + Send + Sync + 'static {
    /// Somebody else's resource has the name.
    fn taken(name: String, owner: Option<String>) -> Self;

    /// A container that must not be emptied holds something.
    fn not_empty(name: String, contents: Contents, is_for_logs: bool) -> Self;

    /// The provider goes on with it, and hlctl has stopped waiting.
    fn still_going(status: String) -> Self;

    /// The state names a type that this hlctl does not know.
    fn unknown_kind(name: &str) -> Self;

    /// hlctl contradicts itself.
    fn internal(problem: String) -> Self;

    /// The next step, where one is known.
    fn hint(&self) -> Option<String>;

    /// The next step for a resource at this address that the state does not record.
    fn hint_at(&self, address: &Address) -> Option<String>;

    /// Whether the name is somebody else's: nothing of that was made by this stack.
    fn is_taken(&self) -> bool;

    /// The stack that has the name, where its tags say so.
    fn owner(&self) -> Option<&str>;

    /// Whether it says that the container of this name is another account's, or elsewhere: so are its settings.
    fn is_about_anothers_container(&self) -> bool;

    /// Whether a container could not be deleted because of what it holds.
    fn is_not_empty(&self) -> bool;

    /// Whether the provider is still at work and nothing is wrong.
    fn is_unfinished(&self) -> bool;

    /// Whether no further call can succeed: credentials are refused, or the lock is lost.
    fn ends_the_run(&self) -> bool;

    /// The call that failed, if one did.
    fn failed_call(&self) -> Option<FailedCall>;
}

/// A call that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailedCall {
    /// Whether it changes nothing.
    pub is_read: bool,
    /// Whether it may have been carried out.
    pub certainty: Certainty,
}

/// A state that this run has locked: the only way to write it.
pub trait LockedState: Permit + 'static {
    /// Where it is.
    fn place(&self) -> Place;

    /// Writes the state in place of the one with a lower serial.
    ///
    /// # Errors
    /// It cannot be written, the lock is lost, or somebody else wrote meanwhile.
    fn write(self: Arc<Self>, state: State) -> Pin<Box<dyn Future<Output = Result<(), StateError>> + Send>>;

    /// Keeps what a stack was before it was destroyed.
    ///
    /// # Errors
    /// It cannot be written, or the lock is lost.
    fn keep_destroyed(&self, state: &State) -> Result<(), StateError>;

    /// Waits until the lock is known to be lost; for ever if it stays.
    fn lost(&self) -> Pin<Box<dyn Future<Output = StateError> + Send + '_>>;
}

impl LockedState for Held {
    fn place(&self) -> Place {
        self.place()
    }

    fn write(self: Arc<Self>, state: State) -> Pin<Box<dyn Future<Output = Result<(), StateError>> + Send>> {
        Box::pin(self.write(state))
    }

    fn keep_destroyed(&self, state: &State) -> Result<(), StateError> {
        self.keep_destroyed(state)
    }

    fn lost(&self) -> Pin<Box<dyn Future<Output = StateError> + Send + '_>> {
        Box::pin(self.lost())
    }
}

/// One change to one resource.
pub struct Task<'a, P> {
    /// What all tasks share.
    pub cx: &'a P,
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
    pub report: &'a (dyn Fn(StepReport) + Send + Sync),
}

impl<P: Provider> Task<'_, P> {
    /// The text with its references filled in, as it is sent.
    ///
    /// # Errors
    /// Something that it names is not known yet, which is a fault of the schedule.
    pub fn text(&self, text: &Text) -> Result<String, P::Error> {
        let missing = || P::Error::internal(format!("{} was started before all that it names was known", self.address));
        self.known.text(text).ok_or_else(missing)
    }

    /// Reports the identity, so that it is recorded and dependents may start.
    ///
    /// # Errors
    /// It cannot be recorded, which is a fault of the provider.
    pub fn identified<R: Serialize>(&self, recorded: &R) -> Result<(), P::Error> {
        let recorded = serde_json::to_value(recorded);
        let recorded = recorded.map_err(|error| P::Error::internal(format!("cannot record: {error}")))?;
        (self.report)(StepReport::Identified(recorded));
        Ok(())
    }

    /// Reports that there may be two of it, so that later runs look for the other.
    pub fn doubtful(&self) {
        (self.report)(StepReport::Doubtful);
    }

    /// Reports that all its changes are made, and that it only waits from here on: what else is to be changed of the same thing may
    /// begin.
    pub fn settling(&self) {
        (self.report)(StepReport::Settling);
    }

    /// Reports progress.
    pub fn progress(&self, progress: Progress) {
        (self.report)(StepReport::Progress(progress));
    }
}
