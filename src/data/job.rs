//! Import and export jobs: starts them, finds them again, looks at them, waits for them.

use std::time::Duration;

use aws_sdk_healthlake::types::{
    ExportJobProperties, ImportJobProperties, InputDataConfig, JobProgressReport, OutputDataConfig, S3Configuration,
    ValidationLevel,
};
use aws_smithy_types::DateTime;
use schemars::JsonSchema;
use serde::Serialize;

use super::journal::ImportConversion;
use super::place::Prefix;
use hlctl_aws::{AwsError, ops};
use hlctl_engine::wait::{self, Ended, Poll};
use hlctl_resources::{Context, ResourceError};

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum JobKind {
    /// Brings resources into the store.
    Import,
    /// Brings them out.
    Export,
}

impl JobKind {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Export => "export",
        }
    }
}

/// A job as AWS describes it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Job {
    /// What it does.
    pub kind: JobKind,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// Its status as AWS names it.
    pub status: String,
    /// When it was submitted.
    pub submitted: Option<String>,
    /// When it ended.
    pub ended: Option<String>,
    /// What AWS says about it.
    pub message: Option<String>,
    /// Where an import reads.
    pub input: Option<String>,
    /// Where its output goes.
    pub output: Option<String>,
    /// How strict an import is.
    pub validation_level: Option<String>,
    /// How far an import is.
    pub progress: Option<JobCounts>,
}

/// What `data jobs --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct JobList {
    /// The store's id.
    pub store: String,
    /// Its jobs, the newest first.
    pub jobs: Vec<Job>,
}

/// What an import has read and brought in so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct JobCounts {
    /// Files found.
    pub files_scanned: i64,
    /// Files done.
    pub files_imported: i64,
    /// Resources read.
    pub resources_scanned: i64,
    /// Resources brought in.
    pub resources_imported: i64,
    /// Resources refused.
    pub resources_refused: i64,
    /// Files converted, of an import whose files HealthLake converts first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files_converted: Option<i64>,
    /// Resources that were made of those.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources_generated: Option<i64>,
}

impl Job {
    /// Whether nothing more will come of it.
    pub fn is_over(&self) -> bool {
        matches!(&*self.status, "COMPLETED" | "COMPLETED_WITH_ERRORS" | "FAILED" | "CANCEL_COMPLETED")
    }

    /// Whether AWS may still be at it. A cancellation that failed leaves a job that goes on, until it has an end.
    pub fn is_under_way(&self) -> bool {
        !self.is_over() && self.ended.is_none()
    }

    /// Whether it was submitted less than so many days ago. One without a time is old.
    pub fn is_younger_than(&self, days: i64) -> bool {
        let submitted = self.submitted.as_deref().and_then(|text| text.parse::<jiff::Timestamp>().ok());
        submitted.is_some_and(|at| jiff::Timestamp::now().duration_since(at).as_hours() < days.saturating_mul(24))
    }

    /// The folder that the job writes into, for the store with this id: AWS makes one of its own in the place that was named.
    pub fn folder(&self, store: &str) -> Option<Prefix> {
        let place = Prefix::parse(self.output.as_deref()?)?;
        let kind = self.kind.name().to_uppercase();
        let folder = format!("{store}-FHIR_{kind}-{}", self.id);
        Some(if place.prefix.ends_with(&format!("{folder}/")) { place } else { place.under(&folder) })
    }

    fn of_import(job: &ImportJobProperties) -> Self {
        Self {
            kind: JobKind::Import,
            id: job.job_id().to_owned(),
            name: job.job_name().map(str::to_owned),
            status: job.job_status().as_str().to_owned(),
            submitted: time(Some(job.submit_time())),
            ended: time(job.end_time()),
            message: job.message().map(str::to_owned),
            input: match job.input_data_config() {
                Some(InputDataConfig::S3Uri(uri)) => Some(uri.clone()),
                _ => None,
            },
            output: output_of(job.job_output_data_config()),
            validation_level: job.validation_level().map(|level| level.as_str().to_owned()),
            progress: job.job_progress_report().map(counts),
        }
    }

    fn of_export(job: &ExportJobProperties) -> Self {
        Self {
            kind: JobKind::Export,
            id: job.job_id().to_owned(),
            name: job.job_name().map(str::to_owned),
            status: job.job_status().as_str().to_owned(),
            submitted: time(Some(job.submit_time())),
            ended: time(job.end_time()),
            message: job.message().map(str::to_owned),
            input: None,
            output: output_of(job.output_data_config()),
            validation_level: None,
            progress: None,
        }
    }
}

