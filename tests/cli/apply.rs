//! Apply and destroy, where nothing goes wrong in AWS.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use hlctl_emulator::Action;

use crate::support::{Census, Place, call, rule, snapshot};

#[test]
fn an_apply_shows_the_plan_the_steps_and_the_outputs() {
    let place = Place::quick("minimal");
    let applied = place.run(["apply", "-y", "--parallelism", "1"]).succeeds();
    let steps = applied.stderr.split_once("unchanged.").unwrap().1;
    snapshot("apply_steps", &steps);
    snapshot("apply_stdout", &applied.stdout);
}

#[test]
fn an_apply_of_nothing_says_so() {
    let place = Place::quick("minimal");
    place.apply();
    snapshot("apply_nothing", &place.run(["apply"]).succeeds());
}

#[test]
fn an_apply_in_json_prints_json_alone() {
    let place = Place::quick("minimal");
    let json = place.run(["apply", "-y", "--json"]).succeeds().json();
    assert_eq!(json["format_version"], 1);
    assert_eq!(json["resources"].as_array().unwrap().len(), 19);
    assert!(json["resources"].as_array().unwrap().iter().all(|step| step["status"] == "done"));
    assert_eq!(json["outputs"]["s3_bucket"], "example-fhir-minimal-data");
}

#[test]
fn nothing_happens_without_a_terminal_and_without_approval() {
    let place = Place::quick("minimal");
    let before = place.files();
    let refused = place.run(["apply"]).exits(1).says("--auto-approve");
    snapshot("apply_unapproved", &refused.stderr.lines().last().unwrap());
    assert!(place.files() == before);
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    place.apply();
    let before = place.files();
    place.cloud().emulator.clear_requests();
    place.run(["destroy"]).exits(5).says("--allow-destroy 'fhir-minimal'");
    place.run(["destroy", "--allow-destroy", "fhir-minimal"]).exits(1).says("--auto-approve");
    assert!(place.files() == before);
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
}

#[test]
fn a_quiet_apply_prints_the_outputs_alone() {
    let place = Place::quick("minimal");
    let quiet = place.run(["apply", "-y", "--quiet"]).succeeds();
    assert_eq!(quiet.stderr, "");
    assert!(quiet.stdout.contains("datastore_arn"));
}

