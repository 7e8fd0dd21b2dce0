//! What a command that talks to AWS begins with: configuration, state, clients, and who the caller is.

mod client_secret;
mod concurrency;
mod error;
mod fleet;
mod jobs;
mod locking;
mod open_stack;
mod own_files;
mod own_stack;
mod passwords;
mod state_location;
mod transform_profiles;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use client_secret::ClientSecret;
pub use concurrency::Concurrency;
use error::ConnectError;
pub(crate) use error::StateLocationError;
pub use fleet::Fleet;
pub use jobs::{Jobs, under_way};
pub use open_stack::{OpenStack, Region};
pub use own_stack::HeldElsewhere;
use passwords::Passwords;
use tokio::task::JoinSet;
use tracing::Instrument as _;
use transform_profiles::ProfileQuota;
pub use transform_profiles::difference_of_versions;

use crate::cli::Global;
use crate::error::CommandError;
use crate::materials;
use crate::module::standby::{counterpart, is_standby};
use crate::module::{self, Stack, StackInputs, WayBack};
use crate::plan::{self, Change, Options, Plan, PlanInput, Seen};
use crate::sandbox::{self, Emulator};
use crate::ui::Printer;
use hlctl_aws::{AwsError, Clients, Endpoint, Gate, ops};
use hlctl_config::{AccountRegionalName, Config, Protect, Setting, Sources};
use hlctl_engine::state::{Entry, Home, State, Status};
use hlctl_engine::wait::{PollPolicy, Stop};
use hlctl_fhir::{NoSigningCredentials, Signer};
use hlctl_model::address::Address;
use hlctl_model::graph::Graph;
use hlctl_model::invocation::CommandLine;
use hlctl_model::text::instant;
use hlctl_resources::{Context, Identity, Kind, Settings, last_usage};

/// The files and flags of one run; nothing has been read yet.
#[derive(Clone, Debug)]
pub struct Session {
    /// Options of every command.
    pub global: Global,
    /// Where to print.
    pub printer: Printer,
    /// Tells everyone to stop.
    pub stop: Stop,
    /// The other stacks of this run, if there are any.
    pub fleet: Option<Arc<Fleet>>,
}

impl Session {
    /// AWS, or the sandbox.
    pub fn home(&self) -> Home {
        if self.global.sandbox { Home::Sandbox } else { Home::Aws }
    }

    /// How to wait: as the configuration says, or, where there is none, its variables.
    pub fn pace(&self, config: Option<&Config>) -> PollPolicy {
        let pace = match config {
            Some(config) => {
                PollPolicy { longest: config.poll_interval, timeout: config.wait_timeout, ..PollPolicy::default() }
            }
            None => pace_of_environment(),
        };
        if self.home() == Home::Sandbox { pace.at_most(SANDBOX_INTERVAL) } else { pace }
    }

    /// Where the sandbox keeps what it plays.
    pub fn sandbox_directory(&self) -> PathBuf {
        let parent = self.global.config.parent().unwrap_or(Path::new(""));
        parent.join(".hlctl").join("sandbox")
    }

