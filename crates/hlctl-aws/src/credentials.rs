//! Where credentials come from: the environment, a profile, a container or an instance, as with the AWS CLI. They are read again when AWS
//! accepts them no more.
//!
//! The SDK reads a credentials file once and keeps what it found. A user who renews credentials while hlctl waits for a
//! store, be it a person or a program, writes into such a file.
//!
//! A profile gives the same whether it is asked for by name or by `AWS_PROFILE`. Roles are assumed here; everything else is what the SDK has a
//! provider for, asked by one set of settings.

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{
    self, ProvideCredentials,
    error::{CredentialsError, TokenError},
    future,
};
use aws_sdk_s3::config::SharedCredentialsProvider;
use aws_sdk_signin::operation::create_o_auth2_token::CreateOAuth2TokenError;
use aws_sdk_sso::operation::get_role_credentials::GetRoleCredentialsError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::retry::RetryConfig;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::call::CALLS;
use super::classify::{AwsError, ErrorKind, NoCredentials, causes, classify, kind_of_failure, sources};
use super::clock::Dates;
use super::ops;
use super::origin::{CredentialsMethod, CredentialsOrigin, Obtained};
use super::request_id;
use super::shared_config::{
    ExternalSource as CredentialSource, FirstCredentials, Role, SharedConfig, SharedConfigError, Steps,
};

/// Credentials with less time left are renewed before they are used: a call may take most of it.
const LEAST_TIME_LEFT: Duration = Duration::from_secs(30);

/// Where credentials come from.
#[derive(Debug)]
pub struct CredentialsSource {
    /// The way to their issuer.
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
    source: CredentialsSource,
    held: Mutex<Option<Credentials>>,
    origin: StdMutex<Option<Obtained>>,
    generation: AtomicU64,
}

/// Credentials, and where they come from.
struct Held {
    credentials: Credentials,
    obtained: Obtained,
}

