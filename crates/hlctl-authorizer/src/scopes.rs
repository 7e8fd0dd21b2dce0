//! The grammar of SMART's clinical scopes, versions 1 and 2.
//!
//! Version 1 is `(patient|user|system)/(Resource|*).(read|write|*)`. Version 2 has one or more of the letters `cruds`, in that
//! order, in place of the verb, and may end in `?param=value&...` (HL7 SMART App Launch, "Scopes and Launch Context"; HealthLake
//! Developer Guide, "OAuth scopes"). HealthLake takes no filter for all resources at once. Resource types are judged by their
//! form only, so that the list of them need not be kept here; HealthLake knows which there are.

const CONTEXTS: [&str; 3] = ["patient", "user", "system"];
const VERBS: [&str; 3] = ["read", "write", "*"];
/// Create, read, update, delete, search.
const INTERACTIONS: &str = "cruds";
/// No FHIR resource type is as long as this.
const RESOURCE_LIMIT: usize = 64;

/// Whether a token's `scope` has at least one that gives access to FHIR resources. `launch/...` and `openid` give none.
pub(crate) fn any_clinical(scope: &str) -> bool {
    scope.split(' ').any(is_clinical)
}

/// Whether this is one clinical scope.
pub(crate) fn is_clinical(scope: &str) -> bool {
    let Some((context, rest)) = scope.split_once('/') else { return false };
    let Some((resource, access)) = rest.split_once('.') else { return false };
    CONTEXTS.contains(&context) && is_resource(resource) && is_access(access, resource)
}

fn is_resource(name: &str) -> bool {
    let is_type = name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.bytes().all(|byte| byte.is_ascii_alphabetic())
        && name.len() <= RESOURCE_LIMIT;
    name == "*" || is_type
}

fn is_access(access: &str, resource: &str) -> bool {
    match access.split_once('?') {
        Some((letters, query)) => resource != "*" && are_interactions(letters) && is_query(query),
        None => VERBS.contains(&access) || are_interactions(access),
    }
}

/// A subset of the letters in their order: each is found after the one before it.
fn are_interactions(letters: &str) -> bool {
    let mut left = INTERACTIONS.chars();
    !letters.is_empty() && letters.chars().all(|letter| left.any(|next| next == letter))
}

fn is_query(query: &str) -> bool {
    query.split('&').all(|pair| {
        let parts = pair.split_once('=');
        parts.is_some_and(|(name, value)| is_search_text(name) && is_search_text(value))
    })
}

/// What RFC 6749 lets a scope have (`scope-token`), without the signs that part a query.
fn is_search_text(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b'&' | b'?' | b'#');
    !text.is_empty() && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::{select, subsequence};

    use super::*;

    #[test]
    fn the_scopes_of_the_documents_are_clinical() {
        let scopes = [
            "patient/*.read",
            "user/Observation.write",
            "system/*.*",
            "patient/Observation.rs",
            "system/*.cruds",
            "user/Patient.d",
            "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory",
            "user/Observation.cruds?category=laboratory&status:not=final",
        ];
        for scope in scopes {
            assert!(is_clinical(scope), "{scope}");
        }
    }

    #[test]
    fn a_filter_is_pairs_of_a_name_and_a_value_for_one_type_of_version_2() {
        let scopes = [
            "patient/Observation.rs?",
            "patient/Observation.rs?category",
            "patient/Observation.rs?category=",
            "patient/Observation.rs?=laboratory",
            "patient/Observation.rs?category=laboratory&",
            "patient/Observation.rs?a=b&&c=d",
            "patient/Observation.rs?a=b?c=d",
            "patient/Observation.rs?a=\"b\"",
            "patient/Observation.?a=b",
            "patient/Observation.read?a=b",
            "patient/*.rs?a=b",
        ];
        for scope in scopes {
            assert!(!is_clinical(scope), "{scope}");
        }
    }

    #[test]
    fn one_clinical_scope_among_others_is_enough() {
        assert!(any_clinical("openid launch/patient patient/*.read"));
        assert!(!any_clinical("openid launch/patient"));
        assert!(!any_clinical("patient/*.read,openid"));
        assert!(!any_clinical(""));
    }

    fn context() -> impl Strategy<Value = &'static str> {
        select(&CONTEXTS[..])
    }

    fn resource() -> impl Strategy<Value = String> {
        prop_oneof![Just("*".to_owned()), "[A-Z][A-Za-z]{0,63}"]
    }

    proptest! {
        #[test]
        fn every_verb_of_version_1_is_clinical(context in context(), resource in resource(), verb in select(&VERBS[..])) {
            let scope = format!("{context}/{resource}.{verb}");
            prop_assert!(is_clinical(&scope));
        }

        #[test]
        fn letters_in_their_order_are_clinical_and_no_others(
            context in context(),
            resource in resource(),
            letters in subsequence(INTERACTIONS.chars().collect::<Vec<_>>(), 1..=5),
            place in any::<prop::sample::Index>(),
        ) {
            let in_order: String = letters.iter().collect();
            let scope = format!("{context}/{resource}.{in_order}");
            prop_assert!(is_clinical(&scope));

            let mut repeated = letters.clone();
            let again = letters[place.index(letters.len())];
            repeated.push(again);
            let repeated: String = repeated.iter().collect();
            let scope = format!("{context}/{resource}.{repeated}");
            prop_assert!(!is_clinical(&scope));

            let backwards: String = letters.iter().rev().collect();
            let scope = format!("{context}/{resource}.{backwards}");
            prop_assert_eq!(is_clinical(&scope), letters.len() == 1);
        }

        #[test]
        fn what_is_clinical_has_three_parts_of_known_form(scope in "(patient|user|launch)?/?[*A-Za-z]{0,4}\\.?[a-z*?=&]{0,6}") {
            if is_clinical(&scope) {
                let (context, rest) = scope.split_once('/').unwrap_or_default();
                prop_assert!(CONTEXTS.contains(&context));
                prop_assert!(rest.starts_with(|first: char| first == '*' || first.is_ascii_uppercase()));
                prop_assert!(rest.contains('.') && !rest.ends_with('.'));
            }
        }

        #[test]
        fn no_text_breaks_the_grammar(scope in ".*") {
            let _ = any_clinical(&scope);
        }

        #[test]
        fn white_space_makes_no_scope_clinical(space in "[\\t\\n\\r\\x0b\\x0c\u{a0}\u{2003}]", before in any::<bool>()) {
            let scope = if before { format!("{space}patient/*.read") } else { format!("patient/*.read{space}") };
            prop_assert!(!any_clinical(&scope));
        }
    }
}
