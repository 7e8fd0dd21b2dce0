//! Bulk data: checks, imports and exports, killed at any point and taken up again.

use std::fs;
use std::time::Duration;

use hlctl_emulator::{Action, Clock, Delays, Options};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::{Census, Cloud, Ended, Place, Running, call, eventually, holds_within, rule};

/// Invented patients, with so many bytes besides.
fn patients(numbers: std::ops::Range<usize>, padding: usize) -> String {
    let text = "x".repeat(padding);
    let line = |number| json!({"resourceType": "Patient", "id": format!("p{number}"), "language": "en", "implicitRules": format!("urn:x{text}")});
    numbers.map(|number| format!("{}\n", line(number))).collect()
}

fn stack() -> Place {
    let place = Place::quick("minimal");
    place.apply();
    place
}

/// A stack whose jobs take a minute, in which time stands still.
fn slow_stack() -> Place {
    let clock = Clock::manual("2026-01-02T03:04:05Z".parse().unwrap());
    let delays = Delays { job: Duration::from_secs(60), ..Delays::default() };
    let place = Place::on(Cloud::with(Options { clock, delays, ..Options::default() }), "minimal");
    place.apply();
    place
}

fn folder(place: &Place, files: &[(&str, &str)]) {
    fs::create_dir_all(place.path("in/deeper")).unwrap();
    for (name, text) in files {
        place.write(&format!("in/{name}"), text);
    }
}

/// How many resources the store holds, by an export.
fn held(place: &Place) -> u64 {
    place.run(["data", "export", "--json"]).succeeds().json()["resources"].as_u64().unwrap()
}

fn waits_for_the_job(place: &Place) -> Running {
    let running = place.run(["data", "import", "in"]).start();
    eventually("the job is looked at", || place.cloud().count("DescribeFHIRImportJob") > 2);
    running
}

#[test]
fn a_folder_is_checked_uploaded_and_imported() {
    let place = stack();
    folder(
        &place,
        &[("a.ndjson", &patients(0..30, 0)), ("deeper/b.ndjson", &patients(30..50, 0)), ("notes.txt", "none")],
    );
    let ended = place.run(["data", "import", "in", "--json"]).succeeds().says("1 file left out");
    let told = ended.json();
    assert_eq!(told["check"]["resources"]["Patient"], 50, "{ended}");
    assert_eq!(told["upload"]["sent"], 2, "{ended}");
    assert_eq!(told["job"]["status"], "COMPLETED", "{ended}");
    assert_eq!(told["job"]["progress"]["resources_imported"], 50, "{ended}");
    assert_eq!(held(&place), 50);
    let jobs = place.run(["data", "jobs", "--json"]).succeeds().json();
    let kinds: Vec<&Value> = jobs["jobs"].as_array().unwrap().iter().map(|job| &job["kind"]).collect();
    assert_eq!(kinds.len(), 2);
    assert_eq!(fs::read_dir(place.path(".hlctl/data")).unwrap().count(), 0, "nothing is left to go on with");
}

#[test]
fn what_is_in_s3_already_is_imported_from_there() {
    let place = stack();
    let outputs = place.run(["outputs", "--json"]).succeeds().json();
    let bucket = outputs["s3_bucket"].as_str().unwrap().to_owned();
    let body = patients(0..7, 0).into_bytes().into();
    call(place.cloud().s3().put_object().bucket(&bucket).key("mine/a.ndjson").body(body).send()).unwrap();
    place.run(["data", "import", &format!("s3://{bucket}/mine")]).succeeds().says("Imported 7 resources");
}

#[test]
fn broken_lines_are_told_and_nothing_is_sent() {
    let place = stack();
    folder(
        &place,
        &[("a.ndjson", "{\"resourceType\":\"Patient\"}\n{\"resourceType\":\"Secret\",\"id\":\"jane-doe\"}\n")],
    );
    place.cloud().emulator.clear_requests();
    let ended = place.run(["data", "import", "in", "--json"]).exits(1);
    assert_eq!(ended.json()["check"]["problems"][1]["example"], json!({"file": "a.ndjson", "line": 1}), "{ended}");
    ended.says("a.ndjson:1: the resource has no id").says("a.ndjson:2").keeps_silent_about("jane-doe");
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    place.run(["data", "check", "in"]).exits(1).says("2 problems");
}

