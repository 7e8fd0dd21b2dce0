//! From a plan to steps and what each must wait for. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::schedule::{Needs, StepId, Until};
use crate::plan::{Action, AttributeChange, Change, Plan};
use crate::state::{Deposed, Entry, State, Status};
use crate::{Provider, ProviderError as _};
use hlctl_model::address::Address;
use hlctl_model::{Parent, ResourceKind};

/// One thing to do to one resource.
#[derive(Clone, Debug)]
pub struct Step<K> {
    /// The resource.
    pub address: Address,
    /// Its kind.
    pub kind: K,
    /// What to do.
    pub work: Work,
    /// The action it belongs to, for the reader.
    pub action: Action,
}

impl<K> Step<K> {
    /// What is done, as it is shown: a replacement is a creation and a deletion.
    pub fn deed(&self) -> Action {
        match (self.action, &self.work) {
            (Action::Replace, Work::Delete { .. }) => Action::Delete,
            (Action::Replace, _) => Action::Create,
            (action, _) => action,
        }
    }
}

/// What to do.
#[derive(Clone, Debug)]
pub enum Work {
    /// Make it.
    Create,
    /// Change what is recorded, by these differences.
    Update(Value, Vec<AttributeChange>),
    /// Wait for what is recorded.
    Settle(Value),
    /// Write down what is recorded.
    Adopt(Value),
    /// Delete what is recorded.
    Delete {
        /// Its identity.
        recorded: Value,
        /// Whether what it is part of goes too.
        with_parent: bool,
        /// Whether another has its address now.
        deposed: bool,
    },
    /// Strike it from the state.
    Forget,
    /// Strike what is recorded from the replaced: it stands somewhere else.
    ForgetDeposed(Value),
}

/// Steps, and what each needs, in the same order.
pub type Linked<K> = (Vec<Step<K>>, Vec<Needs>);

/// The steps of a plan, and what each needs.
///
/// # Errors
/// What the state records of a resource is not of its kind.
pub fn steps<P: Provider>(
    plan: &Plan<P::Kind>,
    state: &State,
    predicted: &BTreeMap<Address, Value>,
) -> Result<Linked<P::Kind>, P::Error> {
    let mut steps = Vec::new();
    for change in &plan.changes {
        let kind = change.kind;
        let step = |work| Step { address: change.address.clone(), kind, work, action: change.action };
        let recorded =
            || change.recorded.clone().ok_or_else(|| P::Error::internal(format!("{} has no identity", change.address)));
        match change.action {
            Action::NoOp => {}
            Action::Create => steps.push(step(Work::Create)),
            Action::Update => steps.push(step(Work::Update(recorded()?, change.attributes.clone()))),
            Action::Settle => steps.push(step(Work::Settle(recorded()?))),
            Action::Adopt => steps.push(step(Work::Adopt(recorded()?))),
            Action::Forget if change.deposed => steps.push(step(Work::ForgetDeposed(recorded()?))),
            Action::Forget => steps.push(step(Work::Forget)),
            Action::Delete => steps.push(step(delete(plan, change, recorded()?, change.deposed))),
            Action::Replace => {
                steps.push(step(Work::Create));
                steps.push(step(delete(plan, change, recorded()?, true)));
            }
        }
    }
    let needs = Linker::<P>::new(plan, state, &steps, predicted).link()?;
    Ok((steps, needs))
}

fn delete<K: ResourceKind>(plan: &Plan<K>, change: &Change<K>, recorded: Value, deposed: bool) -> Work {
    let parent = change.kind.ends_with();
    let goes = |parent: Parent| {
        let is_it = |other: &Change<K>| other.recorded.as_ref().is_some_and(|whole| parent.is(whole, &recorded));
        plan.changes.iter().any(|other| other.kind.as_str() == parent.kind && other.action.destroys() && is_it(other))
    };
    let with_parent = parent.is_some_and(goes);
    Work::Delete { recorded, with_parent, deposed }
}

