//! Pages of other sites in a browser.

use bytes::Bytes;
use hlctl_emulator::AllowedOrigin;
use http::{Method, Request, Response};

use crate::cognito::Stack;
use crate::fhir::{Place, signature};
use crate::{config, open, operations};

const APP: &str = "http://localhost:3000";

async fn ask(
    emulator: &hlctl_emulator::Emulator,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
) -> Response<Bytes> {
    let request = Request::builder().method(method).uri(path).header("host", "127.0.0.1:1").header("origin", APP);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    emulator.handle(request.body(Bytes::new()).unwrap()).await.unwrap()
}

fn text<'a>(answer: &'a Response<Bytes>, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn the_fhir_interface_is_closed_to_pages_until_it_is_opened() {
    let preflight = [("access-control-request-method", "GET"), ("access-control-request-headers", "authorization")];
    let place = Place::new().await;
    let path = format!("/datastore/{}/r4/metadata", place.store);
    let refused = ask(&place.emulator, Method::OPTIONS, &path, &preflight).await;
    assert_eq!(refused.status(), 403);
    assert!(String::from_utf8_lossy(refused.body()).contains("--cors http://localhost:3000"));
    let plain = ask(&place.emulator, Method::GET, &path, &[]).await;
    assert_eq!((plain.status().as_u16(), text(&plain, "access-control-allow-origin")), (200, ""));
    assert!(text(&plain, "x-hlctl-notice").contains("--cors http://localhost:3000"));

    let allowed: AllowedOrigin = APP.parse().unwrap();
    let place = Place::with(|options| options.cors = vec![allowed], serde_json::json!({})).await;
    let root = format!("/datastore/{}/r4/", place.store);
    let reported = ask(&place.emulator, Method::OPTIONS, &format!("{root}Patient"), &preflight).await;
    assert_eq!((reported.status().as_u16(), text(&reported, "access-control-allow-origin")), (204, APP));
    assert_eq!(text(&reported, "access-control-allow-headers"), "authorization");
    for path in ["metadata", "Patient", "nonsense/at/all"] {
        let answer = ask(&place.emulator, Method::GET, &format!("{root}{path}"), &[]).await;
        assert_eq!(text(&answer, "access-control-allow-origin"), APP, "{path}: errors can be read as well");
        assert_eq!(text(&answer, "vary"), "Origin");
        assert!(text(&answer, "access-control-expose-headers").contains("Location"));
    }
    assert_eq!(operations(&place.emulator)[1], "Preflight");
}

#[tokio::test]
async fn what_cognito_opens_to_pages_is_open_with_errors_and_all() {
    let emulator = open();
    let stack = Stack::new(&emulator).await;
    let preflight = [("access-control-request-method", "POST"), ("access-control-request-headers", "content-type")];
    let (keys, configuration) = ("jwks.json", "openid-configuration");
    let paths = [keys, configuration].map(|name| format!("/{}/.well-known/{name}", stack.pool));
    for path in ["/oauth2/token", "/oauth2/userInfo", "/oauth2/revoke", &paths[0], &paths[1]] {
        let reported = ask(&emulator, Method::OPTIONS, path, &preflight).await;
        assert_eq!((reported.status().as_u16(), text(&reported, "access-control-allow-origin")), (204, "*"), "{path}");
        let answer = ask(&emulator, Method::GET, path, &[]).await;
        assert_eq!(text(&answer, "access-control-allow-origin"), "*", "{path}");
    }
    let refused = ask(&emulator, Method::POST, "/oauth2/token", &[]).await;
    assert_eq!((refused.status().as_u16(), text(&refused, "access-control-allow-origin")), (400, "*"));
    let target = [("x-amz-target", "AWSCognitoIdentityProviderService.InitiateAuth")];
    let api = ask(&emulator, Method::POST, "/", &target).await;
    assert_eq!(text(&api, "access-control-allow-origin"), "*");
    for path in ["/oauth2/authorize", "/login", "/logout"] {
        let page = ask(&emulator, Method::GET, path, &[]).await;
        assert_eq!(text(&page, "access-control-allow-origin"), "", "{path}");
    }
}