#[test]
fn refusals_are_grouped_by_cause_and_only_what_was_mended_is_sent_again() {
    let place = stack();
    let broken = "{\"resourceType\":\"Patient\",\"id\":\"x\",\"gender\":\"m\"}\n".to_owned();
    folder(&place, &[("a.ndjson", &patients(0..3, 0)), ("b.ndjson", &(patients(3..5, 0) + &broken))]);
    let ended = place.run(["data", "import", "in", "--json"]).exits(6);
    let told = ended.json();
    assert_eq!((&told["refused"][0]["file"], &told["refused"][0]["line"]), (&json!("b.ndjson"), &json!(3)), "{ended}");
    assert_eq!(told["job"]["progress"]["resources_imported"], 5, "{ended}");
    ended.says("b.ndjson:3: ").says("hlctl data import in");
    place.write("in/b.ndjson", &patients(3..6, 0));
    let told = place.run(["data", "import", "in", "--json"]).succeeds().json();
    assert_eq!((&told["upload"]["sent"], &told["upload"]["kept"]), (&json!(1), &json!(1)));
    assert_eq!(held(&place), 6);
}

#[test]
fn a_role_that_healthlake_may_not_take_on_is_told_before_anything_is_sent() {
    let place = stack();
    folder(&place, &[("a.ndjson", &patients(0..3, 0))]);
    let iam = place.cloud().iam();
    let role = call(iam.list_roles().send()).unwrap().roles()[0].role_name().to_owned();
    let policy = call(iam.list_attached_role_policies().role_name(&role).send()).unwrap();
    let policy = policy.attached_policies()[0].policy_arn().unwrap().to_owned();
    call(iam.detach_role_policy().role_name(&role).policy_arn(policy).send()).unwrap();
    place.cloud().emulator.clear_requests();
    place.run(["data", "import", "in"]).exits(1).says("may not kms:Decrypt").says("may not s3:GetObject");
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
}

#[test]
fn an_upload_that_was_killed_is_taken_up() {
    let place = stack();
    folder(&place, &[("a.ndjson", &patients(0..3, 0)), ("large.ndjson", &patients(3..20, 1 << 20))]);
    place.cloud().rules([rule("UploadPart", Some(3), Action::Hang)]);
    let mut running = place.run(["data", "import", "in"]).start();
    eventually("the requests are under way", || place.cloud().count("UploadPart") >= 3);
    running.wait_until_stuck(&place);
    running.kill();
    place.cloud().heal();
    let told = place.run(["data", "import", "in", "--json"]).succeeds().json();
    assert_eq!((&told["upload"]["sent"], &told["upload"]["kept"]), (&json!(1), &json!(1)));
    assert_eq!(place.cloud().count("CreateMultipartUpload"), 1);
    assert_eq!(place.cloud().count("UploadPart"), 4, "each part is taken once");
    assert_eq!(held(&place), 20);
}

#[test]
fn a_file_that_was_changed_after_a_killed_upload_is_sent_anew() {
    let place = stack();
    folder(&place, &[("large.ndjson", &patients(0..12, 1 << 20))]);
    place.cloud().rules([rule("UploadPart", Some(2), Action::Hang)]);
    let mut running = place.run(["data", "import", "in"]).start();
    eventually("the requests are under way", || place.cloud().count("UploadPart") >= 2);
    running.wait_until_stuck(&place);
    running.kill();
    place.cloud().heal();
    place.write("in/large.ndjson", &patients(50..62, 1 << 20));
    place.run(["data", "import", "in"]).succeeds();
    assert_eq!(place.cloud().count("AbortMultipartUpload"), 1);
    assert_eq!(held(&place), 12);
}

#[test]
fn a_wait_that_was_killed_is_taken_up_without_a_second_job() {
    let place = slow_stack();
    folder(&place, &[("a.ndjson", &patients(0..9, 0))]);
    waits_for_the_job(&place).kill();
    place.cloud().let_a_minute_pass();
    place.run(["data", "import", "in"]).succeeds().says("Going on with").says("Imported 9 resources");
    assert_eq!(place.cloud().count("StartFHIRImportJob"), 1);
}

#[test]
fn an_interrupted_wait_says_how_to_go_on_and_leaves_aws_working() {
    let place = slow_stack();
    folder(&place, &[("a.ndjson", &patients(0..9, 0))]);
    let running = waits_for_the_job(&place);
    running.signal(Signal::SIGINT);
    let ended = running.ends();
    assert_eq!(ended.code, 6, "{ended}");
    ended.says("AWS goes on with it").says("`hlctl data import in` waits on");
    place.run(["data", "import", "in", "--no-wait"]).exits(6);
    place.cloud().let_a_minute_pass();
    place.run(["data", "import", "in"]).succeeds();
    assert_eq!(place.cloud().count("StartFHIRImportJob"), 1);
}

