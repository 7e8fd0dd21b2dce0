//! A state's keeping, whichever it is: reading needs nothing, writing needs the lock.

use std::pin::Pin;
use std::sync::Arc;

use super::lease::Lease;
use super::local::LocalStore;
use super::lock::FileLock;
use super::s3::S3Store;
use super::{Place, State, StateError, format};
use crate::model::Permit;

/// Where a state is kept and how it is read.
#[derive(Clone, Debug)]
pub enum Store {
    /// A file.
    Local(LocalStore),
    /// An object in S3.
    S3(S3Store),
}

/// The right to write a state; ends with [`Held::release`].
#[derive(Debug)]
pub enum Held {
    /// Of a file.
    Local(LocalStore, FileLock),
    /// Of an object in S3.
    S3(S3Store, Lease),
}

impl Store {
    /// Where the state is.
    pub fn place(&self) -> Place {
        match self {
            Self::Local(store) => store.path().into(),
            Self::S3(store) => store.place(),
        }
    }

    /// Reads the state; `None` if there is none.
    ///
    /// # Errors
    /// It cannot be read, is damaged, too new, or has moved elsewhere.
    pub async fn read(&self) -> Result<Option<State>, StateError> {
        match self {
            Self::Local(store) => store.read(),
            Self::S3(store) => Box::pin(store.read()).await,
        }
    }

    /// The state before this one, if it is whole.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn read_backup(&self) -> Result<Option<State>, StateError> {
        match self {
            Self::Local(store) => store.read_backup(),
            Self::S3(store) => Box::pin(store.read_backup()).await,
        }
    }

    /// The bytes that are there, whatever they are; `None` if there are none.
    ///
    /// # Errors
    /// They cannot be read.
    pub async fn bytes(&self) -> Result<Option<Vec<u8>>, StateError> {
        match self {
            Self::Local(store) => store.bytes(),
            Self::S3(store) => Box::pin(store.bytes()).await,
        }
    }

    /// Locks the state for one run of `command`.
    ///
    /// # Errors
    /// [`StateError::Locked`] names the holder.
    pub async fn lock(&self, command: &str) -> Result<Held, StateError> {
        match self {
            Self::Local(store) => Ok(Held::Local(store.clone(), store.lock(command)?)),
            Self::S3(store) => Ok(Held::S3(store.clone(), Box::pin(store.lock(command)).await?)),
        }
    }

    /// Makes sure that the state can be locked, where that depends on the server: takes the lock and gives it back.
    ///
    /// # Errors
    /// As [`Store::lock`], [`StateError::CannotLock`] above all; or the lock could not be given back.
    pub async fn prove(&self, command: &str) -> Result<(), StateError> {
        match self {
            Self::S3(store) if store.is_unproven() => Box::pin(store.lock(command)).await?.release().await,
            Self::S3(_) | Self::Local(_) => Ok(()),
        }
    }

    /// Who holds the lock.
    ///
    /// # Errors
    /// That cannot be found out.
    pub async fn holder(&self) -> Result<Option<Holding>, StateError> {
        match self {
            Self::Local(store) => store.holder(),
            Self::S3(store) => Box::pin(store.holder()).await,
        }
    }

    /// Takes the lock away from this holder, who will notice before it writes again.
    ///
    /// # Errors
    /// Another holder has it by now, or it cannot be taken.
    pub async fn break_lock(&self, holding: &Holding) -> Result<(), StateError> {
        match self {
            Self::Local(store) => store.break_lock(&holding.holder),
            Self::S3(store) => Box::pin(store.break_lock(holding)).await,
        }
    }
}

/// A lock as another process finds it.
#[derive(Clone, Debug)]
pub struct Holding {
    /// Whose.
    pub holder: super::Holder,
    /// Whether its holder seems to be gone.
    pub abandoned: bool,
    /// Of which version of the lock this was read.
    pub(super) version: String,
}

