//! A state's keeping, whatever keeps it: reading needs nothing, writing needs the lock.

use std::fmt;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::local::LocalStore;
use super::{LockInfo, Place, State, StateError, format};
use hlctl_model::Permit;

/// What a storage will answer.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StateError>> + Send + 'a>>;

/// What keeps a state: a file, or an object on a server.
///
/// The contract: a reader sees a whole state or none; of all [`lock`](Storage::lock)s of one place at most one holds at a time, over
/// all machines that use it; a lock that is lost writes nothing more.
pub trait Storage: fmt::Debug + Send + Sync {
    /// Where the state is.
    fn place(&self) -> Place;

    /// The file, if it is one of this machine.
    fn file(&self) -> Option<&LocalStore> {
        None
    }

    /// Reads the state; `None` if there is none.
    ///
    /// # Errors
    /// It cannot be read, is damaged, too new, or has moved elsewhere.
    fn read(&self) -> Answer<'_, Option<State>>;

    /// The state before this one, if it is whole.
    ///
    /// # Errors
    /// It cannot be read.
    fn read_backup(&self) -> Answer<'_, Option<State>>;

    /// The bytes that are there, whatever they are; `None` if there are none.
    ///
    /// # Errors
    /// They cannot be read.
    fn bytes(&self) -> Answer<'_, Option<Vec<u8>>>;

    /// Locks the state for one run of `command`.
    ///
    /// # Errors
    /// [`StateError::Locked`] names the holder; [`StateError::CannotLock`] says why nobody can lock it there.
    fn lock<'a>(&'a self, command: &'a str) -> Answer<'a, Arc<dyn StorageLock>>;

    /// Whether it first has to be proven that the state can be locked there.
    fn is_unproven(&self) -> bool {
        false
    }

    /// How long a run that waits for the lock pauses between two attempts.
    fn pause(&self) -> Duration;

    /// Who holds the lock.
    ///
    /// # Errors
    /// That cannot be found out.
    fn holder(&self) -> Answer<'_, Option<ObservedLock>>;

    /// Takes the lock away from this holder, who will notice before it writes again.
    ///
    /// # Errors
    /// Another holder has it by now, or it cannot be taken.
    fn break_lock<'a>(&'a self, holding: &'a ObservedLock) -> Answer<'a, ()>;
}

/// The lock of a [`Storage`], held by this run.
pub trait StorageLock: fmt::Debug + Send + Sync {
    /// Writes these bytes in place of what is there, which is kept as the backup. A `successor`, the state that they are, takes the
    /// place of an earlier state of the same stack only.
    ///
    /// # Errors
    /// They cannot be written, the lock is lost, or somebody else wrote meanwhile.
    fn write(self: Arc<Self>, bytes: Vec<u8>, successor: Option<State>) -> Answer<'static, ()>;

    /// Keeps these bytes, a stack as it was before it was destroyed; the state stays as it is. Nothing where the backup is that already.
    ///
    /// # Errors
    /// They cannot be written, or the lock is lost.
    fn keep_destroyed(&self, _bytes: &[u8]) -> Result<(), StateError> {
        Ok(())
    }

    /// Whether it is still this run's.
    fn holds(&self) -> Pin<Box<dyn Future<Output = bool> + Send + '_>>;

    /// Waits until it is known to be lost; for ever if it stays.
    fn lost(&self) -> Pin<Box<dyn Future<Output = StateError> + Send + '_>> {
        Box::pin(std::future::pending())
    }

    /// Gives it back.
    ///
    /// # Errors
    /// It could not be given back, and will have to be taken away.
    fn release(&self) -> Answer<'_, ()> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// A failure of the server that keeps a state, which only its storage can explain.
pub trait StorageError: std::error::Error + Send + Sync + 'static {
    /// The next step, where one is known.
    fn hint(&self) -> Option<String>;

    /// The server, where it is not the one that the place names by itself.
    fn endpoint_url(&self) -> Option<&str> {
        None
    }
}

/// A state's storage, as commands share it.
#[derive(Clone, Debug)]
pub struct Store(Arc<dyn Storage>);

impl<S: Storage + 'static> From<S> for Store {
    fn from(storage: S) -> Self {
        Self(Arc::new(storage))
    }
}

