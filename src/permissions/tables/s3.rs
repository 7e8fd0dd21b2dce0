//! Amazon S3. Deleting a setting asks for the action that puts it, but for a bucket's policy.

use super::{Grant, On, When};

const fn on_bucket(action: &'static str, calls: &'static [&'static str]) -> Grant {
    Grant::new(action, calls, On::Bucket, When::Always)
}

pub(super) const BUCKET: &[Grant] = &[
    on_bucket("s3:CreateBucket", &["CreateBucket"]),
    on_bucket("s3:DeleteBucket", &["DeleteBucket"]),
    on_bucket("s3:GetBucketTagging", &["GetBucketTagging"]),
    on_bucket("s3:ListBucket", &["HeadBucket"]),
    on_bucket("s3:ListBucketVersions", &["ListObjectVersions"]),
    on_bucket("s3:PutBucketTagging", &["PutBucketTagging"]),
    Grant::new("s3:DeleteObjectVersion", &["DeleteObject", "DeleteObjects"], On::Objects, When::Emptying),
];

pub(super) const VERSIONING: &[Grant] = &[
    on_bucket("s3:GetBucketVersioning", &["GetBucketVersioning"]),
    on_bucket("s3:PutBucketVersioning", &["PutBucketVersioning"]),
];

pub(super) const PUBLIC_ACCESS_BLOCK: &[Grant] = &[
    on_bucket("s3:GetBucketPublicAccessBlock", &["GetPublicAccessBlock"]),
    on_bucket("s3:PutBucketPublicAccessBlock", &["PutPublicAccessBlock", "DeletePublicAccessBlock"]),
];

pub(super) const ENCRYPTION: &[Grant] = &[
    on_bucket("s3:GetEncryptionConfiguration", &["GetBucketEncryption"]),
    on_bucket("s3:PutEncryptionConfiguration", &["PutBucketEncryption", "DeleteBucketEncryption"]),
];

pub(super) const LIFECYCLE: &[Grant] = &[
    on_bucket("s3:GetLifecycleConfiguration", &["GetBucketLifecycleConfiguration"]),
    on_bucket("s3:PutLifecycleConfiguration", &["PutBucketLifecycleConfiguration", "DeleteBucketLifecycle"]),
];

pub(super) const LOGGING: &[Grant] =
    &[on_bucket("s3:GetBucketLogging", &["GetBucketLogging"]), on_bucket("s3:PutBucketLogging", &["PutBucketLogging"])];

pub(super) const POLICY: &[Grant] = &[
    on_bucket("s3:DeleteBucketPolicy", &["DeleteBucketPolicy"]),
    on_bucket("s3:GetBucketPolicy", &["GetBucketPolicy"]),
    on_bucket("s3:PutBucketPolicy", &["PutBucketPolicy"]),
];
