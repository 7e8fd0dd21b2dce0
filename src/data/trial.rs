//! Files converted by HealthLake while one waits: its synchronous interface, which no SDK has (HealthLake developer guide, "Synchronous
//! transformation").

use std::collections::BTreeMap;

use http::Method;
use http::header::{ACCEPT, HeaderValue};
use serde_json::{Value, json};

use super::profiles::TransformProfile;
use hlctl_aws::{AwsError, Clients, ops};
use hlctl_fhir::{Fhir, FhirRequest};

/// All CSV files together, and a C-CDA document. One page of the guide says 1 MB for CSV, and the quotas 500 KB.
pub const MOST_CSV_BYTES: usize = 500 * 1024;
/// The same of a C-CDA document.
pub const MOST_CCDA_BYTES: usize = 1024 * 1024;
/// CSV files of a request.
pub const MOST_CSV_FILES: usize = 20;

/// What is converted by one request.
#[derive(Clone, Debug)]
pub enum TrialInput {
    /// CSV files by their tables.
    Csv(BTreeMap<String, String>),
    /// A document.
    Ccda(String),
}

/// What came back.
#[derive(Clone, Debug, Default)]
pub struct Trial {
    /// The resources, in the order of the bundle.
    pub resources: Vec<Value>,
    /// The drift report as HealthLake wrote it.
    pub drift: Option<Value>,
}

/// Why nothing came back.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// HealthLake refused, or did not answer.
    #[error("{0}")]
    Aws(AwsError),
    /// The answer is not what the guide describes.
    #[error("the answer of TransformData has no {0}")]
    Answer(&'static str),
}

/// Where the interface is: a host of its own, or the custom endpoint itself.
pub fn address(clients: &Clients) -> Option<String> {
    clients.data_transformation_endpoint()
}

/// Converts by the version of the profile that is published last.
///
/// # Errors
/// HealthLake's, or an answer of another form.
pub async fn transform(
    fhir: &Fhir,
    profile: &TransformProfile,
    input: &TrialInput,
    provenance: bool,
) -> Result<Trial, TrialError> {
    let data = match input {
        TrialInput::Csv(tables) => json!({"CsvInput": tables}),
        TrialInput::Ccda(text) => json!({"CcdaInput": text}),
    };
    let body = json!({
        "ProfileId": profile.id,
        "InputData": data,
        "DriftDetectionEnabled": true,
        "ProvenanceEnabled": provenance,
    });
    let url = fhir.base.url().join("transform-data").map_err(|_| TrialError::Answer("address"))?;
    let request =
        FhirRequest::new(ops::healthlake::TRANSFORM_DATA, Method::POST, url.to_string(), "TransformData".to_owned());
    let json_type = HeaderValue::from_static("application/json");
    let request = request.with(ACCEPT, json_type.clone()).with_body(json_type, body.to_string());
    let answer = fhir.send(&request).await;
    let answer = answer.map_err(|refusal| TrialError::Aws(refusal.aws))?;
    let answer: Value = serde_json::from_slice(&answer.body).map_err(|_| TrialError::Answer("JSON"))?;
    let bundle = embedded(&answer["TransformedData"]).ok_or(TrialError::Answer("TransformedData"))?;
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    let resources = entries.into_iter().map(|mut entry| entry["resource"].take()).filter(Value::is_object).collect();
    Ok(Trial { resources, drift: embedded(&answer["DriftReport"]) })
}

/// JSON in a text, as the guide has it, or as it is.
fn embedded(value: &Value) -> Option<Value> {
    match value {
        Value::String(text) => serde_json::from_str(text).ok(),
        Value::Object(_) => Some(value.clone()),
        _ => None,
    }
}
