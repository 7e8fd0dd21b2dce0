//! Options of every command.

use std::path::PathBuf;

use clap::Args;

/// The configuration that is read where none is named.
pub const DEFAULT_CONFIG: &str = "healthlake.toml";

/// Options of every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Configuration file; validate, doctor, plan, apply, destroy, wait, status, outputs, drift and audit take several, or a folder
    #[arg(short, long = "config", global = true, value_name = "FILE", env = "HLCTL_CONFIG", default_value = DEFAULT_CONFIG)]
    pub configs: Vec<PathBuf>,

    /// Environment: the table `[env.NAME]` of the configuration is laid over the rest of it, and has a state of its own
    #[arg(short, long = "env", global = true, value_name = "NAME", env = "HLCTL_ENV", value_parser = environment_name)]
    pub environment: Option<String>,

    /// Whether the environment was named on the command line, and not by the variable.
    #[arg(skip)]
    pub is_environment_given: bool,

    /// The one that a session is for.
    #[arg(skip)]
    pub config: PathBuf,

    /// Where the state is: a file or s3://BUCKET/KEY [default: `backend` in the config, or else NAME.state.json next to it]
    #[arg(long, global = true, value_name = "PLACE", env = "HLCTL_STATE")]
    pub state: Option<PathBuf>,

    /// Run against the emulator inside hlctl instead of AWS
    #[arg(long, global = true, env = "HLCTL_SANDBOX", value_parser = clap::builder::FalseyValueParser::new())]
    pub sandbox: bool,

    /// Set a configuration key; overrides the file and HLCTL_* variables
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    pub set: Vec<String>,

    /// AWS region
    #[arg(long, global = true)]
    pub region: Option<String>,

    /// Profile in the shared AWS configuration
    #[arg(long, global = true)]
    pub profile: Option<String>,

    /// Print only data and errors
    #[arg(short, long, global = true)]
    pub quiet: bool,

    /// Print no colour, as with the variable NO_COLOR
    #[arg(long, global = true, hide = true)]
    pub no_color: bool,
}

impl Global {
    /// The options of a run that was given none.
    pub fn none() -> Self {
        Self {
            configs: vec![PathBuf::from(DEFAULT_CONFIG)],
            environment: None,
            is_environment_given: false,
            config: PathBuf::new(),
            state: None,
            sandbox: false,
            set: Vec::new(),
            region: None,
            profile: None,
            quiet: false,
            no_color: false,
        }
    }

    /// The environment that is chosen. An empty variable is an unset one, as for the keys of the configuration.
    pub fn environment(&self) -> Option<&str> {
        self.environment.as_deref().filter(|name| !name.is_empty())
    }
}

/// The name of an environment; it becomes a part of the name of a file.
fn environment_name(text: &str) -> Result<String, String> {
    if text.is_empty() || hlctl_config::is_environment_name(text) {
        return Ok(text.to_owned());
    }
    Err("write the name of a table [env.NAME]: lowercase letters, digits, `-` and `_`".to_owned())
}
