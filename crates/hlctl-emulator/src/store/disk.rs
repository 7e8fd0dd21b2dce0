//! The lock and the control file of a data directory.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::World;
use crate::error::Error;

/// The version of the directory's layout that this code reads and writes.
const FORMAT: u32 = 1;

pub(super) struct Disk {
    control: PathBuf,
    dir: PathBuf,
    lock: Arc<File>,
    lock_path: PathBuf,
    /// The count in the lock file when the state was last read or written.
    seen: Option<u64>,
    /// The control file's text as last read or written.
    text: Vec<u8>,
}

/// Unlocks when dropped.
pub(super) struct Held(Arc<File>);

impl Drop for Held {
    fn drop(&mut self) {
        // A lock that cannot be released ends with the process.
        let _ = self.0.unlock();
    }
}

#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    world: &'a World,
}

#[derive(Deserialize)]
struct Header {
    format: u32,
}

#[derive(Deserialize)]
struct Contents {
    world: World,
}

impl Disk {
    pub(super) fn open(dir: &Path) -> Result<Self, Error> {
        fs::create_dir_all(dir).map_err(at(dir))?;
        let lock_path = dir.join("lock");
        let lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&lock_path)
            .map_err(at(&lock_path))?;
        Ok(Self {
            control: dir.join("control.json"),
            dir: dir.to_owned(),
            lock: Arc::new(lock),
            lock_path,
            seen: None,
            text: Vec::new(),
        })
    }

    /// Waits until no other process holds the directory.
    pub(super) fn lock(&self) -> Result<Held, Error> {
        self.lock.lock().map_err(at(&self.lock_path))?;
        Ok(Held(Arc::clone(&self.lock)))
    }

    /// The state on disk, if another process has written since this one last looked.
    pub(super) fn newer(&mut self) -> Result<Option<World>, Error> {
        let count = self.count()?;
        if self.seen == Some(count) {
            return Ok(None);
        }
        let text = match fs::read(&self.control) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(at(&self.control)(error)),
        };
        let world = if text.is_empty() { World::default() } else { self.parse(&text)? };
        self.text = text;
        self.seen = Some(count);
        Ok(Some(world))
    }

    fn parse(&self, text: &[u8]) -> Result<World, Error> {
        let format_error = |reason: String| Error::Format { path: self.control.clone(), reason };
        let header: Header = serde_json::from_slice(text).map_err(|error| format_error(error.to_string()))?;
        if header.format != FORMAT {
            return Err(format_error(format!("it has format {}, this version reads format {FORMAT}", header.format)));
        }
        let contents: Contents = serde_json::from_slice(text).map_err(|error| format_error(error.to_string()))?;
        Ok(contents.world)
    }

    /// Replaces the control file if `world` differs from it. Should that fail, what the file holds is
    /// what counts, and is read again.
    pub(super) fn save(&mut self, world: &World) -> Result<(), Error> {
        let saved = self.replace(world);
        if saved.is_err() {
            self.seen = None;
        }
        saved
    }

    fn replace(&mut self, world: &World) -> Result<(), Error> {
        let document = Document { format: FORMAT, world };
        let text = serde_json::to_vec(&document)
            .map_err(|error| Error::Format { path: self.control.clone(), reason: error.to_string() })?;
        if text == self.text {
            return Ok(());
        }
        // The count goes first: if the process dies in between, others read an unchanged file again.
        let count = self.count()?.wrapping_add(1);
        self.set_count(count)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.dir).map_err(at(&self.dir))?;
        file.write_all(&text).map_err(at(&self.control))?;
        file.persist(&self.control).map_err(|error| at(&self.control)(error.error))?;
        self.seen = Some(count);
        self.text = text;
        Ok(())
    }

    fn count(&self) -> Result<u64, Error> {
        let mut file = &*self.lock;
        let mut bytes = Vec::with_capacity(8);
        file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_end(&mut bytes)).map_err(at(&self.lock_path))?;
        Ok(<[u8; 8]>::try_from(bytes.as_slice()).map_or(0, u64::from_le_bytes))
    }

    fn set_count(&self, count: u64) -> Result<(), Error> {
        let mut file = &*self.lock;
        file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(&count.to_le_bytes())).map_err(at(&self.lock_path))
    }
}

/// Names the path of a failed file operation.
pub(super) fn at(path: &Path) -> impl Fn(io::Error) -> Error {
    move |source| Error::Data { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn world(account: &str) -> World {
        let mut world = World::default();
        world.account(account);
        world
    }

    #[test]
    fn what_one_process_saves_another_reads_once() {
        let dir = tempfile::tempdir().unwrap();
        let mut one = Disk::open(dir.path()).unwrap();
        let mut two = Disk::open(dir.path()).unwrap();
        assert!(one.newer().unwrap().is_some());
        one.save(&world("1")).unwrap();
        assert!(one.newer().unwrap().is_none());
        assert!(two.newer().unwrap().unwrap().accounts.contains_key("1"));
        assert!(two.newer().unwrap().is_none());
        two.save(&world("2")).unwrap();
        assert!(one.newer().unwrap().unwrap().accounts.contains_key("2"));
    }

    #[test]
    fn a_newer_format_and_nonsense_are_refused_by_path() {
        let dir = tempfile::tempdir().unwrap();
        for text in [r#"{"format":2,"world":{}}"#, "nonsense"] {
            fs::write(dir.path().join("control.json"), text).unwrap();
            let error = Disk::open(dir.path()).unwrap().newer().err().unwrap();
            assert!(error.to_string().contains("control.json"), "{error}");
        }
    }
}
