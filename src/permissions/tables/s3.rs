//! Amazon S3. Deleting a setting asks for the action that puts it, but for a bucket's policy.

use super::{Grant, On, When};
use hlctl_aws::Operation;
use hlctl_aws::ops::s3;

const fn on_bucket(calls: &'static [&'static Operation]) -> Grant {
    Grant::of(calls, On::Bucket, When::Always)
}

pub(super) const BUCKET: &[Grant] = &[
    on_bucket(&[s3::CREATE_BUCKET]),
    on_bucket(&[s3::DELETE_BUCKET]),
    on_bucket(&[s3::GET_BUCKET_ABAC]),
    on_bucket(&[s3::GET_BUCKET_ACCELERATE_CONFIGURATION]),
    on_bucket(&[s3::GET_BUCKET_ACL]),
    on_bucket(&[s3::GET_BUCKET_CORS]),
    on_bucket(&[s3::GET_BUCKET_NOTIFICATION_CONFIGURATION]),
    on_bucket(&[s3::GET_OBJECT_LOCK_CONFIGURATION]),
    on_bucket(&[s3::GET_BUCKET_OWNERSHIP_CONTROLS]),
    on_bucket(&[s3::GET_BUCKET_REQUEST_PAYMENT]),
    on_bucket(&[s3::GET_BUCKET_WEBSITE]),
    on_bucket(&[s3::LIST_BUCKET_INVENTORY_CONFIGURATIONS]),
    on_bucket(&[s3::GET_BUCKET_REPLICATION]),
    on_bucket(&[s3::GET_BUCKET_TAGGING]),
    on_bucket(&[s3::HEAD_BUCKET]),
    on_bucket(&[s3::LIST_OBJECT_VERSIONS]),
    on_bucket(&[s3::PUT_BUCKET_OWNERSHIP_CONTROLS]),
    on_bucket(&[s3::PUT_BUCKET_TAGGING]),
    // Asked for by CreateBucket too, which brings the tags along.
    on_bucket(&[s3::TAG_RESOURCE]),
    on_bucket(&[s3::UNTAG_RESOURCE]),
    Grant::of(&[s3::DELETE_OBJECT, s3::DELETE_OBJECTS], On::Objects, When::Emptying),
];

pub(super) const VERSIONING: &[Grant] =
    &[on_bucket(&[s3::GET_BUCKET_VERSIONING]), on_bucket(&[s3::PUT_BUCKET_VERSIONING])];

pub(super) const PUBLIC_ACCESS_BLOCK: &[Grant] = &[
    on_bucket(&[s3::GET_PUBLIC_ACCESS_BLOCK]),
    on_bucket(&[s3::PUT_PUBLIC_ACCESS_BLOCK, s3::DELETE_PUBLIC_ACCESS_BLOCK]),
];

pub(super) const ENCRYPTION: &[Grant] =
    &[on_bucket(&[s3::GET_BUCKET_ENCRYPTION]), on_bucket(&[s3::PUT_BUCKET_ENCRYPTION, s3::DELETE_BUCKET_ENCRYPTION])];

pub(super) const LIFECYCLE: &[Grant] = &[
    on_bucket(&[s3::GET_BUCKET_LIFECYCLE_CONFIGURATION]),
    on_bucket(&[s3::PUT_BUCKET_LIFECYCLE_CONFIGURATION, s3::DELETE_BUCKET_LIFECYCLE]),
];

pub(super) const LOGGING: &[Grant] = &[on_bucket(&[s3::GET_BUCKET_LOGGING]), on_bucket(&[s3::PUT_BUCKET_LOGGING])];

pub(super) const POLICY: &[Grant] =
    &[on_bucket(&[s3::DELETE_BUCKET_POLICY]), on_bucket(&[s3::GET_BUCKET_POLICY]), on_bucket(&[s3::PUT_BUCKET_POLICY])];
