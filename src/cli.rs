//! The command line, as clap sees it. Nothing here does anything.

mod adopt;
mod audit;
mod data;
pub mod docs;
mod doctor;
mod drift;
mod export;
mod fhir;
mod graph;
mod invocation;
mod logs;
pub mod manual;
pub mod other_tools;
mod policy;
#[cfg(feature = "sandbox")]
mod sandbox;
mod smart;
mod state;
mod stores;
mod transform;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use jiff::SignedDuration;

pub use adopt::{AdoptArgs, LetGo};
pub use audit::AuditArgs;
pub use data::{DataCheckArgs, DataCommand, DataExportArgs, DataImportArgs, ImportFormat, Level};
pub use docs::DocsArgs;
pub use doctor::DoctorArgs;
pub use drift::DriftArgs;
pub use export::ExportCommand;
pub use fhir::{
    AccessArgs, BundleArgs, Consistency, CreateArgs, DeleteArgs, EverythingArgs, ExplainArgs, FhirCommand,
    FhirValidateArgs, Format, GetArgs, HistoryArgs, Many, PatchArgs, SearchArgs, UpdateArgs, ValidationMode,
};
pub use graph::{GraphArgs, GraphFormat, ReportArgs};
pub use invocation::Invocation;
pub(crate) use invocation::shown;
pub use logs::{LogsArgs, Since};
pub use policy::{DeployerArgs, PolicyCommand};
#[cfg(feature = "sandbox")]
pub use sandbox::{AddressFormat, Delay, SandboxArgs, SandboxCommand, SandboxLoadArgs, SandboxResetArgs};
pub use smart::{AppClient, Grant, LogIn, RotateSecretArgs, SmartCommand, SmartTestArgs, TokenArgs};
pub use state::{
    ByHand, ForceUnlockArgs, ForgetArgs, MigrateArgs, MvArgs, ProtectArgs, PushArgs, RecoverArgs, StateCommand,
};
pub use stores::{DeleteStoreArgs, Point, ReplaceArgs, RestoreArgs, StoresCommand, UseArgs, Via};
pub use transform::{
    ProfileArgs, PullArgs, RollbackArgs, Switch, TransformCommand, TransformRunArgs, TransformTestArgs,
    TransformTryArgs,
};

use hlctl_config::ForceDestroy;

/// Provision and operate an AWS HealthLake FHIR store from one TOML file, as Terraform does with a module
#[derive(Debug, Parser)]
#[command(
    name = "hlctl",
    version,
    disable_help_subcommand = true,
    max_term_width = 110,
    after_help = "Exit codes: 0 ok, 1 error, 2 changes (--detailed-exitcode) or a failed audit, 3 locked, 4 credentials, \
                  5 refused by protection, 6 incomplete, 7 aborted, 64 usage, 70 bug, 130/143 signals\n\
                  HLCTL_LOG=calls prints a line for each call to AWS, HLCTL_LOG=debug a whole log"
)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The configuration that is read where none is named.
pub const DEFAULT_CONFIG: &str = "healthlake.toml";

/// Options of every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Configuration file; validate, doctor, plan, apply, destroy, wait, status, outputs, drift and audit take several, or a folder
    #[arg(short, long = "config", global = true, value_name = "FILE", env = "HLCTL_CONFIG", default_value = DEFAULT_CONFIG)]
    pub configs: Vec<PathBuf>,

    /// Environment: the table `[env.NAME]` of the configuration is laid over the rest of it, and has a state of its own
    #[arg(short, long = "env", global = true, value_name = "NAME", env = "HLCTL_ENV", value_parser = environment_name)]
    pub environment: Option<String>,

    /// Whether the environment was named on the command line, and not by the variable.
    #[arg(skip)]
    pub is_environment_given: bool,

    /// The one that a session is for.
    #[arg(skip)]
    pub config: PathBuf,

    /// Where the state is: a file or s3://BUCKET/KEY [default: `backend` in the config, or else NAME.state.json next to it]
    #[arg(long, global = true, value_name = "PLACE", env = "HLCTL_STATE")]
    pub state: Option<PathBuf>,

    /// Run against the emulator inside hlctl instead of AWS
    #[arg(long, global = true, env = "HLCTL_SANDBOX", value_parser = clap::builder::FalseyValueParser::new())]
    pub sandbox: bool,

    /// Set a configuration key; overrides the file and HLCTL_* variables
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    pub set: Vec<String>,

    /// AWS region
    #[arg(long, global = true)]
    pub region: Option<String>,

    /// Profile in the shared AWS configuration
    #[arg(long, global = true)]
    pub profile: Option<String>,

    /// Print only data and errors
    #[arg(short, long, global = true)]
    pub quiet: bool,

    /// Print no colour, as with the variable NO_COLOR
    #[arg(long, global = true, hide = true)]
    pub no_color: bool,
}

