//! Faults: what goes wrong on purpose, and when.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::error::AwsError;
use crate::route::{Caller, Service};
use crate::services::cognito;
use crate::spoil::Spoil;

/// Everything that can be made to go wrong. Also the JSON document of `/_emulator/faults`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Seed of the dice that [`Rule::probability`] throws.
    pub seed: u64,
    /// Rules, tried in order; the first that fires decides.
    pub rules: Vec<Rule>,
    /// Actions that the caller lacks permission for, as `service:Action` (`kms:CreateKey`, `s3:*`).
    pub deny: Vec<String>,
    /// How long what was just made stays unseen.
    pub propagation: Propagation,
    /// How HealthLake's own work ends.
    pub healthlake: HealthLakeFaults,
    /// How HealthLake's import and export jobs fare.
    pub jobs: JobFaults,
    /// What the account has of Lambda.
    pub lambda: LambdaFaults,
    /// What S3 does not do of what Amazon S3 does.
    pub s3: S3Faults,
}

/// Milliseconds for which what was just created is not yet visible to other calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Propagation {
    /// New roles and policies: NoSuchEntity on reads, an invalid principal in policies.
    pub iam_ms: u64,
    /// New keys: NotFoundException for everything but CreateKey.
    pub kms_ms: u64,
    /// New buckets: HeadBucket answers 404.
    pub s3_ms: u64,
    /// New domains of user pools: their status is CREATING, and nothing is served there.
    pub cognito_ms: u64,
    /// New versions of FHIR resources: searches do not find the resource.
    pub fhir_ms: u64,
}

/// How datastore creations and updates that start from now on end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HealthLakeFaults {
    /// The status a creation ends in instead of `ACTIVE`: `CREATE_FAILED`, or any text at all to
    /// play a status that no client knows yet.
    pub create_ends_as: Option<String>,
    /// The status an asynchronous update ends in instead of `ACTIVE`, such as `UPDATE_FAILED`.
    pub update_ends_as: Option<String>,
    /// The `ErrorCause` message of a store whose creation or update failed.
    pub error_message: Option<String>,
    /// The data lake administrators in Lake Formation, by ARN; without a list every caller is one.
    pub lake_administrators: Option<Vec<String>>,
}

/// How import and export jobs fare that are submitted from now on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JobFaults {
    /// How many resources a job goes through before `ends_as` or `hang` befalls it.
    pub after_resources: u64,
    /// The status that a job then ends in, such as `FAILED`; any text at all plays a status that no client knows yet.
    pub ends_as: Option<String>,
    /// The `Message` of a job that ended so.
    pub message: Option<String>,
    /// Whether a job then stays `IN_PROGRESS` for ever, and those behind it stay `QUEUED`.
    pub hang: bool,
    /// Of so many resources one cannot be imported, for HealthLake's own fault (500).
    pub server_error_every: Option<u64>,
    /// The name of an import's manifest. The developer guide has `manifest.json`, while reports from the field have
    /// `Manifest.json`.
    pub manifest: Option<String>,
    /// Whether lines about resources leave out the quotation marks that the developer guide's example leaves out.
    pub bare_keys: bool,
    /// Whether a conversion, or an import that converts first, ends as `COMPLETED` although files were not converted, if nothing else
    /// went wrong. The developer guide does not say what the status of such an import is.
    pub completed_despite_errors: bool,
}

/// What an account has of Lambda, other than by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LambdaFaults {
    /// The calls that all functions of the account may handle at once, 1,000 by default. New accounts have been seen with 10.
    pub concurrent_executions: Option<u64>,
}

/// Plays an S3 server that takes conditional requests less seriously than Amazon S3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct S3Faults {
    /// Whether objects are written whatever `If-None-Match` says.
    pub ignore_if_none_match: bool,
    /// Whether objects are written whatever `If-Match` says.
    pub ignore_if_match: bool,
    /// What becomes of deletions with `If-Match`.
    pub conditional_deletes: ConditionalDeletes,
}

/// What an S3 server does with a deletion that names a version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConditionalDeletes {
    /// The version must be the one that is there (S3 user guide, "How to perform conditional deletes").
    #[default]
    Heeded,
    /// The object is deleted whatever version it is.
    Ignored,
    /// 501 NotImplemented; nothing is done.
    NotImplemented,
}

