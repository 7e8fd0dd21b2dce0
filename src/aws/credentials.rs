//! The SDK's chain of credentials, read anew when AWS accepts what it gave no more.
//!
//! The SDK reads a credentials file once and keeps what it found. Whoever renews credentials while hlctl waits for a
//! store, be it a person or a program, writes into such a file.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{self, ProvideCredentials, error::CredentialsError, future};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use tokio::sync::Mutex;

/// Credentials with less time left are renewed before they are used: a call may take most of it.
const LEAST_TIME_LEFT: Duration = Duration::from_secs(30);

/// Where credentials come from.
#[derive(Debug)]
pub struct Source {
    /// The way to whoever issues them.
    pub http: SharedHttpClient,
    /// The region to ask in; `None` leaves it to the SDK's chain.
    pub region: Option<Region>,
    /// The profile that was asked for by name; it comes before credentials in the environment, as with the AWS CLI.
    pub profile: Option<String>,
}

/// Credentials that can be read again. Clones share them.
#[derive(Clone, Debug)]
pub struct Renewable(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    source: Source,
    held: Mutex<Option<Credentials>>,
    generation: AtomicU64,
}

impl Renewable {
    /// Reads nothing yet.
    pub fn new(source: Source) -> Self {
        Self(Arc::new(Inner { source, held: Mutex::new(None), generation: AtomicU64::new(0) }))
    }

    /// Counts how often the credentials have become others.
    pub fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::SeqCst)
    }

    /// Reads the chain again because AWS refused credentials of this generation. Whether there are others now.
    pub async fn renew(&self, refused: u64) -> bool {
        let mut held = self.0.held.lock().await;
        if self.generation() != refused {
            return true;
        }
        match self.0.source.load().await {
            Ok(fresh) if held.as_ref().is_none_or(|held| differ(held, &fresh)) => {
                self.hold(&mut held, fresh);
                true
            }
            _ => false,
        }
    }

    async fn present(&self) -> provider::Result {
        let mut held = self.0.held.lock().await;
        match held.as_ref() {
            Some(present) if !is_ending(present) => Ok(present.clone()),
            _ => {
                let fresh = self.0.source.load().await?;
                self.hold(&mut held, fresh.clone());
                Ok(fresh)
            }
        }
    }

    fn hold(&self, held: &mut Option<Credentials>, fresh: Credentials) {
        if held.as_ref().is_none_or(|held| differ(held, &fresh)) {
            self.0.generation.fetch_add(1, Ordering::SeqCst);
        }
        *held = Some(fresh);
    }
}

impl ProvideCredentials for Renewable {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.present())
    }
}

impl Source {
    /// Builds the chain and asks it: a chain that has been asked remembers the files it read.
    async fn load(&self) -> provider::Result {
        if let Some(profile) = &self.profile {
            let means = ProviderConfig::default().with_http_client(self.http.clone());
            let named = ProfileFileCredentialsProvider::builder().configure(&means).profile_name(profile).build();
            return named.provide_credentials().await;
        }
        let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(self.http.clone());
        if let Some(region) = &self.region {
            loader = loader.region(region.clone());
        }
        match loader.load().await.credentials_provider() {
            Some(chain) => chain.provide_credentials().await,
            None => Err(CredentialsError::not_loaded("there is no chain of credentials")),
        }
    }
}

fn differ(one: &Credentials, other: &Credentials) -> bool {
    one.access_key_id() != other.access_key_id()
        || one.secret_access_key() != other.secret_access_key()
        || one.session_token() != other.session_token()
}

fn is_ending(credentials: &Credentials) -> bool {
    credentials.expiry().is_some_and(|expiry| expiry < SystemTime::now() + LEAST_TIME_LEFT)
}
