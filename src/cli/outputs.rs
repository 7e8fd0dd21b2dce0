//! Options of `outputs` and `open`.

use clap::{Args, ValueEnum};

/// `hlctl outputs`
#[derive(Debug, Args)]
pub struct OutputsArgs {
    /// Print only this output
    pub name: Option<String>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,

    /// Print only the value, without quotes
    #[arg(long, requires = "name", conflicts_with = "json")]
    pub raw: bool,

    /// Print them for another program
    #[arg(long, value_enum, value_name = "FORMAT", conflicts_with_all = ["json", "raw"])]
    pub format: Option<OutputFormat>,

    /// Print commands for a shell that put them into SSM Parameter Store, under a path such as /fhir/prod
    #[arg(long, value_name = "PREFIX", conflicts_with_all = ["json", "raw", "format"], value_parser = parse_ssm_prefix)]
    pub to_ssm: Option<String>,

    /// Also fetch and print the app clients' secrets, which hlctl does not store
    #[arg(long)]
    pub show_secrets: bool,
}

/// For whom outputs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Terraform: NAME = VALUE, for a file such as fhir.auto.tfvars
    Tfvars,
    /// Shells and Docker: NAME='VALUE' in capitals
    Dotenv,
    /// GitHub Actions: NAME=VALUE, for $GITHUB_OUTPUT
    Github,
}

/// A path of SSM's Parameter Store (Systems Manager API reference, `PutParameter`, `Name`), without the slash at its end.
fn parse_ssm_prefix(text: &str) -> Result<String, String> {
    let path = text.trim_end_matches('/');
    let is_name =
        |part: &str| !part.is_empty() && part.chars().all(|char| char.is_ascii_alphanumeric() || "_.-".contains(char));
    let mut parts = path.split('/');
    if parts.next() != Some("") || path.is_empty() || !parts.all(is_name) {
        return Err("write a path such as /fhir/prod: letters, digits, `_`, `.` and `-` between slashes".to_owned());
    }
    let reserved =
        path.get(1..4).is_some_and(|start| start.eq_ignore_ascii_case("aws") || start.eq_ignore_ascii_case("ssm"));
    if reserved { Err("a path that begins with aws or ssm is AWS's own".to_owned()) } else { Ok(path.to_owned()) }
}

/// `hlctl open`
#[derive(Debug, Args)]
pub struct OpenArgs {
    /// Resource to open
    pub page: ConsolePage,

    /// Print the URL without opening a browser
    #[arg(long)]
    pub print: bool,
}

/// Pages of the AWS console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ConsolePage {
    /// The data stores of the region.
    Store,
    /// The data bucket.
    Bucket,
    /// The user pool.
    Pool,
    /// The token validator.
    Function,
    /// The token validator's logs.
    Logs,
}
