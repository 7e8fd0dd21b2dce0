//! References: those that lead nowhere in a store, and the resources that others lead to.

use std::sync::LazyLock;

use hlctl_r4::Type;

use super::place::Place;
use super::primitive;
use crate::check::Mark;
use crate::check::resource_types::{disputed, is_resource_type, supported};

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

/// A resource of a store that a reference leads to. Its id is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The element that is the reference.
    pub place: Place,
    /// The type of the resource.
    pub kind: &'static str,
    /// By which a resource of this type and id is known.
    pub mark: Mark,
}

/// Where a reference leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reference<'a> {
    /// To no resource.
    Loose(LooseReference),
    /// To the resource of a store that has this type and id.
    Literal {
        /// A type that HealthLake has, or may have.
        kind: &'static str,
        id: &'a str,
    },
    /// Into the resource itself, or out of the store.
    Elsewhere,
}

impl<'a> Reference<'a> {
    /// What a reference is by its form.
    pub(super) fn of(reference: &'a str) -> Self {
        if reference.starts_with('#') {
            return Self::Elsewhere;
        }
        // Most are of this form, which has no more to it.
        let type_length = reference.bytes().take_while(u8::is_ascii_alphabetic).count();
        if let Some(id) = reference[type_length..].strip_prefix('/').filter(|id| primitive::is_id(id))
            && let Some(kind) = target(&reference[..type_length])
        {
            return Self::Literal { kind, id };
        }
        if let Some(scheme) = scheme(reference) {
            let is_urn = scheme.eq_ignore_ascii_case("urn");
            return if is_urn { Self::Loose(LooseReference::Urn) } else { Self::Elsewhere };
        }
        if memchr::memchr(b'?', reference.as_bytes()).is_some() {
            return Self::Loose(LooseReference::Search);
        }
        let mut parts = reference.split('/');
        let kind = parts.next().unwrap_or_default();
        let is_id = |id: &&str| primitive::is_id(id);
        let id = parts.next().filter(is_id);
        let has_form = match parts.next() {
            None => true,
            Some("_history") => parts.next().filter(is_id).is_some() && parts.next().is_none(),
            Some(_) => false,
        };
        let Some(id) = id.filter(|_| has_form) else { return Self::Loose(LooseReference::Form) };
        match target(kind) {
            Some(kind) => Self::Literal { kind, id },
            None if is_resource_type(kind) => Self::Loose(LooseReference::UnsupportedType),
            None => Self::Loose(LooseReference::UnknownType),
        }
    }
}

/// A type that HealthLake has, or may have.
fn target(kind: &str) -> Option<&'static str> {
    supported(kind).or_else(|| disputed(kind))
}

/// The scheme of an absolute URI (RFC 3986, section 3.1).
fn scheme(text: &str) -> Option<&str> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    let length = text.bytes().take_while(is_part).count();
    let is_scheme = text.starts_with(|char: char| char.is_ascii_alphabetic()) && text[length..].starts_with(':');
    is_scheme.then(|| &text[..length])
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
        for (literal, target, id) in [
            ("Patient/a", "Patient", "a"),
            ("Patient/a-1.B", "Patient", "a-1.B"),
            ("Patient/a/_history/1", "Patient", "a"),
            ("Subscription/a", "Subscription", "a"),
            ("SubscriptionTopic/a", "SubscriptionTopic", "a"),
            ("OperationOutcome/a", "OperationOutcome", "a"),
        ] {
            assert_eq!(Reference::of(literal), Reference::Literal { kind: target, id }, "{literal}");
        }
        for elsewhere in [
            "#",
            "#med1",
            "http://example.org/fhir/Patient/a",
            "https://example.org/anything?x=y",
            "ftp://example.org/a",
        ] {
            assert_eq!(Reference::of(elsewhere), Reference::Elsewhere, "{elsewhere}");
        }
    }

    #[test]
    fn other_references_are_distinguished() {
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
            assert_eq!(Reference::of(reference), Reference::Loose(expected), "{reference}");
        }
    }
}