/// A time as text.
pub(super) fn time(time: Option<&DateTime>) -> Option<String> {
    let seconds = time?.secs();
    Some(jiff::Timestamp::from_second(seconds).ok()?.to_string())
}

fn output_of(config: Option<&OutputDataConfig>) -> Option<String> {
    match config {
        Some(OutputDataConfig::S3Configuration(s3)) => Some(s3.s3_uri().to_owned()),
        _ => None,
    }
}

fn counts(report: &JobProgressReport) -> JobCounts {
    JobCounts {
        files_scanned: report.total_number_of_scanned_files().unwrap_or_default(),
        files_imported: report.total_number_of_imported_files().unwrap_or_default(),
        resources_scanned: report.total_number_of_resources_scanned().unwrap_or_default(),
        resources_imported: report.total_number_of_resources_imported().unwrap_or_default(),
        resources_refused: report.total_number_of_resources_with_customer_error().unwrap_or_default(),
        files_converted: report.total_files_converted(),
        resources_generated: report.total_resources_generated(),
    }
}

/// What a job is started with.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    /// The store's id.
    pub store: &'a str,
    /// The role that HealthLake takes on.
    pub role: &'a str,
    /// The key of what the job writes.
    pub key: &'a str,
    /// Name of the job.
    pub name: &'a str,
    /// AWS starts one job for it.
    pub token: &'a str,
    /// Where its output goes.
    pub output: &'a Prefix,
}

impl Order<'_> {
    fn output(&self) -> Result<OutputDataConfig, ResourceError> {
        let config = S3Configuration::builder().s3_uri(self.output.to_string()).kms_key_id(self.key);
        Ok(OutputDataConfig::S3Configuration(config.build().map_err(ResourceError::request)?))
    }
}

/// A role or a policy made just before.
const NOT_YET_VISIBLE: &[(&str, &str)] = &[("AccessDeniedException", "assume"), ("ValidationException", "assume")];

/// Starts an import of what is under `input`, which HealthLake converts first if `conversion` says so.
///
/// # Errors
/// AWS's.
pub async fn import(
    cx: &Context,
    order: &Order<'_>,
    input: &str,
    level: &str,
    conversion: Option<&ImportConversion>,
) -> Result<String, ResourceError> {
    let output = order.output()?;
    let answer = cx
        .call(ops::healthlake::START_FHIR_IMPORT_JOB.eventually(NOT_YET_VISIBLE), || {
            let start = cx.clients.healthlake.start_fhir_import_job().datastore_id(order.store);
            let start = start.data_access_role_arn(order.role).job_name(order.name).client_token(order.token);
            let start = start.input_data_config(InputDataConfig::S3Uri(input.to_owned()));
            let start = start.job_output_data_config(output.clone()).validation_level(ValidationLevel::from(level));
            let start = start.set_input_format(conversion.map(|conversion| conversion.format.clone()));
            let start = start.set_profile_id(conversion.map(|conversion| conversion.profile.clone()));
            let start = start.set_drift_detection_enabled(conversion.map(|conversion| conversion.drift));
            start.set_provenance_enabled(conversion.map(|conversion| conversion.provenance)).send()
        })
        .await?;
    Ok(answer.job_id().to_owned())
}

/// Starts an export.
///
/// # Errors
/// AWS's.
pub async fn export(cx: &Context, order: &Order<'_>) -> Result<String, ResourceError> {
    let output = order.output()?;
    let answer = cx
        .call(ops::healthlake::START_FHIR_EXPORT_JOB.eventually(NOT_YET_VISIBLE), || {
            let start = cx.clients.healthlake.start_fhir_export_job().datastore_id(order.store);
            let start = start.data_access_role_arn(order.role).job_name(order.name).client_token(order.token);
            start.output_data_config(output.clone()).send()
        })
        .await?;
    Ok(answer.job_id().to_owned())
}

/// All jobs of a store, the newest first.
///
/// # Errors
/// AWS's.
pub async fn list(cx: &Context, store: &str) -> Result<Vec<Job>, AwsError> {
    let (imports, exports) = tokio::join!(imports(cx, store, None), exports(cx, store, None));
    let mut jobs = imports?;
    jobs.extend(exports?);
    jobs.sort_by(|a, b| b.submitted.cmp(&a.submitted));
    Ok(jobs)
}

