//! An applied stack, and the ways to its store and its user pool.

use url::Url;

use super::outputs;
use super::places::Places;
use crate::error::CommandError;
use crate::module::beside::STORE;
use crate::oauth::{Http, OauthError};
use crate::resource::Context;
use crate::sandbox;
use crate::session::{ConnectOptions, Connection, Session};
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
        let connection = session.connect(ConnectOptions::around(config.as_ref(), &session.global, &state)).await?;
        state.check_belongs(session.home(), &connection.identity)?;
        let pace = session.pace(config.as_ref());
        let cx = connection.context(&state, state.settings.clone(), pace, session.stop.clone());
        let places = match &connection.emulator {
            Some(emulator) => Places::all_at(&sandbox::serve(emulator.clone()).await?)?,
            None => Places::of(&connection.clients)?,
        };
        let http = Http::new(&connection.clients.trust)?;
        Ok(Self { state, connection, cx, http, places })
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
    let found = state.recorded(address);
    let value = found.and_then(|recorded| recorded.get(name)?.as_str()).filter(|value| !value.is_empty());
    value.ok_or_else(|| CommandError::Usage {
        message: match found {
            Some(_) => format!("the state has no {name} of {address}"),
            None => format!("the state has no {address}"),
        },
        hint: concat!("`", hlctl!("apply"), "` creates what is missing").to_owned(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use serde_json::{Value, json};

    use super::*;
    use crate::resource::{Identity, Settings};
    use crate::state::Home;

    /// A state whose store is recorded so.
    fn state(store: &Value) -> State {
        let identity = Identity {
            account: "111122223333".into(),
            region: "us-east-1".into(),
            partition: "aws".into(),
            caller: String::new(),
        };
        let settings = Settings { kms_deletion_window_in_days: 30, force_destroy: crate::config::ForceDestroy::No };
        let mut whole = serde_json::to_value(State::new("fhir", Home::Aws, identity, settings)).unwrap();
        whole["resources"][STORE] = json!({
            "kind": "healthlake_fhir_datastore", "status": "ready", "token": "t", "protected": true, "needs": [],
            "recorded": store, "attributes": {},
        });
        serde_json::from_value(whole).unwrap()
    }

    #[test]
    fn an_identity_that_is_not_recorded_is_an_error_and_no_empty_text() {
        assert_eq!(recorded(&state(&json!({"id": "24d2"})), STORE, "id").unwrap(), "24d2");
        for store in [json!({}), json!({"id": null}), json!({"id": ""}), json!({"id": 7})] {
            let error = recorded(&state(&store), STORE, "id").unwrap_err().to_string();
            assert_eq!(error, "the state has no id of healthlake_fhir_datastore.this", "{store}");
        }
        let error = recorded(&state(&Value::Null), STORE, "id").unwrap_err().to_string();
        assert_eq!(error, "the state has no healthlake_fhir_datastore.this");
    }
}
