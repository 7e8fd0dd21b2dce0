//! Whatever is handed out leads to the host that was asked.

use aws_sdk_lambda::types::Runtime;
use bytes::Bytes;
use hlctl_emulator::Emulator;
use http::{Request, Response};
use serde_json::{Value, json};

use crate::cognito::{CALLBACK, PASSWORD, Stack};
use crate::cognito_pages::{Browser, claims, code, exchange, hidden, login, sign_in};
use crate::fhir::Place;
use crate::{lambda, open};

/// A datastore whose identity provider is Cognito, with an address of somebody else's in addition.
async fn smart() -> Place {
    let base = "https://smart.auth.us-east-1.amazoncognito.com/oauth2";
    let metadata = json!({
        "issuer": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_a",
        "authorization_endpoint": format!("{base}/authorize"),
        "token_endpoint": format!("{base}/token"),
        "management_endpoint": "https://apps.example.org/",
        "grant_types_supported": ["authorization_code"],
        "code_challenge_methods_supported": ["S256"],
        "capabilities": ["launch-standalone"],
    });
    let provider = json!({
        "AuthorizationStrategy": "SMART_ON_FHIR_V1",
        "FineGrainedAuthorizationEnabled": false,
        "Metadata": metadata.to_string(),
        "IdpLambdaArn": "arn:aws:lambda:us-east-1:000000000000:function:validator",
    });
    Place::with(|_| {}, json!({"IdentityProviderConfiguration": provider})).await
}

async fn get(emulator: &Emulator, path: &str, headers: &[(&str, &str)]) -> Response<Bytes> {
    let request = headers.iter().fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
    emulator.handle(request.body(Bytes::new()).unwrap()).await.unwrap()
}

async fn document(emulator: &Emulator, path: &str, headers: &[(&str, &str)]) -> Value {
    serde_json::from_slice(get(emulator, path, headers).await.body()).unwrap()
}

#[tokio::test]
async fn discovery_and_metadata_name_the_host_that_was_asked() {
    let place = smart().await;
    let root = format!("/datastore/{}/r4/", place.store);
    for (headers, base) in [
        (vec![("host", "127.0.0.1:4566")], "http://127.0.0.1:4566"),
        (vec![("host", "localhost:4566")], "http://localhost:4566"),
        (
            vec![("host", "127.0.0.1:4566"), ("x-forwarded-host", "fhir.example.org"), ("x-forwarded-proto", "https")],
            "https://fhir.example.org",
        ),
    ] {
        let found = document(&place.emulator, &format!("{root}.well-known/smart-configuration"), &headers).await;
        assert_eq!(found["authorization_endpoint"], format!("{base}/oauth2/authorize"));
        assert_eq!(found["token_endpoint"], format!("{base}/oauth2/token"));
        assert_eq!(found["issuer"], format!("{base}/us-east-1_a"));
        assert_eq!(found["management_endpoint"], "https://apps.example.org/", "it is not played here");
        let found = document(&place.emulator, &format!("{root}metadata"), &headers).await;
        assert_eq!(found["implementation"]["url"], format!("{base}{root}"));
        let uris = &found["rest"][0]["security"]["extension"][0]["extension"];
        assert_eq!(uris[0]["valueUri"], format!("{base}/oauth2/authorize"));
        assert!(!found.to_string().contains("amazoncognito.com"));
    }
}

#[tokio::test]
async fn under_awss_own_name_addresses_are_awss() {
    let place = smart().await;
    let headers = [("host", "healthlake.us-east-1.amazonaws.com")];
    let root = format!("/datastore/{}/r4/", place.store);
    let found = document(&place.emulator, &format!("{root}.well-known/smart-configuration"), &headers).await;
    assert_eq!(found["token_endpoint"], "https://smart.auth.us-east-1.amazoncognito.com/oauth2/token");
    let found = document(&place.emulator, &format!("{root}metadata"), &headers).await;
    assert_eq!(found["implementation"]["url"], format!("https://healthlake.us-east-1.amazonaws.com{root}"));
}

