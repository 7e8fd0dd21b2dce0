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

use crate::resource::Kind;

/// An action that calls of one kind of resource ask for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grant {
    /// As policies name it: `kms:CreateKey`.
    pub action: &'static str,
    /// The operations that ask for it. The tests hold the calls in the code against them.
    #[cfg_attr(not(test), expect(dead_code, reason = "a policy names actions alone"))]
    pub calls: &'static [&'static str],
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
    /// A key of the account and region.
    Keys,
    /// A data store of the account and region.
    Stores,
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
}

impl Grant {
    /// An action named like its operation.
    const fn new(action: &'static str, calls: &'static [&'static str], on: On, when: When) -> Self {
        Self { action, calls, on, when }
    }
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
        Kind::CognitoUser => cognito::USER,
        Kind::FhirDatastore => healthlake::STORE,
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
    use crate::aws::{RENAMED, action_of};

    fn sources(directory: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
    }

    /// What stands in `Operation::new("…", "…")` in the files of a folder.
    fn calls_in_source(folder: &str) -> BTreeSet<(String, String)> {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder);
        let mut calls = BTreeSet::new();
        for path in sources(&directory) {
            let text = std::fs::read_to_string(path).unwrap();
            for call in text.split("Operation::new(").skip(1) {
                let mut quoted = call.split('"').skip(1).step_by(2);
                calls.insert((quoted.next().unwrap().to_owned(), quoted.next().unwrap().to_owned()));
            }
        }
        calls
    }

    #[test]
    fn every_call_of_the_resource_files_has_its_line_and_every_line_its_call() {
        let calls = calls_in_source("resource");
        assert!(calls.len() > 90, "the calls are written in another way now: {calls:?}");
        let mut listed = BTreeSet::new();
        for grant in Kind::ALL.iter().flat_map(|kind| grants(*kind)).chain(smart_store()).chain(backup()) {
            let service = grant.action.split(':').next().unwrap();
            listed.extend(grant.calls.iter().map(|call| (service, *call)));
        }
        for (service, operation) in &calls {
            assert!(listed.contains(&(service.as_str(), operation.as_str())), "{service}:{operation} has no line");
        }
        // `smart test` invokes the function and reads its store's documents; a plan that deletes lists jobs.
        let elsewhere = ["Invoke", "GetCapabilities", "ListFHIRExportJobs", "ListFHIRImportJobs"];
        let made: BTreeSet<&str> = calls.iter().map(|(_, operation)| operation.as_str()).chain(elsewhere).collect();
        for (service, operation) in listed {
            assert!(made.contains(operation), "{service}:{operation} is never called");
        }
    }

    #[test]
    fn every_call_of_the_data_commands_has_its_line_and_every_line_its_call() {
        let calls = calls_in_source("data");
        assert!(calls.len() > 20, "the calls are written in another way now: {calls:?}");
        let listed: BTreeSet<&str> = data().iter().flat_map(|grant| grant.calls).copied().collect();
        let mut made: BTreeSet<&str> = calls.iter().map(|(_, operation)| operation.as_str()).collect();
        // Imports and exports look at the store by the call of the store's own file.
        made.insert("DescribeFHIRDatastore");
        assert_eq!(listed, made);
    }

    /// The action by which the tables allow an operation.
    fn allowed_by(service: &str, operation: &str) -> Option<&'static str> {
        let own = format!("{service}:{operation}");
        let lines = |grants: Vec<&'static Grant>| {
            let is_of =
                |grant: &&Grant| grant.action.split(':').next() == Some(service) && grant.calls.contains(&operation);
            let actions: Vec<&str> = grants.into_iter().filter(is_of).map(|grant| grant.action).collect();
            actions.iter().find(|action| **action == own).or(actions.first()).copied()
        };
        let of_kinds = Kind::ALL.iter().flat_map(|kind| grants(*kind));
        let stack = of_kinds.chain(smart_store()).chain(backup()).collect();
        lines(stack).or_else(|| lines(data().iter().collect()))
    }

    #[test]
    fn the_action_that_a_hint_names_is_the_one_that_the_tables_allow() {
        let calls: BTreeSet<(String, String)> =
            ["resource", "data", "commands"].into_iter().flat_map(calls_in_source).collect();
        let mut renamed = BTreeSet::new();
        for (service, operation) in &calls {
            let Some(action) = allowed_by(service, operation) else { continue };
            assert_eq!(action_of(service, operation), action);
            renamed
                .extend((action != format!("{service}:{operation}")).then_some((service.as_str(), operation.as_str())));
        }
        let listed: BTreeSet<(&str, &str)> = RENAMED.iter().map(|(service, call, _)| (*service, *call)).collect();
        assert_eq!(listed, renamed);
        assert_eq!(action_of("sts", "AssumeRole"), "sts:AssumeRole");
    }
}
