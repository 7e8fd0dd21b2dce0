//! What is known of a resource type, and of a resource from its type.

use std::error::Error;
use std::fmt;

use serde_json::Value;

use super::{Action, AttributeChange, Attributes, Contents, Identity, Known, Reference, Remains, Rule, Settings};

/// A type of resource, as far as a plan or an apply asks.
///
/// What is recorded of a resource is JSON here, since only its own type knows more of it.
pub trait ResourceKind: Copy + Eq + fmt::Debug + Send + Sync + 'static {
    /// Why a record cannot be read.
    type Error: Error;

    /// The type with this name.
    fn parse(name: &str) -> Option<Self>;

    /// Its name: the first part of addresses.
    fn as_str(self) -> &'static str;

    /// The attributes that are not plainly compared and changed in place.
    fn rules(self) -> &'static [Rule];

    /// Whether it holds, or unlocks, patient data.
    fn is_precious(self) -> bool;

    /// Whether it can be created twice by mistake: it has neither a name that decides its identity nor an idempotency token.
    fn is_nameless(self) -> bool;

    /// Whether a name that users choose is all its identity, so that another stack may come to have it.
    fn is_named(self) -> bool;

    /// Whether it carries its tags only some calls after it exists.
    fn is_tagged_later(self) -> bool;

    /// Whether the old one must be deleted before a new one can be created.
    fn is_alone(self) -> bool;

    /// Whether it is a container of objects, which is counted and emptied before it is deleted.
    fn holds_objects(self) -> bool;

    /// Whether it is a setting of `whole`, about which nothing can be said where `whole` cannot be read.
    fn is_setting_of(self, whole: Self) -> bool;

    /// Whether its name stands for all of the stack when that is destroyed.
    fn names_the_stack(self) -> bool;

    /// Whether it is a key: deleting it makes what it encrypts unreadable.
    fn is_key(self) -> bool;

    /// Whether AWS itself refuses to delete one that looks like this.
    fn is_locked(self, attributes: &Attributes) -> bool;

    /// Whether another one with the same data can take its place, for these differences.
    fn can_bring_its_data(self, changes: &[AttributeChange]) -> bool;

    /// What the state remembers and what the provider has, each with what only others change, to be compared.
    fn sides(self, state: &Attributes, observed: &Attributes) -> (Attributes, Attributes);

    /// What others have changed that no apply changes back, in words.
    fn changed_by_others(self, state: &Attributes, observed: &Attributes) -> Vec<String>;

    /// What the state is to remember of what only others change: all that is seen where the user accepts it, and otherwise what it
    /// accepted before.
    fn accepted(self, state: &Attributes, observed: &Attributes, accepts: bool) -> Value;

    /// Whether something that can open it to others could not be looked at.
    fn is_partly_seen(self, observed: &Attributes) -> bool;

    /// What the user should know of what was seen: what could not be looked at, and what hlctl does not know.
    fn notes(self, observed: &Attributes) -> Vec<String>;

    /// What it means for those who use the store that others have changed these attributes, where that is grave.
    fn consequence(self, drifted: &[&str]) -> Option<&'static str>;

    /// What it ends with: deleting that deletes it too.
    fn ends_with(self) -> Option<Parent>;

    /// What it is a part of: deleting that takes this along, or fails for as long as this is there.
    fn part_of(self) -> Option<Parent>;

    /// How long the action usually takes, for those that take minutes.
    fn usual_time(self, action: Action) -> Option<&'static str>;

    /// What a change means for patient data and for those who use the store, in sentences.
    fn impact(self, planned: &PlannedChange<'_>) -> Vec<String>;

    /// The name a user knows it by.
    ///
    /// # Errors
    /// What is recorded is not of this kind.
    fn name(self, recorded: &Value) -> Result<String, Self::Error>;

    /// Whether both records are of one resource.
    fn is_one(self, left: &Value, right: &Value) -> bool;

    /// Whether what is predicted is all that it takes to find the resource again.
    ///
    /// # Errors
    /// What is predicted is not of this kind.
    fn is_whole(self, predicted: &Value) -> Result<bool, Self::Error>;

    /// Resources of one group are changed one after another.
    ///
    /// # Errors
    /// What is recorded is not of this kind.
    fn group(self, recorded: &Value) -> Result<Option<String>, Self::Error>;
}

/// A resource that the configuration asks for.
pub trait ResourceSpec: Clone + fmt::Debug + Send + Sync + 'static {
    /// The types.
    type Kind: ResourceKind;

    /// Its type.
    fn kind(&self) -> Self::Kind;

    /// What it refers to, which must have an identity first.
    fn references(&self) -> Vec<Reference>;

    /// What is asked for, as far as it is known.
    fn desired(&self, known: &Known) -> Attributes;

    /// The identity, where names alone decide it.
    ///
    /// # Errors
    /// None that a checked configuration can cause.
    fn predicted(
        &self,
        identity: &Identity,
        known: &Known,
    ) -> Result<Option<Value>, <Self::Kind as ResourceKind>::Error>;
}

/// What a resource is part of, and ends with.
#[derive(Clone, Copy, Debug)]
pub struct Parent {
    /// Kind of the parent.
    pub kind: &'static str,
    /// The attribute that names the parent, in what is recorded of the part.
    pub named: &'static str,
    /// The attribute that holds that name, in what is recorded of the parent.
    pub name: &'static str,
}

impl Parent {
    /// Whether `parent` records the resource that `part` is part of.
    pub fn is(self, parent: &Value, part: &Value) -> bool {
        let name = parent.get(self.name);
        name.is_some_and(|name| !name.is_null()) && name == part.get(self.named)
    }
}

/// A change that is about to be made, for telling what it means.
#[derive(Clone, Debug)]
pub struct PlannedChange<'a> {
    /// What is to be done.
    pub action: Action,
    /// The attributes that differ.
    pub changed: Vec<&'a str>,
    /// What they are, and shall be.
    pub attributes: &'a [AttributeChange],
    /// What a bucket that is to go holds.
    pub contents: Option<&'a Contents>,
    /// Whether it is made because the last one was deleted by somebody else.
    pub vanished: bool,
    /// What it looks like now.
    pub observed: Option<&'a Attributes>,
    /// Its identity, where there is one.
    pub recorded: Option<&'a Value>,
    /// What AWS keeps of one that is gone.
    pub remains: Option<&'a Remains>,
    /// Settings for deletions.
    pub settings: &'a Settings,
}
