#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]

use std::io::{Cursor, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::Request;
use serde_json::json;

use super::*;
use crate::{Emulator, Options};

const ACCOUNT: &str = "000000000000";
const ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:judge";

const CODE: &str = r#"
import os, time
def handler(event, context):
    if event == "sleep":
        time.sleep(30)
    if event == "raise":
        raise ValueError("not this one")
    if event == "pid":
        return {"pid": os.getpid()}
    return {"event": event, "arn": context.invoked_function_arn}
"#;

/// An emulator with the function `judge`, its version 1 and the alias `live`.
struct Stage {
    emulator: Emulator,
}

impl Stage {
    async fn new(runtime: &str) -> Self {
        let stage = Self { emulator: Emulator::open(Options::default()).unwrap() };
        let trust = r#"{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}}}"#;
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("Action", "CreateRole"), ("RoleName", "fn"), ("AssumeRolePolicyDocument", trust)])
            .finish();
        stage.send("iam", "POST", "/", form.into_bytes()).await;
        let function = json!({
            "FunctionName": "judge", "Runtime": runtime, "Handler": "app.handler", "Timeout": 60, "Publish": true,
            "Role": format!("arn:aws:iam::{ACCOUNT}:role/fn"), "Code": {"ZipFile": BASE64.encode(zipped(CODE))},
        });
        stage.lambda("POST", "functions", &function).await;
        stage.lambda("POST", "functions/judge/aliases", &json!({"Name": "live", "FunctionVersion": "1"})).await;
        stage
    }

    async fn send(&self, service: &str, method: &str, path: &str, body: Vec<u8>) {
        let scope = format!("AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/{service}/aws4_request, Signature=0");
        let request = Request::builder().method(method).uri(path).header("authorization", scope);
        let answer = self.emulator.handle(request.body(Bytes::from(body)).unwrap()).await.unwrap();
        assert!(answer.status().is_success(), "{path}: {:?}", answer.body());
    }

    async fn lambda(&self, method: &str, path: &str, body: &Value) {
        self.send("lambda", method, &format!("/2015-03-31/{path}"), body.to_string().into_bytes()).await;
    }

    async fn permit(&self, path: &str, more: Value) {
        let mut permission = json!({
            "StatementId": "healthlake", "Action": "lambda:InvokeFunction", "Principal": "healthlake.amazonaws.com",
        });
        permission.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.lambda("POST", path, &permission).await;
    }

    async fn ask(&self, arn: &str, event: Value) -> Result<Value, InvokeFailure> {
        self.ask_as("healthlake.amazonaws.com", None, arn, event, Duration::from_secs(20)).await
    }

    async fn ask_as(
        &self,
        principal: &str,
        source_arn: Option<&str>,
        function_arn: &str,
        event: Value,
        limit: Duration,
    ) -> Result<Value, InvokeFailure> {
        let (account, region) = (ACCOUNT, "us-east-1");
        let call = ServiceCall { principal, account, region, source_arn, function_arn, event: &event, limit };
        invoke_as_service(self.emulator.core(), call).await
    }
}

fn zipped(code: &str) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("app.py", zip::write::SimpleFileOptions::default()).unwrap();
    writer.write_all(code.as_bytes()).unwrap();
    writer.finish().unwrap().into_inner()
}

