//! What is known of a resource type, and of a resource from its type.

use serde_json::Value;

use super::{Action, AttributeChange, Attributes, Contents, Remains, Settings};

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
pub struct Occasion<'a> {
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
