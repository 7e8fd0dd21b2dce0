//! StartFHIRImportJob and StartFHIRExportJob.

use serde_json::{Value, json};

use super::access::Party;
use super::export::Export;
use super::import::{Import, ImportConversion};
use super::{Direction, Download, Job, JobToken, Output, Phase, Requester, Work};
use crate::error::{AwsError, AwsResult};
use crate::fault::denied;
use crate::route::Service;
use crate::services::healthlake::fhir::bulk::{Level, Selection};
use crate::services::healthlake::transformation::usable_profile;
use crate::services::healthlake::{find, healthlake, not_found, validation};
use crate::services::{Cx, owned, text};

/// The most jobs that wait for one store, of each kind (HealthLake quotas).
const LONGEST_QUEUE: usize = 25;

pub(super) fn import(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    let conversion = conversion(cx, input)?;
    let uri =
        input["InputDataConfig"]["S3Uri"].as_str().ok_or_else(|| validation("InputDataConfig must have S3Uri."))?;
    let (bucket, path) = split(uri);
    let level = Level::named(text(input, "ValidationLevel"));
    let work = Work::Import(Import::new(uri, bucket, path, level).converting(conversion));
    start(cx, input, &input["JobOutputDataConfig"], work)
}

/// How the files are to be converted first, if they are (StartFHIRImportJob, ProfileId and InputFormat). What AWS says to one without the
/// other is not documented.
fn conversion(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Option<ImportConversion>> {
    let format = input["InputFormat"].as_str().filter(|format| *format != "FHIR");
    match (format, input["ProfileId"].as_str()) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(validation("An import with a ProfileId must have an InputFormat, CSV or CCDA.")),
        (Some(format), _) if !["CSV", "CCDA"].contains(&format) => {
            Err(validation(format!("InputFormat cannot be {format}.")))
        }
        (Some(format), None) => Err(validation(format!("An import of {format} must have a ProfileId."))),
        (Some(format), Some(profile)) => {
            usable_profile(cx, profile, Some(format))?;
            Ok(Some(ImportConversion::new(profile, input["DriftDetectionEnabled"].as_bool().unwrap_or(true))))
        }
    }
}

pub(super) fn export(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    start_export(cx, input, Selection::default(), None)
}

/// Starts an export, of what `selection` says; `request` is the address of the `$export` that asked for it.
pub(in crate::services::healthlake) fn start_export(
    cx: &mut Cx<'_>,
    input: &Value,
    selection: Selection,
    request: Option<String>,
) -> AwsResult<Value> {
    start(cx, input, &input["OutputDataConfig"], Work::Export(Export::new(selection, request)))
}

/// Starts an export of what `selection` says, whose files are downloaded, and gives its id. `request` is the address of the
/// `$export` that asked for it.
pub(in crate::services::healthlake) fn start_download(
    cx: &mut Cx<'_>,
    store: &str,
    selection: Selection,
    request: String,
    requester: Requester,
) -> AwsResult<String> {
    ready_store(cx, store)?;
    let id = cx.options.ids.hex32();
    let work = Work::Download(Download::new(selection, request, requester));
    submit(cx, Submission { id: &id, store, name: None, place: None, work })?;
    Ok(id)
}

fn start(cx: &mut Cx<'_>, input: &Value, output: &Value, work: Work) -> AwsResult<Value> {
    let direction = work.direction();
    if let Some(answer) = replay(cx, input, direction)? {
        return Ok(answer);
    }
    let store = text(input, "DatastoreId");
    let store_arn = ready_store(cx, store)?;
    if cx.faults.denies(Service::Iam, "PassRole") {
        let error = denied(Service::Iam, "PassRole", cx.caller, text(input, "DataAccessRoleArn"));
        return Err(AwsError::bad_request("AccessDeniedException", error.message));
    }
    let id = cx.options.ids.hex32();
    let role = text(input, "DataAccessRoleArn").to_owned();
    let party = Party { role: &role, store_arn: &store_arn };
    if let Work::Import(import) = &work {
        party.check_input(cx, import.bucket(), import.path())?;
    }
    let output = place(cx, party, output, &format!("{store}-FHIR_{}-{id}/", direction.name().to_uppercase()))?;
    let place = Some((role, output));
    submit(cx, Submission { id: &id, store, name: owned(input, "JobName"), place, work })?;
    if let Some(token) = token(input, direction) {
        healthlake(cx).job_tokens.insert(token, JobToken { request: input.clone(), job: id.clone() });
    }
    Ok(answer(&id, "SUBMITTED", store))
}

