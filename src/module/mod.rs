//! From the configuration to the stack: which resources there are, what each of them says, and what the outputs are.
//!
//! The policies, lifecycle rules and names of the Terraform module that hlctl replaces live here and nowhere else, with
//! the module's faults repaired. Pure: nothing here asks AWS.

mod addresses;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]
pub(crate) mod examples;
mod outputs;
mod password;
mod smart;
pub mod standby;
pub mod surgery;
mod way_back;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use addresses::{asks_for, bucket_at, is_known, known_of_kind};
pub use outputs::{Outputs, SECRETS, outputs};
pub use password::PasswordError;
pub use smart::test_user;
pub use standby::Standby;
pub use way_back::WayBack;

use serde_json::Value;

use hlctl_config::{Config, MappingOrigin, Protect, Secret, TransformProfileConfig, is_logs_bucket};
use hlctl_model::address::Address;
use hlctl_resources::package::Package;
use hlctl_resources::policy::{Document, Principal, Statement};
use hlctl_resources::{
    DataTransformationProfile, Encryption, FhirDatastore, IamPolicy, IamRole, IamRolePolicyAttachment, Identity,
    IdentityProvider, Kind, KmsKey, LifecycleRule, MappingTexts, Ref, Resource, S3Bucket,
    S3BucketLifecycleConfiguration, S3BucketLogging, S3BucketPolicy, S3BucketPublicAccessBlock,
    S3BucketServerSideEncryptionConfiguration, S3BucketVersioning, Spec, Text, WantedMapping, ownership_tags,
};

/// Days after which unfinished uploads are dropped from either bucket.
const UPLOADS_DROPPED_AFTER_DAYS: i32 = 7;
/// Where `data import` and `data export` keep files in the data bucket.
pub const IMPORT_FOLDER: &str = "import";
/// The same of exports.
pub const EXPORT_FOLDER: &str = "export";
/// What every access log's key begins with; the lifecycle rule of the logs bucket is for these.
const LOG_PREFIX: &str = "log/";

/// The bucket for import and export data.
pub const DATA_BUCKET: &str = "s3_bucket.data";
/// Address of its lifecycle rules.
pub const DATA_BUCKET_LIFECYCLE: &str = "s3_bucket_lifecycle_configuration.data";

/// The resources that a configuration asks for, by address.
pub type Stack = BTreeMap<Address, Spec>;

/// What the stack needs in addition to the configuration, and what reading it takes files and variables.
#[derive(Clone, Debug, Default)]
pub struct StackInputs {
    /// The Lambda function's code; without it there is no SMART.
    pub package: Option<Arc<Package>>,
    /// The test users' passwords, by username.
    pub passwords: BTreeMap<String, Secret>,
    /// Why there is none for the others, by username.
    pub absent: BTreeMap<String, PasswordError>,
    /// The mappings of the profiles of transformation, by the profiles' names.
    pub mappings: BTreeMap<String, Arc<MappingTexts>>,
    /// The standby stores.
    pub standby: Standby,
}

/// Builds the stack. `stack` is the value of the `hlctl:stack` tag.
pub fn build(config: &Config, identity: &Identity, stack: &str, materials: &StackInputs) -> Stack {
    Builder { config, identity, stack, materials, nodes: Stack::new() }.build()
}

struct Builder<'a> {
    config: &'a Config,
    identity: &'a Identity,
    stack: &'a str,
    materials: &'a StackInputs,
    nodes: Stack,
}

