//! `hlctl adopt`

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::parse_duration;

// clap does not ask for what an option requires if that conflicts with another that is given.
const NOT_TERRAFORM: [&str; 3] = ["address", "discover", "from_cloudformation"];
const NOT_DISCOVERY: [&str; 3] = ["address", "from_tfstate", "from_cloudformation"];

/// `hlctl adopt`
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("source").required(true).args(["address", "from_tfstate", "from_cloudformation", "discover"]))]
// clap's own line names all of them at once, and is wider than a narrow terminal.
#[command(
    override_usage = "hlctl adopt [OPTIONS] --from-tfstate <STATE>\n       hlctl adopt [OPTIONS] --from-cloudformation <FILE>\n       hlctl adopt [OPTIONS] --discover\n       hlctl adopt [OPTIONS] <ADDRESS> <ID>"
)]
pub struct AdoptArgs {
    /// Address for the resource, such as s3_bucket.data
    #[arg(requires = "id")]
    pub address: Option<String>,

    /// Id or name of the resource in AWS, as for `terraform import`
    pub id: Option<String>,

    /// Adopt the module from a Terraform or OpenTofu state: a file, s3://BUCKET/KEY, or - for stdin
    #[arg(long, value_name = "STATE")]
    pub from_tfstate: Option<String>,

    /// Adopt a stack of CloudFormation or the CDK from the list of its resources, which `aws cloudformation list-stack-resources`
    /// prints: a file, s3://BUCKET/KEY, or - for stdin
    #[arg(long, value_name = "FILE")]
    pub from_cloudformation: Option<String>,

    /// Path of the module, if the Terraform state has several; `root` is the root module
    #[arg(long, value_name = "PATH", requires = "from_tfstate", conflicts_with_all = NOT_TERRAFORM)]
    pub module: Option<String>,

    /// What to print so that Terraform forgets what hlctl manages from then on
    #[arg(long = "as", value_enum, value_name = "WAY", default_value_t, requires = "from_tfstate", conflicts_with_all = NOT_TERRAFORM)]
    pub let_go: LetGo,

    /// Rebuild a lost state by searching AWS for the stack's tags
    #[arg(long)]
    pub discover: bool,

    /// The stack to adopt, if AWS has several
    #[arg(long, value_name = "STACK", requires = "discover", conflicts_with_all = NOT_DISCOVERY)]
    pub stack: Option<String>,

    /// Also adopt resources that have the config's names but no hlctl tags
    #[arg(long, requires = "discover", conflicts_with_all = NOT_DISCOVERY)]
    pub by_name: bool,

    /// Also adopt resources that belong to another hlctl stack
    #[arg(long)]
    pub take_over: bool,

    /// Show what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Do not ask for confirmation
    #[arg(long, visible_alias = "yes", short = 'y')]
    pub auto_approve: bool,

    /// How long to wait for the state lock, e.g. 90s or 10m
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = parse_duration)]
    pub lock_timeout: Duration,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What removes from the Terraform state what was adopted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LetGo {
    /// A command: `terraform state rm`, or `tofu state rm`
    #[default]
    StateRm,
    /// `removed` blocks for the configuration
    RemovedBlocks,
}