/// When to do what to which request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Only this service (`sts`, `kms`, `s3`, `iam`, `healthlake`, `cognito-idp`, `lambda`, `logs`, `lakeformation`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Only this operation, by its API name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Only the n-th matching request, counted from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u64>,
    /// Every n-th matching request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<u64>,
    /// Each matching request with this chance, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// At most this many times in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// What happens.
    pub action: Action,
}

/// What a fault does to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The service's own throttling error; nothing is done.
    Throttle,
    /// The service's own internal error; nothing is done.
    ServerError,
    /// The request is done, and yet the answer is a bare 500.
    ServerErrorAfter,
    /// The connection closes; nothing is done.
    DropBefore,
    /// The request is done, then the connection closes without an answer.
    DropAfter,
    /// The request is done, and its answer breaks off in the middle as the connection closes.
    Cut,
    /// The request waits this many milliseconds, then goes on.
    Delay(u64),
    /// A page of HTML, as a proxy in between might send; nothing is done.
    Html,
    /// The service's own access-denied error; nothing is done.
    Deny,
    /// No answer ever comes; nothing is done.
    Hang,
    /// The request is done, but no answer ever comes.
    HangAfter,
    /// This error; nothing is done.
    Error {
        /// The error code.
        code: String,
        /// The error text.
        message: String,
        /// The HTTP status.
        status: u16,
    },
    /// The request is done, then its answer is spoilt.
    Spoil(Spoil),
}

/// The faults in force and how often each rule has matched and fired.
#[derive(Debug)]
pub(crate) struct FaultEngine(Mutex<State>);

#[derive(Debug)]
struct State {
    faults: Faults,
    tallies: Vec<Tally>,
    dice: fastrand::Rng,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    matched: u64,
    fired: u64,
}

impl State {
    fn new(faults: Faults) -> Self {
        Self {
            tallies: vec![Tally::default(); faults.rules.len()],
            dice: fastrand::Rng::with_seed(faults.seed),
            faults,
        }
    }
}

impl FaultEngine {
    pub(crate) fn new(faults: Faults) -> Self {
        Self(Mutex::new(State::new(faults)))
    }

    /// Puts other faults in force and starts counting again.
    pub(crate) fn replace(&self, faults: Faults) {
        *self.lock() = State::new(faults);
    }

    pub(crate) fn current(&self) -> Faults {
        self.lock().faults.clone()
    }

    /// What to do to this request, if anything. Counts the request against every rule.
    pub(crate) fn decide(&self, service: Service, operation: &str) -> Option<Action> {
        let mut state = self.lock();
        let State { faults, tallies, dice } = &mut *state;
        let mut chosen = None;
        for (rule, tally) in faults.rules.iter().zip(tallies) {
            if !rule.covers(service, operation) {
                continue;
            }
            tally.matched += 1;
            if chosen.is_none() && rule.fires(*tally, dice) {
                tally.fired += 1;
                chosen = Some(rule.action.clone());
            }
        }
        if chosen.is_none() && faults.denies(service, operation) {
            chosen = Some(Action::Deny);
        }
        chosen
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::str::FromStr for Faults {
    type Err = serde_json::Error;

    /// Reads the JSON document of `/_emulator/faults`.
    fn from_str(json: &str) -> Result<Self, Self::Err> {
        serde_json::from_str(json)
    }
}

impl Faults {
    /// Whether callers lack the permission for an operation.
    pub(crate) fn denies(&self, service: Service, operation: &str) -> bool {
        if service == Service::Cognito && cognito::is_public(operation) {
            return false;
        }
        self.deny.iter().any(|entry| {
            entry.split_once(':').is_some_and(|(prefix, action)| {
                prefix.eq_ignore_ascii_case(service.name())
                    && (action == "*" || action == operation || action == action_name(service, operation))
            })
        })
    }
}

impl Faults {
    /// Whether an action is denied on purpose, by its name in policies.
    pub(crate) fn denies_action(&self, action: &str) -> bool {
        let any = action.split_once(':').map(|(service, _)| format!("{service}:*"));
        self.deny.iter().any(|entry| entry.eq_ignore_ascii_case(action) || Some(entry) == any.as_ref())
    }
}

impl Rule {
    fn covers(&self, service: Service, operation: &str) -> bool {
        let same = |wanted: &Option<String>, actual: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(actual))
        };
        same(&self.service, service.name()) && same(&self.operation, operation)
    }

