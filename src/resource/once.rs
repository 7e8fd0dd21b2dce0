//! Making what AWS gives neither a natural name nor an idempotency token.

use std::future::Future;

use super::Task;
use crate::aws::call::backoff;
use crate::aws::{AwsError, ErrorKind};
use crate::error::ResourceError;

const MOST_ATTEMPTS: u32 = 10;
/// Looks before something whose answer was lost counts as not made: with their pauses, about ten seconds. What takes AWS
/// longer to show is found as a stray by a later run.
const LOOKS: u32 = 7;

/// Sends a creation; after a lost answer, of this run or of one that was cut off, it looks first for what may have been made.
///
/// `create` must send once ([`crate::aws::Operation::once`]). What was made may not be visible at once, so `search` is
/// asked more than once, and whatever is made after that is reported as doubtful.
///
/// # Errors
/// `create`'s, if it is certain that nothing was made; `search`'s.
pub(super) async fn create_once<T, C, Made, S, Found>(task: &Task<'_>, create: C, search: S) -> Result<T, ResourceError>
where
    C: Fn() -> Made,
    Made: Future<Output = Result<T, ResourceError>>,
    S: Fn() -> Found,
    Found: Future<Output = Result<Option<T>, ResourceError>>,
{
    if let Some(found) = if task.resumed { look(&search).await? } else { None } {
        return Ok(found);
    }
    for _ in 1..MOST_ATTEMPTS {
        match create().await {
            Err(ResourceError::Aws(error)) if may_have_happened(&error) => {
                task.doubtful();
                if let Some(found) = look(&search).await? {
                    return Ok(found);
                }
            }
            result => return result,
        }
    }
    create().await
}

async fn look<T, S, Found>(search: &S) -> Result<Option<T>, ResourceError>
where
    S: Fn() -> Found,
    Found: Future<Output = Result<Option<T>, ResourceError>>,
{
    for look in 1..=LOOKS {
        tokio::time::sleep(backoff(look)).await;
        if let Some(found) = search().await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn may_have_happened(error: &AwsError) -> bool {
    matches!(error.kind, ErrorKind::NoAnswer | ErrorKind::Unavailable | ErrorKind::Garbled)
}
