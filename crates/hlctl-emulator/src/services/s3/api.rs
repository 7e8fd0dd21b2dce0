//! The operations as s3s calls them.

use bytes::Bytes;
use http_body_util::BodyExt as _;
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result};

use super::{
    S3, buckets, copy, delete, doors, encryption, error, lifecycle, listing, multipart, object, parts, read, settings,
    versions,
};

/// Declares [`MODELLED`] and the methods that only pass their input on.
macro_rules! operations {
    (
        read { $($read:ident $read_name:ident $read_in:ident $read_out:ident => $read_run:path;)* }
        write { $($write:ident $write_name:ident $write_in:ident $write_out:ident => $write_run:path;)* }
        body { $($body:ident $body_name:ident $body_in:ident $body_out:ident => $body_run:path;)* }
    ) => {
        /// The API names of the operations.
        pub(super) const MODELLED: &[&str] = &[
            $(stringify!($read_name),)* $(stringify!($write_name),)* $(stringify!($body_name),)*
        ];

        #[async_trait::async_trait]
        impl s3s::S3 for S3 {
            $(async fn $read(&self, request: S3Request<$read_in>) -> S3Result<S3Response<$read_out>> {
                self.read(request, $read_run)
            })*
            $(async fn $write(&self, request: S3Request<$write_in>) -> S3Result<S3Response<$write_out>> {
                self.write(request, $write_run)
            })*
            $(async fn $body(&self, mut request: S3Request<$body_in>) -> S3Result<S3Response<$body_out>> {
                let data = whole(request.input.body.take()).await?;
                self.write(request, |cx, input| $body_run(cx, input, data))
            })*
        }
    };
}

