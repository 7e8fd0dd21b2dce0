//! What is done to buckets.

use aws_sdk_s3::types as s3;

use super::Then::{Nothing, PutBack, Refused};
use super::{Case, DATA, minimal};
use crate::drift::world::World;
use crate::support::call;

/// Leaves the block of the rule and takes its default.
fn only_the_block(w: &World<'_>, bucket: String) {
    let block = s3::BlockedEncryptionTypes::builder().encryption_type(s3::EncryptionType::SseC).build();
    let rule = s3::ServerSideEncryptionRule::builder().blocked_encryption_types(block).build();
    let whole = s3::ServerSideEncryptionConfiguration::builder().rules(rule).build().unwrap();
    let put = w.s3.put_bucket_encryption().bucket(bucket);
    call(put.server_side_encryption_configuration(whole).send()).unwrap();
}

pub(super) const CASES: &[Case] = &[
    minimal(
        "versioning is suspended",
        |w| {
            let off = s3::VersioningConfiguration::builder().status(s3::BucketVersioningStatus::Suspended).build();
            call(w.s3.put_bucket_versioning().bucket(w.data()).versioning_configuration(off).send()).unwrap();
        },
        &[("s3_bucket_versioning.data", "drifted")],
        PutBack,
    ),
    minimal(
        "the public access block is removed",
        |w| drop(call(w.s3.delete_public_access_block().bucket(w.data()).send()).unwrap()),
        &[("s3_bucket_public_access_block.data", "missing")],
        PutBack,
    ),
    minimal(
        "the public access block is loosened",
        |w| {
            let loose = s3::PublicAccessBlockConfiguration::builder().block_public_acls(true).build();
            let put = w.s3.put_public_access_block().bucket(w.data());
            call(put.public_access_block_configuration(loose).send()).unwrap();
        },
        &[("s3_bucket_public_access_block.data", "drifted")],
        PutBack,
    ),
    minimal(
        "the bucket is encrypted with S3's key",
        |w| {
            let by = s3::ServerSideEncryptionByDefault::builder().sse_algorithm(s3::ServerSideEncryption::Aes256);
            let rule = s3::ServerSideEncryptionRule::builder();
            let rule = rule.apply_server_side_encryption_by_default(by.build().unwrap()).build();
            let sse = s3::ServerSideEncryptionConfiguration::builder().rules(rule).build().unwrap();
            let put = w.s3.put_bucket_encryption().bucket(w.data());
            call(put.server_side_encryption_configuration(sse).send()).unwrap();
        },
        &[("s3_bucket_server_side_encryption_configuration.data", "drifted")],
        PutBack,
    ),
    minimal(
        "keys that come with a request are no longer blocked",
        |w| {
            let get = call(w.s3.get_bucket_encryption().bucket(w.data()).send()).unwrap();
            let mut whole = get.server_side_encryption_configuration.unwrap();
            let none = s3::BlockedEncryptionTypes::builder().encryption_type(s3::EncryptionType::None).build();
            whole.rules[0].blocked_encryption_types = Some(none);
            let put = w.s3.put_bucket_encryption().bucket(w.data());
            call(put.server_side_encryption_configuration(whole).send()).unwrap();
        },
        &[("s3_bucket_server_side_encryption_configuration.data", "drifted")],
        PutBack,
    ),
    minimal(
        "the rule of the data bucket holds the block alone",
        |w| only_the_block(w, w.data()),
        &[("s3_bucket_server_side_encryption_configuration.data", "drifted")],
        PutBack,
    ),
    minimal(
        "the rule of the logs bucket holds the block alone, which encrypts as before",
        |w| only_the_block(w, w.logs()),
        &[],
        Nothing,
    ),
    minimal(
        "the encryption is removed",
        |w| drop(call(w.s3.delete_bucket_encryption().bucket(w.data()).send()).unwrap()),
        &[("s3_bucket_server_side_encryption_configuration.data", "drifted")],
        PutBack,
    ),
    minimal(
        "the lifecycle is removed",
        |w| drop(call(w.s3.delete_bucket_lifecycle().bucket(w.data()).send()).unwrap()),
        &[("s3_bucket_lifecycle_configuration.data", "missing")],
        PutBack,
    ),
    minimal(
        "the lifecycle deletes everything",
        |w| {
            let rule = s3::LifecycleRule::builder()
                .id("log")
                .status(s3::ExpirationStatus::Enabled)
                .filter(s3::LifecycleRuleFilter::builder().prefix("").build())
                .expiration(s3::LifecycleExpiration::builder().days(1).build())
                .build()
                .unwrap();
            let rules = s3::BucketLifecycleConfiguration::builder().rules(rule).build().unwrap();
            let put = w.s3.put_bucket_lifecycle_configuration().bucket(w.data());
            call(put.lifecycle_configuration(rules).send()).unwrap();
        },
        &[("s3_bucket_lifecycle_configuration.data", "drifted")],
        PutBack,
    ),
    minimal(
        "logging is off",
        |w| {
            let off = s3::BucketLoggingStatus::builder().build();
            call(w.s3.put_bucket_logging().bucket(w.data()).bucket_logging_status(off).send()).unwrap();
        },
        &[("s3_bucket_logging.data", "missing")],
        PutBack,
    ),
    minimal(
        "the bucket's policy is removed",
        |w| drop(call(w.s3.delete_bucket_policy().bucket(w.data()).send()).unwrap()),
        &[("s3_bucket_policy.data", "missing")],
        PutBack,
    ),
    minimal(
        "the bucket's policy lets another account in",
        |w| {
            let policy = format!(
                r#"{{"Version": "2012-10-17", "Statement": [{{"Sid": "Open", "Effect": "Allow", "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::{}/*", "Principal": {{"AWS": "arn:aws:iam::999999999999:root"}}}}]}}"#,
                w.data()
            );
            call(w.s3.put_bucket_policy().bucket(w.data()).policy(policy).send()).unwrap();
        },
        &[("s3_bucket_policy.data", "drifted")],
        PutBack,
    ),
    minimal(
        "the bucket loses all its tags",
        |w| drop(call(w.s3.delete_bucket_tagging().bucket(w.data()).send()).unwrap()),
        &[(DATA, "drifted")],
        PutBack,
    ),
    minimal(
        "the bucket's tags name another stack",
        |w| {
            let tag = s3::Tag::builder().key("hlctl:stack").value("other-stack").build().unwrap();
            let tags = s3::Tagging::builder().tag_set(tag).build().unwrap();
            call(w.s3.put_bucket_tagging().bucket(w.data()).tagging(tags).send()).unwrap();
        },
        &[(DATA, "foreign")],
        Refused(1, "belongs to another hlctl stack, other-stack"),
    ),
    minimal(
        "objects are put into the bucket",
        |w| {
            let body = aws_sdk_s3::primitives::ByteStream::from_static(b"{}");
            call(w.s3.put_object().bucket(w.data()).key("Patient.ndjson").body(body).send()).unwrap();
        },
        &[],
        Nothing,
    ),
    minimal(
        "the bucket is deleted",
        |w| drop(call(w.s3.delete_bucket().bucket(w.data()).send()).unwrap()),
        &[
            (DATA, "missing"),
            ("s3_bucket_lifecycle_configuration.data", "missing"),
            ("s3_bucket_logging.data", "missing"),
            ("s3_bucket_policy.data", "missing"),
            ("s3_bucket_public_access_block.data", "missing"),
            ("s3_bucket_server_side_encryption_configuration.data", "missing"),
            ("s3_bucket_versioning.data", "missing"),
        ],
        PutBack,
    ),
];
