//! Standby stores: restored, put in its place, kept, gone back to, and deleted.

mod counting;

use std::time::Duration;

use hlctl_emulator::{Action, Clock, Delays, Options};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::{Census, Cloud, Ended, Place, call, rule};

const DESTROY: [&str; 5] = ["destroy", "-y", "--force-destroy", "--allow-destroy", "fhir-minimal"];

fn patients(numbers: std::ops::Range<usize>) -> String {
    numbers.map(|number| format!("{}\n", json!({"resourceType": "Patient", "id": format!("p{number}")}))).collect()
}

/// An applied stack with a backup, in which time stands still and everything is ready at once.
fn backed_up() -> Place {
    applied("datastore_backup = true", Delays::default())
}

fn applied(line: &str, delays: Delays) -> Place {
    let clock = Clock::manual("2026-01-02T03:04:05Z".parse().unwrap());
    let place = Place::on(Cloud::with(Options { clock, delays, ..Options::default() }), "minimal");
    place.add(line);
    place.apply();
    place
}

fn load(place: &Place, numbers: std::ops::Range<usize>) {
    place.cloud().emulator.load(Some(&place.store_id()), patients(numbers).as_bytes()).unwrap();
}

fn stores(place: &Place) -> Vec<Value> {
    place.run(["stores", "list", "--json"]).succeeds().json()["stores"].as_array().unwrap().clone()
}

/// Ids of the standby stores.
fn standby(place: &Place) -> Vec<String> {
    let standby = stores(place).into_iter().filter(|store| store["in_use"] == false);
    standby.map(|store| store["id"].as_str().unwrap().to_owned()).collect()
}

/// How many patients the store in use holds.
fn held(place: &Place) -> u64 {
    place.run(["fhir", "search", "Patient", "_total=accurate", "_count=1"]).succeeds().json()["total"].as_u64().unwrap()
}

fn is_settled(place: &Place) {
    place.run(["plan", "--detailed-exitcode"]).exits(0);
    place.run(["drift"]).exits(0);
}

fn with_stores(stores: usize) -> Census {
    Census { stores, ..Census::one_stack() }
}

#[test]
fn a_restore_makes_a_standby_store_as_the_one_in_use_was() {
    let place = backed_up();
    load(&place, 0..5);
    place.cloud().let_a_minute_pass();
    place.cloud().let_a_minute_pass();
    load(&place, 5..8);
    place.cloud().let_a_minute_pass();
    let reported = place.run(["restore", "--at", "2026-01-02T03:05:30Z", "-y", "--json"]).succeeds().json();
    assert_eq!(
        (&reported["in_use"], &reported["resources"]["new"]),
        (&json!(false), &json!({"Patient": 5})),
        "{reported:#}"
    );
    assert_eq!(reported["resources"]["old"], json!({"Patient": 8}));
    assert_eq!(reported["origin"]["source"], place.store_id());
    assert_eq!(held(&place), 8);
    let restored =
        ["fhir", "search", "Patient", "_total=accurate", "_count=1", "--store", reported["id"].as_str().unwrap()];
    assert_eq!(place.run(restored).succeeds().json()["total"], 5);
    // What is missing there says nothing of the store in use.
    place.cloud().emulator.clear_requests();
    place.run(["fhir", "get", "Patient/never", "--store", reported["id"].as_str().unwrap()]).exits(1).says("404");
    assert_eq!(place.cloud().count("DescribeFHIRDatastore"), 0);
    place.run(["fhir", "get", "Patient/p1", "--store", "nothing"]).exits(64).says("has no store nothing");
    is_settled(&place);
    assert_eq!(place.cloud().census(), with_stores(2));
    place.run(DESTROY).succeeds();
    assert_eq!(place.cloud().census(), Census::nothing_but_ending_keys(1));
}

