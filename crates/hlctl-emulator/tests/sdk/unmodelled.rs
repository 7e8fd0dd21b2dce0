//! Services that are not modelled.

use bytes::Bytes;
use http::Request;

use crate::fhir::signature;
use crate::open;

#[tokio::test]
async fn an_unmodelled_service_is_answered_as_it_writes() {
    let emulator = open();
    let ask = async |service: &str, kind: &str, body: &'static str| {
        let request = Request::post("/").header("authorization", signature(service)).header("content-type", kind);
        let answer = emulator.handle(request.body(Bytes::from(body)).unwrap()).await.unwrap();
        assert_eq!(answer.status(), 501);
        String::from_utf8(answer.body().to_vec()).unwrap()
    };
    let form = "application/x-www-form-urlencoded";
    let ec2 = ask("ec2", form, "Action=DescribeVpcs&Version=2016-11-15").await;
    assert!(ec2.starts_with("<Response><Errors><Error><Code>UnknownOperationException</Code>"), "{ec2}");
    assert!(ec2.contains("does not model ec2:"), "{ec2}");
    let sns = ask("sns", form, "Action=ListTopics&Version=2010-03-31").await;
    assert!(sns.starts_with("<ErrorResponse><Error><Type>Sender</Type>"), "{sns}");
    let dynamodb = ask("dynamodb", "application/x-amz-json-1.0", "{}").await;
    assert!(dynamodb.contains("\"__type\":\"UnknownOperationException\""), "{dynamodb}");
}
