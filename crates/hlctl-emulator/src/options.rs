//! The settings of an emulator.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use crate::clock::Clock;
use crate::cors::AllowedOrigin;
use crate::external::External;
use crate::fault::Faults;
use crate::ids::Ids;

/// How an emulator behaves. `Options::default()` is an empty AWS in memory that answers at once.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where everything is kept; `None` keeps it in memory only.
    ///
    /// Several processes may use one directory, at the same time or one after another.
    pub data_dir: Option<PathBuf>,
    /// The account of a caller whose access key id does not name one; twelve digits.
    pub account_id: String,
    /// The region of a request whose signature does not name one.
    pub region: String,
    /// How long changes to a datastore take.
    pub delays: Delays,
    /// How much an import job takes.
    pub import_limits: ImportLimits,
    /// Added before each request is looked at.
    pub latency: Duration,
    /// What goes wrong on purpose.
    pub faults: Faults,
    /// Where the time comes from.
    pub clock: Clock,
    /// Where identifiers come from.
    pub ids: Ids,
    /// Whether HealthLake allows only one CreateFHIRDatastore and one DeleteFHIRDatastore a minute
    /// in an account, as its quotas say.
    pub rate_limits: bool,
    /// Whether requests on a bucket with logging leave log objects in its target bucket.
    pub access_logs: bool,
    /// Whether a policy may only name users and roles of this account that exist here.
    ///
    /// Off by default: the users of a sandbox are not in its IAM.
    pub strict_principals: bool,
    /// Secret keys by access key id. Requests to the FHIR interface that are signed with one of these keys have their
    /// signatures verified; of all others any signature is taken.
    pub secrets: BTreeMap<String, String>,
    /// The policy document of an identity that every caller has; without one they may do everything.
    pub policy: Option<String>,
    /// The services whose keys, roles and functions may exist on another server; none by default.
    pub external: BTreeSet<External>,
    /// Whose pages may ask the FHIR interface, and read its answers, in a browser. AWS documents nothing of the kind, so that
    /// nobody may unless it is said here; what Cognito opens to all pages is open in any case.
    pub cors: Vec<AllowedOrigin>,
    /// Whether the address that it is served at is soon gone, as that of a single command is. Tokens then name AWS's own issuer,
    /// not the address.
    pub short_lived: bool,
}

impl Options {
    pub(crate) fn is_external(&self, service: External) -> bool {
        self.external.contains(&service)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            data_dir: None,
            account_id: "000000000000".to_owned(),
            region: "us-east-1".to_owned(),
            delays: Delays::default(),
            import_limits: ImportLimits::default(),
            latency: Duration::ZERO,
            faults: Faults::default(),
            clock: Clock::system(),
            ids: Ids::random(),
            rate_limits: false,
            access_logs: false,
            strict_principals: false,
            secrets: BTreeMap::new(),
            policy: None,
            external: BTreeSet::new(),
            cors: Vec::new(),
            short_lived: false,
        }
    }
}

/// How long a datastore, a function and a job stay in each state of passage. Zero means that the next look sees it done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delays {
    /// CREATING to ACTIVE.
    pub create: Duration,
    /// UPDATING to ACTIVE.
    pub update: Duration,
    /// DELETING to DELETED.
    pub delete: Duration,
    /// A function's `Pending` to `Active`, an update of it from `InProgress` to `Successful`, and
    /// provisioned concurrency from `IN_PROGRESS` to `READY`.
    pub function: Duration,
    /// How long an import or export job is `IN_PROGRESS`: halfway through it half of the work has been done.
    pub job: Duration,
}

/// The most that one import job takes (HealthLake quotas).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportLimits {
    /// Files in a job.
    pub files: u64,
    /// Bytes in a file.
    pub file_bytes: u64,
    /// Bytes in all files of a job.
    pub job_bytes: u64,
}

impl Default for ImportLimits {
    fn default() -> Self {
        Self { files: 1_000_000, file_bytes: 50_000_000_000, job_bytes: 5_000_000_000_000 }
    }
}