    /// Reads the configuration, and prints its warnings.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn config(&self) -> Result<Config, CommandError> {
        let examined = hlctl_config::examine(&self.sources().map_err(CommandError::Config)?);
        match examined.config {
            Some(config) => {
                if !examined.problems.is_empty() {
                    self.printer.say(&examined.problems.render(self.printer.colours_stderr()));
                }
                Ok(config)
            }
            None => Err(CommandError::Config(examined.problems)),
        }
    }

    /// Everything that the configuration is read from.
    ///
    /// # Errors
    /// The file cannot be read, or a flag has no value.
    pub fn sources(&self) -> Result<Sources, hlctl_config::Problems> {
        let sets = self.settings()?;
        let sources = Sources::read(&self.global.config, hlctl_config::variables(std::env::vars_os()), sets)?;
        Ok(Sources { environment: self.global.environment().map(str::to_owned), ..sources })
    }

    fn settings(&self) -> Result<Vec<Setting>, hlctl_config::Problems> {
        let mut settings = Vec::new();
        for assignment in &self.global.set {
            settings.push(Setting::assignment(assignment)?);
        }
        let flags = [("--region", "region", &self.global.region), ("--profile", "profile", &self.global.profile)];
        for (flag, key, value) in flags {
            settings.extend(value.iter().map(|value| Setting::flag(flag, key, value)));
        }
        Ok(settings)
    }

    /// The configuration, if its file exists; a destroy and a wait work from the state alone.
    ///
    /// # Errors
    /// The file exists and something is wrong with it.
    pub fn config_if_any(&self) -> Result<Option<Config>, CommandError> {
        if self.global.config.exists() { self.config().map(Some) } else { Ok(None) }
    }

    /// Connects to AWS or the sandbox and asks who the caller is.
    ///
    /// # Errors
    /// No region, no credentials, no way to AWS, or an account that the configuration does not allow; or a signal came.
    pub async fn connect(&self, options: ConnectOptions<'_>) -> Result<Connection, CommandError> {
        self.interruptible(Box::pin(self.connect_now(options))).await
    }

    async fn connect_now(&self, options: ConnectOptions<'_>) -> Result<Connection, CommandError> {
        check_endpoints()?;
        let emulator = match self.home() {
            Home::Aws => None,
            Home::Sandbox => Some(self.sandbox()?),
        };
        let endpoint = emulator.as_ref().map_or(Endpoint::Aws, sandbox::endpoint);
        let clients = Clients::new(endpoint, options.region, options.profile).await?;
        let Some(region) = clients.region.clone() else {
            return Err(no_region(options.profile, ConnectError::NoRegion).await);
        };
        if self.home() == Home::Aws && options.region.is_none() {
            hlctl_config::check_region(&region).map_err(ConnectError::Region)?;
        }
        let identity = identify(&clients, region).await.map_err(CommandError::Aws)?;
        if self.home() == Home::Aws {
            check_account(&identity, options.allowed_accounts)?;
        }
        let gate = self.fleet.as_ref().map_or_else(Arc::default, |fleet| fleet.gate(&identity));
        let environment = self.global.environment().map(str::to_owned);
        Ok(Connection { clients, identity, environment, emulator, gate })
    }

    /// Runs work that changes nothing; a signal ends it at once. What reads a state, connects or plans is wrapped in it already.
    ///
    /// # Errors
    /// As the work; or [`CommandError::Interrupted`].
    pub async fn interruptible<T>(
        &self,
        work: impl Future<Output = Result<T, CommandError>>,
    ) -> Result<T, CommandError> {
        tokio::select! {
            result = work => result,
            signal = self.stop.requested() => Err(CommandError::Interrupted(signal)),
        }
    }

    fn sandbox(&self) -> Result<Emulator, CommandError> {
        let directory = self.sandbox_directory();
        self.fleet.as_ref().map_or_else(|| sandbox::in_process(&directory), |fleet| fleet.sandbox(&directory))
    }
}

/// That no region is set; or what is wrong with the profile, which can be why.
async fn no_region(profile: Option<&str>, error: ConnectError) -> CommandError {
    match hlctl_aws::credentials::check_profile(profile).await {
        Ok(()) => error.into(),
        Err(error) => CommandError::Aws(error),
    }
}

/// An endpoint that is no address would only be found out call by call.
pub(crate) fn check_endpoints() -> Result<(), CommandError> {
    let is_endpoint = |name: &str| name == "AWS_ENDPOINT_URL" || name.starts_with("AWS_ENDPOINT_URL_");
    for (name, value) in std::env::vars().filter(|(name, value)| is_endpoint(name) && !value.is_empty()) {
        let is_good = value
            .parse::<http::Uri>()
            .is_ok_and(|uri| uri.host().is_some() && matches!(uri.scheme_str(), Some("http" | "https")));
        if !is_good {
            return Err(ConnectError::Endpoint { variable: name, value }.into());
        }
    }
    Ok(())
}

/// What a connection should be like.
#[derive(Clone, Copy, Default)]
pub struct ConnectOptions<'a> {
    /// Region; `None` leaves it to the SDK's chain.
    pub region: Option<&'a str>,
    /// Profile; `None` leaves it to the SDK's chain.
    pub profile: Option<&'a str>,
    /// Accounts allowed; `None` or empty allows any.
    pub allowed_accounts: Option<&'a std::collections::BTreeSet<String>>,
}