#[test]
fn a_start_whose_answer_was_lost_makes_one_job() {
    for kind in ["import", "export"] {
        let place = stack();
        folder(&place, &[("a.ndjson", &patients(0..9, 0))]);
        let operation = if kind == "import" { "StartFHIRImportJob" } else { "StartFHIRExportJob" };
        place.cloud().rules([rule(operation, Some(1), Action::DropAfter), rule(operation, Some(2), Action::Hang)]);
        let arguments = if kind == "import" { ["data", "import", "in"] } else { ["data", "export", "out"] };
        let mut running = place.run(arguments).start();
        running.wait_until_stuck(&place);
        running.kill();
        place.cloud().heal();
        place.run(arguments).succeeds();
        let jobs = place.run(["data", "jobs", "--json"]).succeeds().json();
        assert_eq!(jobs["jobs"].as_array().unwrap().len(), 1, "{jobs}");
    }
}

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
fn an_export_job_that_fails_is_told_and_the_next_is_another() {
    let place = stack();
    place.cloud().emulator.load(None, patients(0..20, 0).as_bytes()).unwrap();
    place.cloud().emulator.set_faults(
        r#"{"jobs": {"after_resources": 3, "ends_as": "FAILED", "message": "no capacity"}}"#.parse().unwrap(),
    );
    place.run(["data", "export", "out"]).exits(6).says("no capacity");
    place.cloud().heal();
    place.run(["data", "export", "out"]).succeeds();
}

/// Runs to the end, and tells the most memory in KiB that was seen to be held.
#[cfg(target_os = "linux")]
fn peak_memory(place: &Place, arguments: &[&str]) -> (Ended, u64) {
    let mut running = place.run(arguments.iter().copied()).start();
    let mut peak = 0;
    let ended = holds_within(Duration::from_secs(300), || {
        peak = running.memory().unwrap_or_default().max(peak);
        !running.is_alive()
    });
    assert!(ended, "it takes too long: {}", running.said());
    (running.ends(), peak)
}

