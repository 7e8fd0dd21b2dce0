use std::time::Duration;

use bytes::Bytes;
use hlctl_emulator::Emulator;
use http::{Request, Response};
use serde_json::Value;

use crate::cognito::{CALLBACK, PASSWORD, Stack};
use crate::{open, operations, still_options};

/// A browser that was here before: it has the cookies of its last answer.
#[derive(Default)]
pub(crate) struct Browser {
    cookies: Vec<String>,
}

impl Browser {
    pub(crate) async fn get(&mut self, emulator: &Emulator, path: &str) -> Response<Bytes> {
        self.send(emulator, Request::get(path), String::new()).await
    }

    pub(crate) async fn post(&mut self, emulator: &Emulator, path: &str, form: &[(&str, &str)]) -> Response<Bytes> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.send(emulator, Request::post(path), body).await
    }

    async fn send(&mut self, emulator: &Emulator, request: http::request::Builder, body: String) -> Response<Bytes> {
        let request = request.header("host", "127.0.0.1:1").header("cookie", self.cookies.join("; "));
        let answer = emulator.handle(request.body(body.into()).unwrap()).await.unwrap();
        for cookie in answer.headers().get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let name = pair.split('=').next().unwrap();
            self.cookies.retain(|old| !old.starts_with(&format!("{name}=")));
            self.cookies.push(pair.to_owned());
        }
        answer
    }
}

pub(crate) fn login(stack: &Stack) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("response_type", "code").append_pair("client_id", &stack.client);
    query.append_pair("redirect_uri", CALLBACK).append_pair("state", "s");
    format!("/login?{}", query.finish())
}

/// The value of the hidden field.
pub(crate) fn hidden(page: &Response<Bytes>) -> String {
    let text = String::from_utf8_lossy(page.body()).into_owned();
    let rest = text.split("name=\"_csrf\" value=\"").nth(1).unwrap_or_else(|| panic!("no form in {text}"));
    rest.split('"').next().unwrap().to_owned()
}

pub(crate) fn code(answer: &Response<Bytes>) -> String {
    let location = answer.headers()["location"].to_str().unwrap();
    let query = location.strip_prefix(CALLBACK).and_then(|rest| rest.strip_prefix('?')).unwrap();
    form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "code").unwrap().1.into_owned()
}

pub(crate) async fn sign_in(emulator: &Emulator, stack: &Stack) -> String {
    let mut browser = Browser::default();
    let page = browser.get(emulator, &login(stack)).await;
    let form = [("_csrf", hidden(&page)), ("username", "alice".to_owned()), ("password", PASSWORD.to_owned())];
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    code(&browser.post(emulator, &login(stack), &form).await)
}

pub(crate) async fn exchange(emulator: &Emulator, stack: &Stack, code: &str) -> (u16, Value) {
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", stack.client.as_str()),
        ("redirect_uri", CALLBACK),
        ("code", code),
    ];
    let answer = Browser::default().post(emulator, "/oauth2/token", &form).await;
    (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap())
}

#[tokio::test]
async fn a_code_is_good_for_five_minutes_and_once() {
    let (options, clock) = still_options();
    let emulator = Emulator::open(options).unwrap();
    let stack = Stack::new(&emulator).await;
    let (first, second) = (sign_in(&emulator, &stack).await, sign_in(&emulator, &stack).await);
    clock.advance(Duration::from_secs(299));
    let (status, tokens) = exchange(&emulator, &stack, &first).await;
    assert_eq!((status, tokens["expires_in"].as_u64()), (200, Some(3600)), "{tokens}");
    assert_eq!(exchange(&emulator, &stack, &first).await.1["error"], "invalid_grant");
    clock.advance(Duration::from_secs(1));
    assert_eq!(exchange(&emulator, &stack, &second).await.1["error"], "invalid_grant");
}

#[tokio::test]
async fn a_form_is_good_for_ten_minutes() {
    let (options, clock) = still_options();
    let emulator = Emulator::open(options).unwrap();
    let stack = Stack::new(&emulator).await;
    let mut browser = Browser::default();
    let page = browser.get(&emulator, &login(&stack)).await;
    clock.advance(Duration::from_secs(600));
    let form = [("_csrf", hidden(&page)), ("username", "alice".to_owned()), ("password", PASSWORD.to_owned())];
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = browser.post(&emulator, &login(&stack), &form).await;
    assert_eq!(answer.status(), 400);
    assert!(String::from_utf8_lossy(answer.body()).contains("expired"));
}

#[tokio::test]
async fn a_browser_stays_signed_in_for_an_hour_and_the_token_says_since_when() {
    let (options, clock) = still_options();
    let emulator = Emulator::open(options).unwrap();
    let stack = Stack::new(&emulator).await;
    let mut browser = Browser::default();
    let page = browser.get(&emulator, &login(&stack)).await;
    let token = hidden(&page);
    let form = [("_csrf", token.as_str()), ("username", "alice"), ("password", PASSWORD)];
    code(&browser.post(&emulator, &login(&stack), &form).await);
    clock.advance(Duration::from_secs(3599));
    let authorize = login(&stack).replace("/login", "/oauth2/authorize");
    let code = code(&browser.get(&emulator, &authorize).await);
    let (_, tokens) = exchange(&emulator, &stack, &code).await;
    let claims = claims(tokens["access_token"].as_str().unwrap());
    assert_eq!(claims["iat"].as_i64().unwrap() - claims["auth_time"].as_i64().unwrap(), 3599);
    clock.advance(Duration::from_secs(1));
    let answer = browser.get(&emulator, &authorize).await;
    assert!(answer.headers()["location"].to_str().unwrap().starts_with("/login?"));
}

pub(crate) fn claims(token: &str) -> Value {
    use base64::Engine as _;
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn pages_and_endpoints_can_be_made_to_fail_and_are_recorded() {
    let emulator = open();
    let stack = Stack::new(&emulator).await;
    emulator.clear_requests();
    emulator.set_faults(
        r#"{"rules":[{"operation":"Jwks","nth":1,"action":"html"},{"operation":"Token","action":"drop_before"}]}"#
            .parse()
            .unwrap(),
    );
    let mut browser = Browser::default();
    let keys = format!("/{}/.well-known/jwks.json", stack.pool);
    assert!(String::from_utf8_lossy(browser.get(&emulator, &keys).await.body()).contains("<html>"));
    let set: Value = serde_json::from_slice(browser.get(&emulator, &keys).await.body()).unwrap();
    assert_eq!(set["keys"].as_array().unwrap().len(), 2);
    let request = Request::post("/oauth2/token").body(Bytes::new()).unwrap();
    assert!(emulator.handle(request).await.is_err());
    browser.get(&emulator, &login(&stack)).await;
    assert_eq!(operations(&emulator), ["Jwks", "Jwks", "Token", "Login"]);
    assert!(emulator.requests().iter().all(|record| record.service == "cognito-idp"));
}
