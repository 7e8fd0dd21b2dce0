//! `$export`: starting an export over FHIR, asking how it is, and calling it off (HealthLake developer guide, exporting
//! with FHIR $export).
//!
//! What is started by POST is a job of the control plane; each side knows the other's. Where AWS documents nothing, this is what
//! happens here: a start is answered with 202, and so is the status until the job has ended, then 200, whatever it
//! ended in; with a bearer token the types must be open to its scopes without a limit, and without `_type` only these
//! are exported; a job that has ended cannot be called off (400).
//!
//! Of what is started by GET the guide says little: of patients and groups only, the files can be downloaded for 48 hours with the
//! same authentication method or bearer token, and the IAM actions StartFHIRExportJobWithGet, DescribeFHIRExportJobWithGet and
//! GetExportedFile. The rest follows HL7's Bulk Data Access IG 2.0.0 (asynchronous request pattern): the status has
//! `X-Progress` and `Retry-After`, the manifest `Expires` and addresses that need the caller's credentials
//! (`requiresAccessToken`), a job that failed is answered with 500, and after a DELETE, which is taken at any time, there is nothing
//! left (404). The addresses of the files, `export/ID/Patient-0.ndjson`, are made up: no page has one. The parameters are those of
//! the POST.

use bytes::Bytes;
use http::header::{EXPIRES, RETRY_AFTER};
use http::{HeaderName, Request};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::address::Address;
use super::answer::{Answer, http_date};
use super::bulk::{Coding, ExportScope, Selection};
use super::document::value_of;
use super::interaction::Exported;
use super::refusal::{Outcome, Refusal};
use super::request::Credentials;
use super::smart::{Accepted, Permit, Reach, Verb};
use super::{Call, resource, search, types};
use crate::error::AwsError;
use crate::origin::Origin;
use crate::protocol::{Effect, shape};
use crate::route::Caller;
use crate::services::Cx;
use crate::services::healthlake::jobs::{self, Download, Job, Requester, Work};
use crate::store::World;
use crate::store::resources::Collection;

const X_PROGRESS: HeaderName = HeaderName::from_static("x-progress");
const NDJSON: &str = "application/fhir+ndjson";
const FORMATS: [&str; 3] = ["application/fhir+ndjson", "application/ndjson", "ndjson"];

