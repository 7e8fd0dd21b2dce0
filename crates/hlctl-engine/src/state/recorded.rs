//! What a state records of a resource, for those who cannot go on without it.

use thiserror::Error;

use super::State;

/// The state does not record something that a deployed stack has.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotRecorded {
    /// There is no such resource in it.
    #[error("the state has no {address}")]
    Resource {
        /// Where it would be.
        address: String,
    },
    /// The resource is in it, without this.
    #[error("the state has no {name} of {address}")]
    Attribute {
        /// The resource.
        address: String,
        /// What is missing.
        name: String,
    },
}

impl NotRecorded {
    /// What to do about it.
    pub fn hint(&self) -> String {
        concat!("`", hlctl!("apply"), "` creates what is missing").to_owned()
    }
}

impl State {
    /// A text that is recorded of a resource; an empty one counts as none.
    ///
    /// # Errors
    /// The state does not record it: the stack may have been destroyed in part.
    pub fn recorded_text(&self, address: &str, name: &str) -> Result<&str, NotRecorded> {
        let Some(recorded) = self.recorded(address) else {
            return Err(NotRecorded::Resource { address: address.to_owned() });
        };
        let value = recorded.get(name).and_then(serde_json::Value::as_str).filter(|value| !value.is_empty());
        value.ok_or_else(|| NotRecorded::Attribute { address: address.to_owned(), name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use serde_json::{Value, json};

    use super::*;
    use crate::state::Home;
    use hlctl_config::ForceDestroy;
    use hlctl_model::{Identity, Settings};

    const STORE: &str = "healthlake_fhir_datastore.this";

    /// A state whose store is recorded so.
    fn state(store: &Value) -> State {
        let identity = Identity {
            account: "111122223333".into(),
            region: "us-east-1".into(),
            partition: "aws".into(),
            caller: String::new(),
        };
        let settings = Settings { kms_deletion_window_in_days: 30, force_destroy: ForceDestroy::No };
        let mut whole = serde_json::to_value(State::new("fhir", Home::Aws, identity, settings)).unwrap();
        whole["resources"][STORE] = json!({
            "kind": "healthlake_fhir_datastore", "status": "ready", "token": "t", "protected": true, "needs": [],
            "recorded": store, "attributes": {},
        });
        serde_json::from_value(whole).unwrap()
    }

    #[test]
    fn an_identity_that_is_not_recorded_is_an_error_and_not_an_empty_text() {
        assert_eq!(state(&json!({"id": "24d2"})).recorded_text(STORE, "id").unwrap(), "24d2");
        for store in [json!({}), json!({"id": null}), json!({"id": ""}), json!({"id": 7})] {
            let error = state(&store).recorded_text(STORE, "id").unwrap_err().to_string();
            assert_eq!(error, "the state has no id of healthlake_fhir_datastore.this", "{store}");
        }
        let error = state(&Value::Null).recorded_text(STORE, "id").unwrap_err().to_string();
        assert_eq!(error, "the state has no healthlake_fhir_datastore.this");
    }
}
