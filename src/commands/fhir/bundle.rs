//! `hlctl fhir bundle`.
//!
//! HealthLake takes 500 entries, but of a transaction that is answered at once no more than 100: a larger one is sent with
//! `Prefer: respond-async` and its outcome asked for until it is known (HealthLake developer guide, bundling FHIR resources).

use std::cell::Cell;

use http::{Method, StatusCode, header};
use serde_json::Value;
use serde_json::value::RawValue;

use super::change::{PREFER, header_value, preferring, sent, validated, warn_of_issues};
use super::error::{Doubtful, FhirUsage};
use super::input::Content;
use super::{ask, open, print, text, value};
use crate::cli::BundleArgs;
use crate::error::CommandError;
use crate::session::Session;
use crate::ui::transfer::size;
use hlctl_aws::ops;
use hlctl_engine::wait::{Ended, Poll, PollError, until};
use hlctl_fhir::client::JSON;
use hlctl_fhir::oauth::tell;
use hlctl_fhir::refusal::issues;
use hlctl_fhir::{Bundle, Fhir, FhirError, FhirRequest, FhirResponse};
use hlctl_model::exit_code::ExitCode;

/// The most entries of a Bundle (HealthLake quotas).
const MOST: usize = 500;
/// The most entries of a transaction that is answered at once.
const MOST_AT_ONCE: usize = 100;
/// The most bytes of a resource in a request (HealthLake quotas).
const LARGEST: usize = 5 << 20;

pub(super) async fn run(session: &Session, arguments: &BundleArgs) -> Result<ExitCode, CommandError> {
    let content = session.interruptible(Content::read(&arguments.file)).await?;
    if content.kind != "Bundle" {
        return Err(FhirUsage::NotABundle(content.kind).into());
    }
    let is_later = check(&content, arguments.prefer.as_deref())?;
    let fhir = open(session, &arguments.access).await?;
    let mut ask = ask(&fhir, ops::fhir::PROCESS_BUNDLE, Method::POST, "", &[]).with_body(JSON, content.body.clone());
    // One that is processed later may still be under way when it comes a second time.
    if is_later || !may_be_repeated(&content.value) {
        ask = ask.once();
    }
    let mut ask = validated(preferring(ask, arguments.prefer.as_deref())?, arguments.validation_level);
    if is_later {
        let (entries, bytes) = (content.value["entry"].as_array().map_or(0, Vec::len), content.body.len() as u64);
        session
            .printer
            .say(&format!("Sending a transaction of {entries} entries ({}) to be processed later.", size(bytes)));
        let preference = later(arguments.prefer.as_deref());
        ask = ask.with(PREFER, header_value("--prefer", &preference)?);
    }
    let look = "search for what it should have created before you send it again";
    let mut answer = sent(session, &fhir, &ask, look).await?;
    if answer.status == StatusCode::ACCEPTED {
        answer = outcome_of(session, &fhir, &answer, arguments).await?;
    }
    print::json(session, &text(&answer, "POST /")?);
    warn_of_issues(session, &answer);
    outcome(session, &value(&answer))
}

/// Counts entries and bytes, and says whether the Bundle is a transaction that has to be processed later.
fn check(content: &Content, prefer: Option<&str>) -> Result<bool, FhirUsage> {
    // What is no Bundle at all is for the store to refuse.
    let Ok(bundle) = Bundle::parse(&content.body, "") else { return Ok(false) };
    let entries = bundle.entry.len();
    if entries > MOST {
        return Err(FhirUsage::TooManyEntries { entries, most: MOST });
    }
    let large = bundle.entry.iter().map(|entry| resource_size(entry)).position(|bytes| bytes > LARGEST);
    if let Some(place) = large {
        let bytes = resource_size(bundle.entry[place]);
        return Err(FhirUsage::LargeEntry { place: place + 1, bytes, most: LARGEST });
    }
    if content.value["type"] != "transaction" {
        return Ok(false);
    }
    let is_later = entries > MOST_AT_ONCE || prefer.is_some_and(asks_for_later);
    if is_later {
        let requests = content.value["entry"].as_array().into_iter().flatten().map(|entry| &entry["request"]);
        let method = |request: &Value| match request["method"].as_str() {
            Some("PATCH") => Some("PATCH"),
            Some("PUT") if request["url"].as_str().unwrap_or_default().contains('?') => Some("conditional PUT"),
            _ => None,
        };
        let not_later = requests.enumerate().find_map(|(place, request)| method(request).map(|method| (place, method)));
        if let Some((place, method)) = not_later {
            return Err(FhirUsage::NotLater { place: place + 1, method, entries });
        }
    }
    Ok(is_later)
}

fn resource_size(entry: &RawValue) -> usize {
    #[derive(serde::Deserialize)]
    struct Sized<'e> {
        #[serde(borrow)]
        resource: Option<&'e RawValue>,
    }
    let entry: Option<Sized<'_>> = serde_json::from_str(entry.get()).ok();
    entry.and_then(|entry| entry.resource).map_or(0, |resource| resource.get().len())
}

fn asks_for_later(prefer: &str) -> bool {
    prefer.split([',', ';']).any(|one| one.trim().eq_ignore_ascii_case("respond-async"))
}