impl Global {
    /// The options of a run that was given none.
    pub fn none() -> Self {
        Self {
            configs: vec![PathBuf::from(DEFAULT_CONFIG)],
            environment: None,
            is_environment_given: false,
            config: PathBuf::new(),
            state: None,
            sandbox: false,
            set: Vec::new(),
            region: None,
            profile: None,
            quiet: false,
            no_color: false,
        }
    }

    /// The environment that is chosen. An empty variable is an unset one, as for the keys of the configuration.
    pub fn environment(&self) -> Option<&str> {
        self.environment.as_deref().filter(|name| !name.is_empty())
    }
}

/// The name of an environment; it becomes a part of the name of a file.
fn environment_name(text: &str) -> Result<String, String> {
    if text.is_empty() || hlctl_config::is_environment_name(text) {
        return Ok(text.to_owned());
    }
    Err("write the name of a table [env.NAME]: lowercase letters, digits, `-` and `_`".to_owned())
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a configuration file with comments
    Init(InitArgs),
    /// Check the configuration, without access to AWS
    Validate(JsonArgs),
    /// Print the JSON Schema of the configuration, for editors
    Schema,
    /// Run preflight checks before an apply or a destroy
    Doctor(DoctorArgs),
    /// Show the changes that apply would make
    Plan(PlanArgs),
    /// Create or update resources to match the configuration
    Apply(ApplyArgs),
    /// Show what others have changed in AWS
    Drift(DriftArgs),
    /// Destroy all resources of the stack
    Destroy(DestroyArgs),
    /// Wait until AWS has created, changed or deleted a store
    Wait(WaitArgs),
    /// Show the stack at a glance: store, jobs, lock, last run, pending changes
    Status(JsonArgs),
    /// Print outputs, such as the store's endpoint
    #[command(visible_alias = "output")]
    Outputs(OutputsArgs),
    /// Open a resource of the stack in the AWS console
    Open(OpenArgs),
    /// Print what the SMART token validator logs
    Logs(LogsArgs),
    /// Get a SMART on FHIR token, or test the SMART setup end to end
    #[command(subcommand)]
    Smart(SmartCommand),
    /// Read, search and write FHIR resources in the store, and explain request signatures
    #[command(subcommand)]
    Fhir(FhirCommand),
    /// Print IAM policies for running hlctl or for using the store
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Check the deployed stack for security weaknesses
    Audit(AuditArgs),
    /// Show the dependency graph with the status of each resource
    Graph(GraphArgs),
    /// Write an HTML report of the last run: graph, timeline, changes, outputs
    Report(ReportArgs),
    /// Import and export the store's data in bulk
    #[command(subcommand)]
    Data(DataCommand),
    /// Test the mappings of HealthLake's Data Transformation Agent, and work with its profiles
    #[command(subcommand)]
    Transform(TransformCommand),
    /// Restore a store's continuous backup, as of a point in time, into a new store
    Restore(RestoreArgs),
    /// Replace the store with a new one that has the same data, and keep the old one
    Replace(ReplaceArgs),
    /// List the stack's stores, switch between them, or delete one that is not in use
    #[command(subcommand)]
    Stores(StoresCommand),
    /// Inspect, move or repair the state
    #[command(subcommand)]
    State(StateCommand),
    /// Remove resources from the state without deleting them in AWS
    Forget(ForgetArgs),
    /// Protect resources from being destroyed unless you name them
    Protect(ProtectArgs),
    /// Remove the protection of resources
    Unprotect(ProtectArgs),
    /// Release the state lock of a run that has died
    ForceUnlock(ForceUnlockArgs),
    /// Bring existing AWS resources under hlctl, from Terraform, by id, or by search
    Adopt(AdoptArgs),
    /// Export the stack to another tool
    #[command(subcommand)]
    Export(ExportCommand),
    /// Serve an emulator of AWS on this machine, for any AWS client
    #[cfg(feature = "sandbox")]
    Sandbox(SandboxArgs),
    /// Print the documentation of a topic, or list the topics
    Docs(DocsArgs),
    /// Print a completion script for a shell; its first lines say how to install it
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Write man pages to a directory
    Man {
        /// The directory
        directory: PathBuf,
    },
}

