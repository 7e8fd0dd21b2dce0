//! Amazon S3, whose actions often have other names than the operations, and S3 Control, whose actions are S3's.

use super::Met::{Exists, Gone, Overwritten};
use super::Repeat::{Another, Meets, Same};
use super::operations;

operations!(
    "s3",
    ABORT_MULTIPART_UPLOAD =
        changes("AbortMultipartUpload", Meets(&[(Gone, "NoSuchUpload")]), "AbortMultipartUpload, NoSuchUpload"),
    COMPLETE_MULTIPART_UPLOAD = changes(
        "CompleteMultipartUpload",
        Meets(&[(Gone, "NoSuchUpload")]),
        "CompleteMultipartUpload, NoSuchUpload: the upload might have been completed"
    )
    .allowed_by("s3:PutObject"),
    COPY_OBJECT = changes("CopyObject", Same, "CopyObject: it replaces what is there"),
    CREATE_BUCKET = changes(
        "CreateBucket",
        Meets(&[(Exists, "BucketAlreadyOwnedByYou")]),
        "CreateBucket, BucketAlreadyOwnedByYou; in us-east-1 a success"
    ),
    CREATE_MULTIPART_UPLOAD =
        changes("CreateMultipartUpload", Another, "CreateMultipartUpload: each request begins an upload")
            .allowed_by("s3:PutObject"),
    DELETE_BUCKET = changes("DeleteBucket", Meets(&[(Gone, "NoSuchBucket")]), "Error responses, NoSuchBucket"),
    DELETE_BUCKET_ENCRYPTION =
        changes("DeleteBucketEncryption", Same, "DeleteBucketEncryption: 204, whether or not there was one")
            .allowed_by("s3:PutEncryptionConfiguration"),
    DELETE_BUCKET_LIFECYCLE =
        changes("DeleteBucketLifecycle", Same, "DeleteBucketLifecycle: 204, whether or not there was one")
            .allowed_by("s3:PutLifecycleConfiguration"),
    DELETE_BUCKET_POLICY = changes("DeleteBucketPolicy", Same, "DeleteBucketPolicy: 204, whether or not there was one"),
    DELETE_OBJECT = changes(
        "DeleteObject",
        Meets(&[(Overwritten, "PreconditionFailed"), (Gone, "NoSuchKey")]),
        "DeleteObject, If-Match; without a condition a success"
    )
    .allowed_by("s3:DeleteObjectVersion"),
    DELETE_OBJECTS = changes("DeleteObjects", Same, "DeleteObjects: keys that are not there count as deleted")
        .allowed_by("s3:DeleteObjectVersion"),
    DELETE_PUBLIC_ACCESS_BLOCK =
        changes("DeletePublicAccessBlock", Same, "DeletePublicAccessBlock: 204, whether or not there was one")
            .allowed_by("s3:PutBucketPublicAccessBlock"),
    GET_BUCKET_ABAC = reads("GetBucketAbac").allowed_by("s3:GetBucketABAC"),
    GET_BUCKET_ACCELERATE_CONFIGURATION =
        reads("GetBucketAccelerateConfiguration").allowed_by("s3:GetAccelerateConfiguration"),
    GET_BUCKET_ACL = reads("GetBucketAcl"),
    GET_BUCKET_CORS = reads("GetBucketCors").allowed_by("s3:GetBucketCORS"),
    GET_BUCKET_ENCRYPTION = reads("GetBucketEncryption").allowed_by("s3:GetEncryptionConfiguration"),
    GET_BUCKET_LIFECYCLE_CONFIGURATION =
        reads("GetBucketLifecycleConfiguration").allowed_by("s3:GetLifecycleConfiguration"),
    GET_BUCKET_LOGGING = reads("GetBucketLogging"),
    GET_BUCKET_NOTIFICATION_CONFIGURATION =
        reads("GetBucketNotificationConfiguration").allowed_by("s3:GetBucketNotification"),
    GET_BUCKET_OWNERSHIP_CONTROLS = reads("GetBucketOwnershipControls"),
    GET_BUCKET_POLICY = reads("GetBucketPolicy"),
    GET_BUCKET_REPLICATION = reads("GetBucketReplication").allowed_by("s3:GetReplicationConfiguration"),
    GET_BUCKET_REQUEST_PAYMENT = reads("GetBucketRequestPayment"),
    GET_BUCKET_TAGGING = reads("GetBucketTagging"),
    GET_BUCKET_VERSIONING = reads("GetBucketVersioning"),
    GET_BUCKET_WEBSITE = reads("GetBucketWebsite"),
    GET_OBJECT = reads("GetObject"),
    GET_OBJECT_LOCK_CONFIGURATION =
        reads("GetObjectLockConfiguration").allowed_by("s3:GetBucketObjectLockConfiguration"),
    GET_PUBLIC_ACCESS_BLOCK = reads("GetPublicAccessBlock").allowed_by("s3:GetBucketPublicAccessBlock"),
    HEAD_BUCKET = reads("HeadBucket").allowed_by("s3:ListBucket"),
    HEAD_OBJECT = reads("HeadObject").allowed_by("s3:GetObject"),
    LIST_BUCKET_INVENTORY_CONFIGURATIONS =
        reads("ListBucketInventoryConfigurations").allowed_by("s3:GetInventoryConfiguration"),
    LIST_MULTIPART_UPLOADS = reads("ListMultipartUploads").allowed_by("s3:ListBucketMultipartUploads"),
    LIST_OBJECT_VERSIONS = reads("ListObjectVersions").allowed_by("s3:ListBucketVersions"),
    LIST_OBJECTS_V2 = reads("ListObjectsV2").allowed_by("s3:ListBucket"),
    LIST_PARTS = reads("ListParts").allowed_by("s3:ListMultipartUploadParts"),
    PUT_BUCKET_ENCRYPTION = changes("PutBucketEncryption", Same, "PutBucketEncryption: it replaces what is there")
        .allowed_by("s3:PutEncryptionConfiguration"),
    PUT_BUCKET_LIFECYCLE_CONFIGURATION =
        changes("PutBucketLifecycleConfiguration", Same, "PutBucketLifecycleConfiguration: it replaces what is there")
            .allowed_by("s3:PutLifecycleConfiguration"),
    PUT_BUCKET_LOGGING = changes("PutBucketLogging", Same, "PutBucketLogging: it replaces what is there"),
    PUT_BUCKET_OWNERSHIP_CONTROLS =
        changes("PutBucketOwnershipControls", Same, "PutBucketOwnershipControls: it replaces what is there"),
    PUT_BUCKET_POLICY = changes("PutBucketPolicy", Same, "PutBucketPolicy: it replaces what is there"),
    PUT_BUCKET_TAGGING = changes("PutBucketTagging", Same, "PutBucketTagging: it replaces what is there"),
    PUT_BUCKET_VERSIONING = changes("PutBucketVersioning", Same, "PutBucketVersioning: it replaces what is there"),
    PUT_OBJECT = changes(
        "PutObject",
        Meets(&[(Overwritten, "PreconditionFailed"), (Overwritten, "NoSuchKey")]),
        "PutObject, If-Match and If-None-Match; without a condition the same object"
    ),
    PUT_PUBLIC_ACCESS_BLOCK = changes("PutPublicAccessBlock", Same, "PutPublicAccessBlock: it replaces what is there")
        .allowed_by("s3:PutBucketPublicAccessBlock"),
    TAG_RESOURCE = changes("TagResource", Same, "S3 Control, TagResource: a tag of the same key is overwritten"),
    UNTAG_RESOURCE = changes("UntagResource", Same, "S3 Control, UntagResource: 204, whether or not there was one"),
    UPLOAD_PART =
        changes("UploadPart", Same, "UploadPart: a part of the same number is overwritten").allowed_by("s3:PutObject"),
);

/// Prefix of the service as IAM actions have it.
pub const SERVICE: &str = HEAD_BUCKET.service();
