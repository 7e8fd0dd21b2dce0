//! What the tests share: keys and tokens, key sources, and small servers on loopback.

pub(crate) mod keys;
pub(crate) mod server;
pub(crate) mod source;
pub(crate) mod token;

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use hlctl_authorizer::{Authorizer, Event, KeySource, Refusal, Settings};
use serde_json::Value;

pub(crate) const ENDPOINT: &str = "https://healthlake.us-east-1.amazonaws.com/datastore/0123456789abcdef/r4/";
pub(crate) const ISSUER: &str = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_aBcDeFgHi";
pub(crate) const CLIENT: &str = "1example23456789";
pub(crate) const MACHINE_CLIENT: &str = "machine0client";
pub(crate) const ROLE: &str = "arn:aws:iam::123456789012:role/smart";
/// The second in which the tests take place.
pub(crate) const NOW: u64 = 1_800_000_000;

/// That second, and seconds after it.
pub(crate) fn now() -> SystemTime {
    after(Duration::ZERO)
}

pub(crate) fn after(passed: Duration) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOW) + passed
}

/// The environment of a function as hlctl would set it, and what a test changes of it.
pub(crate) fn environment(changes: &[(&str, &str)]) -> HashMap<String, String> {
    let usual = [
        ("CLIENT_ID", CLIENT),
        ("MACHINE_CLIENT_ID", MACHINE_CLIENT),
        ("JWKS_URI", "https://keys.invalid/jwks.json"),
        ("USER_ROLE_ARN", ROLE),
        ("USER_POOL_ID", "us-east-1_aBcDeFgHi"),
    ];
    usual.iter().chain(changes).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub(crate) fn settings(changes: &[(&str, &str)]) -> Settings {
    let environment = environment(changes);
    Settings::from_env(|name| environment.get(name).cloned()).unwrap()
}

pub(crate) fn event(token: &str) -> Event {
    Event::new(ENDPOINT, "SearchWithGet", token)
}

/// The answer as HealthLake would read it.
pub(crate) async fn answer<S: KeySource>(authorizer: &Authorizer<S>, token: &str) -> Value {
    serde_json::to_value(authorizer.answer(&event(token), now()).await).unwrap()
}

/// Why a token is refused at some time, if it is.
pub(crate) async fn refusal_at<S: KeySource>(
    authorizer: &Authorizer<S>,
    token: &str,
    time: SystemTime,
) -> Option<Refusal> {
    authorizer.answer(&event(token), time).await.refusal()
}