#[test]
fn a_restored_store_takes_over_all_settings() {
    let place = backed_up();
    place.add("datastore_nlp = true\ndatastore_backup_retention_in_days = 9");
    place.apply();
    load(&place, 0..2);
    let settings = || {
        let mut settings = place.state()["resources"]["healthlake_fhir_datastore.this"]["attributes"].clone();
        // What a restored store began with says nothing about it.
        settings.as_object_mut().unwrap().remove("preload_data_type");
        settings
    };
    let before = settings();
    place.run(["restore", "--at", "latest", "-y", "--use"]).succeeds();
    assert_eq!(before, settings());
    is_settled(&place);
}

#[test]
fn what_cannot_be_restored_is_reported_before_anything_is_made() {
    let place = backed_up();
    place.cloud().let_a_minute_pass();
    let asks = |at: &str, code: i32, says: &str| drop(place.run(["restore", "--at", at, "-y"]).exits(code).says(says));
    place.cloud().emulator.clear_requests();
    asks("2026-01-02T03:00:00Z", 64, "2026-01-02T03:04:05Z .. 2026-01-02T03:05:06Z");
    asks("2026-01-02T03:10:00Z", 64, "is outside of what can be restored");
    asks("2026-01-02 03:05", 64, "with its offset from UTC");
    asks("yesterday", 64, "`latest`");
    place.run(["restore", "--at", "latest", "--from", "0123", "-y"]).exits(64).says("AWS has no store 0123");
    place.run(["restore", "--at", "latest"]).exits(1).says("no terminal to ask on");
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    let place = applied("", Delays::default());
    place
        .run(["restore", "--at", "latest", "-y"])
        .exits(1)
        .says("has no continuous backup")
        .says("datastore_backup = true");
    place.run(["replace", "--via", "backup", "--anyway", "-y"]).exits(1).says("--via export");
}

#[test]
fn the_stack_goes_over_to_a_store_and_back() {
    let place = backed_up();
    load(&place, 0..5);
    let first = place.store_id();
    place.run(["restore", "--at", "latest", "-y", "--use"]).succeeds().says(&format!("hlctl stores use {first}"));
    let second = place.store_id();
    assert_ne!(first, second);
    assert_eq!((held(&place), standby(&place)), (5, vec![first.clone()]));
    is_settled(&place);
    place.run(["outputs", "datastore_endpoint"]).succeeds().stdout.contains(&second);
    place.run(["stores", "use", &first, "-y"]).succeeds();
    assert_eq!((place.store_id(), standby(&place)), (first.clone(), vec![second.clone()]));
    is_settled(&place);
    place.run(["stores", "use", &first, "-y"]).succeeds().says("in use already");
    place.run(["stores", "delete", &first, "-y"]).exits(64).says("is the store in use");
    place.run(["stores", "delete", &second]).exits(1).says("no terminal to ask on");
    let deleted = place.run(["stores", "delete", &second, "-y", "--json"]).succeeds();
    let deleted: Value = serde_json::from_str(&deleted.stdout).unwrap();
    let steps = deleted["resources"].as_array().unwrap().iter();
    let stores: Vec<&Value> = steps.filter(|step| step["address"] == "healthlake_fhir_datastore.predecessor").collect();
    assert_eq!(stores.len(), 1, "{deleted:#}");
    assert_eq!((&stores[0]["action"], &stores[0]["status"]), (&json!("delete"), &json!("done")), "{deleted:#}");
    assert_eq!(place.cloud().census(), with_stores(1));
    is_settled(&place);
    place.run(["stores", "delete", &second, "-y"]).exits(64).says("has no store");
}

#[test]
fn a_standby_store_is_protected_like_the_one_in_use() {
    let place = backed_up();
    place.run(["restore", "--at", "latest", "-y"]).succeeds();
    place.run(["destroy", "-y", "--force-destroy"]).exits(5);
    assert_eq!(place.cloud().census(), with_stores(2));
    place.add("protect = [\"healthlake_fhir_datastore.this\"]");
    place.apply();
    place.run(["destroy", "-y", "--force-destroy", "--target", "healthlake_fhir_datastore.successor"]).exits(5);
}

