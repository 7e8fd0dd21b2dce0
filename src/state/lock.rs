//! The lock of a local state: one run at a time, and everyone can see whose.
//!
//! The lock is the operating system's, on a file that names the holder. It ends with the process, however that ends.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::StateError;

/// A held lock; dropping it releases it.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
}

/// Who holds a lock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Tells this holding of the lock from any other.
    pub id: String,
    /// The machine.
    pub host: String,
    /// The process on it.
    pub pid: u32,
    /// The user.
    pub user: String,
    /// When it took the lock, in UTC.
    pub since: String,
    /// What it is doing.
    pub command: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.id.is_empty() {
            return f.write_str("a process that has not yet named itself");
        }
        write!(f, "`{}`, process {} of {} on {}, since {}", self.command, self.pid, self.user, self.host, self.since)
    }
}

impl Lock {
    pub(super) fn acquire(path: PathBuf, command: &str) -> Result<Self, StateError> {
        let io = |doing, error| StateError::Io { doing, path: path.clone(), error };
        loop {
            let mut file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .map_err(|error| io("open the lock", error))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let mut text = String::new();
                    let read = file.read_to_string(&mut text);
                    let holder = read.ok().and_then(|_| serde_json::from_str(&text).ok()).unwrap_or_default();
                    return Err(StateError::Locked { holder: Box::new(holder), path });
                }
                Err(TryLockError::Error(error)) => return Err(io("lock", error)),
            }
            // The last holder may have removed the file between our opening and locking it.
            if !is_same_file(&file, &path) {
                continue;
            }
            let holder = serde_json::to_vec(&me(command)).map_err(|error| io("name the holder in", error.into()))?;
            let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(&holder));
            written.map_err(|error| io("name the holder in", error))?;
            return Ok(Self { file, path });
        }
    }
}

impl Drop for Lock {
    /// Removed while still locked, so that nobody can lock the name that is going.
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
        let _ = self.file.unlock();
    }
}

#[cfg(unix)]
fn is_same_file(file: &File, path: &std::path::Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(named)) => open.ino() == named.ino() && open.dev() == named.dev(),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_same_file(_file: &File, path: &std::path::Path) -> bool {
    path.exists()
}

fn me(command: &str) -> Holder {
    let user = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok());
    Holder {
        id: uuid::Uuid::new_v4().to_string(),
        host: gethostname::gethostname().to_string_lossy().into_owned(),
        pid: std::process::id(),
        user: user.unwrap_or_else(|| "an unnamed user".to_owned()),
        since: jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        command: command.to_owned(),
    }
}
