//! Values that other resources will only have once they exist. Every reference in a spec is an edge of the graph; nothing else is.

use std::collections::BTreeMap;
use std::ops::Add;

use serde_json::Value;

use crate::address::Address;

/// How a value that only AWS can give is shown among the attributes of a plan.
///
/// No decision rests on it: what is sent comes from [`Known::text`], which has no value for what is not known.
pub const UNKNOWN: &str = "(known after apply)";

/// One attribute of another resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The resource that has it.
    pub address: Address,
    /// Its name in what the state file records of that resource.
    pub attribute: &'static str,
}

/// Text that may hold references.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Reference(Reference),
}

impl Text {
    /// The references inside.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        self.0.iter().filter_map(|part| match part {
            Part::Reference(reference) => Some(reference),
            Part::Literal(_) => None,
        })
    }
}

impl From<Reference> for Text {
    fn from(reference: Reference) -> Self {
        Self(vec![Part::Reference(reference)])
    }
}

impl<T: Into<String>> From<T> for Text {
    fn from(literal: T) -> Self {
        Self(vec![Part::Literal(literal.into())])
    }
}

impl<T: Into<Text>> Add<T> for Text {
    type Output = Self;

    fn add(mut self, more: T) -> Self {
        self.0.extend(more.into().0);
        self
    }
}

/// What is known of every resource so far: the identities in state, those predicted, and those AWS has given in this run.
#[derive(Clone, Debug, Default)]
pub struct Known(BTreeMap<Address, Value>);

impl Known {
    /// Notes what is recorded of a resource.
    pub fn insert(&mut self, address: Address, recorded: Value) {
        self.0.insert(address, recorded);
    }

    /// Whether anything is recorded of a resource.
    pub fn contains(&self, address: &Address) -> bool {
        self.0.contains_key(address)
    }

    /// What is recorded of a resource.
    pub fn recorded(&self, address: &Address) -> Option<&Value> {
        self.0.get(address)
    }

    /// Forgets a resource whose identity is about to change.
    pub fn remove(&mut self, address: &Address) {
        self.0.remove(address);
    }

    /// The text with its references filled in, if all of them are known.
    pub fn text(&self, text: &Text) -> Option<String> {
        let mut whole = String::new();
        for part in &text.0 {
            match part {
                Part::Literal(literal) => whole.push_str(literal),
                Part::Reference(reference) => whole.push_str(self.attribute(reference)?),
            }
        }
        Some(whole)
    }

    /// The text as an attribute of a plan: [`UNKNOWN`] as long as a reference is not known.
    pub fn shown(&self, text: &Text) -> Value {
        self.text(text).unwrap_or_else(|| UNKNOWN.to_owned()).into()
    }

    fn attribute(&self, reference: &Reference) -> Option<&str> {
        self.0.get(&reference.address)?.get(reference.attribute)?.as_str()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_is_unknown_until_all_its_references_are_known() {
        let arn = Reference { address: Address::parse("kms_key.s3"), attribute: "arn" };
        let text = Text::from("<") + arn + ">";
        let mut known = Known::default();
        assert_eq!((known.text(&text), known.shown(&text)), (None, json!(UNKNOWN)));
        known.insert(Address::parse("kms_key.s3"), json!({"arn": "a"}));
        assert_eq!((known.text(&text), known.shown(&text)), (Some("<a>".to_owned()), json!("<a>")));
    }
}