impl Builder<'_> {
    fn build(mut self) -> Stack {
        let s3_key = self.kms_key("s3", "Encrypts the import and export data of a HealthLake data store");
        let store_key = self.config.create_kms_key.then(|| self.kms_key("datastore", STORE_KEY_PURPOSE));
        let data = self.bucket("data", &self.config.data_bucket_name);
        let logs = self.bucket("access_logs", &self.config.logs_bucket_name);
        self.data_bucket_settings(&data, &s3_key);
        let permission = self.logs_bucket_settings(&logs, &data);
        self.logging(&data, &logs, &permission);
        let provider = self.config.smart_on_fhir.then(|| self.identity_provider()).flatten();
        let is_smart = provider.is_some();
        let spec = self.datastore(store_key.clone(), provider);
        let store = self.add("this", spec.clone());
        if is_smart {
            self.service_role(&store, store_key.as_ref());
        }
        let standby = self.standby(&spec);
        let stores: Vec<_> = std::iter::once(store).chain(standby).collect();
        self.import_export_role(&data, &s3_key, &stores);
        self.config.transform_profiles.iter().for_each(|profile| self.transform_profile(profile));
        self.nodes
    }

    fn add<R: Resource + Into<Spec>>(&mut self, name: &str, spec: R) -> Ref<R> {
        let address = Address::new(R::KIND, name);
        self.nodes.insert(address.clone(), spec.into());
        Ref::new(address)
    }

    fn tags<R: Resource>(&self, name: &str) -> BTreeMap<String, String> {
        let mut tags = self.config.tags.clone();
        tags.extend(ownership_tags(self.stack, &Address::new(R::KIND, name)));
        tags
    }

    fn kms_key(&mut self, name: &str, purpose: &str) -> Ref<KmsKey> {
        let key =
            KmsKey { description: purpose.to_owned(), policy: self.key_policy(), tags: self.tags::<KmsKey>(name) };
        self.add(name, key)
    }

    /// Without the account's root no IAM policy could grant anything on the key, and nobody could repair its policy
    /// (KMS developer guide, "Default key policy").
    fn key_policy(&self) -> Document {
        let root = format!("arn:{}:iam::{}:root", self.identity.partition, self.identity.account);
        let mut statements =
            vec![Statement::allow("AccountAccess", &["kms:*"]).principal(Principal::Aws(root.into())).on("*")];
        if let Some(admin) = &self.config.kms_admin_iam_arn {
            let administer = Statement::allow("KeyAdministration", KEY_ADMINISTRATION);
            statements.push(administer.principal(Principal::Aws(admin.as_str().into())).on("*"));
        }
        Document::of(statements)
    }

    fn bucket(&mut self, name: &str, bucket_name: &str) -> Ref<S3Bucket> {
        let tags = self.tags::<S3Bucket>(name);
        let bucket = self.add(name, S3Bucket { name: bucket_name.to_owned(), tags });
        self.add(name, S3BucketVersioning { bucket: bucket.clone() });
        self.add(name, S3BucketPublicAccessBlock { bucket: bucket.clone() });
        bucket
    }

    fn data_bucket_settings(&mut self, data: &Ref<S3Bucket>, key: &Ref<KmsKey>) {
        let encryption = Encryption::Kms(key.clone());
        self.add("data", S3BucketServerSideEncryptionConfiguration { bucket: data.clone(), encryption });
        let mut rules = vec![drop_unfinished_uploads("log")];
        if let Some(days) = self.config.transfer_retention_in_days {
            let days = i32::try_from(days).unwrap_or(i32::MAX);
            rules.extend([IMPORT_FOLDER, EXPORT_FOLDER].map(|folder| delete_transfers(folder, days)));
        }
        self.add("data", S3BucketLifecycleConfiguration { bucket: data.clone(), rules });
        let policy = Document::of(self.refuse_weak_transport(data));
        self.add("data", S3BucketPolicy { bucket: data.clone(), policy });
    }

    fn logs_bucket_settings(&mut self, logs: &Ref<S3Bucket>, data: &Ref<S3Bucket>) -> Ref<S3BucketPolicy> {
        let encryption = Encryption::S3;
        self.add("access_logs", S3BucketServerSideEncryptionConfiguration { bucket: logs.clone(), encryption });
        let ageing = LifecycleRule {
            id: "transition",
            prefix: LOG_PREFIX.to_owned(),
            transitions: vec![("STANDARD_IA", 30), ("GLACIER", 365)],
            expire_after_days: Some(1825),
            ..LifecycleRule::default()
        };
        let rules = vec![drop_unfinished_uploads("failed-uploads"), ageing];
        self.add("access_logs", S3BucketLifecycleConfiguration { bucket: logs.clone(), rules });
        let mut statements = vec![self.let_logs_in(logs, data)];
        statements.extend(self.refuse_weak_transport(logs));
        let policy = Document::of(statements);
        self.add("access_logs", S3BucketPolicy { bucket: logs.clone(), policy })
    }

    /// "Enabling Amazon S3 server access logging", S3 user guide.
    fn let_logs_in(&self, logs: &Ref<S3Bucket>, data: &Ref<S3Bucket>) -> Statement {
        let mut sources = vec![data.arn()];
        if self.config.logs_bucket_self_logging {
            sources.push(logs.arn());
        }
        Statement::allow("AccessLogDelivery", &["s3:PutObject"])
            .principal(Principal::Service("logging.s3.amazonaws.com"))
            .on(logs.arn() + "/*")
            .when("StringEquals", "aws:SourceAccount", vec![self.identity.account.as_str().into()])
            .when("ArnLike", "aws:SourceArn", sources)
    }

    fn refuse_weak_transport(&self, bucket: &Ref<S3Bucket>) -> [Statement; 2] {
        [refuse_plain_http(bucket), refuse_old_tls(bucket, &self.config.buckets_minimum_tls)]
    }

    fn logging(&mut self, data: &Ref<S3Bucket>, logs: &Ref<S3Bucket>, permission: &Ref<S3BucketPolicy>) {
        let into_logs = |bucket: &Ref<S3Bucket>, prefix: String| S3BucketLogging {
            bucket: bucket.clone(),
            target: logs.clone(),
            permission: permission.clone(),
            prefix,
        };
        self.add("data", into_logs(data, format!("{LOG_PREFIX}{}/", self.config.data_bucket_name)));
        if self.config.logs_bucket_self_logging {
            self.add("access_logs", into_logs(logs, LOG_PREFIX.to_owned()));
        }
    }

    fn datastore(&self, key: Option<Ref<KmsKey>>, identity_provider: Option<IdentityProvider>) -> FhirDatastore {
        FhirDatastore {
            name: self.config.datastore_name.clone(),
            key,
            beginning: self.beginning(),
            analytics: self.config.datastore_analytics,
            nlp: self.config.datastore_nlp,
            default_profiles: self.config.datastore_default_profiles.clone(),
            backup: self.config.datastore_backup.clone(),
            identity_provider,
            tags: self.tags::<FhirDatastore>("this"),
            kept: false,
        }
    }

    /// "Setting up permissions for import (or export) jobs", HealthLake developer guide, and `kms:Decrypt`, without which
    /// an import from a bucket with its own key fails.
    fn import_export_role(&mut self, data: &Ref<S3Bucket>, key: &Ref<KmsKey>, stores: &[Ref<FhirDatastore>]) {
        let role = IamRole {
            name: self.config.healthlake_role_name.clone(),
            trust: self.trust_of_stores("HealthLakeJobs", stores),
            tags: self.tags::<IamRole>("healthlake"),
        };
        let role = self.add("healthlake", role);
        let on_bucket = ["s3:ListBucket", "s3:GetBucketPublicAccessBlock", "s3:GetEncryptionConfiguration"];
        let policy = IamPolicy {
            name: self.config.healthlake_policy_name.clone(),
            description: "Lets HealthLake import from and export to the data bucket".to_owned(),
            policy: Document::of([
                Statement::allow("DataBucket", &on_bucket).on(data.arn()),
                Statement::allow("DataObjects", &["s3:GetObject", "s3:PutObject"]).on(data.arn() + "/*"),
                Statement::allow("DataKey", &["kms:DescribeKey", "kms:GenerateDataKey*", "kms:Decrypt"]).on(key.arn()),
            ]),
            tags: self.tags::<IamPolicy>("healthlake"),
        };
        let policy = self.add("healthlake", policy);
        self.add("this", IamRolePolicyAttachment { role, policy: policy.arn() });
    }

    fn transform_profile(&mut self, profile: &TransformProfileConfig) {
        let mapping = match &profile.origin {
            MappingOrigin::Starter(name) => WantedMapping::Starter(name.clone()),
            MappingOrigin::Clone { profile, version } => {
                // The configuration holds it to 99.
                WantedMapping::Clone { profile: profile.clone(), version: i32::try_from(*version).unwrap_or_default() }
            }
            MappingOrigin::Path(_) => match self.materials.mappings.get(&profile.name) {
                Some(texts) => WantedMapping::Texts(Arc::clone(texts)),
                None => WantedMapping::Unread,
            },
        };
        let mut tags = self.config.tags.clone();
        tags.extend(profile.tags.clone());
        tags.extend(ownership_tags(self.stack, &Address::new(DataTransformationProfile::KIND, &profile.name)));
        let spec = DataTransformationProfile {
            name: profile.name.clone(),
            format: profile.format.as_str(),
            description: profile.description.clone(),
            key: profile.kms_key.clone(),
            mapping,
            tags,
        };
        self.add(&profile.name, spec);
    }

    /// Trust in HealthLake on behalf of these stores alone ("Setting up permissions for import jobs", HealthLake
    /// developer guide).
    fn trust_of_stores(&self, sid: &'static str, stores: &[Ref<FhirDatastore>]) -> Document {
        let trust = Statement::allow(sid, &["sts:AssumeRole"])
            .principal(Principal::Service("healthlake.amazonaws.com"))
            .when("StringEquals", "aws:SourceAccount", vec![self.identity.account.as_str().into()])
            .when("ArnEquals", "aws:SourceArn", stores.iter().map(Ref::<FhirDatastore>::arn).collect());
        Document::of([trust])
    }
}

