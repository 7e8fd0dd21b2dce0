//! Waits until a store is ready, or gone, and until it takes the next order.

use std::error::Error;
use std::future::Future;
use std::time::Duration;

use aws_sdk_healthlake::types::DatastoreProperties;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::look::{condition_of, describe, describe_with_age, is_ending, is_gone, recorded_of, status_of};
use super::{Recorded, TURN_PATIENCE};
use crate::{Condition, Context, Progress, ResourceError, Task};
use hlctl_aws::{Met, ops};
use hlctl_engine::wait::{self, Due, Ended, Poll};

/// A creation takes 20 to 30 minutes, as [`FhirDatastore::usual_time`](super::FhirDatastore) says with its sources; a restore creates a
/// store too. Half a minute is left for what plays AWS faster or slower.
const CREATION: Due = Due { from: Duration::from_secs(1180), until: Duration::from_secs(1830) };
/// A deletion takes 15 to 20 minutes.
const DELETION: Due = Due { from: Duration::from_secs(880), until: Duration::from_secs(1230) };
/// HealthLake does not say when a deletion began, so one that an earlier run ordered may end at any time: longest interval.
const UNKNOWN_AGE: Duration = Duration::from_secs(10);

/// What a store counts as whose last change AWS gave up.
#[derive(Clone, Copy)]
pub(super) enum Impaired {
    /// It works, and can be changed or deleted.
    Works,
    /// The change was ours.
    Fails,
}

pub(super) async fn settle(
    task: &Task<'_>,
    recorded: Recorded,
    wait: bool,
    begun: Begun,
    impaired: Impaired,
) -> Result<Recorded, ResourceError> {
    let cx = task.cx;
    let id = recorded.id.as_str();
    let look = async || {
        let (store, age) = describe_with_age(cx, id).await?;
        let store = store.filter(|store| !is_ending(store)).ok_or(ResourceError::Vanished)?;
        match condition_of(&store) {
            Condition::Ready => Ok(Poll::Ready(recorded_of(&store))),
            Condition::Changing(status) if wait && begun == Begun::Now => Ok(Poll::Pending(status)),
            Condition::Changing(status) if wait => {
                tell_age(task, &store);
                Ok(pending(status, age))
            }
            Condition::Changing(status) | Condition::Ending { what: status, .. } => {
                Err(ResourceError::StillGoing { status })
            }
            Condition::Failed { status, cause } => Err(ResourceError::Failed { status, cause }),
            Condition::Impaired { status, cause } => match impaired {
                Impaired::Works => Ok(Poll::Ready(recorded_of(&store))),
                Impaired::Fails => Err(ResourceError::Failed { status, cause }),
            },
        }
    };
    let seen = |status: &str| task.progress(Progress::Status(status.to_owned()));
    wait::until(cx.pace.due(CREATION), &cx.stop, seen, look).await.map_err(|ended| ended_as_error(ended, cx))
}

/// What a look saw of a store in transition, whose age is known while it is being created.
fn pending<T>(status: String, age: Option<Duration>) -> Poll<T> {
    match age.filter(|_| is_creating(&status)) {
        Some(age) => Poll::PendingFor(status, age),
        None => Poll::Pending(status),
    }
}

/// When what is waited for began. What began in this run is timed by this run: what plays AWS may have a clock that stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begun {
    /// By this very step.
    Now,
    /// Before it.
    Earlier,
}

/// What HealthLake has been making since then; of changes and deletions it does not say when they began.
fn tell_age(task: &Task<'_>, store: &DatastoreProperties) {
    if let Some(created) = store.created_at().filter(|_| is_creating(store.datastore_status().as_str())) {
        task.progress(Progress::Since(created.secs()));
    }
}

fn is_creating(status: &str) -> bool {
    status == "CREATING"
}