impl Deref for Store {
    type Target = dyn Storage;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl Store {
    /// Locks the state for one run of `command`.
    ///
    /// # Errors
    /// As [`Storage::lock`].
    pub async fn hold(&self, command: &str) -> Result<Held, StateError> {
        Ok(Held { lock: self.lock(command).await?, store: self.clone() })
    }

    /// Makes sure that the state can be locked, where that depends on the server: takes the lock and gives it back.
    ///
    /// # Errors
    /// As [`Storage::lock`], [`StateError::CannotLock`] above all; or the lock could not be given back.
    pub async fn prove(&self, command: &str) -> Result<(), StateError> {
        if self.is_unproven() { self.lock(command).await?.release().await } else { Ok(()) }
    }
}

/// The right to write a state; ends with [`Held::release`].
#[derive(Debug)]
pub struct Held {
    store: Store,
    lock: Arc<dyn StorageLock>,
}

/// A lock as another process finds it.
#[derive(Clone, Debug)]
pub struct ObservedLock {
    /// Whose.
    pub holder: LockInfo,
    /// Whether its holder seems to be gone.
    pub abandoned: bool,
    /// Of which version of the lock this was read, where it has versions.
    pub version: String,
}

impl ObservedLock {
    /// For others that read the state meanwhile.
    pub fn note(&self) -> String {
        let LockInfo { id, command, pid, user, host, since, .. } = &self.holder;
        if id.is_empty() {
            return "note: another run is active; what is shown may change".to_owned();
        }
        let run = format!("`{command}` (pid {pid} of {user} on {host})");
        if self.abandoned {
            return format!(
                "note: {run} has held the state's lock since {since} and its lease has expired; if it has died: {}",
                hlctl!("force-unlock", id)
            );
        }
        format!("note: {run} is running since {since}; what is shown may change")
    }
}

impl Held {
    /// Where the state is.
    pub fn place(&self) -> Place {
        self.store.place()
    }

    /// The store, for reading.
    pub fn store(&self) -> Store {
        self.store.clone()
    }

    /// Writes the state in place of the one with a lower serial, which is kept as the backup.
    ///
    /// # Errors
    /// The state cannot be written, the lock is lost, or somebody else wrote meanwhile.
    pub async fn write(self: Arc<Self>, state: State) -> Result<(), StateError> {
        let encoded = format::encode(&state);
        self.put(Some(state), encoded).await
    }

    /// Writes the state in place of whatever is there, which is kept as the backup.
    ///
    /// # Errors
    /// As [`Held::write`], but for what is there.
    pub async fn replace(self: Arc<Self>, state: State) -> Result<(), StateError> {
        self.put(None, format::encode(&state)).await
    }

    /// Keeps what a stack was before it was destroyed, where the backup is not that already.
    ///
    /// # Errors
    /// It cannot be written, or the lock is lost.
    pub fn keep_destroyed(&self, state: &State) -> Result<(), StateError> {
        let bytes = format::encode_destroyed(state).map_err(|error| self.not_encoded(error))?;
        self.lock.keep_destroyed(&bytes)
    }

    /// Leaves a note that the state is elsewhere from now on.
    ///
    /// # Errors
    /// As [`Held::replace`].
    pub async fn leave_note(self: Arc<Self>, to: Place) -> Result<(), StateError> {
        self.put(None, format::encode_moved(&to)).await
    }

    async fn put(&self, successor: Option<State>, encoded: serde_json::Result<Vec<u8>>) -> Result<(), StateError> {
        let place = self.place();
        let serial = successor.as_ref().map(|state| state.serial);
        tracing::debug!(%place, serial, "writing the state");
        let bytes = encoded.map_err(|error| self.not_encoded(error))?;
        let written = Arc::clone(&self.lock).write(bytes, successor).await;
        match &written {
            Ok(()) => tracing::debug!(%place, serial, "state written"),
            Err(error) => tracing::error!(%place, serial, %error, "state not written"),
        }
        written
    }

    fn not_encoded(&self, error: serde_json::Error) -> StateError {
        StateError::Io { doing: "encode", place: self.place(), error: error.into() }
    }

    /// Waits until the lock is known to be lost; for ever if it stays.
    pub async fn lost(&self) -> StateError {
        self.lock.lost().await
    }

    /// Gives the lock back.
    ///
    /// # Errors
    /// It could not be given back, and will have to be taken away.
    pub async fn release(&self) -> Result<(), StateError> {
        self.lock.release().await
    }
}

/// A run that lost its lock sends nothing more, however long it was stopped before it goes on.
impl Permit for Held {
    fn holds(&self) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        self.lock.holds()
    }
}
