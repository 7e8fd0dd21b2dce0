//! Jobs that convert CSV files in S3 (HealthLake Developer Guide, "Data Transformation features", bulk jobs).
//!
//! The converter is `hlctl-transform`, whose ids of resources are its own. C-CDA is not converted: such jobs are refused.
//! Provenance is not written, so that a job generates fewer resources than AWS's would. The members of `Manifest.json` and the files
//! about rows in `ERROR/` are not documented.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use hlctl_transform::{Mapping, SourceFile, convert};

use super::{errors, paged, shapes, transformation, usable_profile, within_second};
use crate::clock::{after, epoch_seconds};
use crate::error::{AwsError, AwsResult};
use crate::fault::denied;
use crate::protocol::{Operation, read, write};
use crate::route::Service;
use crate::services::healthlake::jobs::{Output, Party};
use crate::services::healthlake::{HealthLake, validation};
use crate::services::s3::inside::Inside;
use crate::services::{Cx, owned, text};

pub(in crate::services::healthlake) const START: Operation =
    write("StartDataTransformationJob", shapes::START_JOB, start);
pub(in crate::services::healthlake) const DESCRIBE: Operation =
    read("DescribeDataTransformationJob", shapes::DESCRIBE_JOB, describe);
pub(in crate::services::healthlake) const LIST_JOBS: Operation =
    read("ListDataTransformationJobs", shapes::LIST_JOBS, list);

/// Input of a job: 1 GB (HealthLake quotas).
const MOST_BYTES: u64 = 1_000_000_000;

/// The jobs of one account in one region.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::services::healthlake) struct Jobs {
    jobs: BTreeMap<String, TransformationJob>,
    /// Client tokens that have started a job.
    tokens: BTreeMap<String, TransformationToken>,
}

#[derive(Debug, Serialize, Deserialize)]
struct TransformationToken {
    request: Value,
    job: String,
}

/// A job.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::services::healthlake) struct TransformationJob {
    id: String,
    name: Option<String>,
    submitted: Timestamp,
    /// Its place among all jobs.
    number: u64,
    pub(in crate::services::healthlake) role: String,
    /// As it was given.
    input: String,
    format: String,
    output: Output,
    output_uri: String,
    profile: String,
    profile_name: String,
    /// The version that it uses, once it has begun.
    version: Option<u64>,
    mapping: BTreeMap<String, String>,
    drift: bool,
    provenance: bool,
    takes_ms: u64,
    started: Option<Timestamp>,
    ended: Option<(Timestamp, String)>,
    message: Option<String>,
    report: Option<Value>,
}

impl TransformationJob {
    fn status(&self, is_busy: bool) -> &str {
        match (&self.ended, self.started) {
            (Some((_, status)), _) => status,
            (None, Some(_)) => "IN_PROGRESS",
            (None, None) if is_busy => "QUEUED",
            (None, None) => "SUBMITTED",
        }
    }

    /// Ends it without a result.
    pub(in crate::services::healthlake) fn fail(&mut self, message: &str, now: Timestamp) {
        self.ended = Some((now, "FAILED".to_owned()));
        self.message = Some(message.chars().take(2048).collect());
    }

    fn is_working(&self) -> bool {
        self.started.is_some() && self.ended.is_none()
    }

    fn due(&self) -> Option<Timestamp> {
        self.started.map(|started| after(started, Duration::from_millis(self.takes_ms)))
    }

    fn properties(&self, is_busy: bool) -> Value {
        let mut properties = json!({
            "JobId": self.id,
            "JobStatus": self.status(is_busy),
            "InputDataConfig": {"S3Uri": self.input, "SourceFormat": self.format},
            "OutputDataConfig": {"S3Configuration": {"S3Uri": self.output_uri, "KmsKeyId": self.output.key()}},
            "DataAccessRoleArn": self.role,
            "SubmitTime": epoch_seconds(self.submitted),
            "ProfileId": self.profile,
            "ProfileName": self.profile_name,
            "DriftDetectionEnabled": self.drift,
            "ProvenanceEnabled": self.provenance,
        });
        let members = [
            ("JobName", self.name.as_ref().map(|name| json!(name))),
            ("ProfileVersion", self.version.map(|version| json!(version))),
            ("EndTime", self.ended.as_ref().map(|(ended, _)| json!(epoch_seconds(*ended)))),
            ("Message", self.message.as_ref().map(|message| json!(message))),
            ("JobProgressReport", self.report.clone()),
        ];
        for (name, value) in members {
            if let Some(value) = value {
                properties[name] = value;
            }
        }
        properties
    }
}

