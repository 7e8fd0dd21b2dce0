//! The inputs of the Terraform module, but for those of SMART on FHIR. Names, types and defaults are its own.

use super::typed::{Flag, Text};
use super::{Default, Group, Kind, keys};
use crate::rules;

keys! {
    DATASTORE_NAME: Text = {
        name: "datastore_name",
        group: Group::Store,
        kind: Kind::Text(&rules::names::DATASTORE),
        default: Default::Required,
        doc: "Name of the FHIR data store. It can be changed later without losing the store.",
        example: r#""fhir-sandbox""#,
    }
    FHIR_VERSION: Text = {
        name: "fhir_version",
        group: Group::Store,
        kind: Kind::Choice(&["R4"]),
        default: Default::Toml(r#""R4""#),
        doc: "FHIR version of the store. HealthLake offers only R4.",
        example: r#""R4""#,
    }
    PRELOAD_DATA: Flag = {
        name: "preload_data",
        group: Group::Store,
        kind: Kind::Flag,
        default: Default::Toml("false"),
        doc: "Fills a new store with the synthetic patients of Synthea. It cannot be changed once the store exists.",
        example: "true",
    }
    CREATE_KMS_KEY: Flag = {
        name: "create_kms_key",
        group: Group::Access,
        kind: Kind::Flag,
        default: Default::Toml("false"),
        doc: "Encrypts the store with a KMS key of your own instead of one that AWS owns. It cannot be changed once \
              the store exists.",
        example: "true",
    }
    KMS_ADMIN_IAM_ARN: Text = {
        name: "kms_admin_iam_arn",
        group: Group::Access,
        kind: Kind::Text(&rules::arn::KMS_ADMIN),
        default: Default::Toml(r#""""#),
        doc: "ARN of an IAM user or role that may administer the keys in addition to the account itself. Empty: no \
              other principal.",
        example: r#""arn:aws:iam::123456789012:role/kms-admin""#,
    }
    DATA_BUCKET_NAME: Text = {
        name: "data_bucket_name",
        group: Group::Buckets,
        kind: Kind::Text(&rules::bucket::BUCKET),
        default: Default::Required,
        doc: "Bucket for the files of import and export jobs. Bucket names are unique worldwide, but for those in the namespace of the \
              stack's account and region, `PREFIX-ACCOUNT-REGION-an`, which nobody else can take.",
        example: r#""example-fhir-data""#,
    }
    LOGS_BUCKET_NAME: Text = {
        name: "logs_bucket_name",
        group: Group::Buckets,
        kind: Kind::Text(&rules::bucket::BUCKET),
        default: Default::Required,
        doc: "Bucket that receives the access logs of the data bucket.",
        example: r#""example-fhir-logs""#,
    }
    HEALTHLAKE_ROLE_NAME: Text = {
        name: "healthlake_role_name",
        group: Group::Access,
        kind: Kind::Text(&rules::names::ROLE),
        default: Default::Toml(r#""HealthLakeImportExportRole""#),
        doc: "Name of the IAM role that import and export jobs run under. Two stacks in one account need two names.",
        example: r#""HealthLakeImportExportRole""#,
    }
    HEALTHLAKE_POLICY_NAME: Text = {
        name: "healthlake_policy_name",
        group: Group::Access,
        kind: Kind::Text(&rules::names::POLICY),
        default: Default::Toml(r#""HealthLakeImportExportPolicy""#),
        doc: "Name of that role's policy. Two stacks in one account need two names.",
        example: r#""HealthLakeImportExportPolicy""#,
    }
}