const STORE_KEY_PURPOSE: &str = "Encrypts a HealthLake data store";

/// What an administrator of a key may do; using it is not among that.
pub(crate) const KEY_ADMINISTRATION: &[&str] = &[
    "kms:ReplicateKey",
    "kms:Create*",
    "kms:Describe*",
    "kms:Enable*",
    "kms:List*",
    "kms:Put*",
    "kms:Update*",
    "kms:Revoke*",
    "kms:Disable*",
    "kms:Get*",
    "kms:Delete*",
    "kms:ScheduleKeyDeletion",
    "kms:CancelKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
];

fn refuse_plain_http(bucket: &Ref<S3Bucket>) -> Statement {
    Statement::deny("RefusePlainHttp", &["s3:*"])
        .principal(Principal::Any)
        .on(bucket.arn())
        .on(bucket.arn() + "/*")
        .when("Bool", "aws:SecureTransport", vec![Text::from("false")])
}

/// "Examples of Amazon S3 bucket policies", S3 user guide: `s3:TlsVersion`.
fn refuse_old_tls(bucket: &Ref<S3Bucket>, oldest: &str) -> Statement {
    Statement::deny("RefuseOldTls", &["s3:*"]).principal(Principal::Any).on(bucket.arn()).on(bucket.arn() + "/*").when(
        "NumericLessThan",
        "s3:TlsVersion",
        vec![Text::from(oldest)],
    )
}

