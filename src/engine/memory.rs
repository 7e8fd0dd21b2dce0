//! A provider whose resources are a list in memory, for tests of the engine alone: calls fail, lose their answers, or end the run.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use thiserror::Error;
use tokio::sync::Notify;

use super::{FailedCall, LockedState, Provider, ProviderError, Task};
use crate::address::Address;
use crate::config::ForceDestroy;
use crate::model::{
    ADDRESS_TAG, Action, AttributeChange, Attributes, Certainty, Condition, Contents, Deeds, HoldObserver, Identity,
    Known, Observed, Occasion, Parent, Permit, Ref, Reference, Remains, Report, ResourceKind, ResourceSpec, Rule,
    STACK_TAG, Settings, Text, Trail, UNKNOWN,
};
use crate::state::{Place, State, StateError, format};
use crate::wait::Stop;

/// The types. Between them they have every trait that the engine decides by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum MemoryKind {
    /// Its name is its identity; it is tagged by a second call.
    Bucket,
    /// A part of a bucket, without tags.
    Setting,
    /// It has no name, and no token makes its creation idempotent.
    Key,
    /// It has no name; a token makes its creation idempotent.
    Store,
}

const KINDS: [MemoryKind; 4] = [MemoryKind::Bucket, MemoryKind::Setting, MemoryKind::Key, MemoryKind::Store];
const RULES: &[Rule] = &[Rule::replaces("shape", "a shape cannot be changed")];
const RULES_OF_SETTING: &[Rule] = &[Rule::replaces("bucket", "a setting cannot move to another bucket")];
const BUCKET: Parent = Parent { kind: "bucket", named: "bucket", name: "name" };

impl ResourceKind for MemoryKind {
    type Error = MemoryError;

    fn parse(name: &str) -> Option<Self> {
        KINDS.into_iter().find(|kind| kind.as_str() == name)
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Bucket => "bucket",
            Self::Setting => "setting",
            Self::Key => "key",
            Self::Store => "store",
        }
    }

    fn rules(self) -> &'static [Rule] {
        if self == Self::Setting { RULES_OF_SETTING } else { RULES }
    }

    fn is_precious(self) -> bool {
        false
    }

    fn is_nameless(self) -> bool {
        self == Self::Key
    }

    fn is_named(self) -> bool {
        self == Self::Bucket
    }

    fn is_tagged_later(self) -> bool {
        self == Self::Bucket
    }

    fn is_alone(self) -> bool {
        false
    }

    fn holds_objects(self) -> bool {
        false
    }

    fn is_setting_of(self, whole: Self) -> bool {
        self == Self::Setting && whole == Self::Bucket
    }

    fn names_the_stack(self) -> bool {
        false
    }

    fn is_key(self) -> bool {
        self == Self::Key
    }

    fn is_locked(self, _attributes: &Attributes) -> bool {
        false
    }

    fn can_bring_its_data(self, _changes: &[AttributeChange]) -> bool {
        false
    }

    fn sides(self, state: &Attributes, observed: &Attributes) -> (Attributes, Attributes) {
        (state.clone(), observed.clone())
    }

    fn changed_by_others(self, _state: &Attributes, _observed: &Attributes) -> Vec<String> {
        Vec::new()
    }

    fn accepted(self, _state: &Attributes, _observed: &Attributes, _accepts: bool) -> Value {
        json!({})
    }

    fn ends_with(self) -> Option<Parent> {
        (self == Self::Setting).then_some(BUCKET)
    }

    fn part_of(self) -> Option<Parent> {
        self.ends_with()
    }

    fn usual_time(self, _action: Action) -> Option<&'static str> {
        None
    }

    fn meaning(self, _occasion: &Occasion<'_>) -> Vec<String> {
        Vec::new()
    }

    fn name(self, recorded: &Value) -> Result<String, MemoryError> {
        let member = match self {
            Self::Bucket => "name",
            Self::Setting => "bucket",
            Self::Key | Self::Store => "id",
        };
        let name = recorded.get(member).and_then(Value::as_str);
        name.map(str::to_owned).ok_or_else(|| MemoryError::Internal(format!("{recorded} is no {}", self.as_str())))
    }

    fn is_one(self, left: &Value, right: &Value) -> bool {
        left == right
    }

    fn is_whole(self, _predicted: &Value) -> Result<bool, MemoryError> {
        Ok(true)
    }

    fn group(self, _recorded: &Value) -> Result<Option<String>, MemoryError> {
        Ok(None)
    }
}

/// Why a call failed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(super) enum MemoryError {
    #[error("{operation} failed")]
    Call { operation: &'static str, is_read: bool, certainty: Certainty },
    #[error("{name} is another stack's")]
    Taken { name: String, owner: Option<String> },
    #[error("still {0}")]
    StillGoing(String),
    #[error("{0}")]
    Internal(String),
}