impl<'a> ConnectOptions<'a> {
    /// As the configuration says, if there is one; where it is silent, as the flags and the state do.
    pub fn from_config_or_state(config: Option<&'a Config>, global: &'a Global, state: &'a State) -> Self {
        let home = state.identity.region.as_str();
        match config {
            Some(config) => Self { region: config.region.as_deref().or(Some(home)), ..Self::from_config(config) },
            None => Self {
                region: Some(global.region.as_deref().unwrap_or(home)),
                profile: global.profile.as_deref(),
                ..Self::default()
            },
        }
    }

    /// As the configuration says, if there is one; else as the flags do.
    pub fn from_config_or_flags(config: Option<&'a Config>, global: &'a Global) -> Self {
        config.map_or_else(|| Self::from_flags(global), Self::from_config)
    }

    /// As the flags say.
    pub fn from_flags(global: &'a Global) -> Self {
        Self { region: global.region.as_deref(), profile: global.profile.as_deref(), allowed_accounts: None }
    }

    /// As the configuration says.
    pub fn from_config(config: &'a Config) -> Self {
        Self {
            region: config.region.as_deref(),
            profile: config.profile.as_deref(),
            allowed_accounts: Some(&config.allowed_account_ids),
        }
    }
}

/// The way to AWS, and who uses it.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The SDK's clients.
    pub clients: Clients,
    /// Account, region, partition.
    pub identity: Identity,
    /// The environment of the configuration that this run is for.
    pub environment: Option<String>,
    /// What plays AWS, if it is in this process.
    pub emulator: Option<Emulator>,
    /// What the account may do only one at a time.
    pub gate: Arc<Gate>,
}

impl Connection {
    /// What the resources share in one run.
    pub fn context(&self, state: &State, settings: Settings, pace: PollPolicy, stop: Stop) -> Context {
        Context {
            clients: self.clients.clone(),
            caller: self.clients.caller.clone(),
            identity: self.identity.clone(),
            stack: state.stack.clone(),
            settings,
            pace,
            stop,
            gate: Arc::clone(&self.gate),
            mappings: Arc::default(),
        }
    }

    /// What signs requests to the FHIR interface as the caller.
    ///
    /// # Errors
    /// There is no chain of credentials at all.
    pub fn signer(&self) -> Result<Signer, NoSigningCredentials> {
        Signer::of(&self.clients, &self.identity.region)
    }

    /// For headings: the environment, the account and the region, and whether it is the sandbox.
    pub fn place(&self, home: Home) -> String {
        let Identity { account, region, .. } = &self.identity;
        let environment = self.environment.as_ref().map(|name| format!("environment {name}, ")).unwrap_or_default();
        let place = match home {
            Home::Aws => format!("account {account}, region {region}"),
            Home::Sandbox => format!("the sandbox, region {region}"),
        };
        environment + &place
    }
}

async fn identify(clients: &Clients, region: String) -> Result<Identity, AwsError> {
    let ask = || clients.sts.get_caller_identity().send();
    let answer = clients.caller.call(ops::sts::GET_CALLER_IDENTITY, ask).await?;
    let missing = |what| AwsError::incomplete(ops::sts::GET_CALLER_IDENTITY, what);
    let caller = answer.arn().filter(|arn| !arn.is_empty()).ok_or_else(|| missing("ARN"))?.to_owned();
    let partition = caller.split(':').nth(1).filter(|partition| !partition.is_empty()).unwrap_or("aws").to_owned();
    let account = answer.account().filter(|account| !account.is_empty()).ok_or_else(|| missing("account"))?.to_owned();
    Ok(Identity { account, region, partition, caller })
}

fn check_account(
    identity: &Identity,
    allowed: Option<&std::collections::BTreeSet<String>>,
) -> Result<(), CommandError> {
    match allowed {
        Some(allowed) if !allowed.is_empty() && !allowed.contains(&identity.account) => {
            let allowed = allowed.iter().cloned().collect();
            Err(ConnectError::Account { account: identity.account.clone(), allowed }.into())
        }
        _ => Ok(()),
    }
}

/// A bucket whose name is for another account or region cannot be created here, and S3 would say so only once the rest is there.
fn check_namespaces(config: &Config, identity: &Identity, home: Home) -> Result<(), ConnectError> {
    for (key, name) in [("data_bucket_name", &config.data_bucket_name), ("logs_bucket_name", &config.logs_bucket_name)]
    {
        let Some(name) = AccountRegionalName::of(name) else { continue };
        let own = name.in_namespace(&identity.account, &identity.region);
        if name != own {
            return Err(ConnectError::Namespace { key, name, own, home });
        }
    }
    Ok(())
}