impl Command {
    /// Whether it changes anything in AWS, in the store or in the state, so that failing afterwards is not the same as having
    /// begun nothing.
    pub fn changes(&self) -> bool {
        self.hint_once_done().is_some()
    }

    /// What to say where it changes something and its output could then not be written; nothing where it only reads.
    pub fn hint_once_done(&self) -> Option<&'static str> {
        const STACK: &str =
            concat!("the work is done and saved in the state: `", hlctl!("outputs"), "` prints the outputs");
        const STATE: &str = concat!("the work is done: `", hlctl!("state list"), "` shows what the state holds now");
        const DATA: &str = concat!("the work is done: `", hlctl!("data jobs"), "` shows the store's jobs");
        const SECRET: &str = concat!(
            "if a second secret was added, `",
            hlctl!("smart rotate-secret"),
            "` names both: remove the one that nobody has seen"
        );
        const VERSIONS: &str =
            concat!("the work is done: `", hlctl!("transform versions PROFILE"), "` shows what is published");
        const CONVERTED: &str = "the work is done: the converted files are in S3";
        const FHIR: &str = "the store has processed the request: check before you send it again";
        match self {
            Self::Restore(arguments) => (!arguments.dry_run).then_some(STACK),
            Self::Apply(_) | Self::Wait(_) | Self::Replace(_) | Self::Stores(StoresCommand::Use(_)) => Some(STACK),
            Self::Destroy(_)
            | Self::Stores(StoresCommand::Delete(_))
            | Self::Forget(_)
            | Self::Protect(_)
            | Self::Unprotect(_)
            | Self::ForceUnlock(_) => Some(STATE),
            Self::Data(DataCommand::Import(_) | DataCommand::Export(_)) => Some(DATA),
            Self::Transform(TransformCommand::Rollback(_)) => Some(VERSIONS),
            Self::Transform(TransformCommand::Run(_)) => Some(CONVERTED),
            Self::Fhir(
                FhirCommand::Create(_)
                | FhirCommand::Update(_)
                | FhirCommand::Patch(_)
                | FhirCommand::Delete(_)
                | FhirCommand::Bundle(_),
            ) => Some(FHIR),
            Self::Fhir(FhirCommand::Explain(arguments)) => arguments.writes().then_some(FHIR),
            Self::Smart(SmartCommand::RotateSecret(_)) => Some(SECRET),
            Self::State(StateCommand::List(_) | StateCommand::Show { .. } | StateCommand::Pull) => None,
            Self::State(_) => Some(STATE),
            Self::Drift(arguments) => arguments.fix.then_some(STACK),
            Self::Adopt(arguments) => (!arguments.dry_run).then_some(STACK),
            Self::Init(_)
            | Self::Validate(_)
            | Self::Schema
            | Self::Doctor(_)
            | Self::Plan(_)
            | Self::Status(_)
            | Self::Outputs(_)
            | Self::Open(_)
            | Self::Logs(_)
            | Self::Smart(_)
            | Self::Fhir(_)
            | Self::Policy(_)
            | Self::Audit(_)
            | Self::Graph(_)
            | Self::Report(_)
            | Self::Data(_)
            | Self::Transform(_)
            | Self::Stores(StoresCommand::List(_))
            | Self::Export(_)
            | Self::Docs(_)
            | Self::Completions { .. }
            | Self::Man { .. } => None,
            #[cfg(feature = "sandbox")]
            Self::Sandbox(_) => None,
        }
    }

    /// What `--notify` runs once it has ended.
    pub fn notify(&self) -> Option<&str> {
        let arguments = match self {
            Self::Apply(arguments) => &arguments.execution.notify,
            Self::Destroy(arguments) => &arguments.execution.notify,
            Self::Drift(arguments) => &arguments.execution.notify,
            Self::Restore(arguments) => &arguments.execution.notify,
            Self::Replace(arguments) => &arguments.execution.notify,
            Self::Stores(StoresCommand::Use(arguments)) => &arguments.execution.notify,
            Self::Stores(StoresCommand::Delete(arguments)) => &arguments.execution.notify,
            Self::Wait(arguments) => &arguments.notify,
            Self::Data(DataCommand::Import(arguments)) => &arguments.notify,
            Self::Data(DataCommand::Export(arguments)) => &arguments.notify,
            Self::Transform(TransformCommand::Run(arguments)) => &arguments.notify,
            _ => return None,
        };
        arguments.notify.as_deref()
    }

    /// Whether JSON is asked for.
    pub fn prints_json(&self) -> bool {
        match self {
            Self::Validate(arguments) | Self::Status(arguments) => arguments.json,
            Self::Plan(arguments) => arguments.json,
            Self::Doctor(arguments) => arguments.json,
            Self::Apply(arguments) => arguments.execution.json,
            Self::Drift(arguments) => arguments.execution.json,
            Self::Destroy(arguments) => arguments.execution.json,
            Self::Wait(arguments) => arguments.json,
            Self::Outputs(arguments) => arguments.json,
            Self::Smart(SmartCommand::Token(arguments)) => arguments.json,
            Self::Smart(SmartCommand::Test(arguments)) => arguments.json,
            Self::Smart(SmartCommand::RotateSecret(arguments)) => arguments.json,
            Self::Fhir(command) => command.prints_json(),
            Self::Audit(arguments) => arguments.json || arguments.sarif,
            Self::Graph(arguments) => arguments.json || arguments.format == GraphFormat::Json,
            Self::Report(arguments) => arguments.json,
            Self::Data(command) => command.prints_json(),
            Self::Transform(command) => command.prints_json(),
            #[cfg(feature = "sandbox")]
            Self::Sandbox(arguments) => arguments.prints_json(),
            Self::Restore(arguments) => arguments.execution.json,
            Self::Replace(arguments) => arguments.execution.json,
            Self::Stores(command) => command.prints_json(),
            Self::State(StateCommand::List(arguments)) => arguments.json,
            Self::Adopt(arguments) => arguments.json,
            Self::State(StateCommand::Show { json, .. }) => *json,
            Self::State(_) | Self::Forget(_) | Self::Protect(_) | Self::Unprotect(_) | Self::ForceUnlock(_) => false,
            // What they print is JSON, but an error among it would be taken for a policy.
            Self::Policy(_) => false,
            Self::Open(_) => false,
            Self::Logs(arguments) => arguments.json,
            Self::Init(_)
            | Self::Schema
            | Self::Export(_)
            | Self::Docs(_)
            | Self::Completions { .. }
            | Self::Man { .. } => false,
        }
    }
}

