//! `hlctl smart`: does with the stack what an app does.
//!
//! It works from the state and from what AWS says of the client. With `--sandbox` the emulator listens on a port for as long as the
//! command runs, and with an endpoint in the environment that is where everything goes: the pool's pages and endpoints, its
//! keys and the FHIR interface have the same paths there ([docs/sandbox.md]).

mod check;
mod discovery;
mod function;
mod places;
mod refusals;
mod source;
mod store;
mod test;
mod token;

use serde_json::Value;

use super::{interruptible, outputs, sandbox};
use crate::address::Address;
use crate::cli::{Grant, SmartCommand};
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::oauth::{Http, OauthError};
use crate::resource::{Access, Context, access_of};
use crate::session::{Connection, Session, Wishes};
use crate::state::State;
use places::Places;
use url::Url;

/// Runs one of its commands; a signal ends it at once.
pub(super) async fn run(session: &Session, command: &SmartCommand) -> Result<ExitCode, CommandError> {
    let work = async {
        match command {
            SmartCommand::Token(arguments) => token::run(session, arguments).await,
            SmartCommand::Test(arguments) => test::run(session, arguments).await,
        }
    };
    interruptible(&session.stop, work).await
}

const APP: &str = "cognito_user_pool_client.client";
const MACHINE: &str = "cognito_user_pool_client.machine";

/// The SMART stack that the state holds, and the ways to it.
struct Smart {
    state: State,
    connection: Connection,
    cx: Context,
    http: Http,
    places: Places,
}

impl Smart {
    async fn open(session: &Session) -> Result<Self, CommandError> {
        let state = outputs::read(session).await?;
        if state.recorded(APP).is_none() {
            return Err(CommandError::Usage {
                message: "the stack has no identity provider, so there are no tokens".to_owned(),
                hint: "set smart_on_fhir = true in the config and run `hlctl apply`".to_owned(),
            });
        }
        let config = session.config_if_any()?;
        let connection = session.connect(Wishes::around(config.as_ref(), &session.global, &state)).await?;
        state.check_belongs(session.home(), &connection.identity)?;
        let pace = session.pace(config.as_ref());
        let cx = connection.context(&state, state.settings.clone(), pace, session.stop.clone());
        let places = match &connection.emulator {
            Some(emulator) => Places::all_at(&sandbox::serve(emulator.clone()).await?)?,
            None => Places::of(&connection.clients)?,
        };
        Ok(Self { state, connection, cx, http: Http::new()?, places })
    }

    fn has_machine_client(&self) -> bool {
        self.state.recorded(MACHINE).is_some()
    }

    /// What is recorded of a resource; the stack may have been destroyed in part.
    fn recorded(&self, address: &str, name: &str) -> Result<&str, CommandError> {
        let value = self.state.recorded(address).and_then(|recorded| recorded.get(name));
        value.and_then(Value::as_str).ok_or_else(|| CommandError::Incomplete {
            message: format!("the state has no {address}"),
            hint: "`hlctl apply` makes what is missing".to_owned(),
        })
    }

    /// The id of the client for a grant, and what AWS says of it.
    async fn client(&self, grant: Grant) -> Result<(String, Access), CommandError> {
        let address = match grant {
            Grant::AuthorizationCode => APP,
            Grant::ClientCredentials if self.has_machine_client() => MACHINE,
            Grant::ClientCredentials => {
                return Err(CommandError::Usage {
                    message: "the stack has no client for machines".to_owned(),
                    hint: "set cognito_machine_client = true in the config and run `hlctl apply`".to_owned(),
                });
            }
        };
        let id = self.recorded(address, "id")?;
        let access = access_of(&self.cx, self.recorded(address, "user_pool_id")?, id).await;
        let access = access.map_err(|error| CommandError::Resource { address: Address::parse(address), error })?;
        Ok((id.to_owned(), access))
    }

    /// An endpoint of the pool's domain.
    fn oauth(&self, path: &str) -> Result<Url, CommandError> {
        let base = self.recorded("cognito_user_pool_domain.this", "base_url")?;
        Ok(self.places.of_pool(&format!("{base}{path}"))?)
    }

    /// The store's FHIR interface as it is asked from here, with a slash at the end.
    fn fhir(&self, rest: &str) -> Result<Url, CommandError> {
        let base = self.recorded("healthlake_fhir_datastore.this", "endpoint")?;
        let base = self.places.of_store(base)?;
        Ok(base.join(rest).map_err(|_| OauthError::Address(base.to_string()))?)
    }
}
