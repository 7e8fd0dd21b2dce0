//! Describing and listing jobs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use super::{Direction, Job, Work};
use crate::clock::epoch_seconds;
use crate::error::{AwsError, AwsResult};
use crate::services::healthlake::{find, healthlake, validation};
use crate::services::{Cx, page, text};

/// Jobs on a page unless MaxResults says otherwise.
const PAGE: usize = 100;

pub(super) fn describe_import(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    Ok(json!({"ImportJobProperties": describe(cx, input, Direction::Import)?}))
}

pub(super) fn describe_export(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    Ok(json!({"ExportJobProperties": describe(cx, input, Direction::Export)?}))
}

pub(super) fn list_imports(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    list(cx, input, Direction::Import, "ImportJobPropertiesList")
}

pub(super) fn list_exports(cx: &mut Cx<'_>, input: &Value) -> AwsResult<Value> {
    list(cx, input, Direction::Export, "ExportJobPropertiesList")
}

fn describe(cx: &mut Cx<'_>, input: &Value, direction: Direction) -> AwsResult<Value> {
    let (store, id) = (text(input, "DatastoreId"), text(input, "JobId"));
    find(cx, store)?;
    let healthlake = healthlake(cx);
    let busy = healthlake.is_busy(direction);
    let job = healthlake.jobs.get(id).filter(|job| job.store == store && job.is_listed_as(direction));
    job.map(|job| job.properties(busy)).ok_or_else(|| {
        AwsError::bad_request(
            "ResourceNotFoundException",
            format!("The requested {} job {id} was not found.", direction.name()),
        )
    })
}

fn list(cx: &mut Cx<'_>, input: &Value, direction: Direction, member: &str) -> AwsResult<Value> {
    let store = text(input, "DatastoreId");
    let marker = match input["NextToken"].as_str() {
        None | Some("") => None,
        Some(token) => Some(
            BASE64
                .decode(token)
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .ok_or_else(|| validation("NextToken is not valid."))?,
        ),
    };
    find(cx, store)?;
    let healthlake = healthlake(cx);
    let busy = healthlake.is_busy(direction);
    let mut jobs: Vec<&Job> = healthlake
        .jobs
        .values()
        .filter(|job| job.store == store && job.is_listed_as(direction) && passes(job, input, busy))
        .collect();
    jobs.sort_by_key(|job| job.number);
    let limit = input["MaxResults"].as_u64().and_then(|limit| usize::try_from(limit).ok()).unwrap_or(PAGE);
    let (jobs, next) = page(jobs, marker.as_deref(), limit, |job| format!("{:020}", job.number));
    let mut output = json!({member: jobs.iter().map(|job| job.properties(busy)).collect::<Vec<_>>()});
    if let Some(next) = next {
        output["NextToken"] = json!(BASE64.encode(next));
    }
    Ok(output)
}

fn passes(job: &Job, input: &Value, busy: bool) -> bool {
    let submitted = epoch_seconds(job.submitted);
    input["JobName"].as_str().is_none_or(|name| job.name.as_deref() == Some(name))
        && input["JobStatus"].as_str().is_none_or(|status| job.status(busy) == status)
        && input["SubmittedBefore"].as_f64().is_none_or(|limit| submitted < limit)
        && input["SubmittedAfter"].as_f64().is_none_or(|limit| submitted > limit)
}

impl Job {
    /// Whether the control plane shows it among the jobs of a direction.
    fn is_listed_as(&self, direction: Direction) -> bool {
        self.direction() == direction && self.output.is_some()
    }

    /// `ImportJobProperties` or `ExportJobProperties`.
    fn properties(&self, busy: bool) -> Value {
        let output = self.output.as_ref();
        let output = output.map(|output| json!({"S3Configuration": {"S3Uri": output.uri(), "KmsKeyId": output.key}}));
        let mut properties = json!({
            "JobId": self.id,
            "JobStatus": self.status(busy),
            "SubmitTime": epoch_seconds(self.submitted),
            "DatastoreId": self.store,
            "DataAccessRoleArn": self.role,
        });
        if let Some(name) = &self.name {
            properties["JobName"] = json!(name);
        }
        if let Some(ended) = self.ended {
            properties["EndTime"] = json!(epoch_seconds(ended));
        }
        if let Some(message) = &self.message {
            properties["Message"] = json!(message);
        }
        match &self.work {
            Work::Import(import) => {
                properties["JobOutputDataConfig"] = json!(output);
                properties["InputDataConfig"] = json!({"S3Uri": import.uri()});
                properties["ValidationLevel"] = json!(import.level().name());
                if let Some(started) = self.started {
                    properties["JobProgressReport"] = import.report(started, self.ended);
                }
            }
            Work::Export(_) | Work::Download(_) => properties["OutputDataConfig"] = json!(output),
        }
        properties
    }
}
