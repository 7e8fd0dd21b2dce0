//! The checked configuration: what the rest of hlctl works with.
//!
//! Every value here has passed every check that needs no AWS. Keys, types and defaults of the first two
//! groups are those of the Terraform module that hlctl replaces; the rest is hlctl's own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::analytics::Analytics;
use super::force_destroy::ForceDestroy;
use super::origin::Place;
use super::secret::Secret;

/// One stack, as asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    // Inputs of the module.
    /// Name of the FHIR data store. Not unique in AWS.
    pub datastore_name: String,
    /// Bucket for import and export data.
    pub data_bucket_name: String,
    /// Bucket that receives the access logs.
    pub logs_bucket_name: String,
    /// FHIR version; AWS offers R4 alone.
    pub fhir_version: FhirVersion,
    /// Encrypt the store with a key of its own instead of an AWS owned one.
    pub create_kms_key: bool,
    /// Principal that may administer the keys, if any.
    pub kms_admin_iam_arn: Option<String>,
    /// Fill the new store with synthetic patients.
    pub preload_data: bool,
    /// Role that import and export jobs run under.
    pub healthlake_role_name: String,
    /// Policy of that role.
    pub healthlake_policy_name: String,
    /// SMART on FHIR: Cognito and the Lambda token validator.
    pub smart_on_fhir: bool,
    /// Everything that only `smart_on_fhir` uses.
    pub smart: SmartConfig,

    // hlctl's own.
    /// Environment of the file that was chosen.
    #[serde(default)]
    pub environment: Option<String>,
    /// Region; `None` leaves it to the SDK's chain.
    pub region: Option<String>,
    /// Profile of the shared AWS configuration; `None` leaves it to the SDK's chain.
    pub profile: Option<String>,
    /// Tags for everything that can carry tags.
    pub tags: BTreeMap<String, String>,
    /// Accounts that hlctl may touch; empty allows any.
    pub allowed_account_ids: BTreeSet<String>,
    /// Days between the order to delete a key and its end, 7 to 30.
    pub kms_deletion_window_in_days: u8,
    /// Which buckets a destroy empties.
    pub force_destroy: ForceDestroy,
    /// Log access to the logs bucket into itself, as the module does.
    pub logs_bucket_self_logging: bool,
    /// Oldest version of TLS that the buckets let in, such as `1.2`.
    #[serde(default)]
    pub buckets_minimum_tls: String,
    /// Days that S3 keeps what imports and exports leave in the data bucket; `None` is for ever.
    #[serde(default)]
    pub transfer_retention_in_days: Option<u32>,
    /// What may be destroyed only by name.
    pub protect: Protect,
    /// Where the state is kept; `None` for a file next to the configuration.
    #[serde(default)]
    pub backend: Option<Backend>,
    /// Strong values in place of weak defaults. They are in the other fields already.
    #[serde(default)]
    pub hardened: bool,
    /// For `hlctl audit`.
    #[serde(default)]
    pub audit: Audit,
    /// SQL analytics on the store; `None` leaves AWS's default alone.
    pub datastore_analytics: Option<Analytics>,
    /// Medical NLP on the store; `None` leaves AWS's default alone.
    pub datastore_nlp: Option<bool>,
    /// Default FHIR profiles of the store; `None` leaves AWS's default alone.
    pub datastore_default_profiles: Option<Vec<String>>,
    /// Continuous backup of the store; `None` leaves AWS's default alone.
    pub datastore_backup: Option<Backup>,
    /// Profiles of the Data Transformation Agent.
    #[serde(default)]
    pub transform_profiles: Vec<TransformProfileConfig>,
    /// The role of jobs that only convert, if it is not that of imports and exports.
    pub transform_role_arn: Option<String>,
    /// First interval between two looks at a store that is changing.
    pub poll_interval: Duration,
    /// Longest wait for a store.
    pub wait_timeout: Duration,
}

/// FHIR version of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FhirVersion {
    /// FHIR R4, the only one HealthLake has (`FHIRVersion` of its API model).
    R4,
}

/// Which resources may be destroyed only when the user names them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Protect {
    /// What holds or unlocks patient data: the store, the data bucket, the keys, the user pool.
    Default,
    /// Exactly these addresses.
    Addresses(BTreeSet<String>),
}

