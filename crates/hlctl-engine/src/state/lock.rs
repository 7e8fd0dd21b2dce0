//! The lock of a local state: one run at a time, and everyone can see whose.
//!
//! The lock is the operating system's, on a file that names the holder. It ends with the process, however that ends.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::StateError;

/// A held lock of a file; dropping it releases it.
#[derive(Debug)]
pub struct FileLock {
    file: File,
    path: PathBuf,
    id: String,
}

/// Who holds a lock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockInfo {
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
    /// For so long after each renewal a lock in S3 is surely held. A file's lock ends with its process.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lease_in_seconds: Option<u64>,
    /// When a lock in S3 was last renewed, in UTC.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub renewed: Option<String>,
    /// When a lock in S3 was released that could not be deleted, in UTC: then it is no lock any more.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub released: Option<String>,
}

impl LockInfo {
    /// The present moment as a holder gives it, in UTC.
    pub fn now() -> String {
        jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
    }

    /// This process, about to run `command`.
    pub fn me(command: &str) -> Self {
        Self {
            id: uuid::Uuid::new_v4().to_string(),
            host: host(),
            pid: std::process::id(),
            user: user(),
            since: Self::now(),
            command: command.to_owned(),
            lease_in_seconds: None,
            renewed: None,
            released: None,
        }
    }

    /// Whether this process holds it.
    pub fn is_this_process(&self) -> bool {
        self.pid == std::process::id() && self.host == host()
    }
}

fn host() -> String {
    gethostname::gethostname().to_string_lossy().into_owned()
}

/// Who runs this process: as the environment says, or, where it does not (cron, containers, CI), as the system does.
fn user() -> String {
    let set = |name: &&str| std::env::var(name).ok().filter(|value| !value.is_empty());
    ["USER", "LOGNAME", "USERNAME"].iter().find_map(set).unwrap_or_else(account)
}

#[cfg(unix)]
fn account() -> String {
    let uid = nix::unistd::Uid::effective();
    nix::unistd::User::from_uid(uid).ok().flatten().map_or_else(|| format!("uid {uid}"), |user| user.name)
}

#[cfg(not(unix))]
fn account() -> String {
    "an unnamed user".to_owned()
}

impl fmt::Display for LockInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.id.is_empty() {
            return f.write_str("a process that has not yet written its name");
        }
        write!(f, "`{}`, process {} of {} on {}, since {}", self.command, self.pid, self.user, self.host, self.since)?;
        self.renewed.as_ref().map_or(Ok(()), |renewed| write!(f, ", last renewed {renewed}"))
    }
}

impl FileLock {
    pub(super) fn acquire(path: PathBuf, command: &str) -> Result<Self, StateError> {
        let io = |doing, error| StateError::Io { doing, place: path.clone().into(), error };
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
                // Somebody only looks whether it is held, and will be done in a moment.
                Err(TryLockError::WouldBlock) if file.try_lock_shared().is_ok() => {
                    std::thread::yield_now();
                    continue;
                }
                Err(TryLockError::WouldBlock) => {
                    let mut text = String::new();
                    let read = file.read_to_string(&mut text);
                    let holder = read.ok().and_then(|_| serde_json::from_str(&text).ok()).unwrap_or_default();
                    return Err(StateError::Locked { holder: Box::new(holder), lock: path.into(), abandoned: false });
                }
                Err(TryLockError::Error(error)) => return Err(io("lock", error)),
            }
            // The last holder may have removed the file between our opening and locking it.
            if !is_same_file(&file, &path) {
                continue;
            }
            let me = LockInfo::me(command);
            let holder = serde_json::to_vec(&me).map_err(|error| io("name the holder in", error.into()))?;
            let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(&holder));
            written.map_err(|error| io("name the holder in", error))?;
            return Ok(Self { file, path, id: me.id });
        }
    }

    /// Who holds the lock at `path`.
    pub(super) fn holder(path: &Path) -> Result<Option<LockInfo>, StateError> {
        let io = |error| StateError::Io { doing: "read the lock", place: path.into(), error };
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io(error)),
        };
        match file.try_lock_shared() {
            // It is left over from a process that was killed.
            Ok(()) => return Ok(None),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(io)?;
        Ok(Some(serde_json::from_str(&text).unwrap_or_default()))
    }

    /// Makes room for another lock at `path`; the holder of this one notices before it writes.
    pub(super) fn take_away(path: &Path) -> Result<(), StateError> {
        fs::remove_file(path).map_err(|error| StateError::Io { doing: "remove the lock", place: path.into(), error })
    }

    /// Makes sure that nobody has taken the lock away.
    ///
    /// # Errors
    /// [`StateError::LockLost`]
    pub(super) fn check(&self) -> Result<(), StateError> {
        if is_same_file(&self.file, &self.path) {
            return Ok(());
        }
        Err(StateError::LockLost { place: self.path.as_path().into(), id: self.id.clone() })
    }
}

impl Drop for FileLock {
    /// Removed while still locked, so that nobody can lock the name that is going; unless it is another's by now.
    fn drop(&mut self) {
        if self.check().is_ok() {
            let _ = fs::remove_file(&self.path);
        }
        let _ = self.file.unlock();
    }
}

#[cfg(unix)]
fn is_same_file(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(named)) => open.ino() == named.ino() && open.dev() == named.dev(),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_same_file(_file: &File, path: &Path) -> bool {
    path.exists()
}
