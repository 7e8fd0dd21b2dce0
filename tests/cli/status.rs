//! The stack at a glance.

use std::time::Duration;

use hlctl_emulator::{Action, Delays, Options};
use serde_json::{Value, json};

use crate::support::{Cloud, Place, eventually, rule};

const STORE: &str = "healthlake_fhir_datastore.this";
const HOUR: Duration = Duration::from_secs(60 * 60);

/// An AWS whose stores take an hour to be created or deleted, which no test waits for.
fn slow(delays: Delays) -> Place {
    Place::on(Cloud::with(Options { delays, ..Options::default() }), "minimal")
}

fn status(place: &Place) -> Value {
    place.run(["status", "--json"]).succeeds().json()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn nothing_deployed_is_a_status_that_says_what_to_do_next_and_asks_nobody() {
    let place = Place::quick("minimal");
    let shown = place.run(["status"]).succeeds();
    assert!(shown.stdout.contains("Nothing is deployed") && shown.stdout.contains("next: hlctl apply"), "{shown}");
    let reported = status(&place);
    assert_eq!(
        (&reported["deployed"], &reported["next"], &reported["pending"]),
        (&json!(false), &json!("hlctl apply"), &Value::Null)
    );
    assert_eq!(place.cloud().requests().len(), 0);
    std::fs::remove_file(place.path("healthlake.toml")).unwrap();
    assert_eq!(status(&place)["next"], "hlctl init");
}

#[test]
fn a_stack_in_the_sandbox_alone_is_what_a_status_leads_to() {
    let place = Place::sandbox("minimal");
    let original = place.read("healthlake.toml");
    place.write("healthlake.toml", &format!("no_such_key = true\n{original}"));
    assert_eq!(status(&place)["next"], "hlctl validate");
    place.write("healthlake.toml", &original);
    place.run(["apply", "--yes"]).succeeds();
    let reported = place.run(["status", "--json"]).env("HLCTL_SANDBOX", "").succeeds().json();
    assert_eq!((&reported["deployed"], &reported["next"]), (&json!(false), &json!("hlctl status --sandbox")));
}

#[test]
fn a_stack_that_is_ready_shows_its_store_and_nothing_to_do() {
    let place = Place::quick("minimal");
    place.add("datastore_backup = true");
    place.apply();
    let files = place.files();
    place.cloud().emulator.clear_requests();
    let reported = status(&place);
    let store = &reported["stores"][0];
    assert_eq!((&store["status"], &store["in_use"], &store["read"]), (&json!("ACTIVE"), &json!(true), &json!(true)));
    assert_eq!((&store["id"], &store["jobs"]), (&json!(place.store_id()), &json!([])));
    assert!(store["age_in_seconds"].is_u64() && store["created"].is_string(), "{reported:#}");
    assert!(store["earliest_restore_point"].is_string(), "{reported:#}");
    assert_eq!(reported["pending"]["create"], 0);
    assert_eq!(
        (&reported["last_run"]["result"], &reported["last_run"]["command"]),
        (&json!("done"), &json!("hlctl apply"))
    );
    for (member, is) in [("at_work", json!([])), ("unread", json!([])), ("lock", Value::Null), ("next", Value::Null)] {
        assert_eq!(reported[member], is, "{member}: {reported:#}");
    }
    let shown = place.run(["status"]).succeeds();
    for part in ["ACTIVE, ", "none under way", "none pending", "hlctl apply succeeded", &place.store_id()] {
        assert!(shown.stdout.contains(part), "{part}: {shown}");
    }
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    assert_eq!(place.files(), files);
    place.configure("example-fhir-minimal-data", "example-other-data");
    let changed = status(&place);
    assert!(number(&changed["pending"]["refused"]) > 0, "{changed:#}");
    assert_eq!(changed["next"], "hlctl plan");
}

#[test]
fn a_store_that_is_being_created_is_at_work_since_when_and_for_how_long_yet() {
    let place = slow(Delays { create: HOUR, ..Delays::default() });
    place.run(["apply", "-y", "--no-wait"]).exits(6);
    let reported = status(&place);
    let work = &reported["at_work"][0];
    assert_eq!((&work["address"], &work["status"]), (&json!(STORE), &json!("CREATING")), "{reported:#}");
    assert_eq!(work["since"], reported["stores"][0]["created"]);
    let (from, until) = (number(&work["estimate"]["from_seconds"]), number(&work["estimate"]["until_seconds"]));
    assert!(from <= 20 * 60 && until - from == 10 * 60 && work["estimate"]["overdue"] == false, "{work}");
    assert_eq!((&reported["resources"]["creating"], &reported["next"]), (&json!(1), &json!("hlctl wait")));
    assert_eq!(reported["unread"], json!([]), "a store that is being created has no jobs to be read");
    let shown = place.run(["status"]).succeeds();
    assert!(shown.stdout.contains("CREATING for ") && shown.stdout.contains(" min left"), "{shown}");
}

#[test]
fn a_deletion_began_when_the_record_of_the_run_says() {
    let place = slow(Delays { delete: HOUR, ..Delays::default() });
    place.apply();
    place.run(["destroy", "-y", "--no-wait", "--force-destroy", "--allow-destroy", "fhir-minimal"]).exits(6);
    let reported = status(&place);
    let work = &reported["at_work"][0];
    assert_eq!((&work["status"], work["since"].is_string()), (&json!("DELETING"), true), "{reported:#}");
    assert!(number(&work["estimate"]["until_seconds"]) <= 20 * 60, "{work}");
    let record = "healthlake.state.run.json";
    std::fs::remove_file(place.path(record)).unwrap();
    let reported = status(&place);
    let work = &reported["at_work"][0];
    assert_eq!((&work["since"], &work["estimate"], &reported["last_run"]), (&Value::Null, &Value::Null, &Value::Null));
}

#[test]
fn what_aws_refuses_to_show_is_named_and_fails_nothing() {
    let place = Place::quick("minimal");
    place.apply();
    place.cloud().rules(["ListFHIRImportJobs", "DescribeFHIRDatastore"].map(|call| rule(call, None, Action::Deny)));
    let reported = status(&place);
    let unread: Vec<&str> =
        reported["unread"].as_array().unwrap().iter().map(|one| one["what"].as_str().unwrap()).collect();
    assert_eq!(unread, ["pending changes", STORE, &format!("{STORE}, jobs")], "{reported:#}");
    assert!(
        reported["unread"][1]["hint"].as_str().unwrap().contains("healthlake:DescribeFHIRDatastore"),
        "{reported:#}"
    );
    let store = &reported["stores"][0];
    assert_eq!((&store["read"], &store["status"], &store["jobs"]), (&json!(false), &Value::Null, &Value::Null));
    assert_eq!((&reported["pending"], &reported["last_run"]["result"]), (&Value::Null, &json!("done")));
    let shown = place.run(["status"]).succeeds();
    assert!(shown.stdout.contains("status not known") && shown.stdout.contains("Not read"), "{shown}");
}

#[test]
fn a_configuration_with_errors_hides_only_the_pending_changes() {
    let place = Place::quick("minimal");
    place.apply();
    place.add("nonsense = true");
    let reported = status(&place);
    assert_eq!((&reported["pending"], &reported["stores"][0]["status"]), (&Value::Null, &json!("ACTIVE")));
    assert_eq!(reported["unread"][0]["hint"], "hlctl validate", "{reported:#}");
}

#[test]
fn a_run_under_way_is_seen_by_its_lock_and_one_that_was_killed_by_the_lack_of_one() {
    let place = Place::still("minimal");
    let running = place.run(["apply", "-y"]).start();
    eventually("the apply waits for its store", || place.cloud().count("DescribeFHIRDatastore") > 1);
    let reported = status(&place);
    assert_eq!(reported["lock"]["command"], "hlctl apply", "{reported:#}");
    assert_eq!((&reported["last_run"]["result"], &reported["next"]), (&json!("under_way"), &Value::Null));
    running.kill();
    let reported = status(&place);
    assert_eq!((&reported["last_run"]["result"], &reported["lock"]), (&json!("killed"), &Value::Null));
    assert_eq!(reported["next"], "hlctl wait");
}

#[test]
fn a_store_that_somebody_deleted_is_gone_and_a_plan_is_next() {
    let place = Place::quick("minimal");
    place.apply();
    let client = aws_sdk_healthlake::Client::new(&place.cloud().sdk("us-east-1"));
    crate::support::call(client.delete_fhir_datastore().datastore_id(place.store_id()).send()).unwrap();
    place.run(["status"]).succeeds();
    let reported = status(&place);
    assert!(reported["at_work"] == json!([]) && reported["next"] == "hlctl plan", "{reported:#}");
}

#[test]
fn several_stacks_have_a_status_each() {
    let place = Place::quick("minimal");
    let other = place.read("healthlake.toml").replace("fhir-minimal", "fhir-other");
    let own = format!("healthlake_role_name = \"OtherRole\"\nhealthlake_policy_name = \"OtherPolicy\"\n{other}");
    place.write("other.toml", &own);
    let reported = place.run(["status", "-c", "healthlake.toml", "-c", "other.toml", "--json"]).succeeds().json();
    let stacks = reported["stacks"].as_array().unwrap();
    assert_eq!(stacks.len(), 2);
    assert!(stacks.iter().all(|stack| stack["result"]["deployed"] == false), "{reported:#}");
}
