//! The state as a file beside the configuration: written beside, synced, renamed; the previous one kept.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::lock::Lock;
use super::{State, StateError, format};

/// A state file and its neighbours: `<file>.backup` and `<file>.lock`.
#[derive(Clone, Debug)]
pub struct LocalStore {
    path: PathBuf,
}

impl LocalStore {
    /// The store at this path, or, if that is a link, where it leads; touches nothing.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        // Renaming over a link would put a file in its place, and the place it leads to would stay behind.
        let target = fs::read_link(&path).ok().map(|target| path.with_file_name(target));
        let path = fs::canonicalize(&path).ok().filter(|_| target.is_some()).or(target).unwrap_or(path);
        Self { path }
    }

    /// The state file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The previous state.
    pub fn backup_path(&self) -> PathBuf {
        with_suffix(&self.path, ".backup")
    }

    /// Reads the state; `None` if there is none.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged, or too new.
    pub fn read(&self) -> Result<Option<State>, StateError> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return self.read_missing(),
            Err(error) => return Err(io("read", &self.path, error)),
        };
        format::decode(&bytes, &self.path).map(Some).map_err(|error| match error {
            StateError::Damaged { path, problem, .. } => {
                StateError::Damaged { path, problem, backup: self.whole_backup() }
            }
            other => other,
        })
    }

    /// No state but a backup: somebody moved or deleted the state, and starting anew would make everything twice.
    fn read_missing(&self) -> Result<Option<State>, StateError> {
        match self.whole_backup() {
            Some(backup) if !self.backup_is_of_an_empty_stack(&backup) => Err(StateError::Damaged {
                path: self.path.clone(),
                problem: "it is gone, but its backup is there".to_owned(),
                backup: Some(backup),
            }),
            _ => Ok(None),
        }
    }

    fn backup_is_of_an_empty_stack(&self, backup: &Path) -> bool {
        fs::read(backup)
            .ok()
            .and_then(|bytes| format::decode(&bytes, backup).ok())
            .is_some_and(|state| state.is_empty())
    }

    fn whole_backup(&self) -> Option<PathBuf> {
        let backup = self.backup_path();
        let bytes = fs::read(&backup).ok()?;
        format::decode(&bytes, &backup).ok().map(|_| backup)
    }

    /// Locks the state for one run.
    ///
    /// # Errors
    /// [`StateError::Locked`] names the holder.
    pub fn lock(&self, command: &str) -> Result<Lock, StateError> {
        let lock = Lock::acquire(with_suffix(&self.path, ".lock"), command)?;
        self.clear_away();
        Ok(lock)
    }

    /// What runs that were killed in the middle of a write have left; nobody else writes while we hold the lock.
    fn clear_away(&self) {
        let prefix = self.unfinished_prefix();
        let entries = fs::read_dir(self.directory()).into_iter().flatten().flatten();
        for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(&prefix)) {
            let _ = fs::remove_file(entry.path());
        }
    }

    fn directory(&self) -> &Path {
        self.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    /// Names of this state's files until they are whole.
    fn unfinished_prefix(&self) -> String {
        format!(".{}.unfinished-", self.path.file_name().unwrap_or_default().to_string_lossy())
    }

    /// Writes the state in place of the one with the serial before it, which becomes the backup.
    ///
    /// The file is whole at every instant: a crash leaves the old or the new one.
    ///
    /// # Errors
    /// The file cannot be written, or somebody else wrote it meanwhile.
    pub fn write(&self, state: &State, _lock: &Lock) -> Result<(), StateError> {
        let bytes = format::encode(state).map_err(|error| io("encode", &self.path, error.into()))?;
        let directory = self.directory();
        let mut beside = tempfile::Builder::new()
            .prefix(&self.unfinished_prefix())
            .tempfile_in(directory)
            .map_err(|error| io("write beside", &self.path, error))?;
        beside.write_all(&bytes).map_err(|error| io("write", &self.path, error))?;
        beside.as_file().sync_all().map_err(|error| io("sync", &self.path, error))?;
        self.keep_previous(directory)?;
        beside.persist(&self.path).map_err(|error| io("replace", &self.path, error.error))?;
        sync_directory(directory).map_err(|error| io("sync the directory of", &self.path, error))
    }

    /// A second name for the present file, moved over the backup; the present file stays in place all the while.
    fn keep_previous(&self, directory: &Path) -> Result<(), StateError> {
        if !self.path.exists() {
            return Ok(());
        }
        let backup = self.backup_path();
        let second = directory.join(format!("{}{}", self.unfinished_prefix(), uuid::Uuid::new_v4()));
        let linked = fs::hard_link(&self.path, &second).or_else(|_| fs::copy(&self.path, &second).map(|_| ()));
        linked.and_then(|()| fs::rename(&second, &backup)).map_err(|error| io("keep the backup", &backup, error))
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn sync_directory(directory: &Path) -> std::io::Result<()> {
    File::open(directory)?.sync_all()
}

fn io(doing: &'static str, path: &Path, error: std::io::Error) -> StateError {
    StateError::Io { doing, path: path.to_owned(), error }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use crate::resource::{Identity, Settings};
    use crate::state::Home;

    fn state() -> State {
        let identity = Identity {
            account: "111122223333".into(),
            region: "us-east-1".into(),
            partition: "aws".into(),
            caller: String::new(),
        };
        State::new("fhir", Home::Aws, identity, Settings { kms_deletion_window_in_days: 30, force_destroy: false })
    }

    #[test]
    fn the_previous_state_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let store = LocalStore::new(directory.path().join("s.json"));
        let lock = store.lock("test").unwrap();
        let first = State { serial: 1, ..state() };
        let second = State { serial: 2, ..first.clone() };
        store.write(&first, &lock).unwrap();
        store.write(&second, &lock).unwrap();
        assert_eq!(store.read().unwrap(), Some(second));
        assert_eq!(LocalStore::new(store.backup_path()).read().unwrap(), Some(first));
    }

    #[test]
    fn a_damaged_state_names_its_backup_and_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let store = LocalStore::new(directory.path().join("s.json"));
        let lock = store.lock("test").unwrap();
        store.write(&state(), &lock).unwrap();
        store.write(&state(), &lock).unwrap();
        fs::write(store.path(), "{").unwrap();
        assert!(matches!(store.read(), Err(StateError::Damaged { backup: Some(_), .. })));
        assert_eq!(fs::read_to_string(store.path()).unwrap(), "{");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_state_stays_a_link() {
        let directory = tempfile::tempdir().unwrap();
        let shared = directory.path().join("shared.json");
        let link = directory.path().join("s.json");
        std::os::unix::fs::symlink("shared.json", &link).unwrap();
        for serial in 1..3 {
            let store = LocalStore::new(&link);
            let lock = store.lock("test").unwrap();
            store.write(&State { serial, ..state() }, &lock).unwrap();
        }
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(LocalStore::new(shared).read().unwrap().unwrap().serial, 2);
    }

    #[test]
    fn what_a_killed_write_left_goes_with_the_next_lock_and_another_states_files_stay() {
        let directory = tempfile::tempdir().unwrap();
        let store = LocalStore::new(directory.path().join("s.json"));
        let (ours, anothers) = (".s.json.unfinished-x", ".t.json.unfinished-x");
        for name in [ours, anothers] {
            fs::write(directory.path().join(name), "half").unwrap();
        }
        let _lock = store.lock("test").unwrap();
        assert!(!directory.path().join(ours).exists());
        assert!(directory.path().join(anothers).exists());
    }

    #[test]
    fn one_lock_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let store = LocalStore::new(directory.path().join("s.json"));
        let lock = store.lock("hlctl apply").unwrap();
        let Err(StateError::Locked { holder, .. }) = store.lock("other") else { panic!("locked twice") };
        assert_eq!(holder.command, "hlctl apply");
        drop(lock);
        store.lock("other").unwrap();
    }
}
