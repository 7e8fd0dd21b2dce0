//! The SDK's clients, all over one connection pool.

use std::time::Duration;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_sdk_s3::config::SharedCredentialsProvider;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::{Builder, Connector, tls};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::service_config::ServiceConfigKey;

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
    /// STS
    pub sts: aws_sdk_sts::Client,
    /// KMS
    pub kms: aws_sdk_kms::Client,
    /// S3
    pub s3: aws_sdk_s3::Client,
    /// IAM
    pub iam: aws_sdk_iam::Client,
    /// HealthLake
    pub healthlake: aws_sdk_healthlake::Client,
    /// Cognito user pools
    pub cognito: aws_sdk_cognitoidentityprovider::Client,
    /// Lambda
    pub lambda: aws_sdk_lambda::Client,
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
}

impl Clients {
    /// Builds the clients; asks nobody anything yet.
    pub async fn new(endpoint: Endpoint, region: Option<&str>, profile: Option<&str>) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(5))
            .operation_attempt_timeout(Duration::from_secs(20))
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts);
        if let Some(profile) = profile {
            // A profile that was asked for by name comes before credentials in the environment, as with the AWS CLI.
            let means = ProviderConfig::default().with_http_client(http_client());
            let named = ProfileFileCredentialsProvider::builder().configure(&means).profile_name(profile).build();
            loader = loader.profile_name(profile).credentials_provider(named);
        }
        if let Some(region) = region {
            loader = loader.region(Region::new(region.to_owned()));
        }
        loader = match endpoint {
            Endpoint::Aws => loader.http_client(http_client()),
            Endpoint::InProcess { http, region: home } => {
                let credentials = Credentials::new("SANDBOX", "sandbox", None, None, "sandbox");
                loader
                    .http_client(http)
                    .endpoint_url("http://127.0.0.1")
                    .region(Region::new(region.map_or(home, str::to_owned)))
                    .credentials_provider(SharedCredentialsProvider::new(credentials))
            }
        };
        Self::from_config(&loader.load().await)
    }

    fn from_config(config: &SdkConfig) -> Self {
        // A custom endpoint seldom answers to `bucket.host`.
        let custom_s3 = config.endpoint_url().is_some()
            || std::env::var_os("AWS_ENDPOINT_URL_S3").is_some()
            || std::env::var_os("AWS_ENDPOINT_URL").is_some();
        let s3 = aws_sdk_s3::config::Builder::from(config).force_path_style(custom_s3).build();
        Self {
            sts: aws_sdk_sts::Client::new(config),
            kms: aws_sdk_kms::Client::new(config),
            s3: aws_sdk_s3::Client::from_conf(s3),
            iam: aws_sdk_iam::Client::new(config),
            healthlake: aws_sdk_healthlake::Client::new(config),
            cognito: aws_sdk_cognitoidentityprovider::Client::new(config),
            lambda: aws_sdk_lambda::Client::new(config),
            logs: aws_sdk_cloudwatchlogs::Client::new(config),
            lakeformation: aws_sdk_lakeformation::Client::new(config),
            region: config.region().map(|region| region.as_ref().to_owned()),
            credentials: config.credentials_provider(),
            cognito_endpoint: endpoint_of(config, "Cognito Identity Provider"),
            healthlake_endpoint: endpoint_of(config, "HealthLake"),
        }
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
fn http_client() -> SharedHttpClient {
    let tls = || tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
    if !PROXIES.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty())) {
        return Builder::new().tls_provider(tls()).build_https();
    }
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder().proxy_config(ProxyConfig::from_env());
        if let Some(settings) = settings {
            connector = connector.connector_settings(settings.clone());
        }
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.tls_provider(tls()).build()
    })
}
