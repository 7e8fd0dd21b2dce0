//! Making what AWS gives neither a natural name nor an idempotency token.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use super::{ResourceError, Task};
use hlctl_aws::call::backoff;

/// How long lost answers are tolerated, with the looks after each.
const OUTAGE: Duration = Duration::from_secs(90);
/// Looks before something whose answer was lost counts as not made: with their pauses, about ten seconds. What takes AWS
/// longer to show is found as a duplicate by a later run.
const LOOKS: u32 = 7;

/// Sends a creation; after a lost answer, of this run or of one that was cut off, it looks first for what may have been made.
///
/// The operation must be one that is not sent again by itself ([`hlctl_aws::ops::Repeat::Another`]). What was made may not
/// be visible at once, so `search` is asked more than once, and whatever is made after that is reported as doubtful.
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
    once(create, search, || task.doubtful()).await
}

/// The same for what is no resource of its own. `doubtful` is called before the first look.
///
/// # Errors
/// `create`'s, if it is certain that nothing was made, or after minutes of lost answers; `search`'s.
pub async fn once<T, E, C, Made, S, Found>(create: C, search: S, doubtful: impl Fn()) -> Result<T, E>
where
    E: MayBeLost,
    C: Fn() -> Made,
    Made: Future<Output = Result<T, E>>,
    S: Fn() -> Found,
    Found: Future<Output = Result<Option<T>, E>>,
{
    let begun = Instant::now();
    loop {
        match create().await {
            Err(error) if error.loses_the_answer() => {
                doubtful();
                if let Some(found) = look(&search).await? {
                    return Ok(found);
                }
                if begun.elapsed() > OUTAGE {
                    return Err(error);
                }
            }
            result => return result,
        }
    }
}

/// Looks until it is seen, for as long as AWS may need to show it.
///
/// # Errors
/// `search`'s.
pub(super) async fn look<T, E, S, Found>(search: &S) -> Result<Option<T>, E>
where
    S: Fn() -> Found,
    Found: Future<Output = Result<Option<T>, E>>,
{
    for look in 1..=LOOKS {
        tokio::time::sleep(backoff(look)).await;
        if let Some(found) = search().await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// An error that may be that of a call which was carried out.
pub trait MayBeLost {
    /// Whether it is.
    fn loses_the_answer(&self) -> bool;
}

impl MayBeLost for ResourceError {
    fn loses_the_answer(&self) -> bool {
        matches!(self, Self::Aws(error) if error.kind.loses_the_answer())
    }
}

impl MayBeLost for hlctl_aws::AwsError {
    fn loses_the_answer(&self) -> bool {
        self.kind.loses_the_answer()
    }
}
