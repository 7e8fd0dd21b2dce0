//! An AWS of its own for one test, on a port that the system chooses.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::thread::JoinHandle;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_sdk_s3::config::SharedCredentialsProvider;
use hlctl_emulator::{Action, Clock, Delays, Emulator, Faults, Options, RequestRecord, Rule};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// An emulator that is served until the test ends.
pub(crate) struct Cloud {
    /// The emulator, for its faults and its log.
    pub emulator: Emulator,
    /// Moves its time, if it was opened with [`Cloud::still`].
    pub clock: Clock,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Cloud {
    /// Stores are ready at the next look.
    pub fn quick() -> Self {
        Self::with(Options::default())
    }

    /// Time stands still until the clock is moved, and a store takes a minute for everything.
    pub fn still() -> Self {
        let minute = std::time::Duration::from_secs(60);
        let clock = Clock::manual("2026-01-02T03:04:05Z".parse().unwrap());
        Self::with(Options {
            clock,
            delays: Delays { create: minute, update: minute, delete: minute, ..Delays::default() },
            ..Options::default()
        })
    }

    /// An AWS with these settings.
    pub fn with(options: Options) -> Self {
        Self::of(Emulator::open(options).unwrap())
    }

    /// The AWS that this emulator plays.
    pub fn of(emulator: Emulator) -> Self {
        let clock = emulator.options().clock.clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let (tell, reported) = std::sync::mpsc::channel();
        let served = emulator.clone();
        let thread = std::thread::spawn(move || {
            block_on(async {
                let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                served.serve(listener, async { drop(stopped.await) }).await.unwrap();
            });
        });
        Self { emulator, clock, address: reported.recv().unwrap(), stop: Some(stop), thread: Some(thread) }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A minute passes: whatever a store was busy with is over.
    pub fn let_a_minute_pass(&self) {
        self.clock.advance(std::time::Duration::from_secs(61));
    }

    /// Puts these rules in force instead of all others.
    pub fn rules(&self, rules: impl IntoIterator<Item = Rule>) {
        self.emulator.set_faults(Faults { rules: rules.into_iter().collect(), ..Faults::default() });
    }

    /// Nothing goes wrong any more.
    pub fn heal(&self) {
        self.emulator.set_faults(Faults::default());
    }

    /// What was asked since the log was last cleared.
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.emulator.requests()
    }

    /// How often the operation was asked for.
    pub fn count(&self, operation: &str) -> usize {
        self.requests().iter().filter(|record| record.operation == operation).count()
    }

    /// The requests that change something, by name.
    pub fn mutations(&self) -> Vec<String> {
        let mutating = |record: &RequestRecord| is_mutating(&record.operation);
        self.requests().iter().filter(|record| mutating(record)).map(|record| record.operation.clone()).collect()
    }

    /// The SDK's configuration for this AWS, in its default account.
    pub fn sdk(&self, region: &str) -> SdkConfig {
        self.sdk_as("test", region)
    }

    /// The SDK's configuration for this AWS.
    pub fn sdk_as(&self, access_key: &str, region: &str) -> SdkConfig {
        block_on(self.sdk_later(access_key, region))
    }

    /// The SDK's configuration for this AWS, for what runs already.
    pub async fn sdk_later(&self, access_key: &str, region: &str) -> SdkConfig {
        let credentials = Credentials::new(access_key, "secret", None, None, "test");
        let loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(self.emulator.connector())
            .endpoint_url("http://127.0.0.1")
            .region(Region::new(region.to_owned()))
            .credentials_provider(SharedCredentialsProvider::new(credentials));
        loader.load().await
    }

    /// An S3 client in the default account and region.
    pub fn s3(&self) -> aws_sdk_s3::Client {
        s3(&self.sdk("us-east-1"))
    }

    /// An S3 client in this account and region.
    pub fn s3_of(&self, account: &str, region: &str) -> aws_sdk_s3::Client {
        s3(&self.sdk_as(account, region))
    }

    /// An IAM client in the default account.
    pub fn iam(&self) -> aws_sdk_iam::Client {
        aws_sdk_iam::Client::new(&self.sdk("us-east-1"))
    }

    /// A KMS client in the default account and region.
    pub fn kms(&self) -> aws_sdk_kms::Client {
        aws_sdk_kms::Client::new(&self.sdk("us-east-1"))
    }

    /// A Cognito client in the default account and region.
    pub fn cognito(&self) -> aws_sdk_cognitoidentityprovider::Client {
        aws_sdk_cognitoidentityprovider::Client::new(&self.sdk("us-east-1"))
    }

    /// A Lambda client in the default account and region.
    pub fn lambda(&self) -> aws_sdk_lambda::Client {
        aws_sdk_lambda::Client::new(&self.sdk("us-east-1"))
    }

    /// A CloudWatch Logs client in the default account and region.
    pub fn logs(&self) -> aws_sdk_cloudwatchlogs::Client {
        aws_sdk_cloudwatchlogs::Client::new(&self.sdk("us-east-1"))
    }

    /// A HealthLake client in the default account and region.
    pub fn healthlake(&self) -> aws_sdk_healthlake::Client {
        aws_sdk_healthlake::Client::new(&self.sdk("us-east-1"))
    }

    /// Counts what lives, in the default account and region.
    pub fn census(&self) -> Census {
        self.census_as("test", "us-east-1")
    }

    /// Counts what lives.
    pub fn census_as(&self, access_key: &str, region: &str) -> Census {
        let requests = self.emulator.faults();
        self.heal();
        let config = self.sdk_as(access_key, region);
        let census = block_on(count(&config));
        self.emulator.set_faults(requests);
        census
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// How many of each live; keys that wait for their end are counted apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Census {
    pub keys: usize,
    pub keys_ending: usize,
    pub stores: usize,
    pub buckets: usize,
    pub roles: usize,
    pub policies: usize,
    pub pools: usize,
    pub functions: usize,
    pub log_groups: usize,
}

impl Census {
    /// One stack without a key for its store.
    pub fn one_stack() -> Self {
        Self { keys: 1, stores: 1, buckets: 2, roles: 1, policies: 1, ..Self::default() }
    }

    /// What the example leads to.
    pub fn of(example: &str) -> Self {
        match example {
            "customer-keys" => Self { keys: 2, ..Self::one_stack() },
            "smart" => {
                Self { keys: 2, roles: 3, policies: 2, pools: 1, functions: 1, log_groups: 1, ..Self::one_stack() }
            }
            "hardened" => Self { keys: 3, ..Self::of("smart") },
            _ => Self::one_stack(),
        }
    }

    /// What a destroyed stack leaves: keys on their way out.
    pub fn nothing_but_ending_keys(keys_ending: usize) -> Self {
        Self { keys_ending, ..Self::default() }
    }
}

async fn count(config: &SdkConfig) -> Census {
    let kms = aws_sdk_kms::Client::new(config);
    let mut states: BTreeMap<bool, usize> = BTreeMap::new();
    for key in kms.list_keys().send().await.unwrap().keys() {
        let described = kms.describe_key().key_id(key.key_arn().unwrap()).send().await.unwrap();
        *states.entry(described.key_metadata().unwrap().enabled()).or_default() += 1;
    }
    let stores = aws_sdk_healthlake::Client::new(config).list_fhir_datastores().send().await.unwrap();
    let lives = |status: &str| !["DELETED", "DELETING"].contains(&status);
    let iam = aws_sdk_iam::Client::new(config);
    let policies = iam.list_policies().scope(aws_sdk_iam::types::PolicyScopeType::Local).send().await.unwrap();
    let cognito = aws_sdk_cognitoidentityprovider::Client::new(config);
    let pools = cognito.list_user_pools().max_results(60).send().await.unwrap();
    let functions = aws_sdk_lambda::Client::new(config).list_functions().send().await.unwrap();
    let log_groups = aws_sdk_cloudwatchlogs::Client::new(config).describe_log_groups().send().await.unwrap();
    Census {
        keys: states.get(&true).copied().unwrap_or_default(),
        keys_ending: states.get(&false).copied().unwrap_or_default(),
        stores: stores
            .datastore_properties_list()
            .iter()
            .filter(|store| lives(store.datastore_status().as_str()))
            .count(),
        buckets: s3(config).list_buckets().send().await.unwrap().buckets().len(),
        roles: iam.list_roles().send().await.unwrap().roles().len(),
        policies: policies.policies().len(),
        pools: pools.user_pools().len(),
        functions: functions.functions().len(),
        log_groups: log_groups.log_groups().len(),
    }
}

fn s3(config: &SdkConfig) -> aws_sdk_s3::Client {
    aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(config).force_path_style(true).build())
}

/// Whether an operation of this name changes anything.
pub(crate) fn is_mutating(operation: &str) -> bool {
    !["Get", "Head", "List", "Describe", "AdminGet", "Search"].iter().any(|verb| operation.starts_with(verb))
}

/// A fault for the nth request of an operation, or for all of them.
pub(crate) fn rule(operation: &str, nth: Option<u64>, action: Action) -> Rule {
    Rule {
        service: None,
        operation: Some(operation.to_owned()),
        nth,
        every: None,
        probability: None,
        times: None,
        action,
    }
}

/// Waits for an answer of the SDK.
pub(crate) fn call<T>(future: impl Future<Output = T>) -> T {
    block_on(future)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
