//! An applied stack, and the ways to its store and its user pool.

use serde_json::Value;
use url::Url;

use super::places::Places;
use super::{outputs, sandbox};
use crate::error::CommandError;
use crate::module::beside::STORE;
use crate::oauth::{Http, OauthError};
use crate::resource::Context;
use crate::session::{Connection, Session, Wishes};
use crate::state::State;

/// What the state holds, and whoever is asked about it.
pub(super) struct Ways {
    pub(super) state: State,
    pub(super) connection: Connection,
    pub(super) cx: Context,
    pub(super) http: Http,
    pub(super) places: Places,
}

impl Ways {
    /// Reads the state and connects. With `--sandbox` the emulator listens on a port from now on.
    pub(super) async fn open(session: &Session) -> Result<Self, CommandError> {
        Self::to(session, outputs::read(session).await?).await
    }

    /// The ways to what this state holds.
    pub(super) async fn to(session: &Session, state: State) -> Result<Self, CommandError> {
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

    /// What is recorded of a resource; the stack may have been destroyed in part.
    pub(super) fn recorded(&self, address: &str, name: &str) -> Result<&str, CommandError> {
        recorded(&self.state, address, name)
    }

    /// The store's FHIR interface as it is asked from here, with a slash at the end.
    pub(super) fn fhir(&self, rest: &str) -> Result<Url, CommandError> {
        let base = self.places.of_store(self.recorded(STORE, "endpoint")?)?;
        Ok(base.join(rest).map_err(|_| OauthError::Address(base.to_string()))?)
    }
}

/// What a state records of a resource.
pub(super) fn recorded<'a>(state: &'a State, address: &str, name: &str) -> Result<&'a str, CommandError> {
    let value = state.recorded(address).and_then(|recorded| recorded.get(name));
    value.and_then(Value::as_str).ok_or_else(|| CommandError::Incomplete {
        message: format!("the state has no {address}"),
        hint: "`hlctl apply` makes what is missing".to_owned(),
    })
}
