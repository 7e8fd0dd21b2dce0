//! `hlctl fhir get`, `search`, `history` and `everything`.

use http::{HeaderName, HeaderValue, Method};

use super::accepted;
use super::error::FhirUsage;
use super::many::{self, Kind};
use super::{ask, open, print, text};
use crate::cli::{Consistency, EverythingArgs, Format, GetArgs, HistoryArgs, SearchArgs};
use crate::error::CommandError;
use crate::session::Session;
use hlctl_aws::ops;
use hlctl_fhir::{Fhir, FhirRequest, address};
use hlctl_model::exit_code::ExitCode;

const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// HealthLake developer guide, reading FHIR resource history.
const CONSISTENCY: HeaderName = HeaderName::from_static("x-amz-fhir-history-consistency-level");

/// Parameters that are never about anybody: how much is given, in which order, and what is given along.
const HARMLESS: [&str; 15] = [
    "_contained",
    "_count",
    "_elements",
    "_format",
    "_id",
    "_include",
    "_include:iterate",
    "_lastUpdated",
    "_page",
    "_pretty",
    "_revinclude",
    "_revinclude:iterate",
    "_sort",
    "_summary",
    "_total",
];

pub(super) async fn get(session: &Session, arguments: &GetArgs) -> Result<ExitCode, CommandError> {
    let fhir = open(session, &arguments.access).await?;
    let path = arguments.path.as_str();
    let operation = match path {
        "metadata" => ops::fhir::GET_CAPABILITIES,
        ".well-known/smart-configuration" => ops::fhir::GET_DISCOVERY_DOCUMENT,
        _ if path.contains("/_history/") => ops::fhir::VERSION_READ_RESOURCE,
        _ => ops::fhir::READ_RESOURCE,
    };
    let ask = ask(&fhir, operation, Method::GET, path, &[]);
    let answer = fhir.send(&ask).await?;
    let text = text(&answer, ask.about())?;
    match arguments.shape.asked().unwrap_or(Format::Json) {
        Format::Json => print::json(session, &text),
        Format::Ndjson => print::line(session, &text),
        Format::Table => print::one(session, &text),
    }
    Ok(ExitCode::Success)
}

pub(super) async fn search(session: &Session, arguments: &SearchArgs) -> Result<ExitCode, CommandError> {
    let fhir = open(session, &arguments.many.access).await?;
    accepted::warn(session, &arguments.many.parameters);
    let in_body = arguments.post || (!arguments.get && may_be_patient_data(&arguments.many.parameters));
    let shown = many::show(session, &fhir, search_ask(&fhir, arguments, in_body), &arguments.many, Kind::Found).await;
    shown.map_err(|error| accepted::advise(error, &arguments.kind, &arguments.many.parameters))
}

fn search_ask(fhir: &Fhir, arguments: &SearchArgs, in_body: bool) -> FhirRequest {
    let (kind, parameters) = (arguments.kind.as_str(), arguments.many.parameters.as_slice());
    if in_body {
        let path = format!("{kind}/_search");
        ask(fhir, ops::fhir::SEARCH_WITH_POST, Method::POST, &path, &[]).with_body(FORM, address::encoded(parameters))
    } else {
        ask(fhir, ops::fhir::SEARCH_WITH_GET, Method::GET, kind, parameters)
    }
}

/// Addresses end up in the logs of whatever stands in between; bodies do not.
fn may_be_patient_data(parameters: &[(String, String)]) -> bool {
    parameters.iter().any(|(name, _)| !HARMLESS.contains(&name.as_str()))
}

pub(super) async fn history(session: &Session, arguments: &HistoryArgs) -> Result<ExitCode, CommandError> {
    let fhir = open(session, &arguments.many.access).await?;
    let path = format!("{}/_history", arguments.path);
    accepted::warn(session, &arguments.many.parameters);
    let mut ask = ask(&fhir, ops::fhir::GET_HISTORY_BY_RESOURCE_ID, Method::GET, &path, &arguments.many.parameters);
    if let Some(consistency) = arguments.consistency {
        let level = match consistency {
            Consistency::Strong => "strong",
            Consistency::Eventual => "eventual",
        };
        ask = ask.with(CONSISTENCY, HeaderValue::from_static(level));
    }
    many::show(session, &fhir, ask, &arguments.many, Kind::Versions).await
}

pub(super) async fn everything(session: &Session, arguments: &EverythingArgs) -> Result<ExitCode, CommandError> {
    if arguments.reference.kind != "Patient" {
        return Err(FhirUsage::NotAPatient(arguments.reference.clone()).into());
    }
    let fhir = open(session, &arguments.many.access).await?;
    accepted::warn(session, &arguments.many.parameters);
    let path = format!("{}/$everything", arguments.reference);
    let ask = ask(&fhir, ops::fhir::SEARCH_EVERYTHING, Method::GET, &path, &arguments.many.parameters);
    many::show(session, &fhir, ask, &arguments.many, Kind::Found).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_about_nobody_goes_into_the_address() {
        let parameters =
            |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect::<Vec<_>>();
        assert!(!may_be_patient_data(&parameters(&["_count", "_sort", "_id", "_lastUpdated", "_summary"])));
        for name in [
            "name",
            "identifier",
            "birthdate",
            "_has:Observation:patient:code",
            "_filter",
            "_Count",
            "_id:below",
            "_tag",
        ] {
            assert!(may_be_patient_data(&parameters(&["_count", name])), "{name}");
        }
    }
}
