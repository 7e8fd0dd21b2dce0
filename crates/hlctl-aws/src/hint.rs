//! What to do about an AWS error.

use super::classify::{AwsError, ErrorKind};
use super::ops::{self, Operation};

/// The next step, where one is known.
pub fn hint(error: &AwsError) -> Option<String> {
    let action = error.lacked_action().or(error.operation.map(Operation::action)).unwrap_or_default();
    if error.skew.is_some() && matches!(error.kind, ErrorKind::Credentials | ErrorKind::Denied) {
        return Some(CLOCK.to_owned());
    }
    let text = match error.kind {
        ErrorKind::Credentials => match error.origin.as_ref().and_then(|origin| origin.hint(error)) {
            Some(hint) if error.code != "RequestTimeTooSkewed" => hint,
            _ => credentials(error),
        },
        ErrorKind::Untrusted => UNTRUSTED.to_owned(),
        ErrorKind::Denied if error.lacks_lake_formation() => {
            "creating or deleting a store needs a data lake administrator: in the Lake Formation console, under \
             Administrative roles and tasks, add the principal that runs hlctl (it cannot add itself if it holds \
             AWSLakeFormationDataAdmin), then run the command again"
                .to_owned()
        }
        ErrorKind::Denied if error.service() == Some(ops::s3::SERVICE) && error.code == "Forbidden" => format!(
            "either the bucket belongs to another account, or the principal lacks {action}; choose another bucket name or allow the action"
        ),
        // The refusal does not say which of the two it is.
        ErrorKind::Denied
            if [Some(ops::healthlake::START_FHIR_IMPORT_JOB), Some(ops::healthlake::START_FHIR_EXPORT_JOB)].contains(&error.operation) =>
        {
            format!(
                "allow the action {action} for the principal that runs hlctl, and let HealthLake assume the role: `{}` shows whether its \
                 trust policy was changed, then run the command again",
                hlctl!("drift")
            )
        }
        ErrorKind::Denied => format!("allow the action {action} for the principal that runs hlctl, then run the command again"),
        ErrorKind::AlreadyExists if error.code == "BucketAlreadyExists" => {
            "bucket names are unique in all of AWS and this one belongs to another account: choose another name in the config".to_owned()
        }
        ErrorKind::AlreadyExists => "the name is taken by something that hlctl did not create: choose another name in \
                                     the config".to_owned(),
        ErrorKind::WrongRegion => match &error.other_region {
            Some(region) => format!("the bucket is in {region}: set region = \"{region}\" or choose another bucket name"),
            None => "the bucket is in another region: set `region` to it or choose another bucket name".to_owned(),
        },
        ErrorKind::Refused if error.code.starts_with("MalformedPolicy") => {
            "a principal in the policy does not exist: check kms_admin_iam_arn in the config".to_owned()
        }
        ErrorKind::Refused if error.code == "LimitExceeded" || error.code == "LimitExceededException" => {
            "a quota of the account is reached: delete what is not needed, or request an increase in Service \
             Quotas".to_owned()
        }
        ErrorKind::Refused if error.code == "InvalidBucketAclWithObjectOwnership" => {
            "the bucket's ACL lets others in, and is kept until somebody takes that back: `aws s3api put-bucket-acl --bucket BUCKET \
             --acl private`, then run the command again"
                .to_owned()
        }
        ErrorKind::Refused if error.code == "MissingNamespaceHeader" || error.code == "InvalidNamespaceHeader" => {
            "names that end with `-an` are for an account's own namespace in a region: choose a name that ends with \
             -ACCOUNT-REGION-an, or one without `-an`"
                .to_owned()
        }
        ErrorKind::Throttled if error.operation == Some(ops::healthlake::CREATE_FHIR_DATASTORE) => {
            "AWS allows one store creation per minute and account: run the command again in a minute".to_owned()
        }
        ErrorKind::Throttled => "AWS is limiting requests: run the command again in a minute".to_owned(),
        ErrorKind::Unavailable => "AWS failed internally: run the command again; it continues where it \
                                   stopped".to_owned(),
        ErrorKind::NoAnswer | ErrorKind::Silent | ErrorKind::Unreachable => {
            "check the network, any proxy, the region, and AWS_ENDPOINT_URL if it is set, then run the command again".to_owned()
        }
        ErrorKind::Garbled => "something other than AWS answered: check AWS_ENDPOINT_URL and any proxy".to_owned(),
        ErrorKind::Conflict if error.code == "DeleteConflict" => {
            "something that is not in the state is still attached to it: `aws iam list-attached-role-policies` and \
             `aws iam list-entities-for-policy` show what; detach that, then run the command again"
                .to_owned()
        }
        ErrorKind::Conflict if error.service() == Some(ops::healthlake::SERVICE) => {
            concat!("the store is in transition: `", hlctl!("wait"), "` waits until that is over, then run the \
                command again").to_owned()
        }
        _ => return None,
    };
    Some(text)
}

const CLOCK: &str = "AWS refuses requests that are signed with a wrong time: set this machine's clock, or have it kept by NTP, then run the command again";

/// For a server whose certificate is not accepted.
pub const UNTRUSTED: &str = "the server's certificate is not accepted: if a proxy with an authority of its own is in between, name the file of \
                             that authority in AWS_CA_BUNDLE, or in ca_bundle of the AWS profile; if the certificate is said to have \
                             expired or not to be valid yet, check this machine's clock";

fn credentials(error: &AwsError) -> String {
    match error.code.as_str() {
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" | "TokenRefreshRequired" => {
            "the credentials have expired: renew them (`aws sso login`, or with the tool that issued them), then run \
             the command again".to_owned()
        }
        "RequestTimeTooSkewed" => CLOCK.to_owned(),
        "" => "no credentials were found: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run `aws sso login`; \
               `--sandbox` needs none"
            .to_owned(),
        _ => "AWS does not accept these credentials: check AWS_PROFILE and the AWS_* variables with `aws sts get-caller-identity`".to_owned(),
    }
}
