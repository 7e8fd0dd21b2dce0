//! The tables: one line for each action.
//!
//! Names of actions, what they can be confined to and the actions that depend on others are the Service Authorization
//! Reference's, unless a line says otherwise.

mod cognito;
mod data;
mod healthlake;
mod iam;
mod kms;
mod lambda;
mod logs;
mod s3;

use hlctl_aws::Operation;
use hlctl_resources::Kind;

/// An action that calls of one kind of resource ask for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grant {
    /// As policies name it: `kms:CreateKey`.
    pub action: &'static str,
    /// The operations that ask for it. The tests hold the calls in the code against them.
    #[cfg_attr(not(test), expect(dead_code, reason = "a policy names actions alone"))]
    pub calls: &'static [&'static Operation],
    /// What they are aimed at.
    pub on: On,
    /// When it is to be allowed.
    pub when: When,
}

/// What an action is aimed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum On {
    /// What has no ARN, or none yet.
    Anything,
    /// The bucket.
    Bucket,
    /// The objects in the bucket.
    Objects,
    /// What imports have put into the bucket.
    Imports,
    /// A key of the account and region.
    Keys,
    /// A data store of the account and region.
    Stores,
    /// A profile of HealthLake's Data Transformation Agent in the account and region.
    Profiles,
    /// A user pool of the account and region.
    Pools,
    /// The role.
    Role,
    /// The roles that the function is given.
    FunctionRoles,
    /// The policy.
    Policy,
    /// The function, with its versions and aliases.
    Function,
    /// The log group, with its streams.
    LogGroup,
    /// All log groups of the account and region.
    LogGroups,
}

/// When an action is to be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// On whatever [`On`] says.
    Always,
    /// On what carries the stack's tag.
    Ours,
    /// In requests that give the stack's tag.
    Tagging,
    /// On what carries the stack's tag, for HealthLake on the caller's behalf, where the store has a key of its own.
    OursThroughHealthLake,
    /// For HealthLake on the caller's behalf, where a profile has a key.
    ThroughHealthLake,
    /// For Lambda.
    PassedToLambda,
    /// For HealthLake.
    PassedToHealthLake,
    /// For S3 on the caller's behalf.
    ThroughS3,
    /// Of the policies that the stack attaches.
    Attaching,
    /// Where buckets may be emptied (`force_destroy`).
    Emptying,
    /// Where the function reserves some of the account's concurrency, or keeps environments initialised.
    Reserving,
}

impl Grant {
    /// The action of these operations, which all have the same.
    const fn of(calls: &'static [&'static Operation], on: On, when: When) -> Self {
        let action = calls[0].action();
        let mut next = 1;
        while next < calls.len() {
            assert!(is_same(action, calls[next].action()), "the operations of a grant have the same action");
            next += 1;
        }
        Self { action, calls, on, when }
    }

    /// An action that operations ask for in addition to their own, or a service on behalf of the caller.
    const fn besides(action: &'static str, calls: &'static [&'static Operation], on: On, when: When) -> Self {
        Self { action, calls, on, when }
    }
}

/// Comparison of strings while the tables are compiled.
const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

/// The actions that calls of this kind ask for.
pub(super) fn grants(kind: Kind) -> &'static [Grant] {
    match kind {
        Kind::KmsKey => kms::KEY,
        Kind::S3Bucket => s3::BUCKET,
        Kind::S3BucketVersioning => s3::VERSIONING,
        Kind::S3BucketPublicAccessBlock => s3::PUBLIC_ACCESS_BLOCK,
        Kind::S3BucketServerSideEncryptionConfiguration => s3::ENCRYPTION,
        Kind::S3BucketLifecycleConfiguration => s3::LIFECYCLE,
        Kind::S3BucketLogging => s3::LOGGING,
        Kind::S3BucketPolicy => s3::POLICY,
        Kind::IamRole => iam::ROLE,
        Kind::IamPolicy => iam::POLICY,
        Kind::IamRolePolicy => iam::INLINE_POLICY,
        Kind::IamRolePolicyAttachment => iam::ATTACHMENT,
        Kind::LambdaFunction => lambda::FUNCTION,
        Kind::LambdaAlias => lambda::ALIAS,
        Kind::LambdaPermission => lambda::PERMISSION,
        Kind::CloudwatchLogGroup => logs::GROUP,
        Kind::CognitoUserPool => cognito::POOL,
        Kind::CognitoUserPoolDomain => cognito::DOMAIN,
        Kind::CognitoResourceServer => cognito::RESOURCE_SERVER,
        Kind::CognitoUserPoolClient => cognito::CLIENT,
        Kind::CognitoManagedLoginBranding => cognito::BRANDING,
        Kind::CognitoUser => cognito::USER,
        Kind::FhirDatastore => healthlake::STORE,
        Kind::DataTransformationProfile => healthlake::PROFILE,
    }
}

