//! Uploads in parts: sent and copied, with their checksums.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, ChecksumType, CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use http::Request;

use crate::{config, open};

const PART: usize = 5 * 1024 * 1024;

async fn begin(client: &Client, algorithm: ChecksumAlgorithm, kind: Option<ChecksumType>) -> String {
    let upload = client.create_multipart_upload().bucket("data").key("big").checksum_algorithm(algorithm);
    upload.set_checksum_type(kind).send().await.unwrap().upload_id.unwrap()
}

async fn two_parts(client: &Client, id: &str, algorithm: ChecksumAlgorithm) -> Vec<CompletedPart> {
    let mut parts = Vec::new();
    for (number, content) in [(1, vec![b'a'; PART]), (2, b"the end".to_vec())] {
        let part = client.upload_part().bucket("data").key("big").upload_id(id).part_number(number);
        let part = part.checksum_algorithm(algorithm.clone()).body(ByteStream::from(content));
        let sent = part.send().await.unwrap();
        let (crc32, sha256) = (sent.checksum_crc32, sent.checksum_sha256);
        assert!(crc32.is_some() || sha256.is_some(), "a part's checksum comes back");
        let part = CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag);
        parts.push(part.set_checksum_crc32(crc32).set_checksum_sha256(sha256).build());
    }
    parts
}

#[tokio::test]
async fn the_checksums_of_parts_make_that_of_the_object() {
    let emulator = open();
    let client = Client::new(&config(&emulator));
    client.create_bucket().bucket("data").send().await.unwrap();
    for (algorithm, kind, shown) in [
        (ChecksumAlgorithm::Crc32, None, ChecksumType::Composite),
        (ChecksumAlgorithm::Sha256, None, ChecksumType::Composite),
        (ChecksumAlgorithm::Crc32, Some(ChecksumType::FullObject), ChecksumType::FullObject),
    ] {
        let id = begin(&client, algorithm.clone(), kind).await;
        let parts = two_parts(&client, &id, algorithm.clone()).await;
        let listed = client.list_parts().bucket("data").key("big").upload_id(&id).send().await.unwrap();
        assert_eq!(listed.parts()[0].checksum_crc32, parts[0].checksum_crc32);
        let upload = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let done = client.complete_multipart_upload().bucket("data").key("big").upload_id(id);
        let done = done.multipart_upload(upload).send().await.unwrap();
        assert_eq!(done.checksum_type, Some(shown.clone()));
        let head = client.head_object().bucket("data").key("big").checksum_mode(ChecksumMode::Enabled);
        let head = head.send().await.unwrap();
        assert_eq!((&head.checksum_crc32, &head.checksum_sha256), (&done.checksum_crc32, &done.checksum_sha256));
        assert_eq!(head.checksum_type, Some(shown.clone()));
        let sum = head.checksum_crc32.or(head.checksum_sha256).unwrap();
        assert_eq!(sum.ends_with("-2"), shown == ChecksumType::Composite, "{sum}");
    }
}

#[tokio::test]
async fn a_part_that_is_listed_with_another_checksum_is_refused() {
    let emulator = open();
    let client = Client::new(&config(&emulator));
    client.create_bucket().bucket("data").send().await.unwrap();
    let id = begin(&client, ChecksumAlgorithm::Crc32, None).await;
    let mut parts = two_parts(&client, &id, ChecksumAlgorithm::Crc32).await;
    parts[0].checksum_crc32 = Some("AAAAAA==".to_owned());
    let upload = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    let done = client.complete_multipart_upload().bucket("data").key("big").upload_id(id);
    let error = done.multipart_upload(upload).send().await.unwrap_err();
    assert_eq!(error.code(), Some("InvalidPart"));
}

#[tokio::test]
async fn a_part_can_be_copied_from_another_object() {
    let emulator = open();
    let client = Client::new(&config(&emulator));
    client.create_bucket().bucket("data").send().await.unwrap();
    let source: Vec<u8> = (0..PART + 100).map(|at| u8::try_from(at % 251).unwrap()).collect();
    client.put_object().bucket("data").key("a source").body(source.clone().into()).send().await.unwrap();
    let id = begin(&client, ChecksumAlgorithm::Crc32, None).await;
    let copy = |number, range: String| {
        let copy = client.upload_part_copy().bucket("data").key("big").upload_id(&id).part_number(number);
        copy.copy_source("data/a%20source").copy_source_range(range).send()
    };
    let beyond = copy(1, format!("bytes=0-{}", PART + 100)).await.unwrap_err();
    assert_eq!(beyond.code(), Some("InvalidArgument"));
    let mut parts = Vec::new();
    for (number, range) in [(1, format!("bytes=0-{}", PART - 1)), (2, format!("bytes={PART}-{}", PART + 99))] {
        let copied = copy(number, range).await.unwrap().copy_part_result.unwrap();
        let part = CompletedPart::builder().part_number(number).set_e_tag(copied.e_tag);
        parts.push(part.set_checksum_crc32(copied.checksum_crc32).build());
    }
    let upload = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    let done = client.complete_multipart_upload().bucket("data").key("big").upload_id(&id);
    done.multipart_upload(upload).send().await.unwrap();
    let whole = client.get_object().bucket("data").key("big").send().await.unwrap();
    assert_eq!(whole.body.collect().await.unwrap().into_bytes(), source);
}

#[tokio::test]
async fn a_copy_is_of_one_piece_whatever_its_source_was_made_of() {
    let emulator = open();
    let client = Client::new(&config(&emulator));
    client.create_bucket().bucket("data").send().await.unwrap();
    let id = begin(&client, ChecksumAlgorithm::Crc32, None).await;
    let parts = two_parts(&client, &id, ChecksumAlgorithm::Crc32).await;
    let upload = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    let done = client.complete_multipart_upload().bucket("data").key("big").upload_id(&id);
    let source = done.multipart_upload(upload).send().await.unwrap().e_tag.unwrap();
    assert!(source.ends_with("-2\""), "{source}");
    let content = [&vec![b'a'; PART][..], b"the end"].concat();
    let whole = client.put_object().bucket("data").key("whole").body(content.into()).send().await.unwrap().e_tag;
    let copy = client.copy_object().bucket("data").key("copy").copy_source("data/big").copy_source_if_match(&source);
    let copied = copy.send().await.unwrap().copy_object_result.unwrap();
    assert_eq!(copied.e_tag, whole);
    let head = client.head_object().bucket("data").key("copy").send().await.unwrap();
    assert_eq!(head.e_tag, whole);
    let listed = client.list_objects_v2().bucket("data").prefix("copy").send().await.unwrap();
    assert_eq!(listed.contents()[0].e_tag, whole);
    let head = client.head_object().bucket("data").key("big").send().await.unwrap();
    assert_eq!(head.e_tag, Some(source), "the source stays as it is");
}

#[tokio::test]
async fn the_older_signature_is_named_as_the_reason() {
    let emulator = open();
    for request in [
        Request::get("/data/key?AWSAccessKeyId=AKIA&Expires=1893456000&Signature=abc%3D"),
        Request::get("/data/key").header("authorization", "AWS AKIA:abc="),
    ] {
        let answer = emulator.handle(request.body(Bytes::new()).unwrap()).await.unwrap();
        let text = String::from_utf8(answer.body().to_vec()).unwrap();
        assert_eq!(answer.status(), 400, "{text}");
        assert!(text.contains("<Code>InvalidRequest</Code>") && text.contains("AWS4-HMAC-SHA256"), "{text}");
        assert!(text.contains("Signature Version 2"), "{text}");
    }
}