impl Call<'_> {
    /// Starts an export.
    pub(super) fn start_export(
        &self,
        scope: &Exported,
        address: &Address,
        request: &Request<Bytes>,
        (signer, accepted): (Option<&Caller>, Option<&Accepted>),
    ) -> Outcome<Answer> {
        check_async(request)?;
        check_type(request)?;
        let mut input = resource::parse(request.body())?.to_value();
        let members = input.as_object_mut().ok_or_else(|| Refusal::invalid("The body must be a JSON object."))?;
        members.insert("DatastoreId".to_owned(), json!(address.store));
        shape::check(&input, jobs::EXPORT_INPUT)
            .map_err(|message| AwsError::bad_request("ValidationException", message))?;
        let mut selection = selection(&address.query)?;
        let home = format!("/datastore/{}/r4/", address.store);
        let started = self.core.store.with_all(Effect::Write, |world, _, resources| {
            let found = self.find(world, address, signer)?;
            let collection = self.collection(world, resources, address, signer)?;
            if let Some(accepted) = accepted {
                accepted.check_role(world, &found.realm, "StartFHIRExportJobWithPost")?;
                limit(&mut selection, &accepted.permit(collection, &home)?)?;
            }
            selection.patients = patients(scope, collection)?;
            let on_behalf = caller(&found.realm.account, &found.realm.region, signer);
            let mut cx = self.on_behalf(world, &on_behalf);
            jobs::start_export(&mut cx, &input, selection, Some(asked(request, address))).map_err(Refusal::from)
        })??;
        let id = started["JobId"].as_str().unwrap_or_default();
        Ok(started_as(id, &started["JobStatus"], address))
    }

    /// Starts an export whose files are downloaded.
    pub(super) fn start_download(
        &self,
        scope: &Exported,
        requester: Requester,
        address: &Address,
        request: &Request<Bytes>,
        (signer, accepted): (Option<&Caller>, Option<&Accepted>),
    ) -> Outcome<Answer> {
        check_async(request)?;
        let mut selection = selection(&address.query)?;
        let home = format!("/datastore/{}/r4/", address.store);
        let id = self.core.store.with_all(Effect::Write, |world, _, resources| {
            let found = self.find(world, address, signer)?;
            let collection = self.collection(world, resources, address, signer)?;
            if let Some(accepted) = accepted {
                accepted.check_role(world, &found.realm, "StartFHIRExportJobWithGet")?;
                limit(&mut selection, &accepted.permit(collection, &home)?)?;
            }
            selection.patients = patients(scope, collection)?;
            let on_behalf = caller(&found.realm.account, &found.realm.region, signer);
            let mut cx = self.on_behalf(world, &on_behalf);
            let asked = asked(request, address);
            jobs::start_download(&mut cx, &address.store, selection, asked, requester).map_err(Refusal::from)
        })??;
        Ok(started_as(&id, &json!("SUBMITTED"), address))
    }

    /// Gives a file of an export that was started by GET.
    pub(super) fn exported_file(
        &self,
        (id, name): (&str, &str),
        requester: &Requester,
        address: &Address,
        (signer, accepted): (Option<&Caller>, Option<&Accepted>),
    ) -> Outcome<Answer> {
        let home = format!("/datastore/{}/r4/", address.store);
        self.core.store.with_all(Effect::Read, |world, _, resources| {
            let found = self.find(world, address, signer)?;
            let collection = self.collection(world, resources, address, signer)?;
            let permit = match accepted {
                None => Permit::Full,
                Some(accepted) => {
                    accepted.check_role(world, &found.realm, "GetExportedFile")?;
                    accepted.permit(collection, &home)?
                }
            };
            let healthlake = world.account(&found.realm.account).healthlake.entry(found.realm.region).or_default();
            let (job, _) = healthlake.export(&address.store, id).ok_or_else(|| unknown(id))?;
            let download = job.download().filter(|_| job.has_ended()).ok_or_else(|| no_file(id, name))?;
            if download.requester() != requester {
                return Err(Refusal::forbidden(format!(
                    "The files of the export job {id} are given only to who asked for it: with the same authentication \
                     method, and the same bearer token."
                )));
            }
            check_age(job, self.core.options.clock.now())?;
            let file = download.files().iter().find(|file| file.name() == name).ok_or_else(|| no_file(id, name))?;
            if !matches!(permit.reach(Verb::Read, &file.kind)?, Reach::All) {
                return Err(Refusal::forbidden(format!("The token's scopes open {} in part only.", file.kind)));
            }
            let content = download.content(collection, file)?;
            Ok(Answer { content_type: Some(NDJSON), ..Answer::ok(Bytes::from(content)) })
        })?
    }

    /// A call of the control plane as part of this request.
    fn on_behalf<'c>(&'c self, world: &'c mut World, caller: &'c Caller) -> Cx<'c> {
        Cx {
            world,
            caller,
            now: self.core.options.clock.now(),
            options: &self.core.options,
            journal: &self.core.journal,
            guard: &self.core.guard,
            faults: self.core.faults.current(),
            files: &self.core.files,
        }
    }

    /// How an export is.
    pub(super) fn export_status(
        &self,
        id: &str,
        address: &Address,
        (signer, accepted): (Option<&Caller>, Option<&Accepted>),
    ) -> Outcome<Answer> {
        self.core.store.with_all(Effect::Read, |world, _, _| {
            let found = self.find(world, address, signer)?;
            if let Some(accepted) = accepted {
                accepted.check_role(world, &found.realm, "DescribeFHIRExportJobWithGet")?;
            }
            let healthlake = world.account(&found.realm.account).healthlake.entry(found.realm.region).or_default();
            let (job, busy) = healthlake.export(&address.store, id).ok_or_else(|| unknown(id))?;
            let mut body = json!({"exportJobProperties": properties(job, busy)});
            let now = self.core.options.clock.now();
            if let Some(download) = job.download() {
                return download_status(job, download, body, busy, now, &address.base);
            }
            if !job.has_ended() {
                return Ok(accepted_with(&body));
            }
            if let (Work::Export(export), Some(place)) = (&job.work, &job.output) {
                let output = export.objects().iter().map(
                    |written| json!({"type": written.kind, "url": place.uri_of(&written.name), "count": written.count}),
                );
                let (at, request) = (export.at(), export.request().unwrap_or_default());
                add_manifest(&mut body, at, request, false, output.collect());
            }
            Ok(json_answer(&body))
        })?
    }

    /// Calls an export off.
    pub(super) fn cancel_export(
        &self,
        id: &str,
        address: &Address,
        (signer, accepted): (Option<&Caller>, Option<&Accepted>),
    ) -> Outcome<Answer> {
        self.core.store.with_all(Effect::Write, |world, _, _| {
            let found = self.find(world, address, signer)?;
            if let Some(accepted) = accepted {
                accepted.check_role(world, &found.realm, "CancelFHIRExportJobWithDelete")?;
            }
            let healthlake = world.account(&found.realm.account).healthlake.entry(found.realm.region).or_default();
            let job = healthlake.export_mut(&address.store, id).ok_or_else(|| unknown(id))?;
            if job.download().is_some() {
                healthlake.forget_job(id);
            } else if !job.cancel() {
                return Err(Refusal::not_supported(400, "Interaction not supported."));
            }
            Ok(accepted_with(&json!({"exportJobProperties": {
                "jobId": id,
                "jobStatus": "CANCEL_SUBMITTED",
                "datastoreId": address.store,
            }})))
        })?
    }
}

