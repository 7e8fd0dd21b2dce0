//! `hlctl fhir create`, `update`, `patch` and `delete`, and what they have in common with `bundle`.
//!
//! What may be sent again after a lost answer: a creation, since its idempotency key keeps the store from making a second one
//! (HealthLake developer guide, "Idempotency and concurrency"); an update and a deletion without a condition, which a second time
//! change nothing more; a bundle of nothing but these. A condition would be found broken by one's own first attempt, and a patch
//! may add to a list.

use std::path::Path;

use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use serde_json::Value;
use uuid::Uuid;

use super::error::{Doubtful, FhirUsage};
use super::input::Content;
use super::{ask, open, print, text, value};
use crate::cli::{CreateArgs, DeleteArgs, Level, PatchArgs, UpdateArgs};
use crate::commands::confirm::approve;
use crate::data::import::ValidationLevel;
use crate::error::CommandError;
use crate::session::Session;
use hlctl_aws::ops;
use hlctl_fhir::client::JSON;
use hlctl_fhir::oauth::tell;
use hlctl_fhir::{ErrorResponse, Fhir, FhirReference, FhirRequest, FhirResponse};
use hlctl_model::exit_code::ExitCode;
use hlctl_model::invocation::CommandLine;

const KEY: HeaderName = HeaderName::from_static("x-amz-fhir-idempotency-key");
pub(super) const PREFER: HeaderName = HeaderName::from_static("prefer");
const IF_NONE_EXIST: HeaderName = HeaderName::from_static("if-none-exist");
/// HealthLake developer guide, creating a FHIR resource.
const LEVEL: HeaderName = HeaderName::from_static("x-amzn-healthlake-fhir-validation-level");
const ISSUES: HeaderName = HeaderName::from_static("x-amzn-healthlake-validation-issues");

pub(super) async fn create(session: &Session, arguments: &CreateArgs) -> Result<ExitCode, CommandError> {
    let content = session.interruptible(Content::read(&arguments.file)).await?;
    let fhir = open(session, &arguments.access).await?;
    if content.value.get("id").is_some() {
        session.printer.warning("the store chooses the id of what is created; `fhir update` keeps that of the file");
    }
    let key = arguments.idempotency_key.unwrap_or_else(Uuid::new_v4).to_string();
    let mut ask = ask(&fhir, ops::fhir::CREATE_RESOURCE, Method::POST, &content.kind, &[])
        .with_body(JSON, content.body.clone())
        .with(KEY, header_value("--idempotency-key", &key)?);
    if let Some(query) = &arguments.if_none_exist {
        ask = ask.with(IF_NONE_EXIST, header_value("--if-none-exist", query)?);
    }
    let ask = validated(preferring(ask, arguments.prefer.as_deref())?, arguments.validation_level);
    match sent(session, &fhir, &ask, &created_once(arguments, &key)).await {
        Ok(answer) => {
            let done = if answer.status == StatusCode::CREATED { "is created" } else { "exists already" };
            conclude(session, &answer, &content.kind, done)
        }
        Err(Unsent::Refused(refusal)) => match original(&refusal, &content.kind) {
            Some(body) => {
                session.printer.say("It was created by an earlier request with this key.");
                print::json(session, &body);
                Ok(ExitCode::Success)
            }
            None => Err(refusal.into()),
        },
        Err(Unsent::Other(error)) => Err(error),
    }
}

/// How to send a creation again so that nothing is made twice. A condition is a search, so it may name a patient: it is not repeated.
fn created_once(arguments: &CreateArgs, key: &str) -> String {
    let mut again = CommandLine::new("fhir create")
        .option("--file", &arguments.file.to_string_lossy())
        .option("--idempotency-key", key);
    if let Some(level) = arguments.validation_level {
        again = again.option("--validation-level", ValidationLevel::from(level).as_str());
    }
    if let Some(prefer) = &arguments.prefer {
        again = again.option("--prefer", prefer);
    }
    let same = [
        arguments.if_none_exist.is_some().then_some("the same --if-none-exist"),
        (arguments.file == Path::new("-")).then_some("the same input"),
    ];
    let same: Vec<&str> = same.into_iter().flatten().collect();
    let with = if same.is_empty() { String::new() } else { format!(", with {},", same.join(" and ")) };
    format!("`{}`{with} creates nothing twice", arguments.access.repeated(again))
}

