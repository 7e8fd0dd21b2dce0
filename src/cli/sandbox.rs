//! `hlctl sandbox`

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use hlctl_emulator::{AllowedOrigin, External};

/// `hlctl sandbox`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct SandboxArgs {
    /// Do something else instead of serving
    #[command(subcommand)]
    pub command: Option<SandboxCommand>,

    /// Port on 127.0.0.1; 0 lets the system choose
    #[arg(long, default_value_t = 4566)]
    pub port: u16,

    /// Keep the data in this directory [default: with a config, .hlctl/sandbox/aws next to it, as --sandbox does; or else in memory]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,

    /// Start empty and keep the data in memory
    #[arg(long, conflicts_with = "data_dir")]
    pub in_memory: bool,

    /// Seconds until a store is created
    #[arg(long, value_name = "SECONDS", default_value = "3")]
    pub create_delay: Delay,

    /// Seconds until a store is changed, for changes that take time in AWS
    #[arg(long, value_name = "SECONDS", default_value = "1")]
    pub update_delay: Delay,

    /// Seconds until a store is deleted
    #[arg(long, value_name = "SECONDS", default_value = "2")]
    pub delete_delay: Delay,

    /// Seconds that an import or export job takes
    #[arg(long, value_name = "SECONDS", default_value = "0")]
    pub job_delay: Delay,

    /// Load the NDJSON of this file or folder into the store; creates a store if there is none
    #[arg(long, value_name = "FILE|DIR")]
    pub load: Vec<PathBuf>,

    /// Store to load into, if there are several
    #[arg(long, value_name = "ID", requires = "load")]
    pub load_store: Option<String>,

    /// Milliseconds to add to every request
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub latency: u64,

    /// Allow one store creation and one deletion per minute, as AWS does
    #[arg(long)]
    pub rate_limits: bool,

    /// AWS account id to use, 12 digits
    #[arg(long, value_name = "ID", default_value = "000000000000")]
    pub account: String,

    /// Faults to inject, as JSON; `hlctl docs sandbox-control` describes them
    #[arg(long, value_name = "JSON")]
    pub faults: Option<String>,

    /// File with an IAM policy that applies to all callers [default: everything is allowed]
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,

    /// Accept keys, roles or functions that exist only on another server: kms, iam, lambda
    #[arg(long, value_name = "SERVICE,...", value_delimiter = ',')]
    pub external: Vec<External>,

    /// Allow browser pages of this origin, such as http://localhost:3000, to use the FHIR interface; `*` allows all
    #[arg(long, value_name = "ORIGIN")]
    pub cors: Vec<AllowedOrigin>,

    /// How to print the address
    #[arg(long, value_enum, default_value_t = AddressFormat::Text)]
    pub format: AddressFormat,
}

/// How long the sandbox takes for something, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delay(pub Duration);

impl FromStr for Delay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let seconds: f64 = text.trim().parse().map_err(|_| "not a number of seconds".to_owned())?;
        Duration::try_from_secs_f64(seconds).map(Self).map_err(|error| error.to_string())
    }
}

impl SandboxArgs {
    /// Whether JSON is asked for.
    pub fn prints_json(&self) -> bool {
        matches!(&self.command, Some(SandboxCommand::Load(arguments)) if arguments.json)
    }
}

/// `hlctl sandbox ...`
#[derive(Debug, Subcommand)]
pub enum SandboxCommand {
    /// Load NDJSON into the store of the sandbox that --sandbox uses
    Load(SandboxLoadArgs),
    /// Delete everything in the sandbox that --sandbox uses, and the states of its stacks
    Reset(SandboxResetArgs),
}

/// `hlctl sandbox reset`
#[derive(Debug, Args)]
pub struct SandboxResetArgs {
    /// Do not ask for confirmation
    #[arg(long, visible_alias = "yes", short = 'y')]
    pub auto_approve: bool,
}

/// `hlctl sandbox load`
#[derive(Debug, Args)]
pub struct SandboxLoadArgs {
    /// A file, or a folder with .ndjson files
    #[arg(value_name = "FILE|DIR", required = true)]
    pub paths: Vec<PathBuf>,

    /// The store, if there are several
    #[arg(long, value_name = "ID")]
    pub store: Option<String>,

    /// Load a sandbox that keeps its data in this directory [default: .hlctl/sandbox/aws next to the config]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// How `hlctl sandbox` prints where it listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AddressFormat {
    /// For people, with the variables to set.
    Text,
    /// Only the URL, for scripts.
    Url,
}
