//! The SDK's clients, all over one connection pool.

use std::fmt;
use std::time::Duration;

use aws_config::identity::IdentityCache;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_sdk_healthlake::config::endpoint::{DefaultResolver, Params, ResolveEndpoint as _};
use aws_sdk_s3::config::SharedCredentialsProvider;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::{Builder, Connector, tls};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::service_config::ServiceConfigKey;
use thiserror::Error;

use super::answers::Listener;
use super::call::Caller;
use super::credentials::{CredentialsSource, Renewable};
use super::limited::limited;
use super::own_host::{OwnHost, is_aws};
use super::shared_config::SharedConfig;
use super::trust::{Trust, TrustError};
use hlctl_config::HEALTHLAKE_FIPS;

/// A client that stays at the host of a custom endpoint, if its service, by the SDK's id, has one.
macro_rules! client {
    ($sdk:ident, $config:expr, $service:literal) => {
        client!(@built $sdk, $sdk::config::Builder::from($config), endpoint_of($config, $service))
    };
    (@built $sdk:ident, $builder:expr, $endpoint:expr) => {{
        let mut builder = $builder;
        if let Some(own) = OwnHost::of($endpoint.as_deref()) {
            builder = builder.interceptor(own);
        }
        $sdk::Client::from_conf(builder.build())
    }};
}

/// The same, and its answers can be seen whole.
macro_rules! listened {
    ($sdk:ident, $config:expr, $service:literal) => {
        client!(@built $sdk, $sdk::config::Builder::from($config).interceptor(Listener), endpoint_of($config, $service))
    };
}

/// Where the calls go.
pub enum Endpoint {
    /// To AWS, or wherever the SDK's own chain points (`AWS_ENDPOINT_URL`).
    Aws,
    /// To an emulator in this process, in its region and with credentials of its own.
    InProcess {
        /// The way into the emulator.
        http: SharedHttpClient,
        /// The region it plays when none is asked for.
        region: String,
    },
}

/// One client for each service.
#[derive(Clone, Debug)]
pub struct Clients {
    /// The only place that repeats a call.
    pub caller: Caller,
    /// STS
    pub sts: aws_sdk_sts::Client,
    /// KMS
    pub kms: aws_sdk_kms::Client,
    /// S3
    pub s3: aws_sdk_s3::Client,
    /// S3 Control. It has a crate of its own, which brings no other along; its rules know the hosts in each partition, with FIPS
    /// and dual stack, which calls signed here would have to repeat.
    pub s3control: aws_sdk_s3control::Client,
    /// The server that is asked instead of S3 in AWS, if one is set.
    pub s3_endpoint: Option<S3Endpoint>,
    /// IAM
    pub iam: aws_sdk_iam::Client,
    /// HealthLake
    pub healthlake: aws_sdk_healthlake::Client,
    /// Cognito user pools
    pub cognito: aws_sdk_cognitoidentityprovider::Client,
    /// Lambda
    pub lambda: aws_sdk_lambda::Client,
    /// CloudTrail, for what happens in the region
    pub cloudtrail: aws_sdk_cloudtrail::Client,
    /// CloudTrail, for what happens in IAM
    pub global_cloudtrail: aws_sdk_cloudtrail::Client,
    /// CloudWatch Logs
    pub logs: aws_sdk_cloudwatchlogs::Client,
    /// Lake Formation
    pub lakeformation: aws_sdk_lakeformation::Client,
    /// The region they talk to; `None` where nobody named one.
    pub region: Option<String>,
    /// What they sign with; `None` where there is no chain at all.
    pub credentials: Option<SharedCredentialsProvider>,
    /// Where Cognito user pools are asked instead of at AWS, if somewhere else.
    pub cognito_endpoint: Option<String>,
    /// Where HealthLake is asked instead of at AWS, if somewhere else.
    pub healthlake_endpoint: Option<String>,
    /// Which of AWS's endpoints they ask.
    pub variant: Variant,
    /// The authorities that they trust.
    pub trust: Trust,
}

