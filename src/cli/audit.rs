//! `hlctl audit`

use clap::Args;

/// `hlctl audit`
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// Also show checks that passed or do not apply
    #[arg(long)]
    pub all: bool,

    /// Print JSON
    #[arg(long, conflicts_with = "all")]
    pub json: bool,

    /// Print SARIF 2.1.0
    #[arg(long, conflicts_with_all = ["all", "json"])]
    pub sarif: bool,
}
