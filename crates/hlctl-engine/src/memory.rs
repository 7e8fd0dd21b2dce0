//! A provider whose resources are a list in memory, for tests of the engine alone: calls fail, lose their answers, or end the run.

pub(crate) mod kind;

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::sync::Notify;

pub(super) use kind::{MemoryError, MemoryKind, MemorySpec};

use super::{LockedState, Provider, Task};
use crate::state::{Place, State, StateError, format};
use crate::wait::Stop;
use hlctl_config::ForceDestroy;
use hlctl_model::address::Address;
use hlctl_model::{
    ADDRESS_TAG, Attachment, AttributeChange, Attributes, Certainty, Condition, Contents, Deeds, HoldObserver,
    Identity, Known, Observed, Permit, RecoveryHint, Remains, ResourceKind as _, ResourceSpec as _, STACK_TAG,
    Settings, StepReport,
};

/// Something that exists.
#[derive(Clone, Debug)]
pub(super) struct Thing {
    pub(super) kind: MemoryKind,
    pub(super) recorded: Value,
    pub(super) attributes: Attributes,
    pub(super) tags: BTreeMap<String, String>,
    token: String,
    /// It is not in lists yet.
    pub(super) is_hidden: bool,
}

impl Thing {
    fn is(&self, kind: MemoryKind, recorded: &Value) -> bool {
        self.kind == kind && self.recorded == *recorded
    }

    /// By what others refer to it.
    fn identity(&self) -> String {
        self.kind.name(&self.recorded).unwrap_or_default()
    }

    pub(super) fn needs(&self) -> Vec<String> {
        let needs = self.attributes.get("needs").and_then(Value::as_array).into_iter().flatten();
        needs.filter_map(|need| need.as_str().map(str::to_owned)).collect()
    }
}

/// What happens at one call or write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is refused, and changes nothing.
    Refused,
    /// It is carried out, and the answer is lost.
    Lost,
    /// The same, and what was created is in no list for as long as this run lasts.
    LostAndHidden,
    /// The process dies before it.
    KillBefore,
    /// The process dies after it, and has not heard the answer.
    KillAfter,
}

/// What there is, and what is yet to go wrong.
#[derive(Debug, Default)]
pub(super) struct Cloud {
    pub(super) things: Vec<Thing>,
    pub(super) made: u64,
    /// Calls and writes since the last run began.
    pub(super) calls: usize,
    pub(super) faults: BTreeMap<usize, Fault>,
    /// What must never happen and did.
    pub(super) violations: Vec<String>,
    pub(super) stored: Option<Vec<u8>>,
    /// How often a call lets others go first.
    pub(super) pauses: Vec<u8>,
}

impl Cloud {
    fn find(&mut self, kind: MemoryKind, recorded: &Value) -> Option<&mut Thing> {
        self.things.iter_mut().find(|thing| thing.is(kind, recorded))
    }

    fn make(&mut self, kind: MemoryKind, recorded: Value, spec: &MemorySpec, known: &Known, token: &str) {
        let attributes = spec.desired(known);
        let tags = if matches!(kind, MemoryKind::Key | MemoryKind::Store) { spec.tags() } else { BTreeMap::new() };
        self.check_needs(&spec.address, &attributes);
        let token = token.to_owned();
        self.things.push(Thing { kind, recorded, attributes, tags, token, is_hidden: false });
    }

    /// Nothing may refer to what does not exist.
    fn check_needs(&mut self, address: &Address, attributes: &Attributes) {
        for need in attributes.get("needs").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            if !self.things.iter().any(|thing| thing.identity() == need) {
                self.violations.push(format!("{address} refers to {need}, which does not exist"));
            }
        }
    }

    fn new_id(&mut self, kind: MemoryKind) -> Value {
        self.made += 1;
        json!({"id": format!("{}-{}", kind.as_str(), self.made)})
    }

    /// What others refer to may not be deleted. A setting ends with its bucket.
    fn delete(&mut self, kind: MemoryKind, recorded: &Value) {
        let Some(at) = self.things.iter().position(|thing| thing.is(kind, recorded)) else { return };
        let gone = self.things.remove(at).identity();
        if kind == MemoryKind::Bucket {
            let is_part =
                |thing: &Thing| thing.kind == MemoryKind::Setting && thing.recorded["bucket"] == gone.as_str();
            self.things.retain(|thing| !is_part(thing));
        }
        if kind != MemoryKind::Setting && self.things.iter().any(|thing| thing.needs().contains(&gone)) {
            self.violations.push(format!("{gone} was deleted while something referred to it"));
        }
    }

    fn tagged(&self, kind: MemoryKind, stack: &str, address: &Address, taken: &[Value]) -> Option<Value> {
        let is_it = |thing: &&Thing| {
            thing.kind == kind
                && !thing.is_hidden
                && thing.tags.get(STACK_TAG).is_some_and(|tag| tag == stack)
                && thing.tags.get(ADDRESS_TAG).is_some_and(|tag| tag == address.as_str())
                && !taken.contains(&thing.recorded)
        };
        self.things.iter().find(is_it).map(|thing| thing.recorded.clone())
    }
}