impl Renewable {
    /// Reads nothing yet.
    pub fn new(source: CredentialsSource) -> Self {
        Self(Arc::new(Inner {
            source,
            held: Mutex::new(None),
            origin: StdMutex::new(None),
            generation: AtomicU64::new(0),
        }))
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
            Ok(fresh) if held.as_ref().is_none_or(|held| differ(held, &fresh.credentials)) => {
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
                let fresh = self.0.source.load().await;
                let fresh = fresh.map_err(|error| CredentialsError::provider_error(NoCredentials(error)))?;
                let present = fresh.credentials.clone();
                self.hold(&mut held, fresh);
                Ok(present)
            }
        }
    }

    /// Where those come from that are held.
    pub fn origin(&self) -> Option<Obtained> {
        self.0.origin.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn hold(&self, held: &mut Option<Credentials>, fresh: Held) {
        if held.as_ref().is_none_or(|held| differ(held, &fresh.credentials)) {
            self.0.generation.fetch_add(1, Ordering::SeqCst);
        }
        *self.0.origin.lock().unwrap_or_else(PoisonError::into_inner) = Some(fresh.obtained);
        *held = Some(fresh.credentials);
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

impl CredentialsSource {
    /// Reads the files and asks the services that they name, from the beginning: a chain of the SDK that has been asked remembers the files it read.
    async fn load(&self) -> Result<Held, AwsError> {
        let dates = Dates::default();
        let http = dates.heard_by(self.http.clone());
        let loader = super::clients::loader(self.region.as_ref().map(Region::as_ref), self.profile.as_deref());
        // Nobody repeats what these calls do but the SDK.
        let loader = loader.http_client(http.clone()).retry_config(RetryConfig::standard()).no_credentials();
        let issuers = Issuers::new(loader.load().await, http);
        let begun = Instant::now();
        tracing::debug!(target: CALLS, profile = self.profile.as_deref(), "reading credentials");
        // On the heap: it is large, and would be on the stack once for each future around it.
        let loaded = request_id::apart(Box::pin(issuers.ask(self.profile.as_deref()))).await;
        log_end(begun, &loaded);
        loaded.map_err(|error| AwsError { skew: error.skew.or_else(|| dates.skew()), ..error })
    }
}

/// Logs where credentials come from, or why there are none: a service that issues them can be what a run waits for.
fn log_end(begun: Instant, loaded: &Result<Held, AwsError>) {
    let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    match loaded {
        Ok(held) => {
            let obtained = &held.obtained;
            tracing::debug!(target: CALLS, ms, source = %obtained.way, profile = obtained.profile.as_deref(), "credentials read");
        }
        // Not the message: it may be what a program has printed.
        Err(error) => tracing::warn!(target: CALLS, ms, reason = ?error.kind, code = error.code, "no credentials"),
    }
}

/// The services that issue credentials, asked with the settings of the profile in use.
struct Issuers {
    config: SdkConfig,
    provider: ProviderConfig,
}

impl Issuers {
    fn new(config: SdkConfig, http: SharedHttpClient) -> Self {
        // A provider of the SDK that is built by itself looks for none of these (smithy-rs #4614).
        let provider = ProviderConfig::default()
            .with_http_client(http)
            .with_region(config.region().cloned())
            .with_use_fips(config.use_fips())
            .with_use_dual_stack(config.use_dual_stack());
        Self { config, provider }
    }

    /// The first way that gives credentials. A profile that was asked for by name comes before credentials in the environment, as with
    /// the AWS CLI.
    async fn ask(&self, profile: Option<&str>) -> Result<Held, AwsError> {
        if profile.is_none()
            && let Some(held) = self.source(CredentialSource::Environment, None).await?
        {
            return Ok(held);
        }
        let shared = SharedConfig::read(profile).await.map_err(of_config)?;
        if let Some(steps) = shared.steps().map_err(of_config)? {
            return self.walk(steps).await;
        }
        let web_identity = WebIdentityTokenCredentialsProvider::builder().configure(&self.provider).build();
        if let Some(held) = given(web_identity, Obtained { way: CredentialsMethod::WebIdentity, profile: None }).await?
        {
            return Ok(held);
        }
        for source in [CredentialSource::Container, CredentialSource::Instance] {
            if let Some(held) = self.source(source, None).await? {
                return Ok(held);
            }
        }
        let profile = shared.has_profile().then(|| shared.name().to_owned());
        Err(of_config(SharedConfigError::Nothing { profile }))
    }

    /// Takes the first credentials of a profile, then one role after the other.
    async fn walk(&self, steps: Steps) -> Result<Held, AwsError> {
        let own = |way| Obtained { way, profile: Some(steps.profile.clone()) };
        let mut held = match steps.base {
            FirstCredentials::Keys(credentials) => Held { credentials, obtained: own(CredentialsMethod::Keys) },
            FirstCredentials::Source(source) => {
                let given = self.source(source, Some(&steps.profile)).await?;
                given.ok_or_else(|| nothing(own(source.way())))?
            }
            FirstCredentials::Profile(way) => {
                let provider = ProfileFileCredentialsProvider::builder().configure(&self.provider);
                let provider = provider.profile_name(&steps.profile).build();
                let given = given(provider, own(way.clone())).await?;
                given.ok_or_else(|| nothing(own(way)))?
            }
        };
        for role in steps.roles {
            held = self.assume(&role, held.credentials).await?;
        }
        Ok(held)
    }

    /// What is there outside the shared configuration; `None` if it is not in use here.
    async fn source(&self, source: CredentialSource, profile: Option<&str>) -> Result<Option<Held>, AwsError> {
        let obtained = Obtained { way: source.way(), profile: profile.map(str::to_owned) };
        match source {
            CredentialSource::Environment => given(EnvironmentVariableCredentialsProvider::new(), obtained).await,
            CredentialSource::Container => {
                given(EcsCredentialsProvider::builder().configure(&self.provider).build(), obtained).await
            }
            CredentialSource::Instance => given(self.instance(profile).await?, obtained).await,
        }
    }

    /// The metadata service of the instance, where the environment or the profile says that it is.
    async fn instance(&self, profile: Option<&str>) -> Result<ImdsCredentialsProvider, AwsError> {
        let builder = ImdsCredentialsProvider::builder().configure(&self.provider);
        let is_set = std::env::var_os("AWS_EC2_METADATA_SERVICE_ENDPOINT").is_some();
        let shared = SharedConfig::read(profile).await.map_err(of_config)?;
        let Some(place) = shared.get("ec2_metadata_service_endpoint").filter(|_| !is_set) else {
            return Ok(builder.build());
        };
        let client = aws_config::imds::Client::builder().configure(&self.provider).endpoint(place);
        let client = client.map_err(|error| {
            let problem = format!("its ec2_metadata_service_endpoint is no address: {error}");
            of_config(SharedConfigError::Invalid { profile: shared.name().to_owned(), problem })
        })?;
        Ok(builder.imds_client(client.build()).build())
    }

    async fn assume(&self, role: &Role, by: Credentials) -> Result<Held, AwsError> {
        let way = CredentialsMethod::Role { arn: role.arn.clone(), by: role.by.clone() };
        let obtained = Obtained { way, profile: Some(role.profile.clone()) };
        let by = SharedCredentialsProvider::new(by);
        let sts = aws_sdk_sts::Client::new(&self.config.to_builder().credentials_provider(by).build());
        let name = || format!("hlctl-{}", jiff::Timestamp::now().as_second());
        let asked = sts
            .assume_role()
            .role_arn(&role.arn)
            .role_session_name(role.session_name.clone().unwrap_or_else(name))
            .set_external_id(role.external_id.clone())
            .set_duration_seconds(role.duration)
            .send()
            .await;
        let failed = |error: AwsError| error.obtaining(CredentialsOrigin::Obtaining(obtained.clone()));
        let answer = asked.map_err(|error| failed(classify(ops::sts::ASSUME_ROLE, &error)))?;
        let given =
            answer.credentials.ok_or_else(|| failed(AwsError::incomplete(ops::sts::ASSUME_ROLE, "credentials")))?;
        let expiry = SystemTime::try_from(given.expiration);
        let expiry = expiry.map_err(|_| failed(AwsError::incomplete(ops::sts::ASSUME_ROLE, "time of expiry")))?;
        let (id, secret, token) = (given.access_key_id, given.secret_access_key, Some(given.session_token));
        Ok(Held {
            credentials: Credentials::new(id, secret, token, Some(expiry), ops::sts::ASSUME_ROLE.name()),
            obtained,
        })
    }
}

/// What a provider of the SDK gives; `None` if it is not in use here.
async fn given(provider: impl ProvideCredentials, obtained: Obtained) -> Result<Option<Held>, AwsError> {
    match provider.provide_credentials().await {
        Ok(credentials) => Ok(Some(Held { credentials, obtained })),
        Err(CredentialsError::CredentialsNotLoaded(_)) => Ok(None),
        Err(error) => Err(failed(&error).obtaining(CredentialsOrigin::Obtaining(obtained))),
    }
}

/// Reads what the shared configuration says of a profile, or of the one in use. Asks nobody.
///
/// # Errors
/// The profile does not exist, or no credentials can come from it.
pub async fn check_profile(profile: Option<&str>) -> Result<(), AwsError> {
    let shared = SharedConfig::read(profile).await.map_err(of_config)?;
    shared.steps().map(drop).map_err(of_config)
}

fn of_config(error: SharedConfigError) -> AwsError {
    AwsError::without_call(ErrorKind::Credentials, error.to_string()).obtaining(CredentialsOrigin::Config(error))
}

/// A way that a profile names, and that is not there.
fn nothing(obtained: Obtained) -> AwsError {
    let from = match &obtained.way {
        CredentialsMethod::Environment => "the environment has no AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        CredentialsMethod::Container => "no container endpoint is set",
        CredentialsMethod::Instance => "the instance's metadata service gives none",
        _ => "it gives none",
    };
    let profile = obtained.profile.as_deref().unwrap_or_default();
    let message = format!("there are no credentials for the profile `{profile}`: {from}");
    AwsError::without_call(ErrorKind::Credentials, message).obtaining(CredentialsOrigin::Obtaining(obtained))
}

/// What a provider of the SDK says, with the call that failed where there is one.
fn failed(error: &CredentialsError) -> AwsError {
    let call = sources(error).find_map(|error| {
        let web_identity = error.downcast_ref::<SdkError<AssumeRoleWithWebIdentityError, HttpResponse>>();
        let sso = error.downcast_ref::<SdkError<GetRoleCredentialsError, HttpResponse>>();
        let sign_in = error.downcast_ref::<CreateOAuth2TokenError>();
        web_identity
            .map(|error| classify(ops::sts::ASSUME_ROLE_WITH_WEB_IDENTITY, error))
            .or_else(|| sso.map(|error| classify(ops::sso::GET_ROLE_CREDENTIALS, error)))
            .or_else(|| sign_in.map(of_sign_in))
    });
    call.unwrap_or_else(|| {
        let of_sdk = |error: &&(dyn Error + 'static)| error.is::<CredentialsError>() || error.is::<TokenError>();
        let kind = sources(error).find(|error| !of_sdk(error)).map(kind_of_failure);
        let is_known = |kind: &ErrorKind| matches!(kind, ErrorKind::Unreachable | ErrorKind::Untrusted);
        AwsError::without_call(kind.filter(is_known).unwrap_or(ErrorKind::Credentials), causes(error))
    })
}

/// The SDK keeps of a failed refresh what the service said, and drops the answer itself.
fn of_sign_in(error: &CreateOAuth2TokenError) -> AwsError {
    let meta = error.meta();
    let kind = if meta.code().is_some() { ErrorKind::Credentials } else { kind_of_failure(error) };
    // Without a code it is an "unhandled error" of the SDK, and what it wraps says more.
    let wrapped = || error.source().map_or_else(|| causes(error), causes);
    let message = meta.message().map_or_else(wrapped, str::to_owned);
    let code = meta.code().unwrap_or_default().to_owned();
    AwsError { code, ..AwsError::of_kind(kind, ops::signin::CREATE_OAUTH2_TOKEN, message) }
}

fn differ(one: &Credentials, other: &Credentials) -> bool {
    one.access_key_id() != other.access_key_id()
        || one.secret_access_key() != other.secret_access_key()
        || one.session_token() != other.session_token()
}

fn is_ending(credentials: &Credentials) -> bool {
    credentials.expiry().is_some_and(|expiry| expiry < SystemTime::now() + LEAST_TIME_LEFT)
}
