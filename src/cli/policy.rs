//! `hlctl policy`

use clap::{Args, Subcommand};

/// `hlctl policy ...`
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// For the principal that runs hlctl with this configuration
    Deployer(DeployerArgs),
    /// For FHIR clients that read, write, import and export
    Client,
    /// For the principal that runs `hlctl data`
    Data,
    /// For FHIR clients that only read
    Readonly,
}

/// `hlctl policy deployer`
#[derive(Debug, Args)]
pub struct DeployerArgs {
    /// Print this part, if the policy is longer than IAM allows and was split
    #[arg(long, value_name = "N")]
    pub part: Option<usize>,
}
