//! What jobs leave in their bucket.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Output;
use crate::error::AwsResult;
use crate::services::s3::inside::Inside;

/// Written before anything else, to see whether it can be.
pub(super) const PROBE: &str = ".healthlake_write_access_check_file.temp";
pub(super) const NDJSON: &str = "application/fhir+ndjson";
const JSON: &str = "application/json";

/// An object that grows from step to step and is there only once it is whole. Its parts are contents that no object
/// has yet.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Growing {
    parts: Vec<String>,
    pub(super) size: u64,
}

impl Growing {
    pub(super) fn add(&mut self, s3: &mut Inside<'_>, output: &Output, text: &[u8]) -> AwsResult<()> {
        if !text.is_empty() {
            self.parts.push(s3.keep(&output.bucket, text)?);
            self.size += text.len() as u64;
        }
        Ok(())
    }

    /// Makes it an object, unless there is nothing in it.
    pub(super) fn finish(self, s3: &mut Inside<'_>, output: &Output, name: &str) -> AwsResult<()> {
        if self.parts.is_empty() {
            return Ok(());
        }
        let mut whole = Vec::with_capacity(usize::try_from(self.size).unwrap_or_default());
        for part in &self.parts {
            whole.extend_from_slice(&s3.content(&output.bucket, part)?);
        }
        output.put(s3, name, NDJSON, &whole)?;
        self.forget(s3, output)
    }

    /// Gives it up.
    pub(super) fn forget(self, s3: &mut Inside<'_>, output: &Output) -> AwsResult<()> {
        self.parts.iter().try_for_each(|part| s3.forget(&output.bucket, part))
    }
}

impl Output {
    fn put(&self, s3: &mut Inside<'_>, name: &str, content_type: &str, data: &[u8]) -> AwsResult<()> {
        s3.put((&self.bucket, &format!("{}{name}", self.folder)), content_type, data, &self.key_arn)
    }

    pub(in crate::services::healthlake) fn put_ndjson(
        &self,
        s3: &mut Inside<'_>,
        name: &str,
        data: &[u8],
    ) -> AwsResult<()> {
        self.put(s3, name, NDJSON, data)
    }

    pub(in crate::services::healthlake) fn put_json(
        &self,
        s3: &mut Inside<'_>,
        name: &str,
        value: &Value,
    ) -> AwsResult<()> {
        let text = serde_json::to_vec_pretty(value).unwrap_or_default();
        self.put(s3, name, JSON, &text)
    }

    /// The empty object that shows whether the place can be written to; it is where the job's folder is.
    pub(super) fn probe(&self, s3: &mut Inside<'_>) -> AwsResult<()> {
        let above = self.folder.trim_end_matches('/').rsplit_once('/').map_or("", |(above, _)| above);
        let key = if above.is_empty() { PROBE.to_owned() } else { format!("{above}/{PROBE}") };
        s3.put((&self.bucket, &key), "binary/octet-stream", b"", &self.key_arn)
    }
}

/// A line about one line of an imported file (HealthLake developer guide, troubleshooting). In the guide's example
/// the second member's name has no quotation marks; `bare` writes it so.
pub(super) fn about_line(text: &mut Vec<u8>, line: u64, status: u16, blob: &Value, bare: bool) {
    let mark = if bare { "" } else { "\"" };
    let name = format!("{mark}UpdateResourceResponse{mark}");
    let line = format!("{{\"lineId\":{line},{name}:{{\"jsonBlob\":{blob},\"statusCode\":{status}}}}}\n");
    text.extend_from_slice(line.as_bytes());
}

/// An OperationOutcome of one issue.
pub(super) fn outcome(code: &str, text: &str) -> Value {
    json!({
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": code, "diagnostics": text}],
    })
}