impl ProviderError for MemoryError {
    fn taken(name: String, owner: Option<String>) -> Self {
        Self::Taken { name, owner }
    }

    fn not_empty(name: String, _contents: Contents, _is_for_logs: bool) -> Self {
        Self::Internal(format!("{name} is not empty"))
    }

    fn still_going(status: String) -> Self {
        Self::StillGoing(status)
    }

    fn unknown_kind(name: &str) -> Self {
        Self::Internal(format!("{name} is no kind"))
    }

    fn internal(problem: String) -> Self {
        Self::Internal(problem)
    }

    fn hint(&self) -> Option<String> {
        None
    }

    fn hint_at(&self, _address: &Address) -> Option<String> {
        None
    }

    fn is_taken(&self) -> bool {
        matches!(self, Self::Taken { .. })
    }

    fn owner(&self) -> Option<&str> {
        match self {
            Self::Taken { owner, .. } => owner.as_deref(),
            _ => None,
        }
    }

    fn is_about_anothers_container(&self) -> bool {
        false
    }

    fn is_not_empty(&self) -> bool {
        false
    }

    fn is_unfinished(&self) -> bool {
        matches!(self, Self::StillGoing(_))
    }

    fn ends_the_run(&self) -> bool {
        false
    }

    fn failed_call(&self) -> Option<FailedCall> {
        match self {
            Self::Call { is_read, certainty, .. } => Some(FailedCall { is_read: *is_read, certainty: *certainty }),
            _ => None,
        }
    }
}

/// What is asked for.
#[derive(Clone, Debug)]
pub(super) struct MemorySpec {
    pub(super) address: Address,
    pub(super) kind: MemoryKind,
    /// Of the stack, for its tags.
    pub(super) stack: String,
    /// What it refers to, by address; the bucket first, for a setting.
    pub(super) needs: Vec<(Address, MemoryKind)>,
    /// An attribute that can be changed in place.
    pub(super) size: u8,
    /// An attribute that takes a replacement.
    pub(super) shape: u8,
}

fn identity_of(address: &Address, kind: MemoryKind) -> Text {
    let name = match kind {
        MemoryKind::Bucket => "name",
        MemoryKind::Setting => "bucket",
        MemoryKind::Key | MemoryKind::Store => "id",
    };
    Ref::<()>::new(address.clone()).attribute(name)
}

impl MemorySpec {
    fn texts(&self) -> Vec<Text> {
        self.needs.iter().map(|(address, kind)| identity_of(address, *kind)).collect()
    }

    fn tags(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            (STACK_TAG.to_owned(), self.stack.clone()),
            (ADDRESS_TAG.to_owned(), self.address.as_str().to_owned()),
        ])
    }
}

impl ResourceSpec for MemorySpec {
    type Kind = MemoryKind;

    fn kind(&self) -> MemoryKind {
        self.kind
    }

    fn references(&self) -> Vec<Reference> {
        self.texts().iter().flat_map(|text| text.references().cloned().collect::<Vec<_>>()).collect()
    }

    fn desired(&self, known: &Known) -> Attributes {
        let needs: Vec<String> = self.texts().iter().map(|text| known.text(text)).collect();
        let mut attributes =
            Attributes::from_iter([("size".to_owned(), self.size.into()), ("needs".to_owned(), needs.into())]);
        if self.kind == MemoryKind::Setting {
            let bucket = self.texts().first().map(|text| known.text(text));
            attributes.insert("bucket".to_owned(), bucket.into());
        } else {
            attributes.insert("shape".to_owned(), self.shape.into());
            attributes.insert("tags".to_owned(), json!(self.tags()));
        }
        attributes
    }

    fn predicted(&self, _identity: &Identity, known: &Known) -> Result<Option<Value>, MemoryError> {
        Ok(match self.kind {
            // Two shapes of one bucket have two names, so that the new one can be there before the old one is gone.
            MemoryKind::Bucket => Some(json!({"name": format!("{}-{}", self.address, self.shape)})),
            MemoryKind::Setting => {
                let bucket = self.texts().first().map(|text| known.text(text)).filter(|bucket| bucket != UNKNOWN);
                bucket.map(|bucket| json!({"bucket": bucket, "of": self.address}))
            }
            MemoryKind::Key | MemoryKind::Store => None,
        })
    }
}

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

    async fn find(&self, kind: MemoryKind, trail: &Trail<'_>) -> Result<Option<Value>, MemoryError> {
        match kind {
            MemoryKind::Key | MemoryKind::Store => {
                self.call("List", true, |cloud| Ok(cloud.tagged(kind, &self.stack, trail.address, trail.taken))).await
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

    async fn create(task: &Task<'_, Self>, spec: &MemorySpec) -> Result<Value, MemoryError> {
        let (memory, known) = (task.cx, task.known);
        let identified = |recorded: &Value| (task.report)(Report::Identified(recorded.clone()));
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