/// The sandbox's stores take seconds, whatever their age.
const SANDBOX_INTERVAL: Duration = Duration::from_millis(250);

/// A plan and all that it rests on.
#[derive(Debug)]
pub struct Prepared {
    /// What the resources share.
    pub cx: Context,
    /// What is wanted.
    pub stack: Stack,
    /// What is to be done.
    pub plan: Plan,
    /// What is known.
    pub state: State,
    /// Which addresses are protected.
    pub protect: Protect,
    config: Option<Config>,
    graph: Graph,
    seen: BTreeMap<Address, Seen>,
    gone: Vec<String>,
    jobs: Jobs,
    concurrency: Concurrency,
    profiles: ProfileQuota,
    client_secret: ClientSecret,
    /// When the keys that the plan deletes were last used, by the ids that the state records.
    usages: BTreeMap<String, String>,
    passwords: Passwords,
    /// What is to be said whatever the plan is.
    notes: Vec<String>,
}

impl Prepared {
    /// A plan that rests on nothing but the state.
    pub fn of_parts(cx: Context, stack: Stack, plan: Plan, state: State, protect: Protect) -> Self {
        let (graph, seen) = (Graph::default(), BTreeMap::new());
        Self {
            cx,
            stack,
            plan,
            state,
            protect,
            graph,
            seen,
            config: None,
            gone: Vec::new(),
            jobs: Jobs::default(),
            concurrency: Concurrency::default(),
            profiles: ProfileQuota::default(),
            client_secret: ClientSecret::default(),
            usages: BTreeMap::new(),
            passwords: Passwords::default(),
            notes: Vec::new(),
        }
    }

    /// Decides again, after the user has named more, from what was read before.
    ///
    /// # Errors
    /// As [`prepare`].
    pub fn decide_again(&mut self, connection: &Connection, options: &Options) -> Result<(), CommandError> {
        let data_bucket = self.config.as_ref().map(|config| config.data_bucket_name.as_str());
        self.plan = plan::build(
            &PlanInput {
                stack: &self.stack,
                graph: &self.graph,
                state: &self.state,
                seen: &self.seen,
                identity: &connection.identity,
                is_protected: &|address, recorded| {
                    module::is_protected_as(&self.protect, data_bucket, address, recorded)
                },
                config_decides: self.config.is_some(),
                asks_for: &|address| self.asks_for(address),
                is_known: &module::is_known,
                way_back: &|remains| WayBack::of(&self.state, &remains.id).sentence(remains.is_over),
                settings: &self.cx.settings,
                store_name: self.config.as_ref().map(|config| config.datastore_name.as_str()),
            },
            options,
        )?;
        self.plan.warnings.extend(self.gone.iter().cloned());
        self.plan.warnings.extend(self.notes.iter().cloned());
        self.plan.warnings.extend(self.passwords.warnings(&self.plan));
        self.plan.refusals.extend(self.passwords.refusals(&self.plan));
        self.plan.warnings.extend(self.jobs.warnings(options.ignore_jobs));
        if !options.ignore_jobs {
            self.plan.refusals.extend(self.jobs.refusals());
        }
        let quota = self.concurrency.refusals(&self.plan, &connection.identity.region);
        self.plan.refusals.extend(quota);
        self.plan.refusals.extend(self.profiles.refusals(&self.plan));
        self.plan.texts = transform_profiles::differences(&self.cx, &self.stack, &self.plan);
        self.plan.refusals.extend(self.client_secret.refusal());
        self.plan.warnings.extend(self.concurrency.warning(&self.plan));
        self.plan.warnings.extend(self.profiles.warning());
        for change in &mut self.plan.changes {
            let usage = ending_key(change).and_then(|key| self.usages.get(key));
            change.impact.extend(usage.cloned());
        }
        Ok(())
    }

    /// What the account has in Lambda, as far as the plan takes any of it.
    pub fn concurrency(&self) -> &Concurrency {
        &self.concurrency
    }

    /// Refuses changes that need a password which is not at hand.
    ///
    /// # Errors
    /// [`CommandError::Password`].
    pub fn check_passwords(&self, changes: &[Change]) -> Result<(), CommandError> {
        self.passwords.needed(changes).map_or(Ok(()), |error| Err(CommandError::Password(error.clone())))
    }

