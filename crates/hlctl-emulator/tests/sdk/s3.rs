use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketVersioningStatus, ChecksumMode, Delete, ObjectIdentifier, VersioningConfiguration};

use crate::{config, config_as, open};

async fn versioned(client: &Client, bucket: &str) {
    client.create_bucket().bucket(bucket).send().await.unwrap();
    let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    client.put_bucket_versioning().bucket(bucket).versioning_configuration(enabled).send().await.unwrap();
}

#[tokio::test]
async fn a_streamed_object_comes_back_with_its_checksum() {
    let emulator = open();
    let client = Client::new(&config(&emulator));
    client.create_bucket().bucket("data").send().await.unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    let content = "patient data ".repeat(10_000);
    std::fs::write(file.path(), &content).unwrap();
    client
        .put_object()
        .bucket("data")
        .key("a/b c")
        .body(ByteStream::from_path(file.path()).await.unwrap())
        .send()
        .await
        .unwrap();
    let output =
        client.get_object().bucket("data").key("a/b c").checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
    assert!(output.checksum_crc32().is_some());
    let body = output.body.collect().await.unwrap().into_bytes();
    assert_eq!(body, content.as_bytes());
}

#[tokio::test]
async fn a_bucket_is_emptied_version_by_version() {
    let emulator = open();
    let client = Client::new(&config(&emulator));
    versioned(&client, "data").await;
    for number in 0..25 {
        let key = format!("k{}", number % 10);
        let body = ByteStream::from_static(b"x");
        client.put_object().bucket("data").key(key).body(body).send().await.unwrap();
    }
    client.delete_object().bucket("data").key("k1").send().await.unwrap();
    let error = client.delete_bucket().bucket("data").send().await.unwrap_err();
    assert_eq!(error.code(), Some("BucketNotEmpty"));
    let mut found = 0;
    loop {
        let page = client.list_object_versions().bucket("data").max_keys(7).send().await.unwrap();
        let versions = page.versions().iter().map(|version| (version.key(), version.version_id()));
        let markers = page.delete_markers().iter().map(|marker| (marker.key(), marker.version_id()));
        let objects: Vec<ObjectIdentifier> = versions
            .chain(markers)
            .map(|(key, id)| ObjectIdentifier::builder().key(key.unwrap()).version_id(id.unwrap()).build().unwrap())
            .collect();
        if objects.is_empty() {
            break;
        }
        found += objects.len();
        let delete = Delete::builder().set_objects(Some(objects)).build().unwrap();
        let output = client.delete_objects().bucket("data").delete(delete).send().await.unwrap();
        assert!(output.errors().is_empty());
    }
    assert_eq!(found, 26);
    client.delete_bucket().bucket("data").send().await.unwrap();
}

#[tokio::test]
async fn one_of_two_conditional_writers_wins() {
    let emulator = open();
    let client = Client::new(&config(&emulator));
    client.create_bucket().bucket("locks").send().await.unwrap();
    let put = || {
        client.put_object().bucket("locks").key("lock").if_none_match("*").body(ByteStream::from_static(b"me")).send()
    };
    let (one, two) = tokio::join!(put(), put());
    let failures: Vec<_> = [one, two].into_iter().filter_map(Result::err).collect();
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].code(), Some("PreconditionFailed"));
}

#[tokio::test]
async fn a_bucket_of_another_account_is_taken_and_closed() {
    let emulator = open();
    let client = Client::new(&config(&emulator));
    let foreign = Client::new(&config_as(&emulator, "222222222222", "us-east-1"));
    foreign.create_bucket().bucket("data").send().await.unwrap();
    let error = client.create_bucket().bucket("data").send().await.unwrap_err();
    assert_eq!(error.code(), Some("BucketAlreadyExists"));
    let error = client.head_bucket().bucket("data").send().await.unwrap_err();
    assert_eq!(error.raw_response().unwrap().status().as_u16(), 403);
    let error = client.head_bucket().bucket("none").send().await.unwrap_err();
    assert!(error.into_service_error().is_not_found());
}
