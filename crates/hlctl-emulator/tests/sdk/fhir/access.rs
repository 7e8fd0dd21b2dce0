use std::time::Duration;

use bytes::Bytes;
use hlctl_emulator::{Delays, Emulator};
use http::Request;
use serde_json::{Value, json};

use super::{Place, control, send, signature};
use crate::operations;

fn smart() -> Value {
    let metadata = json!({
        "authorization_endpoint": "https://a.example/authorize",
        "token_endpoint": "https://a.example/token",
        "grant_types_supported": ["authorization_code"],
        "capabilities": ["launch-standalone"],
        "code_challenge_methods_supported": ["S256"],
    });
    json!({"IdentityProviderConfiguration": {
        "AuthorizationStrategy": "SMART_ON_FHIR_V1",
        "IdpLambdaArn": "arn:aws:lambda:us-east-1:000000000000:function:validator",
        "Metadata": metadata.to_string(),
    }})
}

async fn get_as(place: &Place, path: &str, headers: &[(&str, &str)]) -> super::Reply {
    let mut request = Request::get(place.address(path)).header("host", "127.0.0.1:4566");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(&place.emulator, request.body(Bytes::new()).unwrap()).await
}

#[tokio::test]
async fn a_request_must_say_who_makes_it() {
    let place = Place::new().await;
    let bare = get_as(&place, "Patient", &[]).await;
    assert_eq!(bare.status, 403);
    assert_eq!(bare.header("x-amzn-errortype"), "MissingAuthenticationTokenException");
    let s3 = get_as(&place, "Patient", &[("authorization", &signature("s3"))]).await;
    assert_eq!(s3.status, 403);
    assert!(s3.diagnostics().contains("'healthlake'"), "{}", s3.diagnostics());
    let expired = signature("healthlake").replace("AKIATEST", "EXPIRED1");
    assert_eq!(
        get_as(&place, "Patient", &[("authorization", &expired)]).await.header("x-amzn-errortype"),
        "ExpiredTokenException"
    );
    let region = signature("healthlake");
    let host = "healthlake.eu-west-2.amazonaws.com";
    let elsewhere = Request::get(format!("/datastore/{}/r4/Patient", place.store))
        .header("host", host)
        .header("authorization", region)
        .body(Bytes::new())
        .unwrap();
    assert!(send(&place.emulator, elsewhere).await.diagnostics().contains("'eu-west-2'"));
    let bearer = get_as(&place, "Patient", &[("authorization", "Bearer x.y.z")]).await;
    assert_eq!(bearer.status, 403);
    assert!(bearer.diagnostics().contains("must be signed"), "{}", bearer.diagnostics());
}

#[tokio::test]
async fn a_datastore_belongs_to_its_account_and_region() {
    let place = Place::new().await;
    for credential in ["222222222222/20260101/us-east-1", "AKIATEST/20260101/eu-west-2"] {
        let other = signature("healthlake").replace("AKIATEST/20260101/us-east-1", credential);
        let reply = get_as(&place, "Patient", &[("authorization", &other)]).await;
        assert_eq!((reply.status.as_u16(), reply.header("x-amzn-errortype")), (404, "ResourceNotFoundException"));
    }
    assert_eq!(place.get("Patient").await.status, 200);
    let aws = format!("https://healthlake.us-east-1.amazonaws.com/datastore/{}/r4/Patient", place.store);
    let reply = get_as(
        &place,
        &aws,
        &[("host", "healthlake.us-east-1.amazonaws.com"), ("authorization", &signature("healthlake"))],
    )
    .await;
    assert_eq!(reply.status, 200);
    for path in ["/datastore/x", "/datastore/x/r5/Patient", "/datastore/"] {
        let neighbour = get_as(&place, path, &[("authorization", &signature("healthlake"))]).await;
        assert_eq!(neighbour.status, 404, "{path}");
        assert!(neighbour.diagnostics().contains("/datastore/"), "{path}");
    }
}

#[tokio::test]
async fn a_datastore_serves_while_it_is_there() {
    let minute = Duration::from_secs(60);
    let place = Place::with(
        |options| options.delays = Delays { create: minute, delete: minute, ..Delays::default() },
        json!({}),
    )
    .await;
    let early = place.get("Patient").await;
    assert_eq!((early.status.as_u16(), early.header("x-amzn-errortype")), (409, "ConflictException"));
    assert!(early.diagnostics().contains("CREATING"));
    place.clock.advance(minute);
    assert_eq!(place.get("Patient").await.status, 200);
    control(&place.emulator, "DeleteFHIRDatastore", json!({"DatastoreId": place.store})).await;
    assert_eq!(place.get("Patient").await.status, 409);
    place.clock.advance(minute);
    assert_eq!(place.get("Patient").await.status, 404);
}

