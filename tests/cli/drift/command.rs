//! `hlctl drift` itself: what it prints, how it ends, and that it only looks.

use serde_json::{Value, json};

use super::verdicts;
use super::world::World;
use crate::support::{Place, call, rule, snapshot};

fn applied(example: &str) -> Place {
    let place = Place::quick(example);
    place.apply();
    place
}

/// Three changes of three kinds.
fn tamper(place: &Place) {
    let world = World::of(place);
    call(world.kms.disable_key().key_id(world.key()).send()).unwrap();
    call(world.s3.delete_bucket_policy().bucket(world.data()).send()).unwrap();
    let attach = world.iam.attach_role_policy().role_name(world.role());
    call(attach.policy_arn("arn:aws:iam::aws:policy/AdministratorAccess").send()).unwrap();
}

fn finding<'a>(report: &'a Value, address: &str) -> &'a Value {
    let resources = report["resources"].as_array().unwrap();
    resources.iter().find(|one| one["address"] == address).unwrap_or_else(|| panic!("{address} is not in {report}"))
}

#[test]
fn a_stack_that_nobody_touched_is_clean_in_every_example() {
    for example in crate::support::EXAMPLES {
        let place = applied(example);
        let drift = place.run(["drift", "--json"]).succeeds().json();
        assert_eq!(drift["has_drift"], json!(false), "{example}");
        assert_eq!(drift["counts"]["clean"].as_u64().unwrap() as usize, drift["resources"].as_array().unwrap().len());
        assert!(place.run(["drift"]).succeeds().stdout.starts_with("No drift: "), "{example}");
    }
}

#[test]
fn what_others_did_is_reported_with_what_it_was_and_who_did_it() {
    let place = applied("minimal");
    tamper(&place);
    snapshot("drift", &place.run(["drift", "--no-trail"]).exits(2));
    let report = place.run(["drift", "--json"]).exits(2).json();
    assert_eq!(report["has_drift"], json!(true));
    assert_eq!(report["format_version"], json!(1));
    let key = finding(&report, "kms_key.s3");
    assert_eq!(key["last_change"]["event"], "DisableKey", "{key}");
    assert_eq!(key["last_change"]["user"], "arn:aws:iam::000000000000:user/sandbox");
    let enabled = key["attributes"].as_array().unwrap().iter().find(|one| one["attribute"] == "enabled").unwrap();
    let expected = json!({
        "attribute": "enabled", "part": null, "verdict": "drifted", "config": true, "state": true, "aws": false,
    });
    assert_eq!(*enabled, expected);
    let policy = finding(&report, "s3_bucket_policy.data");
    assert_eq!(policy["last_change"]["event"], "DeleteBucketPolicy", "{policy}");
    let role = finding(&report, "iam_role.healthlake");
    assert_eq!(role["last_change"]["event"], "AttachRolePolicy", "{role}");
    assert!(role["foreign"][0].as_str().unwrap().contains("AdministratorAccess"), "{role}");
}

