//! `hlctl restore`, `hlctl replace` and `hlctl stores ...`

use clap::{Args, Subcommand, ValueEnum};

use super::{ExecutionArgs, JsonArgs};

/// `hlctl restore`
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// Point in time, e.g. 2026-05-01T09:30:00Z, or `latest`
    #[arg(long, value_name = "TIME", value_parser = parse_point)]
    pub at: Point,

    /// Id of the store to restore from, which may be deleted [default: the stack's store]
    #[arg(long, value_name = "ID")]
    pub from: Option<String>,

    /// Switch the stack to the restored store
    #[arg(long = "use")]
    pub put_in_use: bool,

    /// Check whether it can be restored and show what would be created, and write nothing
    #[arg(long)]
    pub dry_run: bool,

    /// How.
    #[command(flatten)]
    pub execution: ExecutionArgs,
}

/// A point in time that a store is restored to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// The latest one.
    Latest,
    /// Seconds since 1970.
    At(i64),
}

fn parse_point(text: &str) -> Result<Point, String> {
    if text == "latest" {
        return Ok(Point::Latest);
    }
    let point: Result<jiff::Timestamp, _> = text.parse();
    let example =
        "write it with its offset from UTC, as 2026-05-01T09:30:00Z or 2026-05-01T11:30:00+02:00, or `latest`";
    point.map(|point| Point::At(point.as_second())).map_err(|_| example.to_owned())
}

/// `hlctl replace`
#[derive(Debug, Args)]
pub struct ReplaceArgs {
    /// How to copy the data to the new store [default: from the backup, if there is one]
    #[arg(long, value_enum, value_name = "WAY")]
    pub via: Option<Via>,

    /// Encrypt the new store with a new key
    #[arg(long)]
    pub new_key: bool,

    /// Replace the store even if it matches the configuration
    #[arg(long)]
    pub anyway: bool,

    /// Switch even if the new store does not have the same number of resources of each type
    #[arg(long)]
    pub allow_differences: bool,

    /// How.
    #[command(flatten)]
    pub execution: ExecutionArgs,
}

/// How data comes from one store into another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Via {
    /// AWS restores the continuous backup.
    Backup,
    /// An export into the data bucket, and an import from there.
    Export,
}

/// `hlctl stores ...`
#[derive(Debug, Subcommand)]
pub enum StoresCommand {
    /// List the stack's stores and which one is in use
    List(JsonArgs),
    /// Switch the stack to another of its stores; the previous one is kept
    Use(UseArgs),
    /// Delete a store that is not in use
    Delete(DeleteStoreArgs),
}

impl StoresCommand {
    /// Whether JSON is asked for.
    pub fn prints_json(&self) -> bool {
        match self {
            Self::List(arguments) => arguments.json,
            Self::Use(arguments) => arguments.execution.json,
            Self::Delete(arguments) => arguments.execution.json,
        }
    }
}

/// `hlctl stores use`
#[derive(Debug, Args)]
pub struct UseArgs {
    /// Id or address of the store
    #[arg(value_name = "STORE")]
    pub store: String,

    /// How.
    #[command(flatten)]
    pub execution: ExecutionArgs,
}

/// `hlctl stores delete`
#[derive(Debug, Args)]
pub struct DeleteStoreArgs {
    /// Id or address of the store; naming it here allows destroying it
    #[arg(value_name = "STORE")]
    pub store: String,

    /// How.
    #[command(flatten)]
    pub execution: ExecutionArgs,
}
