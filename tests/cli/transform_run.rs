//! `hlctl transform run`: conversion of files by jobs of HealthLake.

use std::fs;
use std::path::Path;
use std::time::Duration;

use aws_sdk_healthlake::types::SourceFormat;
use hlctl_emulator::{Action, Clock, Delays, Faults, Options};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::{Cloud, Place, Run, call, eventually, rule};
use crate::transform::profile;

/// The options that name a role without a store in its trust.
pub(crate) const ROLE: [&str; 2] = ["--role-arn", "arn:aws:iam::000000000000:role/conversion"];
/// The folder of one of the example's cases, with its files.
const FILES: [&str; 5] = ["PATIENTS.csv", "PHONES.csv", "VISITS.csv", "DIAGNOSES.csv", "RESULTS.csv"];

/// A stack, a published profile with the example's mapping, a role for conversions, and the files of a case in `in`.
fn ready() -> Place {
    let place = Place::quick("minimal");
    place.apply();
    prepare(&place);
    place
}

/// What [`ready`] adds to a stack.
pub(crate) fn prepare(place: &Place) {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/transform");
    let text = fs::read_to_string(example.join("mapping.yaml")).unwrap();
    profile(place, "visits", &SourceFormat::Csv, &[&[("mapping.yaml", &text)]]);
    role(place);
    fs::create_dir_all(place.path("in")).unwrap();
    for name in FILES {
        if let Ok(text) = fs::read_to_string(example.join("tests/typical").join(name)) {
            place.write(&format!("in/{name}"), &text);
        }
    }
    // A column that the mapping does not use.
    let text = place.read("in/PATIENTS.csv").replace("\r", "");
    let noted: String = text
        .lines()
        .enumerate()
        .map(|(line, row)| format!("{row},{}\n", if line == 0 { "NOTE" } else { "x" }))
        .collect();
    place.write("in/PATIENTS.csv", &noted);
    place.cloud().emulator.clear_requests();
}

/// A role that HealthLake may assume for any work of the account.
pub(crate) fn role(place: &Place) {
    let iam = place.cloud().iam();
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": "healthlake.amazonaws.com"},
        "Condition": {"StringEquals": {"aws:SourceAccount": "000000000000"}}}]});
    let may = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*",
        "Action": ["s3:ListBucket", "s3:GetObject", "s3:PutObject", "kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"]}]});
    call(iam.create_role().role_name("conversion").assume_role_policy_document(trust.to_string()).send()).unwrap();
    let put = iam.put_role_policy().role_name("conversion").policy_name("p").policy_document(may.to_string());
    call(put.send()).unwrap();
}

