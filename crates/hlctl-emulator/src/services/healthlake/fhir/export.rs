//! `$export`: starting an export over FHIR, asking how it is, and calling it off (HealthLake developer guide, exporting
//! with FHIR $export).
//!
//! The jobs are those of the control plane; each side knows the other's. Where AWS documents nothing, this is what
//! happens here: a start is answered with 202, and so is the status until the job has ended, then 200, whatever it
//! ended in; with a bearer token the types must be open to its scopes without a limit, and without `_type` only these
//! are exported; a job that has ended cannot be called off (400).

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::address::Address;
use super::answer::Answer;
use super::bulk::{Coding, ExportScope, Selection};
use super::document::value_of;
use super::interaction::Exported;
use super::refusal::{Outcome, Refusal};
use super::smart::{Accepted, Permit, Reach, Verb};
use super::{Call, resource, search, types};
use crate::error::AwsError;
use crate::origin::Origin;
use crate::protocol::{Effect, shape};
use crate::route::Caller;
use crate::services::Cx;
use crate::services::healthlake::jobs::{self, Job, Work};
use crate::store::resources::Collection;

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
            let mut cx = Cx {
                world,
                caller: &on_behalf,
                now: self.core.options.clock.now(),
                options: &self.core.options,
                journal: &self.core.journal,
                guard: &self.core.guard,
                faults: self.core.faults.current(),
                files: &self.core.files,
            };
            jobs::start_export(&mut cx, &input, selection, Some(asked(request, address))).map_err(Refusal::from)
        })??;
        let id = started["JobId"].as_str().unwrap_or_default();
        let body = json!({"datastoreId": address.store, "jobStatus": started["JobStatus"], "jobId": id});
        Ok(Answer { content_location: Some(format!("{}export/{id}", address.base)), ..accepted_with(&body) })
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
            if !job.has_ended() {
                return Ok(accepted_with(&body));
            }
            if let (Value::Object(members), Work::Export(export)) = (&mut body, &job.work) {
                let output = export.objects().iter().map(|written| {
                    json!({"type": written.kind, "url": job.output.uri_of(&written.name), "count": written.count})
                });
                members.extend([
                    ("transactionTime".to_owned(), json!(export.at().map(resource::instant))),
                    ("request".to_owned(), json!(export.request().unwrap_or_default())),
                    ("requiresAccessToken".to_owned(), json!(false)),
                    ("output".to_owned(), output.collect()),
                    ("error".to_owned(), json!([])),
                ]);
            }
            Ok(Answer { content_type: Some("application/json"), ..Answer::ok(Bytes::from(body.to_string())) })
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
            if !job.cancel() {
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

fn unknown(id: &str) -> Refusal {
    Refusal::not_found(format!("The export job {id} was not found."))
}

/// Both headers are required.
fn check_async(request: &Request<Bytes>) -> Outcome<()> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !header("prefer").split([',', ';']).any(|wish| wish.trim().eq_ignore_ascii_case("respond-async")) {
        return Err(Refusal::invalid("An export must be asked for with the header Prefer: respond-async."));
    }
    let plain = header("content-type").split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
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
        (
            "outputDataConfig".to_owned(),
            json!({"s3Configuration": {"s3Uri": job.output.uri(), "kmsKeyId": job.output.key()}}),
        ),
        ("dataAccessRoleArn".to_owned(), json!(job.role)),
    ]);
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
