//! `hlctl smart`: does with the stack what an app does.
//!
//! It works from the state and from what AWS says of the client. With `--sandbox` the emulator listens on a port for as long as the
//! command runs, and with an endpoint in the environment that is where everything goes: the pool's pages and endpoints, its
//! keys and the FHIR interface have the same paths there ([docs/sandbox.md]).

mod check;
mod discovery;
mod error;
mod function;
mod pages;
mod refusals;
mod rotate;
mod source;
mod store;
mod test;
mod token;

use super::deployed_stack::DeployedStack;
use crate::cli::{Grant, LogIn, SmartCommand};
use crate::error::CommandError;
use crate::session::Session;
use error::SmartUsage;
use hlctl_config::Secret;
use hlctl_engine::state::State;
use hlctl_model::address::Address;
use hlctl_model::exit_code::ExitCode;
use hlctl_resources::{Access, access_of};
use source::Source;
use url::Url;

/// Runs one of its commands; a signal ends those that change nothing at once.
pub(super) async fn run(session: &Session, command: &SmartCommand) -> Result<ExitCode, CommandError> {
    match command {
        SmartCommand::Token(arguments) => session.interruptible(token::run(session, arguments)).await,
        SmartCommand::Test(arguments) => session.interruptible(test::run(session, arguments)).await,
        SmartCommand::RotateSecret(arguments) => rotate::run(session, arguments).await,
    }
}

const APP: &str = "cognito_user_pool_client.client";
const MACHINE: &str = "cognito_user_pool_client.machine";

/// A SMART stack.
pub(super) struct Smart {
    stack: DeployedStack,
}

impl Smart {
    async fn open(session: &Session) -> Result<Self, CommandError> {
        let state = session.deployed_state().await?;
        if !is_smart(&state) {
            return Err(SmartUsage::NoProvider.into());
        }
        Ok(Self { stack: DeployedStack::to(session, state).await? })
    }

    /// The stack, which must be a SMART one.
    pub(super) fn of(stack: DeployedStack) -> Result<Self, CommandError> {
        if is_smart(&stack.state) { Ok(Self { stack }) } else { Err(SmartUsage::NoProvider.into()) }
    }

    /// The stack, for requests that need no token.
    pub(super) fn into_stack(self) -> DeployedStack {
        self.stack
    }

    /// A token as `hlctl smart token` gets it, by this grant where none is asked for.
    pub(super) async fn token(&self, session: &Session, log_in: &LogIn, usual: Grant) -> Result<Secret, CommandError> {
        let source = Source::open(self, session, log_in, usual).await?;
        Ok(source.token(source.scopes(&log_in.scope)).await?.access)
    }

    fn has_machine_client(&self) -> bool {
        self.stack.state.recorded(MACHINE).is_some()
    }

    /// The address of the client for a grant, and what AWS says of it.
    async fn client(&self, grant: Grant) -> Result<(&'static str, Access), CommandError> {
        let address = match grant {
            Grant::AuthorizationCode => APP,
            Grant::ClientCredentials if self.has_machine_client() => MACHINE,
            Grant::ClientCredentials => {
                return Err(SmartUsage::NoMachineClient.into());
            }
        };
        let id = self.stack.recorded(address, "id")?;
        let access = access_of(&self.stack.cx, self.stack.recorded(address, "user_pool_id")?, id).await;
        let access = access.map_err(|error| CommandError::Resource { address: Address::parse(address), error })?;
        Ok((address, access))
    }

    /// An endpoint of the pool's domain.
    fn oauth(&self, path: &str) -> Result<Url, CommandError> {
        let base = self.stack.recorded("cognito_user_pool_domain.this", "base_url")?;
        Ok(self.stack.endpoints.of_pool(&format!("{base}{path}"))?)
    }

    /// What tokens of users are bound to where the pool can: the store. Only managed login binds tokens, and none of
    /// `client_credentials` (Cognito developer guide, "Scopes, M2M, and resource servers", resource binding).
    fn resource(&self) -> Result<Option<String>, CommandError> {
        let domain = self.stack.state.resources.get(&Address::parse("cognito_user_pool_domain.this"));
        let version = domain.and_then(|domain| domain.attributes.get("managed_login_version")?.as_i64());
        if version.is_none_or(|version| version < 2) {
            return Ok(None);
        }
        Ok(Some(self.stack.recorded("healthlake_fhir_datastore.this", "endpoint")?.to_owned()))
    }

    fn fhir(&self, rest: &str) -> Result<Url, CommandError> {
        self.stack.fhir(rest)
    }
}

/// Whether a stack has an identity provider.
pub(super) fn is_smart(state: &State) -> bool {
    state.recorded(APP).is_some()
}
