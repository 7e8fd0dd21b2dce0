//! Buckets and objects as another service reaches them on an account's behalf. Whether it may is for that service to
//! ask first: see [`Facts`] and the account's roles.

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;

use super::{S3Cx, checksum, object};
use crate::error::{AwsError, AwsResult};
use crate::services::Cx;
use crate::store::objects::{Object, Objects, Version};

/// The buckets of an account, without asking who may.
pub(crate) struct Inside<'a>(S3Cx<'a>);

/// What a service wants to know of a bucket before it uses it.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) account: String,
    pub(crate) region: String,
    /// Whether all four settings that block public access are on.
    pub(crate) blocks_public_access: bool,
    pub(crate) policy: Option<String>,
}

impl Facts {
    /// The bucket `name`, whosever it is.
    pub(crate) fn of(cx: &Cx<'_>, name: &str) -> Option<Self> {
        let bucket = cx.world.buckets.get(name)?;
        let block = bucket.public_access_block.as_ref();
        Some(Self {
            account: bucket.account.clone(),
            region: bucket.region.clone(),
            blocks_public_access: block.is_some_and(|block| {
                [
                    block.block_public_acls,
                    block.block_public_policy,
                    block.ignore_public_acls,
                    block.restrict_public_buckets,
                ]
                .iter()
                .all(|setting| *setting == Some(true))
            }),
            policy: bucket.policy.clone(),
        })
    }
}

/// An object that is there.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) key: String,
    pub(crate) size: u64,
    /// Names the content.
    pub(crate) body: String,
    /// The key that it is encrypted with, if that is a customer's or KMS's.
    pub(crate) kms_key: Option<String>,
}

impl<'a> Inside<'a> {
    pub(crate) fn new(cx: Cx<'a>, objects: &'a mut Objects) -> Self {
        Self(S3Cx { cx, objects, expected_owner: None, extras: super::Extras::default() })
    }

    pub(crate) fn cx(&mut self) -> &mut Cx<'a> {
        &mut self.0.cx
    }

    fn bucket(&mut self, name: &str) -> AwsResult<String> {
        self.0.bucket_id(name).map_err(|error| {
            AwsError::bad_request(error.code().as_str(), error.message().unwrap_or_default().to_owned())
        })
    }

    /// The objects whose keys begin with `prefix` and come after `after`, in the order of their keys, as long as
    /// `wanted` says so.
    pub(crate) fn list(
        &mut self,
        bucket: &str,
        prefix: &str,
        after: Option<&str>,
        mut wanted: impl FnMut(Found) -> bool,
    ) -> AwsResult<()> {
        let bucket = self.bucket(bucket)?;
        let objects = self.0.objects.bucket(&bucket).map_err(|error| crate::emulator::storage_failed(&error))?;
        let start = after.filter(|after| *after >= prefix).unwrap_or(prefix);
        for (key, versions) in objects.keys.range::<str, _>((Bound::Included(start), Bound::Unbounded)) {
            if !key.starts_with(prefix) {
                break;
            }
            if after.is_some_and(|after| key.as_str() <= after) {
                continue;
            }
            let Some(object) = versions.last().and_then(Version::object) else { continue };
            let kms_key = object.encryption.as_ref().and_then(|(_, key)| key.clone());
            let found = Found { key: key.clone(), size: object.size, body: object.body.clone(), kms_key };
            if !wanted(found) {
                break;
            }
        }
        Ok(())
    }

    /// A content by its name.
    pub(crate) fn content(&mut self, bucket: &str, body: &str) -> AwsResult<Bytes> {
        let bucket = self.bucket(bucket)?;
        self.0.objects.body(&bucket, body).map_err(|error| crate::emulator::storage_failed(&error))
    }

    /// Keeps a content that no object has yet, and gives its name.
    pub(crate) fn keep(&mut self, bucket: &str, data: &[u8]) -> AwsResult<String> {
        let bucket = self.bucket(bucket)?;
        object::keep_body(&mut self.0, &bucket, data).map_err(|error| internal(&error))
    }

    /// Forgets a content that no object has.
    pub(crate) fn forget(&mut self, bucket: &str, body: &str) -> AwsResult<()> {
        let bucket = self.bucket(bucket)?;
        self.0.objects.remove_body(&bucket, body);
        Ok(())
    }

    /// Writes an object that is encrypted with a key of KMS.
    pub(crate) fn put(
        &mut self,
        (bucket, key): (&str, &str),
        content_type: &str,
        data: &[u8],
        kms_key: &str,
    ) -> AwsResult<()> {
        let id = self.bucket(bucket)?;
        let written = Object {
            body: object::keep_body(&mut self.0, &id, data).map_err(|error| internal(&error))?,
            size: data.len() as u64,
            etag: checksum::etag(data),
            headers: BTreeMap::from([("content-type".to_owned(), content_type.to_owned())]),
            encryption: Some(("aws:kms".to_owned(), Some(kms_key.to_owned()))),
            ..Default::default()
        };
        object::store(&mut self.0, bucket, key, written).map(drop).map_err(|error| internal(&error))
    }
}

fn internal(error: &s3s::S3Error) -> AwsError {
    AwsError::new(500, "InternalServerException", error.to_string())
}
