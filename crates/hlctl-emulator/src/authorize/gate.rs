//! Where a request is held to the policy in force.

use serde_json::Value;

use super::{Ask, asks, check};
use crate::emulator::{Core, Trace, storage_failed};
use crate::error::AwsResult;
use crate::protocol::Effect;
use crate::route::{Caller, Service};

impl Core {
    /// Holds a request to the policy in force, if there is one.
    pub(crate) fn authorize(
        &self,
        service: Service,
        operation: &str,
        caller: &Caller,
        input: &Value,
        trace: &Trace,
    ) -> AwsResult<()> {
        let Some(policy) = self.guard.current() else { return Ok(()) };
        let asks = self.store.with(Effect::Read, |world, _| asks(world, service, operation, caller, input));
        let asks = asks.map_err(|error| storage_failed(&error))?;
        let verdict = check(&policy, service, caller, &asks);
        trace.asked(asks);
        verdict
    }

    /// The same for S3, whose requests say what they are aimed at in their path.
    pub(crate) fn authorize_s3(
        &self,
        caller: &Caller,
        trace: &Trace,
        asks: impl FnOnce() -> Vec<Ask>,
    ) -> AwsResult<()> {
        let Some(policy) = self.guard.current() else { return Ok(()) };
        let asks = asks();
        let verdict = check(&policy, Service::S3, caller, &asks);
        trace.asked(asks);
        verdict
    }
}
