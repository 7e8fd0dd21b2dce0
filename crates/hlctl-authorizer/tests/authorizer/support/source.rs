//! Key sources without a network.

use std::future::pending;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use hlctl_authorizer::{FetchError, KeySource};

/// What a scripted source does when it is asked.
#[derive(Clone)]
pub(crate) enum Reply {
    Set(String),
    Fails(FetchError),
    Hangs,
}

/// A source that always does the same, until that is changed, and counts.
pub(crate) struct Script {
    reply: Mutex<Reply>,
    asked: AtomicUsize,
}

impl Script {
    pub(crate) fn new(reply: Reply) -> Self {
        Self { reply: Mutex::new(reply), asked: AtomicUsize::new(0) }
    }

    pub(crate) fn replies(&self, reply: Reply) {
        *self.reply.lock().unwrap() = reply;
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl KeySource for &Script {
    async fn fetch(&self) -> Result<Vec<u8>, FetchError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let reply = self.reply.lock().unwrap().clone();
        match reply {
            Reply::Set(set) => Ok(set.into_bytes()),
            Reply::Fails(error) => Err(error),
            Reply::Hangs => pending().await,
        }
    }
}