#[test]
fn a_store_that_somebody_deleted_is_restored_from_its_backup() {
    let place = backed_up();
    load(&place, 0..5);
    let gone = place.store_id();
    call(place.cloud().healthlake().delete_fhir_datastore().datastore_id(&gone).send()).unwrap();
    place.cloud().let_a_minute_pass();
    place.run(["restore", "--at", "latest", "--use", "-y"]).succeeds().says("could not be counted");
    assert_ne!(place.store_id(), gone);
    assert_eq!((held(&place), standby(&place)), (5, Vec::new()));
    is_settled(&place);
    assert_eq!(place.cloud().census(), with_stores(1));
}

#[test]
fn a_standby_store_that_somebody_deleted_leaves_the_state() {
    let place = backed_up();
    place.run(["restore", "--at", "latest", "-y"]).succeeds();
    let id = standby(&place).remove(0);
    call(place.cloud().healthlake().delete_fhir_datastore().datastore_id(&id).send()).unwrap();
    place.cloud().let_a_minute_pass();
    let plan = place.run(["plan"]).succeeds();
    assert!(plan.stdout.contains("healthlake_fhir_datastore.successor was deleted outside hlctl"), "{plan}");
    place.apply();
    assert_eq!(standby(&place), Vec::<String>::new());
    is_settled(&place);
    assert_eq!(place.cloud().census(), with_stores(1));
}

#[test]
fn an_encryption_that_cannot_be_changed_comes_with_a_new_store() {
    let place = backed_up();
    load(&place, 0..5);
    let first = place.store_id();
    place.run(["replace", "-y"]).succeeds().says("Nothing needs replacing");
    place.add("create_kms_key = true");
    place.run(["apply", "-y"]).exits(5).says("hlctl replace");
    place.run(["replace", "-y"]).succeeds().says("from its continuous backup");
    assert_eq!((held(&place), standby(&place)), (5, vec![first.clone()]));
    is_settled(&place);
    let keyed = place.store_id();
    place.run(["stores", "use", &first, "-y"]).exits(5).says("create_kms_key");
    assert_eq!(place.store_id(), keyed);

    // The key goes along with the store that it encrypts, and ends with it.
    place.edit("healthlake.toml", "create_kms_key = true", "create_kms_key = false");
    place.run(["replace", "-y"]).succeeds();
    assert_eq!(standby(&place).len(), 2);
    is_settled(&place);
    assert!(place.run(["outputs", "datastore_kms_key_arn"]).succeeds().stdout.contains("null"));
    assert_eq!(place.cloud().census(), Census { keys: 2, ..with_stores(3) });
    place.run(["stores", "delete", &keyed, "-y"]).succeeds();
    assert_eq!(place.cloud().census(), Census { keys_ending: 1, ..with_stores(2) });
    is_settled(&place);
    place.run(DESTROY).succeeds();
    assert_eq!(place.cloud().census(), Census::nothing_but_ending_keys(2));
}

#[test]
fn a_key_is_replaced_together_with_the_store() {
    let place = backed_up();
    place.add("create_kms_key = true");
    place.run(["replace", "-y"]).succeeds();
    load(&place, 0..3);
    let key = |place: &Place| place.run(["outputs", "--json"]).succeeds().json()["datastore_kms_key_arn"].clone();
    let before = key(&place);
    let old = place.store_id();
    place.run(["replace", "--new-key", "-y"]).succeeds();
    assert_ne!(before, key(&place));
    assert_eq!(held(&place), 3);
    is_settled(&place);
    let kept = stores(&place).into_iter().find(|store| store["id"] == json!(old)).unwrap();
    assert_eq!(kept["kms_key_arn"], before, "{kept}");
    place.run(["stores", "use", &old, "-y"]).succeeds();
    assert_eq!(key(&place), before);
    is_settled(&place);
}

