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
    /// Show one resource, or all
    Show {
        /// The resource's address
        address: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the state file
    Pull,
    /// Replace the state by a file
    Push(PushArgs),
    /// Move the state, for example from a file to S3
    Migrate(MigrateArgs),
    /// Restore a damaged or lost state from its backup
    Recover(RecoverArgs),
    /// Move a resource to another address in the state
    Mv(MvArgs),
    /// Remove resources from the state without deleting them in AWS
    Rm(ForgetArgs),
}

/// What every command that writes the state by hand takes.
#[derive(Clone, Copy, Debug, Args)]
pub struct ByHand {
    /// Show what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,

    /// How long to wait for the state lock, e.g. 90s or 10m
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = parse_duration)]
    pub lock_timeout: Duration,
}

/// `hlctl state push`
#[derive(Debug, Args)]
pub struct PushArgs {
    /// The file; `-` reads standard input
    pub file: PathBuf,

    /// Overwrite a state that is newer or belongs to another stack
    #[arg(long)]
    pub force: bool,

    /// How it goes about it.
    #[command(flatten)]
    pub by_hand: ByHand,
}

/// `hlctl state migrate`
#[derive(Debug, Args)]
pub struct MigrateArgs {
    /// Where the state is: a path or s3://BUCKET/KEY [default: next to the config]
    #[arg(long, value_name = "PLACE")]
    pub from: Option<String>,

    /// Where to move it [default: `backend` in the config, or else next to the config]
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
    /// Current address
    pub from: String,

    /// New address
    pub to: String,

    /// How it goes about it.
    #[command(flatten)]
    pub by_hand: ByHand,
}

/// `hlctl forget` and `hlctl state rm`
#[derive(Debug, Args)]
pub struct ForgetArgs {
    /// Addresses of the resources
    #[arg(required = true, value_name = "ADDRESS")]
    pub addresses: Vec<String>,

    /// How it goes about it.
    #[command(flatten)]
    pub by_hand: ByHand,
}

/// `hlctl protect` and `hlctl unprotect`
#[derive(Debug, Args)]
pub struct ProtectArgs {
    /// Addresses of the resources
    #[arg(required = true, value_name = "ADDRESS")]
    pub addresses: Vec<String>,

    /// How it goes about it.
    #[command(flatten)]
    pub by_hand: ByHand,
}

/// `hlctl force-unlock`
#[derive(Debug, Args)]
pub struct ForceUnlockArgs {
    /// Id of the lock, as the error about the locked state shows it
    pub id: String,

    /// Do not ask for confirmation
    #[arg(long, visible_alias = "yes", short = 'y')]
    pub auto_approve: bool,
}
