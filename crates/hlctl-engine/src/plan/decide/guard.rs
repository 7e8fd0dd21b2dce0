//! What bars a plan: protection, other hands, and what would be lost.

use super::Planner;
use super::reason::never_came_to_be;
use crate::plan::{Action, Blocker, Change, Refusal};
use crate::{Provider, ProviderError};
use hlctl_config::is_logs_bucket;
use hlctl_model::address::Address;
use hlctl_model::invocation::CommandLine;
use hlctl_model::text::instant;
use hlctl_model::{Condition, Observed, Remains, ResourceKind};

impl<P: Provider> Planner<'_, P> {
    /// Refuses what must not happen by implication.
    pub(super) fn guard(&mut self) {
        let mut refusals = Vec::new();
        for change in self.plan.changes.iter().filter(|change| change.action.destroys()) {
            // The hint of a replacement says to name the resource along with it.
            let barred = self.unasked_replacement(change).or_else(|| self.unnamed_destruction(change));
            refusals.extend(barred);
            refusals.extend(self.full_bucket(change));
            refusals.extend(self.key_of_released(change));
            refusals.extend(self.whole_of_released(change));
        }
        self.plan.refusals.extend(refusals);
    }

    fn unasked_replacement(&self, change: &Change<P::Kind>) -> Option<Refusal> {
        let holds_data = change.protected || change.kind.holds_objects() || change.kind.is_precious();
        if change.action != Action::Replace || !holds_data || self.options.replace.contains(&change.address) {
            return None;
        }
        if never_came_to_be(change) {
            return None;
        }
        let why = change.attributes.iter().find_map(|attribute| attribute.replaces.clone())?;
        let keep = if can_bring_its_data(change) {
            concat!("replace it with a store that has the same data, and keep this one: ", hlctl!("replace"), "\nor ")
        } else {
            ""
        };
        Some(Refusal {
            address: change.address.clone(),
            message: format!("it would have to be replaced ({why}), and its contents would be lost"),
            hint: format!(
                "undo the change in the config, or {keep}replace it: --replace '{}' --allow-destroy '{}'",
                change.address,
                change.name.as_deref().unwrap_or_default()
            ),
            blocker: Blocker::Protection,
        })
    }

    fn unnamed_destruction(&self, change: &Change<P::Kind>) -> Option<Refusal> {
        if !change.protected || never_came_to_be(change) || self.is_named(change) {
            return None;
        }
        let name = change.name.as_deref().unwrap_or(change.address.as_str());
        Some(Refusal {
            address: change.address.clone(),
            message: format!("{name} is protected and would be destroyed"),
            hint: format!("if you mean to destroy it, name it: --allow-destroy '{}'", self.name_to_give(change)),
            blocker: Blocker::NeedsName(self.name_to_give(change)),
        })
    }

    fn key_of_released(&self, change: &Change<P::Kind>) -> Option<Refusal> {
        let recorded = change.recorded.as_ref().filter(|_| change.kind.is_key())?;
        let released = self.input.state.released.iter().find(|released| released.needs_key(change.kind, recorded))?;
        let message = format!(
            "{} was forgotten and remains in AWS, and nobody could read it without this key",
            released.name::<P::Kind>()
        );
        self.taking_along(change, message, ["forget the key too", "if what it encrypts is not needed"])
    }

    /// What was protected and then forgotten is not taken along by what it is a part of.
    fn whole_of_released(&self, change: &Change<P::Kind>) -> Option<Refusal> {
        let recorded = change.recorded.as_ref()?;
        let released = self.input.state.released.iter().find(|released| released.is_part_of(change.kind, recorded))?;
        let message = format!(
            "{} was forgotten while it was protected, and would be deleted with it",
            released.name::<P::Kind>()
        );
        self.taking_along(change, message, ["forget this one too", "if neither is needed"])
    }

    /// Refuses a deletion that would take along what the stack was made to forget. The name of the stack does not stand for that.
    fn taking_along(&self, change: &Change<P::Kind>, message: String, [forget, or_if]: [&str; 2]) -> Option<Refusal> {
        let address = change.address.as_str();
        (!self.options.allow_destroy.contains(address)).then(|| Refusal {
            address: change.address.clone(),
            message,
            hint: format!("{forget}: {}\nor, {or_if}, name it: --allow-destroy '{address}'", hlctl!("forget", address)),
            blocker: Blocker::NeedsName(address.to_owned()),
        })
    }

    /// In a destroy of the whole stack the store's name stands for all of it.
    fn name_to_give(&self, change: &Change<P::Kind>) -> String {
        let own = change.name.as_deref().unwrap_or(change.address.as_str()).to_owned();
        if self.is_whole_destroy() { self.stack_name() } else { own }
    }

    fn is_named(&self, change: &Change<P::Kind>) -> bool {
        let named = |name: &str| self.options.allow_destroy.contains(name);
        named(change.address.as_str())
            || change.name.as_deref().is_some_and(named)
            || (self.is_whole_destroy() && named(&self.stack_name()))
    }

    fn is_whole_destroy(&self) -> bool {
        self.options.destroy && self.options.targets.is_empty()
    }

    /// The store's name; where an earlier run has deleted the store, or never came to make it, the one it would have.
    fn stack_name(&self) -> String {
        let store = self.plan.changes.iter().find(|change| change.kind.names_the_stack());
        let name = store.and_then(|store| store.name.as_deref()).or(self.input.store_name);
        name.unwrap_or(self.input.state.stack.as_str()).to_owned()
    }

    fn full_bucket(&self, change: &Change<P::Kind>) -> Option<Refusal> {
        let contents = change.contents.as_ref().filter(|contents| !contents.is_empty())?;
        if self.may_be_emptied(change) {
            return None;
        }
        let bucket = change.name.clone().unwrap_or_default();
        let is_for_logs = is_logs_bucket(change.address.as_str());
        let error = P::Error::not_empty(bucket, contents.clone(), is_for_logs);
        Some(Refusal {
            address: change.address.clone(),
            message: error.to_string(),
            hint: error.hint().unwrap_or_default(),
            blocker: Blocker::Protection,
        })
    }
}

