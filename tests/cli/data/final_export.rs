//! The export before a destroy, and its receipt.

use hlctl_emulator::Action;
use serde_json::{Value, json};

use super::{patients, stack};
use crate::support::{Census, Place, call, rule};

const DESTROY: [&str; 7] =
    ["destroy", "-y", "--force-destroy", "--allow-destroy", "fhir-minimal", "--final-export", "safe"];

#[test]
fn a_final_export_comes_before_the_deletion_and_leaves_a_receipt() {
    let place = stack();
    place.cloud().emulator.load(None, patients(0..12, 0).as_bytes()).unwrap();
    place.run(DESTROY).succeeds().says("Exported 12 resources").says("safe/receipt.json");
    assert_eq!(place.read("safe/Patient.ndjson").lines().count(), 12);
    let receipt: Value = serde_json::from_str(&place.read("safe/receipt.json")).unwrap();
    assert_eq!(receipt["export"]["files"][0]["resources"], 12);
    assert_eq!(receipt["left"], json!([]));
    let addresses: Vec<&Value> = receipt["destroyed"].as_array().unwrap().iter().map(|one| &one["address"]).collect();
    assert!(addresses.contains(&&json!("healthlake_fhir_datastore.this")), "{receipt:#}");
    assert!(receipt["keys"][0]["cancel"][0].as_str().unwrap().contains("cancel-key-deletion"), "{receipt:#}");
    assert_eq!(place.cloud().census(), Census::nothing_but_ending_keys(1));
}

#[test]
fn nothing_is_deleted_if_the_final_export_fails() {
    let place = stack();
    place.cloud().emulator.load(None, patients(0..12, 0).as_bytes()).unwrap();
    let failing = r#"{"jobs": {"after_resources": 3, "ends_as": "COMPLETED_WITH_ERRORS", "message": "no capacity"}}"#;
    place.cloud().emulator.set_faults(failing.parse().unwrap());
    place.run(DESTROY).exits(6).says("nothing was deleted");
    assert_eq!(place.cloud().census(), Census::one_stack());
    place.cloud().heal();
    place.cloud().rules([rule("GetObject", Some(1), Action::Deny)]);
    place.run(DESTROY).exits(6).says("nothing was deleted");
    assert_eq!(place.cloud().census(), Census::one_stack());
    place.cloud().heal();
    place.run(DESTROY).succeeds();
    assert_eq!(place.cloud().census(), Census::nothing_but_ending_keys(1));
}

#[test]
fn a_final_export_into_what_goes_with_the_stack_is_refused() {
    let place = stack();
    let own = [
        "destroy",
        "-y",
        "--force-destroy",
        "--allow-destroy",
        "fhir-minimal",
        "--final-export",
        "s3://example-fhir-minimal-data/x",
    ];
    place.run(own).exits(64).says("is deleted with the stack");
    place
        .run(["destroy", "-y", "--allow-destroy", "fhir-minimal", "--final-export", "safe"])
        .exits(5)
        .says("--force-destroy");
    assert_eq!(place.cloud().census(), Census::one_stack());
}

#[test]
fn a_final_export_into_another_bucket_is_copied_there() {
    let place = stack();
    place.cloud().emulator.load(None, patients(0..12, 0).as_bytes()).unwrap();
    call(place.cloud().s3().create_bucket().bucket("elsewhere").send()).unwrap();
    let arguments = [
        "destroy",
        "-y",
        "--force-destroy",
        "--allow-destroy",
        "fhir-minimal",
        "--final-export",
        "s3://elsewhere/last",
    ];
    place.run(arguments).succeeds();
    let list = call(place.cloud().s3().list_objects_v2().bucket("elsewhere").send()).unwrap();
    let keys: Vec<&str> = list.contents().iter().filter_map(|object| object.key()).collect();
    assert_eq!(keys, ["last/Patient/Patient-0.ndjson", "last/manifest.json", "last/receipt.json"]);
    assert_eq!(place.cloud().census().stores, 0);
}

/// A destroy with its final export into another bucket.
fn destroy_into(target: &str) -> [&str; 7] {
    ["destroy", "-y", "--force-destroy", "--allow-destroy", "fhir-minimal", "--final-export", target]
}

fn keys(place: &Place, bucket: &str) -> Vec<String> {
    let list = call(place.cloud().s3().list_objects_v2().bucket(bucket).send()).unwrap();
    list.contents().iter().filter_map(|object| object.key().map(str::to_owned)).collect()
}

