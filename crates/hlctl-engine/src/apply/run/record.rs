//! What the state records of what was done.

use serde_json::Value;

use super::Coordinator;
use crate::apply::steps::{Step, Work, intent};
use crate::plan::Reason;
use crate::state::{Deposed, Status};
use crate::{Provider, ProviderError};
use hlctl_model::{Attributes, Certainty, ResourceKind as _, ResourceSpec as _, WATCHED};

impl<P: Provider> Coordinator<'_, P> {
    pub(super) fn record_done(&mut self, step: &Step<P::Kind>, recorded: Option<Value>) {
        match &step.work {
            Work::Forget => drop(self.state.resources.remove(&step.address)),
            Work::Delete { deposed: false, .. } => drop(self.state.resources.remove(&step.address)),
            Work::Delete { recorded, deposed: true, .. } | Work::ForgetDeposed(recorded) => {
                self.state.deposed.retain(|deposed| {
                    deposed.address != step.address || deposed.entry.recorded.as_ref() != Some(recorded)
                });
            }
            Work::Create | Work::Update(..) | Work::Settle(_) | Work::Adopt(_) => self.record_made(step, recorded),
        }
    }

    fn record_made(&mut self, step: &Step<P::Kind>, recorded: Option<Value>) {
        if let Some(recorded) = &recorded {
            self.known.insert(step.address.clone(), recorded.clone());
        }
        let attributes = self.attributes_of(step);
        let watched = self.watched_of(step);
        let protected = self.plan.changes.iter().any(|change| change.address == step.address && change.protected);
        let entry =
            self.state.resources.entry(step.address.clone()).or_insert_with(|| intent(step, self.plan, protected));
        entry.status = Status::Ready;
        // A step that only waited or updated reports no identity: that of before stays.
        entry.recorded = recorded.or_else(|| entry.recorded.take());
        let (kind, present) = (entry.kind::<P::Kind>(), entry.recorded.clone());
        entry.predicted = None;
        if self.stack.contains_key(&step.address) {
            entry.needs = self.plan.graph.needs(&step.address).cloned().collect();
        }
        if let Some(attributes) = attributes {
            entry.attributes.extend(attributes);
        }
        match watched {
            Some(watched) => drop(entry.attributes.insert(WATCHED.to_owned(), watched)),
            // A new resource is as hlctl made it.
            None if matches!(step.work, Work::Create) => drop(entry.attributes.remove(WATCHED)),
            None => {}
        }
        // What has come back to its address is none of the replaced.
        let is_it = |deposed: &Deposed| {
            let both = kind.zip(present.as_ref()).zip(deposed.entry.recorded.as_ref());
            deposed.address == step.address && both.is_some_and(|((kind, present), old)| kind.is_one(present, old))
        };
        self.state.deposed.retain(|deposed| !is_it(deposed));
        self.state.give_back_protection::<P::Kind>(&step.address);
    }

    /// What the resource looks like now: as it was asked for, or, if it was only looked at, as it was seen.
    fn attributes_of(&self, step: &Step<P::Kind>) -> Option<Attributes> {
        let wanted = self.stack.get(&step.address).map(|spec| spec.desired(&self.known));
        if !matches!(step.work, Work::Adopt(_)) {
            return wanted;
        }
        let seen = self.plan.changes.iter().find(|change| change.address == step.address && !change.deposed);
        let seen = seen.and_then(|change| change.observed.clone())?;
        Some(
            seen.into_iter()
                .filter(|(name, _)| wanted.as_ref().is_none_or(|wanted| wanted.contains_key(name)))
                .collect(),
        )
    }

    /// What the state is to remember of the watched leaves of a resource that was there before the step; a refresh accepts what
    /// it shows.
    fn watched_of(&self, step: &Step<P::Kind>) -> Option<Value> {
        if !matches!(step.work, Work::Update(..) | Work::Settle(_) | Work::Adopt(_)) {
            return None;
        }
        let change = self.plan.changes.iter().find(|change| change.address == step.address && !change.deposed)?;
        let observed = change.observed.as_ref()?;
        let remembered = self.state.resources.get(&step.address).map(|entry| &entry.attributes);
        let accepts = matches!(step.work, Work::Adopt(_)) && change.reason == Some(Reason::ChangedOutside);
        let watched = change.kind.accepted(remembered.unwrap_or(&Attributes::new()), observed, accepts);
        watched.as_object().is_some_and(|watched| !watched.is_empty()).then_some(watched).or_else(|| {
            // Nothing is left of what was accepted.
            remembered?.contains_key(WATCHED).then(|| Value::Object(serde_json::Map::new()))
        })
    }

    /// What AWS refused has changed nothing; what was cut off may have, so its intent stays. `certainty` is that of all calls of
    /// the step.
    pub(super) fn record_failure(&mut self, step: &Step<P::Kind>, error: &P::Error, certainty: Certainty) {
        // An earlier run may have made it, whatever this one has.
        let is_doubtful = || {
            let entry = self.state.resources.get(&step.address);
            entry.is_some_and(|entry| entry.doubtful_since.is_some())
        };
        match &step.work {
            Work::Create if made_nothing(error, certainty, is_doubtful()) => self.undo_intent(step),
            Work::Delete { .. } if deleted_nothing(error, certainty) => self.undo_intent(step),
            _ => {}
        }
    }
}

