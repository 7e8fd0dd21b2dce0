//! One request from its event to its answer.

use std::time::SystemTime;

use crate::event::Parts;
use crate::keyring::Keyring;
use crate::policy::{self, Grant};
use crate::provider;
use crate::verify::Unverified;
use crate::{Answer, Event, FetchError, KeySource, Refusal, Settings};

/// Judges tokens by its settings and the keys it holds.
pub struct Authorizer<S> {
    settings: Settings,
    keyring: Keyring<S>,
}

impl<S: KeySource> Authorizer<S> {
    /// An authorizer that holds the keys of the settings, if those have any, and gets others from `source`.
    pub fn new(settings: Settings, source: S) -> Self {
        provider::install();
        let keyring = Keyring::new(source, settings.jwks().cloned());
        Self { settings, keyring }
    }

    /// Fetches the key set if none is held yet, for the initialisation of the function.
    ///
    /// # Errors
    ///
    /// If there is none to be had now. The authorizer is good nevertheless: the first request tries again.
    pub async fn warm_up(&self, now: SystemTime) -> Result<(), FetchError> {
        self.keyring.warm_up(now).await
    }

    /// Judges one request. It always answers, within [`FETCH_LIMIT`](crate::FETCH_LIMIT) and what two checks of a signature take.
    pub async fn answer(&self, event: &Event, now: SystemTime) -> Answer {
        let format = self.settings.is_authorized_format();
        let judged = match event.parts() {
            Ok(parts) => self.judge(&parts, now).await.map(|grant| (grant, parts)),
            Err(refusal) => Err(refusal),
        };
        match judged {
            Ok((grant, Parts { endpoint, .. })) => Answer::granted(grant, endpoint, self.settings.role_arn(), format),
            Err(refusal) => Answer::refused(refusal, format),
        }
    }

    async fn judge(&self, parts: &Parts<'_>, now: SystemTime) -> Result<Grant, Refusal> {
        let token = Unverified::parse(parts.token)?;
        let key = self.keyring.key(token.key_id(), now).await?;
        let claims = token.verify(&key)?;
        policy::check(&claims, &self.settings, parts.endpoint, now)
    }
}
