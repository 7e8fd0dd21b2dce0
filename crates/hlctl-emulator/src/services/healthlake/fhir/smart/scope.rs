//! SMART scopes that name resources: `patient/Observation.rs`, `system/*.*` (HealthLake developer guide, SMART on
//! FHIR OAuth 2.0 scopes).

use crate::services::healthlake::fhir::address;
use crate::services::healthlake::fhir::types;

/// What is done with a resource, by the letters of SMART's second version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Verb {
    Create,
    Read,
    Update,
    Delete,
    Search,
}

impl Verb {
    const ALL: [(char, Verb); 5] =
        [('c', Verb::Create), ('r', Verb::Read), ('u', Verb::Update), ('d', Verb::Delete), ('s', Verb::Search)];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Search => "search",
        }
    }
}

/// Whose data a scope is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Patient,
    User,
    System,
}

/// Which scopes a datastore knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grammar {
    /// `read`, `write` and `*`.
    First,
    /// Also letters of `cruds`.
    Second {
        /// Whether scopes with filters count (`permission-v2.2`).
        filters: bool,
    },
}

/// A scope that is understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scope {
    pub(super) level: Level,
    /// `None` for all types.
    pub(super) kind: Option<&'static str>,
    pub(super) verbs: Vec<Verb>,
    /// Search parameters that limit it.
    pub(super) filter: Vec<(String, String)>,
}

impl Scope {
    /// Reads a scope; `None` if it is none for resources, or none that this grammar has.
    pub(super) fn parse(text: &str, grammar: Grammar) -> Option<Self> {
        let (level, rest) = text.split_once('/')?;
        let level = match level {
            "patient" => Level::Patient,
            "user" => Level::User,
            "system" => Level::System,
            _ => return None,
        };
        let (rest, filter) = match (rest.split_once('?'), grammar) {
            (None, _) => (rest, Vec::new()),
            (Some((rest, filter)), Grammar::Second { filters: true }) => (rest, address::parameters(filter.as_bytes())),
            (Some(_), _) => return None,
        };
        let (kind, verbs) = rest.rsplit_once('.')?;
        let kind = match kind {
            "*" => None,
            name => Some(types::in_r4(name)?),
        };
        if kind.is_none() && !filter.is_empty() {
            return None;
        }
        let verbs = first(verbs).or_else(|| (grammar != Grammar::First).then(|| second(verbs))?)?;
        Some(Self { level, kind, verbs, filter })
    }

    pub(super) fn covers(&self, verb: Verb, kind: &str) -> bool {
        self.verbs.contains(&verb) && self.kind.is_none_or(|own| own == kind)
    }
}

fn first(verbs: &str) -> Option<Vec<Verb>> {
    const READ: [Verb; 2] = [Verb::Read, Verb::Search];
    const WRITE: [Verb; 3] = [Verb::Create, Verb::Update, Verb::Delete];
    match verbs {
        "read" => Some(READ.to_vec()),
        "write" => Some(WRITE.to_vec()),
        "*" => Some([&READ[..], &WRITE[..]].concat()),
        _ => None,
    }
}

/// Letters of `cruds`, in that order.
fn second(letters: &str) -> Option<Vec<Verb>> {
    let mut rest = letters;
    let mut verbs = Vec::new();
    for (letter, verb) in Verb::ALL {
        if let Some(after) = rest.strip_prefix(letter) {
            verbs.push(verb);
            rest = after;
        }
    }
    (rest.is_empty() && !verbs.is_empty()).then_some(verbs)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use proptest::prelude::*;

    const SECOND: Grammar = Grammar::Second { filters: false };

    fn letters(text: &str, grammar: Grammar) -> String {
        let scope = Scope::parse(text, grammar);
        scope.map_or("-".to_owned(), |scope| {
            let has = |verb: &Verb| scope.verbs.contains(verb);
            Verb::ALL.iter().filter(|(_, verb)| has(verb)).map(|(letter, _)| *letter).collect()
        })
    }

    #[test]
    fn each_version_has_its_own_words() {
        for (text, one, two) in [
            ("system/*.*", "cruds", "cruds"),
            ("patient/*.read", "rs", "rs"),
            ("user/Observation.write", "cud", "cud"),
            ("patient/Observation.rs", "-", "rs"),
            ("system/*.cruds", "-", "cruds"),
            ("system/*.sr", "-", "-"),
            ("system/*.", "-", "-"),
            ("system/Foo.read", "-", "-"),
            ("launch/patient", "-", "-"),
            ("openid", "-", "-"),
            ("patient/Observation.rs?category=laboratory", "-", "-"),
        ] {
            assert_eq!(letters(text, Grammar::First), one, "{text}");
            assert_eq!(letters(text, SECOND), two, "{text}");
        }
        let with = Grammar::Second { filters: true };
        let scope = Scope::parse("patient/Observation.rs?category=a|b&status=final", with).unwrap();
        assert_eq!(scope.filter.len(), 2);
        assert_eq!(Scope::parse("patient/*.rs?category=a", with), None);
    }

    proptest! {
        #[test]
        fn any_text_is_a_scope_or_is_not(text in "(patient|user|system|x)?/?[A-Za-z*]{0,12}\\.?[cruds*a-z?=&]{0,8}") {
            if let Some(scope) = Scope::parse(&text, Grammar::Second { filters: true }) {
                prop_assert!(!scope.verbs.is_empty());
                prop_assert!(scope.verbs.iter().all(|verb| scope.covers(*verb, scope.kind.unwrap_or("Patient"))));
            }
        }
    }
}
