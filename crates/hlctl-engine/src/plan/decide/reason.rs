//! What is done about a resource, and why.

use crate::plan::{Action, AttributeChange, Change, Reason};
use crate::state::{Entry, Origin, SeedMethod, Status};
use hlctl_model::{Condition, Observed};

/// A store that AWS could not make holds nothing.
pub(super) fn never_came_to_be<K>(change: &Change<K>) -> bool {
    matches!(change.reason, Some(Reason::CreationFailed { .. }))
}

pub(super) fn vanished(entry: &Entry) -> Option<Reason> {
    (entry.status == Status::Ready).then_some(Reason::DeletedOutside)
}

/// Where the data of a store that is to be made comes from.
pub(super) fn beginning(entry: &Entry) -> Option<Reason> {
    let Origin { source, at, way, .. } = entry.origin.as_ref()?;
    let source = source.clone();
    Some(match way {
        SeedMethod::Backup => Reason::FromBackup { source, at: *at },
        SeedMethod::Export => Reason::FromExport { source },
    })
}

pub(super) fn existing(
    entry: Option<&Entry>,
    observed: &Observed,
    attributes: &[AttributeChange],
    forced: bool,
    is_found: bool,
) -> (Action, Option<Reason>) {
    if matches!(observed.condition, Condition::Ending { .. }) {
        return (Action::NoOp, None);
    }
    if let Condition::Failed { status, cause } = &observed.condition {
        let failed = Reason::CreationFailed { status: status.clone(), cause: cause.clone() };
        return (Action::Replace, Some(failed));
    }
    if forced {
        return (Action::Replace, Some(Reason::ReplaceOption));
    }
    if let Some(why) = attributes.iter().find_map(|attribute| attribute.replaces.clone()) {
        return (Action::Replace, Some(Reason::NeedsReplacement(why)));
    }
    if !attributes.is_empty() {
        let reason = match &observed.condition {
            Condition::Impaired { status, cause } => {
                Some(Reason::ChangeFailed { status: status.clone(), cause: cause.clone() })
            }
            _ => None,
        };
        // What exists without our knowing, and is part of what is ours, is put as if it were new.
        let unrecorded_part = entry.is_none() && observed.tags.is_none() && !is_found;
        let reason = reason.or_else(|| is_found.then_some(Reason::Found));
        return (if unrecorded_part { Action::Create } else { Action::Update }, reason);
    }
    match (&observed.condition, entry) {
        (Condition::Changing(status), _) => (Action::Settle, Some(Reason::StillChanging { status: status.clone() })),
        (_, Some(entry)) if entry.status == Status::Ready => (Action::NoOp, None),
        (_, Some(_)) => (Action::Adopt, Some(Reason::CutOff)),
        (_, None) if is_found => (Action::Adopt, Some(Reason::Found)),
        (_, None) => (Action::Adopt, Some(Reason::AsWanted)),
    }
}
