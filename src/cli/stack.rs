//! Options of `plan`, `apply`, `destroy` and `wait`, and what commands that change the stack share.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

use super::duration::parse_duration;
use hlctl_config::ForceDestroy;

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

fn parse_parallelism(text: &str) -> Result<u16, String> {
    let number = text.parse().ok().filter(|number| (1..=100).contains(number));
    number.ok_or_else(|| "use a whole number from 1 to 100".to_owned())
}

/// Reads what stands after `--force-destroy=`.
pub(super) fn force_destroy() -> impl TypedValueParser<Value = ForceDestroy> {
    // Nothing else comes through.
    PossibleValuesParser::new([ForceDestroy::LOGS, "true", "false"])
        .map(|word| ForceDestroy::of_word(&word).unwrap_or_default())
}