#[tokio::test]
async fn the_interface_describes_itself_to_everyone() {
    let place = Place::with(|_| {}, smart()).await;
    for headers in [vec![], vec![("authorization", signature("healthlake"))]] {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let discovery = get_as(&place, ".well-known/smart-configuration", &headers).await;
        assert_eq!(discovery.body["token_endpoint"], "https://a.example/token");
        let metadata = get_as(&place, "metadata", &headers).await;
        assert_eq!(metadata.body["fhirVersion"], "4.0.1");
        let rest = &metadata.body["rest"][0];
        assert_eq!(rest["security"]["extension"][0]["extension"][1]["valueUri"], "https://a.example/token");
        let resources = rest["resource"].as_array().unwrap();
        let patient = resources.iter().find(|resource| resource["type"] == "Patient").unwrap();
        let parameters = patient["searchParam"].as_array().unwrap();
        for parameter in parameters.iter().filter(|parameter| parameter["type"] == "token") {
            let search = format!("Patient?{}=x", parameter["name"].as_str().unwrap());
            assert_eq!(place.get(&search).await.status, 200, "{search}");
        }
    }
    let unsigned = get_as(&place, "Patient", &[]).await;
    assert_eq!((unsigned.status.as_u16(), unsigned.header("www-authenticate")), (401, "Bearer"));
    // Whether AWS lets signed callers in as well is not documented; here it does.
    assert_eq!(place.get("Patient").await.status, 200);
    let plain = Place::new().await;
    assert_eq!(plain.get(".well-known/smart-configuration").await.status, 404);
    assert_eq!(plain.get("metadata").await.status, 200);
}

#[tokio::test]
async fn a_validator_that_is_not_there_lets_nobody_in() {
    let place = Place::with(|_| {}, smart()).await;
    let reply = get_as(&place, "Patient", &[("authorization", "bearer x.y.z")]).await;
    assert_eq!((reply.status.as_u16(), reply.header("x-amzn-errortype")), (401, "UnauthorizedException"));
    assert!(reply.diagnostics().contains("function:validator does not exist"), "{}", reply.diagnostics());
}

#[tokio::test]
async fn faults_and_the_record_go_by_the_names_of_actions() {
    let place = Place::new().await;
    place.put(json!({"resourceType": "Patient", "id": "a"})).await;
    place.emulator.set_faults(
        r#"{"deny":["healthlake:ReadResource"],
            "rules":[{"operation":"SearchWithGet","nth":1,"action":"throttle"},
                     {"operation":"SearchWithGet","nth":2,"action":"server_error"},
                     {"operation":"CreateResource","nth":1,"action":"drop_after"}]}"#
            .parse()
            .unwrap(),
    );
    place.emulator.clear_requests();
    let denied = place.get("Patient/a").await;
    assert_eq!((denied.status.as_u16(), denied.header("x-amzn-errortype")), (403, "AccessDeniedException"));
    assert!(denied.diagnostics().contains("healthlake:ReadResource"));
    assert_eq!(place.get("Patient").await.status, 429);
    assert_eq!(place.get("Patient").await.status, 500);
    let create = || {
        let request = place
            .request("POST", "Patient")
            .header("x-amz-fhir-idempotency-key", "123e4567-e89b-12d3-a456-426614174000");
        place.emulator.handle(request.body(Bytes::from_static(br#"{"resourceType":"Patient"}"#)).unwrap())
    };
    create().await.unwrap_err();
    assert_eq!(create().await.unwrap().status(), 409);
    assert_eq!(place.get("Patient").await.ids().len(), 2);
    assert_eq!(
        operations(&place.emulator),
        ["ReadResource", "SearchWithGet", "SearchWithGet", "CreateResource", "CreateResource", "SearchWithGet"]
    );
    assert!(place.emulator.requests().iter().all(|record| record.service == "healthlake"));
    let deletion = place.ask("POST", "$bulk-delete", &[], b"").await;
    assert_eq!(deletion.status, 501);
    assert_eq!(deletion.diagnostics(), "hlctl-emulator does not model healthlake:StartFHIRBulkDeleteJob");
}

#[tokio::test]
async fn a_bucket_called_datastore_keeps_its_objects() {
    let emulator = Emulator::open(crate::still_options().0).unwrap();
    for (method, path) in [("PUT", "/datastore"), ("PUT", "/datastore/key"), ("GET", "/datastore/key")] {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "127.0.0.1")
            .header("authorization", signature("s3"));
        let reply = emulator.handle(request.body(Bytes::new()).unwrap()).await.unwrap();
        assert_eq!(reply.status(), 200, "{method} {path}");
    }
}
