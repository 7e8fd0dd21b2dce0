//! What a destroy may empty, and whom it would pull the ground from under.

use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use hlctl_emulator::{Clock, Delays, Options};
use nix::sys::wait::WaitStatus;
use rexpect::session::spawn_command;
use serde_json::json;

use crate::support::{Census, Cloud, Ended, Place, call, eventually};

const DATA: &str = "example-fhir-minimal-data";
const LOGS: &str = "example-fhir-minimal-logs";

fn stack() -> Place {
    let place = Place::quick("minimal");
    place.apply();
    place
}

fn put(place: &Place, bucket: &str, key: &str) {
    let put = place.cloud().s3().put_object().bucket(bucket).key(key).body(ByteStream::from_static(b"x"));
    call(put.send()).unwrap();
}

/// A destroy of the whole stack with these arguments in addition.
fn destroy(place: &Place, more: &[&'static str]) -> Ended {
    place.cloud().emulator.clear_requests();
    place.run(["destroy", "-y", "--allow-destroy", "fhir-minimal"]).args(more.iter().copied()).ends()
}

/// A destroy that succeeds.
fn ends_well(place: &Place, more: &[&'static str]) -> Ended {
    let ended = destroy(place, more);
    assert_eq!(ended.code, 0, "{ended}");
    ended
}

trait Shows: Sized {
    /// It is said, on whichever stream.
    fn shows(self, text: &str) -> Self;
}

impl Shows for Ended {
    fn shows(self, text: &str) -> Self {
        assert!(self.stdout.contains(text) || self.stderr.contains(text), "{text:?} is not said\n{self}");
        self
    }
}

/// It was refused by protection before anything was changed.
fn is_refused(place: &Place, ended: &Ended) {
    assert_eq!(ended.code, 5, "{ended}");
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    assert_eq!(place.cloud().census(), Census::one_stack());
}

#[test]
fn a_logs_bucket_that_is_not_empty_is_emptied_without_the_patients_data() {
    let place = stack();
    put(&place, LOGS, "access/2026-01-01");
    let refused = destroy(&place, &[]);
    is_refused(&place, &refused);
    refused.shows("s3_bucket.access_logs").shows("--force-destroy=logs").shows("data bucket");
    ends_well(&place, &["--force-destroy=logs"]);
    assert_eq!(place.cloud().census(), Census::nothing_but_ending_keys(1));
}

#[test]
fn with_the_logs_alone_to_be_emptied_a_full_data_bucket_stops_a_destroy_before_it_begins() {
    for (line, more) in [
        ("", ["--force-destroy=logs"].as_slice()),
        ("force_destroy = true", &["--force-destroy=logs"]),
        ("force_destroy = \"logs\"", &[]),
        ("", &["--set", "force_destroy=logs"]),
        ("force_destroy = true", &["--force-destroy=false"]),
    ] {
        let place = stack();
        place.add(line);
        put(&place, LOGS, "access/2026-01-01");
        put(&place, DATA, "Patient.ndjson");
        let refused = destroy(&place, more);
        is_refused(&place, &refused);
        let refused = refused.shows(&format!("the bucket {DATA} holds 1 object")).shows("patient data included");
        let forces_logs = !more.contains(&"--force-destroy=false");
        assert_eq!(refused.stderr.contains(&format!("the bucket {LOGS} holds")), !forces_logs, "{refused}");
    }
}

#[test]
fn each_way_to_say_it_empties_what_it_says() {
    for (line, more, also_data) in [
        ("force_destroy = \"logs\"", [].as_slice(), false),
        ("", &["--set", "force_destroy=logs"], false),
        ("", &["--set", "force_destroy=\"logs\""], false),
        ("", &["--force-destroy=logs"], false),
        ("", &["--force-destroy"], true),
        ("", &["--force-destroy=true"], true),
        ("force_destroy = false", &["--force-destroy"], true),
        ("force_destroy = \"logs\"", &["--force-destroy"], true),
        ("force_destroy = true", &[], true),
    ] {
        let place = stack();
        place.add(line);
        put(&place, LOGS, "access/2026-01-01");
        if also_data {
            put(&place, DATA, "Patient.ndjson");
        }
        let ended = destroy(&place, more);
        assert_eq!(ended.code, 0, "{line} {more:?}: {ended}");
        assert_eq!(place.cloud().census(), Census::nothing_but_ending_keys(1), "{line} {more:?}");
    }
}

#[test]
fn the_variable_says_it_too_and_nonsense_is_named() {
    let place = stack();
    put(&place, LOGS, "access/2026-01-01");
    let arguments = ["destroy", "-y", "--allow-destroy", "fhir-minimal"];
    place.run(arguments).env("HLCTL_FORCE_DESTROY", "data").exits(1).shows("only the logs bucket");
    place.run(arguments).args(["--force-destroy=data"]).exits(64).shows("logs");
    assert_eq!(place.cloud().census(), Census::one_stack());
    place.run(arguments).env("HLCTL_FORCE_DESTROY", "logs").succeeds();
}

#[test]
fn the_state_remembers_it_for_a_destroy_without_the_configuration() {
    let place = Place::quick("minimal");
    place.add("force_destroy = \"logs\"");
    place.apply();
    assert_eq!(place.state()["settings"]["force_destroy"], "logs");
    put(&place, LOGS, "access/2026-01-01");
    put(&place, DATA, "Patient.ndjson");
    std::fs::remove_file(place.path("healthlake.toml")).unwrap();
    is_refused(&place, &destroy(&place, &[]));
    call(place.cloud().s3().delete_object().bucket(DATA).key("Patient.ndjson").send()).unwrap();
    // The bucket keeps versions, so that the object is still there; it goes only by the whole word.
    is_refused(&place, &destroy(&place, &[]));
    ends_well(&place, &["--force-destroy"]);
    assert_eq!(place.cloud().census(), Census::nothing_but_ending_keys(1));
}

#[test]
fn plan_and_doctor_look_at_a_destroy_with_the_same_flag() {
    let place = stack();
    put(&place, LOGS, "access/2026-01-01");
    place.run(["plan", "--destroy"]).exits(5).shows("--force-destroy=logs");
    place.run(["plan", "--destroy", "--force-destroy=logs"]).succeeds();
    place.run(["doctor", "--destroy"]).exits(1).shows("--force-destroy=logs");
    place.run(["doctor", "--destroy", "--force-destroy=logs"]).succeeds().shows("s3_bucket.access_logs holds 1 object");
    place.run(["plan", "--force-destroy=logs"]).exits(64).shows("--destroy");
    put(&place, DATA, "Patient.ndjson");
    place.run(["plan", "--destroy", "--force-destroy=logs"]).exits(5).shows(DATA);
    place.run(["doctor", "--destroy", "--force-destroy=logs"]).exits(1).shows(DATA);
}

#[test]
fn a_saved_plan_outlives_the_logs_that_arrive_after_it() {
    let place = stack();
    put(&place, LOGS, "access/2026-01-01");
    let plan = ["plan", "--destroy", "--force-destroy=logs", "--allow-destroy", "fhir-minimal", "--out", "end.plan"];
    place.run(plan).succeeds();
    put(&place, LOGS, "access/2026-01-02");
    place.run(["apply", "end.plan"]).succeeds();
    assert_eq!(place.cloud().census(), Census::nothing_but_ending_keys(1));
}

/// Waits until a destroy asks for the store's name, lets something happen, and answers; gives the exit code.
fn answered_after(place: &Place, arguments: &[&str], happens: impl FnOnce()) -> i32 {
    let mut command = place.run(["destroy"]).args(arguments.iter().copied()).command();
    command.env("NO_COLOR", "1").env("TERM", "xterm-256color");
    let mut session = spawn_command(command, Some(60_000)).unwrap();
    session.exp_string("to destroy").unwrap();
    session.exp_string("fhir-minimal").unwrap();
    happens();
    session.send_line("fhir-minimal").unwrap();
    let _ = session.exp_eof();
    match session.process().wait().unwrap() {
        WaitStatus::Exited(_, code) => code,
        other => panic!("ended as {other:?}"),
    }
}

#[test]
fn what_comes_while_the_question_stands_is_not_deleted_nor_met_half_way() {
    let place = stack();
    place.cloud().emulator.clear_requests();
    let code = answered_after(&place, &["--force-destroy=logs"], || put(&place, DATA, "Patient.ndjson"));
    assert_eq!(code, 5);
    let changed: Vec<String> = place.cloud().mutations().into_iter().filter(|name| name != "PutObject").collect();
    assert_eq!(changed, Vec::<String>::new());
    assert_eq!(place.cloud().census(), Census::one_stack());
    let code = answered_after(&place, &["--force-destroy"], || put(&place, DATA, "Observation.ndjson"));
    assert_eq!(code, 0);
}

#[test]
fn a_logs_bucket_that_is_empty_comes_with_a_warning_that_it_fills() {
    let place = stack();
    place.run(["plan", "--destroy"]).succeeds().shows("S3 may still deliver access logs");
    let forced = place.run(["plan", "--destroy", "--force-destroy=logs"]).succeeds();
    assert!(!forced.stdout.contains("may still deliver"), "{forced}");
}

#[test]
fn each_bucket_names_its_own_way_for_terraform() {
    let place = Place::quick("minimal");
    place.add("force_destroy = \"logs\"");
    place.apply();
    place.run(["export", "terraform", "--out", "tf"]).succeeds();
    let text = place.read("tf/main.tf");
    let block = |name: &str| {
        let from = text.find(&format!("resource \"aws_s3_bucket\" \"{name}\"")).unwrap();
        text[from..].split("\n}").next().unwrap().to_owned()
    };
    assert!(block("access_logs").contains("force_destroy = true"), "{text}");
    assert!(!block("data").contains("force_destroy"), "{text}");
}

#[test]
fn the_policy_lets_no_more_be_emptied_than_the_configuration() {
    let place = Place::quick("minimal");
    place.add("force_destroy = \"logs\"");
    let policy = place.run(["policy", "deployer"]).succeeds().json();
    let statements = policy["Statement"].as_array().unwrap();
    let deleting =
        statements.iter().filter(|statement| statement["Action"].to_string().contains("DeleteObjectVersion"));
    let resources: Vec<String> = deleting.map(|statement| statement["Resource"].to_string()).collect();
    assert_eq!(resources.len(), 1, "{policy:#}");
    assert!(resources[0].contains(LOGS) && !resources[0].contains(DATA), "{resources:?}");
}

/// A stack with an import that is under way, in which time stands still.
fn with_a_job() -> (Place, String) {
    let clock = Clock::manual("2026-01-02T03:04:05Z".parse().unwrap());
    let delays = Delays { job: Duration::from_secs(60), ..Delays::default() };
    let place = Place::on(Cloud::with(Options { clock, delays, ..Options::default() }), "minimal");
    place.add("force_destroy = true");
    place.apply();
    std::fs::create_dir(place.path("in")).unwrap();
    place.write("in/a.ndjson", &json!({"resourceType": "Patient", "id": "p"}).to_string());
    place.run(["data", "import", "in", "--no-wait"]).exits(6);
    let jobs = place.run(["data", "jobs", "--json"]).succeeds().json();
    let id = jobs["jobs"][0]["id"].as_str().unwrap().to_owned();
    (place, id)
}

#[test]
fn a_job_that_is_under_way_stops_a_destroy_before_it_begins() {
    let (place, job) = with_a_job();
    for more in [[].as_slice(), &["--target", "iam_role.healthlake"], &["--target", "s3_bucket.data"]] {
        let refused = destroy(&place, more);
        is_refused(&place, &refused);
        refused.shows(&job).shows("import").shows("hlctl data jobs").shows("--running-jobs=wait");
    }
    place.run(["plan", "--destroy"]).exits(5).shows(&job);
    let findings = place.run(["doctor", "--destroy", "--json"]).exits(1).json();
    let findings = findings["findings"].as_array().unwrap();
    let jobs: Vec<_> = findings.iter().filter(|finding| finding["check"] == "jobs").collect();
    assert_eq!(jobs.len(), 1, "{findings:#?}");
    assert!(jobs[0]["status"] == "problem" && jobs[0].to_string().contains(&job), "{jobs:?}");
    assert!(findings.iter().all(|finding| finding["check"] == "jobs" || !finding.to_string().contains(&job)));
    // What they do not work with may go.
    place.run(["destroy", "-y", "--target", "s3_bucket_logging.data"]).succeeds();
}

#[test]
fn once_the_job_has_ended_nothing_stands_in_the_way() {
    let (place, job) = with_a_job();
    place.cloud().clock.advance(Duration::from_secs(600));
    let doctor = place.run(["doctor", "--destroy"]).succeeds().shows("no import or export job is under way");
    assert!(!doctor.stdout.contains(&job), "{doctor}");
    ends_well(&place, &[]);
}

#[test]
fn a_destroy_that_is_to_wait_deletes_nothing_before_the_job_has_ended() {
    let (place, job) = with_a_job();
    place.cloud().emulator.clear_requests();
    let arguments = ["destroy", "-y", "--allow-destroy", "fhir-minimal", "--running-jobs=wait"];
    let waiting = place.run(arguments).start();
    eventually("the job is looked at again", || place.cloud().count("ListFHIRImportJobs") > 3);
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    place.cloud().clock.advance(Duration::from_secs(600));
    let ended = waiting.ends().shows(&job);
    assert_eq!(ended.code, 0, "{ended}");
    assert_eq!(place.cloud().census(), Census::nothing_but_ending_keys(1));
}

#[test]
fn a_job_is_ignored_only_by_name_of_that() {
    let (place, job) = with_a_job();
    ends_well(&place, &["--running-jobs=ignore"]).shows(&job);
    assert_eq!(place.cloud().census(), Census::nothing_but_ending_keys(1));
}

#[test]
fn an_apply_that_takes_the_role_from_a_job_is_refused_too() {
    let (place, job) = with_a_job();
    place.cloud().emulator.clear_requests();
    place.add("healthlake_role_name = \"AnotherRole\"");
    place.run(["apply", "-y"]).exits(5).shows(&job);
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    place.run(["apply", "-y", "--running-jobs=ignore"]).succeeds();
}

#[test]
fn without_permission_to_list_jobs_a_destroy_says_that_nobody_looked() {
    let (place, job) = with_a_job();
    place.cloud().emulator.set_faults(r#"{"deny": ["healthlake:ListFHIRImportJobs"]}"#.parse().unwrap());
    let doctor = place.run(["doctor", "--destroy"]).exits(1).shows("whether import or export jobs are under way");
    assert!(!doctor.stdout.contains(&job), "{doctor}");
    ends_well(&place, &[]).shows("could not be checked").shows("ListFHIRImportJobs");
}

#[test]
fn before_a_key_is_scheduled_for_deletion_the_plan_says_when_it_was_last_used() {
    let place = stack();
    let plan = place.run(["plan", "--destroy"]).succeeds();
    // Nothing was written to the bucket yet.
    assert_eq!(plan.stdout.matches("The key has never been used since").count(), 1, "{plan}");
    put(&place, DATA, "a");
    // The object is a reason to refuse the destroy.
    let plan = place.run(["plan", "--destroy", "--json"]).exits(5).json();
    let meaning = |address: &str| {
        let changes = plan["changes"].as_array().unwrap();
        changes.iter().find(|change| change["address"] == address).unwrap()["meaning"].to_string()
    };
    assert!(meaning("kms_key.s3").contains("was last used on"), "{plan:#}");
    place.cloud().emulator.clear_requests();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    assert!(!place.cloud().requests().iter().any(|request| request.operation == "GetKeyLastUsage"));
}

#[test]
fn a_refusal_to_say_when_a_key_was_last_used_stops_no_destroy() {
    let place = stack();
    place.cloud().emulator.set_faults(r#"{"deny": ["kms:GetKeyLastUsage"]}"#.parse().unwrap());
    ends_well(&place, &[]).shows("is not known: KMS did not say").shows("it needs kms:GetKeyLastUsage");
}
