//! What `hlctl data` asks of the stack's store, bucket, key and role, and `hlctl transform` of the account's profiles.
//!
//! The key's actions are S3's on behalf of the caller (Amazon S3 user guide, "Using server-side encryption with AWS KMS keys": uploads need
//! `kms:GenerateDataKey`, downloads and multipart uploads `kms:Decrypt`).

use super::{Grant, On, When};
use hlctl_aws::Operation;
use hlctl_aws::ops::{healthlake, iam, kms, s3};

const fn grant(calls: &'static [&'static Operation], on: On) -> Grant {
    Grant::of(calls, on, When::Always)
}

pub(super) const DATA: &[Grant] = &[
    grant(&[healthlake::DESCRIBE_FHIR_DATASTORE], On::Stores),
    grant(&[healthlake::DESCRIBE_FHIR_EXPORT_JOB], On::Stores),
    grant(&[healthlake::DESCRIBE_FHIR_IMPORT_JOB], On::Stores),
    grant(&[healthlake::DESCRIBE_DATA_TRANSFORMATION_JOB], On::Anything),
    grant(&[healthlake::LIST_DATA_TRANSFORMATION_JOBS], On::Anything),
    grant(&[healthlake::START_DATA_TRANSFORMATION_JOB], On::Profiles),
    grant(&[healthlake::TRANSFORM_DATA], On::Profiles),
    // Of the lists, that of versions alone is of one profile.
    grant(&[healthlake::GET_DATA_TRANSFORMATION_PROFILE], On::Profiles),
    grant(&[healthlake::LIST_DATA_TRANSFORMATION_PROFILE_VERSIONS], On::Profiles),
    grant(&[healthlake::LIST_DATA_TRANSFORMATION_PROFILES], On::Anything),
    grant(&[healthlake::LIST_FHIR_EXPORT_JOBS], On::Stores),
    grant(&[healthlake::LIST_FHIR_IMPORT_JOBS], On::Stores),
    grant(&[healthlake::PUBLISH_DATA_TRANSFORMATION_PROFILE], On::Profiles),
    grant(&[healthlake::START_FHIR_EXPORT_JOB], On::Stores),
    grant(&[healthlake::START_FHIR_IMPORT_JOB], On::Stores),
    Grant::besides(
        "iam:PassRole",
        &[
            healthlake::START_DATA_TRANSFORMATION_JOB,
            healthlake::START_FHIR_EXPORT_JOB,
            healthlake::START_FHIR_IMPORT_JOB,
        ],
        On::Role,
        When::PassedToHealthLake,
    ),
    grant(&[iam::GET_ROLE], On::Role),
    grant(&[iam::GET_ROLE_POLICY], On::Role),
    grant(&[iam::LIST_ATTACHED_ROLE_POLICIES], On::Role),
    grant(&[iam::LIST_ROLE_POLICIES], On::Role),
    grant(&[iam::GET_POLICY], On::Policy),
    grant(&[iam::GET_POLICY_VERSION], On::Policy),
    grant(&[s3::GET_PUBLIC_ACCESS_BLOCK], On::Bucket),
    grant(&[s3::HEAD_BUCKET, s3::LIST_OBJECTS_V2], On::Bucket),
    grant(&[s3::LIST_MULTIPART_UPLOADS], On::Bucket),
    grant(&[s3::ABORT_MULTIPART_UPLOAD], On::Objects),
    grant(&[s3::LIST_OBJECT_VERSIONS], On::Bucket),
    // Of `--delete-input`: only of what was uploaded.
    grant(&[s3::DELETE_OBJECTS], On::Imports),
    Grant::besides("s3:DeleteObject", &[s3::DELETE_OBJECT], On::Objects, When::Always),
    grant(&[s3::GET_OBJECT, s3::HEAD_OBJECT], On::Objects),
    grant(&[s3::LIST_PARTS], On::Objects),
    grant(&[s3::COMPLETE_MULTIPART_UPLOAD, s3::CREATE_MULTIPART_UPLOAD, s3::PUT_OBJECT, s3::UPLOAD_PART], On::Objects),
    grant(&[kms::DESCRIBE_KEY], On::Keys),
    Grant::besides("kms:Decrypt", &[s3::GET_OBJECT, s3::UPLOAD_PART], On::Keys, When::ThroughS3),
    Grant::besides("kms:GenerateDataKey", &[s3::CREATE_MULTIPART_UPLOAD, s3::PUT_OBJECT], On::Keys, When::ThroughS3),
];
