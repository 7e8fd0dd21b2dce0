//! What a request sets, checked beyond its shape.

use std::collections::BTreeMap;

use serde_json::Value;

use super::function::{Code, Logging, Settings};
use super::shapes::RUNTIMES;
use super::{invalid, not_modelled};
use crate::error::{AwsError, AwsResult};
use crate::services::{Cx, iam, kms, owned, text};

/// Lambda quotas: all environment variables together.
const MOST_VARIABLE_BYTES: usize = 4096;
/// Seconds (Lambda quotas); the model has more, for functions on managed instances.
const LONGEST: u64 = 900;

/// Names that Lambda sets itself (Lambda developer guide, reserved environment variables).
const RESERVED: &[&str] = &[
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
];

/// Runtimes with which no function can be created any more (Lambda developer guide, deprecated
/// runtimes, those whose creation was blocked before 2025).
const DEPRECATED: &[&str] = &[
    "nodejs",
    "nodejs4.3",
    "nodejs4.3-edge",
    "nodejs6.10",
    "nodejs8.10",
    "nodejs10.x",
    "nodejs12.x",
    "nodejs14.x",
    "java8",
    "python2.7",
    "python3.6",
    "python3.7",
    "dotnetcore1.0",
    "dotnetcore2.0",
    "dotnetcore2.1",
    "dotnetcore3.1",
    "go1.x",
    "ruby2.5",
    "ruby2.7",
    "provided",
];

/// The settings of a new function.
pub(super) fn of_new(cx: &mut Cx<'_>, name: &str, input: &Value, code: Code) -> AwsResult<Settings> {
    refuse_unmodelled(input)?;
    let (Some(runtime), Some(handler)) = (owned(input, "Runtime"), owned(input, "Handler")) else {
        return Err(invalid(
            "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
        ));
    };
    let mut settings = Settings {
        runtime,
        handler,
        role: String::new(),
        description: String::new(),
        timeout: 3,
        memory: 128,
        variables: BTreeMap::new(),
        architecture: input["Architectures"][0].as_str().unwrap_or("x86_64").to_owned(),
        ephemeral: 512,
        tracing: "PassThrough".to_owned(),
        snap_start: "None".to_owned(),
        logging: Logging {
            format: "Text".to_owned(),
            application_level: None,
            system_level: None,
            group: format!("/aws/lambda/{name}"),
        },
        kms_key: None,
        dead_letter: None,
        code,
        revision: cx.options.ids.uuid(),
        modified: cx.now,
    };
    apply(cx, &mut settings, input)?;
    check_runtime(&settings.runtime)?;
    Ok(settings)
}

/// Applies what `input` has of UpdateFunctionConfiguration, or of CreateFunction; the rest stays.
pub(super) fn apply(cx: &mut Cx<'_>, settings: &mut Settings, input: &Value) -> AwsResult<()> {
    refuse_unmodelled(input)?;
    if let Some(role) = input["Role"].as_str() {
        check_role(cx, role)?;
        role.clone_into(&mut settings.role);
    }
    if let Some(runtime) = input["Runtime"].as_str() {
        check_runtime(runtime)?;
        runtime.clone_into(&mut settings.runtime);
    }
    for (member, setting) in [("Handler", &mut settings.handler), ("Description", &mut settings.description)] {
        if let Some(given) = input[member].as_str() {
            given.clone_into(setting);
        }
    }
    settings.timeout = input["Timeout"].as_u64().unwrap_or(settings.timeout);
    if settings.timeout > LONGEST {
        return Err(invalid(format!(
            "Value '{}' at 'timeout' exceeds the maximum of {LONGEST} seconds.",
            settings.timeout
        )));
    }
    settings.memory = input["MemorySize"].as_u64().unwrap_or(settings.memory);
    settings.ephemeral = input["EphemeralStorage"]["Size"].as_u64().unwrap_or(settings.ephemeral);
    if input["Environment"].is_object() {
        settings.variables = variables(&input["Environment"]["Variables"])?;
    }
    if let Some(mode) = input["TracingConfig"]["Mode"].as_str() {
        mode.clone_into(&mut settings.tracing);
    }
    if let Some(apply_on) = input["SnapStart"]["ApplyOn"].as_str() {
        apply_on.clone_into(&mut settings.snap_start);
    }
    if let Some(key) = input["KMSKeyArn"].as_str() {
        settings.kms_key = key_arn(cx, key)?;
    }
    if let Some(target) = input["DeadLetterConfig"]["TargetArn"].as_str() {
        settings.dead_letter = Some(target.to_owned()).filter(|target| !target.is_empty());
    }
    apply_logging(&mut settings.logging, &input["LoggingConfig"])
}