fn accepted_with(body: &Value) -> Answer {
    let body = Some(Bytes::from(body.to_string()));
    Answer { content_type: Some("application/json"), ..Answer::of(202, body, None) }
}

fn started_as(id: &str, status: &Value, address: &Address) -> Answer {
    let body = json!({"datastoreId": address.store, "jobStatus": status, "jobId": id});
    Answer { content_location: Some(format!("{}export/{id}", address.base)), ..accepted_with(&body) }
}

fn json_answer(body: &Value) -> Answer {
    Answer { content_type: Some("application/json"), ..Answer::ok(Bytes::from(body.to_string())) }
}

/// Adds the members of a bulk data manifest.
fn add_manifest(body: &mut Value, at: Option<Timestamp>, request: &str, protected: bool, output: Vec<Value>) {
    let Value::Object(members) = body else { return };
    members.extend([
        ("transactionTime".to_owned(), json!(at.map(resource::instant))),
        ("request".to_owned(), json!(request)),
        ("requiresAccessToken".to_owned(), json!(protected)),
        ("output".to_owned(), Value::Array(output)),
        ("error".to_owned(), json!([])),
    ]);
}

/// How an export is that was started by GET.
fn download_status(
    job: &Job,
    download: &Download,
    mut body: Value,
    busy: bool,
    now: Timestamp,
    base: &str,
) -> Outcome<Answer> {
    if !job.has_ended() {
        let progress = format!("{}, {} of {} resources", job.status(busy), download.seen(), download.whole());
        let headers = vec![(X_PROGRESS, progress), (RETRY_AFTER, job.seconds_to_wait(now).to_string())];
        return Ok(Answer { headers, ..accepted_with(&body) });
    }
    if job.status(busy) == "FAILED" {
        let message = job.message.as_deref().unwrap_or("It failed.");
        return Err(Refusal::failed(format!("The export job {}: {message}", job.id)));
    }
    check_age(job, now)?;
    let output = download.files().iter().map(|file| {
        let url = format!("{base}export/{}/{}", job.id, file.name());
        json!({"type": file.kind, "url": url, "count": file.count})
    });
    add_manifest(&mut body, download.at(), download.request(), true, output.collect());
    let headers = job.files_until().map(|until| (EXPIRES, http_date(until))).into_iter().collect();
    Ok(Answer { headers, ..json_answer(&body) })
}

