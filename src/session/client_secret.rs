//! Whether the secret that a function is to get can be had.
//!
//! Asked only where a plan makes such a function, or another one in its place: Cognito does not return a secret that was set by
//! `smart rotate-secret`, and the function that has it would be gone before the new one could be made.

use crate::module::Stack;
use crate::plan::{Action, Blocker, Plan, Refusal};
use hlctl_engine::state::State;
use hlctl_model::address::Address;
use hlctl_model::invocation::CommandLine;
use hlctl_resources::{Context, Kind, ResourceError, Spec, secret_of};

/// What stands in the way of a function that gets the secret.
#[derive(Clone, Debug, Default)]
pub struct ClientSecret(Option<Refusal>);

impl ClientSecret {
    /// Looks, if the plan needs it.
    ///
    /// # Errors
    /// AWS's, as [`ResourceError`].
    pub async fn look(cx: &Context, stack: &Stack, state: &State, plan: &Plan) -> Result<Self, ResourceError> {
        let makes = |action: Action| matches!(action, Action::Create | Action::Replace);
        let mut made = plan.changes.iter().filter(|change| change.kind == Kind::LambdaFunction && makes(change.action));
        let client_of = |address: &Address| match stack.get(address) {
            Some(Spec::LambdaFunction(function)) => function.secret_of.as_ref().map(|client| client.address().clone()),
            _ => None,
        };
        let Some((function, client)) = made.find_map(|change| Some((&change.address, client_of(&change.address)?)))
        else {
            return Ok(Self::default());
        };
        // A client that is made along with it comes with a secret.
        let is_made = plan.changes.iter().any(|change| change.address == client && makes(change.action));
        let of = |name: &str| state.recorded(client.as_str())?.get(name)?.as_str();
        let (false, Some((pool, id))) = (is_made, of("user_pool_id").zip(of("id"))) else { return Ok(Self::default()) };
        Ok(Self(match secret_of(cx, pool, id).await? {
            Some(_) => None,
            None => Some(Refusal {
                address: function.clone(),
                message: format!("it gets the secret of {client}, which Cognito does not return"),
                hint: format!(
                    "replace the app client too, which gives it another id and another secret: {}",
                    CommandLine::new("apply").option("--replace", client.as_str())
                ),
                blocker: Blocker::Conflict,
            }),
        }))
    }

    /// What the plan would fail at.
    pub fn refusal(&self) -> Option<Refusal> {
        self.0.clone()
    }
}
