//! The token validator itself, asked as HealthLake asks it.

use std::time::Duration;

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::LogType;
use base64ct::{Base64, Encoding as _};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Smart;
use super::check::Check;
use crate::error::CommandError;
use hlctl_aws::{AwsError, ops};
use hlctl_fhir::oauth::tell;

/// How long HealthLake waits (developer guide, token validation).
const LIMIT: f64 = 1000.0;
/// From here on, a slow network or a busy machine can be too much.
const CLOSE: f64 = 500.0;
/// How often the warm function is asked.
const WARM: usize = 10;

/// What the function made of a token.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) answer: Answer,
    report: Report,
}

/// How the function answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The token is good.
    LetIn,
    /// It is not, with the reason code if there is one.
    Refused(Option<String>),
    /// It ended with an error, or with an answer that says neither: HealthLake lets nobody in then, whatever the token.
    Failed(String),
}

impl Answer {
    /// Reads what the function gave back. `error` says that it ended with one (Lambda API reference, `Invoke`, `FunctionError`).
    fn read(error: Option<&str>, payload: &Value) -> Self {
        if let Some(error) = error {
            return Self::Failed(tell(payload["errorMessage"].as_str().unwrap_or(error)));
        }
        let verdict = &payload["authPayload"];
        // The module's function says it in text.
        match &verdict["isAuthorized"] {
            Value::Bool(true) => Self::LetIn,
            Value::String(text) if text == "true" => Self::LetIn,
            Value::Bool(false) => Self::Refused(verdict["error"].as_str().map(tell)),
            Value::String(text) if text == "false" => Self::Refused(verdict["error"].as_str().map(tell)),
            _ => Self::Failed("its answer does not say whether the token is valid".to_owned()),
        }
    }

    /// In words.
    pub(super) fn reported(&self) -> String {
        match self {
            Self::LetIn => "let in".to_owned(),
            Self::Refused(reason) => reason.clone().unwrap_or_else(|| "no reason given".to_owned()),
            Self::Failed(error) => format!("it failed: {error}"),
        }
    }
}

/// Times in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Report {
    duration: f64,
    init: Option<f64>,
}

impl Smart {
    /// Asks about a token.
    pub(super) async fn judge(&self, token: &str) -> Result<Verdict, CommandError> {
        let alias = self.stack.recorded("lambda_alias.token_validator", "arn");
        let function = alias.or_else(|_| self.stack.recorded("lambda_function.token_validator", "arn"))?;
        let endpoint = self.stack.recorded("healthlake_fhir_datastore.this", "endpoint")?;
        let event = json!({"datastoreEndpoint": endpoint, "operationName": "SearchWithGet", "bearerToken": token});
        let begun = Instant::now();
        let invoke = || {
            let invoke = self.stack.cx.clients.lambda.invoke().function_name(function).log_type(LogType::Tail);
            invoke.payload(Blob::new(event.to_string())).send()
        };
        let answer = self.stack.cx.call(ops::lambda::INVOKE, invoke).await.map_err(CommandError::Aws)?;
        let whole = begun.elapsed();
        let payload: Value =
            answer.payload().and_then(|blob| serde_json::from_slice(blob.as_ref()).ok()).unwrap_or_default();
        Ok(Verdict {
            answer: Answer::read(answer.function_error(), &payload),
            report: report(answer.log_result().unwrap_or_default(), whole),
        })
    }

    /// Asks about a good token: whether it is let in, and how long that takes, cold and warm. `None` where the caller may not
    /// invoke the function.
    pub(super) async fn function(&self, token: &str) -> Result<(bool, Vec<Check>), CommandError> {
        const ID: &str = "function";
        let title = "the function accepts the token";
        let first = match self.judge(token).await {
            Ok(first) => first,
            Err(CommandError::Aws(error)) => return Ok((false, vec![unreachable(&error, ID, title)])),
            Err(error) => return Err(error),
        };
        if let Some(failed) = not_let_in(&first.answer, ID, title) {
            return Ok((true, vec![failed]));
        }
        let mut warm = Vec::new();
        for _ in 0..WARM {
            let again = self.judge(token).await?;
            if let Some(failed) = not_let_in(&again.answer, ID, title) {
                return Ok((true, vec![failed.with("it had accepted the same token before")]));
            }
            warm.push(again.report.duration);
        }
        Ok((true, vec![Check::passed(ID, title), speed(first.report, warm)]))
    }
}

/// What is wrong where a good token is not let in.
fn not_let_in(answer: &Answer, id: &'static str, title: &str) -> Option<Check> {
    let hint = match answer {
        Answer::LetIn => return None,
        Answer::Refused(Some(reason)) if reason == "wrong_issuer" => {
            concat!(
                "the function trusts another issuer than the one that the pool's tokens name, so nobody gets in: `",
                hlctl!("plan"),
                "` shows whether the pool's issuer or the function's was changed, `",
                hlctl!("apply"),
                "` sets both as cognito_issuer says"
            )
        }
        Answer::Refused(_) => {
            concat!(
                documentation!("authorizer.md"),
                " explains the code; `",
                hlctl!("plan"),
                "` shows whether the function's settings differ"
            )
        }
        Answer::Failed(_) => {
            concat!("`", hlctl!("doctor"), "` looks at the function's code; its log in CloudWatch says more")
        }
    };
    Some(Check::failed(id, title, hint).with(answer.reported()))
}

