//! When the key set is fetched, and what holds while it cannot be. No test waits: the time of the requests is an argument, and
//! tokio's own is paused.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hlctl_authorizer::{Authorizer, FETCH_LIMIT, FetchError, Refusal};
use serde_json::json;

use crate::support::keys::{POOL, ROTATED, set};
use crate::support::source::{Reply, Script};
use crate::support::token::{claims, header_with, signed, token};
use crate::support::{after, now, refusal_at, settings};

fn of_rotated() -> String {
    signed(&header_with(json!({ "kid": ROTATED.id })), &claims().to_string(), &ROTATED)
}

fn of_unheard(key_id: &str) -> String {
    signed(&header_with(json!({ "kid": key_id })), &claims().to_string(), &POOL)
}

fn seconds(passed: f64) -> std::time::SystemTime {
    after(Duration::from_secs_f64(passed))
}

#[tokio::test]
async fn keys_are_fetched_once_for_many_tokens() {
    let keys = Script::new(Reply::Set(set(&[POOL.jwk()])));
    let authorizer = Authorizer::new(settings(&[]), &keys);
    authorizer.warm_up(now()).await.unwrap();
    for passed in 0..3500 {
        assert_eq!(refusal_at(&authorizer, &token(&claims()), seconds(passed.into())).await, None);
    }
    assert_eq!(keys.asked(), 1);
}

#[tokio::test]
async fn keys_of_the_settings_need_no_fetch_at_all() {
    let keys = Script::new(Reply::Fails(FetchError::Unreachable));
    let authorizer = Authorizer::new(settings(&[("JWKS", &set(&[POOL.jwk()]))]), &keys);
    authorizer.warm_up(now()).await.unwrap();
    assert_eq!(refusal_at(&authorizer, &token(&claims()), now()).await, None);
    assert_eq!(keys.asked(), 0);
}

#[tokio::test]
async fn a_rotation_is_noticed_at_the_first_token_of_the_new_key() {
    let keys = Script::new(Reply::Set(set(&[ROTATED.jwk()])));
    let authorizer = Authorizer::new(settings(&[("JWKS", &set(&[POOL.jwk()]))]), &keys);
    assert_eq!(refusal_at(&authorizer, &token(&claims()), now()).await, None);
    assert_eq!(refusal_at(&authorizer, &of_rotated(), now()).await, None);
    assert_eq!(refusal_at(&authorizer, &token(&claims()), now()).await, Some(Refusal::UnknownKey), "a withdrawn key");
    assert_eq!(keys.asked(), 1);
}

#[tokio::test]
async fn unknown_keys_lead_to_one_fetch_a_minute() {
    let keys = Script::new(Reply::Set(set(&[POOL.jwk()])));
    let authorizer = Authorizer::new(settings(&[]), &keys);
    authorizer.warm_up(now()).await.unwrap();
    for passed in 0..600 {
        let unheard = of_unheard(&format!("made-up-{passed}"));
        assert_eq!(refusal_at(&authorizer, &unheard, seconds(passed.into())).await, Some(Refusal::UnknownKey));
    }
    assert_eq!(keys.asked(), 10);
    keys.replies(Reply::Set(set(&[ROTATED.jwk()])));
    assert_eq!(refusal_at(&authorizer, &of_rotated(), seconds(599.9)).await, Some(Refusal::UnknownKey));
    assert_eq!(refusal_at(&authorizer, &of_rotated(), seconds(600.0)).await, None);
}

#[tokio::test]
async fn impossible_key_ids_lead_to_no_fetch() {
    let keys = Script::new(Reply::Set(set(&[POOL.jwk()])));
    let authorizer = Authorizer::new(settings(&[("JWKS", &set(&[POOL.jwk()]))]), &keys);
    for id in ["", &"k".repeat(257)] {
        assert_eq!(refusal_at(&authorizer, &of_unheard(id), now()).await, Some(Refusal::UnknownKey));
    }
    assert_eq!(keys.asked(), 0);
}

#[tokio::test]
async fn the_first_request_tries_again_what_the_initialisation_could_not_fetch() {
    let keys = Script::new(Reply::Fails(FetchError::Status(500)));
    let authorizer = Authorizer::new(settings(&[]), &keys);
    assert_eq!(authorizer.warm_up(now()).await, Err(FetchError::Status(500)));
    keys.replies(Reply::Set(set(&[POOL.jwk()])));
    assert_eq!(refusal_at(&authorizer, &token(&claims()), now()).await, None);
}