/// The resource that an earlier request with the same key has made, which the store answers a repetition with (409).
fn original(refusal: &ErrorResponse, kind: &str) -> Option<String> {
    let body = refusal.resource.as_ref().filter(|_| refusal.status == Some(409))?;
    let value: Value = serde_json::from_slice(body).ok()?;
    (value["resourceType"] == kind).then(|| String::from_utf8_lossy(body).into_owned())
}

pub(super) async fn update(session: &Session, arguments: &UpdateArgs) -> Result<ExitCode, CommandError> {
    let content = session.interruptible(Content::read(&arguments.file)).await?;
    let reference = content.reference()?;
    if let Some(wanted) = arguments.reference.as_ref().filter(|wanted| **wanted != reference) {
        return Err(FhirUsage::OtherResource { found: reference, wanted: wanted.clone() }.into());
    }
    let fhir = open(session, &arguments.access).await?;
    let ask =
        ask(&fhir, ops::fhir::UPDATE_RESOURCE, Method::PUT, &reference.to_string(), &[]).with_body(JSON, content.body);
    let ask = matching(preferring(ask, arguments.prefer.as_deref())?, arguments.if_match.as_deref())?;
    let mut ask = validated(ask, arguments.validation_level);
    if arguments.create_only {
        ask = ask.once().with(header::IF_NONE_MATCH, HeaderValue::from_static("*"));
    }
    let look = arguments.access.repeated(hlctl!("fhir get", reference));
    let look = format!("`{look}` shows whether it was");
    let answer = sent(session, &fhir, &ask, &look).await?;
    let done = if answer.status == StatusCode::CREATED { "is created" } else { "is updated" };
    conclude(session, &answer, &reference.to_string(), done)
}

pub(super) async fn patch(session: &Session, arguments: &PatchArgs) -> Result<ExitCode, CommandError> {
    let (kind, body) = session.interruptible(Content::patch(&arguments.file)).await?;
    let reference = &arguments.reference;
    let fhir = open(session, &arguments.access).await?;
    let ask = ask(&fhir, ops::fhir::PATCH_RESOURCE, Method::PATCH, &reference.to_string(), &[]);
    let ask = preferring(ask.once().with_body(kind, body), arguments.prefer.as_deref())?;
    let look = arguments.access.repeated(hlctl!("fhir get", reference));
    let answer = sent(session, &fhir, &ask, &format!("`{look}` shows whether it was")).await?;
    conclude(session, &answer, &reference.to_string(), "is changed")
}

pub(super) async fn delete(session: &Session, arguments: &DeleteArgs) -> Result<ExitCode, CommandError> {
    let path = arguments.path.as_str();
    let reference: Option<FhirReference> = path.parse().ok();
    let which = match (&reference, arguments.parameters.is_empty()) {
        (Some(reference), true) => reference.to_string(),
        (Some(reference), false) => return Err(FhirUsage::ParametersOfOne(reference.clone()).into()),
        (None, true) => return Err(FhirUsage::WhichOne(path.to_owned()).into()),
        // What is searched for may name a patient.
        (None, false) => format!("The {path} that matches"),
    };
    approve(session, arguments.auto_approve, &format!("{which} will be deleted. Its earlier versions stay.")).await?;
    let fhir = open(session, &arguments.access).await?;
    let mut ask = ask(&fhir, ops::fhir::DELETE_RESOURCE, Method::DELETE, path, &arguments.parameters);
    if reference.is_none() {
        // A second time, another resource may be the only one that matches.
        ask = ask.once();
    }
    let ask = matching(ask, arguments.if_match.as_deref())?;
    let look = match &reference {
        Some(reference) => arguments.access.repeated(hlctl!("fhir get", reference)),
        None => arguments.access.repeated(hlctl!("fhir history", path)),
    };
    match sent(session, &fhir, &ask, &format!("`{look}` shows whether it was")).await {
        Ok(_) => {}
        // The first attempt deleted it, and its answer was lost.
        Err(Unsent::Refused(refusal)) if refusal.repeated && matches!(refusal.status, Some(404 | 410)) => {}
        Err(error) => return Err(error.into()),
    }
    session.printer.say(&format!("{which} is deleted."));
    Ok(ExitCode::Success)
}

