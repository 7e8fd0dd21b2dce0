//! The command line, as clap sees it. Nothing here does anything.

mod adopt;
mod audit;
mod data;
pub mod docs;
mod doctor;
mod drift;
mod duration;
mod export;
mod fhir;
mod global;
mod graph;
mod invocation;
mod logs;
pub mod manual;
pub mod other_tools;
mod outputs;
mod policy;
#[cfg(feature = "sandbox")]
mod sandbox;
mod smart;
mod stack;
mod state;
mod stores;
mod transform;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

pub use adopt::{AdoptArgs, LetGo};
pub use audit::AuditArgs;
pub use data::{DataCheckArgs, DataCommand, DataExportArgs, DataImportArgs, ImportFormat, Level};
pub use docs::DocsArgs;
pub use doctor::DoctorArgs;
pub use drift::DriftArgs;
pub(crate) use duration::parse_duration;
pub use export::ExportCommand;
pub use fhir::{
    AccessArgs, BundleArgs, Consistency, CreateArgs, DeleteArgs, EverythingArgs, ExplainArgs, FhirCommand,
    FhirValidateArgs, Format, GetArgs, HistoryArgs, Many, PatchArgs, SearchArgs, UpdateArgs, ValidationMode,
};
pub use global::{DEFAULT_CONFIG, Global};
pub use graph::{GraphArgs, GraphFormat, ReportArgs};
pub use invocation::Invocation;
pub(crate) use invocation::shown;
pub use logs::{LogsArgs, Since};
pub use outputs::{ConsolePage, OpenArgs, OutputFormat, OutputsArgs};
pub use policy::{DeployerArgs, PolicyCommand};
#[cfg(feature = "sandbox")]
pub use sandbox::{AddressFormat, Delay, SandboxArgs, SandboxCommand, SandboxLoadArgs, SandboxResetArgs};
pub use smart::{AppClient, Grant, LogIn, RotateSecretArgs, SmartCommand, SmartTestArgs, TokenArgs};
pub use stack::{
    ApplyArgs, DestroyArgs, ExecutionArgs, NotifyArgs, PlanArgs, PlanFormat, RunningJobs, TargetArgs, WaitArgs,
};
pub use state::{
    ByHand, ForceUnlockArgs, ForgetArgs, MigrateArgs, MvArgs, ProtectArgs, PushArgs, RecoverArgs, StateCommand,
};
pub use stores::{DeleteStoreArgs, Point, ReplaceArgs, RestoreArgs, StoresCommand, UseArgs, Via};
pub use transform::{
    ProfileArgs, PullArgs, RollbackArgs, Switch, TransformCommand, TransformRunArgs, TransformTestArgs,
    TransformTryArgs,
};

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

    /// `--notify`, of a command that may take long.
    pub fn notify(&self) -> Option<&NotifyArgs> {
        Some(match self {
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
        })
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

/// An AWS account number.
fn account_id(text: &str) -> Result<String, String> {
    let is_number = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { Ok(text.to_owned()) } else { Err("write the 12 digits of an AWS account".to_owned()) }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
