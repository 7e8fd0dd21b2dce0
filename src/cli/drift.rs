//! `hlctl drift`

use clap::Args;

use super::Manner;

/// `hlctl drift`
#[derive(Debug, Args)]
pub struct DriftArgs {
    /// Make AWS again as the configuration says, where others have changed it; asks before it does
    #[arg(long)]
    pub fix: bool,

    /// Do not ask CloudTrail who made the last change
    #[arg(long)]
    pub no_trail: bool,

    /// How `--fix` goes about it.
    #[command(flatten)]
    pub manner: Manner,
}
