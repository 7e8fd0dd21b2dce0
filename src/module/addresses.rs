//! Every address that a stack of hlctl can have, and which of them a configuration asks for.
//!
//! The module's [`build`](super::build) makes the specs; this table only knows their addresses, so that a state can be judged
//! without a configuration, an identity or the function's code. A test holds both to each other.

use super::standby::is_standby;
use hlctl_config::{Config, is_profile_name};
use hlctl_model::address::Address;
use hlctl_resources::{
    CloudwatchLogGroup, CognitoManagedLoginBranding, CognitoResourceServer, CognitoUser, CognitoUserPool,
    CognitoUserPoolClient, CognitoUserPoolDomain, DataTransformationProfile, FhirDatastore, IamPolicy, IamRole,
    IamRolePolicy, IamRolePolicyAttachment, Kind, KmsKey, LambdaAlias, LambdaFunction, LambdaPermission, Resource,
    S3Bucket, S3BucketLifecycleConfiguration, S3BucketLogging, S3BucketPolicy, S3BucketPublicAccessBlock,
    S3BucketServerSideEncryptionConfiguration, S3BucketVersioning,
};

/// When a configuration asks for a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Always,
    StoreKey,
    SelfLogging,
    Smart,
    MachineClient,
    UserScopes,
    ManagedLogin,
    ProvisionedConcurrency,
    EnvironmentKey,
}

impl When {
    fn holds(self, config: &Config) -> bool {
        let smart = config.smart_on_fhir;
        match self {
            Self::Always => true,
            Self::StoreKey => config.create_kms_key,
            Self::SelfLogging => config.logs_bucket_self_logging,
            Self::Smart => smart,
            Self::MachineClient => smart && config.smart.machine_client.is_some(),
            Self::UserScopes => smart && !config.smart.user_scopes.is_empty(),
            Self::ManagedLogin => smart && config.smart.managed_login,
            Self::ProvisionedConcurrency => smart && config.smart.provisioned_concurrency.is_some(),
            Self::EnvironmentKey => smart && config.smart.environment_key,
        }
    }
}

/// All but test users, profiles of transformation and the standby stores, whose number is not fixed.
const FIXED: &[(&str, &str, When)] = &[
    (KmsKey::KIND, "s3", When::Always),
    (KmsKey::KIND, "datastore", When::StoreKey),
    (KmsKey::KIND, "lambda", When::EnvironmentKey),
    (S3Bucket::KIND, "data", When::Always),
    (S3Bucket::KIND, "access_logs", When::Always),
    (S3BucketVersioning::KIND, "data", When::Always),
    (S3BucketVersioning::KIND, "access_logs", When::Always),
    (S3BucketPublicAccessBlock::KIND, "data", When::Always),
    (S3BucketPublicAccessBlock::KIND, "access_logs", When::Always),
    (S3BucketServerSideEncryptionConfiguration::KIND, "data", When::Always),
    (S3BucketServerSideEncryptionConfiguration::KIND, "access_logs", When::Always),
    (S3BucketLifecycleConfiguration::KIND, "data", When::Always),
    (S3BucketLifecycleConfiguration::KIND, "access_logs", When::Always),
    (S3BucketLogging::KIND, "data", When::Always),
    (S3BucketLogging::KIND, "access_logs", When::SelfLogging),
    (S3BucketPolicy::KIND, "data", When::Always),
    (S3BucketPolicy::KIND, "access_logs", When::Always),
    (FhirDatastore::KIND, "this", When::Always),
    (IamRole::KIND, "healthlake", When::Always),
    (IamPolicy::KIND, "healthlake", When::Always),
    (IamRolePolicyAttachment::KIND, "this", When::Always),
    (CognitoUserPool::KIND, "main", When::Smart),
    (CognitoUserPoolDomain::KIND, "this", When::Smart),
    (CognitoResourceServer::KIND, "launch", When::Smart),
    (CognitoResourceServer::KIND, "system", When::Smart),
    (CognitoResourceServer::KIND, "patient", When::Smart),
    (CognitoResourceServer::KIND, "user", When::UserScopes),
    (CognitoUserPoolClient::KIND, "client", When::Smart),
    (CognitoUserPoolClient::KIND, "machine", When::MachineClient),
    (CognitoManagedLoginBranding::KIND, "client", When::ManagedLogin),
    (CloudwatchLogGroup::KIND, "token_validator", When::Smart),
    (LambdaFunction::KIND, "token_validator", When::Smart),
    (LambdaAlias::KIND, "token_validator", When::ProvisionedConcurrency),
    (LambdaPermission::KIND, "healthlake", When::Smart),
    (IamRole::KIND, "lambda_role", When::Smart),
    (IamRolePolicyAttachment::KIND, "lambda_basic", When::Smart),
    (IamRolePolicy::KIND, "cognito_access", When::Smart),
    (IamRole::KIND, "healthlake_service_role", When::Smart),
    (IamPolicy::KIND, "healthlake_service_policy", When::Smart),
    (IamRolePolicyAttachment::KIND, "healthlake_policy", When::Smart),
];

/// Whether some configuration or command of hlctl can make a resource at this address.
pub fn is_known(address: &Address) -> bool {
    fixed(address).is_some() || test_user_of(address).is_some() || profile_of(address).is_some() || is_standby(address)
}

/// Whether this configuration asks for a resource at this address. Standby stores are the state's affair:
/// no configuration asks for them.
pub fn asks_for(config: &Config, address: &Address) -> bool {
    if let Some(username) = test_user_of(address) {
        return config.smart_on_fhir && config.smart.test_users.iter().any(|user| user.username == username);
    }
    if let Some(name) = profile_of(address) {
        return config.transform_profiles.iter().any(|profile| profile.name == name);
    }
    fixed(address).is_some_and(|when| when.holds(config))
}

