//! The state as a file next to the configuration: written under another name, synced, renamed; the previous one kept.

use std::fs;
use std::future::{Future, ready};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempPath;

use super::lock::{FileLock, LockInfo};
use super::store::{Answer, ObservedLock, Storage, StorageLock};
use super::{Place, State, StateError, format};
use crate::whole_file::{StagedFile, create_directories, directory_of};

/// A state file and its neighbours: `<file>.backup` and `<file>.lock`.
#[derive(Clone, Debug)]
pub struct LocalStore {
    path: PathBuf,
    /// Whether it was named by a link to it.
    is_linked: bool,
}

impl LocalStore {
    /// The store at this path, or, if that is a link, where it leads; touches nothing.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        // Renaming over a link would put a file in its place, and the place it leads to would stay behind.
        let target = fs::read_link(&path).ok().map(|target| path.with_file_name(target));
        let is_linked = target.is_some();
        let path = fs::canonicalize(&path).ok().filter(|_| is_linked).or(target).unwrap_or(path);
        Self { path, is_linked }
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
    /// The file cannot be read, or is damaged, or too new, or only says where the state has moved.
    pub fn read(&self) -> Result<Option<State>, StateError> {
        let Some(bytes) = self.bytes()? else { return self.read_missing() };
        format::decode(&bytes, &self.place()).map(Some).map_err(|error| match error {
            StateError::Damaged { place, problem, .. } => {
                StateError::Damaged { place, problem, backup: self.whole_backup() }
            }
            other => other,
        })
    }

    /// The bytes that are there; `None` if there are none.
    ///
    /// # Errors
    /// The file cannot be read, is something else than a file, or is behind a link that leads nowhere.
    pub fn bytes(&self) -> Result<Option<Vec<u8>>, StateError> {
        self.check_link()?;
        // Reading a pipe would wait for its writer, and a device may never end.
        let found =
            fs::metadata(&self.path).and_then(|found| found.is_file().then(|| fs::read(&self.path)).transpose());
        match found {
            Ok(Some(bytes)) => Ok(Some(bytes)),
            Ok(None) => Err(StateError::NotAFile { place: self.place() }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io("read", &self.path, error)),
        }
    }

    /// A link into a directory that is not there may lead to a state on a disk that is not mounted; starting over would make
    /// everything twice.
    fn check_link(&self) -> Result<(), StateError> {
        if self.is_linked && !self.directory().is_dir() {
            return Err(StateError::Unreachable { place: self.place() });
        }
        Ok(())
    }

    /// No state but a backup: somebody moved or deleted the state, and starting over would make everything twice.
    fn read_missing(&self) -> Result<Option<State>, StateError> {
        if self.read_backup()?.is_none_or(|state| state.is_empty()) || self.was_destroyed() {
            return Ok(None);
        }
        Err(StateError::Damaged {
            place: self.place(),
            problem: "it is missing, but its backup exists".to_owned(),
            backup: self.whole_backup(),
        })
    }

