//! `hlctl fhir create`, `update`, `delete` and `bundle`.
//!
//! What may be sent again after a lost answer: a creation, since its idempotency key keeps the store from making a second one
//! (HealthLake developer guide, "Idempotency and concurrency"); an update and a deletion without a condition, which a second time
//! change nothing more; a bundle of nothing but these. A condition would be found broken by one's own first attempt.

use std::path::Path;

use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use serde_json::Value;
use uuid::Uuid;

use super::error::{Doubtful, FhirUsage};
use super::input::Content;
use super::{ask, open, print, text, value};
use crate::cli::{BundleArgs, CreateArgs, DeleteArgs, UpdateArgs};
use crate::commands::confirm::approve;
use crate::error::CommandError;
use crate::session::Session;
use hlctl_aws::ops;
use hlctl_fhir::client::JSON;
use hlctl_fhir::oauth::tell;
use hlctl_fhir::refusal::issues;
use hlctl_fhir::{ErrorResponse, Fhir, FhirError, FhirRequest, FhirResponse};
use hlctl_model::exit_code::ExitCode;
use hlctl_model::invocation::CommandLine;

const KEY: HeaderName = HeaderName::from_static("x-amz-fhir-idempotency-key");
const PREFER: HeaderName = HeaderName::from_static("prefer");
const IF_NONE_EXIST: HeaderName = HeaderName::from_static("if-none-exist");

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
    let ask = preferring(ask, arguments.prefer.as_deref())?;
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
    let look = arguments.access.repeated(hlctl!("fhir get", reference));
    let look = format!("`{look}` shows whether it was");
    let answer = sent(session, &fhir, &ask, &look).await?;
    let done = if answer.status == StatusCode::CREATED { "is created" } else { "is updated" };
    conclude(session, &answer, &reference.to_string(), done)
}

pub(super) async fn delete(session: &Session, arguments: &DeleteArgs) -> Result<ExitCode, CommandError> {
    let reference = &arguments.reference;
    approve(session, arguments.auto_approve, &format!("{reference} will be deleted. Its earlier versions stay."))
        .await?;
    let fhir = open(session, &arguments.access).await?;
    let ask = ask(&fhir, ops::fhir::DELETE_RESOURCE, Method::DELETE, &reference.to_string(), &[]);
    let ask = matching(ask, arguments.if_match.as_deref())?;
    let look = arguments.access.repeated(hlctl!("fhir get", reference));
    match sent(session, &fhir, &ask, &format!("`{look}` shows whether it was")).await {
        Ok(_) => {}
        // The first attempt deleted it, and its answer was lost.
        Err(Unsent::Refused(refusal)) if refusal.repeated && matches!(refusal.status, Some(404 | 410)) => {}
        Err(error) => return Err(error.into()),
    }
    session.printer.say(&format!("{reference} is deleted."));
    Ok(ExitCode::Success)
}

pub(super) async fn bundle(session: &Session, arguments: &BundleArgs) -> Result<ExitCode, CommandError> {
    let content = session.interruptible(Content::read(&arguments.file)).await?;
    if content.kind != "Bundle" {
        return Err(FhirUsage::NotABundle(content.kind).into());
    }
    let fhir = open(session, &arguments.access).await?;
    let mut ask = ask(&fhir, ops::fhir::PROCESS_BUNDLE, Method::POST, "", &[]).with_body(JSON, content.body.clone());
    if !may_be_repeated(&content.value) {
        ask = ask.once();
    }
    let look = "search for what it should have created before you send it again";
    let answer = sent(session, &fhir, &preferring(ask, arguments.prefer.as_deref())?, look).await?;
    print::json(session, &text(&answer, "POST /")?);
    outcome(session, &value(&answer))
}

/// Whether a second time would change nothing more.
fn may_be_repeated(bundle: &Value) -> bool {
    bundle["entry"].as_array().into_iter().flatten().all(|entry| {
        let request = &entry["request"];
        let method = request["method"].as_str().unwrap_or_default();
        let is_conditional = ["ifMatch", "ifNoneMatch", "ifNoneExist", "ifModifiedSince"]
            .iter()
            .any(|condition| request.get(*condition).is_some());
        let names_one = !request["url"].as_str().unwrap_or_default().contains('?');
        let is_reading = ["GET", "HEAD"].contains(&method);
        is_reading || (["PUT", "DELETE"].contains(&method) && !is_conditional && names_one)
    })
}

/// What became of the entries.
fn outcome(session: &Session, bundle: &Value) -> Result<ExitCode, CommandError> {
    let entries = bundle["entry"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut refused = Vec::new();
    for (place, entry) in entries.iter().enumerate() {
        let response = &entry["response"];
        let status = response["status"].as_str().unwrap_or_default();
        if status.starts_with('2') || status.starts_with('3') {
            continue;
        }
        let said: Vec<String> = issues(&response["outcome"]).iter().map(ToString::to_string).collect();
        refused.push(format!("  entry {}: {} {}", place + 1, tell(status), said.join("; ")).trim_end().to_owned());
    }
    let all = entries.len();
    if !refused.is_empty() {
        return Err(FhirError::Entries { all, refused }.into());
    }
    session.printer.say(&format!("{all} {} done.", if all == 1 { "entry is" } else { "entries are" }));
    Ok(ExitCode::Success)
}

fn preferring(ask: FhirRequest, prefer: Option<&str>) -> Result<FhirRequest, CommandError> {
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

fn header_value(option: &'static str, text: &str) -> Result<HeaderValue, FhirUsage> {
    let value = HeaderValue::from_str(text).ok().filter(|_| super::input::is_plain(text));
    value.ok_or(FhirUsage::HeaderValue(option))
}

/// Why nothing came of a change.
enum Unsent {
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
async fn sent(session: &Session, fhir: &Fhir, ask: &FhirRequest, look: &str) -> Result<FhirResponse, Unsent> {
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
    if !answer.body.is_empty() {
        print::json(session, &text(answer, about)?);
    }
    Ok(ExitCode::Success)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_bundle_is_repeated_only_if_a_second_time_changes_nothing_more() {
        let bundle = |requests: Value| {
            let entries: Vec<Value> =
                requests.as_array().into_iter().flatten().map(|request| json!({"request": request})).collect();
            json!({"resourceType": "Bundle", "entry": entries})
        };
        let put = json!({"method": "PUT", "url": "Patient/1"});
        assert!(may_be_repeated(&bundle(
            json!([put, {"method": "GET", "url": "Patient?name=x"}, {"method": "DELETE", "url": "Patient/2"}])
        )));
        for other in [
            json!({"method": "POST", "url": "Patient"}),
            json!({"method": "POST", "url": "Patient", "ifNoneExist": "identifier=1"}),
            json!({"method": "PUT", "url": "Patient/1", "ifMatch": "W/\"1\""}),
            json!({"method": "PUT", "url": "Patient?identifier=1"}),
            json!({"method": "PATCH", "url": "Patient/1"}),
            json!({}),
        ] {
            assert!(!may_be_repeated(&bundle(json!([put, other]))), "{other}");
        }
    }
}