impl Clients {
    /// Builds the clients; asks nobody anything yet.
    ///
    /// # Errors
    /// The environment or the profile asks for what is not there.
    pub async fn new(endpoint: Endpoint, region: Option<&str>, profile: Option<&str>) -> Result<Self, SetupError> {
        let wanted = region.map(|region| Region::new(region.to_owned()));
        let mut loader = loader(region, profile);
        let (mut caller, mut trust, is_aws) = (Caller::default(), Trust::default(), matches!(endpoint, Endpoint::Aws));
        loader = match endpoint {
            Endpoint::Aws => {
                trust = trusted(profile).await?;
                let (renewing, loader) = renewing(loader, wanted, profile, &trust);
                caller = renewing;
                loader
            }
            Endpoint::InProcess { http, region: home } => {
                let credentials = Credentials::new("SANDBOX", "sandbox", None, None, "sandbox");
                // It has neither variant, and the SDK's rules take neither with an endpoint of one's own.
                loader
                    .http_client(limited(http))
                    .use_fips(false)
                    .use_dual_stack(false)
                    .endpoint_url("http://127.0.0.1")
                    .region(Region::new(region.map_or(home, str::to_owned)))
                    .credentials_provider(SharedCredentialsProvider::new(credentials))
            }
        };
        let config = loader.load().await;
        let clients = Self::from_config(&config, caller, trust);
        if !is_aws {
            return Ok(clients);
        }
        clients.variant.check_not_led_elsewhere(SERVICES.iter().find_map(|service| endpoint_of(&config, service)))?;
        clients.with_fhir_endpoint().await
    }

    /// FIPS and dual stack hold for the FHIR interface too, which AWS names by its ordinary host alone.
    async fn with_fhir_endpoint(mut self) -> Result<Self, SetupError> {
        let variant = self.variant;
        let (None, Some(region)) = (&self.healthlake_endpoint, &self.region) else { return Ok(self) };
        if variant.fips && !HEALTHLAKE_FIPS.contains(&region.as_str()) {
            return Err(SetupError::NoFips { region: region.clone() });
        }
        if variant != Variant::default() {
            self.healthlake_endpoint = Some(variant.healthlake(region).await?);
        }
        Ok(self)
    }

    /// Where the synchronous interface of the Data Transformation Agent is asked: it has a host of its own, before whose name of the
    /// endpoint `datatransformation.` stands ("AWS HealthLake endpoints and quotas"), and a custom endpoint is that itself. `None` without a region.
    pub fn data_transformation_endpoint(&self) -> Option<String> {
        match &self.healthlake_endpoint {
            Some(endpoint) if !is_aws(endpoint) => Some(endpoint.clone()),
            Some(endpoint) => Some(endpoint.replacen("://", "://datatransformation.", 1)),
            None => Some(format!("https://datatransformation.healthlake.{}.amazonaws.com", self.region.as_ref()?)),
        }
    }

    fn from_config(config: &SdkConfig, caller: Caller, trust: Trust) -> Self {
        let s3_endpoint = S3Endpoint::of_chain(config);
        // A custom endpoint seldom answers to `bucket.host`.
        let s3 =
            aws_sdk_s3::config::Builder::from(config).force_path_style(s3_endpoint.is_some()).interceptor(Listener);
        // IAM's events are recorded in us-east-1 alone (CloudTrail user guide, "Global service events").
        let global = config.to_builder().region(Region::from_static("us-east-1")).build();
        Self {
            caller,
            sts: client!(aws_sdk_sts, config, "STS"),
            kms: listened!(aws_sdk_kms, config, "KMS"),
            s3: client!(@built aws_sdk_s3, s3, s3_endpoint.as_ref().map(|endpoint| endpoint.url.clone())),
            s3control: s3control(config, s3_endpoint.as_ref()),
            s3_endpoint,
            iam: listened!(aws_sdk_iam, config, "IAM"),
            healthlake: listened!(aws_sdk_healthlake, config, "HealthLake"),
            cognito: listened!(aws_sdk_cognitoidentityprovider, config, "Cognito Identity Provider"),
            lambda: listened!(aws_sdk_lambda, config, "Lambda"),
            cloudtrail: client!(aws_sdk_cloudtrail, config, "CloudTrail"),
            global_cloudtrail: client!(aws_sdk_cloudtrail, &global, "CloudTrail"),
            logs: listened!(aws_sdk_cloudwatchlogs, config, "CloudWatch Logs"),
            lakeformation: client!(aws_sdk_lakeformation, config, "LakeFormation"),
            region: config.region().map(|region| region.as_ref().to_owned()),
            credentials: config.credentials_provider(),
            cognito_endpoint: endpoint_of(config, "Cognito Identity Provider"),
            healthlake_endpoint: endpoint_of(config, "HealthLake"),
            variant: Variant::of(config),
            trust,
        }
    }
}

/// Servers that play S3 play S3 Control at the same address, so it is led there too unless it has an endpoint of its own. Of AWS's
/// own endpoints each is for one of the two ("AWS PrivateLink for Amazon S3", S3 user guide).
fn s3control(config: &SdkConfig, s3: Option<&S3Endpoint>) -> aws_sdk_s3control::Client {
    let mut builder = aws_sdk_s3control::config::Builder::from(config);
    let own = endpoint_of(config, "S3 Control");
    let endpoint = own.or_else(|| s3.filter(|s3| !s3.is_aws()).map(|s3| s3.url.clone()));
    builder.set_endpoint_url(endpoint.clone());
    client!(@built aws_sdk_s3control, builder, endpoint)
}

