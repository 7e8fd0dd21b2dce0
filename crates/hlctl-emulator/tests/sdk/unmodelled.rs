//! Services that are not modelled.

use bytes::Bytes;
use http::Request;

use crate::fhir::signature;
use crate::open;

#[tokio::test]
async fn an_unmodelled_operation_is_named_to_callers_without_a_signature_too() {
    let emulator = open();
    let ask = async |request: http::request::Builder, body: String| {
        let answer = emulator.handle(request.body(Bytes::from(body)).unwrap()).await.unwrap();
        (answer.status().as_u16(), String::from_utf8(answer.body().to_vec()).unwrap())
    };
    for name in ["SignUp", "ConfirmSignUp", "ForgotPassword", "GetTokensFromRefreshToken"] {
        let target = format!("AWSCognitoIdentityProviderService.{name}");
        let (status, text) = ask(Request::post("/").header("x-amz-target", target), "{}".to_owned()).await;
        assert_eq!(status, 400, "{name}: {text}");
        assert!(text.contains("UnknownOperationException") && text.contains(name), "{text}");
    }
    for name in ["AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"] {
        let (status, text) = ask(Request::post("/"), format!("Action={name}&Version=2011-06-15")).await;
        assert_eq!(status, 501, "{name}: {text}");
        assert!(text.contains("<Code>NotImplemented</Code>") && text.contains(name), "{text}");
    }
    let (status, text) = ask(Request::post("/"), "Action=GetCallerIdentity&Version=2011-06-15".to_owned()).await;
    assert_eq!(status, 403, "{text}");
    assert!(text.contains("MissingAuthenticationToken"), "{text}");
}

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