    /// The state before this one, if it is whole.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read_backup(&self) -> Result<Option<State>, StateError> {
        let backup = Self { path: self.backup_path(), is_linked: false };
        Ok(backup.bytes()?.and_then(|bytes| format::decode(&bytes, &backup.place()).ok()))
    }

    fn was_destroyed(&self) -> bool {
        fs::read(self.backup_path()).is_ok_and(|bytes| format::is_destroyed(&bytes))
    }

    /// Keeps these bytes as the backup, the state staying as it is.
    ///
    /// # Errors
    /// The file cannot be written, or the lock was taken away.
    pub fn keep_as_backup(&self, bytes: &[u8], lock: &FileLock) -> Result<(), StateError> {
        let backup = self.backup_path();
        let failed = |error| io("keep the backup", &backup, error);
        let staged = StagedFile::write(&backup, &self.unfinished_prefix(), bytes).map_err(failed)?;
        lock.check()?;
        staged.put_in_place(&backup).map_err(failed)
    }

    fn whole_backup(&self) -> Option<Place> {
        self.read_backup().ok()?.map(|_| self.backup_path().into())
    }

    fn place(&self) -> Place {
        self.path.as_path().into()
    }

    /// The file that a run locks.
    pub fn lock_path(&self) -> PathBuf {
        with_suffix(&self.path, ".lock")
    }

    /// Locks the state for one run; makes its directory first.
    ///
    /// # Errors
    /// [`StateError::Locked`] names the holder; or the state is behind a link that leads nowhere.
    pub fn lock(&self, command: &str) -> Result<FileLock, StateError> {
        self.check_link()?;
        create_directories(self.directory()).map_err(|error| io("create the directory of", &self.path, error))?;
        let lock = FileLock::acquire(self.lock_path(), command)?;
        self.clear_away();
        Ok(lock)
    }

    /// Who holds the lock.
    ///
    /// # Errors
    /// The lock cannot be read.
    pub fn holder(&self) -> Result<Option<ObservedLock>, StateError> {
        let holder = FileLock::holder(&self.lock_path())?;
        Ok(holder.map(|holder| ObservedLock { holder, abandoned: false, version: String::new() }))
    }

    /// Takes the lock away from this holder.
    ///
    /// # Errors
    /// Another one has it by now, or the file cannot be removed.
    pub fn break_lock(&self, holder: &LockInfo) -> Result<(), StateError> {
        match FileLock::holder(&self.lock_path())? {
            Some(now) if now.id == holder.id => {
                FileLock::take_away(&self.lock_path())?;
                // A write that the last holder had already begun has nothing any more to put in the state's place.
                self.clear_away();
                Ok(())
            }
            Some(now) => {
                Err(StateError::Locked { holder: Box::new(now), lock: self.lock_path().into(), abandoned: false })
            }
            None => Ok(()),
        }
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
        directory_of(&self.path)
    }

    /// Names of this state's files until they are whole.
    fn unfinished_prefix(&self) -> String {
        format!(".{}.unfinished-", self.path.file_name().unwrap_or_default().to_string_lossy())
    }

    /// Writes in place of what is there, which becomes the backup. A `successor` takes the place of an earlier state of
    /// the same stack only.
    ///
    /// The file is whole at every instant: a crash leaves the old or the new one.
    ///
    /// # Errors
    /// The file cannot be written, the lock was taken away, or something else is there by now.
    pub fn write(&self, bytes: &[u8], successor: Option<&State>, lock: &FileLock) -> Result<(), StateError> {
        let staged = self.write_staged(bytes)?;
        // A write that cannot be finished because the lock was taken away, and the unfinished file with it, failed for want of the lock.
        self.put_in_place(staged, successor, lock).map_err(|error| lock.check().err().unwrap_or(error))
    }

    fn write_staged(&self, bytes: &[u8]) -> Result<StagedFile, StateError> {
        StagedFile::write(&self.path, &self.unfinished_prefix(), bytes)
            .map_err(|error| io("write a new file next to", &self.path, error))
    }

    fn put_in_place(&self, staged: StagedFile, successor: Option<&State>, lock: &FileLock) -> Result<(), StateError> {
        if let Some(successor) = successor {
            self.check_precedes(successor)?;
        }
        let previous = self.link_previous()?;
        // This process may have been stopped for long. The run that takes the lock away removes the unfinished files after it,
        // so that from here on there is nothing left to be put in place once the lock is gone.
        lock.check()?;
        if let Some(previous) = previous {
            let backup = self.backup_path();
            previous.persist(&backup).map_err(|error| io("keep the backup", &backup, error.error))?;
        }
        staged.put_in_place(&self.path).map_err(|error| io("replace", &self.path, error))
    }

    fn check_precedes(&self, successor: &State) -> Result<(), StateError> {
        let Some(bytes) = self.bytes()? else { return Ok(()) };
        let there = format::decode(&bytes, &self.place())?;
        if there.lineage == successor.lineage && there.serial < successor.serial {
            return Ok(());
        }
        Err(StateError::Overtaken { place: self.place() })
    }

    /// A second name for the present file, which stays in place all the while. A damaged state does not take the place of a
    /// whole backup, and has none.
    fn link_previous(&self) -> Result<Option<TempPath>, StateError> {
        let is_whole = self.bytes()?.is_some_and(|bytes| format::decode(&bytes, &self.place()).is_ok());
        if !is_whole {
            return Ok(None);
        }
        let second = self.directory().join(format!("{}{}", self.unfinished_prefix(), uuid::Uuid::new_v4()));
        let second =
            TempPath::try_from_path(second).map_err(|error| io("prepare the backup next to", &self.path, error))?;
        let linked = fs::hard_link(&self.path, &second).or_else(|_| fs::copy(&self.path, &second).map(|_| ()));
        linked.map_err(|error| io("keep the backup of", &self.path, error))?;
        Ok(Some(second))
    }
}