/// `--json` alone.
#[derive(Debug, Args)]
pub struct JsonArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `hlctl init`
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Name of the data store; the buckets' names are made from it
    #[arg(long)]
    pub name: Option<String>,

    /// Propose bucket names that only this account can take, in --region or AWS_REGION; nothing is asked of AWS
    #[arg(long, value_name = "ID", value_parser = account_id)]
    pub account: Option<String>,

    /// Overwrite an existing file
    #[arg(long)]
    pub force: bool,
}

/// What plan and apply share.
#[derive(Clone, Debug, Default, Args)]
pub struct TargetArgs {
    /// Plan only this resource and its dependencies; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    pub target: Vec<String>,

    /// Replace this resource, even if nothing differs; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    pub replace: Vec<String>,

    /// Allow destroying this protected resource, by name or address; may be repeated
    #[arg(long, value_name = "NAME")]
    pub allow_destroy: Vec<String>,

    /// Only update the state from AWS
    #[arg(long, conflicts_with_all = ["replace", "target"])]
    pub refresh_only: bool,

    /// The targets alone, without what they need.
    #[arg(skip)]
    pub exactly: bool,
}

/// `hlctl plan`
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Which part of the stack.
    #[command(flatten)]
    pub scope: TargetArgs,

    /// Plan a destroy
    #[arg(long, conflicts_with_all = ["replace", "refresh_only"])]
    pub destroy: bool,

    /// Buckets that the destroy would empty, as for `hlctl destroy`
    #[arg(long, value_name = "WHICH", num_args = 0..=1, require_equals = true, default_missing_value = "true",
          requires = "destroy", value_parser = force_destroy())]
    pub force_destroy: Option<ForceDestroy>,

    /// Save the plan to a file, for `hlctl apply FILE`
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,

    /// Exit with code 2 if there are changes
    #[arg(long)]
    pub detailed_exitcode: bool,

    /// Print the plan as text, or as Markdown for a comment on a pull request
    #[arg(
        long,
        value_enum,
        value_name = "text|markdown",
        default_value_t,
        conflicts_with = "json",
        hide_possible_values = true
    )]
    pub format: PlanFormat,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// For whom a plan is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// For a terminal
    #[default]
    Text,
    /// For a comment on a pull request
    Markdown,
}

