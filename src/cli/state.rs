//! Arguments of `hlctl state`, `hlctl forget`, `hlctl protect` and `hlctl force-unlock`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::{JsonArgs, parse_duration};

/// `hlctl state`
#[derive(Debug, Subcommand)]
pub enum StateCommand {
    /// List the resources
    List(JsonArgs),
    /// Show one resource, or everything
    Show {
        /// The resource's address
        address: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the state as it is kept
    Pull,
    /// Write a state from a file where the state is kept
    Push(PushArgs),
    /// Move the state, for example from a file into S3
    Migrate(MigrateArgs),
    /// Go back to the backup of a damaged or lost state
    Recover(RecoverArgs),
    /// Give a resource another address
    Mv(MvArgs),
    /// Let go of resources; AWS keeps them
    Rm(ForgetArgs),
}

/// What every command that writes the state by hand takes.
#[derive(Clone, Copy, Debug, Args)]
pub struct ByHand {
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,

    /// Wait so long for the state's lock, e.g. 90s or 10m
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = parse_duration)]
    pub lock_timeout: Duration,
}

/// `hlctl state push`
#[derive(Debug, Args)]
pub struct PushArgs {
    /// The file; `-` reads standard input
    pub file: PathBuf,

    /// Write over a state that is newer, or another stack's
    #[arg(long)]
    pub force: bool,

    /// How it goes about it.
    #[command(flatten)]
    pub by_hand: ByHand,
}

/// `hlctl state migrate`
#[derive(Debug, Args)]
pub struct MigrateArgs {
    /// Where the state is: a path or s3://BUCKET/KEY [default: beside the config]
    #[arg(long, value_name = "PLACE")]
    pub from: Option<String>,

    /// Where it shall be [default: the config's `backend`, or else beside the config]
    #[arg(long, value_name = "PLACE")]
    pub to: Option<String>,

    /// How it goes about it.
    #[command(flatten)]
    pub by_hand: ByHand,
}

/// `hlctl state recover`
#[derive(Debug, Args)]
pub struct RecoverArgs {
    /// How it goes about it.
    #[command(flatten)]
    pub by_hand: ByHand,
}

/// `hlctl state mv`
#[derive(Debug, Args)]
pub struct MvArgs {
    /// The address it has
    pub from: String,

    /// The address it shall have
    pub to: String,

    /// How it goes about it.
    #[command(flatten)]
    pub by_hand: ByHand,
}

/// `hlctl forget` and `hlctl state rm`
#[derive(Debug, Args)]
pub struct ForgetArgs {
    /// The resources' addresses
    #[arg(required = true, value_name = "ADDRESS")]
    pub addresses: Vec<String>,

    /// How it goes about it.
    #[command(flatten)]
    pub by_hand: ByHand,
}

/// `hlctl protect` and `hlctl unprotect`
#[derive(Debug, Args)]
pub struct ProtectArgs {
    /// The resources' addresses
    #[arg(required = true, value_name = "ADDRESS")]
    pub addresses: Vec<String>,

    /// How it goes about it.
    #[command(flatten)]
    pub by_hand: ByHand,
}

/// `hlctl force-unlock`
#[derive(Debug, Args)]
pub struct ForceUnlockArgs {
    /// The lock's id, as the refusal of a locked state tells it
    pub id: String,

    /// Do not ask
    #[arg(long, visible_alias = "yes", short = 'y')]
    pub auto_approve: bool,
}