#[test]
fn without_a_backup_the_data_comes_by_an_export() {
    let place = applied("preload_data = false", Delays::default());
    load(&place, 0..30);
    place.add("create_kms_key = true");
    let ended = place.run(["replace", "-y"]).succeeds();
    ended.says("Exported 30 resources").says("Imported 30 resources").says("hold the same number of resources");
    assert_eq!(held(&place), 30);
    is_settled(&place);
}

#[test]
fn synthetic_data_that_was_brought_over_is_not_preloaded_again() {
    let place = applied("datastore_backup = true\npreload_data = true", Delays::default());
    place.run(["replace", "--anyway", "-y"]).succeeds();
    is_settled(&place);
}

#[test]
fn a_new_store_that_does_not_hold_the_same_is_not_switched_to() {
    let delays = Delays { create: Duration::from_secs(60), ..Delays::default() };
    let clock = Clock::manual("2026-01-02T03:04:05Z".parse().unwrap());
    let place = Place::on(Cloud::with(Options { clock, delays, ..Options::default() }), "minimal");
    place.add("datastore_backup = true");
    place.run(["apply", "-y", "--no-wait"]).exits(6);
    place.cloud().let_a_minute_pass();
    place.apply();
    load(&place, 0..5);
    let old = place.store_id();
    place.run(["replace", "--anyway", "-y", "--no-wait"]).exits(6).says("hlctl replace --anyway");
    load(&place, 5..6);
    place.cloud().let_a_minute_pass();
    let ended = place.run(["replace", "--anyway", "-y"]).exits(6);
    ended.says("Patient  6    5").says("the old one stays in use").says("--allow-differences");
    assert_eq!((place.store_id(), standby(&place).len()), (old.clone(), 1));
    place.run(["restore", "--at", "latest", "-y"]).exits(64).says("already has another new store");
    place.run(["replace", "--anyway", "-y", "--allow-differences"]).succeeds();
    assert_eq!((held(&place), standby(&place)), (5, vec![old]));
    is_settled(&place);
}

#[test]
fn a_signal_after_the_new_store_was_made_does_not_say_that_nothing_was_changed() {
    let place = backed_up();
    load(&place, 0..2);
    place.cloud().rules([rule("SearchWithGet", Some(3), Action::Hang)]);
    let mut running = place.run(["replace", "--anyway", "-y"]).start();
    running.wait_until_stuck(&place);
    running.signal(Signal::SIGINT);
    let ended = running.ends();
    assert_eq!(ended.code, 6, "{ended}");
    ended.says("what was created so far is in the state").says("`hlctl replace --anyway` continues where this stopped");
    place.cloud().heal();
    place.run(["replace", "--anyway", "-y"]).succeeds();
    assert_eq!((held(&place), standby(&place).len()), (2, 1));
}

#[test]
fn an_apply_finishes_a_switch_that_was_cut_off() {
    let place = backed_up();
    load(&place, 0..2);
    let denied = Action::Error { code: "ValidationException".into(), message: "not today".into(), status: 400 };
    place.cloud().rules([rule("TagResource", None, denied)]);
    let first = place.store_id();
    place.run(["replace", "--anyway", "-y"]).exits(6).says("`hlctl apply`");
    place.cloud().heal();
    assert_ne!(place.store_id(), first);
    assert_eq!(place.state()["switching"], true);
    place.apply();
    assert_eq!(place.state()["switching"], Value::Null);
    is_settled(&place);
    // What is asked for after that is a replacement of its own.
    place.run(["replace", "--anyway", "-y"]).succeeds();
    assert_eq!(standby(&place).len(), 2);
}

#[test]
fn a_switch_that_was_cut_off_is_finished_by_the_same_command_and_not_made_twice() {
    let place = backed_up();
    load(&place, 0..2);
    place.cloud().rules([rule("TagResource", None, Action::Hang)]);
    let mut running = place.run(["replace", "--anyway", "-y"]).start();
    running.wait_until_stuck(&place);
    running.kill();
    place.cloud().heal();
    place.run(["replace", "--anyway", "-y"]).succeeds().says("the rest is done now");
    assert_eq!(standby(&place).len(), 1);
    is_settled(&place);
}

