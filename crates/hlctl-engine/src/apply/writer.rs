//! Writes the state off the walk's way.

use std::sync::Arc;

use tokio::task::JoinHandle;
use tracing::Instrument as _;

use crate::LockedState;
use crate::state::{State, StateError};

/// Writes one state at a time, always the newest.
pub(super) struct Writer {
    pub(super) held: Arc<dyn LockedState>,
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
        self.under_way = Some(tokio::spawn(Arc::clone(&self.held).write(state.clone()).in_current_span()));
    }

    /// Waits for the write under way; for ever if there is none.
    pub(super) async fn written(&mut self) -> Result<(), StateError> {
        match &mut self.under_way {
            None => std::future::pending().await,
            Some(_) => self.finish().await,
        }
    }

    /// The last write has been given up.
    pub(super) fn too_slow(&mut self) -> StateError {
        if let Some(handle) = self.under_way.take() {
            handle.abort();
        }
        StateError::Io { doing: "write", place: self.held.place(), error: std::io::ErrorKind::TimedOut.into() }
    }

    /// Waits for the write under way, if there is one.
    pub(super) async fn finish(&mut self) -> Result<(), StateError> {
        let Some(handle) = &mut self.under_way else { return Ok(()) };
        let result = handle.await;
        self.under_way = None;
        result.unwrap_or_else(|error| {
            Err(StateError::Io { doing: "write", place: self.held.place(), error: std::io::Error::other(error) })
        })
    }
}