operations! {
    read {
        get_bucket_location GetBucketLocation GetBucketLocationInput GetBucketLocationOutput => buckets::location;
        head_bucket HeadBucket HeadBucketInput HeadBucketOutput => buckets::head;
        list_buckets ListBuckets ListBucketsInput ListBucketsOutput => buckets::list;
        get_bucket_tagging GetBucketTagging GetBucketTaggingInput GetBucketTaggingOutput => settings::get_tagging;
        get_bucket_versioning GetBucketVersioning GetBucketVersioningInput GetBucketVersioningOutput => settings::get_versioning;
        get_public_access_block GetPublicAccessBlock GetPublicAccessBlockInput GetPublicAccessBlockOutput => settings::get_public_access_block;
        get_bucket_logging GetBucketLogging GetBucketLoggingInput GetBucketLoggingOutput => settings::get_logging;
        get_bucket_policy GetBucketPolicy GetBucketPolicyInput GetBucketPolicyOutput => settings::get_policy;
        get_bucket_ownership_controls GetBucketOwnershipControls GetBucketOwnershipControlsInput GetBucketOwnershipControlsOutput => settings::get_ownership;
        get_bucket_acl GetBucketAcl GetBucketAclInput GetBucketAclOutput => doors::get_acl;
        get_bucket_replication GetBucketReplication GetBucketReplicationInput GetBucketReplicationOutput => doors::get_replication;
        get_bucket_cors GetBucketCors GetBucketCorsInput GetBucketCorsOutput => doors::get_cors;
        get_bucket_website GetBucketWebsite GetBucketWebsiteInput GetBucketWebsiteOutput => doors::get_website;
        get_bucket_notification_configuration GetBucketNotificationConfiguration GetBucketNotificationConfigurationInput GetBucketNotificationConfigurationOutput => doors::get_notification;
        list_bucket_inventory_configurations ListBucketInventoryConfigurations ListBucketInventoryConfigurationsInput ListBucketInventoryConfigurationsOutput => doors::list_inventories;
        get_object_lock_configuration GetObjectLockConfiguration GetObjectLockConfigurationInput GetObjectLockConfigurationOutput => doors::get_object_lock;
        get_bucket_accelerate_configuration GetBucketAccelerateConfiguration GetBucketAccelerateConfigurationInput GetBucketAccelerateConfigurationOutput => doors::get_accelerate;
        get_bucket_request_payment GetBucketRequestPayment GetBucketRequestPaymentInput GetBucketRequestPaymentOutput => doors::get_payer;
        get_bucket_encryption GetBucketEncryption GetBucketEncryptionInput GetBucketEncryptionOutput => encryption::get;
        get_bucket_lifecycle_configuration GetBucketLifecycleConfiguration GetBucketLifecycleConfigurationInput GetBucketLifecycleConfigurationOutput => lifecycle::get;
        get_object GetObject GetObjectInput GetObjectOutput => read::get;
        head_object HeadObject HeadObjectInput HeadObjectOutput => read::head;
        list_objects ListObjects ListObjectsInput ListObjectsOutput => listing::objects_v1;
        list_objects_v2 ListObjectsV2 ListObjectsV2Input ListObjectsV2Output => listing::objects;
        list_object_versions ListObjectVersions ListObjectVersionsInput ListObjectVersionsOutput => versions::list;
        list_parts ListParts ListPartsInput ListPartsOutput => multipart::list_parts;
        list_multipart_uploads ListMultipartUploads ListMultipartUploadsInput ListMultipartUploadsOutput => multipart::list;
    }
    write {
        create_bucket CreateBucket CreateBucketInput CreateBucketOutput => buckets::create;
        delete_bucket DeleteBucket DeleteBucketInput DeleteBucketOutput => buckets::delete;
        put_bucket_tagging PutBucketTagging PutBucketTaggingInput PutBucketTaggingOutput => settings::put_tagging;
        delete_bucket_tagging DeleteBucketTagging DeleteBucketTaggingInput DeleteBucketTaggingOutput => settings::delete_tagging;
        put_bucket_versioning PutBucketVersioning PutBucketVersioningInput PutBucketVersioningOutput => settings::put_versioning;
        put_public_access_block PutPublicAccessBlock PutPublicAccessBlockInput PutPublicAccessBlockOutput => settings::put_public_access_block;
        delete_public_access_block DeletePublicAccessBlock DeletePublicAccessBlockInput DeletePublicAccessBlockOutput => settings::delete_public_access_block;
        put_bucket_logging PutBucketLogging PutBucketLoggingInput PutBucketLoggingOutput => settings::put_logging;
        put_bucket_policy PutBucketPolicy PutBucketPolicyInput PutBucketPolicyOutput => settings::put_policy;
        delete_bucket_policy DeleteBucketPolicy DeleteBucketPolicyInput DeleteBucketPolicyOutput => settings::delete_policy;
        put_bucket_ownership_controls PutBucketOwnershipControls PutBucketOwnershipControlsInput PutBucketOwnershipControlsOutput => settings::put_ownership;
        delete_bucket_ownership_controls DeleteBucketOwnershipControls DeleteBucketOwnershipControlsInput DeleteBucketOwnershipControlsOutput => settings::delete_ownership;
        put_bucket_acl PutBucketAcl PutBucketAclInput PutBucketAclOutput => doors::put_acl;
        put_bucket_replication PutBucketReplication PutBucketReplicationInput PutBucketReplicationOutput => doors::put_replication;
        delete_bucket_replication DeleteBucketReplication DeleteBucketReplicationInput DeleteBucketReplicationOutput => doors::delete_replication;
        put_bucket_cors PutBucketCors PutBucketCorsInput PutBucketCorsOutput => doors::put_cors;
        delete_bucket_cors DeleteBucketCors DeleteBucketCorsInput DeleteBucketCorsOutput => doors::delete_cors;
        put_bucket_website PutBucketWebsite PutBucketWebsiteInput PutBucketWebsiteOutput => doors::put_website;
        delete_bucket_website DeleteBucketWebsite DeleteBucketWebsiteInput DeleteBucketWebsiteOutput => doors::delete_website;
        put_bucket_notification_configuration PutBucketNotificationConfiguration PutBucketNotificationConfigurationInput PutBucketNotificationConfigurationOutput => doors::put_notification;
        put_bucket_inventory_configuration PutBucketInventoryConfiguration PutBucketInventoryConfigurationInput PutBucketInventoryConfigurationOutput => doors::put_inventory;
        delete_bucket_inventory_configuration DeleteBucketInventoryConfiguration DeleteBucketInventoryConfigurationInput DeleteBucketInventoryConfigurationOutput => doors::delete_inventory;
        put_bucket_accelerate_configuration PutBucketAccelerateConfiguration PutBucketAccelerateConfigurationInput PutBucketAccelerateConfigurationOutput => doors::put_accelerate;
        put_bucket_request_payment PutBucketRequestPayment PutBucketRequestPaymentInput PutBucketRequestPaymentOutput => doors::put_payer;
        put_bucket_encryption PutBucketEncryption PutBucketEncryptionInput PutBucketEncryptionOutput => encryption::put;
        delete_bucket_encryption DeleteBucketEncryption DeleteBucketEncryptionInput DeleteBucketEncryptionOutput => encryption::delete;
        put_bucket_lifecycle_configuration PutBucketLifecycleConfiguration PutBucketLifecycleConfigurationInput PutBucketLifecycleConfigurationOutput => lifecycle::put;
        delete_bucket_lifecycle DeleteBucketLifecycle DeleteBucketLifecycleInput DeleteBucketLifecycleOutput => lifecycle::delete;
        copy_object CopyObject CopyObjectInput CopyObjectOutput => copy::copy;
        delete_object DeleteObject DeleteObjectInput DeleteObjectOutput => delete::one;
        delete_objects DeleteObjects DeleteObjectsInput DeleteObjectsOutput => delete::many;
        create_multipart_upload CreateMultipartUpload CreateMultipartUploadInput CreateMultipartUploadOutput => multipart::create;
        complete_multipart_upload CompleteMultipartUpload CompleteMultipartUploadInput CompleteMultipartUploadOutput => multipart::complete;
        upload_part_copy UploadPartCopy UploadPartCopyInput UploadPartCopyOutput => parts::copy;
        abort_multipart_upload AbortMultipartUpload AbortMultipartUploadInput AbortMultipartUploadOutput => multipart::abort;
    }
    body {
        put_object PutObject PutObjectInput PutObjectOutput => object::put;
        upload_part UploadPart UploadPartInput UploadPartOutput => parts::upload;
    }
}

/// A request's body. It is in memory already, so that reading it does not wait.
async fn whole(body: Option<StreamingBlob>) -> S3Result<Bytes> {
    let Some(body) = body else {
        return Ok(Bytes::new());
    };
    s3s::Body::from(body)
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .map_err(|failure| error::custom(400, "IncompleteBody", failure.to_string()))
}
