use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_sdk_kms::error::{ProvideErrorMetadata as _, SdkError};
use hlctl_emulator::{Action, Faults, Rule};

use crate::{config, open, operations};

fn rule(operation: &str, action: Action) -> Faults {
    Faults {
        rules: vec![Rule {
            service: None,
            operation: Some(operation.to_owned()),
            nth: Some(1),
            every: None,
            probability: None,
            times: None,
            action,
        }],
        ..Faults::default()
    }
}

#[tokio::test]
async fn a_lost_answer_to_create_key_leaves_a_second_key_after_the_retry() {
    let emulator = open();
    emulator.set_faults(rule("CreateKey", Action::DropAfter));
    let kms = aws_sdk_kms::Client::new(&config(&emulator));
    kms.create_key().send().await.unwrap();
    let keys = kms.list_keys().send().await.unwrap();
    assert_eq!(keys.keys().len(), 2);
    assert_eq!(operations(&emulator), ["CreateKey", "CreateKey", "ListKeys"]);
    assert_eq!(emulator.requests()[0].status, 0);
}

#[tokio::test]
async fn a_lost_answer_to_create_datastore_leaves_one_store_after_the_retry() {
    let emulator = open();
    emulator.set_faults(rule("CreateFHIRDatastore", Action::DropAfter));
    let client = aws_sdk_healthlake::Client::new(&config(&emulator));
    client
        .create_fhir_datastore()
        .datastore_type_version(aws_sdk_healthlake::types::FhirVersion::R4)
        .send()
        .await
        .unwrap();
    let stores = client.list_fhir_datastores().send().await.unwrap();
    assert_eq!(stores.datastore_properties_list().len(), 1);
}

#[tokio::test]
async fn throttling_and_server_errors_are_retried_by_the_sdk() {
    for action in [Action::Throttle, Action::ServerError, Action::DropBefore] {
        let emulator = open();
        emulator.set_faults(rule("GetCallerIdentity", action));
        let sts = aws_sdk_sts::Client::new(&config(&emulator));
        sts.get_caller_identity().send().await.unwrap();
        assert_eq!(emulator.requests().len(), 2);
    }
}

#[tokio::test]
async fn a_request_without_an_answer_runs_into_the_read_timeout() {
    let emulator = open();
    emulator.set_faults(Faults {
        rules: vec![Rule { nth: None, ..rule("ListKeys", Action::Hang).rules[0].clone() }],
        ..Faults::default()
    });
    let timeouts = TimeoutConfig::builder().read_timeout(Duration::from_millis(10)).build();
    let config = config(&emulator).into_builder().timeout_config(timeouts).build();
    let kms = aws_sdk_kms::Client::new(&config);
    let error = kms.list_keys().send().await.unwrap_err();
    assert!(matches!(&error, SdkError::DispatchFailure(failure) if failure.is_timeout()), "{error:?}");
}

#[tokio::test]
async fn a_denied_action_is_named_in_the_error() {
    let emulator = open();
    emulator.set_faults(r#"{"deny":["kms:CreateKey","iam:GetRole"]}"#.parse().unwrap());
    let kms = aws_sdk_kms::Client::new(&config(&emulator));
    let error = kms.create_key().send().await.unwrap_err();
    assert_eq!(error.code(), Some("AccessDeniedException"));
    assert!(error.message().unwrap().contains("not authorized to perform: kms:CreateKey"));
    let iam = aws_sdk_iam::Client::new(&config(&emulator));
    let error = iam.get_role().role_name("r").send().await.unwrap_err();
    assert_eq!(error.code(), Some("AccessDenied"));
}

#[tokio::test]
async fn what_hangs_after_it_was_done_is_done_and_counted() {
    let emulator = open();
    emulator.set_faults(rule("CreateKey", Action::HangAfter));
    let timeout = TimeoutConfig::builder().operation_timeout(Duration::from_millis(200)).build();
    let config = config(&emulator).into_builder().timeout_config(timeout).build();
    let kms = aws_sdk_kms::Client::new(&config);
    assert!(matches!(kms.create_key().send().await, Err(SdkError::TimeoutError(_))));
    assert_eq!(kms.list_keys().send().await.unwrap().keys().len(), 1);
    assert_eq!(emulator.hanging(), 1);
    assert_eq!(emulator.requests()[0].status, 0);
}

#[tokio::test]
async fn a_copy_holds_the_same_and_goes_its_own_way() {
    let emulator = open();
    let kms = aws_sdk_kms::Client::new(&config(&emulator));
    kms.create_key().send().await.unwrap();
    let copy = emulator.copy(hlctl_emulator::Options::default()).unwrap();
    let copied = aws_sdk_kms::Client::new(&config(&copy));
    copied.create_key().send().await.unwrap();
    assert_eq!(copied.list_keys().send().await.unwrap().keys().len(), 2);
    assert_eq!(kms.list_keys().send().await.unwrap().keys().len(), 1);
    assert_eq!(operations(&copy), ["CreateKey", "ListKeys"]);
}
