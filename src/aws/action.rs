//! Which IAM action a call needs.

/// Calls whose action has another name: service, operation, action (Service Authorization Reference). The tables of
/// `permissions` say what a stack needs; a test there holds that they agree with this one.
pub(crate) const RENAMED: &[(&str, &str, &str)] = &[
    ("lambda", "Invoke", "lambda:InvokeFunction"),
    ("s3", "CompleteMultipartUpload", "s3:PutObject"),
    ("s3", "CreateMultipartUpload", "s3:PutObject"),
    ("s3", "DeleteBucketEncryption", "s3:PutEncryptionConfiguration"),
    ("s3", "DeleteBucketLifecycle", "s3:PutLifecycleConfiguration"),
    ("s3", "DeleteObject", "s3:DeleteObjectVersion"),
    ("s3", "DeleteObjects", "s3:DeleteObjectVersion"),
    ("s3", "DeletePublicAccessBlock", "s3:PutBucketPublicAccessBlock"),
    ("s3", "GetBucketEncryption", "s3:GetEncryptionConfiguration"),
    ("s3", "GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration"),
    ("s3", "GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock"),
    ("s3", "HeadBucket", "s3:ListBucket"),
    ("s3", "HeadObject", "s3:GetObject"),
    ("s3", "ListMultipartUploads", "s3:ListBucketMultipartUploads"),
    ("s3", "ListObjectVersions", "s3:ListBucketVersions"),
    ("s3", "ListObjectsV2", "s3:ListBucket"),
    ("s3", "ListParts", "s3:ListMultipartUploadParts"),
    ("s3", "PutBucketEncryption", "s3:PutEncryptionConfiguration"),
    ("s3", "PutBucketLifecycleConfiguration", "s3:PutLifecycleConfiguration"),
    ("s3", "PutPublicAccessBlock", "s3:PutBucketPublicAccessBlock"),
    ("s3", "UploadPart", "s3:PutObject"),
];

/// The action that an operation needs; it is named like the operation unless the table says otherwise.
pub fn action_of(service: &str, operation: &str) -> String {
    let renamed = RENAMED.iter().find(|(of, call, _)| (*of, *call) == (service, operation));
    renamed.map_or_else(|| format!("{service}:{operation}"), |(.., action)| (*action).to_owned())
}
