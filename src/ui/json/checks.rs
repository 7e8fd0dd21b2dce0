//! `hlctl doctor --json`, `hlctl smart test --json`, `hlctl validate --json` and `hlctl fhir explain --json`

use schemars::JsonSchema;
use serde::Serialize;

use super::FORMAT_VERSION;
use hlctl_config::ProblemReport;
use hlctl_fhir::explain::SignatureFinding;

/// What the doctor found.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Doctor {
    format_version: u32,
    /// Whether there is no problem.
    passed: bool,
    findings: Vec<DoctorFinding>,
}

/// What was looked at, and how it is.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DoctorFinding {
    /// What was checked; `docs/doctor.md` lists them. One check may find several things.
    pub check: &'static str,
    /// `ok`, `warning`, `problem` or `not_checkable`.
    pub status: String,
    /// What was found.
    pub title: String,
    /// Details.
    pub detail: Vec<String>,
    /// Why it matters.
    pub why: Option<&'static str>,
    /// What to do about it.
    pub mend: Option<String>,
}

impl Doctor {
    /// All findings, and whether none of them is a problem.
    pub fn of(passed: bool, findings: Vec<DoctorFinding>) -> Self {
        Self { format_version: FORMAT_VERSION, passed, findings }
    }
}

/// What a test of SMART found.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SmartTest {
    format_version: u32,
    /// Whether nothing failed.
    passed: bool,
    checks: Vec<SmartCheck>,
}

/// What was checked, and how it is.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SmartCheck {
    /// Its id.
    pub check: &'static str,
    /// What was checked, in words.
    pub title: String,
    /// `passed`, `failed` or `skipped`.
    pub status: &'static str,
    /// What was found.
    pub detail: Vec<String>,
    /// What to do.
    pub hint: Option<String>,
}

impl SmartTest {
    /// All checks, and whether none of them failed.
    pub fn of(passed: bool, checks: Vec<SmartCheck>) -> Self {
        Self { format_version: FORMAT_VERSION, passed, checks }
    }
}

/// How far the rotation of a client's secret is.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SecretRotation {
    /// Version of the format.
    pub format_version: u32,
    /// Address of the app client.
    pub client: &'static str,
    /// Its id, which stays.
    pub client_id: String,
    /// Id of the secret that this run added, or null.
    pub added: Option<String>,
    /// Id of the secret that this run removed, or null.
    pub removed: Option<String>,
    /// The secrets that are valid now, the oldest first.
    pub secrets: Vec<SecretId>,
    /// The new secret, with `--show-secrets` and if Cognito generated it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// The command that continues, or null if nothing is left to do.
    pub next: Option<String>,
}

/// A secret without its value.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SecretId {
    /// The id that Cognito gave it.
    pub id: String,
    /// When it was created, or null if AWS does not say.
    pub created: Option<String>,
}

/// What is wrong with a configuration.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Validation {
    format_version: u32,
    /// Whether it can be used.
    valid: bool,
    problems: Vec<ProblemReport>,
}

impl Validation {
    /// All problems, and whether none of them is an error.
    pub fn of(valid: bool, problems: Vec<ProblemReport>) -> Self {
        Self { format_version: FORMAT_VERSION, valid, problems }
    }
}

/// What is signed of a FHIR request.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Explanation {
    /// Version of the format.
    pub format_version: u32,
    /// Method and address as they are sent.
    pub request: String,
    /// What is signed; of a session token only its length is shown.
    pub canonical_request: String,
    /// The digest of the whole.
    pub canonical_request_sha256: String,
    /// What the signature is made of.
    pub string_to_sign: String,
    /// The parts of the header.
    pub authorization: Authorization,
    /// The status that `--send` brought.
    pub answer: Option<u16>,
    /// What is worth knowing.
    pub findings: Vec<SignatureFinding>,
}

/// The parts of the header `authorization`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Authorization {
    /// The algorithm.
    pub algorithm: &'static str,
    /// The access key and its scope.
    pub credential: String,
    /// The names of the headers that are signed.
    pub signed_headers: String,
    /// The signature.
    pub signature: String,
}
