//! What is answered to tokens that are good.

use std::time::Duration;

use hlctl_authorizer::{Authorizer, Event, Refusal};
use serde_json::{Value, json};

use crate::support::keys::{POOL, set};
use crate::support::source::{Reply, Script};
use crate::support::token::{claims, claims_with, header_with, signed, token};
use crate::support::{ENDPOINT, ISSUER, MACHINE_CLIENT, NOW, ROLE, after, answer, event, now, refusal_at, settings};

/// The answer under these settings to a token of these claims.
async fn answer_to(changes: &[(&str, &str)], claims: &Value) -> Value {
    let keys = Script::new(Reply::Set(set(&[POOL.jwk()])));
    answer(&Authorizer::new(settings(changes), &keys), &token(claims)).await
}

#[tokio::test]
async fn a_good_token_opens_the_store_in_the_form_that_healthlake_wants() {
    let expected = json!({
        "authPayload": {
            "iss": ISSUER,
            "aud": ENDPOINT,
            "iat": NOW - 60,
            "nbf": NOW - 60,
            "exp": NOW + 3600,
            "isAuthorized": true,
            "uid": "aaaaaaaa-bbbb-cccc-dddd-example",
            "scope": "openid launch/patient patient/*.read",
        },
        "iamRoleARN": ROLE,
    });
    assert_eq!(answer_to(&[], &claims()).await, expected);
}

#[tokio::test]
async fn a_refusal_says_its_code_and_nothing_else() {
    let refused = answer_to(&[], &claims_with(json!({ "exp": NOW - 1 }))).await;
    assert_eq!(refused, json!({ "authPayload": { "isAuthorized": false, "error": "expired" } }));
}

#[tokio::test]
async fn is_authorized_can_be_text_as_in_the_modules_function() {
    let text = [("IS_AUTHORIZED_FORMAT", "string")];
    assert_eq!(answer_to(&text, &claims()).await["authPayload"]["isAuthorized"], "true");
    assert_eq!(answer_to(&text, &json!({})).await["authPayload"]["isAuthorized"], "false");
}

#[tokio::test]
async fn the_machine_client_is_accepted_where_there_is_one() {
    let of_machine = claims_with(json!({ "client_id": MACHINE_CLIENT, "scope": "system/*.read" }));
    assert_eq!(answer_to(&[], &of_machine).await["authPayload"]["isAuthorized"], true);
    let without = [("MACHINE_CLIENT_ID", "")];
    assert_eq!(answer_to(&without, &of_machine).await["authPayload"]["error"], "wrong_client");
}

#[tokio::test]
async fn a_not_before_of_the_token_is_handed_on() {
    let later = answer_to(&[], &claims_with(json!({ "nbf": NOW - 30 }))).await;
    assert_eq!(later["authPayload"]["nbf"], NOW - 30);
}

#[tokio::test]
async fn the_user_is_named_where_there_is_no_subject() {
    let named = answer_to(&[], &claims_with(json!({ "sub": null }))).await;
    assert_eq!(named["authPayload"]["uid"], "alice");
}

#[tokio::test]
async fn scopes_are_handed_on_unchanged_known_or_not() {
    let scope = "user/Observation.rs?category=laboratory  fhirUser unheard.of system/*.cruds";
    let handed_on = answer_to(&[], &claims_with(json!({ "scope": scope }))).await;
    assert_eq!(handed_on["authPayload"]["scope"], scope);
}

#[tokio::test]
async fn an_issuer_of_its_own_can_be_set() {
    let issuer = [("ISSUER", "http://127.0.0.1:4566/us-east-1_aBcDeFgHi")];
    let own = claims_with(json!({ "iss": "http://127.0.0.1:4566/us-east-1_aBcDeFgHi" }));
    assert_eq!(answer_to(&issuer, &own).await["authPayload"]["isAuthorized"], true);
    assert_eq!(answer_to(&issuer, &claims()).await["authPayload"]["error"], "wrong_issuer");
}

#[tokio::test]
async fn a_token_is_good_until_the_second_in_which_it_expires() {
    let keys = Script::new(Reply::Set(set(&[POOL.jwk()])));
    let authorizer = Authorizer::new(settings(&[]), &keys);
    let token = token(&claims());
    assert_eq!(refusal_at(&authorizer, &token, after(Duration::from_secs(3599))).await, None);
    assert_eq!(refusal_at(&authorizer, &token, after(Duration::from_secs(3600))).await, Some(Refusal::Expired));
}

