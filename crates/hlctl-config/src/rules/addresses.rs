//! Addresses of resources, as `protect` takes them.

use super::{Finding, Rule, nearest, quoted};
use crate::next_step::hlctl;

/// An address in `protect`.
pub(crate) static ADDRESS: Rule = Rule {
    min: 1,
    max: 2048,
    pattern: None,
    one_of: &KNOWN,
    wants: "addresses of resources as `hlctl plan` shows them",
    check,
};

/// Every address that a configuration can lead to, but for the test users and the profiles of the Data Transformation Agent, which
/// have one each.
pub const KNOWN: [&str; 40] = [
    "healthlake_fhir_datastore.this",
    "kms_key.s3",
    "kms_key.datastore",
    "kms_key.lambda",
    "s3_bucket.data",
    "s3_bucket.access_logs",
    "s3_bucket_versioning.data",
    "s3_bucket_versioning.access_logs",
    "s3_bucket_public_access_block.data",
    "s3_bucket_public_access_block.access_logs",
    "s3_bucket_server_side_encryption_configuration.data",
    "s3_bucket_server_side_encryption_configuration.access_logs",
    "s3_bucket_lifecycle_configuration.data",
    "s3_bucket_lifecycle_configuration.access_logs",
    "s3_bucket_logging.data",
    "s3_bucket_logging.access_logs",
    "s3_bucket_policy.data",
    "s3_bucket_policy.access_logs",
    "iam_role.healthlake",
    "iam_policy.healthlake",
    "iam_role_policy_attachment.this",
    "cognito_user_pool.main",
    "cognito_user_pool_domain.this",
    "cognito_resource_server.launch",
    "cognito_resource_server.system",
    "cognito_resource_server.patient",
    "cognito_resource_server.user",
    "cognito_user_pool_client.client",
    "cognito_user_pool_client.machine",
    "cognito_managed_login_branding.client",
    "iam_role.lambda_role",
    "iam_role_policy_attachment.lambda_basic",
    "iam_role_policy.cognito_access",
    "cloudwatch_log_group.token_validator",
    "lambda_function.token_validator",
    "lambda_alias.token_validator",
    "lambda_permission.healthlake",
    "iam_role.healthlake_service_role",
    "iam_role_policy_attachment.healthlake_policy",
    "iam_policy.healthlake_service_policy",
];

const USERS: &str = "cognito_user.test_users";
const PROFILES: &str = "healthlake_data_transformation_profile";

fn check(value: &str) -> Vec<Finding> {
    let is_user = value
        .strip_prefix(USERS)
        .and_then(|rest| rest.strip_prefix("[\"")?.strip_suffix("\"]"))
        .is_some_and(|name| !name.is_empty());
    let is_profile = value
        .strip_prefix(PROFILES)
        .and_then(|rest| rest.strip_prefix('.'))
        .is_some_and(super::transform::is_profile_name);
    if value.is_empty() || KNOWN.contains(&value) || is_user || is_profile {
        return Vec::new();
    }
    let finding = Finding::error(format!("names {}, which is not a resource of hlctl", quoted(value)));
    if value.starts_with(USERS) {
        return vec![finding.help(format!("an address of one user is `{USERS}[\"alice\"]`"))];
    }
    if value.starts_with(PROFILES) {
        return vec![finding.help(format!("an address of one profile is `{PROFILES}.NAME`"))];
    }
    let bare = value.strip_prefix("awscc_").or_else(|| value.strip_prefix("aws_"));
    let near = bare.filter(|bare| KNOWN.contains(bare)).or_else(|| nearest(bare.unwrap_or(value), KNOWN));
    vec![match near {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding.help(concat!("use an address that `", hlctl!("plan"), "` shows, such as `s3_bucket.data`")),
    }]
}
