#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::{Arc, Mutex};

use aws_sdk_s3control::types::Tag;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;

use super::*;

/// Where a request was sent, and the header that says so.
type Sent = (String, Option<String>);

/// Answers everything with an empty success, and keeps where it was sent.
#[derive(Clone, Debug, Default)]
struct Catcher(Arc<Mutex<Vec<Sent>>>);

impl HttpClient for Catcher {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Catcher {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let authority = request.uri().parse::<http::Uri>().unwrap().authority().unwrap().to_string();
        let host = request.headers().get("host").map(str::to_owned);
        self.0.lock().unwrap().push((authority, host));
        let answer = http::Response::builder().status(200).body(SdkBody::from("{}")).unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::try_from(answer).unwrap()))
    }
}

/// The hosts of two calls that have something before the host: HealthLake's by its model, S3 Control's by its rules.
async fn hosts(clients: &Clients, caught: &Catcher) -> Vec<String> {
    let tag = Tag::builder().key("k").value("v").build().unwrap();
    let transformation = clients.healthlake.describe_data_transformation_job().job_id("0".repeat(32));
    drop(transformation.send().await);
    let tagging = clients.s3control.tag_resource().account_id("111122223333").resource_arn("arn:aws:s3:::fhir-data");
    drop(tagging.tags(tag).send().await);
    let caught = std::mem::take(&mut *caught.0.lock().unwrap());
    for (authority, host) in &caught {
        assert!(host.as_ref().is_none_or(|host| host == authority), "{host:?} was signed for {authority}");
    }
    caught.into_iter().map(|(authority, _)| authority).collect()
}

fn of(endpoint: Option<&str>, caught: &Catcher) -> Clients {
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("eu-west-2"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("AKIA", "secret", None, None, "test")))
        .retry_config(RetryConfig::disabled())
        .http_client(caught.clone());
    config.set_endpoint_url(endpoint.map(str::to_owned));
    Clients::from_config(&config.build(), Caller::default(), Trust::default())
}

#[tokio::test]
async fn what_an_operation_puts_before_the_host_is_not_put_before_a_custom_endpoint() {
    let caught = Catcher::default();
    for (endpoint, host) in [
        ("http://127.0.0.1:4566", "127.0.0.1:4566"),
        ("http://localhost:4566/", "localhost:4566"),
        ("https://[::1]:8443", "[::1]:8443"),
        ("https://aws.example.org/behind/a/path", "aws.example.org"),
    ] {
        assert_eq!(hosts(&of(Some(endpoint), &caught), &caught).await, [host, host], "{endpoint}");
    }
}

#[tokio::test]
async fn the_sandbox_is_reached_by_calls_that_put_something_before_the_host() {
    let caught = Catcher::default();
    let endpoint = Endpoint::InProcess { http: SharedHttpClient::new(caught.clone()), region: "eu-west-2".to_owned() };
    let clients = Clients::new(endpoint, None, None).await.unwrap();
    assert_eq!(hosts(&clients, &caught).await, ["127.0.0.1", "127.0.0.1"]);
}

#[tokio::test]
async fn at_aws_the_operations_keep_the_hosts_that_they_have_there() {
    let caught = Catcher::default();
    let at_aws =
        ["datatransformation.healthlake.eu-west-2.amazonaws.com", "111122223333.s3-control.eu-west-2.amazonaws.com"];
    assert_eq!(hosts(&of(None, &caught), &caught).await, at_aws);
}