/// The actions that `smart test` asks of a store.
pub(super) fn smart_store() -> &'static [Grant] {
    healthlake::SMART_STORE
}

/// The actions that `hlctl data` asks for.
pub(super) fn data() -> &'static [Grant] {
    data::DATA
}

/// The actions that `hlctl restore` and `hlctl replace` ask of a store with a backup.
pub(super) fn backup() -> &'static [Grant] {
    healthlake::BACKUP
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use super::*;
    use hlctl_aws::ops;

    fn sources(directory: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
    }

    /// The operations whose constants the files of a folder name.
    fn named_in(folder: &str) -> BTreeSet<String> {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let texts: Vec<String> =
            sources(&directory).iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
        let is_named = |constant: &str| {
            let ends = |rest: &str| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_');
            texts.iter().any(|text| text.split(constant).skip(1).any(ends))
        };
        let named = ops::constants().filter(|(constant, _)| is_named(constant));
        named.map(|(_, operation)| operation.to_string()).collect()
    }

    /// A constant that a crate offers to others is never dead code to the compiler.
    #[test]
    fn every_operation_is_called_somewhere() {
        let mut called = BTreeSet::new();
        for folder in ["src", "crates/hlctl-resources/src", "crates/hlctl-fhir/src", "crates/hlctl-aws/src"] {
            called.append(&mut named_in(folder));
        }
        let unused: Vec<String> =
            ops::all().map(ToString::to_string).filter(|operation| !called.contains(operation)).collect();
        assert!(unused.is_empty(), "{unused:?} are never called");
    }

    fn of_the_stack() -> impl Iterator<Item = &'static Grant> {
        Kind::ALL.iter().flat_map(|kind| grants(*kind)).chain(smart_store()).chain(backup())
    }

    fn names(grants: impl Iterator<Item = &'static Grant>) -> BTreeSet<String> {
        grants.flat_map(|grant| grant.calls).map(ToString::to_string).collect()
    }

    #[test]
    fn every_call_of_the_resource_files_has_its_line_and_every_line_its_call() {
        let made = named_in("crates/hlctl-resources/src");
        assert!(made.len() > 90, "the calls are written in another way now: {made:?}");
        let listed = names(of_the_stack());
        let unlisted: Vec<_> = made.difference(&listed).collect();
        assert!(unlisted.is_empty(), "{unlisted:?} have no line");
        // `smart test` invokes the function and reads its store's documents; a plan that deletes lists jobs; `logs` reads events.
        let elsewhere = [
            ops::logs::FILTER_LOG_EVENTS,
            ops::lambda::INVOKE,
            ops::fhir::GET_CAPABILITIES,
            ops::healthlake::LIST_FHIR_EXPORT_JOBS,
            ops::healthlake::LIST_FHIR_IMPORT_JOBS,
        ];
        let elsewhere: BTreeSet<String> = elsewhere.iter().map(ToString::to_string).collect();
        let uncalled: Vec<_> = listed.difference(&made).filter(|operation| !elsewhere.contains(*operation)).collect();
        assert!(uncalled.is_empty(), "{uncalled:?} are never called");
    }

    #[test]
    fn every_call_of_the_data_commands_has_its_line_and_every_line_its_call() {
        let mut made = named_in("src/data");
        assert!(made.len() > 20, "the calls are written in another way now: {made:?}");
        // Imports and exports look at the store by the call of the store's own file.
        made.insert(ops::healthlake::DESCRIBE_FHIR_DATASTORE.to_string());
        // And imports delete what they have uploaded by those of the bucket's.
        made.extend([ops::s3::DELETE_OBJECTS, ops::s3::LIST_OBJECT_VERSIONS].map(ToString::to_string));
        assert_eq!(names(data().iter()), made);
    }

    #[test]
    fn the_action_that_a_hint_names_is_one_that_the_tables_allow() {
        for operation in ops::all() {
            let lines = || of_the_stack().chain(data()).filter(|grant| grant.calls.contains(&operation));
            let is_allowed = lines().any(|grant| grant.action == operation.action());
            assert!(is_allowed || lines().count() == 0, "{operation} needs {}", operation.action());
        }
    }
}
