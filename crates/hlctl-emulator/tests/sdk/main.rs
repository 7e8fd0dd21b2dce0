//! The genuine Rust SDK against the emulator, in process.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]

mod cognito;
mod cognito_pages;
mod cors;
mod external;
mod faults;
mod fhir;
mod healthlake;
mod jobs;
mod lambda;
mod origin;
mod persistence;
mod policy;
mod s3;
mod s3_parts;
mod server;
mod transformation;
mod unmodelled;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use hlctl_emulator::{Clock, Emulator, Ids, Options};

/// Time stands still and ids repeat themselves, so that every run is the same.
pub(crate) fn still_options() -> (Options, Clock) {
    let clock = Clock::manual("2026-01-02T03:04:05Z".parse().unwrap());
    let options = Options { clock: clock.clone(), ids: Ids::seeded(1), ..Options::default() };
    (options, clock)
}

pub(crate) fn open() -> Emulator {
    Emulator::open(still_options().0).unwrap()
}

pub(crate) fn config(emulator: &Emulator) -> SdkConfig {
    config_as(emulator, "AKIATEST", "us-east-1")
}

pub(crate) fn config_as(emulator: &Emulator, access_key: &str, region: &str) -> SdkConfig {
    let credentials = Credentials::new(access_key, "secret", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(emulator.connector())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .region(Region::new(region.to_owned()))
        .sleep_impl(aws_smithy_async::rt::sleep::SharedAsyncSleep::new(aws_smithy_async::rt::sleep::TokioSleep::new()))
        .retry_config(
            aws_config::retry::RetryConfig::standard().with_initial_backoff(std::time::Duration::from_millis(1)),
        )
        .build()
}

pub(crate) fn operations(emulator: &Emulator) -> Vec<String> {
    let requests = emulator.requests();
    requests.into_iter().map(|record| record.operation).collect()
}
