//! `hlctl audit`

use clap::Args;

/// `hlctl audit`
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// Tell also what passed and what does not apply
    #[arg(long)]
    pub all: bool,

    /// Print JSON
    #[arg(long, conflicts_with = "all")]
    pub json: bool,

    /// Print SARIF 2.1.0
    #[arg(long, conflicts_with_all = ["all", "json"])]
    pub sarif: bool,
}
