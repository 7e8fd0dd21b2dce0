//! Waits until a function takes the next change.

use std::time::Duration;

use aws_sdk_lambda::operation::get_function::GetFunctionOutput;

use super::Recorded;
use super::look::{condition_of, get};
use crate::{Condition, Context, ResourceError, Task};
use hlctl_engine::wait::{self, Poll, PollPolicy};

/// What a function counts as whose last change Lambda gave up.
#[derive(Clone, Copy)]
pub(super) enum Impaired {
    /// It works, and can be changed.
    Works,
    /// The change was ours.
    Fails,
}

pub(super) async fn settle(task: &Task<'_>, recorded: Recorded, impaired: Impaired) -> Result<Recorded, ResourceError> {
    until_settled(task.cx, &recorded.name, impaired).await?;
    Ok(recorded)
}

/// Waits until a function can be published.
pub(crate) async fn until_active(cx: &Context, name: &str) -> Result<(), ResourceError> {
    until_settled(cx, name, Impaired::Works).await
}

async fn until_settled(cx: &Context, name: &str, impaired: Impaired) -> Result<(), ResourceError> {
    let look = async || {
        let answer = get(cx, name).await?;
        let configuration = answer.as_ref().and_then(GetFunctionOutput::configuration);
        // A function made just before may not be seen yet.
        let Some(configuration) = configuration else { return Ok(Poll::Pending("Pending".to_owned())) };
        match condition_of(configuration) {
            Condition::Ready => Ok(Poll::Ready(())),
            Condition::Changing(status) | Condition::Ending { what: status, .. } => Ok(Poll::Pending(status)),
            Condition::Impaired { .. } if matches!(impaired, Impaired::Works) => Ok(Poll::Ready(())),
            Condition::Failed { status, cause } | Condition::Impaired { status, cause } => {
                Err(ResourceError::Failed { status, cause })
            }
        }
    };
    Ok(wait::until(pace(cx), &cx.stop, |_| {}, look).await?)
}

/// A function is ready within seconds.
pub(crate) fn pace(cx: &Context) -> PollPolicy {
    PollPolicy { timeout: cx.pace.timeout.min(LONGEST_WAIT), ..cx.pace.at_most(Duration::from_secs(1)) }
}

/// What Lambda has not done in this time it will not do.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);
