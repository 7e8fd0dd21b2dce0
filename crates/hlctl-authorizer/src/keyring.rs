//! The keys that are held, and when they are fetched again.
//!
//! HealthLake gives the function one second, and anyone can send a token with a made-up key id. So a key that is held is never
//! fetched again; one that is not leads to one fetch, which may take [`FETCH_LIMIT`]; and while keys are held, fetches begin a
//! minute apart at least. While none are held nothing can be authorized anyway, so then a second apart is enough, and the failed
//! fetch of the initialisation does not count: the first request tries again, and both still fit into HealthLake's second.
//!
//! A set replaces the one before it whole, so that a key which the server has withdrawn is no longer taken. A fetch that fails, or
//! brings no usable key, leaves what is held.

use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use jsonwebtoken::DecodingKey;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::Refusal;
use crate::jwks::{self, KeySet};

/// How long a fetch of the key set may take, from the look-up of the server's name to the last byte.
pub const FETCH_LIMIT: Duration = Duration::from_millis(300);
const PACE: Duration = Duration::from_secs(60);
const PACE_WITHOUT_KEYS: Duration = Duration::from_secs(1);

/// Where key sets come from.
pub trait KeySource: Send + Sync {
    /// Fetches the key set as JSON (RFC 7517). It may hang: the caller gives up after [`FETCH_LIMIT`].
    fn fetch(&self) -> impl Future<Output = Result<Vec<u8>, FetchError>> + Send;
}

/// Why there is no new key set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// No connection to the server, or it broke, or the server could not prove who it is.
    #[error("the server cannot be reached")]
    Unreachable,
    /// It took longer than [`FETCH_LIMIT`].
    #[error("the server took too long")]
    TimedOut,
    /// The server answered with another status than 200. Redirects are not followed.
    #[error("the server answered with status {0}")]
    Status(u16),
    /// The answer is larger than a key set may be.
    #[error("the answer is too large")]
    TooLarge,
    /// The answer is no key set, or one without a usable key.
    #[error("the answer has no usable key")]
    NoUsableKey,
}

/// The keys that are held, and their source.
pub(crate) struct Keyring<S> {
    source: S,
    held: RwLock<Option<Arc<KeySet>>>,
    /// Locked while a fetch is under way, so that requests which need the same new key share one.
    last: Mutex<Option<Fetch>>,
}

/// The last fetch that counts.
struct Fetch {
    begun: SystemTime,
    failed: bool,
}

impl<S: KeySource> Keyring<S> {
    pub(crate) fn new(source: S, held: Option<KeySet>) -> Self {
        Self { source, held: RwLock::new(held.map(Arc::new)), last: Mutex::new(None) }
    }

    /// Fetches the first keys if none are held.
    pub(crate) async fn warm_up(&self, now: SystemTime) -> Result<(), FetchError> {
        if self.set().is_some() {
            return Ok(());
        }
        let mut last = self.last.lock().await;
        let fetched = self.fetch().await;
        if fetched.is_ok() {
            *last = Some(Fetch { begun: now, failed: false });
        }
        fetched
    }

    /// The key of this id, after a fetch if that is needed and its time has come.
    pub(crate) async fn key(&self, id: &str, now: SystemTime) -> Result<DecodingKey, Refusal> {
        if let Some(key) = self.held(id) {
            return Ok(key);
        }
        if !jwks::is_plausible_id(id) {
            return Err(Refusal::UnknownKey);
        }
        let mut last = self.last.lock().await;
        // Another request may have fetched it while this one waited.
        if let Some(key) = self.held(id) {
            return Ok(key);
        }
        if self.may_fetch(last.as_ref(), now) {
            // Written before, so that a fetch which is given up counts as one.
            let this = last.insert(Fetch { begun: now, failed: true });
            this.failed = self.fetch().await.is_err();
        }
        let nobody_knows = last.as_ref().is_some_and(|fetch| fetch.failed);
        self.held(id).ok_or(if nobody_knows { Refusal::KeysUnavailable } else { Refusal::UnknownKey })
    }

    fn may_fetch(&self, last: Option<&Fetch>, now: SystemTime) -> bool {
        let pace = if self.set().is_some() { PACE } else { PACE_WITHOUT_KEYS };
        // A clock that was set back must not stop fetches for as long as that.
        last.is_none_or(|fetch| now.duration_since(fetch.begun).map_or(true, |passed| passed >= pace))
    }

    async fn fetch(&self) -> Result<(), FetchError> {
        let document = timeout(FETCH_LIMIT, self.source.fetch()).await.map_err(|_| FetchError::TimedOut)??;
        let set = KeySet::parse(&document).ok_or(FetchError::NoUsableKey)?;
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(set));
        Ok(())
    }

    fn held(&self, id: &str) -> Option<DecodingKey> {
        self.set().and_then(|set| set.get(id).cloned())
    }

    fn set(&self) -> Option<Arc<KeySet>> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