/// A profile of the Data Transformation Agent, as asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransformProfileConfig {
    /// Its name, in AWS and in its address.
    pub name: String,
    /// What it converts.
    pub format: TransformFormat,
    /// Where its mapping comes from.
    pub origin: MappingOrigin,
    /// KMS key that encrypts it; `None` leaves it to AWS.
    pub kms_key: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Tags in addition to those of the stack.
    pub tags: BTreeMap<String, String>,
}

/// What a profile converts to FHIR R4 (`SourceFormat` of the HealthLake model).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TransformFormat {
    /// CSV, by one mapping in YAML.
    Csv,
    /// C-CDA, by a folder of templates.
    Ccda,
}

impl TransformFormat {
    /// Their names in the API.
    pub(super) const ALL: [&'static str; 2] = ["CSV", "CCDA"];

    /// By its name in the API.
    pub(super) fn parse(name: &str) -> Option<Self> {
        [Self::Csv, Self::Ccda].into_iter().find(|format| format.as_str() == name)
    }

    /// Its name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => Self::ALL[0],
            Self::Ccda => Self::ALL[1],
        }
    }
}

/// Where the mapping of a profile comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MappingOrigin {
    /// A file or a folder, from the configuration's directory.
    Path(PathBuf),
    /// One of AWS's starters, by its name. The profile begins with it, and what becomes of it is not compared.
    Starter(String),
    /// A published version of another profile. The profile begins with it, and what becomes of it is not compared.
    Clone {
        /// Id of the other profile.
        profile: String,
        /// The version.
        version: u32,
    },
}

/// A state in S3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backend {
    /// The bucket, which hlctl does not make.
    pub bucket: String,
    /// Key of the state's object; those of its lock and its backup begin with it.
    pub key: String,
    /// The bucket's region; `None` for that of the stack.
    pub region: Option<String>,
    /// KMS key that encrypts the objects; `None` leaves it to the bucket, or else to S3.
    pub kms_key_id: Option<String>,
    /// Address of another server that speaks S3.
    pub endpoint: Option<String>,
    /// Profile for the state alone; `None` for that of the stack.
    pub profile: Option<String>,
    /// Seconds after which a lock that nobody renews counts as abandoned.
    pub lease_in_seconds: u32,
}

impl Backend {
    /// At this place, everything else as it is without a word from the user.
    pub fn at(bucket: &str, key: &str) -> Self {
        Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            region: None,
            kms_key_id: None,
            endpoint: None,
            profile: None,
            lease_in_seconds: super::backend::DEFAULT_LEASE,
        }
    }
}

/// What `hlctl audit` is configured with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Audit {
    /// Whether the stack holds real patients.
    pub production: bool,
    /// Checks that need not pass.
    pub waivers: Vec<Waiver>,
}

impl Default for Audit {
    /// Without a word about it, patients count as real.
    fn default() -> Self {
        Self { production: true, waivers: Vec::new() }
    }
}

/// A check that need not pass, for a while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Waiver {
    /// Id of the check.
    pub check: String,
    /// Address of the one resource that it is for; `None` for all.
    pub resource: Option<String>,
    /// Why.
    pub reason: String,
    /// The last day on which it counts.
    pub expires: jiff::civil::Date,
    /// Where it stands.
    #[serde(skip)]
    pub place: Option<Place>,
}

/// Continuous backup (`BackupConfiguration` of the HealthLake API).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// Whether it is on.
    pub enabled: bool,
    /// Days that it reaches back, 1 to 30; `None` leaves AWS's default.
    pub retention_days: Option<u8>,
    /// Whether a restored store gets the tags too; `None` leaves AWS's default.
    pub tags: Option<bool>,
}

