//! `hlctl drift`

use clap::Args;

use super::ExecutionArgs;

/// `hlctl drift`
#[derive(Debug, Args)]
pub struct DriftArgs {
    /// Revert the changes that others have made; asks for confirmation first
    #[arg(long)]
    pub fix: bool,

    /// Do not ask CloudTrail who made the last change
    #[arg(long)]
    pub no_trail: bool,

    /// How `--fix` goes about it.
    #[command(flatten)]
    pub execution: ExecutionArgs,
}