#[test]
fn a_resource_that_leaves_the_configuration_is_destroyed() {
    let place = Place::quick("synthea");
    place.configure("preload_data = true", "create_kms_key = true");
    place.apply();
    place.configure("create_kms_key = true", "");
    let replace = ["apply", "-y", "--replace", "healthlake_fhir_datastore.this"];
    place.run(replace).succeeds();
    let census = place.cloud().census_as("test", "us-west-2");
    assert_eq!(census, Census { keys_ending: 1, ..Census::one_stack() });
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn protected_things_are_destroyed_only_by_name() {
    let place = Place::quick("minimal");
    place.apply();
    place.cloud().emulator.clear_requests();
    snapshot("destroy_unnamed", &place.run(["destroy", "-y"]).exits(5).stderr);
    place.run(["destroy", "-y", "--allow-destroy", "someone-else"]).exits(5);
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
}

#[test]
fn a_name_that_nothing_has_is_named_and_does_not_stop_a_command_that_is_given_again() {
    let place = Place::quick("minimal");
    let warns = |arguments: &[&str], words: &str| {
        let ended = place.run(arguments.iter().copied()).succeeds();
        ended.says("nothing in this stack is called that").says(words);
    };
    warns(&["plan", "--allow-destroy", "fhir-minimul"], "did you mean fhir-minimal?");
    place.apply();
    warns(&["plan", "--allow-destroy", "nonsense"], "--allow-destroy nonsense");
    warns(&["apply", "-y", "--allow-destroy", "nonsense"], "--allow-destroy nonsense");
    // A mistyped name allows nothing.
    place.run(["destroy", "-y", "--allow-destroy", "fhir-minimul"]).exits(5);
    // Names, addresses, and those of what the plan leaves alone are right.
    let right = ["example-fhir-minimal-data", "kms_key.s3", "fhir-minimal", "HealthLakeImportExportRole"];
    for name in right {
        let plan = place.run(["plan", "--allow-destroy", name]).succeeds();
        assert!(!plan.stderr.contains("nothing in this stack"), "{plan}");
    }
    let both = ["destroy", "-y", "--allow-destroy", "fhir-minimal", "--allow-destroy", "kms_key.s4"];
    warns(&both, "did you mean kms_key.s3?");
}

/// What the first run has destroyed can no longer be named.
#[test]
fn the_command_that_continues_a_destroy_names_only_what_is_left() {
    let place = Place::quick("minimal");
    place.apply();
    place.cloud().rules([rule("DeleteFHIRDatastore", None, Action::Deny)]);
    let bucket = "example-fhir-minimal-data";
    let destroy = [
        "destroy",
        "-y",
        "--allow-destroy",
        bucket,
        "--allow-destroy",
        "kms_key.s3",
        "--allow-destroy",
        "fhir-minimal",
    ];
    let ended = place.run(destroy).exits(6);
    let left = place.state();
    let line = ended.stderr.lines().rev().find(|line| line.contains("hlctl destroy")).unwrap().to_owned();
    assert!(line.contains("--allow-destroy fhir-minimal"), "{ended}");
    assert_eq!(line.contains(bucket), left["resources"].get("s3_bucket.data").is_some(), "{ended}");
    place.cloud().heal();
    let command = line.split('`').find(|part| part.starts_with("hlctl destroy")).unwrap_or(&line);
    let words = shlex::split(command.split("hlctl ").nth(1).unwrap()).unwrap();
    place.run(words.iter().map(String::as_str)).args(["-y"]).succeeds();
}

#[test]
fn a_part_of_the_stack_can_be_destroyed() {
    let place = Place::quick("minimal");
    place.apply();
    place.run(["destroy", "-y", "--target", "iam_role.healthlake"]).succeeds();
    let state = place.state();
    let left = state["resources"].as_object().unwrap();
    assert!(!left.contains_key("iam_role.healthlake") && !left.contains_key("iam_role_policy_attachment.this"));
    assert!(left.contains_key("iam_policy.healthlake"));
    // A part of a stack has names of its own.
    place.run(["destroy", "-y", "--target", "s3_bucket.data", "--allow-destroy", "fhir-minimal"]).exits(5);
    place.apply();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

fn fill(place: &Place, bucket: &str, objects: usize) {
    let s3 = place.cloud().s3();
    let on = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    call(async {
        s3.put_bucket_versioning().bucket(bucket).versioning_configuration(on).send().await.unwrap();
        for number in 0..objects {
            let key = format!("export/Patient-{number}.ndjson");
            for _ in 0..2 {
                let body = ByteStream::from_static(b"{}");
                s3.put_object().bucket(bucket).key(&key).body(body).send().await.unwrap();
            }
        }
        s3.delete_object().bucket(bucket).key("export/Patient-0.ndjson").send().await.unwrap();
    });
}

#[test]
fn a_full_bucket_stops_a_destroy_before_it_begins() {
    let place = Place::quick("minimal");
    place.apply();
    fill(&place, "example-fhir-minimal-data", 2);
    place.cloud().emulator.clear_requests();
    let refused = place.run(["destroy", "-y", "--allow-destroy", "fhir-minimal"]).exits(5);
    let refused =
        refused.says("the bucket example-fhir-minimal-data holds 1 object, 3 older versions and 1 delete marker");
    refused.says("--force-destroy");
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
}

#[test]
fn force_destroy_deletes_every_version_of_every_object() {
    let place = Place::quick("minimal");
    place.apply();
    fill(&place, "example-fhir-minimal-data", 5);
    place.run(["destroy", "-y", "--allow-destroy", "fhir-minimal", "--force-destroy"]).succeeds();
    assert_eq!(place.cloud().census(), Census::nothing_but_ending_keys(1));
}

#[test]
fn a_destroy_without_its_configuration_works_from_the_state() {
    let place = Place::quick("customer-keys");
    place.apply();
    std::fs::remove_file(place.path("healthlake.toml")).unwrap();
    // The region comes from the state: what is set here is another one.
    place.run(["destroy", "-y", "--allow-destroy", "fhir-production"]).succeeds();
    let census = place.cloud().census_as(place.access_key(), "eu-west-2");
    assert_eq!(census, Census::nothing_but_ending_keys(2));
}

#[test]
fn keys_are_ordered_to_end_after_what_they_encrypt() {
    let place = Place::quick("customer-keys");
    place.apply();
    let id = |address: &str| {
        place.state()["resources"][address]["recorded"]["id"].as_str().unwrap_or_else(|| panic!("{address}")).to_owned()
    };
    let keys_and_users = [
        (id("kms_key.datastore"), "DeleteFHIRDatastore", id("healthlake_fhir_datastore.this")),
        (id("kms_key.s3"), "DeleteBucket", "example-fhir-production-data".to_owned()),
    ];
    place.cloud().emulator.clear_requests();
    place.run(["destroy", "-y", "--allow-destroy", "fhir-production"]).succeeds();
    let requests = place.cloud().requests();
    let sent = |operation: &str, name: &str| {
        let found = requests.iter().rposition(|request| {
            request.operation == operation && request.names.iter().any(|other| other.contains(name))
        });
        found.unwrap_or_else(|| panic!("no {operation} of {name} in {requests:?}"))
    };
    for (key, delete, user) in keys_and_users {
        assert!(sent("ScheduleKeyDeletion", &key) > sent(delete, &user), "{delete} of {user} after {key}");
    }
    let first = |name: &str| requests.iter().position(|request| request.operation == name).unwrap();
    assert!(first("DeleteRole") > first("DetachRolePolicy"), "{requests:?}");
}

#[test]
fn a_destroy_without_a_state_says_where_it_looked() {
    let place = Place::quick("minimal");
    place.run(["destroy", "-y"]).exits(1).says("there is no state at healthlake.state.json");
}

#[test]
fn switches_of_the_store_change_in_place() {
    let place = Place::quick("minimal");
    place.apply();
    let id = place.store_id();
    place.add("datastore_nlp = true\ndatastore_backup = true\ndatastore_backup_retention_in_days = 7");
    place.apply();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    place.configure(
        "datastore_nlp = true\ndatastore_backup = true\ndatastore_backup_retention_in_days = 7",
        "datastore_nlp = false",
    );
    place.apply();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    assert_eq!(place.store_id(), id);
}
