//! What the state records before anything is done, and takes back when nothing came of it.

use serde_json::Value;

use super::{Coordinator, StepId};
use crate::Provider;
use crate::apply::error::ApplyError;
use crate::apply::steps::{Step, Work, intent};
use crate::plan::Action;
use crate::state::{Deposed, Entry, Status};
use hlctl_model::address::Address;
use hlctl_model::{ResourceKind as _, ResourceSpec as _};

/// How long AWS may take to show what it has made, many times over.
const LONGEST_DOUBT_SECONDS: i64 = 3600;

impl<P: Provider> Coordinator<'_, P> {
    /// Writes down, before the first call that changes anything, all that is about to be made and deleted.
    pub(super) async fn intend(&mut self, is_protected: &dyn Fn(&Address) -> bool) -> Result<(), ApplyError<P::Error>> {
        let before = self.state.clone();
        self.state.settings = self.cx.settings().clone();
        self.note_what_was_seen(is_protected);
        for step in self.steps.clone() {
            match &step.work {
                Work::Create => self.intend_create(&step, is_protected(&step.address)),
                Work::Delete { recorded, deposed: true, .. } => self.intend_to_delete_another(&step, recorded),
                Work::Delete { deposed: false, .. } => {
                    if let Some(entry) = self.state.resources.get_mut(&step.address) {
                        entry.status = Status::Deleting;
                    }
                }
                _ => {}
            }
        }
        // A plan without intents leaves the file alone: a new serial would look like a change to those who compare states.
        if self.state == before {
            return Ok(());
        }
        self.writer.dirty = true;
        self.writer.start(&mut self.state);
        // Waited for: what AWS creates before it is on the disk, a crash would leave without a trace.
        Ok(self.writer.finish().await?)
    }

    /// A duplicate is recorded among the replaced before it is deleted.
    fn intend_to_delete_another(&mut self, step: &Step<P::Kind>, recorded: &Value) {
        let is_known = |deposed: &Deposed| deposed.entry.recorded.as_ref() == Some(recorded);
        let is_replaced = self.state.recorded(step.address.as_str()) == Some(recorded);
        if is_replaced || self.state.deposed.iter().any(is_known) {
            return;
        }
        let entry = Entry { recorded: Some(recorded.clone()), ..intent(step, self.plan, false) };
        self.state.deposed.push(Deposed { address: step.address.clone(), entry });
    }

    fn intend_create(&mut self, step: &Step<P::Kind>, protected: bool) {
        let previous = self.state.resources.remove(&step.address);
        let mut entry = intent(step, self.plan, protected);
        let is_whole = |reported: &&Value| step.kind.is_whole(reported).unwrap_or(false);
        entry.predicted = self.predicted.get(&step.address).filter(is_whole).cloned();
        entry.attributes = self.stack.get(&step.address).map(|spec| spec.desired(&self.known)).unwrap_or_default();
        entry.protection = previous.as_ref().and_then(|previous| previous.protection);
        // What was being filled from elsewhere still is; a replacement is not.
        let begun = previous.as_ref().filter(|previous| previous.status == Status::Creating);
        entry.origin = begun.and_then(|previous| previous.origin.clone());
        match previous {
            // The same attempt goes on, so AWS must see the same token.
            Some(previous) if previous.status == Status::Creating && previous.recorded.is_none() => {
                entry.token = previous.token;
                // Without a name to look for, the earlier attempt may have left one that AWS does not show yet.
                entry.doubtful_since = step.kind.is_nameless().then(now);
            }
            Some(previous) if step.action == Action::Replace => {
                self.state.deposed.push(Deposed { address: step.address.clone(), entry: previous });
                self.known.remove(&step.address);
            }
            _ => self.known.remove(&step.address),
        }
        self.state.resources.insert(step.address.clone(), entry);
    }

    /// Reading has brought the state up to date; the configuration decides protection and needs.
    fn note_what_was_seen(&mut self, is_protected: &dyn Fn(&Address) -> bool) {
        for change in &self.plan.changes {
            let Some(entry) = self.state.resources.get_mut(&change.address).filter(|_| !change.deposed) else {
                continue;
            };
            // AWS has shown everything by then.
            entry.doubtful_since = entry.doubtful_since.filter(|since| now() - since < LONGEST_DOUBT_SECONDS);
            if let (Some(recorded), Some(observed)) = (&change.recorded, &change.observed) {
                entry.recorded = Some(recorded.clone());
                for (name, value) in &mut entry.attributes {
                    *value = observed.get(name).cloned().unwrap_or(Value::Null);
                }
                self.known.insert(change.address.clone(), recorded.clone());
            }
            if self.stack.contains_key(&change.address) {
                entry.protected = is_protected(&change.address);
                let wanted: Vec<Address> = self.plan.graph.needs(&change.address).cloned().collect();
                // Until it is changed it refers to what it did before, and should this run die, the next one must not delete that first.
                let before = std::mem::take(&mut entry.needs);
                let stays = |need: &Address| is_changed(change.action) && !wanted.contains(need);
                let kept: Vec<Address> = before.into_iter().filter(stays).collect();
                entry.needs = wanted;
                entry.needs.extend(kept);
            }
        }
    }

    pub(super) fn doubt(&mut self, id: StepId) {
        if let Some(entry) = self.state.resources.get_mut(&self.steps[id].address) {
            entry.doubtful_since = Some(now());
            self.writer.dirty = true;
        }
    }

    pub(super) fn undo_intent(&mut self, step: &Step<P::Kind>) {
        match &step.work {
            Work::Create if self.state.recorded(step.address.as_str()).is_none() => {
                self.state.resources.remove(&step.address);
                // The last one is this run's; an earlier run may have left another of this address.
                let deposed = self.state.deposed.iter().rposition(|deposed| deposed.address == step.address);
                if let Some(place) = deposed.filter(|_| step.action == Action::Replace) {
                    let deposed = self.state.deposed.remove(place);
                    self.state.resources.insert(deposed.address, deposed.entry);
                }
            }
            Work::Delete { deposed: false, .. } => {
                if let Some(entry) = self.state.resources.get_mut(&step.address) {
                    entry.status = Status::Ready;
                }
            }
            _ => {}
        }
    }
}

fn is_changed(action: Action) -> bool {
    matches!(action, Action::Update | Action::Replace)
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}