/// Whether the files are still there.
fn check_age(job: &Job, now: Timestamp) -> Outcome<()> {
    match job.files_until() {
        Some(until) if until <= now => {
            Err(Refusal::not_found(format!("The files of the export job {} were there for 48 hours.", job.id)))
        }
        _ => Ok(()),
    }
}

fn no_file(id: &str, name: &str) -> Refusal {
    Refusal::not_found(format!("The export job {id} has no file {name}."))
}

/// Who asks, as far as the files of an export need to know.
pub(super) fn requester(credentials: Credentials<'_>) -> Requester {
    match credentials {
        Credentials::Token(token) => {
            Requester::Token(Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect())
        }
        Credentials::Signature | Credentials::None => Requester::Signer,
    }
}

fn unknown(id: &str) -> Refusal {
    Refusal::not_found(format!("The export job {id} was not found."))
}

fn header<'r>(request: &'r Request<Bytes>, name: &str) -> &'r str {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// An export is never answered at once.
fn check_async(request: &Request<Bytes>) -> Outcome<()> {
    if !header(request, "prefer").split([',', ';']).any(|wish| wish.trim().eq_ignore_ascii_case("respond-async")) {
        return Err(Refusal::invalid("An export must be asked for with the header Prefer: respond-async."));
    }
    Ok(())
}

/// The guide asks for the type of the body.
fn check_type(request: &Request<Bytes>) -> Outcome<()> {
    let plain = header(request, "content-type").split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !["application/fhir+json", "application/json"].contains(&plain.as_str()) {
        return Err(Refusal::not_supported(415, "The body of an export's request must be application/fhir+json."));
    }
    Ok(())
}

/// The address that was asked, as it was written.
fn asked(request: &Request<Bytes>, address: &Address) -> String {
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}{}{query}", address.base, address.segments.join("/"))
}

/// Who the job is for: the signer, or the datastore's account where there is a token.
fn caller(account: &str, region: &str, signer: Option<&Caller>) -> Caller {
    signer.cloned().unwrap_or_else(|| Caller {
        account: account.to_owned(),
        region: region.to_owned(),
        arn: format!("arn:{}:iam::{account}:root", crate::route::partition(region)),
        user_id: account.to_owned(),
        access_key: None,
        origin: Origin::aws(),
    })
}

fn selection(query: &[(String, String)]) -> Outcome<Selection> {
    let mut selection = Selection::default();
    let date = |name: &str, value: &str| {
        search::parse_date(value).ok_or_else(|| Refusal::invalid(format!("{name}=\"{value}\" is not a date.")))
    };
    for (name, value) in query {
        match name.as_str() {
            "_outputFormat" if FORMATS.contains(&value.replace(' ', "+").as_str()) => {}
            "_outputFormat" => {
                let offered = FORMATS.join(", ");
                return Err(Refusal::invalid(format!("_outputFormat=\"{value}\" is not offered: there is {offered}.")));
            }
            "_type" => selection.kinds.extend(kinds(value)?),
            "_since" => selection.since = Some(date(name, value)?.from.timestamp()),
            "_until" => selection.until = Some(just_before(date(name, value)?.to.timestamp())),
            "_tag" | "_security" => selection.codings.extend(codings(name, value)?),
            _ => return Err(Refusal::invalid(format!("Unknown parameter \"{name}\" of an export."))),
        }
    }
    Ok(selection)
}

