//! References that lead nowhere in a store.

use std::sync::LazyLock;

use hlctl_r4::{Primitive, Type};

use super::primitive;
use crate::check::resource_types::{disputed, is_resource_type, is_supported};

/// Why a reference leads to no resource of the store (R4 specification, "References": relative, absolute, contained).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LooseReference {
    /// `urn:uuid:...`: it means another entry of the Bundle that the resource was taken from.
    Urn,
    /// `Type?identifier=...`: a search, which a server carries out for transactions.
    Search,
    /// A type that R4 does not have.
    UnknownType,
    /// A type that HealthLake does not take.
    UnsupportedType,
    /// Something else that is neither `Type/id` nor absolute nor contained.
    Form,
}

impl LooseReference {
    /// What is loose about a reference, if anything.
    pub(super) fn of(reference: &str) -> Option<Self> {
        if reference.starts_with('#') {
            return None;
        }
        if let Some(scheme) = scheme(reference) {
            return scheme.eq_ignore_ascii_case("urn").then_some(Self::Urn);
        }
        let mut parts = reference.split('/');
        let (kind, id) = (parts.next().unwrap_or_default(), parts.next());
        let is_id = |id: Option<&str>| id.is_some_and(|id| primitive::is_good(Primitive::Id, id));
        if reference.contains('?') {
            return Some(Self::Search);
        }
        let has_form = match parts.next() {
            None => is_id(id),
            Some("_history") => is_id(id) && is_id(parts.next()) && parts.next().is_none(),
            Some(_) => false,
        };
        if !has_form {
            Some(Self::Form)
        } else if disputed(kind).is_some() || is_supported(kind) {
            None
        } else if is_resource_type(kind) {
            Some(Self::UnsupportedType)
        } else {
            Some(Self::UnknownType)
        }
    }
}

/// The scheme of an absolute URI (RFC 3986, section 3.1).
fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once(':')?;
    let is_scheme = scheme.starts_with(|char: char| char.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    is_scheme.then_some(scheme)
}

/// Whether this is the type of references.
pub(super) fn is_reference(of: &'static Type) -> bool {
    static REFERENCE: LazyLock<Option<&'static Type>> = LazyLock::new(|| Type::named("Reference"));
    REFERENCE.is_some_and(|reference| std::ptr::eq(reference, of))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_that_lead_into_the_store_or_out_of_it_are_good() {
        for good in [
            "Patient/a",
            "Patient/a-1.B",
            "Patient/a/_history/1",
            "#",
            "#med1",
            "http://example.org/fhir/Patient/a",
            "https://example.org/anything?x=y",
            "ftp://example.org/a",
            "Subscription/a",
            "OperationOutcome/a",
        ] {
            assert_eq!(LooseReference::of(good), None, "{good}");
        }
    }

    #[test]
    fn other_references_are_told_apart() {
        for (reference, expected) in [
            ("urn:uuid:c757873d-ec9a-4326-a141-556f43239520", LooseReference::Urn),
            ("urn:oid:1.2.3", LooseReference::Urn),
            ("URN:UUID:C757873D-EC9A-4326-A141-556F43239520", LooseReference::Urn),
            ("Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|9999999299", LooseReference::Search),
            ("Location?identifier=https://github.com/synthetichealth/synthea|x", LooseReference::Search),
            ("/Patient?name=a", LooseReference::Search),
            ("Patients/a", LooseReference::UnknownType),
            ("patient/a", LooseReference::UnknownType),
            ("Basic/a", LooseReference::UnsupportedType),
            ("CodeSystem/a/_history/2", LooseReference::UnsupportedType),
            ("a", LooseReference::Form),
            ("", LooseReference::Form),
            ("Patient", LooseReference::Form),
            ("Patient/", LooseReference::Form),
            ("/Patient/a", LooseReference::Form),
            ("Patient/a b", LooseReference::Form),
            ("Patient/a/b", LooseReference::Form),
            ("Patient/a/_history", LooseReference::Form),
            ("Patient/a/_history/1/2", LooseReference::Form),
            ("Patient/a#b", LooseReference::Form),
            ("fhir/Patient/a", LooseReference::Form),
        ] {
            assert_eq!(LooseReference::of(reference), Some(expected), "{reference}");
        }
    }
}
