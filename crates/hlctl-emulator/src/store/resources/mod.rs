//! The FHIR resources of datastores: every version of each, in files that are only appended to.
//!
//! `stores/<id>/resources.ndjson` holds the JSON of the versions, one a line.
//! `stores/<id>/index.jsonl` holds a line for each commit: what it wrote, and where the JSON of each version is.
//! A commit has happened when its line is whole, and until then nothing of it has. JSON that no line
//! names is written over.
//!
//! Only the index is in memory. Without a directory the JSON is as well.

mod bodies;
mod index;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use jiff::Timestamp;

use crate::error::Error;
pub(crate) use bodies::Reader;
use bodies::{Bodies, Lines};
use index::{Index, Record};
pub(crate) use index::{Method, Version};

/// A version to be written.
pub(crate) struct Write {
    pub(crate) kind: String,
    pub(crate) id: String,
    pub(crate) at: Timestamp,
    pub(crate) method: Method,
    /// One line of JSON; `None` deletes.
    pub(crate) body: Option<Vec<u8>>,
    /// The idempotency key under which the resource is created.
    pub(crate) key: Option<String>,
}

/// The resources of all datastores, by the datastore's id.
pub(crate) struct Resources {
    dir: Option<PathBuf>,
    stores: HashMap<String, Collection>,
}

impl Resources {
    pub(super) fn new(dir: Option<&Path>) -> Self {
        Self { dir: dir.map(|dir| dir.join("stores")), stores: HashMap::new() }
    }

    /// Resources that are forgotten at the end.
    #[cfg(test)]
    pub(crate) fn in_memory() -> Self {
        Self::new(None)
    }

    /// The resources of a datastore as they are now.
    pub(crate) fn of_store(&mut self, store: &str) -> Result<&mut Collection, Error> {
        let dir = self.dir.as_ref().map(|dir| dir.join(store));
        let collection = self.stores.entry(store.to_owned()).or_insert_with(|| Collection::new(dir));
        collection.refresh()?;
        Ok(collection)
    }

    /// Forgets all resources of a datastore. Ids of datastores are never used again.
    pub(super) fn remove(&mut self, store: &str) {
        self.stores.remove(store);
        if let Some(dir) = &self.dir {
            // What cannot be removed does no harm: no datastore of that id will be asked for again.
            drop(fs::remove_dir_all(dir.join(store)));
        }
    }
}

/// The resources of one datastore.
pub(crate) struct Collection {
    index: Index,
    log: Option<Lines>,
    bodies: Bodies,
}

impl Collection {
    fn new(dir: Option<PathBuf>) -> Self {
        Self {
            index: Index::default(),
            log: dir.as_ref().map(|dir| Lines::new(dir.join("index.jsonl"))),
            bodies: dir.map_or_else(Bodies::in_memory, |dir| Bodies::in_file(dir.join("resources.ndjson"))),
        }
    }

    /// Whether nothing has ever been written.
    pub(crate) fn is_untouched(&self) -> bool {
        self.index.is_empty()
    }

    /// All versions of a resource, oldest first; none if there never was one.
    pub(crate) fn versions(&self, kind: &str, id: &str) -> &[Version] {
        self.index.versions(kind, id)
    }