/// Works out who waits for whom.
struct Linker<'a, P: Provider> {
    plan: &'a Plan<P::Kind>,
    state: &'a State,
    steps: &'a [Step<P::Kind>],
    predicted: &'a BTreeMap<Address, Value>,
    makes: BTreeMap<&'a Address, StepId>,
    deletes: Vec<(&'a Address, StepId)>,
}

impl<'a, P: Provider> Linker<'a, P> {
    fn new(
        plan: &'a Plan<P::Kind>,
        state: &'a State,
        steps: &'a [Step<P::Kind>],
        predicted: &'a BTreeMap<Address, Value>,
    ) -> Self {
        let is_delete = |step: &Step<P::Kind>| matches!(step.work, Work::Delete { .. } | Work::Forget);
        let is_aside = |step: &Step<P::Kind>| matches!(step.work, Work::ForgetDeposed(_));
        let numbered = || steps.iter().enumerate().filter(|(_, step)| !is_aside(step));
        let makes = numbered().filter(|(_, step)| !is_delete(step)).map(|(id, step)| (&step.address, id)).collect();
        let deletes = numbered().filter(|(_, step)| is_delete(step)).map(|(id, step)| (&step.address, id)).collect();
        Self { plan, state, steps, predicted, makes, deletes }
    }

    fn link(&self) -> Result<Vec<Needs>, P::Error> {
        let needs: Result<Vec<Needs>, P::Error> = self
            .steps
            .iter()
            .map(|step| {
                let steps = match &step.work {
                    Work::ForgetDeposed(_) => Vec::new(),
                    Work::Delete { .. } | Work::Forget => self.before_delete(step),
                    _ => self.before_make(step),
                };
                let identified = matches!(step.work, Work::Update(..) | Work::Settle(_) | Work::Adopt(_));
                Ok(Needs { steps, group: self.group(step)?, identified })
            })
            .collect();
        let mut needs = needs?;
        self.delete_after_deposed(&mut needs);
        Ok(needs)
    }

    /// What a replaced resource needs is deleted after it, as after any other: an earlier run may have died in between. The needs of
    /// two replaced resources can come from two configurations, so that each needs the other; then one of them goes first.
    fn delete_after_deposed(&self, needs: &mut [Needs]) {
        for deposed in &self.state.deposed {
            let Some(first) = self.steps.iter().position(|step| is_deletion_of(step, deposed)) else { continue };
            let needed = |(id, step): &(StepId, &Step<P::Kind>)| {
                *id != first
                    && matches!(step.work, Work::Delete { .. } | Work::Forget)
                    && deposed.entry.needs.contains(&step.address)
            };
            for (then, _) in self.steps.iter().enumerate().filter(needed) {
                if !waits_for(needs, first, then) {
                    needs[then].steps.push((first, Until::Done));
                }
            }
        }
    }

    /// Whether it deletes what an earlier run replaced.
    fn is_deposed(&self, step: &Step<P::Kind>) -> bool {
        self.state.deposed.iter().any(|deposed| is_deletion_of(step, deposed))
    }

    /// The identities it refers to; and the old one, where both cannot be at once.
    fn before_make(&self, step: &Step<P::Kind>) -> Vec<(StepId, Until)> {
        let needed = self.plan.graph.needs(&step.address).filter_map(|need| self.makes.get(need));
        // A dependent needs the ARN and not the finished resource: this is what lets everything but the store happen while the
        // store is being created.
        let mut needs: Vec<_> = needed.map(|id| (*id, Until::Identified)).collect();
        if self.is_delete_first(&step.address) {
            let old = self.deletes.iter().filter(|(address, _)| **address == step.address);
            needs.extend(old.map(|(_, id)| (*id, Until::Done)));
        }
        needs
    }

