//! Passwords of test users that are not at hand, or not heeded: what that means for a plan.

use std::collections::{BTreeMap, BTreeSet};

use crate::materials::keeps_its_password;
use crate::module::{PasswordError, StackInputs, test_user};
use crate::plan::{Action, Blocker, Change, Plan, Refusal};
use hlctl_config::Config;
use hlctl_engine::state::State;
use hlctl_model::address::Address;
use hlctl_model::invocation::CommandLine;

/// What is known of the passwords.
#[derive(Clone, Debug, Default)]
pub(super) struct Passwords {
    /// Why there is none.
    absent: BTreeMap<Address, PasswordError>,
    /// Users who keep another one than that which is given.
    unheeded: BTreeSet<Address>,
}

impl Passwords {
    pub(super) fn of(config: &Config, state: &State, materials: &StackInputs) -> Self {
        let absent = materials.absent.iter().map(|(user, error)| (test_user(user), error.clone())).collect();
        let is_given = |user: &str| materials.passwords.contains_key(user);
        let users = config.smart.test_users.iter().filter(|_| config.smart_on_fhir);
        let unheeded = users
            .filter(|user| is_given(&user.username) && keeps_its_password(state, user))
            .map(|user| test_user(&user.username))
            .collect();
        Self { absent, unheeded }
    }

    /// Why the first of these changes that needs a password has none.
    pub(super) fn needed(&self, changes: &[Change]) -> Option<&PasswordError> {
        changes.iter().filter(|change| needs_password(change)).find_map(|change| self.absent.get(&change.address))
    }

    /// What cannot be done without a password, so that nothing is begun.
    pub(super) fn refusals(&self, plan: &Plan) -> Vec<Refusal> {
        let lacking = plan.changes.iter().filter(|change| needs_password(change));
        let refusal = |change: &Change| {
            let error = self.absent.get(&change.address)?;
            Some(Refusal {
                address: change.address.clone(),
                message: error.to_string(),
                hint: error.hint().to_owned(),
                blocker: Blocker::Conflict,
            })
        };
        lacking.filter_map(refusal).collect()
    }

    /// What a plan does not compare.
    pub(super) fn warnings(&self, plan: &Plan) -> Vec<String> {
        let warning = |change: &Change| {
            let address = &change.address;
            if let Some(error) = self.absent.get(address).filter(|_| !needs_password(change)) {
                return Some(format!(
                    "{address}: its password cannot be checked: {}; {}",
                    error.problem(),
                    error.hint()
                ));
            }
            let keeps = self.unheeded.contains(address) && matches!(change.action, Action::NoOp | Action::Update);
            keeps.then(|| {
                format!(
                    "{address}: it was adopted and keeps its old password; to set the one in the configuration: {}",
                    CommandLine::new("apply").option("--replace", address.as_str())
                )
            })
        };
        plan.changes.iter().filter(|change| !change.deposed).filter_map(warning).collect()
    }
}

/// Whether the change sets a password.
fn needs_password(change: &Change) -> bool {
    match change.action {
        Action::Create | Action::Replace => true,
        Action::Update => change.attributes.iter().any(|attribute| attribute.attribute() == "password"),
        _ => false,
    }
}
