//! Where in a resource something is.

use std::fmt;

/// The path of an element, such as `Patient.contact.gender`, without the places in lists. Made of names of FHIR R4, so that
/// one for each reference costs little.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(pub(crate) Vec<&'static str>);

impl Place {
    /// The type of the resource alone.
    #[must_use]
    pub fn root(mut self) -> Self {
        self.0.truncate(1);
        self
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names = self.0.iter();
        names.next().into_iter().try_for_each(|root| f.write_str(root))?;
        names.try_for_each(|name| write!(f, ".{name}"))
    }
}
