//! The state file: what is shown of it, and what happens when something has happened to it.

use std::fs;

use serde_json::Value;

use crate::support::{Ended, Place, snapshot};

fn applied() -> Place {
    let place = Place::quick("minimal");
    place.apply();
    place.cloud().emulator.clear_requests();
    place
}

const STATE: &str = "healthlake.state.json";

/// Every command refuses the state and leaves all files as they are.
fn refused(place: &Place) -> Ended {
    let before = place.files();
    let commands: [&[&str]; 6] = [
        &["outputs"],
        &["state", "list"],
        &["wait"],
        &["destroy", "-y", "--allow-destroy", "fhir-minimal"],
        &["apply", "-y"],
        &["plan"],
    ];
    let runs = commands.map(|command| place.run(command.iter().copied()).exits(1));
    assert!(place.files() == before, "a file was touched");
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    let [first, .., last] = runs;
    assert_eq!(first.stderr, last.stderr);
    last
}

#[test]
fn a_truncated_state_is_refused_and_left_alone() {
    let place = applied();
    let whole = place.read(STATE);
    place.write(STATE, &whole[..whole.len() / 2]);
    snapshot("state_truncated", &refused(&place));
    place.write(STATE, "");
    refused(&place).says("it is empty");
    // The way back that the hint names works.
    fs::copy(place.path("healthlake.state.json.backup"), place.path(STATE)).unwrap();
    place.apply();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    assert_eq!(place.cloud().census(), crate::support::Census::one_stack());
}

#[test]
fn an_edited_state_is_refused() {
    let place = applied();
    place.edit(STATE, "example-fhir-minimal-data", "example-fhir-minimal-date");
    snapshot("state_edited", &refused(&place));
}

#[test]
fn a_state_of_a_newer_hlctl_is_refused_by_its_version() {
    let place = applied();
    place.edit(STATE, "\"version\": 1", "\"version\": 2");
    place.edit(STATE, &format!("\"hlctl\": \"{}\"", env!("CARGO_PKG_VERSION")), "\"hlctl\": \"7.0.0\"");
    snapshot("state_newer", &refused(&place));
}

#[test]
fn a_state_with_the_marks_of_a_merge_conflict_is_refused() {
    let place = applied();
    let whole = place.read(STATE);
    place.write(STATE, &format!("<<<<<<< HEAD\n{whole}=======\n{whole}>>>>>>> theirs\n"));
    refused(&place).says("it holds the marks of a merge conflict");
}

#[test]
fn another_file_in_the_place_of_the_state_is_refused() {
    let place = applied();
    place.write(STATE, "{\"version\": 4, \"terraform_version\": \"1.9.0\"}");
    refused(&place).says("it is not a state of hlctl");
}

#[test]
fn a_missing_state_with_a_backup_is_no_fresh_start() {
    let place = applied();
    fs::remove_file(place.path(STATE)).unwrap();
    snapshot("state_missing", &refused(&place));
}

#[test]
fn a_state_that_was_removed_after_a_destroy_is_a_fresh_start() {
    let place = applied();
    place.run(["destroy", "-y", "--allow-destroy", "fhir-minimal"]).succeeds();
    fs::remove_file(place.path(STATE)).unwrap();
    place.apply();
}

#[test]
fn a_reindented_state_is_still_the_state() {
    let place = applied();
    let compact = serde_json::from_str::<Value>(&place.read(STATE)).unwrap().to_string();
    place.write(STATE, &compact);
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn the_state_can_be_read_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = applied();
    for name in [STATE, "healthlake.state.json.backup"] {
        assert_eq!(fs::metadata(place.path(name)).unwrap().permissions().mode() & 0o077, 0, "{name}");
    }
}

#[test]
fn the_directory_holds_the_state_its_backup_the_record_of_the_run_and_nothing_else() {
    let place = applied();
    let names: Vec<String> =
        place.files().iter().map(|(path, _)| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(names, [STATE, "healthlake.state.json.backup", "healthlake.state.run.json", "healthlake.toml"]);
}

#[test]
fn the_hash_of_a_password_is_shown_by_no_command_but_pull() {
    let place = Place::quick("smart");
    place.run(["apply", "--yes"]).succeeds();
    let user = "cognito_user.test_users[\"alice\"]";
    for arguments in [
        &["state", "show"][..],
        &["state", "show", "--json"],
        &["state", "show", user],
        &["state", "show", user, "--json"],
        &["state", "list", "--json"],
    ] {
        let shown = place.run(arguments.iter().copied()).succeeds().stdout;
        assert!(shown.contains("(sensitive)") && !shown.contains("argon2id"), "{arguments:?}: {shown}");
    }
    assert!(place.run(["state", "pull"]).succeeds().stdout.contains("argon2id"));
    // Nothing else is taken for one.
    let pulled = &place.run(["state", "pull"]).succeeds().json()["state"];
    let mut shown = place.run(["state", "show", "--json"]).succeeds().json();
    shown["resources"][user] = pulled["resources"][user].clone();
    assert_eq!(shown["resources"], pulled["resources"]);
}

#[test]
fn the_resources_are_listed_and_shown_without_config_and_aws() {
    let place = applied();
    fs::remove_file(place.path("healthlake.toml")).unwrap();
    snapshot("state_list", &place.run(["state", "list"]).succeeds());
    snapshot("state_show", &place.run(["state", "show", "healthlake_fhir_datastore.this"]).succeeds());
    let json = place.run(["state", "show", "s3_bucket.data", "--json"]).succeeds().json();
    assert_eq!(json["recorded"]["name"], "example-fhir-minimal-data");
    assert_eq!(json["protected"], true);
    let list = place.run(["state", "list", "--json"]).succeeds().json();
    assert_eq!(list["resources"].as_array().unwrap().len(), 19);
    let whole = place.run(["state", "show", "--json"]).succeeds().json();
    assert_eq!(whole["identity"]["account"], "000000000000");
    place.run(["state", "show"]).succeeds();
    place.run(["state", "show", "s3_bucket.dat"]).exits(64).says("the state has no resource s3_bucket.dat");
    assert!(place.cloud().requests().is_empty());
}

#[test]
fn a_state_file_elsewhere_is_used_where_the_flag_says() {
    let place = Place::quick("minimal");
    place.run(["apply", "-y", "--state", "states/fhir.json"]).succeeds();
    assert!(place.path("states/fhir.json").exists() && !place.path(STATE).exists());
    place.run(["plan", "--detailed-exitcode"]).env("HLCTL_STATE", "states/fhir.json").succeeds();
}

#[test]
fn a_directory_that_cannot_be_written_stops_an_apply_before_it_begins() {
    let place = Place::quick("minimal");
    place.write("states", "a file where a directory should be");
    place.run(["apply", "-y", "--state", "states/fhir.json"]).exits(1);
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
}

#[test]
fn a_damaged_state_without_a_backup_is_found_again_by_its_tags() {
    let place = Place::quick("minimal");
    place.apply();
    fs::remove_file(place.path("healthlake.state.json.backup")).unwrap();
    place.write("healthlake.state.json", "{");
    place.run(["state", "recover"]).exits(1).says("is damaged").says("hlctl adopt --discover");
    place.run(["adopt", "--discover", "-y"]).succeeds();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}
