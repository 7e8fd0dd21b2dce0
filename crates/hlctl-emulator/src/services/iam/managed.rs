//! The policies that AWS itself keeps, of which only names are known here.

use serde_json::{Value, json};

use super::{customer_policy, no_such_entity};
use crate::error::AwsResult;
use crate::protocol::Effect;
use crate::services::Cx;

/// Paths and names under `arn:aws:iam::aws:policy` that can be attached.
const KNOWN: &[&str] = &[
    "/AdministratorAccess",
    "/AmazonCognitoPowerUser",
    "/AmazonCognitoReadOnly",
    "/AmazonHealthLakeFullAccess",
    "/AmazonHealthLakeReadOnlyAccess",
    "/AmazonS3FullAccess",
    "/AmazonS3ReadOnlyAccess",
    "/AWSLakeFormationDataAdmin",
    "/AWSLambda_FullAccess",
    "/AWSLambda_ReadOnlyAccess",
    "/CloudWatchLogsFullAccess",
    "/IAMFullAccess",
    "/IAMReadOnlyAccess",
    "/PowerUserAccess",
    "/ReadOnlyAccess",
    "/SecurityAudit",
    "/job-function/ViewOnlyAccess",
    "/service-role/AWSLambdaBasicExecutionRole",
    "/service-role/AWSLambdaRole",
    "/service-role/AWSLambdaVPCAccessExecutionRole",
];

/// The part of a managed policy's ARN after `policy`, if AWS keeps such a policy.
pub(super) fn known(arn: &str) -> Option<&'static str> {
    let (start, path) = arn.split_once(":policy")?;
    let owner = ["arn:aws:iam::aws", "arn:aws-cn:iam::aws", "arn:aws-us-gov:iam::aws"];
    KNOWN.iter().copied().find(|known| owner.contains(&start) && *known == path)
}

/// Fails unless `arn` names a policy of the account or one that AWS keeps.
pub(super) fn exists(cx: &mut Cx<'_>, arn: &str) -> AwsResult<()> {
    if known(arn).is_some() || customer_policy(cx, arn, Effect::Write).is_ok() {
        return Ok(());
    }
    Err(no_such_entity(format!("Policy {arn} does not exist or is not attachable.")))
}

/// The last part of a policy's ARN.
pub(super) fn name_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or_default()
}

/// What GetPolicy says of a policy that AWS keeps.
pub(super) fn show(arn: &str, path_and_name: &str, attachments: usize) -> Value {
    let (path, name) = path_and_name.rsplit_once('/').unwrap_or_default();
    json!({
        "PolicyName": name,
        "PolicyId": format!("ANPA{:0>17}", name.len()),
        "Arn": arn,
        "Path": format!("{path}/"),
        "DefaultVersionId": "v1",
        "AttachmentCount": attachments,
        "PermissionsBoundaryUsageCount": 0,
        "IsAttachable": true,
        "CreateDate": "2015-02-06T18:39:46Z",
        "UpdateDate": "2015-02-06T18:39:46Z",
    })
}
