//! When a key was last used, for anyone who is about to delete it.

use aws_sdk_kms::operation::get_key_last_usage::GetKeyLastUsageOutput;
use aws_smithy_types::DateTime;

use crate::Context;
use crate::answers::watching;
use hlctl_aws::{AwsError, ErrorKind, ops};
use hlctl_model::text::date_of;

/// When the key was last used, in a sentence. It is good to know and nothing depends on it, so that a refusal is a sentence too.
pub async fn last_usage(cx: &Context, key: &str) -> String {
    let get = || cx.clients.kms.get_key_last_usage().key_id(key).send();
    match cx.call(watching(ops::kms::GET_KEY_LAST_USAGE), get).await {
        Ok(answer) => sentence(&answer),
        Err(error) => unknown(&error),
    }
}

fn unknown(error: &AwsError) -> String {
    let why = if error.code.is_empty() { &error.message } else { &error.code };
    let needs = match error.kind {
        ErrorKind::Denied => format!("; it needs {}", ops::kms::GET_KEY_LAST_USAGE.action()),
        _ => String::new(),
    };
    format!("When the key was last used is not known: KMS did not say ({why}{needs}).")
}

/// The three cases of the KMS API reference, `GetKeyLastUsage`: a key that is older than the record of it may have been used before.
fn sentence(answer: &GetKeyLastUsageOutput) -> String {
    let day = |time: &DateTime| date_of(time.secs());
    let used = answer.key_last_usage().and_then(|used| Some((used.timestamp()?, used.operation())));
    if let Some((when, operation)) = used {
        let operation = operation.map(|operation| format!(" ({})", operation.as_str())).unwrap_or_default();
        return format!("The key was last used on {}{operation}.", day(when));
    }
    match (answer.key_creation_date(), answer.tracking_start_date()) {
        (Some(created), Some(since)) if created.secs() < since.secs() => format!(
            "The key has not been used since {}, when KMS began to record it; it is older, from {}, and may have been used before.",
            day(since),
            day(created)
        ),
        (Some(created), Some(_)) => format!("The key has never been used since it was created on {}.", day(created)),
        _ => "When the key was last used is not known: KMS has no record of it.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_kms::types::{KeyLastUsageData, KeyLastUsageTrackingOperation};

    use super::*;

    fn reported(created: Option<i64>, tracked: Option<i64>, used: Option<i64>) -> String {
        let day = |day: Option<i64>| day.map(|day| DateTime::from_secs(day * 86_400));
        let data = |when| {
            KeyLastUsageData::builder()
                .operation(KeyLastUsageTrackingOperation::Decrypt)
                .set_timestamp(day(Some(when)))
                .build()
        };
        let answer = GetKeyLastUsageOutput::builder()
            .set_key_creation_date(day(created))
            .set_tracking_start_date(day(tracked))
            .set_key_last_usage(Some(used.map_or_else(|| KeyLastUsageData::builder().build(), data)));
        sentence(&answer.build())
    }

    #[test]
    fn a_key_that_is_older_than_its_record_may_have_been_used_before() {
        assert_eq!(reported(Some(0), Some(10), Some(11)), "The key was last used on 1970-01-12 (Decrypt).");
        assert_eq!(
            reported(Some(10), Some(10), None),
            "The key has never been used since it was created on 1970-01-11."
        );
        let older = reported(Some(0), Some(10), None);
        assert!(older.contains("since 1970-01-11") && older.contains("may have been used before"), "{older}");
        assert!(reported(None, None, None).contains("not known"));
    }
}
