//! Objects and multipart uploads: an index in memory, kept on disk as a line for each change.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::disk::at;
use crate::error::Error;

/// One version of an object, or a delete marker.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Version {
    /// `null` for what was written without versioning.
    pub(crate) id: String,
    pub(crate) modified: Timestamp,
    #[serde(flatten)]
    pub(crate) content: Content,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Content {
    Object(Box<Object>),
    DeleteMarker,
}

/// What is known of an object but its content.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Object {
    /// Names the content; empty for an empty object.
    pub(crate) body: String,
    pub(crate) size: u64,
    pub(crate) etag: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) headers: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) metadata: BTreeMap<String, String>,
    /// Algorithm, such as `CRC32`, and base64 of the checksum. One of parts' checksums ends with a hyphen and their number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) checksum: Option<(String, String)>,
    /// `AES256` or `aws:kms`, and the key's ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) encryption: Option<(String, Option<String>)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) storage_class: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<(String, String)>,
}

impl Version {
    pub(crate) fn object(&self) -> Option<&Object> {
        match &self.content {
            Content::Object(object) => Some(object),
            Content::DeleteMarker => None,
        }
    }
}

/// A multipart upload under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Upload {
    pub(crate) key: String,
    pub(crate) started: Timestamp,
    /// What the object will be like.
    pub(crate) object: Object,
    /// The algorithm of the checksums, and whether the object's own is one of its parts' checksums.
    #[serde(default)]
    pub(crate) checksum: Option<(String, bool)>,
    #[serde(default)]
    pub(crate) parts: BTreeMap<i32, Part>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) body: String,
    pub(crate) size: u64,
    pub(crate) etag: String,
    pub(crate) modified: Timestamp,
    /// Algorithm and base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) checksum: Option<(String, String)>,
}

/// What happened to a bucket's objects.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// A version was written; one with the same id gives way.
    Put {
        key: String,
        version: Version,
    },
    /// A version was removed.
    Remove {
        key: String,
        version_id: String,
    },
    UploadStarted {
        id: String,
        upload: Box<Upload>,
    },
    PartPut {
        id: String,
        number: i32,
        part: Part,
    },
    UploadEnded {
        id: String,
    },
}

/// The objects of one bucket.
#[derive(Debug, Default)]
pub(crate) struct BucketObjects {
    /// Versions by key, the newest last.
    pub(crate) keys: BTreeMap<String, Vec<Version>>,
    pub(crate) uploads: BTreeMap<String, Upload>,
    /// How much of the index file has been read.
    read_to: u64,
}

impl BucketObjects {
    pub(crate) fn newest(&self, key: &str) -> Option<&Version> {
        self.keys.get(key)?.last()
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::Put { key, version } => {
                let versions = self.keys.entry(key).or_default();
                versions.retain(|other| other.id != version.id);
                versions.push(version);
            }
            Event::Remove { key, version_id } => {
                if let Some(versions) = self.keys.get_mut(&key) {
                    versions.retain(|version| version.id != version_id);
                    if versions.is_empty() {
                        self.keys.remove(&key);
                    }
                }
            }
            Event::UploadStarted { id, upload } => {
                self.uploads.insert(id, *upload);
            }
            Event::PartPut { id, number, part } => {
                if let Some(upload) = self.uploads.get_mut(&id) {
                    upload.parts.insert(number, part);
                }
            }
            Event::UploadEnded { id } => {
                self.uploads.remove(&id);
            }
        }
    }
}

/// The objects of all buckets, by the bucket's id.
pub(crate) struct Objects {
    dir: Option<PathBuf>,
    buckets: HashMap<String, BucketObjects>,
    /// Contents, where there is no directory.
    bodies: HashMap<String, Bytes>,
}

impl Objects {
    pub(super) fn new(dir: Option<&Path>) -> Self {
        Self { dir: dir.map(|dir| dir.join("buckets")), buckets: HashMap::new(), bodies: HashMap::new() }
    }

    /// The objects of a bucket as they are now.
    pub(crate) fn bucket(&mut self, bucket: &str) -> Result<&BucketObjects, Error> {
        self.refresh(bucket).map(|objects| &*objects)
    }

    /// Records `events`, durably before they are seen.
    pub(crate) fn record(&mut self, bucket: &str, events: Vec<Event>) -> Result<(), Error> {
        let index = self.index_path(bucket);
        let objects = self.refresh(bucket)?;
        if let Some(index) = index {
            let lines = lines(&events, &index)?;
            append(&index, objects.read_to, &lines)?;
            objects.read_to += lines.len() as u64;
        }
        for event in events {
            objects.apply(event);
        }
        Ok(())
    }

    /// Keeps a content under a name that nothing has had before.
    pub(crate) fn put_body(&mut self, bucket: &str, body: &str, data: &[u8]) -> Result<(), Error> {
        match self.body_path(bucket, body) {
            None => {
                // A slice of the connection's buffer would keep all of it alive.
                self.bodies.insert(body.to_owned(), Bytes::copy_from_slice(data));
            }
            Some(path) => {
                if let Some(parent) = path.parent() {
                    fs::create_dir_all(parent).map_err(at(parent))?;
                }
                fs::write(&path, data).map_err(at(&path))?;
            }
        }
        Ok(())
    }

    pub(crate) fn body(&self, bucket: &str, body: &str) -> Result<Bytes, Error> {
        if body.is_empty() {
            return Ok(Bytes::new());
        }
        match self.body_path(bucket, body) {
            None => Ok(self.bodies.get(body).cloned().unwrap_or_default()),
            Some(path) => fs::read(&path).map(Bytes::from).map_err(at(&path)),
        }
    }