/// Whether a creation that failed has made nothing.
fn made_nothing(error: &impl ProviderError, certainty: Certainty, is_doubtful: bool) -> bool {
    match error.failed_call() {
        // Whatever is there is somebody else's.
        _ if error.is_taken() => true,
        _ if certainty == Certainty::MayBeApplied => false,
        // It was looked for, was not there, and AWS would not make it.
        Some(call) if is_doubtful => !call.is_read,
        _ => !is_doubtful,
    }
}

/// Whether a deletion that failed has deleted nothing. A look that failed after the order was given leaves it under way.
fn deleted_nothing(error: &impl ProviderError, certainty: Certainty) -> bool {
    match error.failed_call() {
        Some(call) if !call.is_read => call.certainty == Certainty::NotApplied,
        // What was emptied before is no part of it.
        _ if error.is_not_empty() => true,
        _ => certainty == Certainty::NotApplied,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::kind::MemoryError;

    fn read() -> MemoryError {
        MemoryError::Call { operation: "read", is_read: true, certainty: Certainty::NotApplied }
    }

    fn change(certainty: Certainty) -> MemoryError {
        MemoryError::Call { operation: "change", is_read: false, certainty }
    }

    #[test]
    fn a_creation_has_made_nothing_if_none_of_its_calls_has() {
        use Certainty::{MayBeApplied, NotApplied};
        assert!(made_nothing(&change(NotApplied), NotApplied, false));
        assert!(!made_nothing(&change(MayBeApplied), MayBeApplied, false));
        // An earlier call of the creation was carried out, and only this one was refused.
        assert!(!made_nothing(&change(NotApplied), MayBeApplied, false));
        // It could not even be looked for.
        assert!(!made_nothing(&read(), NotApplied, true));
        assert!(made_nothing(&change(NotApplied), NotApplied, true));
    }

    #[test]
    fn a_deletion_stays_under_way_once_it_is_ordered() {
        use Certainty::{MayBeApplied, NotApplied};
        assert!(deleted_nothing(&change(NotApplied), NotApplied));
        assert!(!deleted_nothing(&change(MayBeApplied), MayBeApplied));
        assert!(deleted_nothing(&read(), NotApplied));
        assert!(!deleted_nothing(&read(), MayBeApplied));
        // Its protection was taken off before.
        assert!(deleted_nothing(&change(NotApplied), MayBeApplied));
    }
}