/// How long a run that waits for the lock of a file pauses between two attempts.
const PAUSE: Duration = Duration::from_millis(200);

impl Storage for LocalStore {
    fn place(&self) -> Place {
        self.place()
    }

    fn file(&self) -> Option<&LocalStore> {
        Some(self)
    }

    fn read(&self) -> Answer<'_, Option<State>> {
        Box::pin(ready(self.read()))
    }

    fn read_backup(&self) -> Answer<'_, Option<State>> {
        Box::pin(ready(self.read_backup()))
    }

    fn bytes(&self) -> Answer<'_, Option<Vec<u8>>> {
        Box::pin(ready(self.bytes()))
    }

    fn lock<'a>(&'a self, command: &'a str) -> Answer<'a, Arc<dyn StorageLock>> {
        let locked = self
            .lock(command)
            .map(|lock| -> Arc<dyn StorageLock> { Arc::new(LockedFile { store: self.clone(), lock }) });
        Box::pin(ready(locked))
    }

    fn pause(&self) -> Duration {
        PAUSE
    }

    fn holder(&self) -> Answer<'_, Option<ObservedLock>> {
        Box::pin(ready(self.holder()))
    }

    fn break_lock<'a>(&'a self, holding: &'a ObservedLock) -> Answer<'a, ()> {
        Box::pin(ready(self.break_lock(&holding.holder)))
    }
}

/// A state file whose lock this run holds. The lock ends when this is dropped.
#[derive(Debug)]
struct LockedFile {
    store: LocalStore,
    lock: FileLock,
}