fn split(uri: &str) -> (&str, &str) {
    let rest = uri.strip_prefix("s3://").unwrap_or(uri);
    rest.split_once('/').unwrap_or((rest, ""))
}

fn start(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    within_second(cx, "StartJob")?;
    let jobs = &transformation(cx).jobs;
    if let Some(known) = jobs.tokens.get(text(input, "ClientToken")) {
        if known.request != *input {
            return Err(validation("The client token has been used with other parameters."));
        }
        if let Some(job) = jobs.jobs.get(&known.job) {
            return Ok(json!({"JobId": job.id, "JobStatus": job.status(jobs.is_busy())}));
        }
    }
    let profile_id = text(input, "ProfileId");
    let profile = usable_profile(cx, profile_id, input["InputDataConfig"]["SourceFormat"].as_str())?;
    let (format, profile_name) = (profile.format.clone(), profile.name.clone());
    let role = text(input, "DataAccessRoleArn").to_owned();
    if cx.faults.denies(Service::Iam, "PassRole") {
        let error = denied(Service::Iam, "PassRole", cx.caller, &role);
        return Err(AwsError::bad_request("AccessDeniedException", error.message));
    }
    let id = cx.options.ids.hex32();
    let source = text(&input["InputDataConfig"], "S3Uri").to_owned();
    let (bucket, path) = split(&source);
    let config = &input["OutputDataConfig"]["S3Configuration"];
    let output_uri = text(config, "S3Uri").to_owned();
    let (output_bucket, above) = split(&output_uri);
    let folder = format!("{above}{}{id}/", if above.is_empty() || above.ends_with('/') { "" } else { "/" });
    let key = text(config, "KmsKeyId");
    // "A bad role shows as a ValidationException" (guide, setting up).
    let party = Party::without_store(&role);
    let key_arn = party
        .check_conversion(cx, (bucket, path), (output_bucket, &folder), key)
        .map_err(|error| validation(error.message))?;
    let (now, takes) = (cx.now, cx.options.delays.job);
    let jobs = &mut transformation(cx).jobs;
    let is_busy = jobs.is_busy();
    let job = TransformationJob {
        id: id.clone(),
        name: owned(input, "JobName"),
        submitted: now,
        number: jobs.jobs.values().map(|job| job.number + 1).max().unwrap_or_default(),
        role: role.clone(),
        input: source.clone(),
        format,
        output: Output::new(output_bucket, folder, key, key_arn),
        output_uri: output_uri.clone(),
        profile: profile_id.to_owned(),
        profile_name,
        version: None,
        mapping: BTreeMap::new(),
        drift: input["DriftDetectionEnabled"].as_bool().unwrap_or(true),
        provenance: input["ProvenanceEnabled"].as_bool().unwrap_or(true),
        takes_ms: u64::try_from(takes.as_millis()).unwrap_or(u64::MAX),
        started: None,
        ended: None,
        message: None,
        report: None,
    };
    let answer = json!({"JobId": id, "JobStatus": job.status(is_busy)});
    let token = TransformationToken { request: input.clone(), job: id.clone() };
    jobs.tokens.insert(text(input, "ClientToken").to_owned(), token);
    jobs.jobs.insert(id, job);
    Ok(answer)
}

fn describe(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    within_second(cx, "DescribeJob")?;
    let jobs = &transformation(cx).jobs;
    let id = text(input, "JobId");
    let job = jobs.jobs.get(id).ok_or_else(|| {
        AwsError::bad_request(
            "ResourceNotFoundException",
            format!("The requested transformation job {id} was not found."),
        )
    })?;
    Ok(json!({"TransformationJobProperties": job.properties(jobs.is_busy())}))
}

