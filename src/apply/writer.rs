//! Writes the state off the walk's way.

use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::state::{LocalStore, Lock, State, StateError};

/// Writes one state at a time, always the newest.
pub(super) struct Writer {
    pub(super) store: LocalStore,
    pub(super) lock: Arc<Lock>,
    pub(super) under_way: Option<JoinHandle<Result<(), StateError>>>,
    pub(super) dirty: bool,
}

impl Writer {
    /// Begins a write if there is something to write and none is under way.
    pub(super) fn start(&mut self, state: &mut State) {
        if !self.dirty || self.under_way.is_some() {
            return;
        }
        self.dirty = false;
        state.serial += 1;
        let (store, lock, state) = (self.store.clone(), Arc::clone(&self.lock), state.clone());
        self.under_way = Some(tokio::task::spawn_blocking(move || store.write(&state, &lock)));
    }

    /// Waits for the write under way; for ever if there is none.
    pub(super) async fn written(&mut self) -> Result<(), StateError> {
        match &mut self.under_way {
            None => std::future::pending().await,
            Some(_) => self.finish().await,
        }
    }

    /// Waits for the write under way, if there is one.
    pub(super) async fn finish(&mut self) -> Result<(), StateError> {
        let Some(handle) = &mut self.under_way else { return Ok(()) };
        let result = handle.await;
        self.under_way = None;
        result.unwrap_or_else(|error| {
            Err(StateError::Io {
                doing: "write",
                path: self.store.path().to_owned(),
                error: std::io::Error::other(error),
            })
        })
    }
}
