//! `hlctl export`

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `hlctl export ...`
#[derive(Debug, Subcommand)]
pub enum ExportCommand {
    /// Write HCL with import blocks, for Terraform 1.5 and newer
    Terraform(ExportTerraformArgs),
}

/// `hlctl export terraform`
#[derive(Debug, Args)]
pub struct ExportTerraformArgs {
    /// Directory to write to, which must not contain these files yet [default: print to stdout]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}