fn unreachable(error: &AwsError, id: &'static str, title: &str) -> Check {
    Check::skipped(id, title, format!("the function cannot be asked directly: {error}"))
        .advise(Some("allow yourself lambda:InvokeFunction to see its reason codes and its duration".to_owned()))
}

fn speed(first: Report, mut warm: Vec<f64>) -> Check {
    warm.sort_by(f64::total_cmp);
    let median = warm.get(warm.len() / 2).copied().unwrap_or_default();
    let worst = warm.last().copied().unwrap_or_default();
    let cold = first.init.map(|init| init + first.duration);
    let reported = match (cold, first.init) {
        (Some(cold), Some(init)) => {
            format!("cold {cold:.0} ms (initialisation {init:.0} ms, request {:.0} ms)", first.duration)
        }
        _ => "it was already warm, so there was no cold start (after some idle minutes it is cold again)".to_owned(),
    };
    let warm = format!("warm {median:.1} ms (median of {}; the slowest {worst:.1} ms)", warm.len());
    let title = "the function answers within the second that HealthLake waits";
    let slow = "set lambda_provisioned_concurrency, so that it is never cold, or increase lambda_memory_size, which \
                brings more CPU";
    let check = match cold.unwrap_or_default().max(worst).max(first.duration) {
        slowest if slowest >= LIMIT => Check::failed("latency", title, slow),
        slowest if slowest >= CLOSE => Check::passed("latency", title).advise(Some(format!("it is close: {slow}"))),
        _ => Check::passed("latency", title),
    };
    check.with(reported).with(warm)
}

/// The last line of a function's log. Without one, the time of the whole call stands in, the way to Lambda included.
fn report(tail: &str, whole: Duration) -> Report {
    let log = Base64::decode_vec(tail).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let line = log.lines().rev().find(|line| line.starts_with("REPORT ")).unwrap_or_default();
    let field = |name: &str| {
        let value = line.split('\t').find_map(|part| part.trim().strip_prefix(name))?;
        value.trim().strip_suffix("ms")?.trim().parse::<f64>().ok()
    };
    let duration = line.split_once('\t').and_then(|_| field("Duration:")).unwrap_or(whole.as_secs_f64() * 1000.0);
    Report { duration, init: field("Init Duration:") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_and_an_answer_that_says_nothing_are_no_refusals() {
        let read = |payload: Value| Answer::read(None, &payload);
        assert_eq!(read(json!({"authPayload": {"isAuthorized": true}})), Answer::LetIn);
        assert_eq!(read(json!({"authPayload": {"isAuthorized": "true"}})), Answer::LetIn);
        let refused = json!({"authPayload": {"isAuthorized": "false", "error": "expired"}});
        assert_eq!(read(refused.clone()), Answer::Refused(Some("expired".to_owned())));
        assert_eq!(read(json!({"authPayload": {"isAuthorized": false}})), Answer::Refused(None));
        let nothing = [json!(null), json!({}), json!({"authPayload": {}}), json!({"authPayload": {"isAuthorized": 1}})];
        for payload in nothing.into_iter().chain([json!({"isAuthorized": true}), json!("false")]) {
            assert!(matches!(read(payload.clone()), Answer::Failed(_)), "{payload}");
        }
        assert!(matches!(Answer::read(Some("Unhandled"), &refused), Answer::Failed(_)));
    }

    #[test]
    fn a_report_is_read_as_lambda_writes_it() {
        let line = "START RequestId: 1\nREPORT RequestId: 1\tDuration: 3.51 ms\tBilled Duration: 30 ms\tMemory Size: 128 MB\t\
                    Max Memory Used: 20 MB\tInit Duration: 25.40 ms\t\n";
        let tail = Base64::encode_string(line.as_bytes());
        assert_eq!(report(&tail, Duration::ZERO), Report { duration: 3.51, init: Some(25.4) });
        let none = report("", Duration::from_millis(7));
        assert_eq!(none, Report { duration: 7.0, init: None });
    }

    #[test]
    fn what_is_over_a_second_fails_and_what_is_close_is_advised() {
        let cold = |init| speed(Report { duration: 10.0, init: Some(init) }, vec![1.0; 3]);
        assert!(!cold(20.0).has_failed());
        assert!(cold(600.0).text().contains("it is close"));
        assert!(cold(995.0).has_failed());
        assert!(speed(Report { duration: 10.0, init: None }, vec![1.0, 1200.0]).has_failed());
    }
}
