//! `hlctl transform ...`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{JsonArgs, NotifyArgs};

/// `hlctl transform ...`
#[derive(Debug, Subcommand)]
pub enum TransformCommand {
    /// Run the test cases of a CSV mapping, without access to AWS
    Test(TransformTestArgs),
    /// List the profiles of the account and region
    List(JsonArgs),
    /// List the published versions of a profile
    Versions(ProfileArgs),
    /// Write the mapping of a profile into a folder
    Pull(PullArgs),
    /// Publish an earlier version of a profile again, as a new version
    Rollback(RollbackArgs),
    /// Convert files by a profile, with jobs of HealthLake
    Run(TransformRunArgs),
    /// Convert a few files by a profile at once, and check what comes back
    Try(TransformTryArgs),
}

impl TransformCommand {
    /// Whether JSON is asked for.
    pub fn prints_json(&self) -> bool {
        match self {
            Self::Test(arguments) => arguments.json,
            Self::List(arguments) => arguments.json,
            Self::Versions(arguments) => arguments.json,
            Self::Pull(_) => false,
            Self::Rollback(arguments) => arguments.json,
            Self::Run(arguments) => arguments.json,
            Self::Try(arguments) => arguments.json,
        }
    }
}

/// `hlctl transform test`
#[derive(Debug, Args)]
pub struct TransformTestArgs {
    /// A mapping in YAML, a folder with one, or a folder of such folders
    #[arg(default_value = ".")]
    pub path: PathBuf,

    /// Write what the mapping produces as the expected output
    #[arg(long)]
    pub update: bool,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `hlctl transform versions`
#[derive(Debug, Args)]
pub struct ProfileArgs {
    /// Name or id of the profile
    #[arg(value_name = "PROFILE")]
    pub transform_profile: String,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `hlctl transform pull`
#[derive(Debug, Args)]
pub struct PullArgs {
    /// Name or id of the profile
    #[arg(value_name = "PROFILE")]
    pub transform_profile: String,

    /// Folder to write to
    #[arg(value_name = "DIR", default_value = ".")]
    pub folder: PathBuf,

    /// Version to write; 0 is the draft [default: the one published last]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..=99))]
    pub version: Option<i32>,

    /// Overwrite files with another content
    #[arg(long)]
    pub overwrite: bool,
}

/// `hlctl transform rollback`
#[derive(Debug, Args)]
pub struct RollbackArgs {
    /// Name or id of the profile
    #[arg(value_name = "PROFILE")]
    pub transform_profile: String,

    /// Version whose content is published again
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..=99))]
    pub to: i32,

    /// Do not ask for confirmation
    #[arg(long, visible_alias = "yes", short = 'y')]
    pub auto_approve: bool,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `hlctl transform run`
#[derive(Debug, Args)]
pub struct TransformRunArgs {
    /// Name or id of the profile
    #[arg(value_name = "PROFILE")]
    pub transform_profile: String,

    /// A file, a folder with .csv files (or .xml, for C-CDA), or s3://BUCKET/PREFIX
    #[arg(value_name = "PATH|s3://...")]
    pub from: String,

    /// Where the converted files go [default: the stack's bucket]
    #[arg(long, value_name = "s3://...")]
    pub output: Option<String>,

    /// Role that HealthLake assumes [default: transform_role_arn, or else the role of imports]
    #[arg(long, value_name = "ARN")]
    pub role_arn: Option<String>,

    /// KMS key of the converted files [default: the key of the stack's bucket]
    #[arg(long, value_name = "KEY")]
    pub kms_key: Option<String>,

    /// Whether HealthLake reports what of the files the mapping does not use
    #[arg(long, value_enum, default_value_t = Switch::On, value_name = "on|off")]
    pub drift_report: Switch,

    /// Whether HealthLake adds Provenance resources that say where each resource comes from
    #[arg(long, value_enum, default_value_t = Switch::On, value_name = "on|off")]
    pub provenance: Switch,

    /// Do not wait for the job
    #[arg(long)]
    pub no_wait: bool,

    /// Runs when the command has ended.
    #[command(flatten)]
    pub notify: NotifyArgs,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `hlctl transform try`
#[derive(Debug, Args)]
pub struct TransformTryArgs {
    /// Name or id of the profile
    #[arg(value_name = "PROFILE")]
    pub transform_profile: String,

    /// CSV files, named as their tables are; or C-CDA documents (.xml)
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,

    /// Whether HealthLake adds Provenance resources that say where each resource comes from
    #[arg(long, value_enum, default_value_t = Switch::Off, value_name = "on|off")]
    pub provenance: Switch,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Whether something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// It is.
    On,
    /// It is not.
    Off,
}
