//! SIGKILL at any point: the next apply finishes with exactly one of each, the next destroy leaves none.

use hlctl_emulator::Action;

use crate::support::{Census, Place, call, each, eventually, rule};

/// Everything that makes something, by operation and by which of its requests.
const CREATIONS: [(&str, u64); 7] = [
    ("CreateKey", 1),
    ("CreateBucket", 1),
    ("CreateBucket", 2),
    ("CreateFHIRDatastore", 1),
    ("CreateRole", 1),
    ("CreatePolicy", 1),
    ("AttachRolePolicy", 1),
];

/// What a SMART stack makes besides.
const SMART_CREATIONS: [(&str, u64); 12] = [
    ("CreateUserPool", 1),
    ("CreateUserPoolDomain", 1),
    ("CreateResourceServer", 2),
    ("CreateUserPoolClient", 1),
    ("CreateUserPoolClient", 2),
    ("AdminCreateUser", 1),
    ("AdminSetUserPassword", 1),
    ("CreateLogGroup", 1),
    ("PutRolePolicy", 1),
    ("CreateFunction", 1),
    ("AddPermission", 1),
    ("CreateRole", 3),
];

fn points() -> impl Iterator<Item = (&'static str, &'static str, u64)> {
    let plain = CREATIONS.iter().map(|(operation, nth)| ("minimal", *operation, *nth));
    plain.chain(SMART_CREATIONS.iter().map(|(operation, nth)| ("smart", *operation, *nth)))
}