    /// Forgets a content. One that is gone already is no error.
    pub(crate) fn remove_body(&mut self, bucket: &str, body: &str) {
        if body.is_empty() {
            return;
        }
        match self.body_path(bucket, body) {
            None => {
                self.bodies.remove(body);
            }
            // A content that no index line names does no harm.
            Some(path) => drop(fs::remove_file(path)),
        }
    }

    /// Forgets a whole bucket.
    pub(crate) fn remove_bucket(&mut self, bucket: &str) {
        self.buckets.remove(bucket);
        if let Some(dir) = &self.dir {
            drop(fs::remove_dir_all(dir.join(bucket)));
        }
    }

    fn index_path(&self, bucket: &str) -> Option<PathBuf> {
        Some(self.dir.as_ref()?.join(bucket).join("index.jsonl"))
    }

    fn body_path(&self, bucket: &str, body: &str) -> Option<PathBuf> {
        let shelf = body.get(..2)?;
        Some(self.dir.as_ref()?.join(bucket).join("bodies").join(shelf).join(body))
    }

    /// Reads what other processes have appended to the index.
    fn refresh(&mut self, bucket: &str) -> Result<&mut BucketObjects, Error> {
        let index = self.index_path(bucket);
        let objects = self.buckets.entry(bucket.to_owned()).or_default();
        if let Some(index) = index {
            // Another process deletes a bucket's index before the bucket; should it die in between,
            // the bucket is still there and empty.
            if length_of(&index)? < objects.read_to {
                *objects = BucketObjects::default();
            }
            let tail = read_from(&index, objects.read_to)?;
            let whole = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            for line in tail[..whole].split(|byte| *byte == b'\n') {
                if line.is_empty() {
                    continue;
                }
                let event = serde_json::from_slice(line)
                    .map_err(|error| Error::Format { path: index.clone(), reason: error.to_string() })?;
                objects.apply(event);
            }
            objects.read_to += whole as u64;
        }
        Ok(objects)
    }
}

fn lines(events: &[Event], index: &Path) -> Result<Vec<u8>, Error> {
    let mut lines = Vec::new();
    for event in events {
        serde_json::to_writer(&mut lines, event)
            .map_err(|error| Error::Format { path: index.to_owned(), reason: error.to_string() })?;
        lines.push(b'\n');
    }
    Ok(lines)
}

/// The length of a file, zero if there is none.
fn length_of(path: &Path) -> Result<u64, Error> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(at(path)(error)),
    }
}

fn read_from(path: &Path, offset: u64) -> Result<Vec<u8>, Error> {
    if length_of(path)? <= offset {
        return Ok(Vec::new());
    }
    let mut tail = Vec::new();
    File::open(path)
        .and_then(|mut file| {
            file.seek(SeekFrom::Start(offset))?;
            file.read_to_end(&mut tail)
        })
        .map_err(at(path))?;
    Ok(tail)
}

/// Writes `lines` at `offset`, over whatever a killed process left behind it.
fn append(path: &Path, offset: u64, lines: &[u8]) -> Result<(), Error> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(at(parent))?;
    }
    let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(path).map_err(at(path))?;
    file.set_len(offset)
        .and_then(|()| file.seek(SeekFrom::Start(offset)))
        .and_then(|_| file.write_all(lines))
        .map_err(at(path))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn put(key: &str, id: &str) -> Event {
        Event::Put {
            key: key.to_owned(),
            version: Version { id: id.to_owned(), modified: Timestamp::UNIX_EPOCH, content: Content::DeleteMarker },
        }
    }

    fn ids(objects: &mut Objects, key: &str) -> Vec<String> {
        let versions = &objects.bucket("b").unwrap().keys[key];
        versions.iter().map(|version| version.id.clone()).collect()
    }

    #[test]
    fn a_version_written_again_becomes_the_newest() {
        let mut objects = Objects::new(None);
        objects.record("b", vec![put("k", "1"), put("k", "2"), put("k", "1")]).unwrap();
        assert_eq!(ids(&mut objects, "k"), ["2", "1"]);
    }

    #[test]
    fn a_key_without_versions_is_gone() {
        let mut objects = Objects::new(None);
        let remove = Event::Remove { key: "k".to_owned(), version_id: "1".to_owned() };
        objects.record("b", vec![put("k", "1"), remove]).unwrap();
        assert!(objects.bucket("b").unwrap().keys.is_empty());
    }

    #[test]
    fn two_views_of_a_directory_see_each_other_and_half_a_line_is_cut_off() {
        let dir = tempfile::tempdir().unwrap();
        let mut one = Objects::new(Some(dir.path()));
        let mut two = Objects::new(Some(dir.path()));
        one.record("b", vec![put("k", "1")]).unwrap();
        assert_eq!(ids(&mut two, "k"), ["1"]);
        let index = dir.path().join("buckets/b/index.jsonl");
        let mut text = fs::read(&index).unwrap();
        text.extend_from_slice(br#"{"put":{"key":"ha"#);
        fs::write(&index, text).unwrap();
        two.record("b", vec![put("k", "2")]).unwrap();
        assert_eq!(ids(&mut one, "k"), ["1", "2"]);
        assert_eq!(ids(&mut Objects::new(Some(dir.path())), "k"), ["1", "2"]);
    }

    #[test]
    fn an_index_that_is_gone_leaves_an_empty_bucket() {
        let dir = tempfile::tempdir().unwrap();
        let mut one = Objects::new(Some(dir.path()));
        let mut two = Objects::new(Some(dir.path()));
        one.record("b", vec![put("k", "1")]).unwrap();
        assert_eq!(ids(&mut two, "k"), ["1"]);
        one.remove_bucket("b");
        assert!(two.bucket("b").unwrap().keys.is_empty());
        two.record("b", vec![put("k", "2")]).unwrap();
        assert_eq!(ids(&mut one, "k"), ["2"]);
    }
}