#[tokio::test]
async fn a_service_gets_in_with_permission_only() {
    let stage = Stage::new("python3.12").await;
    assert_eq!(stage.ask(ARN, json!(1)).await, Err(InvokeFailure::NotPermitted));
    stage.permit("functions/judge/policy", json!({})).await;
    assert_eq!(stage.ask(ARN, json!({"é": 1})).await, Ok(json!({"event": {"é": 1}, "arn": ARN})));
    let limit = Duration::from_secs(20);
    let other = stage.ask_as("s3.amazonaws.com", None, ARN, json!(1), limit).await;
    assert_eq!(other, Err(InvokeFailure::NotPermitted));
    let latest = format!("{ARN}:$LATEST");
    assert_eq!(stage.ask(&latest, json!(1)).await, Ok(json!({"event": 1, "arn": latest})));
    let alias = format!("{ARN}:live");
    assert_eq!(stage.ask(&alias, json!(1)).await, Err(InvokeFailure::NotPermitted));
    stage.permit("functions/judge/policy?Qualifier=live", json!({})).await;
    assert_eq!(stage.ask(&alias, json!(1)).await, Ok(json!({"event": 1, "arn": alias})));
    stage.lambda("DELETE", "functions/judge/policy/healthlake", &json!({})).await;
    assert_eq!(stage.ask(ARN, json!(1)).await, Err(InvokeFailure::NotPermitted));
}

#[tokio::test]
async fn conditions_on_the_source_must_hold() {
    let stage = Stage::new("python3.12").await;
    let source = "arn:aws:healthlake:us-east-1:000000000000:datastore/fhir/1";
    let condition = json!({"SourceAccount": ACCOUNT, "SourceArn": source});
    stage.permit("functions/judge/policy", condition).await;
    let limit = Duration::from_secs(20);
    let ask = async |source| stage.ask_as("healthlake.amazonaws.com", source, ARN, json!(1), limit).await;
    assert_eq!(ask(None).await, Err(InvokeFailure::NotPermitted));
    assert_eq!(
        ask(Some("arn:aws:healthlake:us-east-1:000000000000:datastore/fhir/2")).await,
        Err(InvokeFailure::NotPermitted)
    );
    assert!(ask(Some(source)).await.is_ok());
}

#[tokio::test]
async fn what_is_not_there_is_no_such_function() {
    let stage = Stage::new("python3.12").await;
    for arn in [
        "arn:aws:lambda:us-east-1:000000000000:function:other",
        "arn:aws:lambda:us-east-1:111111111111:function:judge",
        "arn:aws:lambda:eu-west-2:000000000000:function:judge",
        "arn:aws:lambda:us-east-1:000000000000:function:judge:none",
        "nonsense!",
    ] {
        assert_eq!(stage.ask(arn, json!(1)).await, Err(InvokeFailure::NoSuchFunction), "{arn}");
    }
}

#[tokio::test]
async fn a_process_ends_after_minutes_without_work() {
    let stage = Stage::new("python3.12").await;
    stage.permit("functions/judge/policy", json!({})).await;
    let pid = async || stage.ask(ARN, json!("pid")).await.unwrap()["pid"].as_u64().unwrap();
    let minutes = |count: u64| Duration::from_secs(60 * count);
    let first = pid().await;
    stage.emulator.core().lambda.pass(minutes(4));
    assert_eq!(pid().await, first);
    stage.emulator.core().lambda.pass(minutes(6));
    assert_ne!(pid().await, first);
}

#[tokio::test]
async fn failures_say_what_happened() {
    let stage = Stage::new("python3.12").await;
    stage.permit("functions/judge/policy", json!({})).await;
    assert_eq!(stage.ask(ARN, json!("raise")).await, Err(InvokeFailure::Failed("ValueError: not this one".to_owned())));
    let short = Duration::from_millis(50);
    let slow = stage.ask_as("healthlake.amazonaws.com", None, ARN, json!("sleep"), short).await;
    assert_eq!(slow, Err(InvokeFailure::TimedOut));
    let java = Stage::new("java21").await;
    java.permit("functions/judge/policy", json!({})).await;
    let Err(InvokeFailure::NotRunnable(reason)) = java.ask(ARN, json!(1)).await else {
        panic!("it ran");
    };
    assert!(reason.contains("java21"), "{reason}");
}

#[test]
fn an_error_is_reported_in_one_line() {
    assert_eq!(said_of(br#"{"errorType":"A","errorMessage":"b"}"#), "A: b");
    assert_eq!(said_of(br#"{"errorMessage":"b"}"#), "b");
    assert_eq!(said_of(b"nonsense"), "nonsense");
}
