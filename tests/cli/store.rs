//! Waiting for the store, and how its creation and its changes can end.

use hlctl_emulator::{Faults, HealthLakeFaults};

use crate::support::{Census, Place, call, eventually, snapshot};

fn ends_as(place: &Place, create: Option<&str>, update: Option<&str>) {
    let healthlake = HealthLakeFaults {
        create_ends_as: create.map(str::to_owned),
        update_ends_as: update.map(str::to_owned),
        error_message: Some("The KMS key is out of order".to_owned()),
        ..HealthLakeFaults::default()
    };
    place.cloud().emulator.set_faults(Faults { healthlake, ..Faults::default() });
}

#[test]
fn an_apply_that_does_not_wait_says_how_to_go_on_and_wait_completes_it() {
    let place = Place::still("minimal");
    let left = place.run(["apply", "-y", "--no-wait", "--parallelism", "1"]).exits(6);
    snapshot("no_wait", &left.stderr.split_once("unchanged.").unwrap().1);
    let id = place.store_id();
    place.run(["outputs", "datastore_endpoint"]).succeeds();
    let plan = place.run(["plan"]).succeeds();
    assert!(plan.stdout.contains("AWS is still working on it (CREATING)"), "{plan}");
    let waiting = place.run(["wait"]).start();
    eventually("wait looks", || place.cloud().count("DescribeFHIRDatastore") > 4);
    place.cloud().let_a_minute_pass();
    let waited = waiting.ends();
    assert_eq!(waited.code, 0, "{waited}");
    assert_eq!(place.store_id(), id);
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    place.run(["wait"]).succeeds().says("Nothing to wait for");
}

#[test]
fn the_next_apply_waits_too_and_makes_no_second_store() {
    let place = Place::still("minimal");
    place.run(["apply", "-y", "--no-wait"]).exits(6);
    let id = place.store_id();
    place.run(["apply", "-y", "--no-wait"]).exits(6);
    place.cloud().let_a_minute_pass();
    place.apply();
    assert_eq!(place.store_id(), id);
    assert_eq!(place.cloud().count("CreateFHIRDatastore"), 1);
}