#[tokio::test]
async fn without_any_keys_a_fetch_is_tried_each_second() {
    let keys = Script::new(Reply::Fails(FetchError::Unreachable));
    let authorizer = Authorizer::new(settings(&[]), &keys);
    for tenth in 0..30 {
        let refusal = refusal_at(&authorizer, &token(&claims()), seconds(f64::from(tenth) / 10.0)).await;
        assert_eq!(refusal, Some(Refusal::KeysUnavailable));
    }
    assert_eq!(keys.asked(), 3);
    keys.replies(Reply::Set(set(&[POOL.jwk()])));
    assert_eq!(refusal_at(&authorizer, &token(&claims()), seconds(3.0)).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_hangs_is_given_up_and_known_keys_stay_good() {
    let keys = Script::new(Reply::Hangs);
    let authorizer = Authorizer::new(settings(&[("JWKS", &set(&[POOL.jwk()]))]), &keys);
    let begun = tokio::time::Instant::now();
    assert_eq!(refusal_at(&authorizer, &of_rotated(), now()).await, Some(Refusal::KeysUnavailable));
    assert_eq!(begun.elapsed().as_millis(), FETCH_LIMIT.as_millis());
    assert_eq!(refusal_at(&authorizer, &token(&claims()), now()).await, None);
    assert_eq!(refusal_at(&authorizer, &of_rotated(), seconds(59.0)).await, Some(Refusal::KeysUnavailable));
    assert_eq!(begun.elapsed().as_millis(), FETCH_LIMIT.as_millis(), "nobody waits before a minute has passed");
}

#[tokio::test(start_paused = true)]
async fn an_initialisation_ends_in_time_though_the_source_hangs() {
    let keys = Script::new(Reply::Hangs);
    let authorizer = Authorizer::new(settings(&[]), &keys);
    let begun = tokio::time::Instant::now();
    assert_eq!(authorizer.warm_up(now()).await, Err(FetchError::TimedOut));
    assert_eq!(refusal_at(&authorizer, &token(&claims()), now()).await, Some(Refusal::KeysUnavailable));
    assert_eq!(begun.elapsed().as_millis(), 2 * FETCH_LIMIT.as_millis(), "less than HealthLake's second");
}

#[tokio::test(start_paused = true)]
async fn requests_at_the_same_time_share_a_fetch_and_do_not_hold_up_the_others() {
    let keys = Script::new(Reply::Hangs);
    let authorizer = Authorizer::new(settings(&[("JWKS", &set(&[POOL.jwk()]))]), &keys);
    let begun = tokio::time::Instant::now();
    let (rotated, held) = (of_rotated(), token(&claims()));
    let known = async {
        let refusal = refusal_at(&authorizer, &held, now()).await;
        (refusal, begun.elapsed().as_millis())
    };
    let (first, second, third) =
        tokio::join!(refusal_at(&authorizer, &rotated, now()), refusal_at(&authorizer, &rotated, now()), known);
    assert_eq!((first, second), (Some(Refusal::KeysUnavailable), Some(Refusal::KeysUnavailable)));
    assert_eq!(third, (None, 0));
    assert_eq!((keys.asked(), begun.elapsed().as_millis()), (1, FETCH_LIMIT.as_millis()));
}

#[tokio::test]
async fn what_is_no_key_set_leaves_the_held_keys() {
    let wrong =
        ["<!doctype html><p>busy</p>", "", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[]}"#, r#"{"keys":[{}, 7]}"#];
    for reply in wrong {
        let keys = Script::new(Reply::Set(reply.to_owned()));
        let authorizer = Authorizer::new(settings(&[("JWKS", &set(&[POOL.jwk()]))]), &keys);
        let refusal = refusal_at(&authorizer, &of_rotated(), now()).await;
        assert_eq!(refusal, Some(Refusal::KeysUnavailable), "{reply}");
        assert_eq!(refusal_at(&authorizer, &token(&claims()), now()).await, None, "{reply}");
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_stop_fetches() {
    let keys = Script::new(Reply::Set(set(&[POOL.jwk()])));
    let authorizer = Authorizer::new(settings(&[("JWKS", &set(&[POOL.jwk()]))]), &keys);
    assert_eq!(refusal_at(&authorizer, &of_rotated(), seconds(600.0)).await, Some(Refusal::UnknownKey));
    keys.replies(Reply::Set(set(&[ROTATED.jwk()])));
    assert_eq!(refusal_at(&authorizer, &of_rotated(), now()).await, None);
}

#[tokio::test]
async fn keys_that_are_not_for_rs256_signatures_or_too_weak_are_passed_over() {
    let changes = [
        json!({ "use": "enc" }),
        json!({ "alg": "RS384" }),
        json!({ "alg": "PS256" }),
        json!({ "kty": "EC" }),
        json!({ "kty": "oct" }),
        json!({ "n": "AQAB" }),
        json!({ "n": "x".repeat(170) }),
        json!({ "n": "not base64!" }),
        json!({ "e": 65537 }),
        json!({ "kid": null }),
        json!({ "kid": 1 }),
    ];
    for change in changes {
        let mut key = POOL.jwk();
        key.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let keys = Script::new(Reply::Set(set(&[key, ROTATED.jwk()])));
        let authorizer = Authorizer::new(settings(&[]), &keys);
        let refusal = refusal_at(&authorizer, &token(&claims()), now()).await;
        assert_eq!(refusal, Some(Refusal::UnknownKey), "{change}");
        assert_eq!(refusal_at(&authorizer, &of_rotated(), now()).await, None, "the good key beside {change}");
    }
}

#[tokio::test]
async fn a_key_may_leave_out_what_it_is_for() {
    let mut key = POOL.jwk();
    key.as_object_mut().unwrap().retain(|name, _| !["use", "alg"].contains(&name.as_str()));
    let keys = Script::new(Reply::Set(set(&[key])));
    let authorizer = Authorizer::new(settings(&[]), &keys);
    assert_eq!(refusal_at(&authorizer, &token(&claims()), now()).await, None);
}

#[tokio::test]
async fn a_key_may_be_written_with_its_sign() {
    let mut key = POOL.jwk();
    key["n"] = URL_SAFE_NO_PAD.encode([vec![0], POOL.public().n].concat()).into();
    let keys = Script::new(Reply::Set(set(&[key])));
    let authorizer = Authorizer::new(settings(&[]), &keys);
    assert_eq!(refusal_at(&authorizer, &token(&claims()), now()).await, None);
}
