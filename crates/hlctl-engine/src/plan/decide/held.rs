//! No plan deletes what another address stands for.
//!
//! Checked on the finished plan, whatever led to it: a resource that nobody asks for, a replacement, a duplicate, a destroy of
//! single addresses. Two addresses can come to stand for one thing in AWS by surgery on the state, by an adoption, or by a
//! state that was edited; names and ids decide, not addresses.

use serde_json::Value;

use super::Planner;
use crate::Provider;
use crate::plan::{Action, Blocker, Change, Reason, Refusal};
use hlctl_model::ResourceKind;
use hlctl_model::address::Address;

/// An address that stands for something in AWS once the plan is carried out.
struct Holder<K> {
    address: Address,
    kind: K,
    recorded: Value,
    needs: Vec<Address>,
    protected: bool,
}

/// What is to be done about a deletion that may not be.
enum Verdict {
    /// The state alone forgets it.
    Forget(String),
    /// The plan may not be carried out.
    Refuse(Refusal),
}

impl<P: Provider> Planner<'_, P> {
    /// Takes each such deletion out of the plan, or refuses the plan where what the user wants is not plain.
    pub(super) fn keep_what_others_hold(&mut self) {
        let holders = self.holders();
        let mut refusals = Vec::new();
        for index in 0..self.plan.changes.len() {
            self.leave_to_released(index);
            let change = &self.plan.changes[index];
            match self.verdict(change, &holders) {
                Some(Verdict::Forget(reason)) => {
                    let change = &mut self.plan.changes[index];
                    change.action = Action::Forget;
                    change.reason = Some(Reason::HeldElsewhere(reason));
                    change.protected = false;
                    change.impact.clear();
                    change.contents = None;
                }
                Some(Verdict::Refuse(refusal)) => refusals.push(refusal),
                None => refusals.extend(self.twice_deleted(index)),
            }
        }
        self.plan.refusals.extend(refusals);
    }

    /// What the state was made to forget stays as it is, and so do its settings: a bucket that keeps its objects without its policy and
    /// its block of public access would be worse than none.
    fn leave_to_released(&mut self, index: usize) {
        let change = &self.plan.changes[index];
        let Some(recorded) = change.recorded.as_ref().filter(|_| change.action.destroys()) else { return };
        let kind = change.kind;
        let released = self.input.state.released.iter().find(|released| released.has_part(kind, recorded));
        let Some(reason) =
            released.map(|released| format!("{} was forgotten, and still has it", released.name::<P::Kind>()))
        else {
            return;
        };
        let change = &mut self.plan.changes[index];
        // In place of a replacement, the new one is all that there is to do.
        change.action = if change.action == Action::Replace { Action::Create } else { Action::Forget };
        change.recorded = change.recorded.take().filter(|_| change.action == Action::Forget);
        change.reason = Some(Reason::HeldElsewhere(reason));
        change.protected = false;
        change.delete_first = false;
        change.impact.clear();
        change.contents = None;
    }

    fn verdict(&self, change: &Change<P::Kind>, holders: &[Holder<P::Kind>]) -> Option<Verdict> {
        let recorded = change.recorded.as_ref().filter(|_| change.action.destroys())?;
        let kind = change.kind;
        // An address that hlctl does not know stays, but is no reason to forget another of that sort.
        let is_unknown = !change.deposed && !(self.input.is_known)(&change.address);
        let is_other = |holder: &&Holder<P::Kind>| {
            change.deposed
                || (holder.address != change.address && (!is_unknown || (self.input.is_known)(&holder.address)))
        };
        let mut others = holders.iter().filter(is_other);
        if let Some(same) = others.clone().find(|other| other.kind == kind && kind.is_one(&other.recorded, recorded)) {
            return Some(verdict_of_same(change, same));
        }
        let is_part = |holder: &&Holder<P::Kind>| {
            let parent = holder.kind.part_of().filter(|parent| parent.kind == change.kind.as_str());
            // What needs this address has been thought of: it goes along, or turns to the new one.
            parent.is_some_and(|parent| parent.is(recorded, &holder.recorded))
                && !holder.needs.contains(&change.address)
        };
        others.find(is_part).map(|part| Verdict::Refuse(part_stays(change, part)))
    }

    /// An earlier deletion of the same thing under another address: what waits for which could not be known.
    fn twice_deleted(&self, index: usize) -> Option<Refusal> {
        let change = &self.plan.changes[index];
        let deletes = |change: &Change<P::Kind>| change.action.destroys() && !change.deposed;
        let recorded = change.recorded.as_ref().filter(|_| deletes(change))?;
        let kind = change.kind;
        let is_same = |other: &&Change<P::Kind>| {
            let is_one = other.recorded.as_ref().is_some_and(|other| kind.is_one(other, recorded));
            deletes(other) && other.kind == change.kind && is_one
        };
        let other = self.plan.changes[..index].iter().find(is_same)?;
        let superfluous = if (self.input.is_known)(&change.address) { &other.address } else { &change.address };
        Some(Refusal {
            address: change.address.clone(),
            message: format!("it and {} are the same resource in AWS, {}", other.address, thing(change)),
            hint: format!("forget one of the two: {}", hlctl!("forget", superfluous)),
            blocker: Blocker::Protection,
        })
    }

    /// What stays or comes: planned, or in the state and no part of this plan, or wanted and there.
    fn holders(&self) -> Vec<Holder<P::Kind>> {
        let state = &self.input.state.resources;
        let standing = |address: &Address| {
            let mut changes = self.plan.changes.iter();
            changes.any(|change| !change.deposed && change.address == *address)
        };
        let planned = self.plan.changes.iter().filter(|change| !change.deposed).filter_map(|change| {
            let recorded = match change.action {
                Action::Delete if !self.options.destroy && !(self.input.is_known)(&change.address) => {
                    change.recorded.as_ref()
                }
                Action::Delete | Action::Forget => None,
                Action::Create | Action::Replace => self.known.recorded(&change.address),
                _ => change.recorded.as_ref(),
            };
            Some((&change.address, recorded?.clone(), change.protected))
        });
        let left_alone = state.iter().filter(|(address, _)| !standing(address)).filter_map(|(address, entry)| {
            let recorded = entry.recorded.as_ref().or(entry.predicted.as_ref())?;
            Some((address, recorded.clone(), self.protects(address, entry)))
        });
        let unseen = |address: &&Address| !standing(address) && !state.contains_key(*address);
        let wanted = self.input.stack.keys().filter(unseen).filter_map(|address| {
            Some((address, self.known.recorded(address)?.clone(), (self.input.is_protected)(address, None)))
        });
        let holder = |(address, recorded, protected): (&Address, Value, bool)| {
            let mut needs: Vec<Address> = self.input.graph.needs(address).cloned().collect();
            needs.extend(state.get(address).into_iter().flat_map(|entry| entry.needs.iter().cloned()));
            let kind = P::Kind::parse(address.kind())?;
            Some(Holder { address: address.clone(), kind, recorded, needs, protected })
        };
        planned.chain(left_alone).chain(wanted).filter_map(holder).collect()
    }
}

