//! Exports: waited for, brought here, killed at any point and taken up again.

use std::fs;

use hlctl_emulator::Action;
use hlctl_engine::state::format::checksum;
use nix::sys::signal::Signal;
use serde_json::Value;

use super::{patients, stack};
use crate::support::{Place, eventually, rule};

#[test]
fn an_export_is_one_file_for_each_type_with_a_manifest() {
    let place = stack();
    let observation =
        "{\"resourceType\":\"Observation\",\"id\":\"o\",\"status\":\"final\",\"code\":{\"text\":\"x\"}}\n";
    let data = patients(0..40, 0) + observation;
    place.cloud().emulator.load(None, data.as_bytes()).unwrap();
    place.run(["data", "export", "out"]).succeeds().says("Exported 41 resources of 2 types to out");
    let manifest: Value = serde_json::from_str(&place.read("out/manifest.json")).unwrap();
    assert_eq!(manifest["files"][1]["type"], "Patient");
    assert_eq!(manifest["files"][1]["resources"], 40);
    assert_eq!(place.read("out/Patient.ndjson").lines().count(), 40);
    assert_eq!(place.read("out/Observation.ndjson").lines().count(), 1);
    place.run(["data", "check", "out", "--json"]).succeeds();
    assert_eq!(fs::read_dir(place.path("out")).unwrap().count(), 3);
    place.run(["data", "export", "out"]).exits(64).says("is not an empty folder");
    place.run(["data", "export", "some", "--type", "Patient"]).succeeds();
    assert_eq!(fs::read_dir(place.path("some")).unwrap().count(), 2);
    place.run(["data", "export", "--type", "Pateint"]).exits(64);
}

#[test]
fn a_download_that_was_killed_is_taken_up() {
    let place = stack();
    place.cloud().emulator.load(None, patients(0..20, 1 << 20).as_bytes()).unwrap();
    place.cloud().rules([rule("GetObject", Some(2), Action::Hang)]);
    let mut running = place.run(["data", "export", "out"]).start();
    eventually("the requests are under way", || place.cloud().count("GetObject") >= 2);
    running.wait_until_stuck(&place);
    running.kill();
    assert!(place.path("out/Patient.ndjson.part").exists());
    assert!(!place.path("out/manifest.json").exists());
    place.cloud().heal();
    place.cloud().emulator.clear_requests();
    place.run(["data", "export", "out"]).succeeds().says("Exported 20 resources");
    assert_eq!(place.cloud().count("StartFHIRExportJob"), 0);
    assert_eq!(place.cloud().count("GetObject"), 1, "only the piece that hung is asked for again");
    assert_eq!(place.read("out/Patient.ndjson").lines().count(), 20);
    place.run(["data", "check", "out"]).succeeds();
}

#[test]
fn an_export_job_that_fails_is_reported_and_the_next_is_another() {
    let place = stack();
    place.cloud().emulator.load(None, patients(0..20, 0).as_bytes()).unwrap();
    place.cloud().emulator.set_faults(
        r#"{"jobs": {"after_resources": 3, "ends_as": "FAILED", "message": "no capacity"}}"#.parse().unwrap(),
    );
    place.run(["data", "export", "out"]).exits(6).says("no capacity");
    place.cloud().heal();
    place.run(["data", "export", "out"]).succeeds();
}