/// Which of AWS's endpoints are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Variant {
    /// Those with cryptography by FIPS 140-3.
    pub fips: bool,
    /// Those with IPv6.
    pub dual_stack: bool,
}

impl Variant {
    fn of(config: &SdkConfig) -> Self {
        Self { fips: config.use_fips().unwrap_or_default(), dual_stack: config.use_dual_stack().unwrap_or_default() }
    }

    /// The SDK's rules take neither with an endpoint of one's own ("FIPS and custom endpoint are not supported"), and find that out call by call.
    fn check_not_led_elsewhere(self, endpoint: Option<String>) -> Result<(), SetupError> {
        match endpoint {
            Some(endpoint) if self != Self::default() => Err(SetupError::LedElsewhere { variant: self, endpoint }),
            _ => Ok(()),
        }
    }

    /// HealthLake's endpoint of this kind, by the SDK's own rules.
    async fn healthlake(self, region: &str) -> Result<String, SetupError> {
        let failed = || SetupError::NoEndpoint { region: region.to_owned() };
        let parameters = Params::builder().region(region).use_fips(self.fips).use_dual_stack(self.dual_stack).build();
        let (parameters, resolver) = (parameters.map_err(|_| failed())?, DefaultResolver::new());
        let endpoint = resolver.resolve_endpoint(&parameters).await.map_err(|_| failed())?;
        Ok(endpoint.url().to_owned())
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.fips, self.dual_stack) {
            (true, true) => "FIPS and dual stack",
            (true, false) => "FIPS",
            (false, true) => "dual stack",
            (false, false) => "no variant",
        })
    }
}

/// The services that have clients here, by the SDKs' service ids.
const SERVICES: [&str; 11] = [
    "STS",
    "KMS",
    "S3",
    "S3 Control",
    "IAM",
    "HealthLake",
    "Cognito Identity Provider",
    "Lambda",
    "CloudTrail",
    "CloudWatch Logs",
    "LakeFormation",
];

/// What the environment or the profile asks of the clients, and cannot be had.
#[derive(Clone, Debug, Error)]
pub enum SetupError {
    /// The authorities to trust.
    #[error("{0}")]
    Trust(#[from] TrustError),
    /// FIPS in a region without it.
    #[error("HealthLake has no FIPS endpoint in {region}, only in {}", HEALTHLAKE_FIPS.join(", "))]
    NoFips {
        /// The region.
        region: String,
    },
    /// A variant of AWS's endpoints, and an endpoint that is none of them.
    #[error("{variant} is asked for, but calls are led to {endpoint}, and not to AWS's endpoints")]
    LedElsewhere {
        /// What is asked for.
        variant: Variant,
        /// Where calls are led.
        endpoint: String,
    },
    /// The SDK's rules have no such endpoint.
    #[error("HealthLake has no endpoint of the kind that is asked for in {region}")]
    NoEndpoint {
        /// The region.
        region: String,
    },
}

impl SetupError {
    /// The next step.
    pub fn hint(&self) -> String {
        match self {
            Self::Trust(error) => error.hint(),
            Self::NoFips { .. } => "use one of these regions, or ask for no FIPS endpoints: AWS_USE_FIPS_ENDPOINT, or \
                                    use_fips_endpoint in the AWS profile"
                .to_owned(),
            Self::LedElsewhere { .. } => {
                "unset one of them: AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT (use_fips_endpoint and \
                 use_dualstack_endpoint in the AWS profile), or AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_<SERVICE> (endpoint_url) and \
                 backend.endpoint"
                    .to_owned()
            }
            Self::NoEndpoint { .. } => {
                "check the region, AWS_USE_FIPS_ENDPOINT, AWS_USE_DUALSTACK_ENDPOINT and the AWS profile".to_owned()
            }
        }
    }
}

/// The authorities that the environment or this profile names. Whatever else is wrong with the profile is said when credentials are asked for.
async fn trusted(profile: Option<&str>) -> Result<Trust, SetupError> {
    let shared = SharedConfig::read(profile).await.ok();
    Ok(Trust::of(shared.as_ref())?)
}

/// What all clients have in common.
pub(super) fn loader(region: Option<&str>, profile: Option<&str>) -> ConfigLoader {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(Duration::from_secs(20))
        .build();
    let mut loader =
        aws_config::defaults(BehaviorVersion::latest()).retry_config(RetryConfig::disabled()).timeout_config(timeouts);
    if let Some(profile) = profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = region {
        loader = loader.region(Region::new(region.to_owned()));
    }
    loader
}

/// Credentials that are read again when AWS accepts them no more, and the caller that has them read.
fn renewing(
    loader: ConfigLoader,
    region: Option<Region>,
    profile: Option<&str>,
    trust: &Trust,
) -> (Caller, ConfigLoader) {
    let http = http_client(trust);
    let credentials =
        Renewable::new(CredentialsSource { http: http.clone(), region, profile: profile.map(str::to_owned) });
    // They keep themselves, and know when what they keep is of no more use.
    let no_cache = IdentityCache::no_cache();
    let caller = Caller::renewing(credentials.clone());
    (caller, loader.http_client(http).credentials_provider(credentials).identity_cache(no_cache))
}

/// A client for S3 alone, as the state needs one.
#[derive(Clone, Debug)]
pub struct S3Alone {
    /// The client.
    pub s3: aws_sdk_s3::Client,
    /// What repeats its calls.
    pub caller: Caller,
    /// The server that is asked instead of AWS, if one is set.
    pub endpoint: Option<S3Endpoint>,
}

/// A client for S3 alone; `None` where nobody named a region. An `endpoint` comes before those of the SDK's chain.
///
/// # Errors
/// The environment or the profile asks for what is not there.
pub async fn s3_alone(
    region: Option<&str>,
    profile: Option<&str>,
    endpoint: Option<&str>,
) -> Result<Option<S3Alone>, SetupError> {
    let wanted = region.map(|region| Region::new(region.to_owned()));
    let (caller, loader) = renewing(loader(region, profile), wanted, profile, &trusted(profile).await?);
    let config = loader.load().await;
    if config.region().is_none() {
        return Ok(None);
    }
    let mut builder = aws_sdk_s3::config::Builder::from(&config);
    if let Some(endpoint) = endpoint {
        builder = builder.endpoint_url(endpoint);
    }
    let endpoint = match endpoint {
        Some(url) => Some(S3Endpoint { url: url.to_owned(), named_by: NamedBy::Backend }),
        None => S3Endpoint::of_chain(&config),
    };
    Variant::of(&config).check_not_led_elsewhere(endpoint.as_ref().map(|endpoint| endpoint.url.clone()))?;
    let url = endpoint.as_ref().map(|endpoint| endpoint.url.clone());
    let s3 = client!(@built aws_sdk_s3, builder.force_path_style(endpoint.is_some()), url);
    Ok(Some(S3Alone { s3, caller, endpoint }))
}

/// An S3 server that is asked instead of AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Endpoint {
    /// Its address.
    pub url: String,
    /// Where that is set.
    pub named_by: NamedBy,
}

