//! What is kept as files of its own next to the control file: packages of functions and log events.
//!
//! - `packages/<sha256>.zip`: a deployment package, named by its content, never changed;
//! - `packages/<sha256>/`: the same, unpacked for running it;
//! - `events/<id>.jsonl`: the events of a log stream, one line each.
//!
//! Packages are written next to their place and renamed, so that one that can be seen is whole.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tempfile::{NamedTempFile, TempDir};

use super::disk::at;
use crate::error::Error;

/// A stream's events beyond this many bytes push out its oldest.
const MOST_EVENT_BYTES: usize = 1 << 20;

/// Files that need no lock to be read; events are written under the store's lock.
pub(crate) struct Files {
    dir: Option<PathBuf>,
    memory: Mutex<Memory>,
}

/// What there is without a directory.
#[derive(Default)]
struct Memory {
    packages: HashMap<String, Bytes>,
    unpacked: Option<TempDir>,
    events: HashMap<String, Vec<Event>>,
}

/// One line of a log; times in milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) timestamp: i64,
    pub(crate) ingested: i64,
    pub(crate) message: String,
}

impl Files {
    pub(crate) fn new(dir: Option<&Path>) -> Self {
        Self { dir: dir.map(ToOwned::to_owned), memory: Mutex::default() }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn packages(&self) -> Option<PathBuf> {
        Some(self.dir.as_ref()?.join("packages"))
    }

    /// Keeps a package and gives its name, the SHA-256 in hexadecimal digits.
    pub(crate) fn put_package(&self, data: &[u8]) -> Result<String, Error> {
        let name = package_name(data);
        let Some(dir) = self.packages() else {
            self.memory().packages.insert(name.clone(), Bytes::copy_from_slice(data));
            return Ok(name);
        };
        fs::create_dir_all(&dir).map_err(at(&dir))?;
        let path = dir.join(format!("{name}.zip"));
        if !path.exists() {
            let mut file = NamedTempFile::new_in(&dir).map_err(at(&dir))?;
            file.write_all(data).map_err(at(&path))?;
            file.persist(&path).map_err(|error| at(&path)(error.error))?;
        }
        Ok(name)
    }

    /// Gives all packages that are kept in memory to another.
    pub(crate) fn copy_packages(&self, other: &Self) -> Result<(), Error> {
        let packages: Vec<Bytes> = self.memory().packages.values().cloned().collect();
        packages.iter().try_for_each(|package| other.put_package(package).map(drop))
    }

    /// A package by its name.
    pub(crate) fn package(&self, name: &str) -> Result<Option<Bytes>, Error> {
        if !is_package_name(name) {
            return Ok(None);
        }
        let Some(dir) = self.packages() else {
            return Ok(self.memory().packages.get(name).cloned());
        };
        let path = dir.join(format!("{name}.zip"));
        match fs::read(&path) {
            Ok(data) => Ok(Some(Bytes::from(data))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(at(&path)(error)),
        }
    }

    /// Where packages are unpacked, whichever folder a process is in that asks.
    pub(crate) fn unpacking_place(&self) -> Result<PathBuf, Error> {
        if let Some(dir) = self.packages() {
            fs::create_dir_all(&dir).map_err(at(&dir))?;
            return std::path::absolute(&dir).map_err(at(&dir));
        }
        let mut memory = self.memory();
        if let Some(dir) = &memory.unpacked {
            return Ok(dir.path().to_owned());
        }
        let dir = tempfile::Builder::new().prefix("hlctl-emulator-").tempdir().map_err(at(&std::env::temp_dir()))?;
        let path = dir.path().to_owned();
        memory.unpacked = Some(dir);
        Ok(path)
    }

    /// The folder for unpacked packages that goes with this, if there is one by now.
    pub(crate) fn temporary_place(&self) -> Option<PathBuf> {
        Some(self.memory().unpacked.as_ref()?.path().to_owned())
    }

    /// Forgets a package and what has been unpacked of it.
    pub(crate) fn remove_package(&self, name: &str) {
        // A package that no function names does no harm.
        match self.packages() {
            Some(dir) => {
                drop(fs::remove_file(dir.join(format!("{name}.zip"))));
                drop(fs::remove_dir_all(dir.join(name)));
            }
            None => {
                let mut memory = self.memory();
                memory.packages.remove(name);
                if let Some(dir) = &memory.unpacked {
                    drop(fs::remove_dir_all(dir.path().join(name)));
                }
            }
        }
    }

    fn events_path(&self, stream: &str) -> Option<PathBuf> {
        Some(self.dir.as_ref()?.join("events").join(format!("{stream}.jsonl")))
    }

    /// Adds events to a stream, whose oldest go when it holds too much.
    pub(crate) fn add_events(&self, stream: &str, events: &[Event]) -> Result<(), Error> {
        let Some(path) = self.events_path(stream) else {
            let mut memory = self.memory();
            let kept = memory.events.entry(stream.to_owned()).or_default();
            kept.extend_from_slice(events);
            *kept = newest(std::mem::take(kept), MOST_EVENT_BYTES);
            return Ok(());
        };
        let dir = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(dir).map_err(at(dir))?;
        let mut file = OpenOptions::new().append(true).create(true).open(&path).map_err(at(&path))?;
        file.write_all(&lines(events)).map_err(at(&path))?;
        if file.metadata().map_err(at(&path))?.len() > MOST_EVENT_BYTES as u64 {
            // Down to half, so that not every further event rewrites the file.
            let kept = newest(self.events(stream)?, MOST_EVENT_BYTES / 2);
            let mut file = NamedTempFile::new_in(dir).map_err(at(dir))?;
            file.write_all(&lines(&kept)).map_err(at(&path))?;
            file.persist(&path).map_err(|error| at(&path)(error.error))?;
        }
        Ok(())
    }

    /// A stream's events in the order they came. What is left of a write that a killed process did
    /// not finish is passed over.
    pub(crate) fn events(&self, stream: &str) -> Result<Vec<Event>, Error> {
        let Some(path) = self.events_path(stream) else {
            return Ok(self.memory().events.get(stream).cloned().unwrap_or_default());
        };
        match fs::read(&path) {
            Ok(text) => {
                Ok(text.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(at(&path)(error)),
        }
    }

    /// Forgets a stream's events.
    pub(crate) fn remove_events(&self, stream: &str) {
        match self.events_path(stream) {
            // Events that no stream names do no harm.
            Some(path) => drop(fs::remove_file(path)),
            None => drop(self.memory().events.remove(stream)),
        }
    }
}

/// The name of a package with this content.
pub(crate) fn package_name(data: &[u8]) -> String {
    format!("{:x}", Sha256::digest(data))
}

fn is_package_name(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Each line begins with a line end too, so that it is whole after one that is not.
fn lines(events: &[Event]) -> Vec<u8> {
    let mut text = vec![b'\n'];
    for event in events {
        // A structure of numbers and text can always be written.
        text.extend(serde_json::to_vec(event).unwrap_or_default());
        text.push(b'\n');
    }
    text
}

/// The newest events that fit into `bytes`, and always the last.
fn newest(mut events: Vec<Event>, bytes: usize) -> Vec<Event> {
    let mut room = bytes;
    let fitting = events
        .iter()
        .rev()
        .take_while(|event| {
            let fits = event.message.len() + 64 <= room;
            room = room.saturating_sub(event.message.len() + 64);
            fits
        })
        .count();
    events.split_off(events.len() - fitting.max(1).min(events.len()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn event(message: &str) -> Event {
        Event { timestamp: 1, ingested: 2, message: message.to_owned() }
    }

    fn in_both(test: impl Fn(&Files)) {
        test(&Files::new(None));
        let dir = tempfile::tempdir().unwrap();
        test(&Files::new(Some(dir.path())));
    }

    #[test]
    fn a_package_is_found_by_its_hash_until_it_is_removed() {
        in_both(|files| {
            let name = files.put_package(b"zip").unwrap();
            assert_eq!(files.put_package(b"zip").unwrap(), name);
            assert_eq!(files.package(&name).unwrap().unwrap(), "zip");
            assert_eq!(files.package("../lock").unwrap(), None);
            files.remove_package(&name);
            assert_eq!(files.package(&name).unwrap(), None);
        });
    }

    #[test]
    fn a_full_stream_loses_its_oldest_events() {
        in_both(|files| {
            let long = "x".repeat(100_000);
            for number in 0..15 {
                files.add_events("s", &[event(&format!("{number} {long}"))]).unwrap();
            }
            let kept = files.events("s").unwrap();
            assert!(kept.len() < 12, "{}", kept.len());
            assert!(kept.last().unwrap().message.starts_with("14 "));
            files.remove_events("s");
            assert!(files.events("s").unwrap().is_empty());
        });
    }

    #[test]
    fn half_a_line_is_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::new(Some(dir.path()));
        files.add_events("s", &[event("one")]).unwrap();
        let path = dir.path().join("events/s.jsonl");
        let mut text = fs::read(&path).unwrap();
        text.extend_from_slice(br#"{"timestamp":1,"inge"#);
        fs::write(&path, text).unwrap();
        files.add_events("s", &[event("two")]).unwrap();
        assert_eq!(files.events("s").unwrap(), [event("one"), event("two")]);
    }
}