fn just_before(instant: Timestamp) -> Timestamp {
    instant.checked_sub(jiff::SignedDuration::from_millis(1)).unwrap_or(instant)
}

fn kinds(value: &str) -> Outcome<Vec<String>> {
    let names = value.split(',').map(str::trim).filter(|name| !name.is_empty());
    names
        .map(|name| types::named(name).ok_or_else(|| Refusal::invalid(types::refusal(name))))
        .map(|kind| kind.map(ToOwned::to_owned))
        .collect()
}

fn codings(name: &str, value: &str) -> Outcome<Vec<Coding>> {
    let coding = |text: &str| {
        let (system, code) = text
            .split_once('|')
            .ok_or_else(|| Refusal::invalid(format!("{name}=\"{text}\" is not written as system|code.")))?;
        Ok(Coding {
            element: name.trim_start_matches('_').to_owned(),
            system: system.to_owned(),
            code: (!code.is_empty()).then(|| code.to_owned()),
        })
    };
    value.split(',').map(coding).collect()
}

fn patients(scope: &Exported, collection: &Collection) -> Outcome<ExportScope> {
    let id = match scope {
        Exported::System => return Ok(ExportScope::System),
        Exported::Patients => return Ok(ExportScope::AllPatients),
        Exported::Group(id) => id,
    };
    let newest = collection.versions("Group", id).last();
    let body = newest.map(|version| collection.body(version)).transpose()?.flatten();
    let body = body.ok_or_else(|| Refusal::not_found(format!("Group/{id} was not found.")))?;
    let group = value_of(&body);
    let members = group["member"].as_array().into_iter().flatten();
    let targets = members.filter_map(|member| resource::target(member["entity"]["reference"].as_str()?));
    Ok(ExportScope::Members(targets.filter(|(kind, _)| *kind == "Patient").map(|(_, id)| id.to_owned()).collect()))
}

/// Leaves the types that a token opens.
fn limit(selection: &mut Selection, permit: &Permit) -> Outcome<()> {
    let is_open = |kind: &str| -> Outcome<bool> { Ok(matches!(permit.reach(Verb::Read, kind)?, Reach::All)) };
    for kind in &selection.kinds {
        if !is_open(kind)? {
            return Err(Refusal::forbidden(format!("The token's scopes open {kind} in part only.")));
        }
    }
    if selection.kinds.is_empty() {
        let open = types::all().filter(|kind| is_open(kind).unwrap_or(false));
        selection.kinds = open.map(ToOwned::to_owned).collect();
    }
    if selection.kinds.is_empty() {
        return Err(Refusal::forbidden("No scope of the token opens a type to an export."));
    }
    Ok(())
}

/// `exportJobProperties`, in which dates are texts for people.
fn properties(job: &Job, busy: bool) -> Value {
    let date = |at: Timestamp| json!(at.strftime("%b %-d, %Y %-I:%M:%S %p").to_string());
    let mut properties = Map::from_iter([
        ("jobId".to_owned(), json!(job.id)),
        ("jobStatus".to_owned(), json!(job.status(busy))),
        ("submitTime".to_owned(), date(job.submitted)),
        ("datastoreId".to_owned(), json!(job.store)),
    ]);
    if let Some(output) = &job.output {
        let place = json!({"s3Configuration": {"s3Uri": output.uri(), "kmsKeyId": output.key()}});
        properties.insert("outputDataConfig".to_owned(), place);
    }
    if let Some(role) = &job.role {
        properties.insert("dataAccessRoleArn".to_owned(), json!(role));
    }
    if let Some(name) = &job.name {
        properties.insert("jobName".to_owned(), json!(name));
    }
    if let Some(ended) = job.ended {
        properties.insert("endTime".to_owned(), date(ended));
    }
    if let Some(message) = &job.message {
        properties.insert("message".to_owned(), json!(message));
    }
    Value::Object(properties)
}