fn run<'a>(place: &'a Place, more: &[&'a str]) -> Run<'a> {
    place.run(["transform", "run", "visits", "in"].into_iter().chain(ROLE).chain(more.iter().copied()))
}

/// How many jobs there are.
fn jobs(place: &Place) -> usize {
    call(place.cloud().healthlake().list_data_transformation_jobs().send()).unwrap().items().len()
}

#[test]
fn files_are_uploaded_and_converted_by_the_version_published_last() {
    let place = ready();
    let done = run(&place, &[]).succeeds();
    assert!(done.stderr.contains("by version 1 of the profile"), "{done}");
    assert!(done.stderr.contains("not used of PATIENTS: NOTE"), "{done}");
    let converted = done.stdout.trim();
    assert!(
        converted.starts_with("s3://example-fhir-minimal-data/import/hlctl-transform-")
            && converted.ends_with("/converted/"),
        "{done}"
    );
    // What came of it is what the store takes.
    place.run(["data", "check", converted]).succeeds();
    // A finished conversion leaves nothing to go on with: the next one is another.
    let document = run(&place, &["--json", "--drift-report", "off", "--provenance", "off"]).succeeds().json();
    assert_eq!(document["jobs"][0]["status"], "COMPLETED");
    assert_eq!(document["jobs"][0]["drift"], Value::Null);
    assert_eq!(document["profile"]["name"], "visits");
    assert!(document["jobs"][0]["resources"].as_u64().unwrap() > 3, "{document:#}");
    assert_eq!(jobs(&place), 2);
    let id = document["jobs"][0]["id"].as_str().unwrap();
    let job = call(place.cloud().healthlake().describe_data_transformation_job().job_id(id).send()).unwrap();
    let job = job.transformation_job_properties().unwrap();
    assert_eq!((job.drift_detection_enabled(), job.provenance_enabled()), (Some(false), Some(false)));
    // And from S3 to S3, to a place of one's own.
    let input = format!("{}0001/", document["upload"]["to"].as_str().unwrap());
    let from_s3 = ["transform", "run", "visits", &input, "--output", "s3://example-fhir-minimal-data/converted"];
    let done = place.run(from_s3.into_iter().chain(ROLE)).succeeds();
    assert!(done.stdout.starts_with("s3://example-fhir-minimal-data/converted/"), "{done}");
    assert_eq!(place.cloud().count("StartDataTransformationJob"), 3);
}

#[test]
fn a_conversion_with_errors_is_incomplete_and_says_why() {
    let place = ready();
    place.edit("in/PATIENTS.csv", "\n", "\n\"unclosed\n");
    let ended = run(&place, &["--json"]).exits(6).says("not converted or not as a whole");
    let document = ended.json();
    assert_eq!(document["jobs"][0]["status"], "COMPLETED_WITH_ERRORS");
    assert_eq!(document["errors"][0]["count"], 1, "{document:#}");
    // The corrected files are converted by another job.
    let original = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/transform/tests/typical/PATIENTS.csv");
    place.write("in/PATIENTS.csv", &fs::read_to_string(original).unwrap());
    run(&place, &[]).succeeds().says("Uploaded 1 file");
    assert_eq!(jobs(&place), 2);
}

#[test]
fn files_that_were_not_converted_are_missed_whatever_the_status_of_the_job() {
    let place = ready();
    place.edit("in/PATIENTS.csv", "\n", "\n\"unclosed\n");
    let faults = r#"{"jobs": {"completed_despite_errors": true}}"#.parse::<Faults>().unwrap();
    place.cloud().emulator.set_faults(faults);
    let ended = run(&place, &["--json"]).exits(6).says("1 file was not converted or not as a whole");
    let document = ended.json();
    assert_eq!(document["jobs"][0]["status"], "COMPLETED", "{document:#}");
    assert_eq!(document["errors"][0]["count"], 1, "{document:#}");
    // The corrected file is converted by another job.
    let original = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/transform/tests/typical/PATIENTS.csv");
    place.write("in/PATIENTS.csv", &fs::read_to_string(original).unwrap());
    run(&place, &[]).succeeds().says("Uploaded 1 file");
    assert_eq!(jobs(&place), 2);
}

#[test]
fn a_run_that_is_cut_off_or_loses_an_answer_starts_one_job() {
    for fault in [Action::DropAfter, Action::ServerErrorAfter, Action::Cut] {
        let place = ready();
        place.cloud().rules([rule("StartDataTransformationJob", Some(1), fault.clone())]);
        run(&place, &[]).succeeds();
        assert_eq!(jobs(&place), 1, "{fault:?}");
    }
    for (operation, fault) in [
        ("StartDataTransformationJob", Action::Hang),
        ("StartDataTransformationJob", Action::HangAfter),
        ("DescribeDataTransformationJob", Action::Hang),
    ] {
        let place = ready();
        place.cloud().rules([rule(operation, Some(1), fault.clone())]);
        let mut running = run(&place, &[]).start();
        running.wait_until_stuck(&place);
        running.kill();
        place.cloud().heal();
        let done = run(&place, &[]).succeeds().says("Continuing with");
        assert!(!done.stderr.contains("Uploaded"), "{operation}: {done}");
        assert_eq!(jobs(&place), 1, "{operation} {fault:?}");
    }
}

#[test]
fn a_job_that_may_have_been_started_with_other_options_is_found_first() {
    let place = ready();
    place.cloud().rules([rule("StartDataTransformationJob", Some(1), Action::HangAfter)]);
    let mut running = run(&place, &[]).start();
    running.wait_until_stuck(&place);
    running.kill();
    place.cloud().heal();
    run(&place, &["--provenance", "off"]).succeeds().says("with another role, key, profile or report");
    assert_eq!(jobs(&place), 1);
    // One that was surely not started is started with what is asked for now.
    place.cloud().rules([rule("StartDataTransformationJob", Some(1), Action::Hang)]);
    let mut running = run(&place, &[]).start();
    running.wait_until_stuck(&place);
    running.kill();
    place.cloud().heal();
    let document = run(&place, &["--provenance", "off", "--json"]).succeeds().json();
    let id = document["jobs"][0]["id"].as_str().unwrap();
    let job = call(place.cloud().healthlake().describe_data_transformation_job().job_id(id).send()).unwrap();
    assert_eq!(job.transformation_job_properties().unwrap().provenance_enabled(), Some(false));
    assert_eq!(jobs(&place), 2);
}

#[test]
fn each_stack_of_a_folder_converts_in_its_own_bucket() {
    let place = Place::quick("minimal");
    let other = place.read("healthlake.toml").replace("fhir-minimal", "fhir-other");
    let names = "healthlake_role_name = \"OtherRole\"\nhealthlake_policy_name = \"OtherPolicy\"\n";
    place.write("other.toml", &format!("{names}{other}"));
    place.apply();
    place.run(["apply", "-y", "-c", "other.toml"]).succeeds();
    prepare(&place);
    place.cloud().rules([rule("StartDataTransformationJob", None, Action::Deny)]);
    run(&place, &[]).exits(6).says("the job was not started");
    place.cloud().heal();
    let done = run(&place, &["-c", "other.toml"]).succeeds();
    assert!(done.stdout.starts_with("s3://example-fhir-other-data/") && !done.stderr.contains("Continuing"), "{done}");
    let done = run(&place, &[]).succeeds().says("Continuing with");
    assert!(done.stdout.starts_with("s3://example-fhir-minimal-data/"), "{done}");
}

#[test]
fn what_s3_has_deleted_before_the_job_is_uploaded_again() {
    let place = ready();
    place.cloud().rules([rule("StartDataTransformationJob", None, Action::Deny)]);
    run(&place, &[]).exits(6).says("the job was not started");
    place.cloud().heal();
    let s3 = place.cloud().s3();
    let bucket = "example-fhir-minimal-data";
    let listed = call(s3.list_objects_v2().bucket(bucket).prefix("import/").send()).unwrap();
    let keys: Vec<&str> = listed.contents().iter().filter_map(|object| object.key()).collect();
    let deleted = keys.iter().find(|key| key.ends_with("/PATIENTS.csv")).unwrap();
    call(s3.delete_object().bucket(bucket).key(*deleted).send()).unwrap();
    let done = run(&place, &[]).succeeds().says("Uploaded 1 file");
    let all = keys.len();
    assert!(done.stderr.contains(&format!("{all} of {all} files converted")), "{done}");
}

/// The same where jobs take a minute and time stands still.
fn slow() -> Place {
    let delays = Delays { job: Duration::from_secs(60), ..Delays::default() };
    let clock = Clock::manual("2026-01-02T03:04:05Z".parse().unwrap());
    let place = Place::on(Cloud::with(Options { delays, clock, ..Options::default() }), "minimal");
    place.apply();
    prepare(&place);
    place
}

#[test]
fn an_interrupted_wait_leaves_the_job_running_and_the_same_command_goes_on() {
    let place = slow();
    let running = run(&place, &["--provenance", "off"]).start();
    eventually("the job is looked at", || running.has_said("IN_PROGRESS"));
    running.signal(Signal::SIGINT);
    let ended = running.ends();
    assert_eq!(ended.code, 6, "{ended}");
    let again = format!("`hlctl transform run --role-arn {} --provenance off visits in` waits for it", ROLE[1]);
    let ended = ended.says("is IN_PROGRESS; AWS continues with it").says(&again);
    assert_eq!(ended.stdout, "", "nothing has been converted yet");
    place.cloud().let_a_minute_pass();
    let done = run(&place, &["--provenance", "off"]).succeeds().says("Continuing with");
    assert!(done.stdout.trim().ends_with("/converted/") && !done.stderr.contains("Uploaded"), "{done}");
    assert_eq!(jobs(&place), 1);
}

#[test]
fn a_start_that_is_interrupted_is_looked_for_by_the_next_run() {
    for fault in [Action::Hang, Action::HangAfter] {
        let place = ready();
        place.cloud().rules([rule("StartDataTransformationJob", Some(1), fault.clone())]);
        let mut running = run(&place, &[]).start();
        running.wait_until_stuck(&place);
        running.signal(Signal::SIGTERM);
        let ended = running.ends();
        assert_eq!(ended.code, 6, "{ended}");
        ended.says("interrupted").says("continues where this stopped");
        place.cloud().heal();
        run(&place, &[]).succeeds().says("Continuing with");
        assert_eq!(jobs(&place), 1, "{fault:?}");
    }
}

#[test]
fn a_refusal_after_a_lost_answer_does_not_say_that_there_is_no_job() {
    let place = ready();
    let lost = |operation| [rule(operation, Some(1), Action::DropAfter), rule(operation, Some(2), Action::Deny)];
    place.cloud().rules(lost("StartDataTransformationJob"));
    run(&place, &[]).exits(6).says("whether the job was started is not known").keeps_silent_about("was not started");
    place.cloud().heal();
    run(&place, &[]).succeeds();
    assert_eq!(jobs(&place), 1);
}

#[test]
fn a_job_that_is_left_running_is_in_the_document() {
    let place = slow();
    let document = run(&place, &["--no-wait", "--json"]).exits(6).json();
    let job = &document["jobs"][0];
    assert!(job["id"].is_string() && job["status"] != "COMPLETED", "{document:#}");
}

#[test]
fn files_of_several_folders_are_converted_by_jobs_in_a_row() {
    let place = ready();
    fs::create_dir_all(place.path("all/october")).unwrap();
    fs::create_dir_all(place.path("all/november")).unwrap();
    for name in FILES.iter().filter(|name| place.path(&format!("in/{name}")).exists()) {
        for month in ["october", "november"] {
            fs::copy(place.path(&format!("in/{name}")), place.path(&format!("all/{month}/{name}"))).unwrap();
        }
    }
    let arguments = ["transform", "run", "visits", "all"];
    let done = place.run(arguments.into_iter().chain(ROLE)).succeeds().says("2 jobs convert them, one after another");
    assert_eq!(done.stdout.lines().count(), 2, "{done}");
    assert_eq!(jobs(&place), 2);
    let starts = place.cloud().requests().into_iter().filter(|record| record.operation == "StartDataTransformationJob");
    assert_eq!(starts.count(), 2);
    // Without waiting there is one at a time.
    let slow = slow();
    fs::create_dir_all(slow.path("in/november")).unwrap();
    fs::copy(slow.path("in/PATIENTS.csv"), slow.path("in/november/PATIENTS.csv")).unwrap();
    // Rows of PATIENTS.csv may have others that refer to them in either folder.
    let refused = run(&slow, &["--no-wait"]).exits(1).says("november/PATIENTS.csv belongs with").stderr;
    assert!(refused.contains("run the command for each folder"), "{refused}");
    for name in FILES.iter().filter(|name| slow.path(&format!("in/{name}")).exists()) {
        fs::copy(slow.path(&format!("in/{name}")), slow.path(&format!("in/november/{name}"))).unwrap();
    }
    for _ in 0..2 {
        run(&slow, &["--no-wait"]).exits(6).says("it is number 1 of 2");
        assert_eq!(jobs(&slow), 1);
    }
}

#[test]
fn the_role_of_the_stack_is_tried_with_a_warning_and_the_configurations_is_taken_before_it() {
    let place = ready();
    let refused = place.run(["transform", "run", "visits", "in"]).exits(6).says("is not confirmed");
    assert!(refused.stderr.contains("aws:SourceAccount alone"), "{refused}");
    assert_eq!(jobs(&place), 0);
    place.add(&format!("transform_role_arn = \"{}\"", ROLE[1]));
    let done = place.run(["transform", "run", "visits", "in"]).succeeds();
    assert!(!done.stderr.contains("is not confirmed") && !done.stderr.contains("Uploaded"), "{done}");
    let policy = place.run(["policy", "data"]).succeeds();
    assert!(policy.stdout.contains(ROLE[1]), "{policy}");
}

#[test]
fn what_cannot_be_converted_is_refused_before_anything_is_sent() {
    let place = ready();
    fs::create_dir(place.path("empty")).unwrap();
    let with = |arguments: &[&'static str]| {
        place.run(["transform", "run"].into_iter().chain(arguments.to_vec()).chain(ROLE)).ends()
    };
    for (arguments, code, says) in [
        (&["visits", "empty"][..], 64, "has no .csv files"),
        (&["visits", "nowhere"], 64, "cannot be read"),
        (&["visit", "in"], 64, "hlctl transform list"),
        (&["visits", "in", "--output", "out"], 64, "is no place in S3"),
        (&["visits", "s3://example-fhir-minimal-data/none"], 64, "there are no .csv files under"),
        (
            &["visits", "s3://example-fhir-minimal-data/", "--output", "s3://example-fhir-minimal-data/x"],
            64,
            "where this job would write",
        ),
    ] {
        let ended = with(arguments);
        assert!(ended.code == code && ended.stderr.contains(says), "{arguments:?}: {ended}");
    }
    for number in 0..21 {
        place.write(&format!("empty/PATIENTS{number}.csv"), "PAT_ID\n1\n");
    }
    // C-CDA is not converted in the sandbox, and nothing pretends.
    profile(&place, "notes", &SourceFormat::Ccda, &[&[("m.vm", "one")]]);
    place.write("in/a.xml", "<ClinicalDocument/>");
    let ended = with(&["notes", "in"]);
    assert!(ended.code == 6 && ended.stderr.contains("converts no C-CDA"), "{ended}");
    assert_eq!(jobs(&place), 0);
}

#[test]
fn the_doctor_says_what_is_not_known_of_the_role() {
    let place = ready();
    let finding = |place: &Place| {
        let document = place.run(["doctor", "--json"]).ends().json();
        let findings = document["findings"].as_array().unwrap().clone();
        findings.into_iter().find(|finding| finding["check"] == "transform_role")
    };
    assert_eq!(finding(&place), None);
    place.add(&format!("transform_role_arn = \"{}\"", ROLE[1]));
    assert_eq!(finding(&place).unwrap()["status"], "ok");
    place.edit("healthlake.toml", "role/conversion", "role/missing");
    assert_eq!(finding(&place).unwrap()["status"], "problem");
    // The stack's own names the store.
    place.edit("healthlake.toml", "role/missing", "role/HealthLakeImportExportRole");
    assert_eq!(finding(&place).unwrap()["status"], "warning");
    place.edit("healthlake.toml", "transform_role_arn", "# transform_role_arn");
    let config = place.read("healthlake.toml");
    fs::create_dir(place.path("ccda")).unwrap();
    place.write("ccda/m.vm", "one");
    place.write(
        "healthlake.toml",
        &format!("{config}\n[[transform_profiles]]\nname = \"notes\"\nformat = \"CCDA\"\nmapping = \"ccda\"\n"),
    );
    let unknown = finding(&place).unwrap();
    assert_eq!(unknown["status"], "not_checkable", "{unknown:#}");
}

#[test]
fn files_are_tried_by_the_version_published_last_and_checked() {
    let place = ready();
    let done = place.run(["transform", "try", "visits", "in/PATIENTS.csv", "in/RESULTS.csv"]).succeeds();
    assert!(done.stderr.contains("Version 1 of visits, the one published last, made"), "{done}");
    assert!(done.stderr.contains("not used of PATIENTS: NOTE"), "{done}");
    let lines: Vec<Value> = done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|resource| resource["resourceType"] == "Patient"), "{done}");
    assert!(lines.iter().any(|resource| resource["resourceType"] == "Observation"), "{done}");
    assert_eq!(place.cloud().count("TransformData"), 1);
    assert_eq!(place.cloud().mutations(), ["TransformData"]);
    let document = place.run(["transform", "try", "visits", "in/PATIENTS.csv", "--json"]).succeeds().json();
    assert_eq!((&document["profile"]["version"], &document["refused"]), (&json!(1), &json!([])));
    // What the store would refuse fails, as in `transform test`.
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/transform/mapping.yaml");
    let text = fs::read_to_string(example).unwrap();
    let wrong = text.replace("HH:mm:ss'Z'", "HH:mm:ss");
    profile(&place, "wrong", &SourceFormat::Csv, &[&[("mapping.yaml", &wrong)]]);
    let refused = place.run(["transform", "try", "wrong", "in/VISITS.csv"]).exits(1);
    assert!(refused.stderr.contains("the store refuses Encounter.period.start"), "{refused}");
    // One request a second is waited for, and a lost answer asked for again.
    for fault in [Action::Throttle, Action::DropAfter] {
        place.cloud().rules([rule("TransformData", Some(1), fault)]);
        place.run(["transform", "try", "visits", "in/PATIENTS.csv"]).succeeds();
    }
    let sandbox = Place::sandbox("minimal");
    sandbox.write("PATIENTS.csv", "PAT_ID\n1\n");
    sandbox.run(["transform", "try", "visits", "PATIENTS.csv"]).exits(64).says("no profile of the account");
}