fn list(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    within_second(cx, "ListJobs")?;
    let jobs = &transformation(cx).jobs;
    let is_busy = jobs.is_busy();
    let passes = |job: &&TransformationJob| {
        let submitted = epoch_seconds(job.submitted);
        input["JobName"].as_str().is_none_or(|name| job.name.as_deref() == Some(name))
            && input["JobStatus"].as_str().is_none_or(|status| job.status(is_busy) == status)
            && input["SubmittedBefore"].as_f64().is_none_or(|limit| submitted < limit)
            && input["SubmittedAfter"].as_f64().is_none_or(|limit| submitted > limit)
    };
    let mut found: Vec<&TransformationJob> = jobs.jobs.values().filter(passes).collect();
    found.sort_by_key(|job| job.number);
    paged(
        input,
        found,
        |job| format!("{:020}", job.number),
        |job| {
            let all = job.properties(is_busy);
            let mut summary = json!({"SourceFormat": job.format});
            for member in ["JobId", "JobStatus", "SubmitTime", "JobName", "EndTime"] {
                if let Some(value) = all.get(member) {
                    summary[member] = value.clone();
                }
            }
            summary
        },
    )
}

impl Jobs {
    fn is_busy(&self) -> bool {
        self.jobs.values().any(TransformationJob::is_working)
    }

    /// The job that has something to be done now: one runs at a time (HealthLake quotas).
    pub(in crate::services::healthlake) fn due(&self, now: Timestamp) -> Option<String> {
        if let Some(working) = self.jobs.values().find(|job| job.is_working()) {
            return working.due().filter(|due| *due <= now).map(|_| working.id.clone());
        }
        let waiting = self.jobs.values().filter(|job| job.ended.is_none());
        waiting.min_by_key(|job| job.number).map(|job| job.id.clone())
    }
}

impl HealthLake {
    /// Begins a job that waits; gives one that works and is due.
    pub(in crate::services::healthlake) fn begin_or_take_transformation(
        &mut self,
        id: &str,
        now: Timestamp,
    ) -> Option<TransformationJob> {
        let before =
            self.transformation.jobs.jobs.values().filter_map(|job| job.ended.as_ref().map(|(ended, _)| *ended)).max();
        let job = self.transformation.jobs.jobs.get_mut(id)?;
        if job.started.is_some() {
            return self.transformation.jobs.jobs.remove(id);
        }
        job.started = Some(before.map_or(job.submitted, |before| before.max(job.submitted)).min(now));
        match self.transformation.profiles.get(&job.profile) {
            Some(profile) => {
                job.version = Some(profile.latest());
                job.mapping = profile.in_use().map(|version| version.mapping.clone()).unwrap_or_default();
            }
            None => job.fail(&format!("The profile {} no longer exists.", job.profile), now),
        }
        None
    }

    pub(in crate::services::healthlake) fn keep_transformation(&mut self, job: TransformationJob) {
        self.transformation.jobs.jobs.insert(job.id.clone(), job);
    }
}

/// Converts the files of a job and writes what comes of it.
pub(in crate::services::healthlake) fn run(
    job: &mut TransformationJob,
    s3: &mut Inside<'_>,
    now: Timestamp,
) -> AwsResult<()> {
    let (bucket, path) = split(&job.input);
    let (bucket, path) = (bucket.to_owned(), path.to_owned());
    Party::without_store(&job.role).check_conversion(
        s3.cx(),
        (&bucket, &path),
        (job.output.bucket(), job.output.folder()),
        job.output.key(),
    )?;
    let mapping = job.mapping.clone();
    let made = convert_files(s3, &mapping, &job.input, &job.output)?;
    if job.drift {
        made.leave_drift(s3, &job.output, &job.id, (&job.profile, job.version))?;
    }
    job.output.put_json(s3, "Manifest.json", &json!({"jobId": job.id, "jobProgressReport": made.report()}))?;
    job.report = Some(made.report());
    let is_reported = made.has_errors && !s3.cx().faults.jobs.completed_despite_errors;
    let status = if is_reported { "COMPLETED_WITH_ERRORS" } else { "COMPLETED" };
    let ended = job.due().filter(|_| job.takes_ms > 0).unwrap_or(now).min(now);
    job.ended = Some((ended, status.to_owned()));
    Ok(())
}