#[tokio::test]
async fn a_token_may_be_ahead_of_the_clock_by_the_leeway_and_no_more() {
    for (leeway, most) in [("", 5), ("0", 0), ("60", 60)] {
        let settings = [("LEEWAY_SECONDS", leeway)];
        for name in ["iat", "nbf"] {
            let ahead = answer_to(&settings, &claims_with(json!({ name: NOW + most }))).await;
            assert_eq!(ahead["authPayload"]["isAuthorized"], true, "{name} at the end of a leeway of {most} s");
            let too_far = answer_to(&settings, &claims_with(json!({ name: NOW + most + 1 }))).await;
            assert_eq!(too_far["authPayload"]["error"], "not_yet_valid", "{name} beyond a leeway of {most} s");
        }
    }
}

#[tokio::test]
async fn bearer_before_the_token_is_taken_off_in_any_case() {
    let keys = Script::new(Reply::Set(set(&[POOL.jwk()])));
    let authorizer = Authorizer::new(settings(&[]), &keys);
    for prefix in ["Bearer ", "bearer ", "BEARER  "] {
        let answer = authorizer.answer(&event(&format!("{prefix}{}", token(&claims()))), now()).await;
        assert_eq!(answer.refusal(), None, "{prefix:?}");
    }
}

#[tokio::test]
async fn headers_that_say_nothing_about_the_key_do_not_matter() {
    let keys = Script::new(Reply::Set(set(&[POOL.jwk()])));
    let authorizer = Authorizer::new(settings(&[]), &keys);
    let header = header_with(json!({ "typ": "at+jwt", "x5t": "abc", "of_its_own": { "a": [1] } }));
    let token = signed(&header, &claims().to_string(), &POOL);
    assert_eq!(refusal_at(&authorizer, &token, now()).await, None);
}

#[tokio::test]
async fn a_token_for_this_store_opens_it_however_its_address_is_written() {
    let short = ENDPOINT.trim_end_matches('/');
    for audience in [
        json!(ENDPOINT),
        json!(short),
        json!([ENDPOINT]),
        json!([short]),
        json!(["https://other.example.org/", ENDPOINT]),
        json!([short, "https://other.example.org/"]),
        json!(ENDPOINT.replace("https", "HTTPS").replace("healthlake.us", "HealthLake.US")),
        json!(ENDPOINT.replace(".com/", ".com:443/")),
    ] {
        let answer = answer_to(&[], &claims_with(json!({ "aud": audience }))).await;
        assert_eq!(answer["authPayload"]["isAuthorized"], true, "{audience}");
        // HealthLake is answered the endpoint that it asked about, not what the token says.
        assert_eq!(answer["authPayload"]["aud"], ENDPOINT);
    }
}

#[tokio::test]
async fn an_endpoint_without_its_last_slash_is_the_same_store() {
    let keys = Script::new(Reply::Set(set(&[POOL.jwk()])));
    let authorizer = Authorizer::new(settings(&[]), &keys);
    let token = token(&claims_with(json!({ "aud": ENDPOINT })));
    let asked = Event::new(ENDPOINT.trim_end_matches('/'), "ReadResource", &token);
    assert_eq!(authorizer.answer(&asked, now()).await.refusal(), None);
    let other = Event::new(ENDPOINT.replace("0123", "3210"), "ReadResource", &token);
    assert_eq!(authorizer.answer(&other, now()).await.refusal(), Some(Refusal::WrongAudience));
}

#[tokio::test]
async fn an_event_that_lacks_something_is_refused() {
    let keys = Script::new(Reply::Set(set(&[POOL.jwk()])));
    let authorizer = Authorizer::new(settings(&[]), &keys);
    let token = token(&claims());
    let whole = json!({ "datastoreEndpoint": ENDPOINT, "operationName": "ReadResource", "bearerToken": token });
    let mut events = vec![json!(null), json!([whole]), json!("text"), json!(1), json!(true), json!({})];
    for name in ["datastoreEndpoint", "operationName", "bearerToken"] {
        for bad in [json!(null), json!(""), json!(7), json!([ENDPOINT]), json!({ "a": 1 })] {
            let mut event = whole.clone();
            event[name] = bad;
            events.push(event);
        }
    }
    events.push(json!({ "datastoreEndpoint": ENDPOINT, "operationName": "ReadResource", "bearerToken": "Bearer " }));
    for event in events {
        let event: Event = serde_json::from_value(event.clone()).unwrap_or_else(|_| panic!("{event}"));
        assert_eq!(authorizer.answer(&event, now()).await.refusal(), Some(Refusal::MalformedEvent));
    }
    let whole: Event = serde_json::from_value(whole).unwrap();
    assert_eq!(authorizer.answer(&whole, now()).await.refusal(), None);
}