#[test]
fn a_wait_that_takes_too_long_leaves_a_true_state() {
    let place = Place::still("minimal");
    let late = place.run(["apply", "-y"]).env("HLCTL_WAIT_TIMEOUT", "1").exits(6);
    late.says("still CREATING after 1.0 s").says("hlctl wait");
    place.run(["wait", "--timeout", "0.1s"]).exits(6).says("still CREATING");
    place.cloud().let_a_minute_pass();
    place.run(["wait", "--json"]).succeeds();
    assert_eq!(place.cloud().census(), Census::one_stack());
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn a_store_that_could_not_be_made_says_why_and_the_next_apply_replaces_it() {
    let place = Place::quick("minimal");
    ends_as(&place, Some("CREATE_FAILED"), None);
    let failed = place.run(["apply", "-y"]).exits(6);
    let failed = failed.says("healthlake_fhir_datastore.this: AWS reports CREATE_FAILED: The KMS key is out of order");
    failed.says("the next apply creates a new store");
    place.cloud().heal();
    snapshot("plan_create_failed", &place.run(["plan"]).succeeds());
    place.apply();
    assert_eq!(place.cloud().census(), Census::one_stack());
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn a_store_that_could_not_be_made_may_be_replaced_by_a_different_one() {
    let place = Place::quick("minimal");
    ends_as(&place, Some("CREATE_FAILED"), None);
    place.run(["apply", "-y"]).exits(6);
    place.cloud().heal();
    place.add("create_kms_key = true");
    place.apply();
    assert_eq!(place.cloud().census(), Census { keys: 2, ..Census::one_stack() });
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn a_store_that_could_not_be_made_can_be_destroyed() {
    let place = Place::quick("minimal");
    ends_as(&place, Some("CREATE_FAILED"), None);
    place.run(["apply", "-y"]).exits(6);
    place.run(["destroy", "-y", "--allow-destroy", "fhir-minimal"]).succeeds();
    assert_eq!(place.cloud().census(), Census::nothing_but_ending_keys(1));
}

#[test]
fn a_change_that_aws_gave_up_is_not_called_done() {
    let place = Place::quick("minimal");
    place.apply();
    place.add("datastore_nlp = true");
    ends_as(&place, None, Some("UPDATE_FAILED"));
    place.run(["apply", "-y"]).exits(6).says("AWS reports UPDATE_FAILED: The KMS key is out of order");
    let plan = place.run(["plan", "--detailed-exitcode"]).exits(2);
    assert!(plan.stdout.contains("the last change failed (UPDATE_FAILED: The KMS key is out of order)"), "{plan}");
    place.cloud().heal();
    place.apply();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn a_status_that_hlctl_does_not_know_is_waited_for() {
    let place = Place::quick("minimal");
    ends_as(&place, Some("REINDEXING"), None);
    let late = place.run(["apply", "-y"]).env("HLCTL_WAIT_TIMEOUT", "1").exits(6);
    late.says("REINDEXING");
}

#[test]
fn keys_wait_until_the_store_is_gone_even_across_runs() {
    let place = Place::still("customer-keys");
    place.run(["apply", "-y", "--no-wait"]).exits(6);
    place.cloud().let_a_minute_pass();
    place.apply();
    let destroy = ["destroy", "-y", "--allow-destroy", "fhir-production"];
    place.run(destroy).args(["--no-wait"]).exits(6).says("DELETING");
    assert_eq!(place.cloud().census_as(place.access_key(), "eu-west-2").keys, 1, "the store's key went before it");
    // Once more, before the store is gone: it is not forgotten, and the keys stay.
    place.run(destroy).args(["--no-wait"]).exits(6).says("DELETING");
    assert_eq!(place.cloud().census_as(place.access_key(), "eu-west-2").keys, 1, "the store's key went before it");
    let waiting = place.run(["wait"]).start();
    place.cloud().let_a_minute_pass();
    assert_eq!(waiting.ends().code, 0);
    // The store's name still stands for the stack whose store it was.
    place.run(destroy).succeeds();
    assert_eq!(place.cloud().census_as(place.access_key(), "eu-west-2"), Census::nothing_but_ending_keys(2));
}

#[test]
fn keys_wait_for_a_store_whose_deletion_was_ordered_but_could_not_be_watched() {
    let place = Place::still("customer-keys");
    place.run(["apply", "-y", "--no-wait"]).exits(6);
    place.cloud().let_a_minute_pass();
    place.apply();
    // The look before the deletion and the one for its status succeed; from then on AWS cannot be asked.
    let seen = place.cloud().count("DescribeFHIRDatastore");
    let destroy = ["destroy", "-y", "--allow-destroy", "fhir-production"];
    let running = place.run(destroy).start();
    eventually("the deletion is ordered", || place.cloud().count("DeleteFHIRDatastore") == 1);
    assert!(place.cloud().count("DescribeFHIRDatastore") > seen);
    place.cloud().emulator.set_faults(r#"{"deny": ["healthlake:DescribeFHIRDatastore"]}"#.parse().unwrap());
    let ended = running.ends();
    assert_eq!(ended.code, 6, "{ended}");
    place.cloud().heal();
    place.run(destroy).args(["--no-wait"]).exits(6).says("DELETING");
    assert_eq!(place.cloud().census_as(place.access_key(), "eu-west-2").keys, 1, "the store's key went before it");
    place.cloud().let_a_minute_pass();
    place.run(destroy).succeeds();
    assert_eq!(place.cloud().census_as(place.access_key(), "eu-west-2"), Census::nothing_but_ending_keys(2));
}

#[test]
fn a_store_that_was_renamed_by_hand_is_destroyed_by_its_new_name() {
    let place = Place::quick("minimal");
    place.apply();
    let id =
        place.state()["resources"]["healthlake_fhir_datastore.this"]["recorded"]["id"].as_str().unwrap().to_owned();
    call(place.cloud().healthlake().update_fhir_datastore().datastore_id(id).datastore_name("by-hand").send()).unwrap();
    place.configure("datastore_name   = \"fhir-minimal\"", "datastore_name = \"by-hand\"");
    place.apply();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    place.run(["destroy", "-y", "--allow-destroy", "by-hand"]).succeeds();
}

/// Somebody sets the analytics of the stack's store to a status.
fn set_analytics(place: &Place, status: &str) {
    let status = aws_sdk_healthlake::types::AnalyticsStatus::from(status);
    let analytics = aws_sdk_healthlake::types::AnalyticsConfiguration::builder().status(status).build();
    let update = place.cloud().healthlake().update_fhir_datastore().datastore_id(place.store_id());
    call(update.analytics_configuration(analytics).send()).unwrap();
}

#[test]
fn paused_analytics_count_as_off_and_are_resumed_only_where_they_are_wanted_on() {
    let place = Place::quick("minimal");
    place.add("datastore_analytics = false");
    place.apply();
    set_analytics(&place, "PAUSED");
    place.run(["wait"]).succeeds();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    let clean = place.run(["drift", "--no-trail"]).succeeds();
    assert!(!clean.stdout.contains("analytics"), "{clean}");
    place.configure("datastore_analytics = false", "datastore_analytics = \"paused\"");
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    place.configure("datastore_analytics = \"paused\"", "datastore_analytics = true");
    let plan = place.run(["plan", "--detailed-exitcode"]).exits(2);
    assert!(plan.stdout.contains("this resumes them, which AWS charges for"), "{plan}");
    place.apply();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    place.configure("datastore_analytics = true", "datastore_analytics = \"paused\"");
    place.apply();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    set_analytics(&place, "ENABLED");
    place.run(["wait"]).succeeds();
    place.run(["drift", "--no-trail"]).exits(2);
}

#[test]
fn analytics_that_are_on_their_way_to_a_pause_count_as_paused() {
    let place = Place::still("minimal");
    place.add("datastore_analytics = \"paused\"");
    place.run(["apply", "-y", "--no-wait"]).exits(6);
    place.cloud().let_a_minute_pass();
    place.apply();
    set_analytics(&place, "ENABLED");
    place.cloud().let_a_minute_pass();
    set_analytics(&place, "PAUSED");
    let plan = place.run(["plan", "--json"]).succeeds().json();
    let changes = plan["changes"].as_array().unwrap();
    let store = changes.iter().find(|change| change["address"] == "healthlake_fhir_datastore.this").unwrap();
    assert!(!store["attributes"].to_string().contains("analytics"), "{store:#}");
}
