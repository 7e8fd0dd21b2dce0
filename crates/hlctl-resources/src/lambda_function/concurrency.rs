//! How many calls all functions of the account may handle at once: reservations take from it.

use super::Context;
use crate::answers::watching;
use hlctl_aws::{AwsError, ops};

/// What no reservation may take (Lambda API reference, `PutFunctionConcurrency`): functions without one share it.
pub const KEPT_UNRESERVED: u32 = 100;

/// What an account has of Lambda in one region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountConcurrency {
    /// Calls that all its functions together may handle at once.
    pub limit: u32,
    /// Those of them that no function reserves.
    pub unreserved: u32,
}

/// What the account has; `None` where the answer has no such numbers.
///
/// # Errors
/// AWS's. Nobody needs this answer: where it cannot be had, Lambda itself says at last what is too much.
pub async fn account_concurrency(cx: &Context) -> Result<Option<AccountConcurrency>, AwsError> {
    let ask = || cx.clients.lambda.get_account_settings().send();
    let answer = cx.call(watching(ops::lambda::GET_ACCOUNT_SETTINGS), ask).await?;
    let found = answer.account_limit.and_then(|limit| {
        let number = |number: i32| u32::try_from(number).ok();
        let unreserved = number(limit.unreserved_concurrent_executions()?)?;
        Some(AccountConcurrency { limit: number(limit.concurrent_executions())?, unreserved })
    });
    Ok(found.filter(|found| found.limit > 0))
}