fn drop_unfinished_uploads(id: &'static str) -> LifecycleRule {
    LifecycleRule { id, abort_uploads_after_days: Some(UPLOADS_DROPPED_AFTER_DAYS), ..LifecycleRule::default() }
}

/// The bucket keeps versions, so that an expired object is still there until its version is deleted. S3 then removes the delete
/// marker too (S3 User Guide, "Lifecycle configuration elements": expiration by days).
fn delete_transfers(folder: &'static str, days: i32) -> LifecycleRule {
    LifecycleRule {
        id: folder,
        prefix: format!("{folder}/"),
        expire_after_days: Some(days),
        expire_noncurrent_after_days: Some(1),
        ..LifecycleRule::default()
    }
}

/// Whether the resource at `address` may be destroyed only by name. A standby store is as protected as that.
pub fn is_protected(protect: &Protect, address: &Address) -> bool {
    match protect {
        Protect::Default => by_default(address),
        Protect::Addresses(addresses) => {
            addresses.contains(standby::counterpart(address).unwrap_or_else(|| address.as_str()))
        }
    }
}

/// The same of what is recorded at the address: the bucket that the configuration names as the data bucket is that at any address.
pub fn is_protected_as(
    protect: &Protect,
    data_bucket: Option<&str>,
    address: &Address,
    recorded: Option<&Value>,
) -> bool {
    let bucket = recorded.filter(|_| address.kind() == Kind::S3Bucket.as_str());
    let name = bucket.and_then(|recorded| Kind::S3Bucket.name(recorded).ok());
    let is_data_bucket = name.is_some() && name.as_deref() == data_bucket;
    is_protected(protect, address) || (is_data_bucket && is_protected(protect, &Address::parse(DATA_BUCKET)))
}

/// What holds patient data or the means to read it (the store, the keys, the data bucket), and profiles of transformation, whose
/// versions nothing brings back. A bucket counts as the data bucket wherever it is but at the address of the logs.
fn by_default(address: &Address) -> bool {
    match Kind::parse(address.kind()) {
        Some(Kind::S3Bucket) => !is_logs_bucket(address.as_str()),
        kind => kind.is_some_and(Kind::is_precious),
    }
}