/// What to do where jobs are under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum RunningJobs {
    /// Change nothing
    #[default]
    Refuse,
    /// Wait until they have ended, then plan again
    Wait,
    /// Continue in spite of them; what happens to them is not known
    Ignore,
}

/// `--notify`, for what takes long.
#[derive(Clone, Debug, Default, Args)]
pub struct NotifyArgs {
    /// Run this in a shell when the command has ended; NOTIFY_EXIT_CODE, NOTIFY_COMMAND and NOTIFY_SUMMARY say how
    #[arg(long, value_name = "COMMAND")]
    pub notify: Option<String>,
}

/// How apply and destroy go about it.
#[derive(Clone, Debug, Args)]
pub struct ExecutionArgs {
    /// Do not ask for confirmation
    #[arg(long, visible_alias = "yes", short = 'y')]
    pub auto_approve: bool,

    /// Maximum number of concurrent operations
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = parse_parallelism)]
    pub parallelism: u16,

    /// Do not wait until stores are ready or deleted
    #[arg(long)]
    pub no_wait: bool,

    /// If an import or export job needs what is to be deleted: refuse, wait or ignore
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = RunningJobs::Refuse, hide_possible_values = true)]
    pub running_jobs: RunningJobs,

    /// How long to wait for the state lock, e.g. 90s or 10m
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = parse_duration)]
    pub lock_timeout: Duration,

    /// Write what happens to a file as lines of JSON; `-` writes them to stdout
    #[arg(long, value_name = "FILE|-")]
    pub events: Option<PathBuf>,

    /// Runs when the command has ended.
    #[command(flatten)]
    pub notify: NotifyArgs,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `hlctl apply`
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// Plan saved by `hlctl plan --out`; apply makes exactly these changes, or none
    #[arg(value_name = "PLANFILE", conflicts_with_all = ["target", "replace", "refresh_only", "allow_destroy"])]
    pub plan: Option<PathBuf>,

    /// Which part of the stack.
    #[command(flatten)]
    pub scope: TargetArgs,

    /// How.
    #[command(flatten)]
    pub execution: ExecutionArgs,
}

/// `hlctl destroy`
#[derive(Debug, Args)]
pub struct DestroyArgs {
    /// Destroy only this resource and what depends on it; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    pub target: Vec<String>,

    /// Allow destroying this protected resource, by name or address; the store's name allows all
    #[arg(long, value_name = "NAME")]
    pub allow_destroy: Vec<String>,

    /// Empty both buckets, patient data included, before deleting them; `=logs` empties only the logs bucket
    #[arg(long, value_name = "WHICH", num_args = 0..=1, require_equals = true, default_missing_value = "true",
          value_parser = force_destroy())]
    pub force_destroy: Option<ForceDestroy>,

    /// First export the store's data here, with a receipt; if that fails, delete nothing
    #[arg(long, value_name = "DIR|s3://...", conflicts_with_all = ["target"])]
    pub final_export: Option<String>,

    /// How.
    #[command(flatten)]
    pub execution: ExecutionArgs,
}