    /// The types of which there are or were resources, in the order of their names.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = &str> {
        self.index.kinds()
    }

    /// The resource at a place among those of its type, which are in the order of their first creation.
    /// A place never changes.
    pub(crate) fn at(&self, kind: &str, place: usize) -> Option<(&str, &[Version])> {
        self.index.at(kind, place)
    }

    /// How many resources of a type there are or were.
    pub(crate) fn count(&self, kind: &str) -> usize {
        self.index.count(kind)
    }

    /// The place of a resource among those of its type.
    pub(crate) fn place(&self, kind: &str, id: &str) -> Option<usize> {
        self.index.place(kind, id)
    }

    /// The type and id of the resource that was created under an idempotency key.
    pub(crate) fn by_key(&self, key: &str) -> Option<(&str, &str)> {
        self.index.by_key(key)
    }

    /// The JSON of a version; `None` for a deletion.
    pub(crate) fn body(&self, version: &Version) -> Result<Option<Bytes>, Error> {
        version.span.map(|span| self.bodies.read(span)).transpose()
    }

    /// Reads the JSON of many versions, quickest in the order in which they were written.
    pub(crate) fn reader(&self) -> Reader<'_> {
        self.bodies.reader()
    }

    /// Writes all or nothing, durably before anyone sees it.
    pub(crate) fn commit(&mut self, writes: Vec<Write>) -> Result<(), Error> {
        if writes.is_empty() {
            return Ok(());
        }
        let spans = self.bodies.append(writes.iter().map(|write| write.body.as_deref()), self.index.body_end())?;
        let records: Vec<Record> =
            writes.into_iter().zip(spans).map(|(write, span)| Record::new(write, span)).collect();
        if let Some(log) = &mut self.log {
            log.append(&records)?;
        }
        self.index.apply(records);
        Ok(())
    }

    /// Reads what other processes have written.
    fn refresh(&mut self) -> Result<(), Error> {
        let Some(log) = &mut self.log else {
            return Ok(());
        };
        while let Some(records) = log.next_commits()? {
            for commit in records {
                self.index.apply(commit);
            }
        }
        self.bodies.refresh()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use std::io::Write as _;

    use super::*;
    use proptest::prelude::*;

    fn write(id: &str, body: Option<&str>) -> Write {
        Write {
            kind: "Patient".to_owned(),
            id: id.to_owned(),
            at: Timestamp::UNIX_EPOCH,
            method: if body.is_some() { Method::Put } else { Method::Delete },
            body: body.map(|body| body.as_bytes().to_vec()),
            key: None,
        }
    }

    fn contents(resources: &mut Resources, id: &str) -> Vec<Option<String>> {
        let collection = resources.of_store("s").unwrap();
        let versions = collection.versions("Patient", id).to_vec();
        versions
            .iter()
            .map(|version| collection.body(version).unwrap().map(|body| String::from_utf8(body.to_vec()).unwrap()))
            .collect()
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn two_views_of_a_directory_see_each_other_and_half_a_commit_never_was() {
        let dir = tempfile::tempdir().unwrap();
        let mut one = Resources::new(Some(dir.path()));
        let mut two = Resources::new(Some(dir.path()));
        one.of_store("s").unwrap().commit(vec![write("a", Some("{1}")), write("b", Some("{2}"))]).unwrap();
        assert_eq!(contents(&mut two, "a"), [some("{1}")]);
        for (file, rest) in [("resources.ndjson", "{half"), ("index.jsonl", r#"[{"type":"Patient","id":"a","#)] {
            let path = dir.path().join("stores/s").join(file);
            fs::OpenOptions::new().append(true).open(path).unwrap().write_all(rest.as_bytes()).unwrap();
        }
        two.of_store("s").unwrap().commit(vec![write("a", Some("{3}"))]).unwrap();
        assert_eq!(contents(&mut one, "a"), [some("{1}"), some("{3}")]);
        assert_eq!(contents(&mut Resources::new(Some(dir.path())), "a"), [some("{1}"), some("{3}")]);
        let text = fs::read_to_string(dir.path().join("stores/s/resources.ndjson")).unwrap();
        assert_eq!(text, "{1}\n{2}\n{3}\n");
    }

    #[test]
    fn a_removed_store_leaves_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let mut resources = Resources::new(Some(dir.path()));
        resources.of_store("s").unwrap().commit(vec![write("a", Some("{1}"))]).unwrap();
        assert!(dir.path().join("stores/s").exists());
        resources.remove("s");
        assert!(!dir.path().join("stores/s").exists());
        assert!(resources.of_store("s").unwrap().is_untouched());
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back_in_memory_from_disk_and_after_a_restart(
            commits in proptest::collection::vec(
                proptest::collection::vec((0..6u8, proptest::option::of("[a-zé ]{0,40}")), 1..5), 0..12),
        ) {
            let dir = tempfile::tempdir().unwrap();
            let mut memory = Resources::new(None);
            let mut disk = Resources::new(Some(dir.path()));
            let mut expected: HashMap<String, Vec<Option<String>>> = HashMap::new();
            for commit in commits {
                for resources in [&mut memory, &mut disk] {
                    let writes = commit.iter().map(|(id, body)| write(&id.to_string(), body.as_deref())).collect();
                    resources.of_store("s").unwrap().commit(writes).unwrap();
                }
                for (id, body) in commit {
                    expected.entry(id.to_string()).or_default().push(body);
                }
            }
            let mut again = Resources::new(Some(dir.path()));
            for (id, versions) in &expected {
                for resources in [&mut memory, &mut disk, &mut again] {
                    prop_assert_eq!(&contents(resources, id), versions);
                }
            }
        }
    }
}