/// A job that nothing speaks against but the queue.
struct Submission<'a> {
    id: &'a str,
    store: &'a str,
    name: Option<String>,
    /// The role that works on buckets, and where it writes to.
    place: Option<(String, Output)>,
    work: Work,
}

/// Puts a job in the queue of its store.
fn submit(cx: &mut Cx<'_>, submission: Submission<'_>) -> AwsResult<()> {
    let Submission { id, store, name, place, work } = submission;
    room_in_queue(cx, store, work.direction())?;
    let (now, takes, faults) = (cx.now, cx.options.delays.job, cx.faults.jobs.clone());
    let healthlake = healthlake(cx);
    let number = healthlake.jobs.values().map(|job| job.number + 1).max().unwrap_or_default();
    let (role, output) = place.unzip();
    let job = Job {
        id: id.to_owned(),
        name,
        store: store.to_owned(),
        submitted: now,
        number,
        role,
        output,
        takes_ms: u64::try_from(takes.as_millis()).unwrap_or(u64::MAX),
        faults,
        phase: Phase::Waiting,
        started: None,
        ended: None,
        message: None,
        work,
    };
    healthlake.jobs.insert(id.to_owned(), job);
    Ok(())
}

fn answer(id: &str, status: &str, store: &str) -> Value {
    json!({"JobId": id, "JobStatus": status, "DatastoreId": store})
}

fn token(input: &Value, direction: Direction) -> Option<String> {
    input["ClientToken"].as_str().map(|token| format!("{} {token}", direction.name()))
}

/// The job that this client token has started already.
fn replay(cx: &mut Cx<'_>, input: &Value, direction: Direction) -> AwsResult<Option<Value>> {
    let healthlake = healthlake(cx);
    let Some(known) = token(input, direction).and_then(|token| healthlake.job_tokens.get(&token)) else {
        return Ok(None);
    };
    if known.request != *input {
        return Err(validation("The client token has been used with other parameters."));
    }
    let busy = healthlake.is_busy(direction);
    Ok(healthlake.jobs.get(&known.job).map(|job| answer(&job.id, job.status(busy), &job.store)))
}

/// The ARN of the store, if jobs can be submitted to it.
fn ready_store(cx: &mut Cx<'_>, id: &str) -> AwsResult<String> {
    let now = cx.now;
    let store = find(cx, id)?;
    match store.status(now) {
        "ACTIVE" | "UPDATING" | "UPDATE_FAILED" => Ok(store.arn.clone()),
        "DELETED" => Err(not_found(id)),
        status => Err(validation(format!("The data store {id} is {status}: jobs need one that is ACTIVE."))),
    }
}

fn place(cx: &mut Cx<'_>, party: Party<'_>, config: &Value, folder: &str) -> AwsResult<Output> {
    let config = &config["S3Configuration"];
    if !config.is_object() {
        return Err(validation("The output configuration must have S3Configuration."));
    }
    let (bucket, path) = split(text(config, "S3Uri"));
    let above = path.trim_end_matches('/');
    let folder = if above.is_empty() { folder.to_owned() } else { format!("{above}/{folder}") };
    let key = text(config, "KmsKeyId");
    let key_arn = party.check_output(cx, bucket, &folder, key)?;
    Ok(Output { bucket: bucket.to_owned(), folder, key: key.to_owned(), key_arn })
}

fn room_in_queue(cx: &mut Cx<'_>, store: &str, direction: Direction) -> AwsResult<()> {
    let waiting = |job: &&Job| job.phase == Phase::Waiting && job.store == store && job.direction() == direction;
    if healthlake(cx).jobs.values().filter(waiting).count() < LONGEST_QUEUE {
        return Ok(());
    }
    let text =
        format!("Rate exceeded: {LONGEST_QUEUE} {} jobs of the data store {store} are queued.", direction.name());
    Err(AwsError::bad_request("ThrottlingException", text))
}

/// Bucket and path of an address that has passed its shape check.
fn split(uri: &str) -> (&str, &str) {
    let rest = uri.strip_prefix("s3://").unwrap_or(uri);
    rest.split_once('/').unwrap_or((rest, ""))
}
