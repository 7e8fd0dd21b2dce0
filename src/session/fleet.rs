//! What the stacks of one run share: the account's turn at making stores, the sandbox, and the user's word.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::error::CommandError;
use crate::sandbox::{self, Emulator};
use hlctl_aws::Gate;
use hlctl_resources::Identity;

/// Several stacks at once.
#[derive(Debug)]
pub struct Fleet {
    gates: Mutex<BTreeMap<(String, String), Arc<Gate>>>,
    sandboxes: Mutex<BTreeMap<PathBuf, Emulator>>,
    /// How many stacks wait for the user's word.
    asking: watch::Sender<usize>,
    word: watch::Sender<Option<bool>>,
    /// By configuration, the names given with `--allow-destroy` that nothing in its stack has.
    unknown_names: Mutex<BTreeMap<PathBuf, BTreeSet<String>>>,
}

impl Default for Fleet {
    fn default() -> Self {
        Self {
            gates: Mutex::default(),
            sandboxes: Mutex::default(),
            asking: watch::channel(0).0,
            word: watch::channel(None).0,
            unknown_names: Mutex::default(),
        }
    }
}

impl Fleet {
    /// The turn of this account and region.
    pub fn gate(&self, identity: &Identity) -> Arc<Gate> {
        let place = (identity.account.clone(), identity.region.clone());
        Arc::clone(hold(&self.gates).entry(place).or_default())
    }

    /// The sandbox of this directory; two of them over the same files would not know of one another.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn sandbox(&self, directory: &Path) -> Result<Emulator, CommandError> {
        let mut open = hold(&self.sandboxes);
        if let Some(emulator) = open.get(directory) {
            return Ok(emulator.clone());
        }
        let emulator = sandbox::in_process(directory)?;
        open.insert(directory.to_owned(), emulator.clone());
        Ok(emulator)
    }

    /// Waits for the user's word on all stacks.
    pub async fn approval(&self) -> bool {
        self.asking.send_modify(|asking| *asking += 1);
        let mut word = self.word.subscribe();
        let said = word.wait_for(Option::is_some).await;
        said.is_ok_and(|said| *said == Some(true))
    }

    /// How many stacks wait for the user's word, as it changes.
    pub fn asking(&self) -> watch::Receiver<usize> {
        self.asking.subscribe()
    }

    /// Notes which names nothing in the stack of this configuration has.
    pub fn note_unknown_names(&self, config: &Path, names: BTreeSet<String>) {
        hold(&self.unknown_names).insert(config.to_owned(), names);
    }

    /// The names that nothing has in any of this many stacks. While it is not known of all of them, there are none.
    pub fn unknown_names(&self, stacks: usize) -> BTreeSet<String> {
        let unknown = hold(&self.unknown_names);
        let mut each = unknown.values().filter(|_| unknown.len() == stacks);
        let first = each.next().cloned().unwrap_or_default();
        each.fold(first, |all, names| all.intersection(names).cloned().collect())
    }

    /// Gives the user's word.
    pub fn say(&self, word: bool) {
        self.word.send_replace(Some(word));
    }
}

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
