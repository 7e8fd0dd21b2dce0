//! Import and export jobs that a plan would take their store, role, bucket or key from.

use std::collections::{BTreeMap, BTreeSet};

use crate::data::job::{self, Job, JobKind};
use crate::error::CommandError;
use crate::plan::{Action, Blocker, Plan, Refusal, Seen};
use hlctl_aws::{AwsError, ErrorKind};
use hlctl_engine::state::State;
use hlctl_model::address::Address;
use hlctl_resources::{Context, FhirDatastore, Resource, ResourceError};

/// What the jobs of every store of a stack work with (`hlctl data`, docs/data.md).
const SHARED: [&str; 5] =
    ["iam_role.healthlake", "iam_policy.healthlake", "iam_role_policy_attachment.this", "kms_key.s3", "s3_bucket.data"];

/// The jobs under way in stores that a plan deletes, or whose jobs' means it deletes.
#[derive(Clone, Debug, Default)]
pub struct Jobs {
    stores: BTreeMap<Address, Found>,
}

#[derive(Clone, Debug)]
enum Found {
    /// These are under way.
    Running(Vec<Job>),
    /// Nobody could look.
    Unseen(AwsError),
}

impl Jobs {
    /// Looks at the jobs of each store that the plan touches. A caller who may not list them is no failure.
    ///
    /// # Errors
    /// AWS's, where it is not that.
    pub async fn look(
        cx: &Context,
        plan: &Plan,
        state: &State,
        seen: &BTreeMap<Address, Seen>,
    ) -> Result<Self, CommandError> {
        let mut stores = BTreeMap::new();
        for address in touched(plan, state) {
            let is_there = seen.get(&address).is_some_and(|seen| seen.observed.is_some());
            let recorded = seen.get(&address).and_then(|seen| seen.recorded.as_ref());
            let id = recorded.and_then(|recorded| recorded.get("id")?.as_str()).filter(|_| is_there);
            let Some(id) = id else { continue };
            let found = match job::list(cx, id).await {
                Ok(jobs) => Found::Running(jobs.into_iter().filter(Job::is_under_way).collect()),
                // It went in the meantime.
                Err(error) if error.is_not_found() => continue,
                Err(error) if cannot_be_listed(&error) => Found::Unseen(error),
                Err(error) => return Err(CommandError::Resource { address, error: ResourceError::Aws(error) }),
            };
            stores.insert(address, found);
        }
        Ok(Self { stores })
    }

    /// Without the exports, where those are waited for anyway.
    pub fn without_exports(mut self) -> Self {
        for found in self.stores.values_mut() {
            if let Found::Running(jobs) = found {
                jobs.retain(|job| job.kind != JobKind::Export);
            }
        }
        self
    }

    /// The jobs that are under way.
    pub fn running(&self) -> impl Iterator<Item = &Job> {
        self.stores.values().flat_map(|found| match found {
            Found::Running(jobs) => jobs.as_slice(),
            Found::Unseen(_) => &[],
        })
    }

    /// Whether any store was looked at, or was to be.
    pub fn is_empty(&self) -> bool {
        self.stores.is_empty()
    }

    /// What bars a plan while jobs are under way.
    pub fn refusals(&self) -> Vec<Refusal> {
        let busy = self.stores.iter().filter_map(|(address, found)| match found {
            Found::Running(jobs) if !jobs.is_empty() => Some((address, jobs)),
            _ => None,
        });
        let refusal = |(address, jobs): (&Address, &Vec<Job>)| Refusal {
            address: address.clone(),
            message: under_way(jobs),
            hint: concat!(
                "destroy, apply and stores delete take --running-jobs=wait, which waits until they have ended, or ",
                "--running-jobs=ignore; `",
                hlctl!("data jobs"),
                "` shows those of the store in use"
            )
            .to_owned(),
            blocker: Blocker::Protection,
        };
        busy.map(refusal).collect()
    }

    /// What is to be said of stores whose jobs nobody could look at; and of jobs, where they are not to stand in the way.
    pub fn warnings(&self, ignores: bool) -> Vec<String> {
        let warning = |(address, found): (&Address, &Found)| match found {
            Found::Unseen(error) => {
                Some(format!("{address}: whether jobs are under way could not be checked: {error}"))
            }
            Found::Running(jobs) if ignores && !jobs.is_empty() => {
                Some(format!("{address}: {}; what happens to them is not known", under_way(jobs)))
            }
            Found::Running(_) => None,
        };
        self.stores.iter().filter_map(warning).collect()
    }

    /// Stores whose jobs could not be looked at, and why.
    pub fn unseen(&self) -> impl Iterator<Item = (&Address, &AwsError)> {
        self.stores.iter().filter_map(|(address, found)| match found {
            Found::Unseen(error) => Some((address, error)),
            Found::Running(_) => None,
        })
    }
}

/// The jobs in a sentence.
pub fn under_way(jobs: &[Job]) -> String {
    let each: Vec<String> = jobs.iter().map(described).collect();
    match each.as_slice() {
        [one] => format!("a job is under way: {one}"),
        many => format!("{} jobs are under way: {}", many.len(), many.join(", ")),
    }
}

fn described(job: &Job) -> String {
    format!("{} {} ({})", job.kind.name(), job.id, job.status)
}

/// Whether the caller may not list jobs, the store is in no state to have any, or what plays AWS has no such call. Where an answer is
/// only late or lost, nothing is known, and a destroy does not go on.
fn cannot_be_listed(error: &AwsError) -> bool {
    matches!(error.kind, ErrorKind::Denied | ErrorKind::Refused | ErrorKind::Conflict)
        || matches!(&*error.code, "UnknownOperationException" | "NotImplemented" | "InvalidAction")
}

/// The stores that a plan destroys, or something that their jobs work with.
fn touched(plan: &Plan, state: &State) -> BTreeSet<Address> {
    let going: BTreeSet<&Address> = plan
        .changes
        .iter()
        .filter(|change| matches!(change.action, Action::Delete | Action::Replace))
        .map(|change| &change.address)
        .collect();
    let shared = going.iter().any(|address| SHARED.contains(&address.as_str()));
    let stores = state.resources.iter().filter(|(address, _)| address.kind() == FhirDatastore::KIND);
    stores
        .filter(|(address, entry)| {
            shared || going.contains(address) || entry.needs.iter().any(|need| going.contains(need))
        })
        .map(|(address, _)| address.clone())
        .collect()
}
