//! Lists of versions, a page at a time.

use s3s::S3Result;
use s3s::dto::{
    CommonPrefix, DeleteMarkerEntry, ETag, EncodingType, ListObjectVersionsInput, ListObjectVersionsOutput,
    ObjectVersion, ObjectVersionStorageClass,
};

use super::listing::{PAGE, encode, limit, storage_class};
use super::read::modified;
use super::walk::{Step, Walk};
use super::{S3Cx, buckets, error};
use crate::store::objects::Version;

/// One version on its way into the list.
struct Entry<'a> {
    key: &'a str,
    version: &'a Version,
    is_latest: bool,
}

pub(super) fn list(cx: &mut S3Cx<'_>, input: ListObjectVersionsInput) -> S3Result<ListObjectVersionsOutput> {
    let limit = limit(input.max_keys)?;
    let account = cx.cx.caller.account.clone();
    let bucket = cx.bucket_id(&input.bucket)?;
    let objects = cx.objects.bucket(&bucket).map_err(|failure| error::storage(&failure))?;
    let encoding = input.encoding_type.as_ref();
    let prefix = input.prefix.clone().unwrap_or_default();
    let key_marker = input.key_marker.clone().filter(|marker| !marker.is_empty());
    let version_marker = input.version_id_marker.clone().filter(|marker| !marker.is_empty());
    if version_marker.is_some() && key_marker.is_none() {
        return Err(error::invalid_argument("A version-id marker cannot be specified without a key marker."));
    }
    let mut output = ListObjectVersionsOutput {
        name: Some(input.bucket),
        prefix: Some(encode(&prefix, encoding)),
        key_marker: Some(encode(input.key_marker.as_deref().unwrap_or_default(), encoding)),
        version_id_marker: input.version_id_marker,
        max_keys: Some(input.max_keys.unwrap_or(PAGE)),
        is_truncated: Some(false),
        delimiter: input.delimiter.as_deref().map(|mark| encode(mark, encoding)),
        encoding_type: input.encoding_type.clone(),
        ..Default::default()
    };
    // What is left of the key at which the page before stopped.
    let resumed = key_marker.as_deref().zip(version_marker.as_deref()).and_then(|(key, marker)| {
        let (key, versions) = objects.keys.get_key_value(key)?;
        let at = versions.iter().position(|version| version.id == marker)?;
        Some((key, at, versions))
    });
    let resumed = resumed.into_iter().flat_map(|(key, at, versions)| {
        versions[..at].iter().rev().map(|version| Ok(Entry { key, version, is_latest: false }))
    });
    let walk = Walk::new(&objects.keys, &prefix, input.delimiter.as_deref(), key_marker.as_deref());
    let walked = walk.flat_map(|step| -> Box<dyn Iterator<Item = Result<Entry<'_>, String>>> {
        match step {
            Step::Common(name) => Box::new(std::iter::once(Err(name))),
            Step::Key(key, versions) => {
                let newest = versions.len() - 1;
                Box::new(
                    versions
                        .iter()
                        .enumerate()
                        .rev()
                        .map(move |(at, version)| Ok(Entry { key, version, is_latest: at == newest })),
                )
            }
        }
    });
    let mut last: Option<(String, Option<String>)> = None;
    for (count, entry) in resumed.chain(walked).enumerate() {
        if count >= limit {
            output.is_truncated = Some(limit > 0);
            break;
        }
        match entry {
            Err(common) => {
                output
                    .common_prefixes
                    .get_or_insert_default()
                    .push(CommonPrefix { prefix: Some(encode(&common, encoding)) });
                last = Some((common, None));
            }
            Ok(entry) => {
                last = Some((entry.key.to_owned(), Some(entry.version.id.clone())));
                push(&mut output, &entry, encoding, &account);
            }
        }
    }
    if output.is_truncated == Some(true)
        && let Some((key, version)) = last
    {
        output.next_key_marker = Some(encode(&key, encoding));
        output.next_version_id_marker = version;
    }
    Ok(output)
}

fn push(output: &mut ListObjectVersionsOutput, entry: &Entry<'_>, encoding: Option<&EncodingType>, account: &str) {
    let key = Some(encode(entry.key, encoding));
    let owner = Some(buckets::owner(account));
    match entry.version.object() {
        None => output.delete_markers.get_or_insert_default().push(DeleteMarkerEntry {
            is_latest: Some(entry.is_latest),
            key,
            last_modified: Some(modified(entry.version)),
            owner,
            version_id: Some(entry.version.id.clone()),
        }),
        Some(object) => output.versions.get_or_insert_default().push(ObjectVersion {
            e_tag: Some(ETag::Strong(object.etag.clone())),
            is_latest: Some(entry.is_latest),
            key,
            last_modified: Some(modified(entry.version)),
            owner,
            size: i64::try_from(object.size).ok(),
            storage_class: Some(ObjectVersionStorageClass::from(storage_class(object))),
            version_id: Some(entry.version.id.clone()),
            ..Default::default()
        }),
    }
}
