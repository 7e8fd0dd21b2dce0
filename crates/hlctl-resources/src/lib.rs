//! The resources: one file for each AWS type, and the contract that all of them keep.
//!
//! The only place that provisions through an SDK client. To add a type, write its file and add its line to `kinds!`, in `kind.rs`.
//!
//! # The contract
//!
//! - Names and tokens are chosen before the walk begins; `create` makes none up.
//! - `create` twice with one token equals `create` once: what "already exists" is taken over only if it carries
//!   our tags, and what has no natural name is looked for by them before it is made again.
//! - `create` reports the identity ([`Task::identified`]) the moment AWS gives it, before any further call: dependents
//!   start from there, and a crash after it loses nothing.
//! - `read` changes nothing and answers `None` for what is absent or on its way out.
//! - `delete` works from what the state file records, since the configuration may have moved on; "not found" is success.
//! - Waiting goes through [`hlctl_engine::wait`]; repeating through [`hlctl_aws::Caller`].

#[macro_use]
extern crate hlctl_model;

pub mod answers;
mod bucket_part;
mod cloudwatch_log_group;
mod cognito_managed_login_branding;
mod cognito_resource_server;
mod cognito_user;
mod cognito_user_pool;
mod cognito_user_pool_client;
mod cognito_user_pool_domain;
mod data_transformation_profile;
mod error;
mod fhir_datastore;
mod iam_policy;
mod iam_role;
mod iam_role_policy;
mod iam_role_policy_attachment;
mod kind;
mod kms_key;
mod lambda_alias;
mod lambda_function;
mod lambda_permission;
mod object_versions;
mod once;
pub mod package;
pub mod policy;
mod provider;
mod reference;
mod removal;
mod s3_bucket;
mod s3_bucket_lifecycle_configuration;
mod s3_bucket_logging;
mod s3_bucket_policy;
mod s3_bucket_public_access_block;
mod s3_bucket_server_side_encryption_configuration;
mod s3_bucket_versioning;
mod tags;
mod task;

use std::future::Future;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub use cloudwatch_log_group::CloudwatchLogGroup;
pub use cognito_managed_login_branding::CognitoManagedLoginBranding;
pub use cognito_resource_server::CognitoResourceServer;
pub use cognito_user::CognitoUser;
pub use cognito_user_pool::{CognitoUserPool, Issuer, KEYS};
pub use cognito_user_pool_client::{
    Access, AddedSecret, ClientSecret, CognitoUserPoolClient, Flow, SECRET as CLIENT_SECRET, access_of, add_secret,
    remove_secret, secret_of, secrets_of,
};
pub use cognito_user_pool_domain::CognitoUserPoolDomain;
pub use data_transformation_profile::{
    DataTransformationProfile, MOST_PROFILE_VERSIONS, MappingTexts, SeenMappings, WantedMapping, count_profiles,
};
pub use error::ResourceError;
pub use fhir_datastore::{BackupWindow, FhirDatastore, IdentityProvider, InitialData, Vitals, vitals};
pub use iam_policy::IamPolicy;
pub use iam_role::IamRole;
pub use iam_role_policy::IamRolePolicy;
pub use iam_role_policy_attachment::IamRolePolicyAttachment;
pub use kind::{Kind, Spec};
pub use kms_key::{GRANT as KMS_GRANT, KmsKey, last_usage};
pub use lambda_alias::LambdaAlias;
pub use lambda_function::{
    AccountConcurrency, KEPT_UNRESERVED, LambdaFunction, Target, account_concurrency, give_secret, kept_secret,
};
pub use lambda_permission::LambdaPermission;
pub use object_versions::delete_all_versions;
pub use once::once;
pub use reference::Ref;
pub use s3_bucket::{S3Bucket, count_contents};
pub use s3_bucket_lifecycle_configuration::{LifecycleRule, S3BucketLifecycleConfiguration};
pub use s3_bucket_logging::S3BucketLogging;
pub use s3_bucket_policy::S3BucketPolicy;
pub use s3_bucket_public_access_block::S3BucketPublicAccessBlock;
pub use s3_bucket_server_side_encryption_configuration::{Encryption, S3BucketServerSideEncryptionConfiguration};
pub use s3_bucket_versioning::S3BucketVersioning;
pub use tags::ownership_tags;
pub use task::{Context, Task};

use hlctl_aws::answers::RawAnswer;
use hlctl_engine::wait::Due;
pub use hlctl_model::{
    ADDRESS_TAG, Attachment, Attributes, Condition, Contents, Identity, Known, Listed, Observed, Parent, PlannedChange,
    Progress, RecoveryHint, Reference, Remains, Rule, SECRET, STACK_TAG, Settings, StepReport, Text, UNKNOWN,
};
use hlctl_model::{Action, AttributeChange};

