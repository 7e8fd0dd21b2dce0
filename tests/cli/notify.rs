//! `--notify`: what runs once a command has ended.

use crate::support::Place;

const TELL: &str = r#"printf '%s|%s|%s' "$NOTIFY_COMMAND" "$NOTIFY_EXIT_CODE" "$NOTIFY_SUMMARY" > told"#;

#[test]
fn what_was_done_and_how_it_ended_stands_in_variables() {
    let place = Place::quick("minimal");
    place.run(["apply", "-y", "--notify", TELL]).succeeds();
    let told = place.read("told");
    assert!(told.starts_with("apply|0|Apply complete: 19 added, 0 changed"), "{told}");
    place.run(["wait", "--notify", TELL]).succeeds();
    assert_eq!(place.read("told"), "wait|0|`wait` ended with exit code 0");
    place.run(["destroy", "-y", "--allow-destroy", "fhir-minimal", "--notify", TELL]).succeeds();
    assert!(place.read("told").starts_with("destroy|0|Destroy complete: 0 added, 0 changed, 0 replaced, 19 destroyed"));
}

#[test]
fn a_run_that_fails_says_why_and_nothing_that_it_names_is_read_by_the_shell() {
    let place = Place::quick("minimal");
    let name = "$(touch read)`touch read`;touch read.toml";
    place.run(["apply", "-y", "-c", name, "--notify", TELL]).exits(1);
    let told = place.read("told");
    assert!(told.starts_with("apply|1|") && told.contains(name), "{told}");
    assert!(!place.path("read").exists() && !place.path("read.toml").exists());
}

#[test]
fn what_it_prints_is_no_part_of_the_data_and_its_failure_no_failure_of_the_run() {
    let place = Place::quick("minimal");
    let ended = place.run(["apply", "-y", "--json", "--notify", "echo told; exit 3"]).succeeds();
    assert!(!ended.stdout.contains("told"), "{ended}");
    ended.says("told").says("the command of --notify failed: exit status: 3").json();
}