/// A refusal that nothing but a change in AWS, or of the configuration, can lift.
pub(super) fn refusal<E: ProviderError>(address: &Address, error: &E) -> Refusal {
    Refusal {
        address: address.clone(),
        message: error.to_string(),
        hint: error.hint_at(address).unwrap_or_default(),
        blocker: error.owner().map_or(Blocker::Conflict, |owner| Blocker::OtherStack(owner.to_owned())),
    }
}

/// What somebody else has ordered the end of is neither given up nor changed behind that person's back.
pub(super) fn ending(address: &Address, observed: &Observed) -> Option<Refusal> {
    let Condition::Ending { what, rescue } = &observed.condition else { return None };
    Some(Refusal {
        address: address.clone(),
        message: format!("it is scheduled for deletion outside hlctl: {what}"),
        hint: format!(
            "to keep it: {rescue}\nand then `{}`, which enables it again. To replace it with a new one: --replace \
             '{address}'",
            hlctl!("apply")
        ),
        blocker: Blocker::Protection,
    })
}

/// What somebody else has deleted, and what can be done about it.
pub(super) fn lost(address: &Address, remains: &Remains, way_back: &str) -> Refusal {
    let Remains { id, until, is_over } = remains;
    let until = until.map(|until| format!(" until {}", instant(until))).unwrap_or_default();
    let first = if way_back.is_empty() { String::new() } else { format!("{way_back}\n") };
    let message = if *is_over {
        let since = if until.is_empty() { String::new() } else { format!(" (it could be{until})") };
        format!("{id} was deleted outside hlctl, and its backup can no longer be restored{since}: its data is lost")
    } else {
        format!("{id} was deleted outside hlctl; it had a backup and can be restored{until}")
    };
    Refusal {
        address: address.clone(),
        message,
        hint: format!(
            "{first}to continue without its data, with a new, empty one: {}",
            CommandLine::new("apply").option("--replace", address.as_str())
        ),
        blocker: Blocker::Protection,
    }
}

/// Whether it is a store in whose place there can be one with the same data: preloading makes another one than that.
pub fn can_bring_its_data<K: ResourceKind>(change: &Change<K>) -> bool {
    change.kind.can_bring_its_data(&change.attributes)
}