/// The Prefer header of a transaction that is processed later.
fn later(prefer: Option<&str>) -> String {
    match prefer {
        Some(prefer) if asks_for_later(prefer) => prefer.to_owned(),
        Some(prefer) => format!("{prefer}, respond-async"),
        None => "respond-async".to_owned(),
    }
}

/// Why it is not known what became of a transaction.
struct Unknown(CommandError);

impl PollError for Unknown {
    fn is_lost_connection(&self) -> bool {
        // A look has been repeated already, and for longer than a wait would.
        false
    }
}

/// Asks for the outcome of a transaction until it is known. It is processed whether anybody asks or not.
async fn outcome_of(
    session: &Session,
    fhir: &Fhir,
    accepted: &FhirResponse,
    arguments: &BundleArgs,
) -> Result<FhirResponse, CommandError> {
    let link = accepted.headers.get(header::CONTENT_LOCATION).and_then(|link| link.to_str().ok());
    let link = link.ok_or_else(|| FhirError::NotFhir {
        about: "POST /".to_owned(),
        problem: "it was accepted for later, and no Content-Location says where to ask for its outcome".to_owned(),
    })?;
    let address = fhir.base.follow(link)?;
    let path = address.strip_prefix(fhir.base.url().as_str()).unwrap_or_default().to_owned();
    let about = format!("GET {}", tell(&path));
    let poll = FhirRequest::new(ops::fhir::READ_RESOURCE, Method::GET, address, about);
    session.printer.say(&format!("The store has accepted the transaction as {}.", tell(&path)));
    let config = session.config_if_any()?;
    let said = Cell::new(false);
    let pending = |_: &str| {
        if !said.replace(true) {
            session.printer.say("Waiting for its outcome (Ctrl-C leaves the store at work).");
        }
    };
    let look = || async {
        let answer = fhir.send(&poll).await.map_err(|refusal| Unknown(refusal.into()))?;
        match answer.status {
            StatusCode::ACCEPTED => Ok(Poll::Pending("processed".to_owned())),
            _ => Ok(Poll::Ready(answer)),
        }
    };
    let again = arguments.access.repeated(hlctl!("fhir get", tell(&path)));
    let doubtful = |why: &str| {
        let look = format!("`{again}` gives its outcome, for 90 days");
        Doubtful { why: format!("{}: {why}", tell(&path)), look }.into()
    };
    match until(session.pace(config.as_ref()), &session.stop, pending, look).await {
        Ok(answer) => Ok(answer),
        Err(Ended::Failed(Unknown(error))) => Err(error),
        Err(Ended::TimedOut(_)) => Err(doubtful("there is no outcome yet")),
        Err(Ended::Stopped(_)) => Err(doubtful("interrupted before there was an outcome")),
    }
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn transaction(entries: &[Value]) -> Content {
        let value = json!({"resourceType": "Bundle", "type": "transaction", "entry": entries});
        Content { body: value.to_string().into(), kind: "Bundle".to_owned(), value }
    }

    #[test]
    fn a_transaction_is_processed_later_where_it_must_be_or_is_asked_for() {
        let post = json!({"request": {"method": "POST", "url": "Patient"}, "resource": {"resourceType": "Patient"}});
        let of = |count: usize, prefer| check(&transaction(&vec![post.clone(); count]), prefer);
        assert!(matches!(of(100, None), Ok(false)));
        assert!(matches!(of(101, None), Ok(true)));
        assert!(matches!(of(500, Some("return=minimal")), Ok(true)));
        assert!(matches!(of(1, Some("return=minimal, respond-async")), Ok(true)));
        assert!(matches!(of(501, None), Err(FhirUsage::TooManyEntries { entries: 501, most: 500 })));
        assert_eq!(later(Some("return=minimal")), "return=minimal, respond-async");
        assert_eq!(later(Some("Respond-Async")), "Respond-Async");
        let mut batch = transaction(&vec![post; 101]);
        batch.value["type"] = json!("batch");
        assert!(matches!(check(&batch, None), Ok(false)));
    }

    #[test]
    fn what_cannot_be_processed_later_is_named_by_its_place() {
        let post = json!({"request": {"method": "POST", "url": "Patient"}});
        for (request, wanted) in [
            (json!({"method": "PATCH", "url": "Patient/1"}), "PATCH"),
            (json!({"method": "PUT", "url": "Patient?_id=1"}), "conditional PUT"),
        ] {
            let mut entries = vec![post.clone(); 100];
            entries.push(json!({"request": request}));
            let refused = check(&transaction(&entries), None);
            assert!(
                matches!(refused, Err(FhirUsage::NotLater { place: 101, method, .. }) if method == wanted),
                "{refused:?}"
            );
            assert!(matches!(check(&transaction(&[json!({"request": request})]), None), Ok(false)));
        }
    }

    #[test]
    fn an_entry_that_is_too_large_is_named_by_its_place() {
        let large = json!({"resource": {"resourceType": "Binary", "data": "A".repeat(LARGEST)}});
        let refused = check(&transaction(&[json!({}), large]), None);
        assert!(matches!(refused, Err(FhirUsage::LargeEntry { place: 2, .. })), "{refused:?}");
    }

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
