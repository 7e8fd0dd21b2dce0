//! Deleting objects and versions.

use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, ETag,
    Error as DeleteError, ObjectIdentifier,
};
use s3s::{S3Error, S3Result};

use super::bucket::Versioning;
use super::object::{NULL, body_of, current, meets, record};
use super::{S3Cx, error};
use crate::fault::ConditionalDeletes;
use crate::store::objects::{Content, Event, Version};

/// DeleteObjects takes up to 1,000 keys (S3 API reference).
const MOST: usize = 1000;

/// What deleting one key comes to.
struct Deletion {
    event: Option<Event>,
    /// The content that nothing names any more.
    body: String,
    is_marker: bool,
    version_id: Option<String>,
}

pub(super) fn one(cx: &mut S3Cx<'_>, input: DeleteObjectInput) -> S3Result<DeleteObjectOutput> {
    let bucket = cx.bucket(&input.bucket)?;
    let (id, versioning) = (bucket.id.clone(), bucket.versioning);
    if let Some(condition) = &input.if_match {
        check_version(cx, &id, &input.key, |etag| meets(condition, etag))?;
    }
    let deletion = plan(cx, &id, versioning, &input.key, input.version_id.as_deref())?;
    record(cx, &id, deletion.event.into_iter().collect())?;
    cx.objects.remove_body(&id, &deletion.body);
    Ok(DeleteObjectOutput {
        delete_marker: deletion.is_marker.then_some(true),
        version_id: deletion.version_id,
        request_charged: None,
    })
}

pub(super) fn many(cx: &mut S3Cx<'_>, input: DeleteObjectsInput) -> S3Result<DeleteObjectsOutput> {
    let bucket = cx.bucket(&input.bucket)?;
    let (id, versioning) = (bucket.id.clone(), bucket.versioning);
    let wanted = input.delete.objects;
    if wanted.is_empty() || wanted.len() > MOST {
        return Err(error::malformed_xml());
    }
    let quiet = input.delete.quiet.unwrap_or(false);
    let mut output = DeleteObjectsOutput::default();
    let (mut events, mut bodies) = (Vec::new(), Vec::new());
    for object in wanted {
        let outcome = check(cx, &id, &object.key, object.e_tag.as_ref()).and_then(|()| {
            let version = object.version_id.as_deref();
            plan(cx, &id, versioning, &object.key, version)
        });
        match outcome {
            Ok(deletion) => {
                if !quiet {
                    output.deleted.get_or_insert_default().push(shown(object, &deletion));
                }
                events.extend(deletion.event);
                bodies.push(deletion.body);
            }
            Err(failure) => output.errors.get_or_insert_default().push(failed(object, &failure)),
        }
    }
    record(cx, &id, events)?;
    for body in bodies {
        cx.objects.remove_body(&id, &body);
    }
    Ok(output)
}

/// The current version must be the one that a conditional delete names.
fn check(cx: &mut S3Cx<'_>, bucket: &str, key: &str, etag: Option<&ETag>) -> S3Result<()> {
    let Some(etag) = etag else { return Ok(()) };
    check_version(cx, bucket, key, |current| current == etag.value())
}

fn check_version(cx: &mut S3Cx<'_>, bucket: &str, key: &str, is_meant: impl Fn(&str) -> bool) -> S3Result<()> {
    match cx.cx.faults.s3.conditional_deletes {
        ConditionalDeletes::Heeded => {}
        ConditionalDeletes::Ignored => return Ok(()),
        ConditionalDeletes::NotImplemented => return Err(error::conditional_delete_not_implemented()),
    }
    if current(cx, bucket, key)?.is_some_and(|object| is_meant(&object.etag)) {
        return Ok(());
    }
    Err(error::precondition_failed())
}

fn shown(object: ObjectIdentifier, deletion: &Deletion) -> DeletedObject {
    DeletedObject {
        delete_marker: deletion.is_marker.then_some(true),
        delete_marker_version_id: deletion.is_marker.then(|| deletion.version_id.clone()).flatten(),
        key: Some(object.key),
        version_id: object.version_id,
    }
}

fn failed(object: ObjectIdentifier, failure: &S3Error) -> DeleteError {
    DeleteError {
        code: Some(failure.code().as_str().to_owned()),
        key: Some(object.key),
        message: failure.message().map(ToOwned::to_owned),
        version_id: object.version_id,
    }
}

/// Deleting by version removes it; deleting by key alone puts a marker where there is versioning.
/// What is not there is deleted with success.
fn plan(
    cx: &mut S3Cx<'_>,
    bucket: &str,
    versioning: Option<Versioning>,
    key: &str,
    version_id: Option<&str>,
) -> S3Result<Deletion> {
    let (removed, marker) = match (version_id, versioning) {
        (Some(id), _) => (Some(id.to_owned()), None),
        (None, None) => (Some(NULL.to_owned()), None),
        (None, Some(Versioning::Suspended)) => (Some(NULL.to_owned()), Some(NULL.to_owned())),
        (None, Some(Versioning::Enabled)) => (None, Some(cx.cx.options.ids.version_id())),
    };
    let mut body = String::new();
    let mut was_marker = false;
    let mut exists = false;
    if let Some(id) = &removed {
        body = body_of(cx, bucket, key, id)?;
        let objects = cx.objects.bucket(bucket).map_err(|failure| error::storage(&failure))?;
        let version = objects.keys.get(key).and_then(|versions| versions.iter().find(|version| version.id == *id));
        exists = version.is_some();
        was_marker = version.is_some_and(|version| version.object().is_none());
    }
    if let Some(id) = marker {
        // Putting a marker with the id `null` takes the place of the version with that id.
        let version = Version { id: id.clone(), modified: cx.cx.now, content: Content::DeleteMarker };
        return Ok(Deletion {
            event: Some(Event::Put { key: key.to_owned(), version }),
            body,
            is_marker: true,
            version_id: Some(id),
        });
    }
    Ok(Deletion {
        event: removed.filter(|_| exists).map(|version_id| Event::Remove { key: key.to_owned(), version_id }),
        body,
        is_marker: was_marker,
        version_id: version_id.map(ToOwned::to_owned),
    })
}
