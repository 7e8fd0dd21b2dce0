//! Imports whose files HealthLake converts first.

use std::fs;
use std::path::Path;

use aws_sdk_healthlake::types::{CreateDataTransformationProfileSource, ProfileMappingSource, SourceFormat};
use hlctl_emulator::{Action, Faults};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::{held, slow_stack, stack};
use crate::support::{Place, Run, call, eventually, rule};
use crate::transform::profile;
use crate::transform_run::prepare;

const BUCKET: &str = "example-fhir-minimal-data";
const IMPORT: [&str; 7] = ["data", "import", "in", "--format", "csv", "--transform-profile", "visits"];

/// A stack, a profile with the example's mapping, and the files of a case in `in`, one of which has a column that the mapping does not use.
fn ready() -> Place {
    let place = stack();
    prepare(&place);
    place
}

fn import<'a>(place: &'a Place, more: &[&'a str]) -> Run<'a> {
    place.run(IMPORT.into_iter().chain(more.iter().copied()))
}

fn starts(place: &Place) -> usize {
    place.cloud().count("StartFHIRImportJob")
}

/// Adds a row to the file of patients that cannot be converted.
fn break_a_row(place: &Place) {
    place.edit("in/PATIENTS.csv", "\n", "\n\"unclosed\n");
}

/// Brings the file of patients back as it is in the example.
fn original(place: &Place) {
    let original = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/transform/tests/typical/PATIENTS.csv");
    place.write("in/PATIENTS.csv", &fs::read_to_string(original).unwrap());
}

#[test]
fn csv_files_are_uploaded_converted_and_imported_by_one_job() {
    let place = ready();
    let done = import(&place, &[]).succeeds();
    assert!(done.stderr.contains("by version 1 of visits, the one published last"), "{done}");
    assert!(done.stderr.contains("not used of PATIENTS: NOTE"), "{done}");
    let resources = held(&place);
    assert!(resources > 3, "{done}");
    assert!(done.stderr.contains(&format!("Imported {resources} resources")), "{done}");
    assert_eq!(fs::read_dir(place.path(".hlctl/data")).unwrap().count(), 0, "nothing is left to go on with");
    // The same once more changes nothing in the store: the ids come from the rows.
    let document = import(&place, &["--json", "--delete-input", "--drift-report", "off"]).succeeds().json();
    assert_eq!(document["conversion"]["profile"]["name"], "visits", "{document:#}");
    assert_eq!((&document["conversion"]["errors"], &document["conversion"]["drift"]), (&json!([]), &Value::Null));
    assert_eq!(document["job"]["progress"]["resources_generated"].as_u64(), Some(resources), "{document:#}");
    assert_eq!((&document["check"], &document["input_deleted"]), (&Value::Null, &json!(true)));
    assert_eq!((held(&place), starts(&place)), (resources, 2));
    assert_eq!(place.cloud().count("StartDataTransformationJob"), 0);
}

#[test]
fn what_is_in_s3_is_converted_from_there() {
    let place = ready();
    for name in ["PATIENTS.csv", "RESULTS.csv"] {
        let body = fs::read(place.path(&format!("in/{name}"))).unwrap();
        let put = place.cloud().s3().put_object().bucket(BUCKET).key(format!("mine/{name}"));
        call(put.body(body.into()).send()).unwrap();
    }
    let from = format!("s3://{BUCKET}/mine");
    let options = ["--format", "csv", "--transform-profile", "visits"];
    let done = place.run(["data", "import", &from].into_iter().chain(options)).succeeds();
    assert!(done.stderr.contains("Found 2 files") && done.stderr.contains("2 files converted to"), "{done}");
    let none = format!("s3://{BUCKET}/none");
    let nothing = place.run(["data", "import", &none].into_iter().chain(options)).exits(64);
    nothing.says("there are no .csv files under");
    let deleted = place.run(["data", "import", &from, "--delete-input"].into_iter().chain(options)).exits(64);
    deleted.says("not a folder that hlctl uploads");
    assert_eq!(starts(&place), 1);
}

#[test]
fn rows_that_are_not_converted_are_reported_and_corrected_files_are_another_job() {
    let place = ready();
    break_a_row(&place);
    let ended = import(&place, &["--json"]).exits(6).says("1 file was not converted or not as a whole");
    let document = ended.json();
    assert_eq!(document["job"]["status"], "COMPLETED_WITH_ERRORS", "{document:#}");
    assert_eq!(document["conversion"]["errors"][0]["count"], 1, "{document:#}");
    assert!(document["conversion"]["drift"]["summary"].is_object(), "{document:#}");
    original(&place);
    import(&place, &[]).succeeds().says("Continuing with").says("Uploaded 1 file");
    // The errors of the job before are not those of this one.
    assert_eq!(import(&place, &["--json"]).succeeds().json()["conversion"]["errors"], json!([]));
    assert_eq!(starts(&place), 3);
}

/// Whether anything is left of what was uploaded.
fn has_input(place: &Place) -> bool {
    let list = place.cloud().s3().list_objects_v2().bucket(BUCKET).prefix("import/");
    call(list.send()).unwrap().contents().iter().any(|object| object.key().is_some_and(|key| key.contains("/input/")))
}

#[test]
fn files_that_were_not_converted_are_missed_whatever_the_status_of_the_job() {
    let place = ready();
    break_a_row(&place);
    let faults = || r#"{"jobs": {"completed_despite_errors": true}}"#.parse::<Faults>().unwrap();
    place.cloud().emulator.set_faults(faults());
    let ended = import(&place, &["--json", "--delete-input"]).exits(6).says("1 file was not converted");
    let document = ended.json();
    assert_eq!(document["job"]["status"], "COMPLETED", "{document:#}");
    assert_eq!((&document["conversion"]["errors"][0]["count"], &document["input_deleted"]), (&json!(1), &Value::Null));
    assert!(!ended.stderr.contains("are deleted"), "{ended}");
    assert!(has_input(&place));
    // What cannot be read may have been an error.
    let unread = rule("GetObject", None, Action::Deny);
    place.cloud().emulator.set_faults(Faults { rules: vec![unread], ..faults() });
    let options = ["--json", "--delete-input", "--drift-report", "off"];
    let ended = import(&place, &options).exits(6).says("whether all files were converted is not known");
    assert_eq!(ended.json()["input_deleted"], false);
    assert!(has_input(&place));
    let before = starts(&place);
    place.cloud().emulator.set_faults(faults());
    import(&place, &options).exits(6).says("1 file was not converted");
    assert_eq!(starts(&place), before, "the same job is looked at again");
    original(&place);
    import(&place, &["--delete-input"]).succeeds().says("are deleted from S3");
    assert!(!has_input(&place));
}

#[test]
fn a_start_that_is_lost_or_cut_off_makes_one_job() {
    for fault in [Action::DropAfter, Action::ServerErrorAfter, Action::Cut] {
        let place = ready();
        place.cloud().rules([rule("StartFHIRImportJob", Some(1), fault.clone())]);
        import(&place, &[]).succeeds();
        assert_eq!(jobs(&place), 1, "{fault:?}");
    }
    for fault in [Action::Hang, Action::HangAfter] {
        let place = ready();
        place.cloud().rules([rule("StartFHIRImportJob", Some(1), fault.clone())]);
        let mut running = import(&place, &[]).start();
        running.wait_until_stuck(&place);
        running.kill();
        place.cloud().heal();
        let begun = journal(&place);
        let done = import(&place, &["--provenance", "off"]).succeeds().says("Continuing with");
        // AWS does not tell with which options a job was started, and what was sent may still arrive: no second token is used.
        done.says("and --provenance on; it stays as it is");
        assert_eq!(jobs(&place), 1, "{fault:?}");
        let listed = place.run(["data", "jobs", "--json"]).succeeds().json();
        assert_eq!(listed["jobs"][0]["name"], begun["token"], "{fault:?}: {listed:#}");
        // The next import is as it is asked for.
        let other = import(&place, &["--provenance", "off"]).succeeds();
        assert!(!other.stderr.contains("stays as it is"), "{other}");
    }
}

#[test]
fn after_a_start_that_was_surely_refused_other_options_are_taken() {
    let place = ready();
    place.cloud().rules([rule("StartFHIRImportJob", None, Action::Deny)]);
    import(&place, &[]).exits(6).says("the job was not started");
    let refused = journal(&place);
    place.cloud().heal();
    let done = import(&place, &["--provenance", "off"]).succeeds();
    assert!(!done.stderr.contains("stays as it is"), "{done}");
    let listed = place.run(["data", "jobs", "--json"]).succeeds().json();
    assert_ne!(listed["jobs"][0]["name"], refused["token"], "{listed:#}");
}

/// What is written down of the one import that has begun.
fn journal(place: &Place) -> Value {
    let files = fs::read_dir(place.path(".hlctl/data")).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = files.filter(|path| path.extension().is_some_and(|ending| ending == "json")).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    serde_json::from_slice(&fs::read(&files[0]).unwrap()).unwrap()
}

/// A profile that has never been published.
fn draft(place: &Place, name: &str) {
    let source = ProfileMappingSource::builder().profile_mapping("mapping.yaml", "text").build().unwrap();
    let create = place.cloud().healthlake().create_data_transformation_profile().source_format(SourceFormat::Csv);
    let source = CreateDataTransformationProfileSource::ProfileMapping(source);
    call(create.profile_name(name).source(source).send()).unwrap();
}

fn jobs(place: &Place) -> usize {
    let jobs = place.run(["data", "jobs", "--json"]).succeeds().json();
    jobs["jobs"].as_array().unwrap().iter().filter(|job| job["kind"] == "import").count()
}

#[test]
fn an_interrupted_import_goes_on_with_its_conversion_and_another_profile_is_another_import() {
    let place = slow_stack();
    prepare(&place);
    let running = import(&place, &["--drift-report", "off"]).start();
    eventually("the job is looked at", || place.cloud().count("DescribeFHIRImportJob") > 2);
    running.signal(Signal::SIGINT);
    let ended = running.ends();
    assert_eq!(ended.code, 6, "{ended}");
    let again = "hlctl data import --format csv --transform-profile visits --drift-report off in";
    ended.says("AWS continues with it").says(again);
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/transform/mapping.yaml");
    let text = fs::read_to_string(example).unwrap();
    profile(&place, "other", &SourceFormat::Csv, &[&[("mapping.yaml", &text)]]);
    let other = ["data", "import", "in", "--format", "csv", "--transform-profile", "other", "--no-wait"];
    let other = place.run(other).exits(6);
    assert!(!other.stderr.contains("Continuing"), "{other}");
    assert_eq!(starts(&place), 2);
    place.cloud().let_a_minute_pass();
    import(&place, &["--drift-report", "off"]).succeeds().says("Continuing with");
    assert_eq!(starts(&place), 2);
}

#[test]
fn what_cannot_be_converted_is_refused_before_anything_is_sent() {
    let place = ready();
    profile(&place, "notes", &SourceFormat::Ccda, &[&[("m.vm", "one")]]);
    draft(&place, "draft");
    for folder in ["many", "same/a", "same/b", "empty"] {
        fs::create_dir_all(place.path(folder)).unwrap();
    }
    for number in 0..21 {
        place.write(&format!("many/T{number}.csv"), "ID\n1\n");
    }
    for folder in ["a", "b"] {
        place.write(&format!("same/{folder}/PATIENTS.csv"), "PAT_ID\n1\n");
    }
    place.cloud().emulator.clear_requests();
    let csv = ["--format", "csv"];
    for (path, more, code, says) in [
        ("in", &[][..], 64, "`hlctl transform list` lists the profiles"),
        ("in", &["--profile", "visits"], 64, "write --transform-profile visits"),
        ("in", &["--transform-profile", "visit"], 64, "hlctl transform list"),
        ("in", &["--transform-profile", "draft"], 64, "no version of the profile \"draft\" is published"),
        ("in", &["--transform-profile", "notes"], 64, "write --format ccda"),
        ("in", &["--transform-profile", "visits", "--check-references"], 64, "references cannot be checked"),
        ("empty", &["--transform-profile", "visits"], 64, "has no .csv files"),
        ("nowhere", &["--transform-profile", "visits"], 64, "cannot be read"),
        ("many", &["--transform-profile", "visits"], 1, "a job takes 20 files"),
        ("same", &["--transform-profile", "visits"], 1, "would both be PATIENTS.csv"),
    ] {
        let ended = place.run(["data", "import", path].into_iter().chain(csv).chain(more.iter().copied())).ends();
        assert!(ended.code == code && ended.stderr.contains(says), "{path} {more:?}: {ended}");
    }
    // Two files of one name are no quota.
    let same = ["data", "import", "same", "--format", "csv", "--transform-profile", "visits", "--allow-problems"];
    place.run(same).exits(1).says("would both be PATIENTS.csv");
    place.run(["data", "import", "in", "--transform-profile", "visits"]).exits(64).says("--format");
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    // C-CDA is not converted in the sandbox, and nothing pretends.
    place.write("in/a.xml", "<ClinicalDocument/>");
    let ended = place.run(["data", "import", "in", "--format", "ccda", "--transform-profile", "notes"]).exits(6);
    ended.says("converts no C-CDA").says("the job was not started");
    assert_eq!(jobs(&place), 0);
}

#[test]
fn a_quota_that_aws_has_raised_does_not_stop_an_import() {
    let place = ready();
    for number in 0..20 {
        place.write(&format!("in/T{number}.csv"), "ID\n1\n");
    }
    let hint = "if AWS has raised this quota for your account, --allow-problems imports anyway";
    import(&place, &[]).exits(1).says("a job takes 20 files").says(hint);
    let begun = import(&place, &["--allow-problems", "--no-wait"]).exits(6);
    begun.says("a job takes 20 files").says("Importing anyway.").says("was started and is under way");
    // The same of what is in S3.
    for number in 0..21 {
        let put = place.cloud().s3().put_object().bucket(BUCKET).key(format!("mine/T{number}.csv"));
        call(put.body(b"ID\n1\n".to_vec().into()).send()).unwrap();
    }
    let from = format!("s3://{BUCKET}/mine");
    let arguments = ["data", "import", &from, "--format", "csv", "--transform-profile", "visits"];
    place.run(arguments).exits(1).says("a job takes 20 files").says(hint);
    let begun = place.run(arguments.into_iter().chain(["--allow-problems", "--no-wait"])).exits(6);
    begun.says("a job takes 20 files").says("Importing anyway.").says("was started and is under way");
    assert_eq!(starts(&place), 2);
}

#[test]
fn two_files_of_one_table_in_s3_are_refused_as_on_this_machine() {
    let place = ready();
    for folder in ["a", "b"] {
        let put = place.cloud().s3().put_object().bucket(BUCKET).key(format!("mine/{folder}/PATIENTS.csv"));
        call(put.body(b"PAT_ID\n1\n".to_vec().into()).send()).unwrap();
    }
    let from = format!("s3://{BUCKET}/mine");
    let arguments = ["data", "import", &from, "--format", "csv", "--transform-profile", "visits"];
    for more in [&[][..], &["--allow-problems"]] {
        let ended = place.run(arguments.into_iter().chain(more.iter().copied())).exits(1);
        ended.says("a/PATIENTS.csv and b/PATIENTS.csv would both be PATIENTS.csv");
    }
    assert_eq!(starts(&place), 0);
}