/// A request that is signed, as far as the sandbox looks, and comes from a page.
fn signed(method: Method, path: &str, service: &str, headers: &[(&str, &str)]) -> http::request::Builder {
    let request = Request::builder().method(method).uri(path).header("authorization", signature(service));
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
}

#[tokio::test]
async fn a_page_of_another_site_can_call_nothing_that_needs_credentials() {
    let place = Place::with(|options| options.cors = vec![AllowedOrigin::Any], serde_json::json!({})).await;
    let s3 = aws_sdk_s3::Client::new(&config(&place.emulator));
    s3.create_bucket().bucket("data").send().await.unwrap();
    s3.put_object().bucket("data").key("key").body(vec![1].into()).send().await.unwrap();
    place.emulator.clear_requests();
    let delete = serde_json::json!({"DatastoreId": place.store}).to_string();
    let create = "Action=CreateRole&Version=2010-05-08&RoleName=r&AssumeRolePolicyDocument=%7B%7D".to_owned();
    let unsigned = "AWSCognitoIdentityProviderService.InitiateAuth";
    for (method, path, service, target, body) in [
        (Method::POST, "/", "healthlake", "HealthLake.DeleteFHIRDatastore", delete.clone()),
        (Method::GET, "/", "healthlake", "HealthLake.ListFHIRDatastores", String::new()),
        (Method::POST, "/", "kms", "TrentService.CreateKey", "{}".to_owned()),
        (Method::POST, "/", "cognito-idp", "AWSCognitoIdentityProviderService.CreateUserPool", "{}".to_owned()),
        // What leads to another service than it names.
        (Method::POST, "/", "healthlake", unsigned, delete),
        (Method::DELETE, "/data/key", "s3", unsigned, String::new()),
        (Method::POST, "/", "iam", unsigned, create.clone()),
        // What a browser sends without asking first.
        (Method::POST, "/", "iam", "", create),
        (Method::POST, "/data/key?uploads", "s3", "", String::new()),
        (Method::GET, "/data/key", "s3", "", String::new()),
        (Method::POST, "/_emulator/load", "s3", "", String::new()),
        (Method::DELETE, "/_emulator/requests", "s3", "", String::new()),
    ] {
        for origin in [APP, "null"] {
            let headers = [("host", "127.0.0.1:4566"), ("origin", origin), ("x-amz-target", target)];
            let headers = if target.is_empty() { &headers[..2] } else { &headers[..] };
            let request = signed(method.clone(), path, service, headers).body(Bytes::from(body.clone())).unwrap();
            let answer = place.emulator.handle(request).await.unwrap();
            assert_eq!(answer.status(), 403, "{method} {path} {service} {target}");
            assert_eq!(text(&answer, "access-control-allow-origin"), "");
        }
    }
    let refused = place.emulator.requests();
    assert!(!refused.is_empty() && refused.iter().all(|record| record.status == 403), "{refused:?}");
    assert!(place.get("metadata").await.status.is_success(), "the datastore is there");
    s3.head_object().bucket("data").key("key").send().await.unwrap();
}

#[tokio::test]
async fn the_same_calls_without_an_origin_or_from_the_sandboxs_own_are_done() {
    let emulator = open();
    for origin in [None, Some("http://127.0.0.1:4566")] {
        let headers = [("host", "127.0.0.1:4566"), ("x-amz-target", "HealthLake.ListFHIRDatastores")];
        let request = signed(Method::POST, "/", "healthlake", &headers);
        let request = origin.into_iter().fold(request, |request, origin| request.header("origin", origin));
        assert_eq!(emulator.handle(request.body(Bytes::new()).unwrap()).await.unwrap().status(), 200, "{origin:?}");
    }
}