impl Holding {
    /// For others that read the state meanwhile.
    pub fn note(&self) -> String {
        let super::Holder { id, command, pid, user, host, since, .. } = &self.holder;
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
        match self {
            Self::Local(store, _) => store.path().into(),
            Self::S3(store, _) => store.place(),
        }
    }

    /// The store, for reading.
    pub fn store(&self) -> Store {
        match self {
            Self::Local(store, _) => Store::Local(store.clone()),
            Self::S3(store, _) => Store::S3(store.clone()),
        }
    }

    /// Writes the state in place of the one with a lower serial, which is kept as the backup.
    ///
    /// # Errors
    /// The state cannot be written, the lock is lost, or somebody else wrote meanwhile.
    pub async fn write(self: Arc<Self>, state: State) -> Result<(), StateError> {
        self.put(Some(state.clone()), move || format::encode(&state)).await
    }

    /// Writes the state in place of whatever is there, which is kept as the backup.
    ///
    /// # Errors
    /// As [`Held::write`], but for what is there.
    pub async fn replace(self: Arc<Self>, state: State) -> Result<(), StateError> {
        self.put(None, move || format::encode(&state)).await
    }

    /// Keeps what a stack was before it was destroyed. In S3 the backup is that already.
    ///
    /// # Errors
    /// It cannot be written, or the lock is lost.
    pub fn keep_destroyed(&self, state: &State) -> Result<(), StateError> {
        let Self::Local(store, lock) = self else { return Ok(()) };
        let failed =
            |error: serde_json::Error| StateError::Io { doing: "encode", place: self.place(), error: error.into() };
        store.keep_as_backup(&format::encode_destroyed(state).map_err(failed)?, lock)
    }

    /// Leaves a note that the state is elsewhere from now on.
    ///
    /// # Errors
    /// As [`Held::replace`].
    pub async fn leave_note(self: Arc<Self>, to: Place) -> Result<(), StateError> {
        self.put(None, move || format::encode_moved(&to)).await
    }

    async fn put(
        self: Arc<Self>,
        successor: Option<State>,
        encode: impl FnOnce() -> Result<Vec<u8>, serde_json::Error>,
    ) -> Result<(), StateError> {
        let place = self.place();
        let io = |doing, error| StateError::Io { doing, place: place.clone(), error };
        tracing::debug!(%place, serial = successor.as_ref().map(|state| state.serial), "writing the state");
        let bytes = encode().map_err(|error| io("encode", error.into()))?;
        if let Self::S3(store, lease) = &*self {
            // Apart, for the compiler looks into futures only so deep.
            return Box::pin(store.write(bytes, lease)).await;
        }
        let held = Arc::clone(&self);
        let written = tokio::task::spawn_blocking(move || match &*held {
            Self::Local(store, lock) => store.write(&bytes, successor.as_ref(), lock),
            Self::S3(..) => Ok(()),
        });
        written.await.unwrap_or_else(|error| Err(io("write", std::io::Error::other(error))))
    }

    /// Waits until the lock is known to be lost; for ever if it stays.
    pub async fn lost(&self) -> StateError {
        match self {
            Self::Local(..) => std::future::pending().await,
            Self::S3(_, lease) => lease.lost().await,
        }
    }

    async fn is_ours(&self) -> bool {
        match self {
            Self::Local(_, lock) => lock.check().is_ok(),
            Self::S3(_, lease) => lease.holds().await,
        }
    }

    /// Gives the lock back.
    ///
    /// # Errors
    /// It could not be given back, and will have to be taken away.
    pub async fn release(&self) -> Result<(), StateError> {
        match self {
            // The file goes when this is dropped.
            Self::Local(..) => Ok(()),
            Self::S3(_, lease) => lease.release().await,
        }
    }
}

/// A run that lost its lock sends nothing more, however long it was stopped before it goes on.
impl Permit for Held {
    fn holds(&self) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        Box::pin(self.is_ours())
    }
}
