//! References between resources. A [`Ref`] is typed by the kind it points at, so that a spec cannot ask a bucket for a key's ARN.

use std::fmt;
use std::marker::PhantomData;

use hlctl_model::address::Address;
pub(super) use hlctl_model::reference::{Known, Reference, Text};

/// Points at the resource of kind `K` at an address.
pub struct Ref<K> {
    address: Address,
    kind: PhantomData<fn() -> K>,
}

impl<K> Ref<K> {
    /// Points at `address`, which must hold a resource of kind `K`.
    pub fn new(address: Address) -> Self {
        Self { address, kind: PhantomData }
    }

    /// The address pointed at.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The recorded attribute `name` of the resource pointed at.
    pub(crate) fn attribute(&self, name: &'static str) -> Text {
        Reference { address: self.address.clone(), attribute: name }.into()
    }
}

impl<K> Clone for Ref<K> {
    fn clone(&self) -> Self {
        Self::new(self.address.clone())
    }
}

impl<K> fmt::Debug for Ref<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ref({})", self.address)
    }
}
