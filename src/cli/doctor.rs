//! `hlctl doctor`

use clap::Args;

/// `hlctl doctor`
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Look at what a destroy would meet instead
    #[arg(long)]
    pub destroy: bool,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