impl StorageLock for LockedFile {
    fn write(self: Arc<Self>, bytes: Vec<u8>, successor: Option<State>) -> Answer<'static, ()> {
        Box::pin(async move {
            let place = self.store.place();
            // A disk may take long to sync; the tasks of an apply go on meanwhile.
            let written =
                tokio::task::spawn_blocking(move || self.store.write(&bytes, successor.as_ref(), &self.lock)).await;
            let died = |error| StateError::Io { doing: "write", place, error: std::io::Error::other(error) };
            written.unwrap_or_else(|error| Err(died(error)))
        })
    }

    fn keep_destroyed(&self, bytes: &[u8]) -> Result<(), StateError> {
        self.store.keep_as_backup(bytes, &self.lock)
    }

    fn holds(&self) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        Box::pin(ready(self.lock.check().is_ok()))
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn io(doing: &'static str, path: &Path, error: std::io::Error) -> StateError {
    StateError::Io { doing, place: path.into(), error }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use crate::state::Home;
    use hlctl_config::ForceDestroy;
    use hlctl_model::{Identity, Settings};

    fn state() -> State {
        let identity = Identity {
            account: "111122223333".into(),
            region: "us-east-1".into(),
            partition: "aws".into(),
            caller: String::new(),
        };
        State::new(
            "fhir",
            Home::Aws,
            identity,
            Settings { kms_deletion_window_in_days: 30, force_destroy: ForceDestroy::No },
        )
    }

    fn write(store: &LocalStore, state: &State, lock: &FileLock) {
        store.write(&format::encode(state).unwrap(), Some(state), lock).unwrap();
    }

    #[test]
    fn a_state_that_somebody_else_wrote_is_not_written_over() {
        let directory = tempfile::tempdir().unwrap();
        let store = LocalStore::new(directory.path().join("s.json"));
        let lock = store.lock("test").unwrap();
        let first = State { serial: 5, ..state() };
        write(&store, &first, &lock);
        for other in [state(), State { serial: 5, ..first.clone() }, State { serial: 4, ..first.clone() }] {
            let bytes = format::encode(&other).unwrap();
            assert!(matches!(store.write(&bytes, Some(&other), &lock), Err(StateError::Overtaken { .. })));
        }
        assert_eq!(store.read().unwrap(), Some(first));
    }

    #[test]
    fn a_holder_whose_lock_was_taken_away_writes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let store = LocalStore::new(directory.path().join("s.json"));
        let first = store.lock("slow").unwrap();
        let holding = store.holder().unwrap().unwrap();
        assert_eq!(holding.holder.command, "slow");
        store.break_lock(&holding.holder).unwrap();
        let state = state();
        let bytes = format::encode(&state).unwrap();
        assert!(matches!(store.write(&bytes, Some(&state), &first), Err(StateError::LockLost { .. })));
        assert_eq!(store.read().unwrap(), None);
        let next = store.lock("next").unwrap();
        drop(first);
        assert_eq!(store.holder().unwrap().unwrap().holder.command, "next");
        write(&store, &state, &next);
    }

    #[test]
    fn a_write_in_whose_middle_the_lock_is_taken_away_is_not_finished() {
        let directory = tempfile::tempdir().unwrap();
        let store = LocalStore::new(directory.path().join("s.json"));
        let first = store.lock("slow").unwrap();
        let staged = store.write_staged(b"half").unwrap();
        store.break_lock(&store.holder().unwrap().unwrap().holder).unwrap();
        // Even past every look at the lock there is nothing any more to put in the state's place.
        assert_eq!(staged.put_in_place(store.path()).unwrap_err().kind(), ErrorKind::NotFound);
        drop(first);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn the_previous_state_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let store = LocalStore::new(directory.path().join("s.json"));
        let lock = store.lock("test").unwrap();
        let first = State { serial: 1, ..state() };
        let second = State { serial: 2, ..first.clone() };
        write(&store, &first, &lock);
        write(&store, &second, &lock);
        assert_eq!(store.read().unwrap(), Some(second));
        assert_eq!(LocalStore::new(store.backup_path()).read().unwrap(), Some(first));
    }

    #[test]
    fn a_damaged_state_names_its_backup_and_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let store = LocalStore::new(directory.path().join("s.json"));
        let lock = store.lock("test").unwrap();
        let first = state();
        write(&store, &first, &lock);
        write(&store, &State { serial: 1, ..first }, &lock);
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
        let state = state();
        for serial in 1..3 {
            let store = LocalStore::new(&link);
            let lock = store.lock("test").unwrap();
            write(&store, &State { serial, ..state.clone() }, &lock);
        }
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(LocalStore::new(shared).read().unwrap().unwrap().serial, 2);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_into_a_directory_that_is_not_there_is_not_taken_for_a_new_state() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("s.json");
        std::os::unix::fs::symlink("unmounted/s.json", &link).unwrap();
        let store = LocalStore::new(&link);
        assert!(matches!(store.read(), Err(StateError::Unreachable { .. })));
        assert!(matches!(store.lock("test"), Err(StateError::Unreachable { .. })));
        assert!(!directory.path().join("unmounted").exists());
        fs::create_dir(directory.path().join("unmounted")).unwrap();
        let state = state();
        write(&store, &state, &store.lock("test").unwrap());
        assert_eq!(LocalStore::new(link).read().unwrap(), Some(state));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_not_a_file_is_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        for path in [directory.path(), pipe.as_path()] {
            assert!(matches!(LocalStore::new(path).read(), Err(StateError::NotAFile { .. })));
        }
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
