//! Whether this machine's clock agrees with AWS's.

use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::Format;

use super::Finding;
use crate::session::Connection;
use hlctl_aws::{Skew, ops};

const CHECK: &str = "clock";
const NOTICEABLE: i64 = 60;
const WHY: &str = "AWS refuses requests whose signing time is minutes off";
const REMEDIATION: &str = "set the clock, or synchronise it by NTP";

/// Compares with the `Date` of an answer.
pub async fn clock(connection: &Connection) -> Finding {
    let heard = DateHeader::default();
    let ask = || connection.clients.sts.get_caller_identity().customize().interceptor(heard.clone()).send();
    let answer = connection.clients.caller.call(ops::sts::GET_CALLER_IDENTITY, ask).await;
    match (answer, heard.date()) {
        (_, Some(date)) => difference(date.secs(), jiff::Timestamp::now().as_second()),
        _ => Finding::not_checkable(
            CHECK,
            "the clock",
            "clock skew could not be measured (no Date header); nothing to do unless requests are refused",
        ),
    }
}

/// A clock that AWS has refused.
pub(super) fn wrong(skew: Skew) -> Finding {
    Finding::problem(CHECK, skew.to_string(), WHY, REMEDIATION)
}

fn difference(theirs: i64, ours: i64) -> Finding {
    if let Some(skew) = Skew::between(theirs, ours) {
        return wrong(skew);
    }
    let off = (ours - theirs).abs();
    let title = match off {
        0..NOTICEABLE => return Finding::ok(CHECK, "this machine's clock agrees with AWS's"),
        _ if ours > theirs => format!("this machine's clock is {off} s ahead of AWS's"),
        _ => format!("this machine's clock is {off} s behind AWS's"),
    };
    Finding::warning(CHECK, title, WHY, REMEDIATION)
}

/// Notes the `Date` of an answer.
#[derive(Clone, Debug, Default)]
struct DateHeader(Arc<Mutex<Option<DateTime>>>);

impl DateHeader {
    fn date(&self) -> Option<DateTime> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intercept for DateHeader {
    fn name(&self) -> &'static str {
        "DateHeader"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _settings: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            date.and_then(|date| DateTime::from_str(date, Format::HttpDate).ok());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Grade;
    use super::*;

    #[test]
    fn a_clock_that_is_minutes_off_is_reported_whichever_way() {
        assert_eq!(difference(1000, 1030).grade, Grade::Ok);
        assert_eq!(difference(1000, 1100).grade, Grade::Warning);
        assert_eq!(difference(1000, 1300).grade, Grade::Problem);
        assert_eq!(difference(1000, 600).title(), "this machine's clock is 7 minutes behind AWS's");
    }
}
