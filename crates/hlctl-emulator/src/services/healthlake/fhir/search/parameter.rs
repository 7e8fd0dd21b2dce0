//! The search parameters that are known: their names, kinds and the elements they look at.
//!
//! The tables hold the parameters that R4 defines for the types of everyday use. Other types have those of
//! [`COMMON`] only.

use super::tables;

/// What the values of a parameter are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Kind {
    Text,
    Token,
    /// The types that an id alone may mean, and that the element must lead to; any type if there are none.
    Reference(&'static [&'static str]),
    Date,
    Quantity,
    Uri,
}

impl Kind {
    /// The name in a CapabilityStatement.
    pub(in super::super) fn name(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Token => "token",
            Self::Reference(_) => "reference",
            Self::Date => "date",
            Self::Quantity => "quantity",
            Self::Uri => "uri",
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Parameter {
    pub(in super::super) name: &'static str,
    pub(in super::super) kind: Kind,
    pub(in super::super) paths: &'static [&'static str],
}

/// Parameters of every type, in addition to `_id` and `_lastUpdated`, which no element is looked at for.
const COMMON: &[Parameter] = &[
    token("_tag", &["meta.tag"]),
    token("_security", &["meta.security"]),
    uri("_profile", &["meta.profile"]),
    uri("_source", &["meta.source"]),
];

/// All parameters of a type but `_id` and `_lastUpdated`.
pub(in super::super) fn of(kind: &str) -> impl Iterator<Item = &'static Parameter> {
    COMMON.iter().chain(tables::of(kind))
}

/// The parameter of that name.
pub(in super::super) fn find(kind: &str, name: &str) -> Option<&'static Parameter> {
    of(kind).find(|parameter| parameter.name == name)
}

pub(super) const fn text(name: &'static str, paths: &'static [&'static str]) -> Parameter {
    Parameter { name, kind: Kind::Text, paths }
}

pub(super) const fn token(name: &'static str, paths: &'static [&'static str]) -> Parameter {
    Parameter { name, kind: Kind::Token, paths }
}

pub(super) const fn reference(
    name: &'static str,
    targets: &'static [&'static str],
    paths: &'static [&'static str],
) -> Parameter {
    Parameter { name, kind: Kind::Reference(targets), paths }
}

pub(super) const fn date(name: &'static str, paths: &'static [&'static str]) -> Parameter {
    Parameter { name, kind: Kind::Date, paths }
}

pub(super) const fn quantity(name: &'static str, paths: &'static [&'static str]) -> Parameter {
    Parameter { name, kind: Kind::Quantity, paths }
}

pub(super) const fn uri(name: &'static str, paths: &'static [&'static str]) -> Parameter {
    Parameter { name, kind: Kind::Uri, paths }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::healthlake::fhir::types;

    #[test]
    fn no_type_has_two_parameters_of_one_name() {
        for kind in types::all() {
            let mut names: Vec<_> = of(kind).map(|parameter| parameter.name).collect();
            names.sort_unstable();
            let count = names.len();
            names.dedup();
            assert_eq!(names.len(), count, "{kind}");
            assert!(of(kind).all(|parameter| !parameter.paths.is_empty()), "{kind}");
        }
    }

    #[test]
    fn targets_are_types() {
        for parameter in types::all().flat_map(of) {
            if let Kind::Reference(targets) = parameter.kind {
                assert!(targets.iter().all(|target| types::in_r4(target).is_some()), "{}", parameter.name);
            }
        }
    }
}
