//! What the state is told of what was done.

use serde_json::Value;

use super::Coordinator;
use crate::apply::steps::{Step, Work, intent};
use crate::aws::ErrorKind;
use crate::error::ResourceError;
use crate::resource::Attributes;
use crate::state::{Deposed, Status};

impl Coordinator<'_> {
    pub(super) fn record_done(&mut self, step: &Step, recorded: Option<Value>) {
        match &step.work {
            Work::Forget => drop(self.state.resources.remove(&step.address)),
            Work::Delete { deposed: false, .. } => drop(self.state.resources.remove(&step.address)),
            Work::Delete { recorded, deposed: true, .. } => {
                self.state.deposed.retain(|deposed| {
                    deposed.address != step.address || deposed.entry.recorded.as_ref() != Some(recorded)
                });
            }
            Work::Create | Work::Update(..) | Work::Settle(_) | Work::Adopt(_) => self.record_made(step, recorded),
        }
    }

    fn record_made(&mut self, step: &Step, recorded: Option<Value>) {
        if let Some(recorded) = &recorded {
            self.known.insert(step.address.clone(), recorded.clone());
        }
        let attributes = self.attributes_of(step);
        let protected = self.plan.changes.iter().any(|change| change.address == step.address && change.protected);
        let entry =
            self.state.resources.entry(step.address.clone()).or_insert_with(|| intent(step, self.plan, protected));
        entry.status = Status::Ready;
        entry.recorded = recorded.or_else(|| entry.recorded.take());
        let (kind, present) = (entry.kind(), entry.recorded.clone());
        entry.foretold = None;
        if let Some(attributes) = attributes {
            entry.attributes.extend(attributes);
        }
        // What has come back to its address is none of the replaced.
        let is_it = |deposed: &Deposed| {
            let both = kind.zip(present.as_ref()).zip(deposed.entry.recorded.as_ref());
            deposed.address == step.address && both.is_some_and(|((kind, present), old)| kind.is_one(present, old))
        };
        self.state.deposed.retain(|deposed| !is_it(deposed));
    }

    /// What the resource looks like now: as it was asked for, or, if it was only looked at, as it was seen.
    fn attributes_of(&self, step: &Step) -> Option<Attributes> {
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

    /// What AWS refused has changed nothing; what was cut off may have, so its intent stays.
    pub(super) fn record_failure(&mut self, step: &Step, error: &ResourceError) {
        match &step.work {
            Work::Create if made_nothing(error) => self.undo_intent(step),
            Work::Delete { .. } if deleted_nothing(error) => self.undo_intent(step),
            _ => {}
        }
    }
}

fn made_nothing(error: &ResourceError) -> bool {
    match error {
        ResourceError::Aws(error) => {
            let creating = ["Create", "Attach", "Put", "Head"].iter().any(|verb| error.operation.starts_with(verb));
            creating && !is_uncertain(error.kind)
        }
        ResourceError::Taken { .. } | ResourceError::Request(_) => true,
        _ => false,
    }
}

/// A look that failed after the order was given leaves a deletion under way.
fn deleted_nothing(error: &ResourceError) -> bool {
    match error {
        ResourceError::Aws(error) => !error.operation.starts_with("Describe") && !is_uncertain(error.kind),
        ResourceError::NotEmpty { .. } | ResourceError::Request(_) => true,
        _ => false,
    }
}

/// Whether the call may have been carried out all the same.
fn is_uncertain(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NoAnswer | ErrorKind::Unavailable | ErrorKind::Garbled)
}
