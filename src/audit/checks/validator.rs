//! The function that judges tokens. HealthLake waits one second for it ("Token validation", HealthLake developer guide).

use serde_json::Value;

use super::super::{CheckResult, Evidence, EvidenceRead, Judgement};
use super::by_value;
use hlctl_resources::Kind;

const LONGEST_RUN_SECONDS: u64 = 5;
const LEAST_RETENTION_DAYS: u64 = 365;

pub(in crate::audit) fn time_limit(evidence: &Evidence) -> Vec<CheckResult> {
    evidence.each(Kind::LambdaFunction, |_, function| {
        by_value(function, "timeout", |value| value.as_u64().is_some_and(|seconds| seconds <= LONGEST_RUN_SECONDS))
    })
}

pub(in crate::audit) fn cold_start(evidence: &Evidence) -> Vec<CheckResult> {
    let waiting = evidence.of_kind(Kind::LambdaAlias).any(|(_, looked)| match looked {
        EvidenceRead::Seen { attributes, .. } => {
            attributes.get("provisioned_concurrency").is_some_and(|count| count.as_u64() > Some(0))
        }
        _ => false,
    });
    evidence.each(Kind::LambdaFunction, |_, function| {
        let runtime = function.get("runtime").and_then(Value::as_str).unwrap_or_default();
        if waiting {
            return (Judgement::Pass, "environments are kept ready (provisioned concurrency)".to_owned());
        }
        // A program of its own starts within a few hundredths of a second; interpreters take most of the second, or more.
        (
            Judgement::of(runtime.starts_with("provided")),
            format!("runtime = {runtime}, without provisioned concurrency"),
        )
    })
}

pub(in crate::audit) fn environment_key(evidence: &Evidence) -> Vec<CheckResult> {
    evidence.each(Kind::LambdaFunction, |_, function| by_value(function, "kms_key_arn", Value::is_string))
}

pub(in crate::audit) fn secret(evidence: &Evidence) -> Vec<CheckResult> {
    evidence.each(Kind::LambdaFunction, |_, function| {
        let variables = function.get("environment").and_then(Value::as_object);
        let hidden: Vec<&str> = variables
            .into_iter()
            .flatten()
            .filter(|(_, value)| *value == hlctl_resources::SECRET)
            .map(|(name, _)| name.as_str())
            .collect();
        let seen = if hidden.is_empty() {
            "only hlctl's own variables".to_owned()
        } else {
            format!("it has {}", hidden.join(", "))
        };
        (Judgement::of(hidden.is_empty()), seen)
    })
}

pub(in crate::audit) fn tracing(evidence: &Evidence) -> Vec<CheckResult> {
    evidence.each(Kind::LambdaFunction, |_, function| by_value(function, "tracing", |value| value == "Active"))
}

pub(in crate::audit) fn concurrency(evidence: &Evidence) -> Vec<CheckResult> {
    evidence.each(Kind::LambdaFunction, |_, function| {
        by_value(function, "reserved_concurrency", |value| value.as_u64() > Some(0))
    })
}

pub(in crate::audit) fn log_retention(evidence: &Evidence) -> Vec<CheckResult> {
    evidence.each(Kind::CloudwatchLogGroup, |_, group| {
        if group.get("retention_in_days").is_none_or(Value::is_null) {
            return (Judgement::Pass, "the logs are kept for ever".to_owned());
        }
        by_value(group, "retention_in_days", |value| value.as_u64().is_some_and(|days| days >= LEAST_RETENTION_DAYS))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{evidence, judged, verdicts};
    use super::*;

    const FUNCTION: &str = "lambda_function.token_validator";

    #[test]
    fn the_function_is_judged_by_its_settings() {
        assert_eq!(judged("authorizer-time-limit", FUNCTION, json!({"timeout": 30})), Judgement::Fail);
        assert_eq!(judged("authorizer-time-limit", FUNCTION, json!({"timeout": 5})), Judgement::Pass);
        assert_eq!(judged("function-environment-key", FUNCTION, json!({"kms_key_arn": null})), Judgement::Fail);
        assert_eq!(judged("function-environment-key", FUNCTION, json!({"kms_key_arn": "arn"})), Judgement::Pass);
        assert_eq!(judged("function-tracing", FUNCTION, json!({"tracing": "PassThrough"})), Judgement::Fail);
        assert_eq!(judged("function-concurrency", FUNCTION, json!({"reserved_concurrency": null})), Judgement::Fail);
        assert_eq!(judged("function-concurrency", FUNCTION, json!({"reserved_concurrency": 1})), Judgement::Pass);
        assert_eq!(
            judged("function-secret", FUNCTION, json!({"environment": {"CLIENT_SECRET": "(sensitive)"}})),
            Judgement::Fail
        );
        assert_eq!(judged("function-secret", FUNCTION, json!({"environment": {"CLIENT_ID": "x"}})), Judgement::Pass);
    }

    #[test]
    fn an_interpreter_needs_environments_that_wait() {
        let python = (FUNCTION, json!({"runtime": "python3.11"}));
        assert_eq!(
            verdicts("authorizer-cold-start", &evidence(std::slice::from_ref(&python)))[0].judgement,
            Judgement::Fail
        );
        let alias = ("lambda_alias.token_validator", json!({"provisioned_concurrency": 1}));
        assert_eq!(verdicts("authorizer-cold-start", &evidence(&[python, alias]))[0].judgement, Judgement::Pass);
        assert_eq!(judged("authorizer-cold-start", FUNCTION, json!({"runtime": "provided.al2023"})), Judgement::Pass);
    }

    #[test]
    fn logs_are_kept_a_year() {
        let group = |days: Value| {
            judged("log-retention", "cloudwatch_log_group.token_validator", json!({"retention_in_days": days}))
        };
        assert_eq!(
            (group(json!(365)), group(json!(90)), group(Value::Null)),
            (Judgement::Pass, Judgement::Fail, Judgement::Pass)
        );
    }
}