    fn fires(&self, tally: Tally, dice: &mut fastrand::Rng) -> bool {
        self.times.is_none_or(|times| tally.fired < times)
            && self.nth.is_none_or(|nth| tally.matched == nth)
            && self.every.is_none_or(|every| every > 0 && tally.matched.is_multiple_of(every))
            && self.probability.is_none_or(|probability| dice.f64() < probability)
    }
}

/// The error a service gives when it throttles.
pub(crate) fn throttled(service: Service) -> AwsError {
    match service {
        Service::S3 => AwsError::new(503, "SlowDown", "Please reduce your request rate."),
        Service::Iam | Service::Sts => AwsError::new(400, "Throttling", "Rate exceeded"),
        Service::Kms => AwsError::new(
            400,
            "ThrottlingException",
            "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.",
        ),
        Service::HealthLake | Service::Logs | Service::CloudTrail => {
            AwsError::new(400, "ThrottlingException", "Rate exceeded")
        }
        Service::Cognito => AwsError::new(400, "TooManyRequestsException", "Rate exceeded"),
        Service::Lambda | Service::LakeFormation => AwsError::new(429, "TooManyRequestsException", "Rate Exceeded."),
    }
}

/// The error a service gives when it fails by itself.
pub(crate) fn server_error(service: Service) -> AwsError {
    let (code, message) = match service {
        Service::S3 => ("InternalError", "We encountered an internal error. Please try again."),
        Service::Iam => {
            ("ServiceFailure", "The request processing has failed because of an unknown error, exception or failure.")
        }
        Service::Sts => {
            ("InternalFailure", "The request processing has failed because of an unknown error, exception or failure.")
        }
        Service::Kms => ("KMSInternalException", "The request was rejected because an internal exception occurred."),
        Service::HealthLake => ("InternalServerException", "An unknown internal error occurred in the service."),
        Service::Cognito => ("InternalErrorException", "Something went wrong."),
        Service::Lambda | Service::LakeFormation => {
            ("ServiceException", "An error occurred and the request cannot be processed.")
        }
        Service::Logs => ("ServiceUnavailableException", "The service cannot complete the request."),
        Service::CloudTrail => ("InternalFailure", "The request processing has failed because of an unknown error."),
    };
    AwsError::new(500, code, message)
}

/// The error a service gives when no policy allows the action.
pub(crate) fn denied(service: Service, operation: &str, caller: &Caller, resource: &str) -> AwsError {
    not_allowed(service, &format!("{}:{}", service.name(), action_name(service, operation)), caller, resource)
}

/// The error a service gives when the caller's policy does not allow an action, which may be another service's.
pub(crate) fn not_allowed(service: Service, action: &str, caller: &Caller, resource: &str) -> AwsError {
    let message = format!(
        "User: {} is not authorized to perform: {action} on resource: {resource} because no \
         identity-based policy allows the {action} action",
        caller.arn
    );
    match service {
        Service::S3 | Service::Iam | Service::Sts => AwsError::new(403, "AccessDenied", message),
        Service::Lambda | Service::LakeFormation => AwsError::new(403, "AccessDeniedException", message),
        Service::Kms | Service::HealthLake | Service::Cognito | Service::Logs | Service::CloudTrail => {
            AwsError::new(400, "AccessDeniedException", message)
        }
    }
}