#[test]
fn a_caller_who_may_not_search_can_restore_and_learns_that_nothing_was_compared() {
    let place = backed_up();
    place.cloud().rules([rule("SearchWithGet", None, Action::Deny)]);
    place.run(["restore", "--at", "latest", "-y"]).succeeds().says("could not be compared");
    place.run(["stores", "delete", &standby(&place)[0], "-y"]).succeeds();
    place.run(["replace", "--anyway", "-y"]).exits(6).says("is not known; the old one stays in use");
    place.run(["replace", "--anyway", "-y", "--allow-differences"]).succeeds();
    assert_eq!(standby(&place).len(), 1);
}

#[test]
fn a_replacement_that_is_thought_better_of_leaves_nothing() {
    let place = backed_up();
    place.add("create_kms_key = true");
    place.cloud().rules([rule("SearchWithGet", None, Action::Deny)]);
    place.run(["replace", "-y"]).exits(6);
    place.cloud().heal();
    place.edit("healthlake.toml", "create_kms_key = true", "create_kms_key = false");
    place.run(["plan", "--detailed-exitcode"]).exits(0);
    place.run(["stores", "delete", "healthlake_fhir_datastore.successor", "-y"]).succeeds();
    is_settled(&place);
    assert_eq!(place.cloud().census(), Census { keys_ending: 1, ..with_stores(1) });
}

#[test]
fn a_smart_store_is_replaced_with_all_that_names_it() {
    let place = Place::quick("smart");
    place.add("datastore_backup = true");
    let run = |arguments: &[&str]| -> Ended {
        place.run(arguments.iter().copied()).env("ALICE_PASSWORD", "Corr3ct-Horse").succeeds()
    };
    run(&["apply", "-y"]);
    load(&place, 0..4);
    let old = place.store_id();
    run(&["replace", "--new-key", "-y"]);
    let new = place.store_id();
    assert_ne!(old, new);
    let policy = place.state()["resources"]["iam_policy.healthlake_service_policy"]["attributes"].to_string();
    assert!(policy.contains(&new) && !policy.contains(&old), "{policy}");
    assert_eq!(held(&place), 4);
    place.run(["plan", "--detailed-exitcode"]).env("ALICE_PASSWORD", "Corr3ct-Horse").exits(0);
    run(&["smart", "test"]);
}

#[test]
fn a_final_export_says_which_stores_it_leaves_out() {
    let place = backed_up();
    load(&place, 0..3);
    place.run(["restore", "--at", "latest", "-y"]).succeeds();
    let ended = place.run(DESTROY.into_iter().chain(["--final-export", "safe"])).succeeds();
    ended.says("healthlake_fhir_datastore.successor is deleted too, without an export").says("Exported 3 resources");
    assert_eq!(place.cloud().census(), Census::nothing_but_ending_keys(1));
}

#[test]
fn an_empty_store_is_replaced_without_an_import() {
    let place = applied("create_kms_key = true", Delays::default());
    place.run(["replace", "--anyway", "--via", "export", "-y"]).succeeds().says("There is nothing to import");
    is_settled(&place);
}

#[test]
fn a_lost_state_is_found_again_with_the_standby_stores() {
    let place = backed_up();
    place.add("create_kms_key = true");
    place.run(["replace", "-y"]).succeeds();
    place.run(["replace", "--new-key", "-y"]).succeeds();
    let before = (place.store_id(), standby(&place));
    for file in ["healthlake.state.json", "healthlake.state.json.backup"] {
        std::fs::remove_file(place.path(file)).unwrap();
    }
    place.run(["adopt", "--discover"]).succeeds();
    assert_eq!((place.store_id(), standby(&place)), before);
    place.run(["plan", "--detailed-exitcode"]).exits(0);
    place.run(["stores", "delete", "healthlake_fhir_datastore.predecessor_2", "-y"]).succeeds();
    assert_eq!(place.cloud().census(), Census { keys: 2, keys_ending: 1, ..with_stores(2) });
    place.run(DESTROY).succeeds();
    assert_eq!(place.cloud().census(), Census::nothing_but_ending_keys(3));
}

