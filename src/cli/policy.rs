//! `hlctl policy`

use clap::{Args, Subcommand};

/// `hlctl policy ...`
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// For whoever runs hlctl with this configuration
    Deployer(DeployerArgs),
    /// For users of the FHIR interface who read, write, import and export
    Client,
    /// For whoever brings data in and out with `hlctl data`
    Data,
    /// For users of the FHIR interface who only read
    Readonly,
}

/// `hlctl policy deployer`
#[derive(Debug, Args)]
pub struct DeployerArgs {
    /// Print one policy of several, where one would be longer than IAM allows
    #[arg(long, value_name = "N")]
    pub part: Option<usize>,
}