    /// What needs it must be gone, or have turned to the new one; and the new one must be there.
    ///
    /// A setting that ends with its bucket is gone when the bucket is, not before: until then the data in the bucket
    /// needs the key that the setting names.
    fn before_delete(&self, step: &Step<P::Kind>) -> Vec<(StepId, Until)> {
        let mut needs: Vec<_> = self.parent_of(step).map(|id| (id, Until::Done)).into_iter().collect();
        let dependents = self
            .state
            .resources
            .iter()
            .filter(|(address, entry)| entry.needs.contains(&step.address) && !self.ends_with(address, step));
        for (dependent, _) in dependents {
            // One that an earlier run replaced has needs of its own: see `delete_after_deposed`.
            let is_it =
                |(address, id): &&(&Address, StepId)| *address == dependent && !self.is_deposed(&self.steps[*id]);
            needs.extend(self.deletes.iter().filter(is_it).map(|(_, id)| (*id, Until::Done)));
            if !self.is_delete_first(&step.address) {
                // Until its update is through, the dependent refers to the old one.
                needs.extend(self.makes.get(dependent).map(|id| (*id, Until::Done)));
            }
        }
        if !self.is_delete_first(&step.address) {
            needs.extend(self.makes.get(&step.address).map(|id| (*id, Until::Done)));
        }
        needs
    }

    /// The deletion of what the part that `step` deletes ends with.
    fn parent_of(&self, step: &Step<P::Kind>) -> Option<StepId> {
        let Work::Delete { recorded: part, with_parent: true, .. } = &step.work else { return None };
        let parent = step.kind.ends_with()?;
        let deletes_it = |other: &Step<P::Kind>| match &other.work {
            Work::Delete { recorded, .. } => other.kind.as_str() == parent.kind && parent.is(recorded, part),
            _ => false,
        };
        self.steps.iter().position(deletes_it)
    }

    /// Whether the deletion of the part at `part` waits for `step`.
    fn ends_with(&self, part: &Address, step: &Step<P::Kind>) -> bool {
        let parts = self.deletes.iter().filter(|(address, _)| *address == part);
        parts.filter_map(|(_, id)| self.parent_of(&self.steps[*id])).any(|id| std::ptr::eq(&self.steps[id], step))
    }

    fn is_delete_first(&self, address: &Address) -> bool {
        self.plan.changes.iter().any(|change| change.address == *address && change.delete_first)
    }

    fn group(&self, step: &Step<P::Kind>) -> Result<Option<String>, P::Error> {
        let recorded = match &step.work {
            Work::Update(recorded, _) | Work::Settle(recorded) | Work::Adopt(recorded) => Some(recorded.clone()),
            Work::Delete { recorded, .. } => Some(recorded.clone()),
            Work::Forget | Work::ForgetDeposed(_) => None,
            Work::Create => self.predicted.get(&step.address).cloned(),
        };
        recorded.map_or(Ok(None), |recorded| step.kind.group(&recorded))
    }
}

fn is_deletion_of<K>(step: &Step<K>, deposed: &Deposed) -> bool {
    match &step.work {
        Work::Delete { recorded, deposed: true, .. } => {
            step.address == deposed.address && deposed.entry.recorded.as_ref() == Some(recorded)
        }
        _ => false,
    }
}

/// Whether `step` waits for `other`, be it through others.
fn waits_for(needs: &[Needs], step: StepId, other: StepId) -> bool {
    let (mut open, mut seen) = (vec![step], BTreeSet::new());
    while let Some(next) = open.pop() {
        if next == other {
            return true;
        }
        if seen.insert(next) {
            open.extend(needs[next].steps.iter().map(|(id, _)| *id));
        }
    }
    false
}

/// The state's entry for a resource that is about to be made.
pub fn intent<K: ResourceKind>(step: &Step<K>, plan: &Plan<K>, protected: bool) -> Entry {
    Entry {
        kind: step.kind.as_str().to_owned(),
        status: Status::Creating,
        token: uuid::Uuid::new_v4().to_string(),
        protected,
        protection: None,
        needs: plan.graph.needs(&step.address).cloned().collect(),
        recorded: None,
        predicted: None,
        doubtful_since: None,
        origin: None,
        attributes: serde_json::Map::new(),
    }
}
