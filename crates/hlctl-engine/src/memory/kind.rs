//! The types of the provider in memory, what is asked for of them, and why a call fails.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use thiserror::Error;

use super::Memory;
use crate::{FailedCall, ProviderError, Task};
use hlctl_model::address::Address;
use hlctl_model::{
    ADDRESS_TAG, Action, AttributeChange, Attributes, Certainty, Contents, Identity, Known, Parent, PlannedChange,
    Reference, ResourceKind, ResourceSpec, Rule, STACK_TAG, Text,
};

/// The types. Between them they have every trait that the engine decides by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum MemoryKind {
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

    fn is_partly_seen(self, _observed: &Attributes) -> bool {
        false
    }

    fn notes(self, _observed: &Attributes) -> Vec<String> {
        Vec::new()
    }

    fn consequence(self, _drifted: &[&str]) -> Option<&'static str> {
        None
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

    fn impact(self, _planned: &PlannedChange<'_>) -> Vec<String> {
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
pub(crate) enum MemoryError {
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
pub(crate) struct MemorySpec {
    pub(crate) address: Address,
    pub(crate) kind: MemoryKind,
    /// Of the stack, for its tags.
    pub(crate) stack: String,
    /// What it refers to, by address; the bucket first, for a setting.
    pub(crate) needs: Vec<(Address, MemoryKind)>,
    /// An attribute that can be changed in place.
    pub(crate) size: u8,
    /// An attribute that takes a replacement.
    pub(crate) shape: u8,
}

fn identity_of(address: &Address, kind: MemoryKind) -> Text {
    let name = match kind {
        MemoryKind::Bucket => "name",
        MemoryKind::Setting => "bucket",
        MemoryKind::Key | MemoryKind::Store => "id",
    };
    Reference { address: address.clone(), attribute: name }.into()
}

impl MemorySpec {
    /// Asks for everything that the resource needs, as a provider does that sends it.
    pub(super) fn check_known(&self, task: &Task<'_, Memory>) -> Result<(), MemoryError> {
        self.texts().iter().try_for_each(|text| task.text(text).map(drop))
    }

    fn texts(&self) -> Vec<Text> {
        self.needs.iter().map(|(address, kind)| identity_of(address, *kind)).collect()
    }

    pub(super) fn tags(&self) -> BTreeMap<String, String> {
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
        let needs: Vec<Value> = self.texts().iter().map(|text| known.shown(text)).collect();
        let mut attributes =
            Attributes::from_iter([("size".to_owned(), self.size.into()), ("needs".to_owned(), needs.into())]);
        if self.kind == MemoryKind::Setting {
            let bucket = self.texts().first().map(|text| known.shown(text));
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
                let bucket = self.texts().first().and_then(|text| known.text(text));
                bucket.map(|bucket| json!({"bucket": bucket, "of": self.address}))
            }
            MemoryKind::Key | MemoryKind::Store => None,
        })
    }
}
