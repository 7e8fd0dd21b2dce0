//! A stack that somebody has a hand in.

use aws_sdk_cloudwatchlogs::Client as Logs;
use aws_sdk_cognitoidentityprovider::Client as Cognito;
use aws_sdk_healthlake::Client as HealthLake;
use aws_sdk_iam::Client as Iam;
use aws_sdk_kms::Client as Kms;
use aws_sdk_lambda::Client as Lambda;
use aws_sdk_s3::Client as S3;

use crate::support::Place;

pub(super) const TRUST: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Sid": "Own", "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}]}"#;
pub(super) const ALLOW: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Sid": "Open", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}"#;

/// The clients, and what the stack's things are called.
pub(super) struct World<'a> {
    pub place: &'a Place,
    pub kms: Kms,
    pub s3: S3,
    pub iam: Iam,
    pub healthlake: HealthLake,
    pub cognito: Cognito,
    pub lambda: Lambda,
    pub logs: Logs,
}

impl<'a> World<'a> {
    pub fn of(place: &'a Place) -> Self {
        let cloud = place.cloud();
        Self {
            place,
            kms: cloud.kms(),
            s3: cloud.s3(),
            iam: cloud.iam(),
            healthlake: cloud.healthlake(),
            cognito: cloud.cognito(),
            lambda: cloud.lambda(),
            logs: Logs::new(&cloud.sdk("us-east-1")),
        }
    }

    /// A member of what the state records.
    pub fn recorded(&self, address: &str, member: &str) -> String {
        let recorded = &self.place.state()["resources"][address]["recorded"];
        recorded[member].as_str().unwrap_or_else(|| panic!("{address} has no {member}: {recorded}")).to_owned()
    }

    pub fn key(&self) -> String {
        self.recorded("kms_key.s3", "id")
    }

    pub fn data(&self) -> String {
        self.recorded("s3_bucket.data", "name")
    }

    pub fn logs(&self) -> String {
        self.recorded("s3_bucket.access_logs", "name")
    }

    pub fn role(&self) -> String {
        self.recorded("iam_role.healthlake", "name")
    }

    pub fn policy(&self) -> String {
        self.recorded("iam_policy.healthlake", "arn")
    }

    pub fn store(&self) -> String {
        self.recorded("healthlake_fhir_datastore.this", "id")
    }

    pub fn store_arn(&self) -> String {
        self.recorded("healthlake_fhir_datastore.this", "arn")
    }

    pub fn pool(&self) -> String {
        self.recorded("cognito_user_pool.main", "id")
    }

    pub fn client(&self) -> String {
        self.recorded("cognito_user_pool_client.client", "id")
    }

    pub fn function(&self) -> String {
        self.recorded("lambda_function.token_validator", "name")
    }

    pub fn log_group(&self) -> String {
        self.recorded("cloudwatch_log_group.token_validator", "name")
    }
}
