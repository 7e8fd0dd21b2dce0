//! Imports: checked, sent, waited for, killed at any point and taken up again.

use std::fs;

use hlctl_emulator::Action;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::{folder, held, patients, slow_stack, stack, waits_for_the_job};
use crate::support::{Place, call, eventually, rule};

#[test]
fn a_folder_is_checked_uploaded_and_imported() {
    let place = stack();
    folder(
        &place,
        &[("a.ndjson", &patients(0..30, 0)), ("deeper/b.ndjson", &patients(30..50, 0)), ("notes.txt", "none")],
    );
    let ended = place.run(["data", "import", "in", "--json"]).succeeds().says("1 file skipped");
    let reported = ended.json();
    assert_eq!(reported["check"]["resources"]["Patient"], 50, "{ended}");
    assert_eq!(reported["upload"]["sent"], 2, "{ended}");
    assert_eq!(reported["job"]["status"], "COMPLETED", "{ended}");
    assert_eq!(reported["job"]["progress"]["resources_imported"], 50, "{ended}");
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
fn a_folder_that_the_import_itself_writes_into_is_refused() {
    let place = stack();
    let bucket = "example-fhir-minimal-data";
    let body = patients(0..7, 0).into_bytes().into();
    call(place.cloud().s3().put_object().bucket(bucket).key("import/a.ndjson").body(body).send()).unwrap();
    for whole in [format!("s3://{bucket}"), format!("s3://{bucket}/"), format!("s3://{bucket}/import")] {
        place
            .run(["data", "import", &whole])
            .exits(64)
            .says("where this import would write")
            .says("s3://BUCKET/FOLDER");
    }
    assert_eq!(place.cloud().count("StartFHIRImportJob"), 0);
}

#[test]
fn broken_lines_are_reported_and_nothing_is_sent() {
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
fn what_an_import_takes_and_nobody_wants_is_noticed_and_sent() {
    let place = stack();
    let encounter = |id: u8, practitioner: &str| {
        format!(
            "{{\"resourceType\":\"Encounter\",\"id\":\"e{id}\",\"status\":\"finished\",\"class\":{{\"code\":\"AMB\"}},\
             \"participant\":[{{\"individual\":{{\"reference\":\"{practitioner}\"}}}}]}}\n"
        )
    };
    let searches =
        encounter(1, "Practitioner?identifier=x|jane-doe") + &encounter(2, "Practitioner?identifier=x|jane-doe");
    folder(&place, &[("a.ndjson", &(patients(0..1, 0) + &searches)), ("b.ndjson", &patients(0..1, 0))]);
    let checked = place.run(["data", "check", "in"]).succeeds().keeps_silent_about("jane-doe");
    checked
        .says("a.ndjson:2 at Encounter.participant.individual: a reference is a search")
        .says("exporter.fhir.transaction_bundle = false")
        .says("b.ndjson:1 and a.ndjson:1: the same resource occurs again");
    let findings = place.run(["data", "check", "in", "--json"]).succeeds().json();
    let notices: Vec<_> =
        findings["notices"].as_array().unwrap().iter().map(|one| (&one["notice"], &one["count"])).collect();
    assert_eq!(notices, [(&json!("reference_search"), &json!(2)), (&json!("repeated_line"), &json!(1))]);
    assert_eq!(findings["problems"], json!([]));
    // Without the structure, references are not looked at.
    let lines = place.run(["data", "check", "in", "--json", "--validation-level", "none"]).succeeds().json();
    assert_eq!(lines["notices"].as_array().unwrap().len(), 1);
    let reported = place.run(["data", "import", "in", "--json"]).succeeds().says("a reference is a search").json();
    assert_eq!(reported["check"]["notices"], findings["notices"]);
    assert_eq!(reported["job"]["status"], "COMPLETED");
}

#[test]
fn references_to_resources_outside_the_files_are_noticed_where_that_is_asked_for() {
    let place = stack();
    let observation = |id: u8, subject: &str| {
        format!(
            "{{\"resourceType\":\"Observation\",\"id\":\"o{id}\",\"status\":\"final\",\"code\":{{\"text\":\"x\"}},\
             \"subject\":{{\"reference\":\"{subject}\"}}}}\n"
        )
    };
    let observations = observation(1, "Patient/p0") + &observation(2, "Patient/jane-doe") + &observation(3, "Group/p0");
    folder(&place, &[("a.ndjson", &observations), ("deeper/b.ndjson", &patients(0..1, 0))]);
    let text = "a.ndjson:2: Observation.subject refers to Patient resources that are not in these files";
    let checked = place.run(["data", "check", "in", "--check-references"]).succeeds().keeps_silent_about("jane-doe");
    checked.says(text).says("a.ndjson:3: Observation.subject refers to Group resources");
    let findings = place.run(["data", "check", "in", "--check-references", "--json"]).succeeds().json();
    let reported: Vec<_> =
        findings["notices"].as_array().unwrap().iter().map(|one| (&one["notice"], &one["count"])).collect();
    assert_eq!(reported, [(&json!("reference_dangling"), &json!(1)); 2]);
    assert_eq!(place.run(["data", "check", "in", "--json"]).succeeds().json()["notices"], json!([]));
    let again = place.run(["data", "import", "in", "--check-references", "--no-wait"]).exits(6).says(text);
    again.says("`hlctl data import --check-references in`");
    let reported = place.run(["data", "import", "in", "--check-references", "--json"]).succeeds().json();
    assert_eq!(reported["job"]["status"], "COMPLETED");
    let in_s3 = "s3://example-fhir-minimal-data/mine";
    place.run(["data", "import", in_s3, "--check-references"]).exits(64).says("does not read the files");
}

#[test]
fn refusals_are_grouped_by_cause_and_only_what_was_repaired_is_sent_again() {
    let place = stack();
    let broken = "{\"resourceType\":\"Patient\",\"id\":\"x\",\"gender\":\"m\"}\n".to_owned();
    folder(&place, &[("a.ndjson", &patients(0..3, 0)), ("b.ndjson", &(patients(3..5, 0) + &broken))]);
    // The check would have said it; HealthLake is asked all the same.
    let ended = place.run(["data", "import", "in", "--json", "--allow-problems"]).exits(6);
    let reported = ended.json();
    assert_eq!(
        (&reported["refused"][0]["file"], &reported["refused"][0]["line"]),
        (&json!("b.ndjson"), &json!(3)),
        "{ended}"
    );
    assert_eq!(reported["job"]["progress"]["resources_imported"], 5, "{ended}");
    ended.says("b.ndjson:3: ").says("hlctl data import --allow-problems in");
    place.write("in/b.ndjson", &patients(3..6, 0));
    let reported = place.run(["data", "import", "in", "--json"]).succeeds().json();
    assert_eq!((&reported["upload"]["sent"], &reported["upload"]["kept"]), (&json!(1), &json!(1)));
    assert_eq!(held(&place), 6);
}

#[test]
fn a_role_that_healthlake_may_not_take_on_is_reported_before_anything_is_sent() {
    let place = stack();
    folder(&place, &[("a.ndjson", &patients(0..3, 0))]);
    let iam = place.cloud().iam();
    let role = call(iam.list_roles().send()).unwrap().roles()[0].role_name().to_owned();
    let policy = call(iam.list_attached_role_policies().role_name(&role).send()).unwrap();
    let policy = policy.attached_policies()[0].policy_arn().unwrap().to_owned();
    call(iam.detach_role_policy().role_name(&role).policy_arn(policy).send()).unwrap();
    place.cloud().emulator.clear_requests();
    place.run(["data", "import", "in"]).exits(1).says("is not allowed kms:Decrypt").says("is not allowed s3:GetObject");
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
    let reported = place.run(["data", "import", "in", "--json"]).succeeds().json();
    assert_eq!((&reported["upload"]["sent"], &reported["upload"]["kept"]), (&json!(1), &json!(1)));
    assert_eq!(place.cloud().count("CreateMultipartUpload"), 1);
    assert_eq!(place.cloud().count("UploadPart"), 4, "each part is taken once");
    assert_eq!(held(&place), 20);
}

#[test]
fn a_file_that_was_changed_after_a_killed_upload_is_sent_again() {
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
    place.run(["data", "import", "in"]).succeeds().says("Continuing with").says("Imported 9 resources");
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
    ended.says("AWS continues with it").says("`hlctl data import in` keeps waiting");
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
fn a_refusal_after_a_lost_answer_does_not_say_that_there_is_no_job() {
    for kind in ["import", "export"] {
        let place = stack();
        folder(&place, &[("a.ndjson", &patients(0..9, 0))]);
        let (start, list, arguments) = match kind {
            "import" => ("StartFHIRImportJob", "ListFHIRImportJobs", ["data", "import", "in"]),
            _ => ("StartFHIRExportJob", "ListFHIRExportJobs", ["data", "export", "out"]),
        };
        place.cloud().rules([rule(start, Some(1), Action::DropAfter), rule(start, Some(2), Action::Deny)]);
        let unknown = "whether the job was started is not known";
        place.run(arguments).exits(6).says(unknown).keeps_silent_about("was not started");
        // The jobs cannot be listed either: what the run before has done stays unknown.
        place.cloud().heal();
        // An import has listed them before, to see whether another one is in the way.
        place.cloud().rules([rule(list, Some(if kind == "import" { 2 } else { 1 }), Action::Deny)]);
        place.run(arguments).exits(6).says(unknown);
        place.cloud().heal();
        place.run(arguments).succeeds();
        let jobs = place.run(["data", "jobs", "--json"]).succeeds().json();
        assert_eq!(jobs["jobs"].as_array().unwrap().len(), 1, "{jobs}");
        // What is refused at once was surely not started.
        let place = stack();
        folder(&place, &[("a.ndjson", &patients(0..9, 0))]);
        place.cloud().rules([rule(start, None, Action::Deny)]);
        place.run(arguments).exits(6).says("the job was not started").keeps_silent_about("is not known");
    }
}

#[test]
fn a_job_whose_start_was_never_sent_or_surely_refused_is_known_not_to_be_started() {
    for kind in ["import", "export"] {
        let place = stack();
        folder(&place, &[("a.ndjson", &patients(0..9, 0))]);
        let (start, list, arguments) = match kind {
            "import" => ("StartFHIRImportJob", "ListFHIRImportJobs", ["data", "import", "in"]),
            _ => ("StartFHIRExportJob", "ListFHIRExportJobs", ["data", "export", "out"]),
        };
        // An import has listed them before, to see whether another one is in the way.
        let unlisted = || [rule(list, Some(if kind == "import" { 2 } else { 1 }), Action::Deny)];
        let not_started = || {
            place.run(arguments).exits(6).says("the job was not started").keeps_silent_about("is not known");
            place.cloud().heal();
        };
        for _ in 0..2 {
            place.cloud().rules(unlisted());
            not_started();
        }
        assert_eq!(place.cloud().count(start), 0);
        place.cloud().rules([rule(start, None, Action::Deny)]);
        not_started();
        place.cloud().rules(unlisted());
        not_started();
        place.run(arguments).succeeds();
    }
}

#[test]
fn a_folder_is_the_same_import_however_it_is_written_and_from_wherever() {
    let place = slow_stack();
    folder(&place, &[("a.ndjson", &patients(0..3, 0))]);
    waits_for_the_job(&place).kill();
    place.cloud().let_a_minute_pass();
    place.run(["data", "import", "in/deeper/../"]).succeeds().says("Continuing with");
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
fn a_job_that_validates_otherwise_than_is_asked_now_is_reported() {
    let place = slow_stack();
    folder(&place, &[("a.ndjson", &patients(0..3, 0))]);
    waits_for_the_job(&place).kill();
    place.cloud().let_a_minute_pass();
    place
        .run(["data", "import", "in", "--validation-level", "minimal"])
        .succeeds()
        .says("with the validation level strict instead of minimal");
}

#[test]
fn a_job_that_validates_less_than_is_asked_now_is_not_all() {
    let place = slow_stack();
    folder(&place, &[("a.ndjson", &patients(0..3, 0))]);
    place.run(["data", "import", "in", "--validation-level", "structure-only", "--no-wait"]).exits(6);
    place.cloud().let_a_minute_pass();
    let less = place.run(["data", "import", "in"]).exits(6);
    less.says("validated as structure-only, not as strict").says("`hlctl data import in` imports them again as strict");
    place.run(["data", "import", "in", "--no-wait"]).exits(6);
    let jobs = place.run(["data", "jobs", "--json"]).succeeds().json();
    let levels: Vec<_> = jobs["jobs"].as_array().unwrap().iter().map(|job| &job["validation_level"]).collect();
    assert_eq!(levels, ["strict", "structure-only"]);
}

#[test]
fn a_start_that_may_still_arrive_is_repeated_as_it_was_sent() {
    for fault in [Action::Hang, Action::HangAfter] {
        let begun = || {
            let place = stack();
            folder(&place, &[("a.ndjson", &patients(0..3, 0))]);
            place.cloud().rules([rule("StartFHIRImportJob", Some(1), fault.clone())]);
            let mut running = place.run(["data", "import", "in"]).start();
            running.wait_until_stuck(&place);
            running.kill();
            place.cloud().heal();
            place
        };
        let place = begun();
        place
            .run(["data", "import", "in", "--validation-level", "minimal"])
            .succeeds()
            .says("with the validation level strict instead of minimal");
        let jobs = place.run(["data", "jobs", "--json"]).succeeds().json();
        assert_eq!(jobs["jobs"].as_array().unwrap().len(), 1, "{fault:?}: {jobs:#}");
        assert_eq!(jobs["jobs"][0]["validation_level"], "strict", "{fault:?}");
        let place = begun();
        folder(&place, &[("a.ndjson", &patients(0..5, 0))]);
        place.run(["data", "import", "in"]).exits(6).says("they have changed since");
        place.run(["data", "import", "in"]).succeeds().says("5 resources");
    }
}

#[test]
fn the_command_that_goes_on_can_be_pasted_into_a_shell() {
    let place = stack();
    fs::create_dir_all(place.path("my data")).unwrap();
    place.write("my data/a b.ndjson", &patients(0..3, 0));
    let arguments = ["data", "import", "my data", "--validation-level", "minimal", "--no-wait"];
    place.run(arguments).exits(6).says("`hlctl data import --validation-level minimal 'my data'`");
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
fn what_the_service_failed_to_take_in_is_not_called_refused() {
    let place = stack();
    folder(&place, &[("a.ndjson", &patients(0..10, 0))]);
    place.cloud().emulator.set_faults(r#"{"jobs": {"server_error_every": 2}}"#.parse().unwrap());
    place
        .run(["data", "import", "in"])
        .exits(6)
        .says("5 resources imported, 0 refused, 5 lost to service failures")
        .says("`hlctl data import in` imports all of them again")
        .keeps_silent_about("correct those lines");
    place.cloud().heal();
    place.run(["data", "import", "in"]).succeeds().says("Imported 10 resources");
}

#[test]
fn a_job_that_fails_without_a_word_is_reported_with_its_manifest() {
    let place = stack();
    folder(&place, &[("a.ndjson", &patients(0..3, 0))]);
    place.cloud().emulator.set_faults(r#"{"jobs": {"after_resources": 1, "ends_as": "FAILED"}}"#.parse().unwrap());
    place.run(["data", "import", "in"]).exits(6).says("ended as FAILED").says("manifest.json may say more");
}

#[test]
fn an_import_next_to_another_says_what_can_be_done_in_the_meantime() {
    let place = slow_stack();
    folder(&place, &[("a.ndjson", &patients(0..3, 0))]);
    place.run(["data", "import", "in", "--no-wait"]).exits(6);
    place.write("in/a.ndjson", &patients(0..4, 0));
    fs::rename(place.path("in"), place.path("more")).unwrap();
    let second = place.run(["data", "import", "more", "--no-wait"]).exits(6);
    second.says("another import, ").says("`hlctl data jobs` shows how far it is").says("Ctrl-C");
}

/// The keys under `import/`, one for each version and delete marker.
fn versions(place: &Place) -> Vec<String> {
    let list = place.cloud().s3().list_object_versions().bucket("example-fhir-minimal-data").prefix("import/");
    let page = call(list.send()).unwrap();
    let versions = page.versions().iter().map(|version| version.key());
    let markers = page.delete_markers().iter().map(|marker| marker.key());
    versions.chain(markers).map(|key| key.unwrap().to_owned()).collect()
}

fn uploaded(place: &Place) -> usize {
    versions(place).iter().filter(|key| key.contains("/input/")).count()
}

#[test]
fn uploaded_files_are_deleted_with_every_version_once_all_is_imported() {
    let place = stack();
    let failing = r#"{"jobs": {"after_resources": 3, "ends_as": "FAILED", "message": "no capacity"}}"#;
    place.cloud().emulator.set_faults(failing.parse().unwrap());
    folder(&place, &[("a.ndjson", &patients(0..7, 0)), ("b.ndjson", &patients(7..9, 0))]);
    let import = ["data", "import", "in", "--delete-input"];
    place.run(import).exits(6).says("no capacity").says("hlctl data import --delete-input in");
    assert_eq!(uploaded(&place), 2, "what was not imported is kept");
    // Sent once more, so that there is an older version, and a file that is gone leaves a delete marker.
    folder(&place, &[("a.ndjson", &patients(0..8, 0))]);
    fs::remove_file(place.path("in/b.ndjson")).unwrap();
    place.cloud().heal();
    let other = "import/mine/a.ndjson";
    let put = place.cloud().s3().put_object().bucket("example-fhir-minimal-data").key(other);
    call(put.body(b"mine".to_vec().into()).send()).unwrap();

    // All is imported, and a deletion that is refused is made up for without another job.
    place.cloud().rules([rule(
        "DeleteObjects",
        None,
        Action::Error { code: "AccessDenied".into(), message: "no".into(), status: 403 },
    )]);
    let kept = place.run(import.into_iter().chain(["--json"])).exits(6).says("could not be deleted");
    assert_eq!(kept.json()["input_deleted"], false);
    assert_eq!(held(&place), 8);
    assert_eq!(uploaded(&place), 4, "two files, a newer version of one, and a marker in the place of the other");
    place.cloud().heal();
    place.cloud().emulator.clear_requests();
    let ended = place.run(import.into_iter().chain(["--json"])).succeeds();
    assert_eq!(ended.json()["input_deleted"], true);
    assert_eq!(place.cloud().count("StartFHIRImportJob"), 0);
    assert_eq!(uploaded(&place), 0);
    assert!(versions(&place).contains(&other.to_owned()), "what is not this import's is kept");
    assert_eq!(fs::read_dir(place.path(".hlctl/data")).unwrap().count(), 0, "nothing is left to go on with");
}

#[test]
fn a_deletion_of_uploads_that_is_interrupted_is_made_up_for() {
    let place = stack();
    folder(&place, &[("a.ndjson", &patients(0..3, 0))]);
    place.cloud().rules([rule("DeleteObjects", Some(1), Action::Hang)]);
    let mut running = place.run(["data", "import", "in", "--delete-input"]).start();
    running.wait_until_stuck(&place);
    running.signal(Signal::SIGINT);
    let ended = running.ends();
    assert_eq!(ended.code, 6, "{ended}");
    let ended = ended.says("Imported 3 resources").says("interrupted").keeps_silent_about("AWS continues");
    ended.says("`hlctl data import --delete-input in` continues where this stopped");
    place.cloud().heal();
    place.cloud().emulator.clear_requests();
    place.run(["data", "import", "in", "--delete-input"]).succeeds().says("deleted from S3");
    assert_eq!((uploaded(&place), place.cloud().count("StartFHIRImportJob")), (0, 0));
}

#[test]
fn only_what_hlctl_has_uploaded_is_deleted() {
    let place = stack();
    let refused = place.run(["data", "import", "s3://example-fhir-minimal-data/mine/", "--delete-input"]).exits(64);
    refused.says("not a folder that hlctl uploads").says("leave out --delete-input");
    place.run(["data", "import", "in", "--delete-input", "--no-wait"]).exits(64);
}
