//! Versions of objects in a bucket: listed and deleted, markers included.

use aws_sdk_s3::types::{Delete, EncodingType, ObjectIdentifier};
use percent_encoding::percent_decode_str;
use tokio::task::JoinSet;
use tracing::Instrument as _;

use super::{Context, ResourceError};
use hlctl_aws::{AwsError, ErrorKind, ops};

/// `DeleteObjects` takes this many keys at most (S3 API reference).
const BATCH: i32 = 1000;
/// Batches under way at once.
const BATCHES_AT_ONCE: usize = 8;

pub(super) fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// Where a listing goes on.
#[derive(Clone, Debug, Default)]
pub(super) struct Start {
    key: Option<String>,
    version: Option<String>,
}

type Page = aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;

impl Start {
    /// After this page; `None` if it is the last.
    pub(super) fn after(page: &Page) -> Option<Self> {
        (page.is_truncated() == Some(true) && page.next_key_marker().is_some()).then(|| Self {
            key: page.next_key_marker().map(|key| decoded(page, key)),
            version: page.next_version_id_marker().map(str::to_owned),
        })
    }
}

pub(super) async fn list_versions(cx: &Context, bucket: &str, prefix: &str, start: &Start) -> Result<Page, AwsError> {
    cx.call(ops::s3::LIST_OBJECT_VERSIONS, || {
        // Keys may hold characters that XML cannot, so they come URL-encoded (S3 API reference, `ListObjectVersions`).
        let list = cx.clients.s3.list_object_versions().bucket(bucket).max_keys(BATCH).encoding_type(EncodingType::Url);
        let list = list.set_prefix((!prefix.is_empty()).then(|| prefix.to_owned()));
        list.set_key_marker(start.key.clone()).set_version_id_marker(start.version.clone()).send()
    })
    .await
}

/// Deletes every version and delete marker whose key begins with `prefix`: the listing runs ahead while batches are being
/// deleted. A bucket that is not there holds none. `progress` is called with how many are deleted.
///
/// # Errors
/// AWS's; or a stop was asked for.
pub async fn delete_all_versions(
    cx: &Context,
    bucket: &str,
    prefix: &str,
    progress: impl Fn(u64),
) -> Result<(), ResourceError> {
    let mut batches = JoinSet::new();
    let mut deleted = 0;
    let mut next = Some(Start::default());
    while let Some(start) = next {
        if cx.stop.signal().is_some() {
            break;
        }
        let page = match list_versions(cx, bucket, prefix, &start).await {
            Ok(page) => page,
            Err(error) if error.is_not_found() => break,
            Err(error) => return Err(error.into()),
        };
        let (batch, awkward): (Vec<_>, Vec<_>) =
            identifiers(&page)?.into_iter().partition(|object| fits_into_xml(object.key()));
        next = Start::after(&page);
        if !batch.is_empty() {
            batches.spawn(delete_batch(cx.clone(), bucket.to_owned(), batch).in_current_span());
        }
        for object in awkward {
            deleted += delete_one(cx, bucket, &object).await?;
        }
        while batches.len() >= BATCHES_AT_ONCE {
            deleted += joined(batches.join_next().await)?;
            progress(deleted);
        }
    }
    while !batches.is_empty() {
        deleted += joined(batches.join_next().await)?;
        progress(deleted);
    }
    match cx.stop.signal() {
        Some(_) => Err(ResourceError::StillGoing { status: format!("being emptied ({deleted} deleted)") }),
        None => Ok(()),
    }
}

fn joined(result: Option<Result<Result<u64, ResourceError>, tokio::task::JoinError>>) -> Result<u64, ResourceError> {
    match result {
        Some(Ok(deleted)) => deleted,
        Some(Err(error)) => Err(ResourceError::Internal(error.to_string())),
        None => Ok(0),
    }
}

fn identifiers(page: &Page) -> Result<Vec<ObjectIdentifier>, ResourceError> {
    let versions = page.versions().iter().map(|version| (version.key(), version.version_id()));
    let markers = page.delete_markers().iter().map(|marker| (marker.key(), marker.version_id()));
    versions
        .chain(markers)
        .map(|(key, version)| {
            let identifier = ObjectIdentifier::builder().set_key(key.map(|key| decoded(page, key)));
            identifier.set_version_id(version.map(str::to_owned)).build().map_err(ResourceError::request)
        })
        .collect()
}

/// A key of the page, which says whether it has encoded them; a server that plays S3 may not have.
fn decoded(page: &Page, key: &str) -> String {
    if page.encoding_type() != Some(&EncodingType::Url) {
        return key.to_owned();
    }
    // S3 writes a space as a plus sign here.
    percent_decode_str(&key.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// Whether a request in XML can name the key: XML 1.0 has no way to write most control characters.
fn fits_into_xml(key: &str) -> bool {
    !key.chars().any(|c| (c < ' ' && !"\t\n\r".contains(c)) || c == '\u{fffe}' || c == '\u{ffff}')
}

async fn delete_one(cx: &Context, bucket: &str, object: &ObjectIdentifier) -> Result<u64, ResourceError> {
    let delete = || {
        let delete = cx.clients.s3.delete_object().bucket(bucket).key(object.key());
        delete.set_version_id(object.version_id().map(str::to_owned)).send()
    };
    cx.call(ops::s3::DELETE_OBJECT, delete).await?;
    Ok(1)
}

async fn delete_batch(cx: Context, bucket: String, batch: Vec<ObjectIdentifier>) -> Result<u64, ResourceError> {
    let size = count(batch.len());
    let delete = Delete::builder().set_objects(Some(batch)).quiet(true).build().map_err(ResourceError::request)?;
    let answer = cx
        .call(ops::s3::DELETE_OBJECTS, || cx.clients.s3.delete_objects().bucket(&bucket).delete(delete.clone()).send())
        .await?;
    match answer.errors().first() {
        None => Ok(size),
        Some(error) => {
            let kind = if error.code() == Some("AccessDenied") { ErrorKind::Denied } else { ErrorKind::Refused };
            let message =
                format!("{} of {size} objects: {}", answer.errors().len(), error.message().unwrap_or_default());
            let code = error.code().unwrap_or_default().to_owned();
            Err(ResourceError::Aws(AwsError { code, ..AwsError::of_kind(kind, ops::s3::DELETE_OBJECTS, message) }))
        }
    }
}