    /// Those of the names that something still has in this state, or will have: nothing else can be named again.
    pub fn still_named<'a>(&self, names: impl IntoIterator<Item = &'a String>, now: &State) -> Vec<&'a String> {
        let mut known = plan::names(now);
        known.extend(self.stack.keys().map(Address::to_string));
        known.extend(self.config.as_ref().map(|config| config.datastore_name.clone()));
        names.into_iter().filter(|name| known.contains(*name)).collect()
    }

    /// The jobs that the plan would take something from, as they were when it was made.
    pub fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// The same as they are now.
    ///
    /// # Errors
    /// As [`Jobs::look`].
    pub async fn jobs_now(&self) -> Result<Jobs, CommandError> {
        Jobs::look(&self.cx, &self.plan, &self.state, &self.seen).await
    }

    /// Whether the configuration asks for a resource there. What it says of the store in use counts for its standbys.
    fn asks_for(&self, address: &Address) -> bool {
        let Some(config) = &self.config else { return false };
        match counterpart(address) {
            Some(in_use) => module::asks_for(config, &Address::parse(in_use)),
            None => module::asks_for(config, address),
        }
    }

    /// Whether the address is protected.
    pub fn is_protected(&self, address: &Address) -> bool {
        module::is_protected(&self.protect, address)
    }
}

/// Reads and decides. `config` is `None` for a destroy whose configuration is gone.
///
/// # Errors
/// AWS cannot be read, or the state is another's, or the options name nothing; or a signal came.
pub async fn prepare(
    connection: &Connection,
    session: &Session,
    config: Option<&Config>,
    state: State,
    options: &Options,
    settings: Settings,
) -> Result<Prepared, CommandError> {
    session.interruptible(Box::pin(prepare_now(connection, session, config, state, options, settings))).await
}

async fn prepare_now(
    connection: &Connection,
    session: &Session,
    config: Option<&Config>,
    state: State,
    options: &Options,
    settings: Settings,
) -> Result<Prepared, CommandError> {
    state.check_belongs(session.home(), &connection.identity)?;
    let pace = session.pace(config);
    let cx = connection.context(&state, settings, pace, session.stop.clone());
    let wanted = |state: &State| match config {
        Some(config) if !options.destroy => {
            check_namespaces(config, &connection.identity, session.home())?;
            let mut materials = materials::gather(config, session.home(), Some(state), || session.config_if_any())?;
            materials.standby.stores.retain(|store| !options.give_up.contains(&store.address));
            archive_ahead(&materials, state);
            let passwords = Passwords::of(config, state, &materials);
            let note = materials.package.as_ref().and_then(|package| package.note.as_ref().map(ToString::to_string));
            let stack = module::build(config, &connection.identity, &state.stack, &materials);
            Ok((stack, passwords, note.into_iter().collect()))
        }
        _ => Ok::<_, CommandError>((Stack::new(), Passwords::default(), Vec::new())),
    };
    let (mut stack, passwords, notes) = wanted(&state)?;
    let mut graph = graph_of(&stack);
    let protect = config.map_or(Protect::Default, |config| config.protect.clone());
    let seen = plan::refresh(&cx, &stack, &graph, &state, destroys_buckets(&stack, &state, options)).await?;
    let mut state = state;
    let gone = if options.destroy { Vec::new() } else { let_go(&mut state, &seen) };
    if !gone.is_empty() {
        (stack, ..) = wanted(&state)?;
        graph = graph_of(&stack);
    }
    let (plan, jobs, config) = (Plan::default(), Jobs::default(), config.cloned());
    let (concurrency, client_secret, usages) = (Concurrency::default(), ClientSecret::default(), BTreeMap::new());
    let profiles = ProfileQuota::default();
    let mut prepared = Prepared {
        cx,
        stack,
        plan,
        state,
        protect,
        config,
        graph,
        seen,
        gone,
        jobs,
        concurrency,
        profiles,
        client_secret,
        usages,
        passwords,
        notes,
    };
    prepared.decide_again(connection, options)?;
    let (jobs, concurrency, profiles, client_secret, usages) = tokio::join!(
        prepared.jobs_now(),
        Concurrency::look(&prepared.cx, &prepared.plan),
        ProfileQuota::look(&prepared.cx, &prepared.plan),
        ClientSecret::look(&prepared.cx, &prepared.stack, &prepared.state, &prepared.plan),
        last_usages(&prepared.cx, &prepared.plan),
    );
    let jobs = jobs?;
    prepared.jobs = if options.exports_first { jobs.without_exports() } else { jobs };
    (prepared.concurrency, prepared.profiles, prepared.usages) = (concurrency, profiles, usages);
    let unseen = |error| CommandError::Resource { address: Address::parse("lambda_function.token_validator"), error };
    prepared.client_secret = client_secret.map_err(unseen)?;
    prepared.decide_again(connection, options)?;
    own_stack::recognise(session, prepared.config.as_ref(), &mut prepared.plan, &prepared.state);
    Ok(prepared)
}

