//! What is done about a resource, and why.

use crate::plan::{Action, AttributeChange, Change};
use crate::resource::{Condition, Observed};
use crate::state::{Entry, Origin, Status, Way};

/// How the reason of a replacement begins when the old one never came to be.
const CREATION_FAILED: &str = "AWS could not create it";

/// A store that AWS could not make holds nothing.
pub(super) fn never_came_to_be(change: &Change) -> bool {
    change.reason.as_deref().is_some_and(|reason| reason.starts_with(CREATION_FAILED))
}

pub(super) const VANISHED: &str = "it was deleted outside hlctl";

/// What has no name of its own, and was in no state.
const FOUND: &str = "it was found in AWS as part of this stack, and is adopted";

pub(super) fn vanished(entry: &Entry) -> Option<String> {
    (entry.status == Status::Ready).then(|| VANISHED.to_owned())
}

/// Where the data of a store that is to be made comes from.
pub(super) fn beginning(entry: &Entry) -> Option<String> {
    let Origin { source, at, way, .. } = entry.origin.as_ref()?;
    Some(match (way, at) {
        (Way::Backup, Some(at)) => format!("from the backup of {source}, as of {}", crate::ui::instant(*at)),
        (Way::Backup, None) => format!("from the backup of {source}, as of its latest restore point"),
        (Way::Export, _) => format!("empty; then an export of {source} is imported"),
    })
}

pub(super) fn existing(
    entry: Option<&Entry>,
    observed: &Observed,
    attributes: &[AttributeChange],
    forced: bool,
    is_found: bool,
) -> (Action, Option<String>) {
    if matches!(observed.condition, Condition::Ending { .. }) {
        return (Action::NoOp, None);
    }
    if let Condition::Failed { status, cause } = &observed.condition {
        return (Action::Replace, Some(format!("{CREATION_FAILED} ({status}: {cause})")));
    }
    if forced {
        return (Action::Replace, Some("--replace asks for it".to_owned()));
    }
    if let Some(why) = attributes.iter().find_map(|attribute| attribute.replaces.clone()) {
        return (Action::Replace, Some(why));
    }
    if !attributes.is_empty() {
        let reason = match &observed.condition {
            Condition::Impaired { status, cause } => Some(format!("the last change failed ({status}: {cause})")),
            _ => None,
        };
        // What exists without our knowing, and is part of what is ours, is put as if it were new.
        let unrecorded_part = entry.is_none() && observed.tags.is_none() && !is_found;
        let reason = reason.or_else(|| is_found.then(|| FOUND.to_owned()));
        return (if unrecorded_part { Action::Create } else { Action::Update }, reason);
    }
    match (&observed.condition, entry) {
        (Condition::Changing(status), _) => (Action::Settle, Some(format!("AWS is still working on it ({status})"))),
        (_, Some(entry)) if entry.status == Status::Ready => (Action::NoOp, None),
        (_, Some(_)) => (Action::Adopt, Some("an earlier run was interrupted".to_owned())),
        (_, None) if is_found => (Action::Adopt, Some(FOUND.to_owned())),
        (_, None) => (Action::Adopt, Some("it exists and matches the configuration".to_owned())),
    }
}