#[test]
fn a_download_that_was_killed_while_its_files_got_their_names_is_taken_up() {
    let place = stack();
    place.cloud().emulator.load(None, patients(0..40, 0).as_bytes()).unwrap();
    place.cloud().emulator.load(None, br#"{"resourceType":"Group","id":"g","type":"person","actual":true}"#).unwrap();
    place.cloud().rules([rule("GetObject", Some(1), Action::Hang)]);
    let mut running = place.run(["data", "export", "out"]).start();
    running.wait_until_stuck(&place);
    running.kill();
    place.cloud().heal();
    // It stands in the way of the second name.
    fs::create_dir_all(place.path("out/Patient.ndjson/x")).unwrap();
    place.run(["data", "export", "out"]).exits(6).says("Patient.ndjson");
    assert!(place.path("out/Group.ndjson").exists());
    fs::remove_dir_all(place.path("out/Patient.ndjson")).unwrap();
    let before = place.cloud().count("GetObject");
    place.run(["data", "export", "out"]).succeeds().says("Exported 41 resources");
    assert_eq!(place.cloud().count("GetObject"), before, "nothing comes twice");
    let mut names: Vec<_> = fs::read_dir(place.path("out")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["Group.ndjson", "Patient.ndjson", "manifest.json"]);
}

#[test]
fn an_export_that_is_interrupted_anywhere_after_its_job_says_how_to_go_on() {
    for operation in ["ListObjectsV2", "GetObject"] {
        let place = stack();
        place.cloud().emulator.load(None, patients(0..3, 0).as_bytes()).unwrap();
        place.cloud().rules([rule(operation, Some(1), Action::Hang)]);
        let mut running = place.run(["data", "export", "s3://example-fhir-minimal-data/out"]).start();
        running.wait_until_stuck(&place);
        running.signal(Signal::SIGINT);
        let ended = running.ends();
        assert_eq!(ended.code, 6, "{operation}: {ended}");
        ended.says("`hlctl data export s3://example-fhir-minimal-data/out` continues where this stopped");
        place.cloud().heal();
        place.run(["data", "export", "s3://example-fhir-minimal-data/out"]).succeeds();
        assert_eq!(place.cloud().count("StartFHIRExportJob"), 1);
    }
}

/// The state records that the rule has been there for long: a day has gone by for it.
fn let_the_rule_expire_all(place: &Place) {
    let mut whole: Value = serde_json::from_str(&place.read(place.state_file())).unwrap();
    let rules = &mut whole["state"]["resources"]["s3_bucket_lifecycle_configuration.data"]["attributes"]["rules"];
    assert_eq!(rules["export"]["expiration_days"], 1);
    rules["export"]["expiration_days"] = 0.into();
    whole["checksum"] = checksum(&whole["state"]).into();
    place.write(place.state_file(), &whole.to_string());
}

/// An object that S3 has deleted is not missed in a list of what is there.
#[test]
fn an_export_that_s3_may_have_deleted_in_part_is_not_taken_for_whole() {
    let place = stack();
    place.add("transfer_retention_in_days = 1");
    place.apply();
    place.cloud().emulator.load(None, patients(0..20, 0).as_bytes()).unwrap();
    place.run(["data", "export", "out", "--no-wait"]).ends();
    let_the_rule_expire_all(&place);
    place.run(["data", "export", "out"]).exits(6).says("no longer kept: S3 deletes it after 0 days");
    assert!(!place.path("out/manifest.json").exists());
    // One that goes elsewhere is under no rule of the stack, and another job is another export.
    place.cloud().emulator.clear_requests();
    place.run(["data", "export", "s3://example-fhir-minimal-data/mine/"]).succeeds();
    place.run(["data", "export", "out"]).exits(6);
    assert_eq!(place.cloud().count("StartFHIRExportJob"), 2);
}

#[test]
fn a_rule_that_is_gone_again_may_have_deleted_some_of_an_export() {
    let place = stack();
    place.add("transfer_retention_in_days = 1");
    place.apply();
    place.cloud().emulator.load(None, patients(0..20, 0).as_bytes()).unwrap();
    let_the_rule_expire_all(&place);
    place.run(["data", "export", "out", "--no-wait"]).ends();
    place.edit("healthlake.toml", "transfer_retention_in_days = 1\n", "");
    place.apply();
    place.run(["data", "export", "out"]).exits(6).says("no longer kept");
    place.run(["data", "export", "out"]).succeeds().says("Exported 20 resources");
}