/// Inputs for SMART on FHIR.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SmartConfig {
    /// `cognito_callback_urls`
    pub callback_urls: Vec<String>,
    /// `cognito_client_name`
    pub client_name: String,
    /// `cognito_deletion_protection`
    pub deletion_protection: bool,
    /// `cognito_domain`
    pub domain: String,
    /// `cognito_logout_urls`
    pub logout_urls: Vec<String>,
    /// `cognito_password_minimum_length`
    #[serde(default = "eight")]
    pub password_minimum_length: u32,
    /// `cognito_user_pool_tier`: LITE, ESSENTIALS or PLUS
    #[serde(default = "essentials")]
    pub user_pool_tier: String,
    /// `cognito_issuer`: ORIGINAL or UPDATED
    #[serde(default = "original")]
    pub issuer: String,
    /// `cognito_managed_login`
    #[serde(default)]
    pub managed_login: bool,
    /// `cognito_triggers`, by the names that the key takes
    #[serde(default)]
    pub triggers: BTreeMap<String, String>,
    /// `cognito_ignore_triggers`
    #[serde(default)]
    pub ignore_triggers: bool,
    /// `cognito_mfa_configuration`: OFF, ON or OPTIONAL
    pub mfa_configuration: String,
    /// `cognito_test_users`
    pub test_users: Vec<TestUser>,
    /// `cognito_token_validity` with `cognito_token_validity_units`
    pub token_validity: TokenValidity,
    /// `cognito_user_pool_name`
    pub user_pool_name: String,
    /// `lambda_cognito_access_role`
    pub cognito_access_role: String,
    /// `lambda_function_name`
    pub function_name: String,
    /// `lambda_memory_size`, MB
    pub memory_size: u32,
    /// `lambda_role_name`
    pub lambda_role_name: String,
    /// `lambda_timeout`, seconds
    pub timeout: u32,
    /// `lambda_permission_source_account`: HealthLake may call the function for this account alone
    pub permission_source_account: bool,
    /// `healthlake_service_role_name`
    pub service_role_name: String,
    /// `healthlake_service_policy_name`
    pub service_policy_name: String,
    /// `smart_authorization_strategy`
    pub authorization_strategy: String,
    /// `fine_grained_authorization`
    pub fine_grained_authorization: bool,
    /// `cognito_system_scopes`, without their prefix
    pub system_scopes: BTreeSet<String>,
    /// `cognito_patient_scopes`, without their prefix
    pub patient_scopes: BTreeSet<String>,
    /// `cognito_user_scopes`, without their prefix
    #[serde(default)]
    pub user_scopes: BTreeSet<String>,
    /// Name of the client for machines, if there is to be one: `cognito_machine_client` and `cognito_machine_client_name`
    pub machine_client: Option<String>,
    /// `lambda_package`, from the configuration's directory
    pub package: Option<PathBuf>,
    /// `lambda_runtime`
    pub runtime: Option<String>,
    /// `lambda_handler`
    pub handler: Option<String>,
    /// `lambda_architecture`
    pub architecture: String,
    /// `lambda_is_authorized_format`
    pub is_authorized_format: String,
    /// `lambda_log_retention_in_days`
    pub log_retention_in_days: u32,
    /// `lambda_provisioned_concurrency`
    pub provisioned_concurrency: Option<u32>,
    /// `lambda_reserved_concurrency`
    pub reserved_concurrency: Option<u32>,
    /// `lambda_environment_key`
    #[serde(default)]
    pub environment_key: bool,
    /// `lambda_tracing`
    pub tracing: bool,
}

/// What a plan that was saved before the key existed goes by.
fn eight() -> u32 {
    8
}

/// The same of a pool's tier.
fn essentials() -> String {
    "ESSENTIALS".to_owned()
}

/// The same of a pool's issuer.
fn original() -> String {
    "ORIGINAL".to_owned()
}

/// How long tokens live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenValidity {
    /// Access token.
    pub access: Validity,
    /// Identity token.
    pub id: Validity,
    /// Refresh token.
    pub refresh: Validity,
}

/// A number and its unit, as Cognito takes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validity {
    /// The number.
    pub value: u32,
    /// seconds, minutes, hours or days
    pub unit: String,
}

/// A user for trying SMART out. The password never leaves this type in any text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestUser {
    /// Log-in name.
    pub username: String,
    /// `preferred_username` attribute.
    pub preferred_username: String,
    /// `email` attribute.
    pub email: String,
    /// `email_verified` attribute.
    pub email_verified: bool,
    /// Where the password comes from.
    pub password: PasswordSource,
}

/// Where a test user's password comes from.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub enum PasswordSource {
    /// Written in the file itself. Never serialised: a plan must not carry it.
    Inline(#[serde(skip)] Secret),
    /// An environment variable's name.
    Env(String),
    /// A file's path.
    File(PathBuf),
}

impl std::fmt::Debug for PasswordSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Inline(_) => f.write_str("Inline(hidden)"),
            Self::Env(name) => write!(f, "Env({name})"),
            Self::File(path) => write!(f, "File({})", path.display()),
        }
    }
}