#[test]
fn a_destroy_that_ended_between_export_and_deletion_exports_again() {
    let place = stack();
    place.cloud().emulator.load(None, patients(0..12, 0).as_bytes()).unwrap();
    place.cloud().emulator.load(None, br#"{"resourceType":"Group","id":"g","type":"person","actual":true}"#).unwrap();
    let denied = [
        "iam:DetachRolePolicy",
        "iam:DeleteRole",
        "iam:DeletePolicy",
        "kms:ScheduleKeyDeletion",
        "healthlake:DeleteFHIRDatastore",
        "s3:DeleteBucket",
        "s3:DeleteBucketPolicy",
        "s3:PutBucketLogging",
        "s3:DeleteObject",
    ];
    place.cloud().emulator.set_faults(json!({ "deny": denied }).to_string().parse().unwrap());
    place.run(DESTROY).exits(6);
    assert_eq!(place.cloud().census(), Census::one_stack());
    place.cloud().heal();
    // One more arrives and a type has gone, before the same command comes again.
    place.cloud().emulator.load(None, patients(12..13, 0).as_bytes()).unwrap();
    place.run(["fhir", "delete", "Group/g", "-y"]).succeeds();
    place.run(DESTROY).succeeds().says("Exported 13 resources of 1 type");
    assert_eq!(place.read("safe/Patient.ndjson").lines().count(), 13);
    assert!(!place.path("safe/Group.ndjson").exists());
    assert_eq!(place.cloud().census(), Census::nothing_but_ending_keys(1));
}

#[test]
fn a_destroy_that_was_killed_is_taken_up_and_the_receipt_holds_all_of_it() {
    let place = stack();
    place.cloud().emulator.load(None, patients(0..3, 0).as_bytes()).unwrap();
    let mut all: Vec<String> = place.state()["resources"].as_object().unwrap().keys().cloned().collect();
    place.cloud().rules([rule("DeleteFHIRDatastore", None, Action::Hang)]);
    let mut running = place.run(DESTROY).start();
    running.wait_until_stuck(&place);
    running.kill();
    let announced: Value = serde_json::from_str(&place.read("safe/receipt.json")).unwrap();
    assert_eq!(announced["ended"], Value::Null);
    assert_eq!(announced["left"].as_array().unwrap().len(), all.len(), "{announced:#}");
    place.cloud().heal();
    place.run(DESTROY).succeeds().says("started to delete the stack");
    let receipt: Value = serde_json::from_str(&place.read("safe/receipt.json")).unwrap();
    let destroyed = receipt["destroyed"].as_array().unwrap().iter();
    let mut destroyed: Vec<String> = destroyed.map(|one| one["address"].as_str().unwrap().to_owned()).collect();
    destroyed.sort();
    all.sort();
    assert_eq!(destroyed, all);
    assert_eq!(receipt["keys"].as_array().unwrap().len(), 1);
    assert_eq!(receipt["left"], json!([]));
    assert_eq!(receipt["export"]["resources"], 3);
    assert!(receipt["ended"].is_string(), "{receipt:#}");
    assert_eq!(place.cloud().census(), Census::nothing_but_ending_keys(1));
}

#[test]
fn a_receipt_that_could_not_be_ended_is_ended_by_the_same_command() {
    let place = stack();
    // The receipt is written before the copy, before the deletions, and at the end; between comes the manifest.
    let announce_only = rule("PutObject", Some(4), Action::Deny);
    call(place.cloud().s3().create_bucket().bucket("elsewhere").send()).unwrap();
    place.cloud().rules([announce_only]);
    place.run(destroy_into("s3://elsewhere/last")).succeeds().says("the receipt could not be written");
    place.cloud().heal();
    place.run(destroy_into("s3://elsewhere/last")).succeeds().says("The receipt is");
    let get = place.cloud().s3().get_object().bucket("elsewhere").key("last/receipt.json").send();
    let body = call(async { get.await.unwrap().body.collect().await }).unwrap();
    let receipt: Value = serde_json::from_slice(&body.into_bytes()).unwrap();
    assert_eq!(receipt["left"], json!([]));
    assert_eq!(receipt["keys"].as_array().unwrap().len(), 1, "{receipt:#}");
}

#[test]
fn what_a_final_export_says_of_its_files_is_true_after_the_destroy() {
    let place = stack();
    place.cloud().emulator.load(None, patients(0..3, 0).as_bytes()).unwrap();
    call(place.cloud().s3().create_bucket().bucket("elsewhere").send()).unwrap();
    place.run(destroy_into("s3://elsewhere/last")).succeeds();
    let get = place.cloud().s3().get_object().bucket("elsewhere").key("last/manifest.json").send();
    let body = call(async { get.await.unwrap().body.collect().await }).unwrap();
    let manifest: Value = serde_json::from_slice(&body.into_bytes()).unwrap();
    assert_eq!(manifest["files"][0]["file"], "s3://elsewhere/last/Patient/");
}

#[test]
fn a_final_export_to_a_bucket_that_is_missing_far_away_or_in_use_is_refused_before_the_export() {
    let place = stack();
    place.run(destroy_into("s3://nowhere-at-all/x")).exits(64).says("does not exist");
    let far = aws_sdk_s3::Client::new(&place.cloud().sdk("eu-west-1"));
    let constraint = aws_sdk_s3::types::CreateBucketConfiguration::builder()
        .location_constraint(aws_sdk_s3::types::BucketLocationConstraint::EuWest1)
        .build();
    call(far.create_bucket().bucket("far-away").create_bucket_configuration(constraint).send()).unwrap();
    place.run(destroy_into("s3://far-away/x")).exits(64).says("eu-west-1");
    let s3 = place.cloud().s3();
    call(s3.create_bucket().bucket("elsewhere").send()).unwrap();
    call(s3.put_object().bucket("elsewhere").key("last/Patient/mine.ndjson").send()).unwrap();
    place.run(destroy_into("s3://elsewhere/last")).exits(64).says("is not empty");
    assert_eq!(place.cloud().count("StartFHIRExportJob"), 0);
    assert_eq!(keys(&place, "elsewhere"), ["last/Patient/mine.ndjson"]);
    assert_eq!(place.cloud().census().stores, 1);
}
