//! The jobs: starts them, finds them again, looks at them, waits for them.

use std::time::Duration;

use aws_sdk_healthlake::types::{
    DataTransformationS3Configuration, SourceFormat, TransformationInputDataConfig, TransformationJobProgressReport,
    TransformationJobProperties, TransformationOutputDataConfig,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::data::job::{AwaitedJob, until_over};
use crate::data::place::Prefix;
use crate::data::profiles::TransformProfile;
use hlctl_aws::{AwsError, ops};
use hlctl_engine::wait::Ended;
use hlctl_resources::{Context, ResourceError};

/// A job as AWS describes it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ConversionJob {
    /// Its id.
    pub id: String,
    /// Its status as AWS names it.
    pub status: String,
    /// What AWS says about it.
    pub message: Option<String>,
    /// The version of the profile that it converts by, once AWS says so.
    pub profile_version: Option<i32>,
    /// Files found.
    pub files_scanned: i64,
    /// Files converted.
    pub files_converted: i64,
    /// Files that could not be converted.
    pub files_failed: i64,
    /// Resources generated.
    pub resources: i64,
    /// Where the job writes.
    pub folder: String,
    /// Where the converted files are.
    pub converted: String,
    /// AWS's report of what of the files the mapping uses (`jobLevelDriftResult.json`), as it is.
    pub drift: Option<Value>,
}

impl AwaitedJob for ConversionJob {
    fn is_over(&self) -> bool {
        self.is_over()
    }

    fn status(&self) -> &str {
        &self.status
    }
}

impl ConversionJob {
    /// Whether nothing more will come of it.
    pub fn is_over(&self) -> bool {
        matches!(&*self.status, "COMPLETED" | "COMPLETED_WITH_ERRORS" | "FAILED")
    }

    fn of(job: &TransformationJobProperties, folder: &Prefix) -> Self {
        let report = job.job_progress_report();
        Self {
            id: job.job_id().to_owned(),
            status: job.job_status().as_str().to_owned(),
            message: job.message().map(str::to_owned),
            profile_version: job.profile_version(),
            files_scanned: report.map(TransformationJobProgressReport::total_files_scanned).unwrap_or_default(),
            files_converted: report.map(TransformationJobProgressReport::total_files_converted).unwrap_or_default(),
            files_failed: report.map(TransformationJobProgressReport::total_files_failed).unwrap_or_default(),
            resources: report.map(TransformationJobProgressReport::total_resources_generated).unwrap_or_default(),
            folder: folder.to_string(),
            converted: folder.under("converted").to_string(),
            drift: None,
        }
    }
}

/// What a job is started with.
#[derive(Clone, Copy, Debug)]
pub(super) struct ConversionOrder<'a> {
    /// Its token, which is its name too: AWS starts one job for it. The SDK fills none in, though one is required.
    pub(super) token: &'a str,
    pub(super) profile: &'a TransformProfile,
    pub(super) from: &'a Prefix,
    pub(super) output: &'a Prefix,
    pub(super) key: &'a str,
    pub(super) role: &'a str,
    pub(super) drift: bool,
    pub(super) provenance: bool,
}

/// Starts a job (StartDataTransformationJob).
pub(super) async fn start(cx: &Context, order: &ConversionOrder<'_>) -> Result<String, ResourceError> {
    let format = SourceFormat::from(order.profile.format.as_str());
    let input = TransformationInputDataConfig::builder().s3_uri(order.from.to_string()).source_format(format);
    let input = input.build().map_err(ResourceError::request)?;
    let output = DataTransformationS3Configuration::builder().s3_uri(order.output.to_string()).kms_key_id(order.key);
    let output =
        TransformationOutputDataConfig::builder().s3_configuration(output.build().map_err(ResourceError::request)?);
    let output = output.build();
    let answer = cx
        .call(ops::healthlake::START_DATA_TRANSFORMATION_JOB, || {
            let start = cx.clients.healthlake.start_data_transformation_job().profile_id(&order.profile.id);
            let start = start.client_token(order.token).job_name(order.token).data_access_role_arn(order.role);
            let start = start.input_data_config(input.clone()).output_data_config(output.clone());
            start.drift_detection_enabled(order.drift).provenance_enabled(order.provenance).send()
        })
        .await?;
    Ok(answer.job_id().to_owned())
}

/// The job of this name, which no other one has.
pub(super) async fn find(cx: &Context, name: &str) -> Result<Option<String>, AwsError> {
    let mut token = None;
    loop {
        let list = || {
            let list = cx.clients.healthlake.list_data_transformation_jobs().job_name(name);
            list.set_next_token(token.clone()).send()
        };
        let page = cx.call(ops::healthlake::LIST_DATA_TRANSFORMATION_JOBS, list).await?;
        if let Some(job) = page.items().iter().find(|job| job.job_name() == Some(name)) {
            return Ok(Some(job.job_id().to_owned()));
        }
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            return Ok(None);
        }
    }
}

/// Looks at a job that writes into this folder.
pub(super) async fn look(cx: &Context, id: &str, folder: &Prefix) -> Result<ConversionJob, ResourceError> {
    let describe = || cx.clients.healthlake.describe_data_transformation_job().job_id(id).send();
    let answer = cx.call(ops::healthlake::DESCRIBE_DATA_TRANSFORMATION_JOB, describe).await?;
    let job = answer.transformation_job_properties().map(|job| ConversionJob::of(job, folder));
    job.ok_or_else(|| ResourceError::Answer(format!("the response does not include the job {id}")))
}

/// Shortest interval between two looks: HealthLake takes one such request a second of an account ("AWS HealthLake endpoints and quotas"), and
/// others may be looking too. The SDK's waiter gives up after two and a half minutes and takes errors for success.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

/// Waits until a job is over; `hear` is called at each look.
pub(super) async fn wait(
    cx: &Context,
    id: &str,
    folder: &Prefix,
    hear: impl Fn(&ConversionJob),
) -> Result<ConversionJob, Ended<ResourceError>> {
    until_over(cx, BETWEEN_LOOKS, || look(cx, id, folder), hear).await
}
