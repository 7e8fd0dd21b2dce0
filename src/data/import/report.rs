//! What an import reports, as JSON.

use schemars::JsonSchema;
use serde::Serialize;

use super::converting::ImportConversionReport;
use crate::data::access::PreflightIssue;
use crate::data::check::Findings;
use crate::data::failures::Cause;
use crate::data::job::Job;

/// An import as JSON, as far as it came (docs/json.md).
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct ImportReport {
    /// What the check of the files found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<Findings>,
    /// What the job may fail for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concerns: Option<Vec<PreflightIssue>>,
    /// What was uploaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload: Option<UploadReport>,
    /// The job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<JobReport>,
    /// What has come of the conversion, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversion: Option<ImportConversionReport>,
    /// Resources that were refused, by cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Vec<Cause>>,
    /// Whether the uploaded files were deleted, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_deleted: Option<bool>,
}

/// What was uploaded, and where to.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct UploadReport {
    /// The prefix in S3.
    pub to: String,
    /// Files that were sent.
    pub sent: u64,
    /// Files that were there already.
    pub kept: u64,
}

/// A job as far as it is known.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum JobReport {
    /// It was started.
    Started {
        /// Its id.
        id: String,
        /// Its name.
        name: String,
    },
    /// It has ended.
    Ended(Box<Job>),
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_report_has_what_was_done_and_no_more() {
        assert_eq!(json!(ImportReport::default()), json!({}));
        let report = ImportReport {
            concerns: Some(Vec::new()),
            upload: Some(UploadReport { to: "s3://b/input/".to_owned(), sent: 2, kept: 1 }),
            job: Some(JobReport::Started { id: "j".to_owned(), name: "run".to_owned() }),
            ..ImportReport::default()
        };
        let reported = json!({
            "concerns": [],
            "job": {"id": "j", "name": "run"},
            "upload": {"to": "s3://b/input/", "sent": 2, "kept": 1},
        });
        assert_eq!(json!(report), reported);
    }
}
