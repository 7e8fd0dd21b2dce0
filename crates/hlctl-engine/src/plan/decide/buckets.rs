//! Which buckets a plan may empty.

use super::Planner;
use crate::Provider;
use crate::plan::{Action, Change};
use hlctl_config::{ForceDestroy, is_logs_bucket};
use hlctl_model::{ADDRESS_TAG, Contents};

impl<P: Provider> Planner<'_, P> {
    /// Whether the bucket may be emptied. What counts as the logs bucket has its address, and no tag that says otherwise: a data
    /// bucket does not become one by `hlctl state mv`.
    pub(super) fn may_be_emptied(&self, change: &Change<P::Kind>) -> bool {
        let force = self.input.settings.force_destroy;
        force.empties(change.address.as_str()) && (force == ForceDestroy::All || !self.is_marked_as_another(change))
    }

    fn is_marked_as_another(&self, change: &Change<P::Kind>) -> bool {
        let seen = self.input.seen.get(&change.address).and_then(|seen| seen.observed.as_ref());
        let tags = seen.and_then(|observed| observed.tags.as_ref());
        tags.and_then(|tags| tags.get(ADDRESS_TAG)).is_some_and(|address| *address != change.address.as_str())
    }

    /// Access logs are delivered within a few hours (S3 user guide, "Server access log delivery"), so a logs bucket that is empty
    /// now may not be when its turn comes.
    pub(super) fn foresee_logs(&mut self) {
        let is_empty = |change: &&Change<P::Kind>| change.contents.as_ref().is_some_and(Contents::is_empty);
        let warnings: Vec<String> = self
            .plan
            .changes
            .iter()
            .filter(|change| change.action == Action::Delete && is_logs_bucket(change.address.as_str()))
            .filter(is_empty)
            .filter(|change| !self.may_be_emptied(change))
            .map(|change| {
                let name = change.name.as_deref().unwrap_or_default();
                format!(
                    "S3 may still deliver access logs into {name}, which then cannot be deleted: {} lets hlctl empty \
                     it",
                    ForceDestroy::Logs.flag()
                )
            })
            .collect();
        self.plan.warnings.extend(warnings);
    }
}