/// The job of this name, which no other one has.
///
/// # Errors
/// AWS's.
pub async fn find(cx: &Context, kind: JobKind, store: &str, name: &str) -> Result<Option<String>, AwsError> {
    let jobs = match kind {
        JobKind::Import => imports(cx, store, Some(name)).await?,
        JobKind::Export => exports(cx, store, Some(name)).await?,
    };
    Ok(jobs.into_iter().find(|job| job.name.as_deref() == Some(name)).map(|job| job.id))
}

async fn imports(cx: &Context, store: &str, name: Option<&str>) -> Result<Vec<Job>, AwsError> {
    let mut jobs = Vec::new();
    let mut token = None;
    loop {
        let page = cx
            .call(ops::healthlake::LIST_FHIR_IMPORT_JOBS, || {
                let list = cx.clients.healthlake.list_fhir_import_jobs().datastore_id(store);
                list.set_job_name(name.map(str::to_owned)).set_next_token(token.clone()).send()
            })
            .await?;
        jobs.extend(page.import_job_properties_list().iter().map(Job::of_import));
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            return Ok(jobs);
        }
    }
}

async fn exports(cx: &Context, store: &str, name: Option<&str>) -> Result<Vec<Job>, AwsError> {
    let mut jobs = Vec::new();
    let mut token = None;
    loop {
        let page = cx
            .call(ops::healthlake::LIST_FHIR_EXPORT_JOBS, || {
                let list = cx.clients.healthlake.list_fhir_export_jobs().datastore_id(store);
                list.set_job_name(name.map(str::to_owned)).set_next_token(token.clone()).send()
            })
            .await?;
        jobs.extend(page.export_job_properties_list().iter().map(Job::of_export));
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            return Ok(jobs);
        }
    }
}

/// Looks at one job.
///
/// # Errors
/// AWS's.
pub async fn look(cx: &Context, kind: JobKind, store: &str, id: &str) -> Result<Job, ResourceError> {
    let missing = || ResourceError::Answer(format!("the response does not include the job {id}"));
    match kind {
        JobKind::Import => {
            let describe = || cx.clients.healthlake.describe_fhir_import_job().datastore_id(store).job_id(id).send();
            let answer = cx.call(ops::healthlake::DESCRIBE_FHIR_IMPORT_JOB, describe).await?;
            answer.import_job_properties().map(Job::of_import).ok_or_else(missing)
        }
        JobKind::Export => {
            let describe = || cx.clients.healthlake.describe_fhir_export_job().datastore_id(store).job_id(id).send();
            let answer = cx.call(ops::healthlake::DESCRIBE_FHIR_EXPORT_JOB, describe).await?;
            answer.export_job_properties().map(Job::of_export).ok_or_else(missing)
        }
    }
}

/// Shortest interval between two looks at jobs, which take minutes: HealthLake takes ten such requests a second of an account ("AWS
/// HealthLake endpoints and quotas"), and several jobs may be waited for.
pub const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// What is looked at until nothing more comes of it.
pub trait AwaitedJob {
    /// Whether it is over.
    fn is_over(&self) -> bool;

    /// Its status as AWS names it.
    fn status(&self) -> &str;
}

impl AwaitedJob for Job {
    fn is_over(&self) -> bool {
        self.is_over()
    }

    fn status(&self) -> &str {
        &self.status
    }
}

/// Waits until a job is over; `hear` is called at each look.
///
/// # Errors
/// AWS's; or the time is up, or a stop was asked for.
pub async fn wait(
    cx: &Context,
    kind: JobKind,
    store: &str,
    id: &str,
    hear: impl Fn(&Job),
) -> Result<Job, Ended<ResourceError>> {
    until_over(cx, BETWEEN_LOOKS, || look(cx, kind, store, id), hear).await
}

/// Looks at a job until it is over, at least so far apart; `hear` is called at each look.
///
/// # Errors
/// As [`wait`].
pub async fn until_over<J: AwaitedJob, F: Future<Output = Result<J, ResourceError>>>(
    cx: &Context,
    between: Duration,
    look: impl Fn() -> F,
    hear: impl Fn(&J),
) -> Result<J, Ended<ResourceError>> {
    let (look, hear) = (&look, &hear);
    wait::until(
        cx.pace.at_least(between),
        &cx.stop,
        |_| {},
        || async move {
            let job = look().await?;
            hear(&job);
            Ok(if job.is_over() { Poll::Ready(job) } else { Poll::Pending(job.status().to_owned()) })
        },
    )
    .await
}
