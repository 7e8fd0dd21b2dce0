//! Protected resources that the state was made to forget, so that one that comes back gets its protection back.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::State;
use hlctl_model::ResourceKind;
use hlctl_model::address::Address;

/// A protected resource that the state was made to forget.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Released {
    /// Its kind's name.
    pub kind: String,
    /// Its identity.
    pub recorded: Value,
    /// What `hlctl protect` said, if it did; otherwise it was protected by the configuration.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub protection: Option<bool>,
    /// The identities of the keys without which nobody can read what it holds.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub keys: Vec<Value>,
}

impl State {
    /// The protection of something that was forgotten.
    pub fn released<K: ResourceKind>(&self, kind: K, recorded: &Value) -> Option<&Released> {
        self.released.iter().rev().find(|released| released.is(kind, recorded))
    }

    /// Gives what is at this address the protection that it had before it was forgotten.
    pub fn give_back_protection<K: ResourceKind>(&mut self, address: &Address) {
        let Some(entry) = self.resources.get_mut(address) else { return };
        let Some((kind, recorded)) = entry.kind::<K>().zip(entry.recorded.as_ref()) else { return };
        let is_it = |released: &Released| released.is(kind, recorded);
        if let Some(released) = self.released.iter().rev().find(|released| is_it(released)) {
            let by_hand = released.protection.or((!entry.protected).then_some(true));
            entry.protection = entry.protection.or(by_hand);
        }
        self.released.retain(|released| !is_it(released));
    }
}

impl Released {
    /// Whether what is recorded here is a setting, or another part, of it.
    pub fn has_part<K: ResourceKind>(&self, kind: K, recorded: &Value) -> bool {
        let parent = kind.part_of().filter(|parent| parent.kind == self.kind);
        parent.is_some_and(|parent| parent.is(&self.recorded, recorded))
    }

    /// Whether it is a part of what is recorded here, and ends with it.
    pub fn is_part_of<K: ResourceKind>(&self, kind: K, recorded: &Value) -> bool {
        let parent = K::parse(&self.kind).and_then(K::part_of).filter(|parent| parent.kind == kind.as_str());
        parent.is_some_and(|parent| parent.is(recorded, &self.recorded))
    }

    /// Whether it cannot be read without this key, which is of type `kind`.
    pub fn needs_key<K: ResourceKind>(&self, kind: K, recorded: &Value) -> bool {
        self.keys.iter().any(|key| kind.is_one(key, recorded))
    }

    /// Its name, or what else identifies it.
    pub fn name<K: ResourceKind>(&self) -> String {
        let name = K::parse(&self.kind).and_then(|kind| kind.name(&self.recorded).ok());
        name.unwrap_or_else(|| self.recorded.to_string())
    }

    fn is<K: ResourceKind>(&self, kind: K, recorded: &Value) -> bool {
        self.kind == kind.as_str() && kind.is_one(&self.recorded, recorded)
    }
}