/// The IAM action that an operation needs, where its name differs
/// (Service Authorization Reference, Amazon S3 and AWS Lambda).
pub(crate) fn action_name(service: Service, operation: &str) -> &str {
    if service == Service::Lambda && operation == "Invoke" {
        return "InvokeFunction";
    }
    // No page names an action for this document; the capabilities are what it tells.
    if service == Service::HealthLake && operation == "GetDiscoveryDocument" {
        return "GetCapabilities";
    }
    if service != Service::S3 {
        return operation;
    }
    match operation {
        "ListBuckets" => "ListAllMyBuckets",
        "HeadBucket" | "ListObjectsV2" | "ListObjects" => "ListBucket",
        "ListObjectVersions" => "ListBucketVersions",
        "ListMultipartUploads" => "ListBucketMultipartUploads",
        "ListParts" => "ListMultipartUploadParts",
        "HeadObject" => "GetObject",
        "DeleteObjects" => "DeleteObject",
        "CopyObject" | "CreateMultipartUpload" | "UploadPart" | "UploadPartCopy" | "CompleteMultipartUpload" => {
            "PutObject"
        }
        "GetBucketEncryption" => "GetEncryptionConfiguration",
        "PutBucketEncryption" | "DeleteBucketEncryption" => "PutEncryptionConfiguration",
        "GetBucketLifecycleConfiguration" => "GetLifecycleConfiguration",
        "PutBucketLifecycleConfiguration" | "DeleteBucketLifecycle" => "PutLifecycleConfiguration",
        "GetBucketAccelerateConfiguration" => "GetAccelerateConfiguration",
        "PutBucketAccelerateConfiguration" => "PutAccelerateConfiguration",
        "GetBucketCors" => "GetBucketCORS",
        "PutBucketCors" | "DeleteBucketCors" => "PutBucketCORS",
        "GetBucketNotificationConfiguration" => "GetBucketNotification",
        "PutBucketNotificationConfiguration" => "PutBucketNotification",
        "GetBucketAbac" => "GetBucketABAC",
        "PutBucketAbac" => "PutBucketABAC",
        "GetBucketReplication" => "GetReplicationConfiguration",
        "PutBucketReplication" | "DeleteBucketReplication" => "PutReplicationConfiguration",
        "ListBucketInventoryConfigurations" => "GetInventoryConfiguration",
        "PutBucketInventoryConfiguration" | "DeleteBucketInventoryConfiguration" => "PutInventoryConfiguration",
        "GetObjectLockConfiguration" => "GetBucketObjectLockConfiguration",
        "GetPublicAccessBlock" => "GetBucketPublicAccessBlock",
        "PutPublicAccessBlock" | "DeletePublicAccessBlock" => "PutBucketPublicAccessBlock",
        "DeleteBucketTagging" => "PutBucketTagging",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn engine(json: &str) -> FaultEngine {
        FaultEngine::new(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn the_nth_matching_request_is_hit_and_no_other() {
        let engine = engine(r#"{"rules":[{"service":"kms","operation":"CreateKey","nth":2,"action":"drop_after"}]}"#);
        assert_eq!(engine.decide(Service::Kms, "CreateKey"), None);
        assert_eq!(engine.decide(Service::Kms, "DescribeKey"), None);
        assert_eq!(engine.decide(Service::Kms, "CreateKey"), Some(Action::DropAfter));
        assert_eq!(engine.decide(Service::Kms, "CreateKey"), None);
    }

    #[test]
    fn every_and_times_limit_together() {
        let engine = engine(r#"{"rules":[{"every":2,"times":1,"action":{"delay":5}}]}"#);
        let hits: Vec<_> = (0..6).map(|_| engine.decide(Service::S3, "PutObject").is_some()).collect();
        assert_eq!(hits, [false, true, false, false, false, false]);
    }

    #[test]
    fn the_same_seed_throws_the_same_dice() {
        let throws = || {
            let engine = engine(r#"{"seed":3,"rules":[{"probability":0.5,"action":"throttle"}]}"#);
            (0..32).map(|_| engine.decide(Service::Iam, "GetRole").is_some()).collect::<Vec<_>>()
        };
        assert_eq!(throws(), throws());
        assert!(throws().contains(&true) && throws().contains(&false));
    }

    #[test]
    fn a_denied_action_is_denied_by_name_or_by_star() {
        let engine = engine(r#"{"deny":["kms:CreateKey","iam:*"]}"#);
        assert_eq!(engine.decide(Service::Kms, "CreateKey"), Some(Action::Deny));
        assert_eq!(engine.decide(Service::Kms, "ListKeys"), None);
        assert_eq!(engine.decide(Service::Iam, "GetRole"), Some(Action::Deny));
    }

    #[test]
    fn what_needs_no_credentials_cannot_be_denied() {
        let engine = engine(r#"{"deny":["cognito-idp:*"]}"#);
        assert_eq!(engine.decide(Service::Cognito, "AdminInitiateAuth"), Some(Action::Deny));
        assert_eq!(engine.decide(Service::Cognito, "InitiateAuth"), None);
        assert_eq!(engine.decide(Service::Cognito, "Token"), None);
    }
}