fn apply_logging(logging: &mut Logging, input: &Value) -> AwsResult<()> {
    if let Some(format) = input["LogFormat"].as_str() {
        format.clone_into(&mut logging.format);
    }
    let json = logging.format == "JSON";
    let level = |member: &str, kept: &Option<String>| {
        let given = owned(input, member);
        if given.is_some() && !json {
            return Err(invalid(format!("{member} is not supported when LogFormat is set to Text.")));
        }
        // A function with JSON logs has levels, by default INFO (Lambda API reference, LoggingConfig).
        Ok(json.then(|| given.or_else(|| kept.clone()).unwrap_or_else(|| "INFO".to_owned())))
    };
    logging.application_level = level("ApplicationLogLevel", &logging.application_level)?;
    logging.system_level = level("SystemLogLevel", &logging.system_level)?;
    if let Some(group) = input["LogGroup"].as_str() {
        group.clone_into(&mut logging.group);
    }
    Ok(())
}

/// Refuses, rather than passes over, what would have no effect here.
fn refuse_unmodelled(input: &Value) -> AwsResult<()> {
    let has_items = |value: &Value| value.as_array().is_some_and(|items| !items.is_empty());
    let vpc = &input["VpcConfig"];
    if has_items(&vpc["SubnetIds"]) || has_items(&vpc["SecurityGroupIds"]) {
        return Err(not_modelled("functions in a VPC"));
    }
    if has_items(&input["Layers"]) {
        return Err(not_modelled("layers"));
    }
    if has_items(&input["FileSystemConfigs"]) {
        return Err(not_modelled("file systems of functions"));
    }
    Ok(())
}

fn check_runtime(runtime: &str) -> AwsResult<()> {
    if !RUNTIMES.contains(&runtime) {
        return Err(invalid(format!(
            "Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [{}] or \
             be a valid ARN",
            RUNTIMES.join(", ")
        )));
    }
    if DEPRECATED.contains(&runtime) {
        return Err(invalid(format!(
            "The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. \
             We recommend you use a supported runtime while creating or updating functions."
        )));
    }
    Ok(())
}

fn check_role(cx: &mut Cx<'_>, role: &str) -> AwsResult<()> {
    if role.split(':').nth(4) != Some(cx.caller.account.as_str()) {
        return Err(AwsError::new(403, "AccessDeniedException", "Cross-account pass role is not allowed."));
    }
    if !iam::assumable_by(cx, role, "lambda.amazonaws.com") {
        return Err(invalid("The role defined for the function cannot be assumed by Lambda."));
    }
    Ok(())
}

/// The ARN of a customer's key; an empty one takes the key away.
fn key_arn(cx: &mut Cx<'_>, key: &str) -> AwsResult<Option<String>> {
    if key.is_empty() {
        return Ok(None);
    }
    kms::encrypt_with(cx, key).map(Some).map_err(|_| {
        invalid(format!("Lambda was unable to configure access to your environment variables because the KMS key is invalid for CreateGrant. Please check your KMS key settings: {key}"))
    })
}

fn variables(given: &Value) -> AwsResult<BTreeMap<String, String>> {
    let variables: BTreeMap<String, String> =
        given.as_object().into_iter().flatten().map(|(name, _)| (name.clone(), text(given, name).to_owned())).collect();
    let reserved: Vec<&str> = variables.keys().map(String::as_str).filter(|name| RESERVED.contains(name)).collect();
    if !reserved.is_empty() {
        return Err(invalid(format!(
            "Lambda was unable to configure your environment variables because the environment variables you have \
             provided contains reserved keys that are currently not supported for modification. Reserved keys used \
             in this request: {}",
            reserved.join(", ")
        )));
    }
    // AWS repeats the variables in this error; they may hold secrets.
    if serde_json::to_string(&variables).map_or(0, |text| text.len()) > MOST_VARIABLE_BYTES {
        return Err(invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have \
             provided exceeded the 4KB limit.",
        ));
    }
    Ok(variables)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use serde_json::json;

    #[test]
    fn reserved_and_too_many_variables_are_refused() {
        assert!(variables(&json!({"CLIENT_ID": "x"})).is_ok());
        let reserved = variables(&json!({"AWS_REGION": "x", "_HANDLER": "y"})).unwrap_err();
        assert!(reserved.message.ends_with("AWS_REGION, _HANDLER"), "{}", reserved.message);
        let long = variables(&json!({"LONG": "x".repeat(4090)})).unwrap_err();
        assert!(long.message.contains("4KB"), "{}", long.message);
    }

    #[test]
    fn unknown_and_deprecated_runtimes_are_refused() {
        assert!(check_runtime("provided.al2023").is_ok());
        assert!(check_runtime("python3.99").unwrap_err().message.contains("enum value set"));
        assert!(check_runtime("python3.7").unwrap_err().message.contains("no longer supported"));
    }

    #[test]
    fn levels_are_for_json_logs_only() {
        let mut logging =
            Logging { format: "Text".to_owned(), application_level: None, system_level: None, group: "g".to_owned() };
        assert!(apply_logging(&mut logging, &json!({"SystemLogLevel": "WARN"})).is_err());
        apply_logging(&mut logging, &json!({"LogFormat": "JSON", "SystemLogLevel": "WARN"})).unwrap();
        assert_eq!(logging.application_level.as_deref(), Some("INFO"));
        assert_eq!(logging.system_level.as_deref(), Some("WARN"));
    }
}