/// The name of the bucket that this configuration wants at the address of a bucket or of a setting of one.
pub fn bucket_at<'a>(config: &'a Config, address: &Address) -> Option<&'a str> {
    let (kind, name) = address.as_str().split_once('.')?;
    let kind = Kind::parse(kind)?;
    if kind != Kind::S3Bucket && kind.part_of().is_none_or(|whole| whole.kind != Kind::S3Bucket.as_str()) {
        return None;
    }
    match name {
        "data" => Some(&config.data_bucket_name),
        "access_logs" => Some(&config.logs_bucket_name),
        _ => None,
    }
}

/// The known addresses of a kind. Of test users, profiles and standby stores only the form is given.
pub fn known_of_kind(kind: &str) -> Vec<String> {
    let fixed = FIXED.iter().filter(|(of, ..)| *of == kind).map(|(kind, name, _)| format!("{kind}.{name}"));
    let users = (kind == CognitoUser::KIND).then(|| format!("{kind}.test_users[\"USERNAME\"]"));
    let profiles = (kind == DataTransformationProfile::KIND).then(|| format!("{kind}.NAME"));
    fixed.chain(users).chain(profiles).collect()
}

fn fixed(address: &Address) -> Option<When> {
    let (kind, name) = address.as_str().split_once('.')?;
    FIXED.iter().find(|(of, named, _)| *of == kind && *named == name).map(|(.., when)| *when)
}

/// The username in a test user's address, if it is one as [`super::test_user`] writes it.
fn test_user_of(address: &Address) -> Option<String> {
    let name = address.as_str().strip_prefix(CognitoUser::KIND)?.strip_prefix(".test_users[")?.strip_suffix(']')?;
    let username: String = serde_json::from_str(name).ok()?;
    (super::test_user(&username) == *address && !username.is_empty()).then_some(username)
}

/// The name in a profile's address.
fn profile_of(address: &Address) -> Option<&str> {
    let name = address.as_str().strip_prefix(DataTransformationProfile::KIND)?.strip_prefix('.')?;
    is_profile_name(name).then_some(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::collections::BTreeSet;
    use std::sync::Arc;

    use super::*;
    use crate::module::{StackInputs, build, examples};
    use hlctl_config::KNOWN_ADDRESSES;
    use hlctl_resources::Kind;
    use hlctl_resources::package::Package;

    #[test]
    fn a_configuration_asks_for_exactly_what_the_module_builds() {
        let mut built_by_any = BTreeSet::new();
        for config in examples::every_switch() {
            let materials = StackInputs { package: Some(Arc::new(Package::blank())), ..StackInputs::default() };
            let stack = build(&config, &examples::identity(), "fhir-0123456789ab", &materials);
            let built: BTreeSet<Address> = stack.into_keys().collect();
            let users = config.smart.test_users.iter().map(|user| crate::module::test_user(&user.username));
            let table = FIXED.iter().map(|(kind, name, _)| Address::new(kind, name));
            let of_profile = |name: &String| Address::new(DataTransformationProfile::KIND, name);
            let profiles = config.transform_profiles.iter().map(|profile| of_profile(&profile.name));
            let asked: BTreeSet<Address> =
                table.chain(users).chain(profiles).filter(|address| asks_for(&config, address)).collect();
            assert_eq!(built, asked);
            assert!(built.iter().all(is_known));
            built_by_any.extend(built);
        }
        for (kind, name, _) in FIXED {
            let address = Address::new(kind, name);
            assert!(built_by_any.contains(&address), "no configuration asks for {address}");
        }
    }

    #[test]
    fn protect_takes_exactly_the_addresses_that_a_configuration_can_ask_for() {
        let fixed: BTreeSet<String> = FIXED.iter().map(|(kind, name, _)| format!("{kind}.{name}")).collect();
        let taken: BTreeSet<String> = KNOWN_ADDRESSES.iter().map(|&address| address.to_owned()).collect();
        assert_eq!(fixed, taken);
        assert_eq!((fixed.len(), taken.len()), (FIXED.len(), KNOWN_ADDRESSES.len()));
    }

    #[test]
    fn what_nothing_can_make_is_not_known() {
        let unknown = [
            "s3_bucket.foo",
            "s3_bucket.data.x",
            "s3_bucket",
            "s3_bucket.",
            "",
            "kms_key.predecessor_1",
            "kms_key.predecessor_x",
            "kms_key.predecessor_02",
            "s3_bucket.successor",
            "cognito_user.alice",
            "cognito_user.test_users[alice]",
            "cognito_user.test_users[\"\"]",
            "cognito_user.test_users[ \"alice\"]",
            "aws_s3_bucket.data",
            "healthlake_data_transformation_profile.my visits",
            "healthlake_data_transformation_profile",
        ];
        for address in unknown {
            assert!(!is_known(&Address::parse(address)), "{address}");
        }
        let known = [
            "s3_bucket.data",
            "kms_key.predecessor",
            "kms_key.predecessor_2",
            "healthlake_fhir_datastore.successor",
            "healthlake_fhir_datastore.predecessor_17",
            "cognito_user.test_users[\"alice\"]",
            "cognito_user.test_users[\"o\\\"brien\"]",
            "healthlake_data_transformation_profile.visits-2",
        ];
        for address in known {
            assert!(is_known(&Address::parse(address)), "{address}");
        }
    }

    #[test]
    fn every_kind_has_a_known_address() {
        for kind in Kind::ALL {
            assert!(!known_of_kind(kind.as_str()).is_empty(), "{}", kind.as_str());
        }
    }
}
