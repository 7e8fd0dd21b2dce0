//! Whether a job may do what it is asked to, as far as this emulator knows: its role, its buckets and its keys.

use crate::error::{AwsError, AwsResult};
use crate::external::External;
use crate::services::Cx;
use crate::services::healthlake::validation;
use crate::services::iam::{self, Refused};
use crate::services::kms::{self, Unusable};
use crate::services::policy::{self, Kind};
use crate::services::s3::inside::Facts;

/// HealthLake as policies name it.
const PRINCIPAL: &str = "healthlake.amazonaws.com";

/// Who works on a bucket: a role, on behalf of a datastore. A job that only converts has no datastore, so that its ARN is empty.
#[derive(Clone, Copy)]
pub(in crate::services::healthlake) struct Party<'a> {
    pub(super) role: &'a str,
    pub(super) store_arn: &'a str,
}

fn denied(message: String) -> AwsError {
    AwsError::bad_request("AccessDeniedException", message)
}

impl<'a> Party<'a> {
    /// A role that works for no datastore.
    pub(in crate::services::healthlake) fn without_store(role: &'a str) -> Self {
        Self { role, store_arn: "" }
    }
}

impl Party<'_> {
    /// What a conversion reads from and writes to, and the key that it encrypts with, whose ARN is the answer (guide, setting up
    /// the Data Transformation Agent).
    pub(in crate::services::healthlake) fn check_conversion(
        self,
        cx: &mut Cx<'_>,
        (bucket, path): (&str, &str),
        (to, folder): (&str, &str),
        key: &str,
    ) -> AwsResult<String> {
        for bucket in [bucket, to] {
            self.check_place(cx, bucket, &["s3:ListBucket"])?;
        }
        self.may(cx, "s3:GetObject", &object_arn(cx, bucket, &format!("{path}*")))?;
        for action in ["s3:GetObject", "s3:PutObject"] {
            self.may(cx, action, &object_arn(cx, to, &format!("{folder}*")))?;
        }
        let arn = usable_key(cx, key)?;
        for action in ["kms:DescribeKey", "kms:GenerateDataKey", "kms:Decrypt"] {
            self.may_use_key(cx, action, &arn)?;
        }
        Ok(arn)
    }

    /// What an import reads from: a file, or what is below a path.
    pub(super) fn check_input(self, cx: &mut Cx<'_>, bucket: &str, path: &str) -> AwsResult<()> {
        self.check_bucket(cx, bucket)?;
        let is_folder = path.is_empty() || path.ends_with('/');
        let slash = if is_folder || path.ends_with(super::import::EXTENSION) { "" } else { "/" };
        let rest = if path.ends_with(super::import::EXTENSION) { "" } else { "*" };
        self.may(cx, "s3:GetObject", &object_arn(cx, bucket, &format!("{path}{slash}{rest}")))
    }

    /// What a job writes to, and the key that it encrypts with, whose ARN is the answer.
    pub(super) fn check_output(self, cx: &mut Cx<'_>, bucket: &str, folder: &str, key: &str) -> AwsResult<String> {
        self.check_bucket(cx, bucket)?;
        self.may(cx, "s3:PutObject", &object_arn(cx, bucket, &format!("{folder}*")))?;
        let arn = usable_key(cx, key)?;
        for action in ["kms:DescribeKey", "kms:GenerateDataKey"] {
            self.may_use_key(cx, action, &arn)?;
        }
        Ok(arn)
    }

    /// Whether what was encrypted with a key can be read. The keys that AWS keeps are at everybody's service.
    pub(super) fn check_decryption(self, cx: &mut Cx<'_>, key: &str) -> AwsResult<()> {
        if key.ends_with(":alias/aws/s3") {
            return Ok(());
        }
        let arn = usable_key(cx, key)?;
        self.may_use_key(cx, "kms:Decrypt", &arn)
    }

    /// HealthLake takes buckets of the store's own region only, and only if they can never be public (HealthLake
    /// developer guide, setting up).
    fn check_bucket(self, cx: &mut Cx<'_>, name: &str) -> AwsResult<()> {
        let actions = ["s3:ListBucket", "s3:GetBucketPublicAccessBlock", "s3:GetEncryptionConfiguration"];
        self.check_place(cx, name, &actions)
    }

    /// Whether a bucket is one that a job can use, and the role may do this with it.
    fn check_place(self, cx: &mut Cx<'_>, name: &str, actions: &[&str]) -> AwsResult<()> {
        let facts =
            Facts::of(cx, name).ok_or_else(|| validation(format!("The specified bucket does not exist: {name}")))?;
        if facts.region != cx.caller.region {
            return Err(validation(format!(
                "The bucket {name} is in {}, but it must be in the region of the data store, {}.",
                facts.region, cx.caller.region
            )));
        }
        if facts.account != cx.caller.account {
            return Err(denied(format!("The bucket {name} belongs to another account.")));
        }
        let arn = bucket_arn(cx, name);
        for action in actions {
            self.may(cx, action, &arn)?;
        }
        if !facts.blocks_public_access {
            return Err(validation(format!("All settings that block public access must be on for the bucket {name}.")));
        }
        Ok(())
    }

    /// Whether the role is there, trusts HealthLake for this store and allows `action`, and no bucket's policy
    /// forbids it.
    fn may(self, cx: &Cx<'_>, action: &str, resource: &str) -> AwsResult<()> {
        let account = self.role.split(':').nth(4).unwrap_or_default();
        if account != cx.caller.account {
            return Err(denied(format!("The role {} belongs to another account.", self.role)));
        }
        let context = self.context(cx, account);
        let external = cx.options.is_external(External::Iam);
        let outcome = iam::permits_service(cx.world, external, self.role, PRINCIPAL, (action, resource), &context);
        let (role, store) = (self.role, self.store_arn);
        outcome.map_err(|refused| {
            denied(match refused {
                Refused::NoSuchRole => format!("HealthLake cannot assume the role {role}: it does not exist."),
                Refused::NotTrusted if store.is_empty() => format!(
                    "HealthLake cannot assume the role {role}: it does not trust {PRINCIPAL} for a job without a data store."
                ),
                Refused::NotTrusted => {
                    format!("HealthLake cannot assume the role {role}: it does not trust {PRINCIPAL} for {store}.")
                }
                Refused::NotAllowed => format!("No policy of {role} allows {action} on {resource}."),
                Refused::Denied => format!("A policy of {role} denies {action} on {resource}."),
            })
        })?;
        self.not_forbidden_by_bucket(cx, action, resource, &context)
    }

    fn context<'c>(&'c self, cx: &'c Cx<'_>, account: &'c str) -> [(&'c str, &'c str); 5] {
        [
            ("aws:SourceAccount", account),
            ("aws:SourceArn", self.store_arn),
            ("aws:SecureTransport", "true"),
            ("aws:PrincipalArn", self.role),
            ("aws:RequestedRegion", &cx.caller.region),
        ]
    }

    fn not_forbidden_by_bucket(
        self,
        cx: &Cx<'_>,
        action: &str,
        resource: &str,
        context: &[(&str, &str)],
    ) -> AwsResult<()> {
        let bucket = resource.split_once(":::").map(|(_, path)| path.split('/').next().unwrap_or_default());
        let document = bucket.and_then(|bucket| Facts::of(cx, bucket)?.policy);
        let principals = [format!("AWS:{}", self.role), format!("AWS:{}", cx.caller.account)];
        let principals: Vec<&str> = principals.iter().map(String::as_str).collect();
        let forbidden = document
            .and_then(|document| policy::parse(&document, Kind::Resource).ok())
            .is_some_and(|policy| policy.forbids(action, resource, &principals, context));
        if forbidden {
            return Err(denied(format!("The bucket's policy denies {action} on {resource} to {}.", self.role)));
        }
        Ok(())
    }

    fn may_use_key(self, cx: &mut Cx<'_>, action: &str, arn: &str) -> AwsResult<()> {
        self.may(cx, action, arn)?;
        let via = format!("s3.{}.amazonaws.com", cx.caller.region);
        let account = cx.caller.account.clone();
        let context =
            [("kms:ViaService", via.as_str()), ("kms:CallerAccount", &account), ("aws:PrincipalArn", self.role)];
        if kms::admits(cx, arn, self.role, action, &context) {
            return Ok(());
        }
        Err(denied(format!("The policy of the KMS key {arn} does not let {} do {action}.", self.role)))
    }
}

fn usable_key(cx: &mut Cx<'_>, key: &str) -> AwsResult<String> {
    kms::usable_key(cx, key).map_err(|reason| {
        let reason = match reason {
            Unusable::NotFound => "does not exist",
            Unusable::Disabled => "is disabled",
            Unusable::PendingDeletion => "is pending deletion",
            Unusable::NotSymmetric => "is not a symmetric encryption key",
        };
        validation(format!("The KMS key {key} {reason}."))
    })
}

fn bucket_arn(cx: &Cx<'_>, bucket: &str) -> String {
    format!("arn:{}:s3:::{bucket}", cx.caller.partition())
}

fn object_arn(cx: &Cx<'_>, bucket: &str, key: &str) -> String {
    format!("{}/{key}", bucket_arn(cx, bucket))
}
