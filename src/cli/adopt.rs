//! `hlctl adopt`

use std::time::Duration;

use clap::Args;

use super::parse_duration;

/// `hlctl adopt`
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("source").required(true).args(["address", "from_tfstate", "discover"]))]
pub struct AdoptArgs {
    /// The address that one resource is to have
    #[arg(requires = "id")]
    pub address: Option<String>,

    /// Its id or name in AWS, as `terraform import` takes it
    pub id: Option<String>,

    /// Take over the module from a Terraform or OpenTofu state: a file, s3://BUCKET/KEY, or - for stdin
    #[arg(long, value_name = "STATE")]
    pub from_tfstate: Option<String>,

    /// Which use of the module, if the Terraform state holds several; `root` is the root module
    #[arg(long, value_name = "PATH", requires = "from_tfstate")]
    pub module: Option<String>,

    /// Rebuild a lost state from what AWS holds
    #[arg(long)]
    pub discover: bool,

    /// Which stack, if AWS holds several
    #[arg(long, value_name = "STACK", requires = "discover")]
    pub stack: Option<String>,

    /// Also take what has the config's names and no tags of hlctl
    #[arg(long, requires = "discover")]
    pub by_name: bool,

    /// Take over what belongs to another stack
    #[arg(long)]
    pub take_over: bool,

    /// Only show what would be written
    #[arg(long)]
    pub dry_run: bool,

    /// Do not ask
    #[arg(long, visible_alias = "yes", short = 'y')]
    pub auto_approve: bool,

    /// Wait so long for the state's lock, e.g. 90s or 10m
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = parse_duration)]
    pub lock_timeout: Duration,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
