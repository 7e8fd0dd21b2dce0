//! What HealthLake sends: `datastoreEndpoint`, `operationName`, `bearerToken`.
//!
//! Any JSON is an event. Whatever is missing or not text is absent, and [`Event::parts`] refuses, since an event that could not
//! be read would be an error of the function instead of an answer.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use crate::Refusal;

/// The longest operation name that is logged.
const OPERATION_LIMIT: usize = 64;

/// One request of HealthLake for the validation of a token.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Value")]
pub struct Event {
    endpoint: Option<String>,
    operation: Option<String>,
    token: Option<String>,
}

/// What is asked of a whole event: whether this token opens this store.
pub(crate) struct Parts<'a> {
    pub(crate) endpoint: &'a str,
    pub(crate) token: &'a str,
}

impl Event {
    /// An event as HealthLake would send it.
    pub fn new(endpoint: impl Into<String>, operation: impl Into<String>, token: impl Into<String>) -> Self {
        Self { endpoint: Some(endpoint.into()), operation: Some(operation.into()), token: Some(token.into()) }
    }

    /// The operation's name if it looks like one, for the log.
    pub fn loggable_operation(&self) -> &str {
        let plausible = |name: &&str| {
            (1..=OPERATION_LIMIT).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        self.operation.as_deref().filter(plausible).unwrap_or("unknown")
    }

    /// The store and the token, if nothing is missing. The operation decides nothing here, but HealthLake always names it.
    pub(crate) fn parts(&self) -> Result<Parts<'_>, Refusal> {
        let endpoint = filled(self.endpoint.as_deref())?;
        filled(self.operation.as_deref())?;
        let token = without_scheme(filled(self.token.as_deref())?);
        Ok(Parts { endpoint, token: filled(Some(token))? })
    }
}

fn filled(text: Option<&str>) -> Result<&str, Refusal> {
    text.filter(|text| !text.is_empty()).ok_or(Refusal::MalformedEvent)
}

/// No page says whether HealthLake hands on the header's value or the token alone, so both are taken.
fn without_scheme(value: &str) -> &str {
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim_start_matches(' '),
        _ => value,
    }
}

impl From<Value> for Event {
    fn from(mut event: Value) -> Self {
        let mut text = |name| match event.get_mut(name).map(Value::take) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        Self { endpoint: text("datastoreEndpoint"), operation: text("operationName"), token: text("bearerToken") }
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Event").field("operation", &self.loggable_operation()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_looks_like_an_operation_is_logged() {
        let long = "A".repeat(OPERATION_LIMIT + 1);
        for (name, logged) in [
            ("SearchWithGet", "SearchWithGet"),
            ("", "unknown"),
            ("two\nlines", "unknown"),
            ("eyJhbGciOiJSUzI1NiJ9.e30.c2ln", "unknown"),
            (&long, "unknown"),
        ] {
            assert_eq!(Event::new("e", name, "t").loggable_operation(), logged);
        }
    }

    #[test]
    fn debug_shows_no_token() {
        let event = Event::new("https://store/", "ReadResource", "secret-token");
        assert!(!format!("{event:?}").contains("secret"));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".*".prop_map(Value::from),
        ];
        let name = prop_oneof![
            Just("datastoreEndpoint".to_owned()),
            Just("operationName".to_owned()),
            Just("bearerToken".to_owned()),
            ".*",
        ];
        leaf.prop_recursive(3, 16, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(name.clone(), inner, 0..4).prop_map(|members| json!(members)),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_json_is_an_event_and_whole_only_with_three_texts(value in any_json()) {
            let text = |name: &str| value[name].as_str().is_some_and(|text| !text.is_empty());
            let all_there = text("datastoreEndpoint") && text("operationName") && text("bearerToken");
            let event: Event = serde_json::from_value(value.clone()).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert!(all_there || event.parts().is_err());
        }

        #[test]
        fn a_token_is_handed_on_as_it_is_but_for_its_scheme(token in "[!-~]{1,40}", scheme in "(|[Bb][Ee][Aa][Rr][Ee][Rr] {1,3})") {
            let event = Event::new("https://store/", "ReadResource", format!("{scheme}{token}"));
            prop_assert_eq!(event.parts().map(|parts| parts.token.to_owned()), Ok(token));
        }
    }
}