#[tokio::test]
async fn a_token_has_the_issuer_that_the_configuration_names_at_the_same_host() {
    let emulator = open();
    let stack = Stack::new(&emulator).await;
    let mut browser = Browser::default();
    let page = browser.get(&emulator, &login(&stack)).await;
    let form = [("_csrf", hidden(&page)), ("username", "alice".to_owned()), ("password", PASSWORD.to_owned())];
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let code = code(&browser.post(&emulator, &login(&stack), &form).await);
    let (status, tokens) = exchange(&emulator, &stack, &code).await;
    assert_eq!(status, 200, "{tokens}");
    let path = format!("/{}/.well-known/openid-configuration", stack.pool);
    let here = document(&emulator, &path, &[("host", "127.0.0.1:1")]).await;
    assert_eq!(here["issuer"], format!("http://127.0.0.1:1/{}", stack.pool));
    assert_eq!(claims(tokens["access_token"].as_str().unwrap())["iss"], here["issuer"]);
    let aws = document(&emulator, &path, &[("host", "cognito-idp.us-east-1.amazonaws.com")]).await;
    assert_eq!(aws["issuer"], format!("https://cognito-idp.us-east-1.amazonaws.com/{}", stack.pool));
    // The pool knows the token again under whatever name it is asked.
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let sub = &claims(tokens["access_token"].as_str().unwrap())["sub"];
    for host in ["127.0.0.1:1", "localhost:2", "smart.auth.us-east-1.amazoncognito.com"] {
        let headers = [("host", host), ("authorization", &bearer)];
        let answer = get(&emulator, "/oauth2/userInfo", &headers).await;
        let reported: Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!((answer.status().as_u16(), &reported["sub"]), (200, sub), "{host}: {reported}");
    }
    let mut altered = bearer.clone();
    altered.truncate(bearer.len() - 2);
    let refused = get(&emulator, "/oauth2/userInfo", &[("host", "127.0.0.1:1"), ("authorization", &altered)]).await;
    assert_eq!(refused.status(), 401);
}

#[tokio::test]
async fn a_function_is_given_a_token_as_aws_would_have_issued_it_with_its_scheme_or_without() {
    let emulator = open();
    let stack = Stack::new(&emulator).await;
    let code = sign_in(&emulator, &stack).await;
    let (_, tokens) = exchange(&emulator, &stack, &code).await;
    let token = tokens["access_token"].as_str().unwrap();
    let client = lambda::create(&emulator, "fn", Runtime::Python312, &[("app.py", lambda::CODE)]).await;
    let issuer = format!("https://cognito-idp.us-east-1.amazonaws.com/{}", stack.pool);
    for scheme in ["", "Bearer ", "bearer ", "BEARER   "] {
        let event = json!({"bearerToken": format!("{scheme}{token}")}).to_string();
        let (error, answer) = lambda::ask(&client, "fn", &event).await;
        assert_eq!(error, None, "{answer}");
        let given = answer["event"]["bearerToken"].as_str().unwrap();
        let given = given.strip_prefix(scheme).unwrap();
        let mut wanted = claims(token);
        wanted["iss"] = json!(issuer);
        assert_eq!(claims(given), wanted, "{scheme:?}");
        assert_ne!(given.rsplit('.').next(), token.rsplit('.').next(), "it is signed again");
    }
    for other in ["Basic ", "Bearer"] {
        let event = json!({"bearerToken": format!("{other}{token}")}).to_string();
        let (_, answer) = lambda::ask(&client, "fn", &event).await;
        assert_eq!(answer["event"]["bearerToken"], format!("{other}{token}"), "it is no bearer token");
    }
}

#[tokio::test]
async fn two_pools_on_one_host_keep_their_sessions_apart() {
    let emulator = open();
    let (one, other) = (Stack::new(&emulator).await, Stack::at(&emulator, "other").await);
    let mut browser = Browser::default();
    for stack in [&one, &other] {
        let page = browser.get(&emulator, &login(stack)).await;
        let token = hidden(&page);
        let form = [("_csrf", token.as_str()), ("username", "alice"), ("password", PASSWORD)];
        code(&browser.post(&emulator, &login(stack), &form).await);
    }
    for stack in [&one, &other] {
        let again = browser.get(&emulator, &login(stack).replace("/login", "/oauth2/authorize")).await;
        let location = again.headers()["location"].to_str().unwrap();
        assert!(location.starts_with(CALLBACK), "still signed in: {location}");
    }
}

#[tokio::test]
async fn a_log_in_page_leads_nowhere_but_back() {
    let emulator = open();
    let stack = Stack::new(&emulator).await;
    let path = login(&stack);
    let page = get(&emulator, &path, &[("host", "127.0.0.1:1"), ("x-forwarded-prefix", "/aws")]).await;
    let html = String::from_utf8_lossy(page.body()).into_owned();
    assert!(html.contains("<form method=\"post\" action=\"/aws/login?"), "{html}");
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    let wanted = "form-action 'self' http://localhost:* http://127.0.0.1:* https://localhost";
    assert!(policy.ends_with(wanted), "{policy}");
    let authorize = path.replace("/login", "/oauth2/authorize");
    let sent = get(&emulator, &authorize, &[("host", "127.0.0.1:1"), ("x-forwarded-prefix", "/aws")]).await;
    assert!(sent.headers()["location"].to_str().unwrap().starts_with("/aws/login?"));
}
