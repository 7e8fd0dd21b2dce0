//! A deployed stack, and the endpoints of its store and its user pool.

use url::Url;

use super::endpoint_resolver::EndpointResolver;
use crate::error::CommandError;
use crate::module::standby::STORE;
use crate::sandbox;
use crate::session::{Connection, OpenStack, Session};
use hlctl_engine::state::State;
use hlctl_fhir::oauth::{Http, OauthError};
use hlctl_resources::Context;

/// What the state holds, and how its store and its user pool are reached.
pub(super) struct DeployedStack {
    pub(super) state: State,
    pub(super) connection: Connection,
    pub(super) cx: Context,
    pub(super) http: Http,
    pub(super) endpoints: EndpointResolver,
}

impl DeployedStack {
    /// Reads the state and connects. With `--sandbox` the emulator listens on a port from now on.
    pub(super) async fn open(session: &Session) -> Result<Self, CommandError> {
        Self::to(session, session.deployed_state().await?).await
    }

    /// Connects to what this state holds.
    pub(super) async fn to(session: &Session, state: State) -> Result<Self, CommandError> {
        let OpenStack { state, connection, cx, .. } = OpenStack::of_state(session, state).await?;
        let endpoints = match &connection.emulator {
            Some(emulator) => EndpointResolver::all_at(&sandbox::serve(emulator.clone()).await?)?,
            None => EndpointResolver::of(&connection.clients)?,
        };
        let http = Http::new(&connection.clients.trust)?;
        Ok(Self { state, connection, cx, http, endpoints })
    }

    /// What is recorded of a resource; the stack may have been destroyed in part.
    pub(super) fn recorded(&self, address: &str, name: &str) -> Result<&str, CommandError> {
        Ok(self.state.recorded_text(address, name)?)
    }

    /// The store's FHIR interface as it is asked from here, with a slash at the end.
    pub(super) fn fhir(&self, rest: &str) -> Result<Url, CommandError> {
        let base = self.endpoints.of_store(self.recorded(STORE, "endpoint")?)?;
        Ok(base.join(rest).map_err(|_| OauthError::Address(base.to_string()))?)
    }
}