#[cfg(target_os = "linux")]
#[test]
fn much_data_goes_in_and_out_in_little_memory() {
    let place = stack();
    folder(&place, &[]);
    for file in 0..5 {
        place.write(&format!("in/{file}.ndjson"), &patients(file * 20_000..(file + 1) * 20_000, 800));
    }
    for arguments in [["data", "import", "in"], ["data", "export", "out"]] {
        let (ended, memory) = peak_memory(&place, &arguments);
        assert_eq!(ended.code, 0, "{ended}");
        assert!((1..48 << 10).contains(&memory), "{arguments:?} held {memory} KiB");
    }
}

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
    place.run(own).exits(64).says("goes with the stack");
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
fn a_destroy_that_ended_between_export_and_deletion_exports_anew() {
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
    place.run(DESTROY).succeeds().says("began to delete the stack");
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

#[test]
fn a_folder_is_the_same_import_however_it_is_written_and_from_wherever() {
    let place = slow_stack();
    folder(&place, &[("a.ndjson", &patients(0..3, 0))]);
    waits_for_the_job(&place).kill();
    place.cloud().let_a_minute_pass();
    place.run(["data", "import", "in/deeper/../"]).succeeds().says("Going on with");
    assert_eq!(place.cloud().count("StartFHIRImportJob"), 1);
}

#[test]
fn files_that_were_changed_while_their_job_was_under_way_are_not_called_imported() {
    let place = slow_stack();
    folder(&place, &[("a.ndjson", &patients(0..3, 0))]);
    waits_for_the_job(&place).kill();
    folder(&place, &[("a.ndjson", &patients(0..5, 0))]);
    place.cloud().let_a_minute_pass();
    place.run(["data", "import", "in"]).exits(6).says("they have changed since").says("`hlctl data import in`");
    let running = place.run(["data", "import", "in"]).start();
    eventually("another job is looked at", || place.cloud().count("StartFHIRImportJob") == 2);
    eventually("the job is looked at", || running.has_said("IN_PROGRESS"));
    place.cloud().let_a_minute_pass();
    assert_eq!(running.ends().code, 0);
}

#[test]
fn a_job_that_validates_otherwise_than_is_asked_now_is_told() {
    let place = slow_stack();
    folder(&place, &[("a.ndjson", &patients(0..3, 0))]);
    waits_for_the_job(&place).kill();
    place.cloud().let_a_minute_pass();
    place
        .run(["data", "import", "in", "--validation-level", "minimal"])
        .succeeds()
        .says("validated by strict and not by minimal");
}

#[test]
fn the_command_that_goes_on_can_be_pasted_into_a_shell() {
    let place = stack();
    fs::create_dir_all(place.path("my data")).unwrap();
    place.write("my data/a b.ndjson", &patients(0..3, 0));
    let arguments = ["data", "import", "my data", "--validation-level", "minimal", "--no-wait"];
    place.run(arguments).exits(6).says("`hlctl data import 'my data' --validation-level minimal`");
}

#[test]
fn a_place_in_s3_without_ndjson_is_no_import() {
    let place = stack();
    let put = |key: &str, text: &'static str| {
        let body = aws_sdk_s3::primitives::ByteStream::from_static(text.as_bytes());
        call(place.cloud().s3().put_object().bucket("example-fhir-minimal-data").key(key).body(body).send()).unwrap();
    };
    put("in/a.json", "{}");
    place.run(["data", "import", "s3://example-fhir-minimal-data/in"]).exits(64).says("no .ndjson files");
    put("in/empty.ndjson", "");
    place.run(["data", "import", "s3://example-fhir-minimal-data/in"]).exits(1).says("empty.ndjson: the file is empty");
    assert_eq!(place.cloud().count("StartFHIRImportJob"), 0);
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
fn a_sandbox_is_loaded_with_ndjson_between_two_commands() {
    let place = Place::sandbox("minimal");
    place.apply();
    folder(&place, &[("a.ndjson", &patients(0..3, 0))]);
    let loaded = place.run(["sandbox", "load", "in", "--json"]).succeeds().says("Loaded 3 resources").json();
    assert_eq!(loaded["loaded"][0]["resources"], 3);
    assert_eq!(held(&place), 3);
    place.write("in/b.ndjson", "{\"resourceType\":\"Patient\"}\n");
    place.run(["sandbox", "load", "in/b.ndjson"]).exits(1).says("b.ndjson:1: ");
    place.run(["sandbox", "load", "nowhere"]).exits(64).says("cannot read nowhere");
    place.run(["sandbox", "load", "in", "--store", "0123"]).exits(64).says("there is no datastore 0123");
    assert_eq!(held(&place), 3);
}

#[test]
fn jobs_take_their_time_in_a_sandbox_that_is_told_so() {
    let place = Place::sandbox("minimal");
    place.apply();
    let arguments = ["data", "export", "--no-wait"];
    place.run(arguments).env("HLCTL_SANDBOX_JOB_DELAY", "3600").exits(6);
    let jobs = place.run(["data", "jobs", "--json"]).env("HLCTL_SANDBOX_JOB_DELAY", "3600").succeeds().json();
    assert_ne!(jobs["jobs"][0]["status"], "COMPLETED");
}

#[test]
fn what_the_service_failed_to_take_in_is_not_called_refused() {
    let place = stack();
    folder(&place, &[("a.ndjson", &patients(0..10, 0))]);
    place.cloud().emulator.set_faults(r#"{"jobs": {"server_error_every": 2}}"#.parse().unwrap());
    place
        .run(["data", "import", "in"])
        .exits(6)
        .says("5 resources were imported, 0 refused, 5 lost to failures of the service")
        .says("`hlctl data import in` imports all of them once more")
        .keeps_silent_about("mend those lines");
    place.cloud().heal();
    place.run(["data", "import", "in"]).succeeds().says("Imported 10 resources");
}

#[test]
fn a_job_that_fails_without_a_word_is_told_with_its_manifest() {
    let place = stack();
    folder(&place, &[("a.ndjson", &patients(0..3, 0))]);
    place.cloud().emulator.set_faults(r#"{"jobs": {"after_resources": 1, "ends_as": "FAILED"}}"#.parse().unwrap());
    place.run(["data", "import", "in"]).exits(6).says("ended as FAILED").says("manifest.json may tell more");
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
        ended.says("`hlctl data export s3://example-fhir-minimal-data/out` takes up where this stood");
        place.cloud().heal();
        place.run(["data", "export", "s3://example-fhir-minimal-data/out"]).succeeds();
        assert_eq!(place.cloud().count("StartFHIRExportJob"), 1);
    }
}