/// With the level of validation that was asked for.
pub(super) fn validated(ask: FhirRequest, level: Option<Level>) -> FhirRequest {
    match level.map(ValidationLevel::from) {
        Some(level) => ask.with(LEVEL, HeaderValue::from_static(level.as_str())),
        None => ask,
    }
}

/// Says that the store kept what is not as it should be, if it says so.
pub(super) fn warn_of_issues(session: &Session, answer: &FhirResponse) {
    if answer.headers.get(ISSUES).is_some_and(|value| value == "true") {
        session.printer.warning(
            "the store has found something wrong, and kept it: an extension in each such resource says what \
             (http://healthlake.amazonaws.com/fhir/StructureDefinition/validation-issue)",
        );
    }
}

pub(super) fn preferring(ask: FhirRequest, prefer: Option<&str>) -> Result<FhirRequest, CommandError> {
    match prefer {
        Some(wish) => Ok(ask.with(PREFER, header_value("--prefer", wish)?)),
        None => Ok(ask),
    }
}

/// Under the condition that this is the version: `3`, `"3"` or `W/"3"`.
fn matching(ask: FhirRequest, version: Option<&str>) -> Result<FhirRequest, CommandError> {
    let Some(version) = version else { return Ok(ask) };
    let version = version.trim_start_matches("W/").trim_matches('"');
    Ok(ask.once().with(header::IF_MATCH, header_value("--if-match", &format!("W/\"{version}\""))?))
}

pub(super) fn header_value(option: &'static str, text: &str) -> Result<HeaderValue, FhirUsage> {
    let value = HeaderValue::from_str(text).ok().filter(|_| super::input::is_plain(text));
    value.ok_or(FhirUsage::HeaderValue(option))
}

/// Why nothing came of a change.
pub(super) enum Unsent {
    Refused(Box<ErrorResponse>),
    Other(CommandError),
}

impl From<Unsent> for CommandError {
    fn from(unsent: Unsent) -> Self {
        match unsent {
            Unsent::Refused(refusal) => refusal.into(),
            Unsent::Other(error) => error,
        }
    }
}

/// Sends a change. After a signal, and after an answer that never came, it may have been carried out all the same.
pub(super) async fn sent(
    session: &Session,
    fhir: &Fhir,
    ask: &FhirRequest,
    look: &str,
) -> Result<FhirResponse, Unsent> {
    let doubtful = |why: String| Unsent::Other(Doubtful { why, look: look.to_owned() }.into());
    tokio::select! {
        biased;
        answer = fhir.send(ask) => answer.map_err(|refusal| {
            if refusal.may_have_worked() { doubtful(refusal.to_string()) } else { Unsent::Refused(refusal) }
        }),
        _ = session.stop.requested() => Err(doubtful(format!("{}: interrupted before the answer came", ask.about()))),
    }
}

/// Says what was done, and prints the resource if it came back.
fn conclude(session: &Session, answer: &FhirResponse, about: &str, done: &str) -> Result<ExitCode, CommandError> {
    let value = value(answer);
    let header = |name| answer.headers.get(name).and_then(|value| value.to_str().ok()).map(tell);
    let reference = match (value["resourceType"].as_str(), value["id"].as_str()) {
        (Some(kind), Some(id)) if kind != "OperationOutcome" => format!("{}/{}", tell(kind), tell(id)),
        _ => header(header::LOCATION).unwrap_or_else(|| about.to_owned()),
    };
    let version = header(header::ETAG).map(|etag| etag.trim_start_matches("W/").trim_matches('"').to_owned());
    let version = version.map(|version| format!(" (version {version})")).unwrap_or_default();
    session.printer.say(&format!("{reference} {done}{version}."));
    warn_of_issues(session, answer);
    if !answer.body.is_empty() {
        print::json(session, &text(answer, about)?);
    }
    Ok(ExitCode::Success)
}
