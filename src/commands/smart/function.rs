//! The token validator itself, asked as HealthLake asks it.

use std::time::Duration;

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::LogType;
use base64ct::{Base64, Encoding as _};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Smart;
use super::check::Check;
use crate::aws::{AwsError, Operation};
use crate::error::CommandError;
use crate::oauth::tell;

/// How long HealthLake waits (developer guide, token validation).
const LIMIT: f64 = 1000.0;
/// From here on, a slow network or a busy machine can be too much.
const CLOSE: f64 = 500.0;
/// How often the warm function is asked.
const WARM: usize = 10;

/// What the function made of a token.
#[derive(Debug)]
pub(super) struct Verdict {
    /// Whether the token is good.
    pub(super) is_authorized: bool,
    /// The reason code, or the function's own error.
    pub(super) reason: Option<String>,
    report: Report,
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
        let alias = self.ways.recorded("lambda_alias.token_validator", "arn");
        let function = alias.or_else(|_| self.ways.recorded("lambda_function.token_validator", "arn"))?;
        let endpoint = self.ways.recorded("healthlake_fhir_datastore.this", "endpoint")?;
        let event = json!({"datastoreEndpoint": endpoint, "operationName": "SearchWithGet", "bearerToken": token});
        let begun = Instant::now();
        let invoke = || {
            let invoke = self.ways.cx.clients.lambda.invoke().function_name(function).log_type(LogType::Tail);
            invoke.payload(Blob::new(event.to_string())).send()
        };
        let answer = self.ways.cx.call(Operation::new("lambda", "Invoke"), invoke).await.map_err(CommandError::Aws)?;
        let whole = begun.elapsed();
        let payload: Value =
            answer.payload().and_then(|blob| serde_json::from_slice(blob.as_ref()).ok()).unwrap_or_default();
        let verdict = &payload["authPayload"];
        let reason = match answer.function_error() {
            Some(_) => payload["errorMessage"].as_str(),
            None => verdict["error"].as_str(),
        };
        Ok(Verdict {
            // The module's function says so in text.
            is_authorized: verdict["isAuthorized"] == true || verdict["isAuthorized"] == "true",
            reason: reason.map(tell),
            report: report(answer.log_result().unwrap_or_default(), whole),
        })
    }

    /// Asks about a good token: whether it is let in, and how long that takes, cold and warm. `None` where the caller may not
    /// invoke the function.
    pub(super) async fn function(&self, token: &str) -> Result<(bool, Vec<Check>), CommandError> {
        const ID: &str = "function";
        let title = "the function lets the token in";
        let first = match self.judge(token).await {
            Ok(first) => first,
            Err(CommandError::Aws(error)) => return Ok((false, vec![unreachable(&error, ID, title)])),
            Err(error) => return Err(error),
        };
        if !first.is_authorized {
            let reason = first.reason.as_deref().unwrap_or("it gives no reason");
            let hint =
                "docs/authorizer.md explains the code; `hlctl plan` shows whether the function's settings differ";
            return Ok((true, vec![Check::failed(ID, title, hint).with(reason)]));
        }
        let mut warm = Vec::new();
        for _ in 0..WARM {
            warm.push(self.judge(token).await?.report.duration);
        }
        Ok((true, vec![Check::passed(ID, title), speed(first.report, warm)]))
    }
}

fn unreachable(error: &AwsError, id: &'static str, title: &str) -> Check {
    Check::skipped(id, title, format!("the function cannot be asked directly: {error}"))
        .advise(Some("allow yourself lambda:InvokeFunction to see its reason codes and its speed".to_owned()))
}

fn speed(first: Report, mut warm: Vec<f64>) -> Check {
    warm.sort_by(f64::total_cmp);
    let median = warm.get(warm.len() / 2).copied().unwrap_or_default();
    let worst = warm.last().copied().unwrap_or_default();
    let cold = first.init.map(|init| init + first.duration);
    let told = match (cold, first.init) {
        (Some(cold), Some(init)) => {
            format!("cold {cold:.0} ms (initialisation {init:.0} ms, request {:.0} ms)", first.duration)
        }
        _ => "it was warm already, so a cold start was not seen (after some idle minutes it is cold again)".to_owned(),
    };
    let warm = format!("warm {median:.1} ms (median of {}; the slowest {worst:.1} ms)", warm.len());
    let title = "the function answers within the second that HealthLake waits";
    let slow = "set lambda_provisioned_concurrency, so that it is never cold, or more lambda_memory_size, which brings more CPU";
    let check = match cold.unwrap_or_default().max(worst).max(first.duration) {
        slowest if slowest >= LIMIT => Check::failed("latency", title, slow),
        slowest if slowest >= CLOSE => Check::passed("latency", title).advise(Some(format!("it is close: {slow}"))),
        _ => Check::passed("latency", title),
    };
    check.with(told).with(warm)
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
