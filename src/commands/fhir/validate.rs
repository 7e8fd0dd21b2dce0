//! `hlctl fhir validate`: `$validate`, which stores nothing (HealthLake developer guide, validating FHIR resources with `$validate`).
//!
//! The status is always 200: what is wrong stands in the OperationOutcome.

use http::Method;

use super::error::Invalid;
use super::input::Content;
use super::{ask, open, print, text, value};
use crate::cli::{FhirValidateArgs, ValidationMode};
use crate::error::CommandError;
use crate::session::Session;
use hlctl_aws::ops;
use hlctl_fhir::client::JSON;
use hlctl_fhir::refusal::issues;
use hlctl_model::exit_code::ExitCode;

pub(super) async fn run(session: &Session, arguments: &FhirValidateArgs) -> Result<ExitCode, CommandError> {
    let content = Content::read(&arguments.file).await?;
    let path = match arguments.mode {
        Some(ValidationMode::Update) => format!("{}/$validate", content.reference()?),
        Some(ValidationMode::Create) | None => format!("{}/$validate", content.kind),
    };
    let mode = arguments.mode.map(|mode| match mode {
        ValidationMode::Create => "create",
        ValidationMode::Update => "update",
    });
    let parameters: Vec<(String, String)> = [("profile", arguments.fhir_profile.as_deref()), ("mode", mode)]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    let fhir = open(session, &arguments.access).await?;
    let ask = ask(&fhir, ops::fhir::VALIDATE_RESOURCE, Method::POST, &path, &parameters)
        .with_body(JSON, content.body.clone());
    let answer = fhir.send(&ask).await?;
    print::json(session, &text(&answer, ask.about())?);
    let found = issues(&value(&answer));
    let wrong = found.iter().filter(|issue| ["error", "fatal"].contains(&issue.severity.as_str()));
    let wrong: Vec<String> = wrong.map(ToString::to_string).collect();
    if !wrong.is_empty() {
        return Err(Invalid { about: format!("the {}", content.kind), issues: wrong }.into());
    }
    for issue in found.iter().filter(|issue| issue.severity == "warning") {
        session.printer.warning(&issue.to_string());
    }
    session.printer.say(&format!("The store finds no error in the {}.", content.kind));
    Ok(ExitCode::Success)
}