/// `hlctl wait`
#[derive(Debug, Args)]
pub struct WaitArgs {
    /// How long to wait, e.g. 90s, 45m or 2h [default: wait_timeout in the config]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub timeout: Option<Duration>,

    /// Runs when the command has ended.
    #[command(flatten)]
    pub notify: NotifyArgs,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `hlctl outputs`
#[derive(Debug, Args)]
pub struct OutputsArgs {
    /// Print only this output
    pub name: Option<String>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,

    /// Print only the value, without quotes
    #[arg(long, requires = "name", conflicts_with = "json")]
    pub raw: bool,

    /// Print them for another program
    #[arg(long, value_enum, value_name = "FORMAT", conflicts_with_all = ["json", "raw"])]
    pub format: Option<OutputFormat>,

    /// Print commands for a shell that put them into SSM Parameter Store, under a path such as /fhir/prod
    #[arg(long, value_name = "PREFIX", conflicts_with_all = ["json", "raw", "format"], value_parser = parse_ssm_prefix)]
    pub to_ssm: Option<String>,

    /// Also fetch and print the app clients' secrets, which hlctl does not store
    #[arg(long)]
    pub show_secrets: bool,
}

/// For whom outputs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Terraform: NAME = VALUE, for a file such as fhir.auto.tfvars
    Tfvars,
    /// Shells and Docker: NAME='VALUE' in capitals
    Dotenv,
    /// GitHub Actions: NAME=VALUE, for $GITHUB_OUTPUT
    Github,
}

/// An AWS account number.
fn account_id(text: &str) -> Result<String, String> {
    let is_number = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { Ok(text.to_owned()) } else { Err("write the 12 digits of an AWS account".to_owned()) }
}

/// A path of SSM's Parameter Store (Systems Manager API reference, `PutParameter`, `Name`), without the slash at its end.
fn parse_ssm_prefix(text: &str) -> Result<String, String> {
    let path = text.trim_end_matches('/');
    let is_name =
        |part: &str| !part.is_empty() && part.chars().all(|char| char.is_ascii_alphanumeric() || "_.-".contains(char));
    let mut parts = path.split('/');
    if parts.next() != Some("") || path.is_empty() || !parts.all(is_name) {
        return Err("write a path such as /fhir/prod: letters, digits, `_`, `.` and `-` between slashes".to_owned());
    }
    let reserved =
        path.get(1..4).is_some_and(|start| start.eq_ignore_ascii_case("aws") || start.eq_ignore_ascii_case("ssm"));
    if reserved { Err("a path that begins with aws or ssm is AWS's own".to_owned()) } else { Ok(path.to_owned()) }
}

/// `hlctl open`
#[derive(Debug, Args)]
pub struct OpenArgs {
    /// Resource to open
    pub page: ConsolePage,

    /// Print the URL without opening a browser
    #[arg(long)]
    pub print: bool,
}

/// Pages of the AWS console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ConsolePage {
    /// The data stores of the region.
    Store,
    /// The data bucket.
    Bucket,
    /// The user pool.
    Pool,
    /// The token validator.
    Function,
    /// The token validator's logs.
    Logs,
}

fn parse_parallelism(text: &str) -> Result<u16, String> {
    let number = text.parse().ok().filter(|number| (1..=100).contains(number));
    number.ok_or_else(|| "use a whole number from 1 to 100".to_owned())
}

/// `90s`, `1.5m`, `1h 30m`; a bare number is seconds.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let with_units = || text.parse::<SignedDuration>().ok().and_then(|duration| duration.try_into().ok());
    seconds.or_else(with_units).ok_or_else(|| "write it as 90s, 45m, 2h or 1h 30m".to_owned())
}

/// Reads what stands after `--force-destroy=`.
fn force_destroy() -> impl TypedValueParser<Value = ForceDestroy> {
    // Nothing else comes through.
    PossibleValuesParser::new([ForceDestroy::LOGS, "true", "false"])
        .map(|word| ForceDestroy::of_word(&word).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(parse_duration("1.5m"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("1h 30m"), Ok(Duration::from_secs(5400)));
        for wrong in ["soon", "", "-5s", "-5", "5s ago", "10 parsecs", "inf", "1e300"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }
}
