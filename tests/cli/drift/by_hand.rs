//! Every kind of change that somebody can make by hand, one after another: it must be seen where it was made and nowhere
//! else, and then be repaired, refused or left alone, as it says here.

mod buckets;
mod doors;
mod functions;
mod keys;
mod pools;
mod roles;
mod stores;

use std::collections::BTreeMap;

use super::world::World;
use super::{is_clean, verdicts};
use crate::support::{Ended, Place, call, each, rule};

/// What becomes of it.
enum Then {
    /// An apply changes it back.
    PutBack,
    /// An apply does nothing about it, and it is reported again.
    LeftAlone,
    /// Every apply is refused with this exit code and these words, and changes nothing.
    Refused(i32, &'static str),
    /// It is no drift.
    Nothing,
}
use Then::{LeftAlone, Nothing, PutBack, Refused};

struct Case {
    example: &'static str,
    what: &'static str,
    by_hand: fn(&World<'_>),
    seen: &'static [(&'static str, &'static str)],
    then: Then,
}

const fn minimal(
    what: &'static str,
    by_hand: fn(&World<'_>),
    seen: &'static [(&'static str, &'static str)],
    then: Then,
) -> Case {
    Case { example: "minimal", what, by_hand, seen, then }
}

const fn smart(
    what: &'static str,
    by_hand: fn(&World<'_>),
    seen: &'static [(&'static str, &'static str)],
    then: Then,
) -> Case {
    Case { example: "smart", what, by_hand, seen, then }
}

const STORE: &str = "healthlake_fhir_datastore.this";
const KEY: &str = "kms_key.s3";
const DATA: &str = "s3_bucket.data";
const ROLE: &str = "iam_role.healthlake";
const POLICY: &str = "iam_policy.healthlake";
const POOL: &str = "cognito_user_pool.main";
const CLIENT: &str = "cognito_user_pool_client.client";
const FUNCTION: &str = "lambda_function.token_validator";
const LOGS: &str = "cloudwatch_log_group.token_validator";
const ALICE: &str = r#"cognito_user.test_users["alice"]"#;

fn expected(case: &Case) -> BTreeMap<String, String> {
    case.seen.iter().map(|(address, verdict)| ((*address).to_owned(), (*verdict).to_owned())).collect()
}

fn look(place: &Place, case: &Case) -> Ended {
    let drift = place.run(["drift", "--json", "--no-trail"]).ends();
    let code = if case.seen.is_empty() { 0 } else { 2 };
    assert_eq!(drift.code, code, "{}: {drift}", case.what);
    assert_eq!(verdicts(&drift.json()), expected(case), "{}: {drift}", case.what);
    drift
}

fn applied(example: &str) -> Place {
    let place = Place::quick(example);
    place.apply();
    is_clean(&place, example);
    place
}

/// What an apply puts back is done to one stack, one thing after another; what stays needs a stack of its own.
fn attempt_all(cases: &[Case]) {
    let (put_back, others): (Vec<&Case>, Vec<&Case>) = cases.iter().partition(|case| matches!(case.then, PutBack));
    for example in ["minimal", "smart"] {
        let put_back: Vec<&&Case> = put_back.iter().filter(|case| case.example == example).collect();
        if !put_back.is_empty() {
            let place = applied(example);
            put_back.into_iter().for_each(|case| attempt(&place, case));
        }
    }
    each(others, |case| attempt(&applied(case.example), case));
}

fn attempt(place: &Place, case: &Case) {
    let what = case.what;
    (case.by_hand)(&World::of(place));
    look(place, case);
    match case.then {
        PutBack => {
            place.apply();
            is_clean(place, what);
        }
        Nothing => is_clean(place, what),
        LeftAlone => {
            place.cloud().emulator.clear_requests();
            place.apply();
            assert_eq!(place.cloud().mutations(), Vec::<String>::new(), "{what}");
            look(place, case);
        }
        Refused(code, words) => {
            place.cloud().emulator.clear_requests();
            let refused = place.run(["apply", "-y"]).ends();
            assert_eq!(refused.code, code, "{what}: {refused}");
            refused.says(words);
            assert_eq!(place.cloud().mutations(), Vec::<String>::new(), "{what}");
        }
    }
}

#[test]
fn what_is_done_to_a_store_is_seen_and_repaired() {
    attempt_all(stores::CASES);
}

#[test]
fn what_is_done_to_a_key_is_seen_and_put_back_unless_its_end_was_ordered() {
    attempt_all(keys::CASES);
}

#[test]
fn what_is_done_to_a_bucket_is_seen_and_put_back_unless_another_has_it() {
    attempt_all(buckets::CASES);
}

#[test]
fn what_is_done_to_roles_and_policies_is_seen_and_put_back_or_left_to_those_who_did_it() {
    attempt_all(roles::CASES);
}

#[test]
fn what_is_done_to_a_user_pool_is_seen_and_put_back_or_left_to_those_who_did_it() {
    attempt_all(pools::CASES);
}

#[test]
fn what_is_done_to_the_function_is_seen_and_put_back_or_left_to_those_who_did_it() {
    attempt_all(functions::CASES);
}

#[test]
fn what_hlctl_does_not_set_is_watched_and_left_to_those_who_did_it() {
    attempt_all(doors::CASES);
}

#[test]
fn what_is_watched_is_accepted_by_a_refresh_and_its_end_is_seen() {
    let place = applied("minimal");
    let world = World::of(&place);
    let pay = |payer| {
        let configuration = aws_sdk_s3::types::RequestPaymentConfiguration::builder().payer(payer).build().unwrap();
        let put = world.s3.put_bucket_request_payment().bucket(world.data());
        call(put.request_payment_configuration(configuration).send()).unwrap();
    };
    pay(aws_sdk_s3::types::Payer::Requester);
    let tells = |arguments: &[&str], code, text: &str| {
        let ended = place.run(arguments.iter().copied()).exits(code);
        assert!(ended.stdout.contains(text), "{text:?} is not in\n{ended}");
    };
    tells(&["drift", "--no-trail"], 2, "watched[GetBucketRequestPayment.Payer]");
    tells(&["plan"], 0, "GetBucketRequestPayment.Payer");
    place.run(["apply", "-y", "--refresh-only"]).exits(0);
    is_clean(&place, "a change that was accepted");
    pay(aws_sdk_s3::types::Payer::BucketOwner);
    tells(&["drift", "--no-trail"], 2, "watched[GetBucketRequestPayment.Payer]");
}

#[test]
fn what_may_not_be_looked_at_fails_no_plan_and_is_named() {
    let place = applied("minimal");
    place.cloud().emulator.set_faults(r#"{"deny": ["s3:GetReplicationConfiguration"]}"#.parse().unwrap());
    place.run(["plan"]).exits(0);
    let drift = place.run(["drift", "--no-trail"]).exits(0);
    for text in ["s3_bucket.data: not looked at: GetBucketReplication", "2 partly checked, 17 clean"] {
        assert!(drift.stdout.contains(text), "{text:?} is not in\n{drift}");
    }
    let doctor = place.run(["doctor"]).exits(0);
    assert!(doctor.stdout.contains("not looked at: GetBucketReplication"), "{doctor}");
}

#[test]
fn a_service_that_fails_at_what_is_only_watched_does_not_hold_up_a_plan() {
    let place = applied("minimal");
    let fails = || hlctl_emulator::Action::Error { code: "InternalError".into(), message: "no".into(), status: 500 };
    place.cloud().rules([rule("GetBucketReplication", None, fails())]);
    place.cloud().emulator.clear_requests();
    place.run(["plan"]).exits(0);
    let requests = place.cloud().requests();
    let asked = requests.iter().filter(|record| record.operation == "GetBucketReplication").count();
    // Pauses of a second in all, which at least double, leave room for five attempts for each of the two buckets.
    assert!((2..=12).contains(&asked), "it was asked for {asked} times");
}

#[test]
fn a_bucket_that_another_account_has_taken_cannot_be_read_and_nothing_is_touched() {
    let place = Place::quick("minimal");
    place.apply();
    let world = World::of(&place);
    let data = world.data();
    call(world.s3.delete_bucket().bucket(&data).send()).unwrap();
    let theirs = aws_sdk_s3::config::Builder::from(&place.cloud().sdk_as("999999999999", "us-east-1"));
    let theirs = aws_sdk_s3::Client::from_conf(theirs.force_path_style(true).build());
    call(theirs.create_bucket().bucket(&data).send()).unwrap();
    place.cloud().emulator.clear_requests();
    let drift = place.run(["drift", "--json", "--no-trail"]).exits(1).says("s3_bucket.data");
    let found = verdicts(&drift.json());
    assert_eq!(found[DATA], "unreadable", "{drift}");
    place.run(["apply", "-y"]).exits(1).says("either the bucket belongs to another account");
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
}

#[test]
fn an_alias_that_was_repointed_serves_the_version_that_is_wanted_again() {
    let place = Place::quick("smart");
    place.add("lambda_provisioned_concurrency = 1");
    place.apply();
    is_clean(&place, "a stack with an alias");
    let world = World::of(&place);
    let update = world.lambda.update_function_configuration().function_name(world.function()).timeout(9);
    call(update.send()).unwrap();
    let version = call(world.lambda.publish_version().function_name(world.function()).send()).unwrap();
    let point = world.lambda.update_alias().function_name(world.function()).name("live");
    call(point.function_version(version.version().unwrap()).send()).unwrap();
    let drift = place.run(["drift", "--json", "--no-trail"]).exits(2);
    let found: Vec<_> = verdicts(&drift.json()).into_keys().collect();
    assert_eq!(found, ["lambda_alias.token_validator", FUNCTION]);
    place.apply();
    is_clean(&place, "an alias that was repointed");
}

#[test]
fn a_pool_that_was_deleted_is_made_again_and_everything_learns_its_new_name() {
    let place = Place::quick("smart");
    place.apply();
    let world = World::of(&place);
    let pool = world.pool();
    call(world.cognito.delete_user_pool_domain().domain("example-fhir-smart").user_pool_id(&pool).send()).unwrap();
    call(world.cognito.delete_user_pool().user_pool_id(&pool).send()).unwrap();
    let drift = place.run(["drift", "--json", "--no-trail"]).exits(2);
    let found = verdicts(&drift.json());
    assert!(found.keys().all(|address| address.starts_with("cognito_")), "{drift}");
    assert!(found.values().all(|verdict| verdict == "missing"), "{drift}");
    assert_eq!(found.len(), 8, "{drift}");
    place.apply();
    assert_ne!(world.pool(), pool);
    is_clean(&place, "a new pool");
}
