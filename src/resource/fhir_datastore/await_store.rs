//! Waits until a store is ready, or gone.

use super::Recorded;
use super::look::{condition_of, describe, is_ending, is_gone, recorded_of, status_of};
use crate::error::ResourceError;
use crate::resource::{Condition, Context, Progress, Task};
use crate::wait::{self, Ended, Look};

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
    impaired: Impaired,
) -> Result<Recorded, ResourceError> {
    let cx = task.cx;
    let id = recorded.id.as_str();
    let look = async || {
        let store = describe(cx, id).await?.filter(|store| !is_ending(store)).ok_or(ResourceError::Vanished)?;
        match condition_of(&store) {
            Condition::Ready => Ok(Look::Ready(recorded_of(&store))),
            Condition::Changing(status) if wait => Ok(Look::Pending(status)),
            Condition::Changing(status) | Condition::Ending { what: status, .. } => {
                Err(ResourceError::StillGoing { status })
            }
            Condition::Failed { status, cause } => Err(ResourceError::Failed { status, cause }),
            Condition::Impaired { status, cause } => match impaired {
                Impaired::Works => Ok(Look::Ready(recorded_of(&store))),
                Impaired::Fails => Err(ResourceError::Failed { status, cause }),
            },
        }
    };
    let seen = |status: &str| task.progress(Progress::Status(status.to_owned()));
    wait::until(cx.pace, &cx.stop, seen, look).await.map_err(|ended| ended_as_error(ended, cx))
}

pub(super) async fn wait_until_gone(task: &Task<'_>, id: &str) -> Result<(), ResourceError> {
    let cx = task.cx;
    let look = async || match describe(cx, id).await? {
        None => Ok(Look::Ready(())),
        Some(store) if is_gone(&store) => Ok(Look::Ready(())),
        Some(store) => match condition_of(&store) {
            Condition::Failed { status, cause } if store.error_cause().is_some() => {
                Err(ResourceError::Failed { status, cause })
            }
            _ if !task.wait => Err(ResourceError::StillGoing { status: status_of(&store) }),
            _ => Ok(Look::Pending(status_of(&store))),
        },
    };
    let seen = |status: &str| task.progress(Progress::Status(status.to_owned()));
    wait::until(cx.pace, &cx.stop, seen, look).await.map_err(|ended| ended_as_error(ended, cx))
}

fn ended_as_error(ended: Ended<ResourceError>, cx: &Context) -> ResourceError {
    match ended {
        Ended::TimedOut(status) => ResourceError::TimedOut { status, waited: cx.pace.timeout },
        ended => ended.into(),
    }
}
