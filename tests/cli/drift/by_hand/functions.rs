//! What is done to functions.

use super::Then::{LeftAlone, PutBack};
use super::{Case, FUNCTION, LOGS, smart};
use crate::support::call;

pub(super) const CASES: &[Case] = &[
    smart(
        "the function's code is replaced",
        |w| {
            let code = aws_sdk_lambda::primitives::Blob::new(archive());
            call(w.lambda.update_function_code().function_name(w.function()).zip_file(code).send()).unwrap();
        },
        &[(FUNCTION, "drifted")],
        PutBack,
    ),
    smart(
        "the function gets variables",
        |w| {
            let variables = aws_sdk_lambda::types::Environment::builder().variables("OTHER", "value").build();
            let update = w.lambda.update_function_configuration().function_name(w.function());
            call(update.environment(variables).timeout(9).send()).unwrap();
        },
        &[(FUNCTION, "drifted")],
        PutBack,
    ),
    smart(
        "the function may not run",
        |w| {
            let put = w.lambda.put_function_concurrency().function_name(w.function());
            call(put.reserved_concurrent_executions(0).send()).unwrap();
        },
        &[(FUNCTION, "drifted")],
        PutBack,
    ),
    smart(
        "the function gets a tag",
        |w| {
            let arn = w.recorded(FUNCTION, "arn");
            call(w.lambda.tag_resource().resource(arn).tags("hand", "made").send()).unwrap();
        },
        &[(FUNCTION, "drifted")],
        PutBack,
    ),
    smart(
        "the function is deleted",
        |w| drop(call(w.lambda.delete_function().function_name(w.function()).send()).unwrap()),
        &[(FUNCTION, "missing"), ("lambda_permission.healthlake", "missing")],
        PutBack,
    ),
    smart(
        "somebody else may call the function",
        |w| {
            let add = w.lambda.add_permission().function_name(w.function()).statement_id("by-hand");
            call(add.action("lambda:InvokeFunction").principal("999999999999").send()).unwrap();
        },
        &[(FUNCTION, "drifted")],
        LeftAlone,
    ),
    smart(
        "HealthLake may not call the function",
        |w| {
            let remove = w.lambda.remove_permission().function_name(w.function()).statement_id("healthlake");
            call(remove.send()).unwrap();
        },
        &[("lambda_permission.healthlake", "missing")],
        PutBack,
    ),
    smart(
        "HealthLake may call the function for another account",
        |w| {
            let remove = w.lambda.remove_permission().function_name(w.function()).statement_id("healthlake");
            call(remove.send()).unwrap();
            let add = w.lambda.add_permission().function_name(w.function()).statement_id("healthlake");
            let add = add.action("lambda:InvokeFunction").principal("healthlake.amazonaws.com");
            call(add.source_account("999999999999").send()).unwrap();
        },
        &[("lambda_permission.healthlake", "drifted")],
        PutBack,
    ),
    smart(
        "the function's policy is replaced whole, with a statement for other accounts",
        |w| {
            let arn = w.recorded(FUNCTION, "arn");
            let policy = serde_json::json!({"Version": "2012-10-17", "Statement": [
                {"Sid": "healthlake", "Effect": "Allow", "Principal": {"Service": "healthlake.amazonaws.com"},
                 "Action": "lambda:InvokeFunction", "Resource": arn},
                {"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::999999999999:root", "888888888888"]},
                 "Action": ["lambda:InvokeFunction", "lambda:GetFunction"], "Resource": arn},
            ]});
            let put = w.lambda.put_resource_policy().resource_arn(arn).policy(policy.to_string());
            call(put.send()).unwrap();
        },
        &[(FUNCTION, "drifted")],
        LeftAlone,
    ),
    smart(
        "the function's policy is deleted whole",
        |w| drop(call(w.lambda.delete_resource_policy().resource_arn(w.recorded(FUNCTION, "arn")).send()).unwrap()),
        &[("lambda_permission.healthlake", "missing")],
        PutBack,
    ),
    smart(
        "HealthLake's statement is replaced by one that forbids",
        |w| {
            let arn = w.recorded(FUNCTION, "arn");
            let policy = serde_json::json!({"Version": "2012-10-17", "Statement": [{
                "Sid": "healthlake", "Effect": "Deny", "Principal": {"Service": "healthlake.amazonaws.com"},
                "Action": "lambda:InvokeFunction", "Resource": arn,
            }]});
            let put = w.lambda.put_resource_policy().resource_arn(arn).policy(policy.to_string());
            call(put.send()).unwrap();
        },
        &[("lambda_permission.healthlake", "drifted")],
        PutBack,
    ),
    smart(
        "HealthLake's statement is put under a condition",
        |w| {
            let arn = w.recorded(FUNCTION, "arn");
            let policy = serde_json::json!({"Version": "2012-10-17", "Statement": [{
                "Sid": "healthlake", "Effect": "Allow", "Principal": {"Service": ["healthlake.amazonaws.com"]},
                "Action": ["lambda:InvokeFunction"], "Resource": arn,
                "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:healthlake:us-east-1:999999999999:*"}},
            }]});
            let put = w.lambda.put_resource_policy().resource_arn(arn).policy(policy.to_string());
            call(put.send()).unwrap();
        },
        &[("lambda_permission.healthlake", "drifted")],
        PutBack,
    ),
    smart(
        "the function gets an alias",
        |w| {
            let alias = w.lambda.create_alias().function_name(w.function()).name("by-hand");
            call(alias.function_version("$LATEST").send()).unwrap();
        },
        &[(FUNCTION, "drifted")],
        LeftAlone,
    ),
    smart(
        "the logs are kept otherwise",
        |w| {
            let put = w.logs.put_retention_policy().log_group_name(w.log_group()).retention_in_days(1);
            call(put.send()).unwrap();
        },
        &[(LOGS, "drifted")],
        PutBack,
    ),
    smart(
        "the logs are kept for ever",
        |w| drop(call(w.logs.delete_retention_policy().log_group_name(w.log_group()).send()).unwrap()),
        &[(LOGS, "drifted")],
        PutBack,
    ),
    smart(
        "the log group is deleted",
        |w| drop(call(w.logs.delete_log_group().log_group_name(w.log_group()).send()).unwrap()),
        &[(LOGS, "missing")],
        PutBack,
    ),
];

/// Another program than ours.
fn archive() -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive.start_file("bootstrap", zip::write::SimpleFileOptions::default()).unwrap();
    std::io::Write::write_all(&mut archive, b"#!/bin/sh\n").unwrap();
    archive.finish().unwrap().into_inner()
}