#[test]
fn a_dry_run_of_a_restore_checks_and_shows_it_and_writes_nothing() {
    let place = backed_up();
    place.cloud().let_a_minute_pass();
    let (files, id) = (place.files(), place.store_id());
    let changes_nothing = || {
        assert_eq!(place.cloud().mutations(), Vec::<String>::new());
        assert_eq!(place.files(), files);
    };
    place.cloud().emulator.clear_requests();
    let shown = place.run(["restore", "--at", "latest", "--dry-run"]).succeeds();
    assert!(shown.stdout.contains("healthlake_fhir_datastore.successor"), "{shown}");
    let shown = shown
        .says(&format!("The restore would create a store from the backup of {id}, as of its latest point."))
        .says("It can be restored to any point of 2026-01-02T03:04:05Z .. ")
        .says(&format!("The stack would continue to use {id}; --use switches to the new one."));
    shown.says("Dry run: nothing was written.");
    let document = place.run(["restore", "--at", "latest", "--use", "--dry-run", "--json"]).succeeds().json();
    assert_eq!((&document["dry_run"], &document["continues"]), (&json!(true), &json!(false)));
    assert_eq!((&document["source"], &document["at"]), (&json!(id), &Value::Null));
    assert_eq!(document["earliest_restore_point"], "2026-01-02T03:04:05Z");
    assert_eq!(document["updated"], json!(["iam_role.healthlake"]));
    let planned = document["plan"]["changes"].as_array().unwrap();
    let created: Vec<&Value> = planned.iter().filter(|change| change["action"] == "create").collect();
    assert_eq!(created.len(), 1, "{document:#}");
    assert_eq!(created[0]["address"], "healthlake_fhir_datastore.successor");
    // What would end the restore ends its dry run, in the same words and with the same code.
    for (words, code, says) in [
        (&["--at", "2026-01-02T03:00:00Z"][..], 64, "is outside of what can be restored"),
        (&["--at", "latest", "--from", "0123"], 64, "AWS has no store 0123"),
    ] {
        place.run(["restore", "--dry-run"]).args(words.iter().copied()).exits(code).says(says);
        place.run(["restore", "-y"]).args(words.iter().copied()).exits(code).says(says);
    }
    changes_nothing();
    // It needs no lock.
    place.write("healthlake.state.json.lock", &place.read("healthlake.state.json"));
    place.run(["restore", "--at", "latest", "--dry-run"]).succeeds();
    std::fs::remove_file(place.path("healthlake.state.json.lock")).unwrap();
    place.run(["restore", "--at", "latest", "-y"]).succeeds();
    place.cloud().emulator.clear_requests();
    let again =
        place.run(["restore", "--at", "latest", "--dry-run"]).exits(64).says("the stack already has another new store");
    assert!(!again.stderr.contains("Dry run"), "{again}");
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
}

#[test]
fn a_dry_run_says_that_a_restore_would_continue() {
    let delays = Delays { create: Duration::from_secs(60), ..Delays::default() };
    let clock = Clock::manual("2026-01-02T03:04:05Z".parse().unwrap());
    let place = Place::on(Cloud::with(Options { clock, delays, ..Options::default() }), "minimal");
    place.add("datastore_backup = true");
    place.run(["apply", "-y", "--no-wait"]).exits(6);
    place.cloud().let_a_minute_pass();
    place.apply();
    place.cloud().let_a_minute_pass();
    place.run(["restore", "--at", "latest", "-y", "--no-wait"]).exits(6);
    let files = place.files();
    let shown = place.run(["restore", "--at", "latest", "--use", "--dry-run"]).succeeds();
    assert_eq!(place.files(), files);
    shown.says("The restore would continue with the store that an earlier run started,").says("  iam_role.healthlake");
}
