//! What a resource looks like, attribute by attribute, and how attributes are compared.

use serde_json::{Map, Value};

/// Names the stack that a resource belongs to.
pub const STACK_TAG: &str = "hlctl:stack";
/// Names the address of a resource in its stack.
pub const ADDRESS_TAG: &str = "hlctl:address";

/// The attribute that holds the watched leaves that are not as hlctl leaves them, by operation and path.
pub const WATCHED: &str = "watched";
/// Stands for a value that must not be shown.
pub const SECRET: &str = "(sensitive)";

/// What a resource looks like, attribute by attribute.
pub type Attributes = Map<String, Value>;

/// How an attribute is compared and changed, where that is not plainly and in place.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The attribute.
    pub attribute: &'static str,
    /// Why AWS cannot change it in place; `None` if it can.
    pub replaces: Option<&'static str>,
    /// Whether it is a policy document.
    pub document: bool,
    /// Pairs of what is wanted and what counts as that, where AWS goes no further.
    pub enough: &'static [(&'static str, &'static str)],
    /// Whether AWS does not return it, so that only hlctl can know it: without a value it is unknown, and not compared.
    pub is_own: bool,
}

impl Rule {
    /// An attribute that only a new resource can have another value of.
    pub const fn replaces(attribute: &'static str, reason: &'static str) -> Self {
        Self { attribute, replaces: Some(reason), document: false, enough: &[], is_own: false }
    }

    /// The same of an attribute that AWS does not return.
    pub const fn replaces_own(attribute: &'static str, reason: &'static str) -> Self {
        Self { is_own: true, ..Self::replaces(attribute, reason) }
    }

    /// A policy document.
    pub const fn document(attribute: &'static str) -> Self {
        Self { attribute, replaces: None, document: true, enough: &[], is_own: false }
    }

    /// An attribute of which some values count as others.
    pub const fn enough(attribute: &'static str, enough: &'static [(&'static str, &'static str)]) -> Self {
        Self { attribute, replaces: None, document: false, enough, is_own: false }
    }

    /// Whether what a resource has counts as what is wanted.
    pub fn is_enough(&self, wanted: Option<&Value>, seen: Option<&Value>) -> bool {
        if self.is_own && seen.is_none() {
            return true;
        }
        let texts = wanted.and_then(Value::as_str).zip(seen.and_then(Value::as_str));
        texts.is_some_and(|pair| self.enough.contains(&pair))
    }
}
