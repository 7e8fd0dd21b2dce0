//! What HealthLake takes in a search, for those whose search it has refused.
//!
//! The source is the HealthLake Developer Guide, "FHIR R4 search parameters for HealthLake" and "FHIR R4 supported resource
//! types for HealthLake", as of August 2026. Nothing is held back because of it: the store decides.

use crate::data::check::resource_types::{is_supported, searchable};
use crate::error::CommandError;
use crate::session::Session;
use hlctl_aws::ErrorKind;
use hlctl_fhir::{ErrorResponse, FhirError};

/// The most resources on a page.
const LARGEST_PAGE: u64 = 100;
/// The most keys to sort by.
const MOST_KEYS: usize = 5;

/// Says before anything is asked that a page cannot be as large as it is wanted. The store decides all the same.
pub(super) fn warn(session: &Session, parameters: &[(String, String)]) {
    for (_, value) in parameters.iter().filter(|(name, _)| name == "_count") {
        if value.parse::<u64>().is_ok_and(|count| count > LARGEST_PAGE) {
            session.printer.warning(&format!(
                "HealthLake accepts at most {LARGEST_PAGE} for _count and refuses more; --all fetches all pages"
            ));
        }
    }
}

/// Adds to a refusal of a search what of it HealthLake does not take.
pub(super) fn advise(error: CommandError, kind: &str, parameters: &[(String, String)]) -> CommandError {
    match error {
        CommandError::Fhir(FhirError::Refused(mut refusal)) if is_about_the_search(&refusal) => {
            refusal.advice = advice(kind, parameters);
            CommandError::Fhir(FhirError::Refused(refusal))
        }
        other => other,
    }
}

/// Whether it is what was asked for that was refused: not who asks, nor how often.
fn is_about_the_search(refusal: &ErrorResponse) -> bool {
    matches!(refusal.status, Some(400 | 404 | 405 | 422 | 501))
        && matches!(refusal.aws.kind, ErrorKind::Refused | ErrorKind::NotFound)
        && !refusal.is_about_signature()
}

fn advice(kind: &str, parameters: &[(String, String)]) -> Option<String> {
    let of_type = if !is_supported(kind) {
        Some(format!("HealthLake does not have the resource type {kind}"))
    } else if searchable().all(|name| name != kind) {
        Some(format!("HealthLake does not accept GET and POST requests for {kind}"))
    } else {
        None
    };
    let of_parameters = parameters.iter().filter_map(|(name, value)| about(name, value));
    let all: Vec<String> = of_type.into_iter().chain(of_parameters).collect();
    (!all.is_empty()).then(|| all.join("\n"))
}

fn about(name: &str, value: &str) -> Option<String> {
    const COUNT: &str = "_total=accurate _count=1 gives the number of all matches";
    match name {
        "_summary" if value == "count" => Some(format!("HealthLake does not support _summary=count; {COUNT}")),
        "_summary" if !["true", "text", "data", "false"].contains(&value) => {
            Some("HealthLake accepts true, text, data and false for _summary".to_owned())
        }
        "_total" if !["accurate", "none"].contains(&value) => {
            Some("HealthLake accepts accurate and none for _total".to_owned())
        }
        "_count" => match value.parse::<u64>() {
            Ok(0) => Some(format!("HealthLake does not support _count=0; {COUNT}")),
            Ok(count) if count <= LARGEST_PAGE => None,
            _ => Some(format!("HealthLake accepts 1 to {LARGEST_PAGE} for _count; --all fetches all pages")),
        },
        "_sort" if value.split(',').count() > MOST_KEYS => {
            Some(format!("HealthLake sorts by {MOST_KEYS} keys at most"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_guide_calls_invalid_is_named() {
        for (kind, name, value, reported) in [
            ("Patient", "_summary", "count", Some("_total=accurate _count=1")),
            ("Patient", "_summary", "all", Some("true, text, data and false")),
            ("Patient", "_summary", "true", None),
            ("Patient", "_total", "estimate", Some("accurate and none")),
            ("Patient", "_total", "accurate", None),
            ("Patient", "_count", "0", Some("_total=accurate _count=1")),
            ("Patient", "_count", "1000", Some("--all")),
            ("Patient", "_count", "100", None),
            ("Patient", "_sort", "a,b,c,d,e,f", Some("5 keys")),
            ("Patient", "_sort", "-birthdate", None),
            ("Patient", "name", "count", None),
            ("Basic", "name", "x", Some("does not have the resource type Basic")),
            ("Parameters", "name", "x", Some("for Parameters")),
        ] {
            let found = advice(kind, &[(name.to_owned(), value.to_owned())]);
            match reported {
                Some(reported) => {
                    assert!(found.as_ref().is_some_and(|found| found.contains(reported)), "{name}={value}: {found:?}");
                }
                None => assert_eq!(found, None, "{name}={value}"),
            }
        }
    }
}
