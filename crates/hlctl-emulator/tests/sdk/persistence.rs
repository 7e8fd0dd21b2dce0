use std::path::Path;
use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use hlctl_emulator::{Delays, Emulator, Error, Options};

use crate::{config, still_options};

fn open(dir: &Path) -> Emulator {
    let (options, _) = still_options();
    Emulator::open(Options { data_dir: Some(dir.to_owned()), ids: hlctl_emulator::Ids::random(), ..options }).unwrap()
}

#[tokio::test]
async fn what_one_emulator_does_another_on_the_same_directory_sees() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (open(dir.path()), open(dir.path()));
    let (kms_one, kms_two) = (aws_sdk_kms::Client::new(&config(&one)), aws_sdk_kms::Client::new(&config(&two)));
    for kms in [&kms_one, &kms_two, &kms_one] {
        kms.create_key().send().await.unwrap();
    }
    for kms in [&kms_one, &kms_two] {
        assert_eq!(kms.list_keys().send().await.unwrap().keys().len(), 3);
    }
    let (s3_one, s3_two) = (aws_sdk_s3::Client::new(&config(&one)), aws_sdk_s3::Client::new(&config(&two)));
    s3_one.create_bucket().bucket("data").send().await.unwrap();
    let body = ByteStream::from_static(b"here");
    s3_one.put_object().bucket("data").key("k").body(body).send().await.unwrap();
    let output = s3_two.get_object().bucket("data").key("k").send().await.unwrap();
    assert_eq!(&output.body.collect().await.unwrap().into_bytes()[..], b"here");
    s3_two.delete_object().bucket("data").key("k").send().await.unwrap();
    s3_one.delete_bucket().bucket("data").send().await.unwrap();
    s3_two.create_bucket().bucket("data").send().await.unwrap();
    let listed = s3_one.list_objects_v2().bucket("data").send().await.unwrap();
    assert_eq!(listed.key_count(), Some(0));
}

#[tokio::test]
async fn a_store_goes_on_being_created_while_nobody_looks() {
    let dir = tempfile::tempdir().unwrap();
    let (options, clock) = still_options();
    let options = Options {
        data_dir: Some(dir.path().to_owned()),
        delays: Delays { create: Duration::from_secs(60), ..Delays::default() },
        ..options
    };
    let emulator = Emulator::open(options.clone()).unwrap();
    let id = aws_sdk_healthlake::Client::new(&config(&emulator))
        .create_fhir_datastore()
        .datastore_type_version(aws_sdk_healthlake::types::FhirVersion::R4)
        .send()
        .await
        .unwrap()
        .datastore_id()
        .to_owned();
    drop(emulator);
    clock.advance(Duration::from_secs(60));
    let emulator = Emulator::open(options).unwrap();
    let output = aws_sdk_healthlake::Client::new(&config(&emulator))
        .describe_fhir_datastore()
        .datastore_id(id)
        .send()
        .await
        .unwrap();
    let properties = output.datastore_properties().unwrap();
    assert_eq!(properties.datastore_status().as_str(), "ACTIVE");
}

#[test]
fn a_broken_directory_is_reported_when_it_is_opened() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("control.json"), "{").unwrap();
    let (options, _) = still_options();
    let outcome = Emulator::open(Options { data_dir: Some(dir.path().to_owned()), ..options });
    assert!(matches!(outcome, Err(Error::Format { .. })));
}

#[test]
fn an_account_id_must_be_twelve_digits() {
    let (options, _) = still_options();
    let outcome = Emulator::open(Options { account_id: "12".to_owned(), ..options });
    assert!(matches!(outcome, Err(Error::Option(_))));
}