/// `other` stands for the very thing that `change` deletes.
fn verdict_of_same<K>(change: &Change<K>, other: &Holder<K>) -> Verdict {
    let thing = thing(change);
    if change.deposed {
        return Verdict::Forget(format!("{thing} is now {}, and is kept", other.address));
    }
    let refuse = |message: String, hint: String| {
        let address = change.address.clone();
        Verdict::Refuse(Refusal { address, message, hint, blocker: Blocker::Protection })
    };
    let address = &change.address;
    if change.action == Action::Replace {
        return refuse(
            format!("it would be replaced and {thing} deleted, which is also {}", other.address),
            format!("forget one of the two: {}", hlctl!("forget", address)),
        );
    }
    if change.protected && !other.protected {
        return refuse(
            format!("{} is {thing} too, and only {address} is protected", other.address),
            format!(
                "protect the other one as well ({}), or forget it: {}",
                hlctl!("protect", other.address),
                hlctl!("forget", other.address)
            ),
        );
    }
    Verdict::Forget(format!("{} is {thing} too, which is kept", other.address))
}

fn part_stays<K>(change: &Change<K>, part: &Holder<K>) -> Refusal {
    let (thing, part) = (thing(change), &part.address);
    Refusal {
        address: change.address.clone(),
        message: format!("{thing} would be deleted, but {part}, which is a part of it, would not"),
        hint: format!(
            "forget the one that is wrong: {}, or {}",
            hlctl!("forget", change.address),
            hlctl!("forget", part)
        ),
        blocker: Blocker::Protection,
    }
}

fn thing<K>(change: &Change<K>) -> &str {
    change.name.as_deref().filter(|name| !name.is_empty()).unwrap_or(change.address.as_str())
}