/// Has a store deleted: as soon as it is in no transition. That it is being deleted already is as good, be it by an attempt
/// of this run whose answer was lost. Returns when the deletion began.
pub(super) async fn order_deletion(task: &Task<'_>, recorded: &Recorded) -> Result<Begun, ResourceError> {
    let cx = task.cx;
    let id = recorded.id.as_str();
    let look = async || {
        let (store, age) = describe_with_age(cx, id).await?;
        let Some(store) = store.filter(|store| !is_ending(store)) else { return Ok(Poll::Ready(Begun::Earlier)) };
        match condition_of(&store) {
            Condition::Changing(status) if task.wait => {
                tell_age(task, &store);
                Ok(pending(status, age))
            }
            Condition::Changing(status) => Err(ResourceError::StillGoing { status }),
            // A store that could not be made, or changed, can still be deleted.
            _ => delete(cx, id).await,
        }
    };
    let seen = |status: &str| task.progress(Progress::Status(status.to_owned()));
    wait::until(cx.pace.due(CREATION), &cx.stop, seen, look).await.map_err(|ended| ended_as_error(ended, cx))
}

async fn delete(cx: &Context, id: &str) -> Result<Poll<Begun>, ResourceError> {
    let turn = cx.gate.to_delete().await;
    let call = ops::healthlake::DELETE_FHIR_DATASTORE.patience(TURN_PATIENCE);
    let deleted = cx.call(call, || cx.clients.healthlake.delete_fhir_datastore().datastore_id(id).send()).await;
    drop(turn);
    match deleted {
        Ok(_) => Ok(Poll::Ready(Begun::Now)),
        Err(error) => match error.meets() {
            Some(Met::Gone) => Ok(Poll::Ready(Begun::Now)),
            // Its status says which transition that is.
            Some(Met::InTransition) => match describe(cx, id).await?.filter(|store| !is_ending(store)) {
                None => Ok(Poll::Ready(Begun::Now)),
                Some(store) => Ok(Poll::Pending(status_of(&store))),
            },
            _ => Err(error.into()),
        },
    }
}

/// Sends a change of a store: as soon as it takes one. A change that it has been given already changes nothing more.
pub(super) async fn send_update<T, E, F, Fut>(task: &Task<'_>, id: &str, send: F) -> Result<(), ResourceError>
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    E: ProvideErrorMetadata + Error + 'static,
{
    let cx = task.cx;
    let look = async || match cx.call(ops::healthlake::UPDATE_FHIR_DATASTORE, &send).await {
        Ok(_) => Ok(Poll::Ready(())),
        Err(error) if error.meets() == Some(Met::InTransition) => {
            let store = describe(cx, id).await?.filter(|store| !is_ending(store)).ok_or(ResourceError::Vanished)?;
            Ok(Poll::Pending(status_of(&store)))
        }
        Err(error) => Err(error.into()),
    };
    let seen = |status: &str| task.progress(Progress::Status(status.to_owned()));
    wait::until(cx.pace, &cx.stop, seen, look).await.map_err(|ended| ended_as_error(ended, cx))
}

pub(super) async fn wait_until_gone(task: &Task<'_>, id: &str, begun: Begun) -> Result<(), ResourceError> {
    let cx = task.cx;
    let pace = match begun {
        Begun::Now => cx.pace.due(DELETION),
        // Many stacks may resume at once, and their looks share the account's quota.
        Begun::Earlier => cx.pace.at_least(UNKNOWN_AGE / 10).at_most(UNKNOWN_AGE),
    };
    let look = async || match describe(cx, id).await? {
        None => Ok(Poll::Ready(())),
        Some(store) if is_gone(&store) => Ok(Poll::Ready(())),
        Some(store) => match condition_of(&store) {
            Condition::Failed { status, cause } if store.error_cause().is_some() => {
                Err(ResourceError::Failed { status, cause })
            }
            _ if !task.wait => Err(ResourceError::StillGoing { status: status_of(&store) }),
            _ => Ok(Poll::Pending(status_of(&store))),
        },
    };
    let seen = |status: &str| task.progress(Progress::Status(status.to_owned()));
    wait::until(pace, &cx.stop, seen, look).await.map_err(|ended| ended_as_error(ended, cx))
}

fn ended_as_error(ended: Ended<ResourceError>, cx: &Context) -> ResourceError {
    match ended {
        Ended::TimedOut(status) => ResourceError::TimedOut { status, waited: cx.pace.timeout },
        ended => ended.into(),
    }
}