/// The provider of one run.
#[derive(Clone)]
pub(super) struct Memory {
    cloud: Arc<Mutex<Cloud>>,
    stack: String,
    identity: Identity,
    settings: Settings,
    stop: Stop,
    killed: Arc<Notify>,
    deeds: Deeds,
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("stack", &self.stack).finish_non_exhaustive()
    }
}

pub(super) fn identity() -> Identity {
    Identity {
        account: "111122223333".to_owned(),
        region: "us-east-1".to_owned(),
        partition: "aws".to_owned(),
        caller: String::new(),
    }
}

pub(super) fn settings() -> Settings {
    Settings { kms_deletion_window_in_days: 30, force_destroy: ForceDestroy::All }
}

pub(super) fn locked(cloud: &Arc<Mutex<Cloud>>) -> MutexGuard<'_, Cloud> {
    cloud.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the next call's fault, after letting others go first.
async fn next_fault(cloud: &Arc<Mutex<Cloud>>) -> Option<Fault> {
    let pauses = {
        let cloud = locked(cloud);
        let pauses = &cloud.pauses;
        if pauses.is_empty() { 0 } else { pauses[cloud.calls % pauses.len()] }
    };
    for _ in 0..pauses {
        tokio::task::yield_now().await;
    }
    let mut cloud = locked(cloud);
    cloud.calls += 1;
    let call = cloud.calls;
    cloud.faults.remove(&call)
}

impl Memory {
    pub(super) fn new(cloud: &Arc<Mutex<Cloud>>, stack: &str, killed: &Arc<Notify>) -> Self {
        Self {
            cloud: Arc::clone(cloud),
            stack: stack.to_owned(),
            identity: identity(),
            settings: settings(),
            stop: Stop::never(),
            killed: Arc::clone(killed),
            deeds: Deeds::default(),
        }
    }

    /// One call.
    async fn call<T>(
        &self,
        operation: &'static str,
        is_read: bool,
        work: impl FnOnce(&mut Cloud) -> Result<T, MemoryError> + Send,
    ) -> Result<T, MemoryError> {
        let failed = |certainty| Err(MemoryError::Call { operation, is_read, certainty });
        let fault = next_fault(&self.cloud).await;
        match fault {
            Some(Fault::Refused) => return failed(Certainty::NotApplied),
            Some(Fault::KillBefore) => return self.die().await,
            Some(Fault::KillAfter | Fault::Lost | Fault::LostAndHidden) | None => {}
        }
        let result = {
            let mut cloud = locked(&self.cloud);
            let before = cloud.things.len();
            let result = work(&mut cloud);
            if fault == Some(Fault::LostAndHidden) {
                cloud.things.iter_mut().skip(before).for_each(|thing| thing.is_hidden = true);
            }
            result
        };
        if !is_read && result.is_ok() {
            self.deeds.note();
        }
        match fault {
            Some(Fault::KillAfter) => self.die().await,
            Some(_) if is_read => failed(Certainty::NotApplied),
            Some(_) => failed(Certainty::MayBeApplied),
            None => result,
        }
    }

    async fn die<T>(&self) -> T {
        self.killed.notify_one();
        std::future::pending().await
    }
}

impl Provider for Memory {
    type Kind = MemoryKind;
    type Spec = MemorySpec;
    type Error = MemoryError;

    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn stop(&self) -> &Stop {
        &self.stop
    }