/// Begins to make the function's archive while AWS is asked, if its source is not the one that was sent last.
fn archive_ahead(materials: &StackInputs, state: &State) {
    let Some(package) = materials.package.clone() else { return };
    let function = state.recorded("lambda_function.token_validator");
    let sent = function.and_then(|function| function.get("source_sha256")?.as_str());
    if sent != Some(package.source_sha256.as_str()) {
        // The step that needs it waits for it, and gets its error.
        tokio::task::spawn_blocking(move || package.archive().is_ok());
    }
}

/// The id of a key whose deletion the change schedules.
fn ending_key(change: &Change) -> Option<&str> {
    let recorded = change.recorded.as_ref().filter(|_| change.kind == Kind::KmsKey && change.action.destroys())?;
    recorded.get("id")?.as_str()
}

/// When each key that the plan deletes was last used.
async fn last_usages(cx: &Context, plan: &Plan) -> BTreeMap<String, String> {
    let mut asked = JoinSet::new();
    let keys = plan.changes.iter().filter_map(|change| Some((&change.address, ending_key(change)?)));
    for (address, key) in keys {
        let (cx, key) = (cx.clone(), key.to_owned());
        let span = tracing::info_span!("read", %address);
        let ask = async move {
            let usage = last_usage(&cx, &key).await;
            (key, usage)
        };
        asked.spawn(ask.instrument(span));
    }
    asked.join_all().await.into_iter().collect()
}

fn graph_of(stack: &Stack) -> Graph {
    let mut graph = Graph::default();
    for (address, spec) in stack {
        graph.insert(address.clone(), spec.references().into_iter().map(|reference| reference.address));
    }
    graph
}

/// A standby store, or its key, that somebody else has deleted is not made again.
fn let_go(state: &mut State, seen: &BTreeMap<Address, Seen>) -> Vec<String> {
    let is_gone = |address: &Address| seen.get(address).is_some_and(|seen| seen.observed.is_none());
    let was_kept = |address: &Address, entry: &Entry| is_standby(address) && entry.status == Status::Ready;
    let gone = state.resources.extract_if(.., |address, entry| was_kept(address, entry) && is_gone(address));
    let reported = |(address, _): (Address, Entry)| {
        let remains = seen.get(&address).and_then(|seen| seen.remains.as_ref()).filter(|remains| !remains.is_over);
        let back = remains.map(|remains| {
            let until = remains.until.map(|until| format!(" until {}", instant(until))).unwrap_or_default();
            let restore = CommandLine::new("restore --at latest").option("--from", &remains.id);
            format!("; it can be restored{until}: {restore}")
        });
        format!("{address} was deleted outside hlctl; it is removed from the state{}", back.unwrap_or_default())
    };
    gone.map(reported).collect()
}

/// Counting what a bucket holds takes time, so it is done only where a bucket may go.
fn destroys_buckets(stack: &Stack, state: &State, options: &Options) -> bool {
    let bucket = |address: &Address| address.kind() == "s3_bucket";
    options.destroy
        || options.replace.iter().any(bucket)
        || state.resources.keys().any(|address| bucket(address) && !stack.contains_key(address))
}

fn pace_of_environment() -> PollPolicy {
    let seconds = |name: &str| {
        let number: f64 = std::env::var(name).ok()?.parse().ok()?;
        Duration::try_from_secs_f64(number).ok().filter(|duration| !duration.is_zero())
    };
    let usual = PollPolicy::default();
    PollPolicy {
        longest: seconds("HLCTL_POLL_INTERVAL").unwrap_or(usual.longest),
        timeout: seconds("HLCTL_WAIT_TIMEOUT").unwrap_or(usual.timeout),
        ..usual
    }
}
