//! Every request of a run fails once, in every way. What fails is taken from the log of a run without faults.

use std::collections::BTreeMap;

use hlctl_emulator::{Action, Faults, Propagation, Rule};
use serde_json::Value;

use crate::support::{Census, Place, each, is_mutating, rule, snapshot};

const DESTROY: [&str; 4] = ["destroy", "-y", "--allow-destroy", "fhir-minimal"];

/// A request of a run: its service, its operation, and which of that operation's requests it is.
type Request = (String, String, u64);

fn requests(place: &Place) -> Vec<Request> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let number = |record: hlctl_emulator::RequestRecord| {
        let count = counts.entry(record.operation.clone()).or_default();
        *count += 1;
        (record.service, record.operation, *count)
    };
    place.cloud().requests().into_iter().map(number).collect()
}

fn requests_of_apply() -> Vec<Request> {
    let place = Place::quick("minimal");
    place.apply();
    requests(&place)
}

fn applied() -> Place {
    let place = Place::quick("minimal");
    place.apply();
    place.cloud().emulator.clear_requests();
    place
}

fn requests_of_destroy() -> Vec<Request> {
    let place = applied();
    place.run(DESTROY).succeeds();
    requests(&place)
}

/// What makes or ends something that must be there once: all of these fail in every way. Of the others one of each does.
const COUNTED: [&str; 5] = ["CreateKey", "CreateFHIRDatastore", "CreateBucket", "CreateRole", "CreatePolicy"];

fn worth_failing(requests: Vec<Request>) -> Vec<Request> {
    let chosen: Vec<Request> =
        requests.into_iter().filter(|(_, operation, nth)| *nth == 1 || COUNTED.contains(&operation.as_str())).collect();
    assert!(chosen.len() > 15, "the log is too short to be that of a run: {chosen:?}");
    chosen
}

fn changing(requests: Vec<Request>) -> Vec<Request> {
    requests
        .into_iter()
        .filter(|(_, operation, _)| is_mutating(operation) && operation != "GetCallerIdentity")
        .collect()
}

fn is_whole(place: &Place, what: &str) {
    assert_eq!(place.cloud().census(), Census::one_stack(), "{what}");
    place.cloud().heal();
    let plan = place.run(["plan", "--detailed-exitcode"]).ends();
    assert_eq!(plan.code, 0, "{what}: {plan}");
}

fn is_gone(place: &Place, what: &str) {
    assert_eq!(place.cloud().census(), Census::nothing_but_ending_keys(1), "{what}");
    assert_eq!(place.state()["resources"], serde_json::json!({}), "{what}");
}

#[test]
fn a_refused_change_is_reported_in_full_and_the_next_apply_goes_on() {
    each(changing(requests_of_apply()), |(service, operation, nth)| {
        let what = format!("{service}:{operation} {nth}");
        let place = Place::quick("minimal");
        place.cloud().rules([rule(&operation, Some(nth), Action::Deny)]);
        let refused = place.run(["apply", "-y", "--json"]).ends();
        // It may have been refused for its tags alone, so it is asked for once more without them, and tagged afterwards.
        if operation == "CreateBucket" {
            assert_eq!(refused.code, 0, "{what}: {refused}");
            return is_whole(&place, &what);
        }
        assert_eq!(refused.code, 6, "{what}: {refused}");
        let steps = refused.json()["resources"].as_array().unwrap().clone();
        assert_eq!(steps.len(), 19, "{what}: every resource is accounted for");
        let failed: Vec<&Value> = steps.iter().filter(|step| step["status"] == "failed").collect();
        assert_eq!(failed.len(), 1, "{what}: {refused}");
        let skipped = steps.iter().filter(|step| step["status"] == "skipped");
        assert!(skipped.clone().all(|step| step["detail"]["because"].is_string()), "{what}: {refused}");
        let address = failed[0]["address"].as_str().unwrap();
        let refused = refused.says(&format!("error: {address}: {service}:{operation} failed: AccessDenied"));
        let refused = refused.says("(request id ").says("next: allow the action").says("1 failed");
        let reported = refused.stderr.matches(&format!("error: {address}")).count();
        assert_eq!(reported, 1, "{what}: {refused}");
        place.cloud().heal();
        place.apply();
        is_whole(&place, &what);
    });
}