    fn while_permitted(self, _permit: Arc<dyn Permit>) -> Self {
        self
    }

    fn of_step(&self, deeds: Deeds, _holds: HoldObserver) -> Self {
        Self { deeds, ..self.clone() }
    }

    async fn read(&self, kind: MemoryKind, recorded: &Value) -> Result<Option<Observed>, MemoryError> {
        let read = |cloud: &mut Cloud| {
            Ok(cloud.find(kind, recorded).map(|thing| {
                let tags = (kind != MemoryKind::Setting).then(|| thing.tags.clone());
                let mut attributes = thing.attributes.clone();
                if let Some(tags) = &tags {
                    attributes.insert("tags".to_owned(), json!(tags));
                }
                Observed { recorded: thing.recorded.clone(), attributes, tags, condition: Condition::Ready }
            }))
        };
        self.call("Read", true, read).await
    }

    async fn find(&self, kind: MemoryKind, recovery: &RecoveryHint<'_>) -> Result<Option<Value>, MemoryError> {
        match kind {
            MemoryKind::Key | MemoryKind::Store => {
                self.call("List", true, |cloud| Ok(cloud.tagged(kind, &self.stack, recovery.address, recovery.taken)))
                    .await
            }
            MemoryKind::Bucket | MemoryKind::Setting => Ok(None),
        }
    }

    async fn contents(&self, _kind: MemoryKind, _recorded: &Value) -> Result<Contents, MemoryError> {
        Ok(Contents::default())
    }

    async fn remains(
        &self,
        _kind: MemoryKind,
        _recorded: &Value,
        _attributes: &Attributes,
    ) -> Result<Option<Remains>, MemoryError> {
        Ok(None)
    }

    async fn attachments(&self, _kind: MemoryKind, _recorded: &Value) -> Result<Vec<Attachment>, MemoryError> {
        Ok(Vec::new())
    }

    fn removal(&self, _attachment: &Attachment) -> Option<String> {
        None
    }

    async fn create(task: &Task<'_, Self>, spec: &MemorySpec) -> Result<Value, MemoryError> {
        let (memory, known) = (task.cx, task.known);
        spec.check_known(task)?;
        let identified = |recorded: &Value| (task.report)(StepReport::Identified(recorded.clone()));
        match spec.kind {
            MemoryKind::Bucket => {
                let recorded = spec.predicted(&memory.identity, known)?.unwrap_or_default();
                let create = |cloud: &mut Cloud| {
                    if let Some(there) = cloud.find(spec.kind, &recorded) {
                        let owner = there.tags.get(STACK_TAG).cloned();
                        if owner.as_ref().is_some_and(|owner| *owner != spec.stack) {
                            return Err(MemoryError::Taken { name: recorded.to_string(), owner });
                        }
                        there.attributes = spec.desired(known);
                    } else {
                        cloud.make(spec.kind, recorded.clone(), spec, known, "");
                    }
                    Ok(())
                };
                memory.call("CreateBucket", false, create).await?;
                identified(&recorded);
                let tag = |cloud: &mut Cloud| {
                    cloud.find(spec.kind, &recorded).into_iter().for_each(|thing| thing.tags = spec.tags());
                    Ok(())
                };
                memory.call("TagBucket", false, tag).await?;
                Ok(recorded)
            }
            MemoryKind::Setting => {
                let recorded = spec.predicted(&memory.identity, known)?.unwrap_or_default();
                let put = |cloud: &mut Cloud| {
                    match cloud.find(spec.kind, &recorded) {
                        Some(there) => there.attributes = spec.desired(known),
                        None => cloud.make(spec.kind, recorded.clone(), spec, known, ""),
                    }
                    Ok(())
                };
                memory.call("PutSetting", false, put).await?;
                identified(&recorded);
                Ok(recorded)
            }
            MemoryKind::Key => {
                let look = |cloud: &mut Cloud| Ok(cloud.tagged(spec.kind, &spec.stack, task.address, task.others));
                let found = if task.resumed { memory.call("ListKeys", true, look).await? } else { None };
                let recorded = match found {
                    Some(found) => found,
                    None => {
                        let create = |cloud: &mut Cloud| {
                            let recorded = cloud.new_id(spec.kind);
                            cloud.make(spec.kind, recorded.clone(), spec, known, "");
                            Ok(recorded)
                        };
                        memory.call("CreateKey", false, create).await?
                    }
                };
                identified(&recorded);
                Ok(recorded)
            }
            MemoryKind::Store => {
                let create = |cloud: &mut Cloud| {
                    if let Some(there) = cloud.things.iter().find(|thing| thing.token == task.token) {
                        return Ok(there.recorded.clone());
                    }
                    let recorded = cloud.new_id(spec.kind);
                    cloud.make(spec.kind, recorded.clone(), spec, known, task.token);
                    Ok(recorded)
                };
                let recorded = memory.call("CreateStore", false, create).await?;
                identified(&recorded);
                for _ in 0..3 {
                    memory.call("DescribeStore", true, |_| Ok(())).await?;
                }
                Ok(recorded)
            }
        }
    }

