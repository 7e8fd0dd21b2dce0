//! What `hlctl data` asks of the stack's store, bucket, key and role.
//!
//! The key's actions are S3's on behalf of the caller (Amazon S3 user guide, "Using server-side encryption with AWS KMS keys": uploads need
//! `kms:GenerateDataKey`, downloads and multipart uploads `kms:Decrypt`).

use super::{Grant, On, When};

const fn grant(action: &'static str, calls: &'static [&'static str], on: On) -> Grant {
    Grant::new(action, calls, on, When::Always)
}

pub(super) const DATA: &[Grant] = &[
    grant("healthlake:DescribeFHIRDatastore", &["DescribeFHIRDatastore"], On::Stores),
    grant("healthlake:DescribeFHIRExportJob", &["DescribeFHIRExportJob"], On::Stores),
    grant("healthlake:DescribeFHIRImportJob", &["DescribeFHIRImportJob"], On::Stores),
    grant("healthlake:ListFHIRExportJobs", &["ListFHIRExportJobs"], On::Stores),
    grant("healthlake:ListFHIRImportJobs", &["ListFHIRImportJobs"], On::Stores),
    grant("healthlake:StartFHIRExportJob", &["StartFHIRExportJob"], On::Stores),
    grant("healthlake:StartFHIRImportJob", &["StartFHIRImportJob"], On::Stores),
    Grant::new("iam:PassRole", &["StartFHIRExportJob", "StartFHIRImportJob"], On::Role, When::PassedToHealthLake),
    grant("iam:GetRole", &["GetRole"], On::Role),
    grant("iam:GetRolePolicy", &["GetRolePolicy"], On::Role),
    grant("iam:ListAttachedRolePolicies", &["ListAttachedRolePolicies"], On::Role),
    grant("iam:ListRolePolicies", &["ListRolePolicies"], On::Role),
    grant("iam:GetPolicy", &["GetPolicy"], On::Policy),
    grant("iam:GetPolicyVersion", &["GetPolicyVersion"], On::Policy),
    grant("s3:GetBucketPublicAccessBlock", &["GetPublicAccessBlock"], On::Bucket),
    grant("s3:ListBucket", &["HeadBucket", "ListObjectsV2"], On::Bucket),
    grant("s3:ListBucketMultipartUploads", &["ListMultipartUploads"], On::Bucket),
    grant("s3:AbortMultipartUpload", &["AbortMultipartUpload"], On::Objects),
    grant("s3:DeleteObject", &["DeleteObject"], On::Objects),
    grant("s3:GetObject", &["GetObject", "HeadObject"], On::Objects),
    grant("s3:ListMultipartUploadParts", &["ListParts"], On::Objects),
    grant(
        "s3:PutObject",
        &["CompleteMultipartUpload", "CreateMultipartUpload", "PutObject", "UploadPart"],
        On::Objects,
    ),
    grant("kms:DescribeKey", &["DescribeKey"], On::Keys),
    Grant::new("kms:Decrypt", &["GetObject", "UploadPart"], On::Keys, When::ThroughS3),
    Grant::new("kms:GenerateDataKey", &["CreateMultipartUpload", "PutObject"], On::Keys, When::ThroughS3),
];