fn converges(place: &Place, example: &str, what: &str) {
    place.cloud().heal();
    place.apply();
    assert_eq!(place.cloud().census(), Census::of(example), "{what}");
    assert_eq!(clients(place), if example == "smart" { 2 } else { 0 }, "{what}");
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

/// App clients carry no tags, so a second one shows only in their number.
fn clients(place: &Place) -> usize {
    let cognito = place.cloud().cognito();
    let pools = call(cognito.list_user_pools().max_results(60).send()).unwrap();
    let count = |pool: &str| call(cognito.list_user_pool_clients().user_pool_id(pool).send()).unwrap();
    pools.user_pools().iter().map(|pool| count(pool.id().unwrap()).user_pool_clients().len()).sum()
}

/// An apply that AWS never answers to its nth request of the operation, killed while it waits.
fn killed_before(example: &str, operation: &str, nth: u64) -> Place {
    let place = Place::quick(example);
    place.cloud().rules([rule(operation, Some(nth), Action::Hang)]);
    let mut running = place.run(["apply", "-y"]).start();
    running.wait_until_stuck(&place);
    running.kill();
    place
}

/// An apply killed when AWS has carried out its nth request of the operation and the answer is lost.
fn killed_after(example: &str, operation: &str, nth: u64) -> Place {
    let place = Place::quick(example);
    place.cloud().rules([rule(operation, Some(nth), Action::DropAfter)]);
    let mut running = place.run(["apply", "-y"]).start();
    let lost = |place: &Place| {
        place.cloud().requests().iter().any(|record| record.operation == operation && record.status == 0)
    };
    eventually("the answer is lost", || lost(&place));
    place.cloud().emulator.set_faults(r#"{"rules": [{"action": "hang"}]}"#.parse().unwrap());
    if running.is_alive() {
        running.kill();
    }
    place
}

#[test]
fn a_run_killed_before_a_creation_is_taken_up() {
    each(points(), |(example, operation, nth)| {
        converges(&killed_before(example, operation, nth), example, operation);
    });
}

#[test]
fn a_run_killed_after_a_creation_whose_answer_it_never_saw_is_taken_up() {
    each(points(), |(example, operation, nth)| {
        converges(&killed_after(example, operation, nth), example, operation);
    });
}

#[test]
fn a_destroy_leaves_nothing_of_a_creation_whose_answer_was_never_seen() {
    each(points(), |(example, operation, nth)| {
        let place = killed_after(example, operation, nth);
        place.cloud().heal();
        let name = if example == "smart" { "fhir-smart" } else { "fhir-minimal" };
        place.run(["destroy", "-y", "--allow-destroy", name]).succeeds();
        let left = place.cloud().census();
        assert_eq!(Census { keys_ending: 0, ..left }, Census::default(), "{operation} {nth}");
        assert_eq!(place.state()["resources"], serde_json::json!({}), "{operation} {nth}");
    });
}

#[test]
fn a_run_killed_before_a_bucket_is_tagged_is_taken_up() {
    each([1, 2], |nth| {
        let place = Place::quick("minimal");
        place.cloud().rules([rule("PutBucketTagging", Some(nth), Action::Hang)]);
        let mut running = place.run(["apply", "-y"]).start();
        running.wait_until_stuck(&place);
        running.kill();
        converges(&place, "minimal", "PutBucketTagging");
    });
}

#[test]
fn a_destroy_can_follow_a_killed_apply() {
    each(["CreateFHIRDatastore", "CreateKey", "PutBucketTagging", "EnableKeyRotation"], |operation| {
        let place = Place::quick("minimal");
        place.cloud().rules([rule(operation, Some(1), Action::Hang)]);
        let mut running = place.run(["apply", "-y"]).start();
        running.wait_until_stuck(&place);
        running.kill();
        place.cloud().heal();
        place.run(["destroy", "-y", "--allow-destroy", "fhir-minimal"]).succeeds();
        let left = place.cloud().census();
        assert_eq!(Census { keys_ending: 0, ..left }, Census::default(), "{operation}");
        assert_eq!(place.state()["resources"], serde_json::json!({}), "{operation}");
    });
}

const DELETIONS: [&str; 6] =
    ["DeleteFHIRDatastore", "DeleteBucket", "DeleteRole", "DeletePolicy", "DetachRolePolicy", "ScheduleKeyDeletion"];

fn killed_destroy(operation: &str) -> Place {
    let place = Place::quick("minimal");
    place.apply();
    place.cloud().emulator.clear_requests();
    place.cloud().rules([rule(operation, Some(1), Action::Hang)]);
    let mut running = place.run(["destroy", "-y", "--allow-destroy", "fhir-minimal"]).start();
    running.wait_until_stuck(&place);
    running.kill();
    place.cloud().heal();
    place
}

#[test]
fn a_killed_destroy_is_taken_up_by_the_same_command() {
    each(DELETIONS, |operation| {
        let place = killed_destroy(operation);
        place.run(["destroy", "-y", "--allow-destroy", "fhir-minimal"]).succeeds();
        assert_eq!(place.cloud().census(), Census::nothing_but_ending_keys(1), "{operation}");
        assert_eq!(place.state()["resources"], serde_json::json!({}), "{operation}");
    });
}

#[test]
fn an_apply_after_a_killed_destroy_makes_the_stack_whole_again() {
    each(DELETIONS, |operation| {
        let place = killed_destroy(operation);
        place.apply();
        assert_eq!(Census { keys_ending: 0, ..place.cloud().census() }, Census::one_stack(), "{operation}");
        place.run(["plan", "--detailed-exitcode"]).succeeds();
    });
}

#[test]
fn a_wait_after_a_killed_destroy_deletes_nothing() {
    let place = killed_destroy("DeleteFHIRDatastore");
    place.cloud().emulator.clear_requests();
    place.run(["wait"]).succeeds();
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    assert_eq!(place.cloud().census().stores, 1);
}

#[test]
fn a_store_that_outlived_a_killed_destroy_is_still_protected() {
    let place = killed_destroy("DeleteFHIRDatastore");
    place.run(["destroy", "-y"]).exits(5).says("fhir-minimal is protected");
    assert_eq!(place.cloud().census().stores, 1);
}

#[test]
fn a_wait_after_a_creation_of_unknown_outcome_does_not_call_it_settled() {
    let place = Place::quick("minimal");
    place.cloud().rules([rule("CreateFHIRDatastore", Some(1), Action::Hang)]);
    let mut running = place.run(["apply", "-y"]).start();
    running.wait_until_stuck(&place);
    running.kill();
    place.cloud().heal();
    place.run(["wait"]).exits(6).says("hlctl apply");
}