    async fn update(
        task: &Task<'_, Self>,
        spec: &MemorySpec,
        recorded: &Value,
        changes: &[AttributeChange],
    ) -> Result<Value, MemoryError> {
        spec.check_known(task)?;
        let retags = changes.iter().any(|change| change.attribute() == "tags");
        let update = |cloud: &mut Cloud| {
            let desired = spec.desired(task.known);
            cloud.check_needs(task.address, &desired);
            let failed = MemoryError::Internal(format!("{recorded} does not exist"));
            let thing = cloud.find(spec.kind, recorded).ok_or(failed)?;
            thing.attributes = desired;
            if retags {
                thing.tags = spec.tags();
            }
            Ok(())
        };
        task.cx.call("Update", false, update).await?;
        Ok(recorded.clone())
    }

    async fn settle(_task: &Task<'_, Self>, _kind: MemoryKind, recorded: &Value) -> Result<Value, MemoryError> {
        Ok(recorded.clone())
    }

    async fn delete(task: &Task<'_, Self>, kind: MemoryKind, recorded: &Value) -> Result<(), MemoryError> {
        if task.with_parent {
            return Ok(());
        }
        let delete = |cloud: &mut Cloud| {
            cloud.delete(kind, recorded);
            Ok(())
        };
        task.cx.call("Delete", false, delete).await
    }
}

/// A state that is kept in memory, whose writes may fail or end the run as calls do.
pub(super) struct MemoryState {
    cloud: Arc<Mutex<Cloud>>,
    killed: Arc<Notify>,
}

impl fmt::Debug for MemoryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryState").finish_non_exhaustive()
    }
}

impl MemoryState {
    pub(super) fn new(cloud: &Arc<Mutex<Cloud>>, killed: &Arc<Notify>) -> Self {
        Self { cloud: Arc::clone(cloud), killed: Arc::clone(killed) }
    }

    pub(super) fn there() -> Place {
        Place::File("memory".into())
    }

    fn store(&self, state: &State) -> Result<(), StateError> {
        let failed = |error: serde_json::Error| self.failed(error.into());
        locked(&self.cloud).stored = Some(format::encode(state).map_err(failed)?);
        Ok(())
    }

    fn failed(&self, error: std::io::Error) -> StateError {
        StateError::Io { doing: "write", place: self.place(), error }
    }
}

impl Permit for MemoryState {
    fn holds(&self) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        Box::pin(std::future::ready(true))
    }
}

impl LockedState for MemoryState {
    fn place(&self) -> Place {
        Self::there()
    }

    fn write(self: Arc<Self>, state: State) -> Pin<Box<dyn Future<Output = Result<(), StateError>> + Send>> {
        Box::pin(async move {
            match next_fault(&self.cloud).await {
                Some(Fault::Refused | Fault::Lost | Fault::LostAndHidden) => {
                    return Err(self.failed(std::io::ErrorKind::StorageFull.into()));
                }
                Some(Fault::KillBefore) => {
                    self.killed.notify_one();
                    std::future::pending::<()>().await;
                }
                Some(Fault::KillAfter) => {
                    self.store(&state)?;
                    self.killed.notify_one();
                    std::future::pending::<()>().await;
                }
                None => {}
            }
            self.store(&state)
        })
    }

    fn keep_destroyed(&self, _state: &State) -> Result<(), StateError> {
        Ok(())
    }

    fn lost(&self) -> Pin<Box<dyn Future<Output = StateError> + Send + '_>> {
        Box::pin(std::future::pending())
    }
}