/// What has come of the files at an address.
pub(in crate::services::healthlake) struct FilesConverted {
    scanned: u64,
    failed: u64,
    pub(in crate::services::healthlake) resources: u64,
    pub(in crate::services::healthlake) has_errors: bool,
    drift: Value,
}

impl FilesConverted {
    /// Files that were converted.
    pub(in crate::services::healthlake) fn files(&self) -> u64 {
        self.scanned - self.failed
    }

    fn report(&self) -> Value {
        json!({
            "TotalFilesScanned": self.scanned,
            "TotalFilesConverted": self.files(),
            "TotalFilesFailed": self.failed,
            "TotalResourcesGenerated": self.resources,
        })
    }

    /// Leaves the drift report of a job and of the version of a profile that it used.
    pub(in crate::services::healthlake) fn leave_drift(
        &self,
        s3: &mut Inside<'_>,
        output: &Output,
        job: &str,
        (profile, version): (&str, Option<u64>),
    ) -> AwsResult<()> {
        let mut drift = self.drift.clone();
        drift["jobId"] = json!(job);
        drift["profileId"] = json!(profile);
        drift["profileVersion"] = json!(version);
        output.put_json(s3, "jobLevelDriftResult.json", &drift)
    }
}

/// Converts the files at an address by a mapping; leaves the resources in `converted/` and what could not be converted in `ERROR/`.
pub(in crate::services::healthlake) fn convert_files(
    s3: &mut Inside<'_>,
    mapping: &BTreeMap<String, String>,
    address: &str,
    output: &Output,
) -> AwsResult<FilesConverted> {
    let (bucket, path) = split(address);
    let [text] = mapping.values().collect::<Vec<_>>()[..] else {
        return Err(validation("A profile for CSV has one mapping."));
    };
    let mapping =
        Mapping::parse(text).map_err(|problems| validation(format!("The mapping cannot be used: {problems}")))?;
    let mut found = Vec::new();
    s3.list(bucket, path, None, |object| {
        if !object.key.ends_with('/') {
            found.push(object);
        }
        true
    })?;
    let (csv, others): (Vec<_>, Vec<_>) = found.into_iter().partition(|object| object.key.ends_with(".csv"));
    if csv.is_empty() {
        return Err(validation(format!("There is no CSV file at {address}")));
    }
    let bytes: u64 = csv.iter().map(|object| object.size).sum();
    if bytes > MOST_BYTES {
        return Err(validation(format!("The files at {address} have {bytes} bytes: a job takes {MOST_BYTES}")));
    }
    let mut files = Vec::new();
    for object in &csv {
        let name = object.key.rsplit('/').next().unwrap_or(&object.key).to_owned();
        files.push((name, s3.content(bucket, &object.body)?));
    }
    let sources: Vec<_> = files.iter().map(|(name, bytes)| SourceFile { name, bytes }).collect();
    let conversion = convert(&mapping, &sources).map_err(|error| validation(error.to_string()))?;
    let names = files.iter().map(|(name, _)| name.as_str());
    let keys: Vec<(&str, &str)> = names.zip(csv.iter().map(|object| object.key.as_str())).collect();
    let others: Vec<&str> = others.iter().map(|object| object.key.as_str()).collect();
    let errors = errors::by_object(&conversion, &keys, &others);
    for converted in conversion.converted.iter().filter(|converted| converted.resources > 0) {
        output.put_ndjson(s3, &format!("converted/{}.ndjson", converted.table), converted.ndjson.as_bytes())?;
    }
    for (name, (key, message)) in errors::names(errors.keys().map(String::as_str)).iter().zip(&errors) {
        let about = json!({"inputFile": format!("s3://{bucket}/{key}"), "errorMessage": message});
        output.put_json(s3, &format!("ERROR/{name}.json"), &about)?;
    }
    Ok(FilesConverted {
        scanned: (csv.len() + others.len()) as u64,
        failed: (conversion.files.len() + others.len()) as u64,
        resources: conversion.drift.summary.total_resources_generated,
        has_errors: !errors.is_empty(),
        drift: serde_json::to_value(&conversion.drift).unwrap_or_default(),
    })
}
