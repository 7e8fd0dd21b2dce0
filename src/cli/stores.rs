//! `hlctl restore`, `hlctl replace` and `hlctl stores ...`

use clap::{Args, Subcommand, ValueEnum};

use super::{JsonArgs, Manner};

/// `hlctl restore`
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The point in time, e.g. 2026-05-01T09:30:00Z, or `latest`
    #[arg(long, value_name = "TIME", value_parser = parse_point)]
    pub at: Point,

    /// Id of the store whose backup it is, which may be deleted by now [default: the stack's store]
    #[arg(long, value_name = "ID")]
    pub from: Option<String>,

    /// Have the stack use the restored store
    #[arg(long = "use")]
    pub put_in_use: bool,

    /// How.
    #[command(flatten)]
    pub manner: Manner,
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
    /// How the data comes into the new store [default: from the backup, if there is one]
    #[arg(long, value_enum, value_name = "WAY")]
    pub via: Option<Via>,

    /// Encrypt the new store with a new key
    #[arg(long)]
    pub new_key: bool,

    /// Make a new store although the one in use is as the configuration asks
    #[arg(long)]
    pub anyway: bool,

    /// Use the new store although it does not hold as many resources of each type as the old one
    #[arg(long)]
    pub allow_differences: bool,

    /// How.
    #[command(flatten)]
    pub manner: Manner,
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
    /// List the stack's stores: the one in use, and those beside it
    List(JsonArgs),
    /// Have the stack use a store beside the one in use, which is kept
    Use(UseArgs),
    /// Delete a store beside the one in use
    Delete(DeleteStoreArgs),
}

impl StoresCommand {
    /// Whether JSON is asked for.
    pub fn prints_json(&self) -> bool {
        match self {
            Self::List(arguments) => arguments.json,
            Self::Use(arguments) => arguments.manner.json,
            Self::Delete(arguments) => arguments.manner.json,
        }
    }
}

/// `hlctl stores use`
#[derive(Debug, Args)]
pub struct UseArgs {
    /// Its id, or its address
    #[arg(value_name = "STORE")]
    pub store: String,

    /// How.
    #[command(flatten)]
    pub manner: Manner,
}

/// `hlctl stores delete`
#[derive(Debug, Args)]
pub struct DeleteStoreArgs {
    /// Its id, or its address; naming it is what lets it be destroyed
    #[arg(value_name = "STORE")]
    pub store: String,

    /// How.
    #[command(flatten)]
    pub manner: Manner,
}
