//! Addresses that no hlctl makes: an older one let `state mv` write them, and an edited state may hold any.

use super::Planner;
use crate::Provider;
use crate::plan::{Action, Blocker, Change, PlanError, Refusal};
use crate::state::Entry;
use hlctl_model::ResourceKind as _;
use hlctl_model::address::Address;

impl<P: Provider> Planner<'_, P> {
    /// What nobody could ask for is not deleted because nobody asks for it.
    pub(super) fn keep_unknown(&mut self, address: &Address, entry: &Entry) -> Result<(), PlanError<P::Error>> {
        let kind = self.kind_of(address, entry)?;
        let (seen, observed) = self.seen(address);
        let recorded = seen.and_then(|seen| seen.recorded.clone()).or_else(|| entry.recorded.clone());
        let change = Change {
            address: address.clone(),
            kind,
            name: recorded.as_ref().and_then(|recorded| kind.name(recorded).ok()),
            // When all of the plan is known, it is found out whether another address stands for it.
            action: Action::Delete,
            reason: None,
            attributes: Vec::new(),
            impact: Vec::new(),
            protected: self.protects(address, entry),
            delete_first: false,
            deposed: false,
            contents: None,
            observed: observed.map(|observed| observed.attributes.clone()),
            recorded,
        };
        self.plan.changes.push(change);
        Ok(())
    }

    /// Bars the plan for each that is still there and that no other address stands for.
    pub(super) fn refuse_unknown(&mut self) {
        if self.options.destroy {
            return;
        }
        let is_taken = |address: &str| self.input.state.resources.contains_key(address);
        let mut refusals = Vec::new();
        for change in
            self.plan.changes.iter_mut().filter(|change| !change.deposed && !(self.input.is_known)(&change.address))
        {
            if change.action != Action::Delete {
                continue;
            }
            change.action = Action::NoOp;
            change.contents = None;
            let is_free = |free: &&Address| free.kind() == change.kind.as_str() && !is_taken(free.as_str());
            let free: Vec<&str> = self.input.stack.keys().filter(is_free).map(Address::as_str).collect();
            let address = &change.address;
            let back = match free.as_slice() {
                [] => String::new(),
                [free] => format!("give it its old address: {}\nor ", hlctl!("state mv", address, free)),
                several => format!(
                    "give it its old address: {} (free: {})\nor ",
                    hlctl!("state mv", address, "ADDRESS"),
                    several.join(", ")
                ),
            };
            let name = change.name.as_deref().filter(|name| !name.is_empty());
            refusals.push(Refusal {
                address: address.clone(),
                message: format!(
                    "hlctl knows no such address; {} is left as it is",
                    name.unwrap_or("the state's resource of that address")
                ),
                hint: format!("{back}forget it; it stays in AWS: {}", hlctl!("forget", address)),
                blocker: Blocker::Protection,
            });
        }
        self.plan.refusals.extend(refusals);
    }
}