#[test]
fn a_caller_who_may_not_ask_cloudtrail_learns_so_and_nothing_else_changes() {
    let place = applied("minimal");
    tamper(&place);
    place.cloud().emulator.set_faults(r#"{"deny": ["cloudtrail:LookupEvents"]}"#.parse().unwrap());
    let report = place.run(["drift", "--json"]).exits(2).json();
    assert!(report["notes"][0].as_str().unwrap().contains("cloudtrail:LookupEvents is not allowed"), "{report}");
    assert_eq!(verdicts(&report).len(), 3);
    assert_eq!(finding(&report, "kms_key.s3")["last_change"], Value::Null);
    assert_eq!(place.cloud().count("LookupEvents"), 1, "once is enough to know");
}

#[test]
fn a_clean_stack_asks_cloudtrail_nothing() {
    let place = applied("minimal");
    place.run(["drift"]).succeeds();
    assert_eq!(place.cloud().count("LookupEvents"), 0);
}

#[test]
fn what_hangs_on_a_role_is_a_note_where_it_may_not_be_listed() {
    let place = applied("minimal");
    place.cloud().emulator.set_faults(r#"{"deny": ["iam:ListRolePolicies"]}"#.parse().unwrap());
    let report = place.run(["drift", "--json"]).succeeds().json();
    let note = report["notes"][0].as_str().unwrap();
    assert!(note.starts_with("iam_role.healthlake: what else is attached to it could not be listed"), "{report}");
}

#[test]
fn what_cannot_be_read_is_no_reason_to_call_the_rest_clean() {
    let place = applied("minimal");
    place.cloud().emulator.set_faults(r#"{"deny": ["iam:GetPolicy"]}"#.parse().unwrap());
    let unread = place.run(["drift", "--json"]).exits(1).says("whether there is drift is not known");
    let report = unread.json();
    let policy = finding(&report, "iam_policy.healthlake");
    assert_eq!(policy["verdict"], "unreadable");
    assert!(policy["reason"].as_str().unwrap().contains("AccessDenied"), "{policy}");
    assert!(policy["hint"].as_str().unwrap().contains("allow the action iam:GetPolicy"), "{policy}");
}

#[test]
fn an_edit_that_has_not_been_applied_is_pending_and_no_drift() {
    let place = applied("minimal");
    place.configure("\"fhir-minimal\"", "\"fhir-renamed\"");
    place.add("healthlake_role_name = \"AnotherRole\"");
    let report = place.run(["drift", "--json"]).succeeds().json();
    let store = finding(&report, "healthlake_fhir_datastore.this");
    assert_eq!(store["verdict"], "pending");
    let name = store["attributes"].as_array().unwrap().iter().find(|one| one["attribute"] == "name").unwrap();
    assert_eq!((&name["config"], &name["aws"]), (&json!("fhir-renamed"), &json!("fhir-minimal")));
    assert_eq!(finding(&report, "iam_role.healthlake")["verdict"], "pending");
    snapshot("drift_pending", &place.run(["drift"]).succeeds());
}

#[test]
fn what_the_configuration_no_longer_asks_for_is_pending() {
    let place = applied("minimal");
    place.add("logs_bucket_self_logging = false");
    let report = place.run(["drift", "--json"]).succeeds().json();
    let logging = finding(&report, "s3_bucket_logging.access_logs");
    assert_eq!(logging["reason"], "it is no longer in the configuration");
    assert_eq!(logging["verdict"], "pending");
}

#[test]
fn without_a_configuration_the_state_is_compared_with_aws() {
    let place = applied("minimal");
    std::fs::remove_file(place.path("healthlake.toml")).unwrap();
    place.run(["drift"]).succeeds();
    tamper(&place);
    let report = place.run(["drift", "--json"]).exits(2).json();
    let found: Vec<String> = verdicts(&report).into_keys().collect();
    assert_eq!(found, ["iam_role.healthlake", "kms_key.s3", "s3_bucket_policy.data"]);
    assert_eq!(finding(&report, "kms_key.s3")["attributes"][1]["config"], Value::Null);
    place.run(["drift", "--fix", "-y"]).exits(64).says("there is no configuration");
}

#[test]
fn a_password_cannot_be_checked_and_need_not_be_at_hand() {
    let place = applied("smart");
    let report = place.run(["drift", "--json"]).without("ALICE_PASSWORD").succeeds().json();
    let alice = finding(&report, r#"cognito_user.test_users["alice"]"#);
    let password = alice["attributes"].as_array().unwrap().iter().find(|one| one["attribute"] == "password").unwrap();
    assert_eq!(password["verdict"], "not_checkable");
    assert_eq!(alice["verdict"], "clean");
    let drift = place.run(["drift"]).without("ALICE_PASSWORD").succeeds();
    assert!(drift.stdout.contains("cannot be checked"), "{drift}");
    let changed = place.run(["drift", "--json"]).env("ALICE_PASSWORD", "An0ther-Horse-Battery").succeeds().json();
    assert_eq!(finding(&changed, r#"cognito_user.test_users["alice"]"#)["verdict"], "pending");
}

#[test]
fn looking_changes_nothing_and_needs_no_lock() {
    let place = applied("minimal");
    tamper(&place);
    let lock = std::fs::File::create(place.path("healthlake.state.json.lock")).unwrap();
    lock.try_lock().unwrap();
    let before = place.files();
    place.cloud().emulator.clear_requests();
    place.run(["drift"]).exits(2);
    let asked: Vec<String> = place.cloud().mutations();
    assert!(asked.iter().all(|name| name == "LookupEvents"), "{asked:?}");
    assert!(place.files() == before);
    place.run(["drift", "--fix", "-y"]).exits(3);
}

#[test]
fn without_a_state_there_is_nothing_to_compare() {
    let place = Place::quick("minimal");
    place.run(["drift"]).exits(1).says("there is no state");
}

#[test]
fn a_state_of_another_account_is_refused() {
    let place = applied("minimal");
    place.run(["drift"]).env("AWS_ACCESS_KEY_ID", "123456789012").exits(1).says("belongs to account 000000000000");
}

#[test]
fn what_an_earlier_run_left_half_done_is_pending() {
    let place = Place::quick("minimal");
    place.cloud().rules([rule("PutBucketPolicy", None, hlctl_emulator::Action::Deny)]);
    place.run(["apply", "-y"]).exits(6);
    place.cloud().heal();
    let report = place.run(["drift", "--json"]).succeeds().json();
    assert_eq!(finding(&report, "s3_bucket_policy.data")["verdict"], "pending");
}