#[test]
fn what_cannot_be_tried_is_refused_with_the_reason() {
    let place = ready();
    profile(&place, "notes", &SourceFormat::Ccda, &[&[("m.vm", "one")]]);
    place.write("a.xml", "<ClinicalDocument/>");
    place.write("in/LARGE.csv", &"x".repeat(512 * 1024 + 1));
    // However large a file is, no more of it is read than what HealthLake takes.
    fs::File::create(place.path("in/ENDLESS.csv")).unwrap().set_len(1 << 40).unwrap();
    place.write("b.xml", &"x".repeat(1024 * 1024 + 1));
    for number in 0..21 {
        place.write(&format!("T{number}.csv"), "PAT_ID\n1\n");
    }
    let many: Vec<String> = (0..21).map(|number| format!("T{number}.csv")).collect();
    let many = ["transform", "try", "visits"].into_iter().chain(many.iter().map(String::as_str));
    place.run(many).exits(1).says("21 files: HealthLake takes 20 CSV files at once");
    for (arguments, code, says) in [
        (["visits", "in/ENDLESS.csv"], 1, "20 files and 500 KB at once"),
        (["notes", "b.xml"], 1, "1 MB at once"),
        (["notes", "a.xml"], 1, "converts no C-CDA"),
        (["notes", "in/PATIENTS.csv"], 64, "does not end in .xml"),
        (["visits", "in/LARGE.csv"], 1, "LARGE.csv is too large"),
        (["visits", "in/NONE.csv"], 64, "cannot be read"),
    ] {
        let ended = place.run(["transform", "try"].into_iter().chain(arguments)).ends();
        assert!(ended.code == code && ended.stderr.contains(says), "{arguments:?}: {ended}");
    }
    fs::create_dir(place.path("other")).unwrap();
    place.write("other/PATIENTS.csv", "PAT_ID\n1\n");
    place
        .run(["transform", "try", "visits", "in/PATIENTS.csv", "other/PATIENTS.csv"])
        .exits(64)
        .says("are the table PATIENTS");
}
