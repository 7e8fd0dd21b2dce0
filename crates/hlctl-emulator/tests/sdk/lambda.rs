use std::io::{Cursor, Write as _};
use std::process::Command;
use std::time::Duration;

use aws_sdk_cloudwatchlogs as logs;
use aws_sdk_iam as iam;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::client::Waiters as _;
use aws_sdk_lambda::error::ProvideErrorMetadata as _;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{FunctionCode, InvocationType, LastUpdateStatus, Runtime, State};
use hlctl_emulator::{Delays, Emulator, Options};

use crate::{config, config_as, still_options};

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
    "Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

pub(crate) const CODE: &str = r#"
import os
def handler(event, context):
    print("asked for", event)
    if event == "boom":
        raise RuntimeError("boom")
    return {"pid": os.getpid(), "event": event}
"#;

fn zipped(files: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        writer.start_file(*name, zip::write::SimpleFileOptions::default().unix_permissions(0o755)).unwrap();
        writer.write_all(content.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

async fn role(emulator: &Emulator) -> String {
    let client = iam::Client::new(&config(emulator));
    let made = client.create_role().role_name("fn").assume_role_policy_document(TRUST).send().await.unwrap();
    made.role().unwrap().arn().to_owned()
}

pub(crate) async fn create(emulator: &Emulator, name: &str, runtime: Runtime, files: &[(&str, &str)]) -> Client {
    let client = Client::new(&config(emulator));
    let role = role(emulator).await;
    let made = client
        .create_function()
        .function_name(name)
        .runtime(runtime)
        .handler("app.handler")
        .role(role)
        .timeout(30)
        .code(FunctionCode::builder().zip_file(Blob::new(zipped(files))).build())
        .send()
        .await
        .unwrap();
    assert_eq!(made.state(), Some(&State::Pending));
    client
}

pub(crate) async fn ask(client: &Client, name: &str, event: &str) -> (Option<String>, serde_json::Value) {
    let answer = client.invoke().function_name(name).payload(Blob::new(event)).send().await.unwrap();
    let payload = serde_json::from_slice(answer.payload().unwrap().as_ref()).unwrap();
    (answer.function_error().map(ToOwned::to_owned), payload)
}

#[tokio::test]
async fn a_function_answers_and_its_log_is_there_with_the_answer() {
    let emulator = Emulator::open(Options::default()).unwrap();
    let client = create(&emulator, "fn", Runtime::Python312, &[("app.py", CODE)]).await;
    let wait = client.wait_until_function_active_v2().function_name("fn");
    wait.wait(Duration::from_secs(5)).await.unwrap();
    let (error, first) = ask(&client, "fn", r#""é""#).await;
    assert_eq!((error, first["event"].as_str()), (None, Some("é")));
    let (error, second) = ask(&client, "fn", r#""boom""#).await;
    assert_eq!((error.as_deref(), second["errorMessage"].as_str()), (Some("Unhandled"), Some("boom")));
    let (_, third) = ask(&client, "fn", "3").await;
    assert_eq!(third["pid"], first["pid"]);
    let logs = logs::Client::new(&config(&emulator));
    let found = logs.filter_log_events().log_group_name("/aws/lambda/fn").filter_pattern("asked").send().await.unwrap();
    let lines: Vec<_> = found.events().iter().filter_map(|event| event.message()).collect();
    assert_eq!(lines, ["asked for é", "asked for boom", "asked for 3"]);
}

#[tokio::test]
async fn creation_and_updates_take_as_long_as_configured() {
    let (mut options, clock) = still_options();
    options.delays = Delays { function: Duration::from_secs(5), ..Delays::default() };
    let emulator = Emulator::open(options).unwrap();
    let client = create(&emulator, "fn", Runtime::Providedal2023, &[("bootstrap", "")]).await;
    let status = async || {
        let shown = client.get_function_configuration().function_name("fn").send().await.unwrap();
        (shown.state().cloned(), shown.last_update_status().cloned())
    };
    let update = client.update_function_configuration().function_name("fn").memory_size(256);
    assert_eq!(status().await, (Some(State::Pending), None));
    let early = update.clone().send().await.unwrap_err();
    assert_eq!(early.code(), Some("ResourceConflictException"));
    clock.advance(Duration::from_secs(5));
    assert_eq!(status().await, (Some(State::Active), Some(LastUpdateStatus::Successful)));
    let updated = update.clone().send().await.unwrap();
    assert_eq!(updated.last_update_status(), Some(&LastUpdateStatus::InProgress));
    assert_eq!(updated.last_modified(), Some("2026-01-02T03:04:10.000+0000"));
    assert_eq!(status().await, (Some(State::Active), Some(LastUpdateStatus::InProgress)));
    assert_eq!(update.send().await.unwrap_err().code(), Some("ResourceConflictException"));
    clock.advance(Duration::from_secs(5));
    assert_eq!(status().await, (Some(State::Active), Some(LastUpdateStatus::Successful)));
}

#[tokio::test]
async fn functions_are_one_regions_and_one_accounts_own() {
    let emulator = Emulator::open(Options::default()).unwrap();
    create(&emulator, "fn", Runtime::Providedal2023, &[("bootstrap", "")]).await;
    for (key, region) in [("AKIATEST", "eu-west-2"), ("222222222222", "us-east-1")] {
        let client = Client::new(&config_as(&emulator, key, region));
        let error = client.get_function().function_name("fn").send().await.unwrap_err();
        assert_eq!(error.code(), Some("ResourceNotFoundException"));
    }
}

#[tokio::test]
async fn the_package_can_be_fetched_where_get_function_says() {
    let emulator = Emulator::open(Options::default()).unwrap();
    let client = create(&emulator, "fn", Runtime::Providedal2023, &[("bootstrap", "#!/bin/sh")]).await;
    let shown = client.get_function().function_name("fn").send().await.unwrap();
    let location = shown.code().unwrap().location().unwrap();
    let fetch = http::Request::get(location).body(bytes::Bytes::new()).unwrap();
    let answer = emulator.handle(fetch).await.unwrap();
    assert_eq!(answer.body().as_ref(), zipped(&[("bootstrap", "#!/bin/sh")]));
}

/// Whether a process runs; one that has ended and that nobody has asked about does not.
fn runs(pid: &serde_json::Value) -> bool {
    let listed = Command::new("ps").args(["-o", "state=", "-p", &pid.to_string()]).output().unwrap();
    let state = String::from_utf8(listed.stdout).unwrap();
    !state.trim().is_empty() && !state.starts_with('Z')
}

#[tokio::test]
async fn processes_end_with_the_emulator() {
    let emulator = Emulator::open(Options::default()).unwrap();
    let client = create(&emulator, "fn", Runtime::Python312, &[("app.py", CODE)]).await;
    let (_, answer) = ask(&client, "fn", "1").await;
    assert!(runs(&answer["pid"]));
    drop((client, emulator));
    let gone = async || {
        while runs(&answer["pid"]) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), gone()).await.unwrap();
}

#[tokio::test]
async fn processes_end_when_their_function_changes_or_goes() {
    let emulator = Emulator::open(Options::default()).unwrap();
    let client = create(&emulator, "fn", Runtime::Python312, &[("app.py", CODE)]).await;
    let (_, first) = ask(&client, "fn", "1").await;
    client.update_function_configuration().function_name("fn").timeout(20).send().await.unwrap();
    let (_, second) = ask(&client, "fn", "1").await;
    assert_ne!(first["pid"], second["pid"]);
    client.delete_function().function_name("fn").send().await.unwrap();
    let gone = async || {
        while runs(&first["pid"]) || runs(&second["pid"]) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), gone()).await.unwrap();
}

#[tokio::test]
async fn a_dropped_answer_leaves_one_function_to_be_found() {
    let faults = r#"{"rules":[{"operation":"CreateFunction","nth":1,"action":"drop_after"}]}"#.parse().unwrap();
    let emulator = Emulator::open(Options { faults, ..Options::default() }).unwrap();
    let client = Client::new(&config(&emulator));
    let role = role(&emulator).await;
    let again = client
        .create_function()
        .function_name("fn")
        .runtime(Runtime::Providedal2023)
        .handler("x")
        .role(role)
        .code(FunctionCode::builder().zip_file(Blob::new(zipped(&[("bootstrap", "")]))).build())
        .send()
        .await
        .unwrap_err();
    assert_eq!(again.code(), Some("ResourceConflictException"));
    let listed = client.list_functions().send().await.unwrap();
    assert_eq!(listed.functions().len(), 1);
}

#[tokio::test]
async fn an_asynchronous_invocation_is_accepted_at_once() {
    let emulator = Emulator::open(Options::default()).unwrap();
    let client = create(&emulator, "fn", Runtime::Python312, &[("app.py", CODE)]).await;
    let invoke = client.invoke().function_name("fn").payload(Blob::new("7"));
    let accepted = invoke.clone().invocation_type(InvocationType::Event).send().await.unwrap();
    assert_eq!(accepted.status_code(), 202);
    let tried = invoke.invocation_type(InvocationType::DryRun).send().await.unwrap();
    assert_eq!(tried.status_code(), 204);
    let logs = logs::Client::new(&config(&emulator));
    let written = async || {
        let filter = logs.filter_log_events().log_group_name("/aws/lambda/fn").filter_pattern("END");
        while filter.clone().send().await.map_or(0, |found| found.events().len()) == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), written()).await.unwrap();
}
