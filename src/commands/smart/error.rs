//! Why there is no token.

use thiserror::Error;

use super::source::EXAMPLE;
use crate::error::{Ending, Failure};

/// The stack or the command line has nothing to get a token by.
#[derive(Debug, Error)]
pub(super) enum SmartUsage {
    #[error("the stack has no client for machines")]
    NoMachineClient,
    #[error("the stack has no identity provider, so there are no tokens")]
    NoProvider,
    #[error("the client has no callback URL")]
    NoCallback,
    #[error("hlctl cannot listen on any callback URL of the client: {0} is on another host")]
    CallbackElsewhere(String),
    #[error("with client-credentials no user logs in, so --username has no effect")]
    UserForMachine,
    #[error("the variable {variable} of --password-env is not set")]
    NoPassword { variable: String, username: String },
    #[error("the variable {0} is not set, so there is no client secret")]
    NoSecret(String),
}

impl Failure for SmartUsage {
    fn ending(&self) -> Ending {
        Ending::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoMachineClient => {
                concat!("set cognito_machine_client = true in the config and run `", hlctl!("apply"), "`").to_owned()
            }
            Self::NoProvider => {
                concat!("set smart_on_fhir = true in the config and run `", hlctl!("apply"), "`").to_owned()
            }
            Self::NoCallback => {
                format!("add {EXAMPLE:?} to cognito_callback_urls and run `{}`", hlctl!("apply"))
            }
            Self::CallbackElsewhere(_) => format!(
                "add {EXAMPLE:?} to cognito_callback_urls and run `{}`, or use --username; on a terminal you can \
                 paste the URL",
                hlctl!("apply")
            ),
            Self::UserForMachine => "leave out one of the two".to_owned(),
            Self::NoSecret(variable) => format!("set {variable} to the client's secret"),
            Self::NoPassword { variable, username } => format!("set {variable} to the password of {username}"),
        })
    }
}