#[test]
fn dependents_of_what_failed_are_named_as_skipped() {
    let place = Place::quick("minimal");
    place.cloud().emulator.set_faults(r#"{"deny": ["kms:CreateKey"]}"#.parse().unwrap());
    let failed = place.run(["apply", "-y", "--parallelism", "1"]).exits(6);
    snapshot("failed_key", &failed.stderr.split_once("unchanged.").unwrap().1);
    assert_eq!(place.cloud().count("CreateFHIRDatastore"), 1, "what does not need the key goes on");
}

#[test]
fn a_refused_deletion_is_reported_in_full_and_the_next_destroy_goes_on() {
    each(changing(requests_of_destroy()), |(service, operation, nth)| {
        let what = format!("{service}:{operation} {nth}");
        let place = applied();
        place.cloud().rules([rule(&operation, Some(nth), Action::Deny)]);
        let refused = place.run(DESTROY).ends();
        assert_eq!(refused.code, 6, "{what}: {refused}");
        let refused = refused.says(&format!(": {service}:{operation} failed: AccessDenied"));
        refused.says("(request id ").says("next: allow the action");
        place.cloud().heal();
        let again = place.run(DESTROY).ends();
        assert_eq!(again.code, 0, "{what}: {again}");
        is_gone(&place, &what);
    });
}

#[test]
fn an_apply_after_a_refused_deletion_makes_the_stack_whole_again() {
    for operation in ["DeleteFHIRDatastore", "DeleteBucket", "DetachRolePolicy"] {
        let place = applied();
        place.cloud().rules([rule(operation, Some(1), Action::Deny)]);
        place.run(DESTROY).exits(6);
        place.cloud().heal();
        place.apply();
        assert_eq!(Census { keys_ending: 0, ..place.cloud().census() }, Census::one_stack(), "{operation}");
        place.run(["plan", "--detailed-exitcode"]).succeeds();
    }
}

fn apply_survives(action: &Action) {
    each(worth_failing(requests_of_apply()), |(service, operation, nth)| {
        let what = format!("{action:?} of {service}:{operation} {nth}");
        let place = Place::quick("minimal");
        place.cloud().rules([rule(&operation, Some(nth), action.clone())]);
        let applied = place.run(["apply", "-y"]).ends();
        assert_eq!(applied.code, 0, "{what}: {applied}");
        assert_eq!(place.cloud().census(), Census::one_stack(), "{what}");
    });
}

fn destroy_survives(action: &Action) {
    each(worth_failing(requests_of_destroy()), |(service, operation, nth)| {
        let what = format!("{action:?} of {service}:{operation} {nth}");
        let place = applied();
        place.cloud().rules([rule(&operation, Some(nth), action.clone())]);
        let destroyed = place.run(DESTROY).ends();
        assert_eq!(destroyed.code, 0, "{what}: {destroyed}");
        is_gone(&place, &what);
    });
}

#[test]
fn an_apply_survives_the_loss_of_any_answer() {
    apply_survives(&Action::DropAfter);
}

#[test]
fn an_apply_survives_the_loss_of_any_request() {
    apply_survives(&Action::DropBefore);
}

#[test]
fn an_apply_survives_throttling_of_any_request() {
    apply_survives(&Action::Throttle);
}

#[test]
fn an_apply_survives_a_failure_of_aws_at_any_request() {
    apply_survives(&Action::ServerError);
}

#[test]
fn a_destroy_survives_the_loss_of_any_answer() {
    destroy_survives(&Action::DropAfter);
}

#[test]
fn a_destroy_survives_throttling_of_any_request() {
    destroy_survives(&Action::Throttle);
}

#[test]
fn an_apply_survives_an_answer_that_is_cut_off_anywhere() {
    apply_survives(&Action::Cut);
}

#[test]
fn a_destroy_survives_an_answer_that_is_cut_off_anywhere() {
    destroy_survives(&Action::Cut);
}

#[test]
fn answers_that_are_cut_off_time_and_again_are_asked_for_once_more() {
    for operation in ["GetRole", "CreateRole", "CreateFHIRDatastore", "DescribeFHIRDatastore"] {
        let place = Place::quick("minimal");
        place.cloud().rules([Rule { times: Some(4), ..rule(operation, None, Action::Cut) }]);
        place.apply();
        is_whole(&place, operation);
    }
}

#[test]
fn a_page_of_html_instead_of_a_new_key_makes_no_second_key() {
    let place = Place::quick("minimal");
    // The key is made and its answer lost; when hlctl looks for it, it is there.
    place.cloud().rules([rule("CreateKey", Some(1), Action::Html), rule("CreateKey", Some(2), Action::DropAfter)]);
    place.apply();
    is_whole(&place, "html");
}

#[test]
fn what_takes_time_to_be_seen_is_waited_for() {
    let place = Place::quick("minimal");
    let propagation = Propagation { iam_ms: 400, kms_ms: 400, s3_ms: 400, ..Propagation::default() };
    place.cloud().emulator.set_faults(Faults { propagation, ..Faults::default() });
    place.apply();
    // What is still on its way is seen at once from here on.
    place.cloud().heal();
    is_whole(&place, "propagation");
}

#[test]
fn a_key_that_was_made_but_cannot_be_seen_yet_is_not_made_twice() {
    let place = Place::quick("minimal");
    let propagation = Propagation { kms_ms: 400, ..Propagation::default() };
    let rules = vec![rule("CreateKey", Some(1), Action::DropAfter)];
    place.cloud().emulator.set_faults(Faults { propagation, rules, ..Faults::default() });
    place.apply();
    // What is still on its way is seen at once from here on.
    place.cloud().heal();
    is_whole(&place, "a key whose answer was lost");
}

#[test]
fn a_replaced_key_whose_answer_was_lost_is_not_taken_for_the_old_one() {
    let place = applied();
    let old = place.state()["resources"]["kms_key.s3"]["recorded"]["arn"].clone();
    place.cloud().rules([rule("CreateKey", Some(1), Action::DropAfter)]);
    place.run(["apply", "-y", "--replace", "kms_key.s3", "--allow-destroy", "kms_key.s3"]).succeeds();
    assert_ne!(place.state()["resources"]["kms_key.s3"]["recorded"]["arn"], old);
    let census = place.cloud().census();
    assert_eq!(census, Census { keys_ending: 1, ..Census::one_stack() });
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn patience_with_throttling_has_an_end_for_every_call_alike() {
    let place = Place::quick("minimal");
    place
        .cloud()
        .emulator
        .set_faults(r#"{"seed": 7, "rules": [{"probability": 0.3, "action": "throttle"}]}"#.parse().unwrap());
    place.apply();
    is_whole(&place, "three in ten requests throttled");
}

#[test]
fn lake_formation_is_explained() {
    let place = Place::quick("minimal");
    let error = r#"{"rules": [{"operation": "CreateFHIRDatastore", "action": {"error": {"code": "AccessDeniedException",
        "message": "Insufficient Lake Formation permission(s): Required Database on Catalog", "status": 400}}}]}"#;
    place.cloud().emulator.set_faults(error.parse().unwrap());
    place.run(["apply", "-y"]).exits(6).says("data lake administrator");
    place.cloud().heal();
    place.apply();
    is_whole(&place, "Lake Formation");
}

#[test]
fn a_second_key_that_could_not_be_seen_in_time_is_found_and_deleted() {
    let place = Place::quick("minimal");
    // While nobody can see whose the first key is, no look finds it.
    let unseen = Rule { times: Some(7), ..rule("ListResourceTags", None, Action::Deny) };
    place.cloud().rules([rule("CreateKey", Some(1), Action::DropAfter), unseen]);
    place.apply();
    place.cloud().heal();
    assert_eq!(place.cloud().census().keys, 2, "the first key could not be seen, so a second was made");
    let plan = place.run(["plan"]).succeeds();
    assert!(plan.stdout.contains("the answer was lost"), "{plan}");
    place.apply();
    let census = place.cloud().census();
    assert_eq!(census, Census { keys_ending: 1, ..Census::one_stack() });
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}
