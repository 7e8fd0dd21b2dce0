//! What a pool has handed out and will take back once: forms, codes, sessions and refresh tokens.
//!
//! Each is kept under the digest of its text, so that the data directory holds none that could be used.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64_URL;
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::tokens::Session;
use crate::clock::after;

/// No access token lives longer.
const DAY: Duration = Duration::from_secs(86_400);

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Issued {
    pub(super) forms: Shelf<Form>,
    pub(super) codes: Shelf<Code>,
    /// By the cookie of the browser that a user has signed in with.
    pub(super) browsers: Shelf<Browser>,
    pub(super) challenges: Shelf<Challenge>,
    pub(super) refresh_tokens: Shelf<Session>,
    /// The `origin_jti` of tokens that are good no more.
    revoked: Shelf<()>,
}

/// A page that waits to be sent in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Form {
    /// Digest of the cookie that the page came with.
    pub(super) cookie: String,
    /// Whose new password the page asks for; `None` on the first page.
    pub(super) sub: Option<String>,
}

/// An authorization code, and all that its exchange has to match.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Code {
    pub(super) redirect_uri: String,
    pub(super) challenge: Option<String>,
    pub(super) session: Session,
}

/// A user who is signed in to the pages of the pool.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Browser {
    pub(super) sub: String,
    pub(super) since: Timestamp,
}

/// A sign-in that waits for a new password.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Challenge {
    pub(super) client: String,
    pub(super) sub: String,
}

impl Issued {
    /// Makes a refresh token and all access tokens that came with it worthless. Whether it was one.
    pub(super) fn revoke(&mut self, token: &str, client: &str, now: Timestamp) -> bool {
        match self.refresh_tokens.get(token, now).filter(|session| session.client == client).cloned() {
            Some(session) => {
                self.refresh_tokens.take(token, now);
                self.revoked.put(&session.origin_jti, (), now, DAY);
                true
            }
            None => false,
        }
    }

    /// Whether this is a refresh token that another client holds.
    pub(super) fn belongs_to_other(&self, token: &str, client: &str, now: Timestamp) -> bool {
        self.refresh_tokens.get(token, now).is_some_and(|session| session.client != client)
    }

    pub(super) fn is_revoked(&self, origin_jti: &str, now: Timestamp) -> bool {
        self.revoked.get(origin_jti, now).is_some()
    }

    /// Takes everything from a user.
    pub(super) fn revoke_user(&mut self, sub: &str, now: Timestamp) {
        for session in self.refresh_tokens.remove(|session| session.sub == sub) {
            self.revoked.put(&session.origin_jti, (), now, DAY);
        }
        self.codes.remove(|code| code.session.sub == sub);
        self.browsers.remove(|browser| browser.sub == sub);
        self.challenges.remove(|challenge| challenge.sub == sub);
    }

    pub(super) fn forget_client(&mut self, client: &str) {
        self.refresh_tokens.remove(|session| session.client == client);
        self.codes.remove(|code| code.session.client == client);
        self.challenges.remove(|challenge| challenge.client == client);
    }
}

/// Things that are asked for by a text that only their holder knows, until their time is up.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Shelf<T>(BTreeMap<String, Kept<T>>);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kept<T> {
    until: Timestamp,
    what: T,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> Shelf<T> {
    /// Keeps `what` from `now` on, and throws out what has had its time.
    pub(super) fn put(&mut self, text: &str, what: T, now: Timestamp, lifetime: Duration) {
        self.0.retain(|_, kept| kept.until > now);
        self.0.insert(digested(text), Kept { until: after(now, lifetime), what });
    }

    pub(super) fn get(&self, text: &str, now: Timestamp) -> Option<&T> {
        self.0.get(&digested(text)).filter(|kept| kept.until > now).map(|kept| &kept.what)
    }

    /// Gives a thing away, for the first and last time.
    pub(super) fn take(&mut self, text: &str, now: Timestamp) -> Option<T> {
        self.0.remove(&digested(text)).filter(|kept| kept.until > now).map(|kept| kept.what)
    }

    /// Shortens the time that a thing has left.
    pub(super) fn end_within(&mut self, text: &str, now: Timestamp, rest: Duration) {
        if let Some(kept) = self.0.get_mut(&digested(text)) {
            kept.until = kept.until.min(after(now, rest));
        }
    }

    fn remove(&mut self, is_to_go: impl Fn(&T) -> bool) -> Vec<T> {
        let (gone, rest) = std::mem::take(&mut self.0).into_iter().partition(|(_, kept)| is_to_go(&kept.what));
        let gone: BTreeMap<String, Kept<T>> = gone;
        self.0 = rest;
        gone.into_values().map(|kept| kept.what).collect()
    }
}

pub(super) fn digested(text: &str) -> String {
    BASE64_URL.encode(digest(&SHA256, text.as_bytes()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn a_thing_is_given_once_and_in_time_only() {
        let start = Timestamp::UNIX_EPOCH;
        let minutes = |count: u64| after(start, Duration::from_secs(60 * count));
        let mut shelf = Shelf::default();
        shelf.put("code", 1, start, Duration::from_secs(300));
        assert_eq!(shelf.take("other", start), None);
        assert_eq!(shelf.get("code", minutes(4)), Some(&1));
        assert_eq!(shelf.take("code", minutes(4)), Some(1));
        assert_eq!(shelf.take("code", minutes(4)), None);
        shelf.put("code", 2, start, Duration::from_secs(300));
        assert_eq!(shelf.take("code", minutes(5)), None);
    }

    #[test]
    fn what_is_kept_cannot_be_used_by_who_reads_it() {
        let mut shelf = Shelf::default();
        shelf.put("secret", 1, Timestamp::UNIX_EPOCH, DAY);
        assert!(!serde_json::to_string(&shelf).unwrap().contains("secret"));
    }

    #[test]
    fn time_can_be_cut_short_but_not_added() {
        let now = Timestamp::UNIX_EPOCH;
        let mut shelf = Shelf::default();
        shelf.put("token", 1, now, Duration::from_secs(60));
        shelf.end_within("token", now, Duration::from_secs(100));
        assert_eq!(shelf.get("token", after(now, Duration::from_secs(60))), None);
        shelf.end_within("token", now, Duration::from_secs(10));
        assert_eq!(shelf.get("token", after(now, Duration::from_secs(10))), None);
    }
}