/// One AWS resource type. The module's documentation is its contract.
pub trait Resource: Clone + Send + Sync + 'static {
    /// The module's name for the type, without the provider prefix.
    const KIND: &'static str;
    /// The attributes that are not plainly compared and changed in place.
    const RULES: &'static [Rule];
    /// Whether it holds, or unlocks, patient data.
    const PRECIOUS: bool = false;
    /// Whether AWS takes neither a natural name nor an idempotency token for it, so that there may come to be two.
    const NAMELESS: bool = false;
    /// Whether a name that users choose is all its identity, so that another may come to have it.
    const NAMED: bool = false;
    /// Whether it carries its tags only some calls after it exists.
    const TAGGED_LATER: bool = false;
    /// Whether there is room for one only where it belongs, so that the old one must go before a new one can come.
    const ALONE: bool = false;
    /// What it is part of: when that is deleted it ends too, without a call of its own.
    const ENDS_WITH: Option<Parent> = None;
    /// What the state file remembers: the identity, and what deleting or an output needs.
    type Recorded: Serialize + DeserializeOwned + Send + Sync;

    /// The resources that must be there first.
    fn references(&self) -> Vec<Reference>;

    /// What the configuration asks for, as far as it is known.
    fn desired(&self, known: &Known) -> Attributes;

    /// The identity, where names alone decide it.
    fn predicted(&self, identity: &Identity, known: &Known) -> Option<Self::Recorded>;

    /// Whether what is predicted is all that it takes to find the resource again, or only to see whether its name is free.
    fn is_whole(_predicted: &Self::Recorded) -> bool {
        true
    }

    /// Looks for one that an earlier run began to make, by its tags or its parent; for types that names alone do not
    /// identify.
    fn find(
        _cx: &Context,
        _recovery: &RecoveryHint<'_>,
    ) -> impl Future<Output = Result<Option<Self::Recorded>, ResourceError>> + Send {
        async { Ok(None) }
    }

    /// Reads it.
    fn read(
        cx: &Context,
        recorded: &Self::Recorded,
    ) -> impl Future<Output = Result<Option<Observed<Self::Recorded>>, ResourceError>> + Send;

    /// Whether it may exist, for types that take several requests to read: one request that most likely finds nothing.
    fn may_exist(
        _cx: &Context,
        _recorded: &Self::Recorded,
    ) -> impl Future<Output = Result<bool, ResourceError>> + Send {
        async { Ok(true) }
    }

    /// Attributes that show in answers to reads that are made in addition to [`Resource::read`] ([`answers::ask`]), some of which may have been
    /// refused.
    fn standby(_heard: &[RawAnswer], _refused: &Map<String, Value>) -> Attributes {
        Attributes::new()
    }

    /// What AWS keeps of one that is gone, if it can be made again from that. `attributes` are those that it was last seen
    /// with.
    fn remains(
        _cx: &Context,
        _recorded: &Self::Recorded,
        _attributes: &Attributes,
    ) -> impl Future<Output = Result<Option<Remains>, ResourceError>> + Send {
        async { Ok(None) }
    }

    /// Everything that hangs on it, ours and others'.
    fn attachments(
        _cx: &Context,
        _recorded: &Self::Recorded,
    ) -> impl Future<Output = Result<Vec<Attachment>, ResourceError>> + Send {
        async { Ok(Vec::new()) }
    }

    /// Makes it.
    fn create(&self, task: &Task<'_>) -> impl Future<Output = Result<Self::Recorded, ResourceError>> + Send;

    /// Changes it in place.
    fn update(
        &self,
        task: &Task<'_>,
        recorded: Self::Recorded,
        changes: &[AttributeChange],
    ) -> impl Future<Output = Result<Self::Recorded, ResourceError>> + Send;

    /// Waits until it is ready, where another run or another hand began a change.
    fn settle(
        _task: &Task<'_>,
        recorded: Self::Recorded,
    ) -> impl Future<Output = Result<Self::Recorded, ResourceError>> + Send {
        async { Ok(recorded) }
    }

    /// Deletes it and waits until it is gone.
    fn delete(task: &Task<'_>, recorded: Self::Recorded) -> impl Future<Output = Result<(), ResourceError>> + Send;

    /// The name a user knows it by.
    fn name(recorded: &Self::Recorded) -> String;

    /// The id by which Terraform imports it.
    fn import_id(recorded: &Self::Recorded) -> String;

    /// What the id by which Terraform imports it says of it; reading it fills in the rest. `None` for what is no such id.
    fn of_import_id(identity: &Identity, id: &str) -> Option<Self::Recorded>;

    /// All of them that the account has in the region, with their tags; nothing for types that names identify.
    fn list(_cx: &Context) -> impl Future<Output = Result<Vec<Listed<Self::Recorded>>, ResourceError>> + Send {
        async { Ok(Vec::new()) }
    }

    /// How long the action usually takes, for those that take minutes.
    fn usual_time(_action: Action) -> Option<&'static str> {
        None
    }

    /// The same as ages, for estimates.
    fn usual_range(_action: Action) -> Option<Due> {
        None
    }

    /// What a change means for patient data and for those who use the store, in sentences.
    fn impact(_planned: &PlannedChange<'_>) -> Vec<String> {
        Vec::new()
    }

    /// What it means that others have changed these attributes, where they would not guess it.
    fn consequence(_drifted: &[&str]) -> Option<&'static str> {
        None
    }

    /// Resources of one group are changed one after another.
    fn group(_recorded: &Self::Recorded) -> Option<String> {
        None
    }
}

/// A JSON object from pairs; the attributes of a resource.
pub(crate) fn attributes<const N: usize>(pairs: [(&str, Value); N]) -> Attributes {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