/// Where an endpoint is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedBy {
    /// `backend.endpoint` in the configuration.
    Backend,
    /// This environment variable.
    Variable(&'static str),
    /// The AWS profile: its `endpoint_url`, or that of its `services` section.
    Profile,
}

impl fmt::Display for NamedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Backend => f.write_str("backend.endpoint in the config"),
            Self::Variable(name) => f.write_str(name),
            Self::Profile => f.write_str("endpoint_url in the AWS profile"),
        }
    }
}

impl S3Endpoint {
    /// The endpoint that the SDK's own chain leads its S3 client to.
    fn of_chain(config: &SdkConfig) -> Option<Self> {
        let url = endpoint_of(config, "S3")?;
        let set = |name: &&str| std::env::var(name).is_ok_and(|value| value == url);
        let named_by = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"].into_iter().find(set);
        Some(Self { url, named_by: named_by.map_or(NamedBy::Profile, NamedBy::Variable) })
    }

    /// Whether it is one of AWS's own, such as a VPC endpoint.
    pub fn is_aws(&self) -> bool {
        is_aws(&self.url)
    }
}

/// The endpoint that the SDK's client of this service is led to by a variable or a profile; the service's own comes before that of all.
fn endpoint_of(config: &SdkConfig, service_id: &str) -> Option<String> {
    let key =
        ServiceConfigKey::builder().service_id(service_id).env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
    let own = key.ok().and_then(|key| config.service_config()?.load_config(key));
    own.or_else(|| config.endpoint_url().map(str::to_owned))
}

/// The variables that name a proxy, as curl and the AWS CLI read them.
const PROXIES: [&str; 6] = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// TLS by rustls with ring; through a proxy where the environment names one.
fn http_client(trust: &Trust) -> SharedHttpClient {
    limited(unlimited_http_client(trust))
}

fn unlimited_http_client(trust: &Trust) -> SharedHttpClient {
    let tls = || tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
    let context = trust.context().unwrap_or_default();
    if !PROXIES.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty())) {
        return Builder::new().tls_provider(tls()).tls_context(context).build_https();
    }
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder().proxy_config(ProxyConfig::from_env());
        if let Some(settings) = settings {
            connector = connector.connector_settings(settings.clone());
        }
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.tls_provider(tls()).tls_context(context.clone()).build()
    })
}

#[cfg(test)]
mod tests;
