//! `hlctl smart ...`

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::parse_duration;
use hlctl_model::invocation::CommandLine;

/// `hlctl smart ...`
#[derive(Debug, Subcommand)]
pub enum SmartCommand {
    /// Log in and print an access token
    Token(TokenArgs),
    /// Test discovery, log-in, access, refusals and the token validator's speed
    Test(SmartTestArgs),
    /// Give an app client a second secret, and remove the old one once apps use the new one
    RotateSecret(RotateSecretArgs),
}

/// How a token is got.
#[derive(Clone, Debug, Args)]
pub struct LogIn {
    /// OAuth grant: for a user, or for the machine client [default: authorization-code; for `test` client-credentials if
    /// there is a machine client]
    #[arg(long, value_enum, value_name = "GRANT")]
    pub grant: Option<Grant>,

    /// Request only this scope; may be repeated [default: openid, launch/patient and all FHIR scopes of the client]
    #[arg(long, value_name = "SCOPE")]
    pub scope: Vec<String>,

    /// Log in as this user, without a browser
    #[arg(long, value_name = "NAME", requires = "password_env")]
    pub username: Option<String>,

    /// Environment variable with the user's password
    #[arg(long, value_name = "VARIABLE", requires = "username")]
    pub password_env: Option<String>,

    /// Print the log-in URL instead of opening a browser
    #[arg(long, conflicts_with = "username")]
    pub no_browser: bool,

    /// Environment variable with the client's secret, where Cognito no longer returns it
    #[arg(long, value_name = "VARIABLE")]
    pub client_secret_env: Option<String>,
}

impl LogIn {
    /// The command with the options that log in in the same way.
    pub fn repeated(&self, mut command: CommandLine) -> CommandLine {
        let grant = self.grant.and_then(|grant| Some(grant.to_possible_value()?.get_name().to_owned()));
        let options = [
            ("--grant", &grant),
            ("--username", &self.username),
            ("--password-env", &self.password_env),
            ("--client-secret-env", &self.client_secret_env),
        ];
        for (name, value) in options {
            if let Some(value) = value {
                command = command.option(name, value);
            }
        }
        for scope in &self.scope {
            command = command.option("--scope", scope);
        }
        if self.no_browser { command.flag("--no-browser") } else { command }
    }

    /// Whether anything at all is said of it.
    pub fn is_any(&self) -> bool {
        self.grant.is_some()
            || !self.scope.is_empty()
            || self.username.is_some()
            || self.no_browser
            || self.client_secret_env.is_some()
    }
}

/// OAuth's grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Grant {
    /// A user logs in.
    AuthorizationCode,
    /// The machine client gets a token for itself.
    ClientCredentials,
}

/// `hlctl smart token`
#[derive(Debug, Args)]
pub struct TokenArgs {
    /// How.
    #[command(flatten)]
    pub log_in: LogIn,

    /// Print the complete response of the token endpoint as JSON
    #[arg(long)]
    pub json: bool,
}

/// `hlctl smart test`
#[derive(Debug, Args)]
pub struct SmartTestArgs {
    /// How.
    #[command(flatten)]
    pub log_in: LogIn,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `hlctl smart rotate-secret`
#[derive(Debug, Args)]
pub struct RotateSecretArgs {
    /// App client whose secret is rotated
    #[arg(long, value_enum, value_name = "CLIENT", default_value = "app")]
    pub client: AppClient,

    /// Have Cognito generate the new secret, and print it: Cognito returns it only this once
    #[arg(long, conflicts_with_all = ["secret_env", "remove"])]
    pub show_secrets: bool,

    /// Environment variable with a new secret of your own
    #[arg(long, value_name = "VARIABLE", conflicts_with = "remove")]
    pub secret_env: Option<String>,

    /// Remove the secret with this id
    #[arg(long, value_name = "ID")]
    pub remove: Option<String>,

    /// Remove the old secret when the new one is this old, for example 24h
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub wait: Option<Duration>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The app clients of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AppClient {
    /// The one that users log in with.
    App,
    /// The one that a machine gets its own tokens with.
    Machine,
}
